package daemon

import (
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/relay"
)

// newRelayer returns a service that relays for its network, eth0, to a server
// behind another one.
func newRelayer(t *testing.T) (*service, *network) {
	s, n, _ := newServing(t)
	n.link.Index, n.addr = 7, netip.MustParsePrefix("10.0.0.1/24")
	n.plan.Relay = []netip.Addr{netip.MustParseAddr("192.0.2.1")}
	n.site.Ours = func(netip.Addr) bool { return false }
	n.relay = relay.Network{If: "eth0", Index: 7, Addr: n.addr, Addrs: []netip.Prefix{n.addr}, Ours: n.site.Ours,
		Settings: relay.Settings{Servers: n.plan.Relay, Circuit: []byte("eth0"), Remote: n.link.MAC[:]}}
	n.relay.Prepare()
	s.d.nets[7] = n
	s.nets.Reset([]*relay.Network{&n.relay})
	return s, n
}

// relayMessage is a message as it comes in on eth0.
func relayMessage(op dhcp4.Op, typ dhcp4.Type, change func(m *dhcp4.Message)) *link.Msg {
	m := new(dhcp4.Message)
	m.Reset(op)
	m.Htype, m.Hlen, m.Xid, m.Chaddr = dhcp4.HtypeEther, 6, 1, [16]byte{2, 0, 0, 0, 0, 99}
	m.SetType(typ)
	change(m)
	b, _ := m.Append(nil, 0)
	return &link.Msg{Data: b, Index: 7, From: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), 67),
		To: netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), 67)}
}

// TestR1_R2_R6_NoAllocation: all the way from the message as it came to the one
// that is ready to leave, and into the table of who has what, a relayed message
// costs no memory.
func TestR1_R2_R6_NoAllocation(t *testing.T) {
	s, _ := newRelayer(t)
	reply := func(flags uint16) func(m *dhcp4.Message) {
		return func(m *dhcp4.Message) {
			m.Giaddr, m.Yiaddr, m.Flags = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.50"), flags
			m.Options.PutUint32(dhcp4.LeaseTime, 600)
			m.Options.PutAddr(dhcp4.ServerID, netip.MustParseAddr("192.0.2.1"))
			m.Options.Put(dhcp4.RelayAgent, []byte("\x01\x04eth0\x02\x06\x02\x00\x00\x00\x00\x01"))
		}
	}
	for _, c := range []struct {
		name     string
		m        *link.Msg
		udp, raw int
	}{
		{"a request", relayMessage(dhcp4.BootRequest, dhcp4.Discover, func(m *dhcp4.Message) {}), 1, 0},
		{"one that another relay has passed on", relayMessage(dhcp4.BootRequest, dhcp4.Request,
			func(m *dhcp4.Message) { m.Giaddr = netip.MustParseAddr("10.7.0.1") }), 1, 0},
		{"an ACK", relayMessage(dhcp4.BootReply, dhcp4.ACK, reply(0)), 0, 1},
		{"an ACK to all", relayMessage(dhcp4.BootReply, dhcp4.ACK, reply(dhcp4.Broadcast)), 0, 1},
	} {
		pass := func() {
			s.answer(c.m)
			if udp, raw := replies(&s.direct), len(s.direct.raw); udp != c.udp || raw != c.raw {
				t.Fatalf("%s: %d datagrams and %d batches of frames leave", c.name, udp, raw)
			}
			s.discard(&s.direct)
		}
		pass() // the first one of each makes room
		if n := testing.AllocsPerRun(100, pass); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
	if r, ok := s.table.ByAddr(netip.MustParseAddr("10.0.0.50")); !ok || r.Via != "eth0" {
		t.Errorf("the lease is not noted: %+v", r)
	}
}
