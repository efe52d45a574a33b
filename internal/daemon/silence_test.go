package daemon

import (
	"bytes"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
)

// TestD2_DroppedBeforeTheClient: what a client's socket brings and the client
// never sees is counted, and shown with the reason.
func TestD2_DroppedBeforeTheClient(t *testing.T) {
	request := new(dhcp4.Message)
	request.Reset(dhcp4.BootRequest)
	request.SetType(dhcp4.Discover)
	whole, _ := request.Append(nil, 1400)
	request.Op = dhcp4.BootReply
	answer, _ := request.Append(nil, 1400)
	for _, tt := range []struct {
		h    heard
		what counter
		why  string
	}{
		{heard{data: whole[:100]}, malformed, ""},
		{heard{data: whole, cut: true}, long, "message is too long"},
		{heard{data: whole}, ignored, "op is not BOOTREPLY"},
		{heard{data: answer}, ignored, "the client does not run"},
		{heard{kind: link.DHCP, data: whole[:10]}, malformed, ""},
	} {
		d, n, _ := newDaemon(t, "")
		var out bytes.Buffer
		d.say.out, d.say.level = &out, 2
		tt.h.net = n
		d.hear(tt.h)
		if d.count.of[tt.what] != 1 || !strings.Contains(out.String(), ": dropped: "+tt.why) {
			t.Errorf("%q: %d times, %q is said", counterTexts[tt.what], d.count.of[tt.what], out.String())
		}
	}
}
