package client

import (
	"slices"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

func quad(n uint32) []byte { return []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)} }

// TestC7_Times: options 58 and 59 if they make sense, else 1/2 and 7/8.
func TestC7_Times(t *testing.T) {
	t1 := func(n uint32) func(*dhcp4.Message) { return with(dhcp4.RenewalTime, quad(n)...) }
	t2 := func(n uint32) func(*dhcp4.Message) { return with(dhcp4.RebindingTime, quad(n)...) }
	const hour = 3600
	for _, c := range []struct {
		name        string
		change      []func(*dhcp4.Message)
		t1, t2, end float64 // seconds
	}{
		{"default", nil, 1800, 3150, hour},
		{"given", []func(*dhcp4.Message){t1(100), t2(200)}, 100, 200, hour},
		{"T1 alone", []func(*dhcp4.Message){t1(100)}, 100, 3150, hour},
		{"T2 alone", []func(*dhcp4.Message){t2(2000)}, 1800, 2000, hour},
		{"T1 over default T2", []func(*dhcp4.Message){t1(3200)}, 1800, 3150, hour},
		{"equal", []func(*dhcp4.Message){t1(200), t2(200)}, 1800, 3150, hour},
		{"reversed", []func(*dhcp4.Message){t1(300), t2(200)}, 1800, 3150, hour},
		{"T2 the lease", []func(*dhcp4.Message){t1(300), t2(hour)}, 1800, 3150, hour},
		{"T1 zero", []func(*dhcp4.Message){t1(0), t2(200)}, 1800, 3150, hour},
		{"infinite T2", []func(*dhcp4.Message){t1(300), t2(dhcp4.Infinite)}, 1800, 3150, hour},
		{"malformed", []func(*dhcp4.Message){with(dhcp4.RenewalTime, 1), with(dhcp4.RebindingTime)},
			1800, 3150, hour},
		{"odd", []func(*dhcp4.Message){lasting(1)}, 0.5, 0.875, 1},
		{"longest", []func(*dhcp4.Message){lasting(dhcp4.Infinite - 1)},
			2147483647, 3758096382.25, 4294967294},
	} {
		l, err := NewLease(reply(dhcp4.ACK, 1, c.change...), t0)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := [3]float64{l.T1.Sub(t0).Seconds(), l.T2.Sub(t0).Seconds(), l.End.Sub(t0).Seconds()}
		if got != [3]float64{c.t1, c.t2, c.end} {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestC7_Infinite: no timers at all.
func TestC7_Infinite(t *testing.T) {
	r := newRig(t).reach(Requesting)
	r.at(2).got(reply(dhcp4.ACK, 1, lasting(dhcp4.Infinite),
		with(dhcp4.RenewalTime, quad(10)...), with(dhcp4.RebindingTime, quad(20)...)))
	if r.s.Forever() {
		t.Error("done before the second announcement")
	}
	r.same(r.wakeWhenDue(2), "announce 10.0.0.5")
	r.is(Bound, -1)
	if !r.s.Forever() || r.s.Frames() || !r.s.Lease.Infinite() {
		t.Errorf("%+v", r.s)
	}
	r.same(r.at(1e9).wake(3))
	r.do(Event{Kind: LinkDown})
	r.is(InitReboot, -1)
	if !r.s.Forever() {
		t.Error("a carrier's loss ends an infinite lease")
	}
}

// TestC6_Halving: unicast from T1 on, broadcast from T2, half of what is left
// of each, 60 s at least; then the end.
func TestC6_Halving(t *testing.T) {
	r := newRig(t).reach(Bound)
	const renew = " to 10.0.0.1 from 10.0.0.5"
	const rebind = " to 255.255.255.255 from 10.0.0.5"
	for i, c := range []struct {
		at   float64 // from the REQUEST: T1 1800, T2 3150, end 3600
		line string
	}{
		{1800, "DHCPREQUEST xid 0 secs 0" + renew},
		{2475, "DHCPREQUEST xid 1 secs 675" + renew},
		{2812.5, "DHCPREQUEST xid 2 secs 1012" + renew},
		{2981.25, "DHCPREQUEST xid 3 secs 1181" + renew},
		{3065.625, "DHCPREQUEST xid 4 secs 1265" + renew},
		{3125.625, "DHCPREQUEST xid 5 secs 1325" + renew}, // 60 s, not 42
		{3150, "DHCPREQUEST xid 6 secs 1350" + rebind},    // less than 60 s left
		{3375, "DHCPREQUEST xid 7 secs 1575" + rebind},
		{3487.5, "DHCPREQUEST xid 8 secs 1687" + rebind},
		{3547.5, "DHCPREQUEST xid 9 secs 1747" + rebind},
	} {
		if got := r.s.Wake.Sub(t0).Seconds(); got != 1+c.at {
			t.Fatalf("REQUEST %d at %v, not %v", i, got-1, c.at)
		}
		r.same(r.wakeWhenDue(uint32(i)), c.line)
	}
	r.is(Rebinding, 3601)
	r.same(r.wakeWhenDue(0xa), "log: The lease of 10.0.0.5 has ended",
		"unconfigure 10.0.0.5/24", "forget", "DHCPDISCOVER xid a secs 0"+toAll)
	r.is(Selecting, 3605)
}

// TestC6_Renewed: the lease counts anew from the REQUEST that was answered,
// not from the first one, and answers to earlier ones don't count.
func TestC6_Renewed(t *testing.T) {
	r := newRig(t).reach(Renewing)
	r.wakeWhenDue(3) // at 2476
	r.same(r.got(reply(dhcp4.ACK, 2)), "drop: xid is not ours")
	r.same(r.got(reply(dhcp4.ACK, 3, from(second))),
		"drop: server identifier is not that of the server asked")
	r.same(r.at(2480).got(reply(dhcp4.ACK, 3)),
		"configure 10.0.0.5/24 in place of 10.0.0.5/24", "save 10.0.0.5/24")
	r.is(Bound, 2476+1800)
	r.same(r.got(reply(dhcp4.ACK, 3)), "drop: DHCPACK that answers no DHCPREQUEST of ours")
}

// TestC6_Rebound: any server may answer a rebinding, and is asked from then on.
func TestC6_Rebound(t *testing.T) {
	r := newRig(t).reach(Rebinding)
	r.same(r.got(reply(dhcp4.ACK, 2, from(second))),
		"configure 10.0.0.5/24 in place of 10.0.0.5/24", "save 10.0.0.5/24")
	r.same(r.wakeWhenDue(3), "DHCPREQUEST xid 3 secs 0 to 10.0.0.2 from 10.0.0.5")
}

// TestC6_LateWake: after a suspend one Step does the right thing.
func TestC6_LateWake(t *testing.T) {
	for _, c := range []struct {
		from Phase
		at   float64
		want Phase
		wake float64
	}{
		{Bound, 1801, Renewing, 2476},
		{Bound, 3151, Rebinding, 3376},
		{Bound, 3590, Rebinding, 3601},
		{Bound, 3601, Selecting, 3605},
		{Bound, 1e9, Selecting, 1e9 + 4},
		{Renewing, 3200, Rebinding, 3400.5},
		{Renewing, 1e9, Selecting, 1e9 + 4},
		{Rebinding, 1e9, Selecting, 1e9 + 4},
		{Requesting, 1e9, Selecting, 1e9 + 4},
		{Selecting, 1e9, Selecting, 1e9 + 8}, // its second DISCOVER
		{Rebooting, 3599, Rebinding, 3601},
		{Rebooting, 1e9, Selecting, 1e9 + 4},
		{InitReboot, 1e9, Init, -1},
	} {
		r := newRig(t).reach(c.from)
		r.at(c.at).wake(3)
		if c.from == Rebooting && c.want == Rebinding {
			r.s.announce = time.Time{} // it would come first
			r.s.Wake = r.s.due
		}
		r.is(c.want, c.wake)
	}
}

// TestC6_Possessive: the address stays, and is asked for, while DISCOVERs go on.
func TestC6_Possessive(t *testing.T) {
	r := newRig(t)
	r.s.Config.Possessive = true
	r.reach(Rebinding)
	s, acts := Step(r.at(3601).now, r.s, Event{Kind: Wake, Rand: even(7)})
	r.s = s
	r.same(script(acts), "log: The lease of 10.0.0.5 has ended; the address is kept",
		"DHCPDISCOVER xid 7 secs 0"+toAll)
	if want, _ := sent(acts)[0].Options.Addr(dhcp4.RequestedAddress); want != addr {
		t.Errorf("it asks for %v", want)
	}
	if !r.s.Held || r.s.Watched() != addr {
		t.Error("the address is gone")
	}
	r.same(r.got(reply(dhcp4.Offer, 7, giving(other))), "probe 10.0.0.6",
		"DHCPREQUEST xid 7 secs 0"+toAll)
	r.same(r.got(reply(dhcp4.ACK, 7, giving(other))),
		"configure 10.0.0.6/24 in place of 10.0.0.5/24", "save 10.0.0.6/24", "announce 10.0.0.6")
}

// TestC6_PossessiveRefused: a NAK or conflict about another address leaves the
// kept one alone; one about the kept address itself doesn't.
func TestC6_PossessiveRefused(t *testing.T) {
	begin := func(a netip.Addr) *rig {
		r := newRig(t)
		r.s.Config.Possessive = true
		r.reach(Rebinding).at(3601).wake(7)
		r.got(reply(dhcp4.Offer, 7, giving(a)))
		return r
	}
	r := begin(other)
	r.same(r.got(reply(dhcp4.NAK, 7)), "log: Got a NAK from 10.0.0.1",
		"DHCPDISCOVER xid 99 secs 0"+toAll)
	r = begin(addr)
	r.same(r.got(reply(dhcp4.NAK, 7)), "log: Got a NAK from 10.0.0.1",
		"unconfigure 10.0.0.5/24", "forget", "DHCPDISCOVER xid 99 secs 0"+toAll)
	r = begin(addr)
	r.do(Event{Kind: Conflict, MAC: theirs})
	r.same(r.got(reply(dhcp4.ACK, 7)), "DHCPDECLINE xid 99 secs 0"+toAll,
		"unconfigure 10.0.0.5/24", "forget")
}

// TestC11_Lease: what is read out of an ACK.
func TestC11_Lease(t *testing.T) {
	gw := func(a ...netip.Addr) []netip.Addr { return a }
	for _, c := range []struct {
		name    string
		change  []func(*dhcp4.Message)
		net     string
		sound   bool // the netmask
		gateway []netip.Addr
		mtu     int
	}{
		{"plain", nil, "10.0.0.5/24", true, gw(server), 0},
		{"no mask, class A", []func(*dhcp4.Message){without(dhcp4.Netmask)}, "10.0.0.5/8", true, gw(server), 0},
		{"no mask, class B", []func(*dhcp4.Message){without(dhcp4.Netmask),
			giving(netip.MustParseAddr("172.16.3.4"))}, "172.16.3.4/16", true, gw(server), 0},
		{"no mask, class C", []func(*dhcp4.Message){without(dhcp4.Netmask),
			giving(netip.MustParseAddr("192.168.3.4"))}, "192.168.3.4/24", true, gw(server), 0},
		{"mask with holes", []func(*dhcp4.Message){with(dhcp4.Netmask, 255, 0, 255, 0)}, "10.0.0.5/8", false, gw(server), 0},
		{"mask of zero", []func(*dhcp4.Message){with(dhcp4.Netmask, 0, 0, 0, 0)}, "10.0.0.5/8", false, gw(server), 0},
		{"mask upside down", []func(*dhcp4.Message){with(dhcp4.Netmask, 0, 0, 0, 255)}, "10.0.0.5/8", false, gw(server), 0},
		{"mask cut short", []func(*dhcp4.Message){with(dhcp4.Netmask, 255, 255)}, "10.0.0.5/8", false, gw(server), 0},
		{"host mask", []func(*dhcp4.Message){with(dhcp4.Netmask, 255, 255, 255, 255)}, "10.0.0.5/32", true, gw(server), 0},
		{"no gateway", []func(*dhcp4.Message){without(dhcp4.Router)}, "10.0.0.5/24", true, nil, 0},
		{"gateways", []func(*dhcp4.Message){with(dhcp4.Router, 0, 0, 0, 0, 10, 0, 0, 2, 224, 0, 0, 1, 10, 0, 0, 1)},
			"10.0.0.5/24", true, gw(second, server), 0},
		{"gateway malformed", []func(*dhcp4.Message){with(dhcp4.Router, 10, 0, 0)}, "10.0.0.5/24", true, nil, 0},
		{"MTU", []func(*dhcp4.Message){with(dhcp4.InterfaceMTU, 5, 0xd4)}, "10.0.0.5/24", true, gw(server), 1492},
		{"least MTU", []func(*dhcp4.Message){with(dhcp4.InterfaceMTU, 2, 0x40)}, "10.0.0.5/24", true, gw(server), 576},
		{"MTU that cuts us off", []func(*dhcp4.Message){with(dhcp4.InterfaceMTU, 2, 0x3f)}, "10.0.0.5/24", true, gw(server), 0},
		{"MTU legal", []func(*dhcp4.Message){with(dhcp4.InterfaceMTU, 0, 68)}, "10.0.0.5/24", true, gw(server), 0},
		{"MTU illegal", []func(*dhcp4.Message){with(dhcp4.InterfaceMTU, 0, 67)}, "10.0.0.5/24", true, gw(server), 0},
		{"first of two", []func(*dhcp4.Message){with(dhcp4.Netmask, 255, 255, 255, 254),
			giving(netip.MustParseAddr("10.0.0.6"))}, "10.0.0.6/31", true, gw(server), 0},
		{"last of two", []func(*dhcp4.Message){with(dhcp4.Netmask, 255, 255, 255, 254)}, "10.0.0.5/31", true, gw(server), 0},
		{"in the middle of its subnet", []func(*dhcp4.Message){with(dhcp4.Netmask, 255, 255, 0, 0),
			giving(netip.MustParseAddr("10.0.1.0"))}, "10.0.1.0/16", true, gw(server), 0},
		{"MTU malformed", []func(*dhcp4.Message){with(dhcp4.InterfaceMTU, 5)}, "10.0.0.5/24", true, gw(server), 0},
	} {
		msg := reply(dhcp4.ACK, 1, c.change...)
		l, err := NewLease(msg, t0)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		_, sound := network(msg)
		if l.Net.String() != c.net || sound != c.sound || !slices.Equal(l.Gateway, c.gateway) ||
			l.MTU != c.mtu || l.Server != server || l.Start != t0 {
			t.Errorf("%s: %+v, mask sound: %v", c.name, l, sound)
		}
	}
}

// TestC11_BadMask: the log hears of a netmask that isn't taken.
func TestC11_BadMask(t *testing.T) {
	r := newRig(t).reach(Requesting)
	r.same(r.got(reply(dhcp4.ACK, 1, with(dhcp4.Netmask, 255, 0, 255, 0)))[:2],
		"log: The netmask of 10.0.0.5 from 10.0.0.1 makes no sense; taking 10.0.0.5/8",
		"configure 10.0.0.5/8")
	r.at(1802).wake(2)
	r.same(r.got(reply(dhcp4.ACK, 2, with(dhcp4.Netmask, 255, 0, 255, 0))), // and no more of it
		"configure 10.0.0.5/8 in place of 10.0.0.5/8", "save 10.0.0.5/8")
}

// TestC10_BadReplies: OFFERs and ACKs that are not believed, and why.
func TestC10_BadReplies(t *testing.T) {
	host := func(s string) netip.Addr { return netip.MustParseAddr(s) }
	const noServer = "no server identifier, or not a host's address"
	const noYiaddr = "yiaddr is not a host's address"
	const edge = "yiaddr is the network or broadcast address of its subnet"
	const noTime = "no lease time, or a malformed one"
	for _, c := range []struct {
		change func(*dhcp4.Message)
		why    string
	}{
		{func(m *dhcp4.Message) { m.Op = dhcp4.BootRequest }, "op is not BOOTREPLY"},
		{func(m *dhcp4.Message) { m.Xid++ }, "xid is not ours"},
		{func(m *dhcp4.Message) { m.Chaddr[5]++ }, "chaddr is not ours"},
		{func(m *dhcp4.Message) { m.Hlen = 0 }, "chaddr is not ours"},
		{func(m *dhcp4.Message) { m.Hlen = 16 }, "chaddr is not ours"},
		{func(m *dhcp4.Message) { m.Htype = 6 }, "chaddr is not ours"},
		{with(dhcp4.ClientID), "client identifier is not ours"},
		{with(dhcp4.ClientID, 1, 2, 0, 0, 0, 0, 2), "client identifier is not ours"},
		{without(dhcp4.ServerID), noServer},
		{with(dhcp4.ServerID, 10, 0, 0), noServer},
		{from(noAddr), noServer},
		{from(host("255.255.255.255")), noServer},
		{giving(noAddr), noYiaddr},
		{giving(host("0.0.0.1")), noYiaddr},
		{giving(host("127.0.0.1")), noYiaddr},
		{giving(host("224.0.0.1")), noYiaddr},
		{giving(host("255.255.255.255")), noYiaddr},
		{giving(host("10.0.0.0")), edge},
		{giving(host("10.0.0.255")), edge},
		{both(giving(host("10.0.0.7")), with(dhcp4.Netmask, 255, 255, 255, 252)), edge},
		{both(giving(host("10.0.0.4")), with(dhcp4.Netmask, 255, 255, 255, 252)), edge},
		{both(giving(host("10.255.255.255")), without(dhcp4.Netmask)), edge},
		{without(dhcp4.LeaseTime), noTime},
		{with(dhcp4.LeaseTime, 0, 0, 14), noTime},
		{with(dhcp4.LeaseTime, 0, 0, 0, 14, 16), noTime},
		{lasting(0), noTime},
	} {
		for _, x := range []struct {
			phase Phase
			typ   dhcp4.Type
			xid   uint32
		}{{Selecting, dhcp4.Offer, 1}, {Requesting, dhcp4.ACK, 1}, {Rebooting, dhcp4.ACK, 2},
			{Renewing, dhcp4.ACK, 2}, {Rebinding, dhcp4.ACK, 2}} {
			r := newRig(t).reach(x.phase)
			before := r.s
			r.same(r.got(reply(x.typ, x.xid, c.change)), "drop: "+c.why)
			if r.s != before {
				t.Errorf("%v in %v, %s: the state has changed", x.typ, x.phase, c.why)
			}
		}
	}
}

// TestC10_ForeignAck: right in all but whose or what it is.
func TestC10_ForeignAck(t *testing.T) {
	r := newRig(t).reach(Requesting)
	r.same(r.got(reply(dhcp4.ACK, 1, from(second))),
		"drop: server identifier is not that of the server asked")
	r.same(r.got(reply(dhcp4.ACK, 1, giving(other))), "drop: yiaddr is not the address asked for")
	r.is(Requesting, 5)
}

// TestC10_LeaseKeepsItsAck: the message that was read may be reused.
func TestC10_LeaseKeepsItsAck(t *testing.T) {
	msg := reply(dhcp4.ACK, 1, with(dhcp4.DomainName, []byte("example")...))
	l, err := NewLease(msg, t0)
	if err != nil {
		t.Fatal(err)
	}
	msg.Options.Put(dhcp4.DomainName, []byte("changed"))
	msg.Reset(dhcp4.BootRequest)
	if name, _ := l.ACK.Options.Text(dhcp4.DomainName); name != "example" || l.ACK.Yiaddr != addr {
		t.Errorf("the kept ACK has %q, %v", name, l.ACK.Yiaddr)
	}
}

// TestD1_Levels: the times of the test levels 3 to 5 as they show.
func TestD1_Levels(t *testing.T) {
	for _, c := range []struct {
		times  Times // in seconds
		phases []Phase
		at     []float64
	}{
		{Times{60, 120, 180}, []Phase{Renewing, Rebinding, Selecting}, []float64{60, 120, 180}},
		{Times{60, 60, 120}, []Phase{Rebinding, Selecting}, []float64{60, 120}},
		{Times{60, 60, 60}, []Phase{Selecting}, []float64{60}},
	} {
		for _, seconds := range []uint32{10, 86400, dhcp4.Infinite} {
			r := newRig(t)
			r.s.Config.Times = Times{c.times.T1 * time.Second, c.times.T2 * time.Second, c.times.Lease * time.Second}
			r.reach(Requesting).got(reply(dhcp4.ACK, 1, lasting(seconds)))
			r.wakeWhenDue(1) // announcement
			for i, p := range c.phases {
				r.wakeWhenDue(2)
				if r.s.Phase != p || r.elapsed() != 1+c.at[i] {
					t.Errorf("%v: %v at %v s", c.times, r.s.Phase, r.elapsed()-1)
				}
			}
		}
	}
}
