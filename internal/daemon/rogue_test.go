package daemon

import (
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// TestS18_Watch: in a pause the service wakes up to ask whether the other server
// is still there, and forgets the pause of a network that has gone.
func TestS18_Watch(t *testing.T) {
	d, n, _ := newDaemon(t, "")
	s := d.service
	s.table = pool.NewTable()
	n.addr = netip.MustParsePrefix("10.0.0.1/24")
	n.link.MTU, n.link.MAC = 1500, ether.MAC{2, 1}
	n.plan.Server, n.site.Settings.Server, n.site.Settings.RoguePause = true, true, true
	n.refreshSite(d)
	offer := func() {
		m := new(dhcp4.Message)
		m.Reset(dhcp4.BootReply)
		m.SetType(dhcp4.Offer)
		s.do(n, s.core.Heard(d.now, d.cfg, &n.site, s.table, netip.MustParseAddr("10.0.0.7"), ether.MAC{2, 7}, m))
	}
	offer()
	for asked := range uint64(3) {
		at := s.wake()
		if wait := at.Sub(d.now); wait <= 0 || wait > 20*time.Second {
			t.Fatalf("wakes up after %v", wait)
		}
		s.watch()
		if got := d.count.sent[dhcp4.Discover]; got != asked {
			t.Errorf("asked %d times before it was time for the one after %d", got, asked)
		}
		d.now = at
		s.watch()
	}
	b := s.direct.raw[0]
	u, err := ether.ParseUDPFrame(b.At(0).Data)
	if b.Len() != 3 || b.At(0).Index != n.link.Index || err != nil || u.SrcMAC != n.link.MAC || u.DstMAC != ether.Broadcast ||
		u.Src.Addr() != netip.IPv4Unspecified() || u.Dst.Addr() != dhcp4.Everyone || dhcp4.PeekType(u.Payload) != dhcp4.Discover {
		t.Errorf("%d frames; %+v (%v)", b.Len(), u, err)
	}
	delete(d.nets, n.link.Index)
	d.now = s.wake()
	s.watch()
	if o, _ := s.core.Pausing(); o != nil || !s.wake().IsZero() || d.count.sent[dhcp4.Discover] != 3 {
		t.Errorf("still pauses for %v", o)
	}
	d.nets[n.link.Index] = n
	offer()
	n.plan.Server = false // by a reload
	d.now = s.wake()
	if s.watch(); !s.wake().IsZero() {
		t.Error("pauses where it does not serve")
	}
}
