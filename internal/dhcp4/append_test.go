package dhcp4

import (
	"bytes"
	"testing"
)

func TestS11_OverloadThenLeftOut(t *testing.T) {
	var m, got Message
	for _, size := range []int{0, 40, 255, 256, 300, 450, 600, 1200} {
		for limit := MinLimit; limit < 1500; limit += 37 {
			m.Reset(BootReply)
			m.SetType(ACK)
			m.Options.Put(RelayAgent, []byte("\x01\x03abc"))
			m.Options.PutUint32(LeaseTime, 3600)
			m.Options.Put(43, bytes.Repeat([]byte{7}, size))
			m.Options.PutText(DomainName, "example.com")
			b, out := m.Append(nil, limit)
			if len(b) > limit || len(b) < MinSize {
				t.Fatalf("size %d, limit %d: message of %d octets", size, limit, len(b))
			}
			if err := got.Parse(b); err != nil {
				t.Fatalf("size %d, limit %d: %v", size, limit, err)
			}
			for c, v := range m.Options.All() {
				if out.Has(c) == got.Options.Has(c) || !out.Has(c) && !bytes.Equal(v, got.Options.Get(c)) {
					t.Errorf("size %d, limit %d: option %d has %d octets, want %d, left out %v", size, limit, c, len(got.Options.Get(c)), len(v), out.Has(c))
				}
			}
		}
	}
}
