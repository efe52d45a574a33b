package daemon

import (
	"testing"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// TestS5_R2_Broadcast: a broadcast leaves as a frame of ours to everyone on the
// client's network, octet for octet what the kernel would make of it; where that
// can't be, on what is no Ethernet and where it must be cut into fragments, the
// kernel has it.
func TestS5_R2_Broadcast(t *testing.T) {
	offer := new(dhcp4.Message)
	offer.Reset(dhcp4.BootReply)
	offer.SetType(dhcp4.Offer)
	written, _ := offer.Append(nil, 0)
	long := make([]byte, 1473)
	for _, c := range []struct {
		name string
		a    act.Action
		no   bool // Ethernet
		raw  bool
	}{
		{"a reply of the server", act.Action{Msg: offer, Limit: 1472}, false, true},
		{"one that is relayed", act.Action{Octets: written}, false, true},
		{"as long as it may be", act.Action{Octets: long[:1472]}, false, true},
		{"longer than a frame", act.Action{Octets: long}, false, false},
		{"no Ethernet", act.Action{Octets: written}, true, false},
	} {
		s, n, _ := newServing(t)
		n.link.Index, n.link.MTU, n.link.Ether, n.link.MAC = 7, 1500, !c.no, [6]byte{2, 0, 0, 0, 0, 1}
		c.a.Verb, c.a.To = act.Send, act.Dest{Addr: dhcp4.Everyone, Port: 68, Source: netip.MustParseAddr("10.0.0.1")}
		s.do(n, []act.Action{c.a})
		if list := s.direct.udp; !c.raw {
			if len(list) != 1 || len(s.direct.raw) != 0 || list[0].At(0).Index != 7 {
				t.Errorf("%s: %d datagrams, %d frames", c.name, len(list), len(s.direct.raw))
			}
			continue
		}
		if len(s.direct.raw) != 1 || len(s.direct.udp) != 0 {
			t.Errorf("%s: %d datagrams, %d frames", c.name, len(s.direct.udp), len(s.direct.raw))
			continue
		}
		m := s.direct.raw[0].At(0)
		d, err := ether.ParseUDPFrame(m.Data)
		if err != nil || m.Index != 7 || d.SrcMAC != n.link.MAC || d.DstMAC != ether.Broadcast {
			t.Errorf("%s: from %v to %v by %d, %v", c.name, d.SrcMAC, d.DstMAC, m.Index, err)
		}
		want := c.a.Octets
		if want == nil {
			want = written
		}
		if d.Src.String() != "10.0.0.1:67" || d.Dst.String() != "255.255.255.255:68" || string(d.Payload) != string(want) {
			t.Errorf("%s: %v to %v, %d octets", c.name, d.Src, d.Dst, len(d.Payload))
		}
	}
}
