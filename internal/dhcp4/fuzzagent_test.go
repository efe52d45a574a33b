package dhcp4

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dhcpd/internal/netip"
)

// FuzzAgent: what a relay puts in is the last option and nothing else, within
// the limit, and what it takes out again leaves what there was.
func FuzzAgent(f *testing.F) {
	seedAgent := []byte("\x01\x04eth0\x02\x02ab")
	m := new(Message)
	m.Reset(BootRequest)
	m.SetType(Discover)
	m.Options.PutText(HostName, "h")
	b, _ := m.Append(nil, 0)
	f.Add(b, seedAgent, uint16(576), uint8(3))
	f.Add(b[:244], seedAgent, uint16(0), uint8(0))
	var got Message
	f.Fuzz(func(t *testing.T, b, agent []byte, limit uint16, hops uint8) {
		if m.Parse(b) != nil || m.Options.Has(RelayAgent) {
			return
		}
		old := bytes.Clone(b)
		out, ok := AppendAgent([]byte("x"), b, agent, int(limit))
		if !ok {
			if len(out) != 1 || !bytes.Equal(b, old) {
				t.Fatalf("%x", out)
			}
			return
		}
		if out = out[1:]; len(out) > max(int(limit), len(b)) {
			t.Fatalf("%d octets of %d, limit %d", len(out), len(b), limit)
		}
		PutRelay(out, hops, netip.AddrFrom4([4]byte{10, 0, 0, 1}))
		if err := got.Parse(out); err != nil || got.Hops != hops || got.Giaddr.Number() != 10<<24+1 || got.Chaddr != m.Chaddr {
			t.Fatalf("%v: %x", err, out)
		}
		if !bytes.Equal(got.Options.Get(RelayAgent), agent) {
			t.Fatalf("option 82 is %x", got.Options.Get(RelayAgent))
		}
		bare := bytes.Clone(out)
		clear(bare[44:236]) // sname and file, which may have options behind it
		bare[44], bare[108] = byte(End), byte(End)
		if err := got.Parse(bare); err != nil || got.Options.Codes()[got.Options.Len()-1] != RelayAgent {
			t.Fatalf("%v: options %v", err, got.Options.Codes())
		}
		again := AppendWithoutAgent(nil, out)
		if err := got.Parse(again); err != nil || got.Options.Has(RelayAgent) || got.Options.Len() != m.Options.Len() {
			t.Fatalf("%v: %x", err, again)
		}
		for c, v := range m.Options.All() {
			if !bytes.Equal(got.Options.Get(c), v) {
				t.Fatalf("option %d is %x", c, got.Options.Get(c))
			}
		}
		sub, rest, n := byte(0), agent, 0
		for more := true; more; n++ { // all sub-options, up to one that is cut
			if sub, _, rest, more = cutSub(rest); more && !bytes.Equal(Sub(agent, sub), mustSub(agent, sub)) {
				t.Fatalf("sub-option %d of %x", sub, agent)
			}
			if n > len(agent) {
				t.Fatalf("%x has no end", agent)
			}
		}
	})
}

func mustSub(agent []byte, code byte) []byte {
	v, _ := SubOption(agent, code)
	return v
}

// FuzzQuoted: text from the wire is shown as printable ASCII, by which it is
// known; hexadecimal digits are read as the standard library reads them.
func FuzzQuoted(f *testing.F) {
	f.Add("a\"'\\\x00\n\xff")
	f.Add("00fF")
	f.Fuzz(func(t *testing.T, s string) {
		for _, quoted := range []string{Quoted(s), string(AppendSaid(nil, []byte(s)))} {
			if strings.ContainsFunc(quoted, func(c rune) bool { return c < ' ' || c > '~' }) || len(quoted) > 4*len(s)+2 {
				t.Errorf("%q", quoted)
			}
		}
		if back, err := strconv.Unquote(Quoted(s)); err != nil || back != s {
			t.Errorf("%q comes back as %q, %v", s, back, err)
		}
		got, ok := ParseHex(s)
		want, err := hex.DecodeString(s)
		if ok != (err == nil) || ok && !slices.Equal(got, want) {
			t.Errorf("%q: %x %v, want %x %v", s, got, ok, want, err)
		}
	})
}
