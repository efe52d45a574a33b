package server

import (
	"testing"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

func TestS5_Destination(t *testing.T) {
	const yiaddr = "10.0.0.10"
	us := ip("10.0.0.1")
	raw := act.Dest{Addr: ip(yiaddr), Port: 68, Source: us, Raw: true, HW: [6]byte{2, 0, 0, 0, 0, 9}}
	all := act.Dest{Addr: dhcp4.Everyone, Port: 68, Source: us}
	to := func(a string, port uint16) act.Dest { return act.Dest{Addr: ip(a), Port: port, Source: us} }
	htype := func(m *dhcp4.Message) { m.Htype, m.Hlen = 32, 0 }
	other := func(m *dhcp4.Message) { m.Flags = ^dhcp4.Broadcast }
	nobody := func(m *dhcp4.Message) { m.Chaddr = [16]byte{} }
	group := func(m *dhcp4.Message) { m.Chaddr[0] = 1 }
	for _, c := range []struct {
		name  string
		reply dhcp4.Type
		msg   *dhcp4.Message
		local bool
		want  act.Dest
	}{
		{"OFFER, relayed", dhcp4.Offer, discover(9, giaddr("10.0.1.1")), false, to("10.0.1.1", 67)},
		{"OFFER, relayed, ciaddr and flag", dhcp4.Offer, discover(9, giaddr("10.0.1.1"), ciaddr("10.0.1.7"), flagged()), false, to("10.0.1.1", 67)},
		{"OFFER, ciaddr", dhcp4.Offer, discover(9, ciaddr("10.0.0.7")), true, to("10.0.0.7", 68)},
		{"OFFER, ciaddr and flag", dhcp4.Offer, discover(9, ciaddr("10.0.0.7"), flagged()), true, to("10.0.0.7", 68)},
		{"OFFER, flag", dhcp4.Offer, discover(9, flagged()), true, all},
		{"OFFER", dhcp4.Offer, discover(9), true, raw},
		{"OFFER, other bits of flags", dhcp4.Offer, discover(9, other), true, raw},
		{"OFFER, not an Ethernet", dhcp4.Offer, discover(9, htype), true, all},
		{"OFFER, chaddr zero", dhcp4.Offer, discover(9, nobody), true, all},
		{"OFFER, chaddr of a group", dhcp4.Offer, discover(9, group), true, all},
		{"BOOTP", dhcp4.BOOTP, from(9, dhcp4.BOOTP), true, raw},
		{"BOOTP, flag", dhcp4.BOOTP, from(9, dhcp4.BOOTP, flagged()), true, all},
		{"ACK, relayed", dhcp4.ACK, selecting(9, yiaddr, giaddr("10.0.1.1")), false, to("10.0.1.1", 67)},
		{"ACK, renewing", dhcp4.ACK, renewing(9, yiaddr), true, to(yiaddr, 68)},
		{"ACK, renewing, flag", dhcp4.ACK, renewing(9, yiaddr, flagged()), true, to(yiaddr, 68)},
		{"ACK, flag", dhcp4.ACK, selecting(9, yiaddr, flagged()), true, all},
		{"ACK", dhcp4.ACK, selecting(9, yiaddr), true, raw},
		{"ACK, inform", dhcp4.ACK, inform(9, "10.0.0.7"), true, to("10.0.0.7", 68)},
		{"ACK, inform, flag", dhcp4.ACK, inform(9, "10.0.0.7", flagged()), true, to("10.0.0.7", 68)},
		{"ACK, inform, relayed", dhcp4.ACK, inform(9, "10.0.1.7", giaddr("10.0.1.1")), false, to("10.0.1.7", 68)},
		{"NAK", dhcp4.NAK, initReboot(9, yiaddr), true, all},
		{"NAK, rebinding", dhcp4.NAK, renewing(9, yiaddr), true, all},
		{"NAK, relayed", dhcp4.NAK, initReboot(9, yiaddr, giaddr("10.0.1.1")), false, to("10.0.1.1", 67)},
		{"NAK, relayed, rebinding", dhcp4.NAK, renewing(9, yiaddr, giaddr("10.0.1.1")), false, to("10.0.1.1", 67)},
		{"NAK, renewing from behind a relay", dhcp4.NAK, renewing(9, "10.0.1.7"), false, to("10.0.1.7", 68)},
	} {
		var reply dhcp4.Message
		reply.Reset(dhcp4.BootReply)
		reply.Yiaddr = ip(yiaddr)
		if c.reply != dhcp4.BOOTP {
			reply.SetType(c.reply)
		}
		if got := destination(c.msg, &reply, us, c.local); got != c.want {
			t.Errorf("%s: to %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestS5_Relayed follows a client behind a relay through its life.
func TestS5_Relayed(t *testing.T) {
	w := newWorld(t, house, "10.0.1.20").sentTo("10.0.0.1")
	relay := giaddr("10.0.1.1")
	w.want(discover(9, relay), "hold 10.0.1.20; DHCPOFFER 10.0.1.20 to 10.0.1.1:67")
	w.want(selecting(9, "10.0.1.20", relay), "commit bound 10.0.1.20; DHCPACK 10.0.1.20 to 10.0.1.1:67")
	w.want(renewing(9, "10.0.1.20"), "commit bound 10.0.1.20; DHCPACK 10.0.1.20 to 10.0.1.20:68")
	w.table.Remove(ip("10.0.1.20"))
	nak := w.want(renewing(9, "10.0.1.20"), "refuse; DHCPNAK to 10.0.1.20:68")
	if nak.reply.Flags != 0 {
		t.Error("a NAK sent to the client itself is not a relay's to broadcast")
	}
	nak = w.want(initReboot(9, "10.0.1.20", relay), "refuse; DHCPNAK to 10.0.1.1:67")
	if nak.reply.Flags != dhcp4.Broadcast {
		t.Error("a relayed NAK without the broadcast flag")
	}
	nak = w.sentTo("255.255.255.255").want(initReboot(9, "10.0.1.20"), "refuse; DHCPNAK to 255.255.255.255:68")
	if nak.reply.Flags != 0 {
		t.Error("a NAK on the link with a flag that the client did not set")
	}
}

func TestS5_ServerIdentifier(t *testing.T) {
	for _, c := range []struct {
		name, addrs, to string
		msg             *dhcp4.Message
		want            string
	}{
		{"the interface's address", "10.0.0.1/24", "255.255.255.255", discover(9), "10.0.0.1"},
		{"the first on the client's network", "192.0.2.9/24 10.0.0.1/24 10.0.0.5/24", "255.255.255.255", discover(9), "10.0.0.1"},
		{"the first of two networks served", "10.0.1.1/24 10.0.0.1/24", "255.255.255.255", discover(9, requested("10.0.1.20")), "10.0.1.1"},
		{"the second of two networks served", "10.0.1.1/24 10.0.0.1/24", "255.255.255.255", discover(9, requested("10.0.0.20")), "10.0.0.1"},
		{"behind a relay", "10.0.0.1/24 10.0.0.5/24", "10.0.0.5", discover(9, giaddr("10.0.1.1")), "10.0.0.5"},
		{"behind a relay that broadcasts", "10.0.0.1/24 10.0.0.5/24", "255.255.255.255", discover(9, giaddr("10.0.1.1")), "10.0.0.1"},
		{"another interface's address, relayed", "10.0.0.1/24", "192.0.2.1", discover(9, giaddr("10.0.1.1")), "192.0.2.1"},
		{"another interface's address, relayed on this network", "10.0.0.1/24", "192.0.2.1", discover(9, giaddr("10.0.0.7")), "192.0.2.1"},
		{"the second on the client's network", "10.0.0.1/24 10.0.0.5/24", "10.0.0.5", inform(0x99, "10.0.0.7"), "10.0.0.1"},
		{"a DISCOVER that names another server", "10.0.0.1/24", "255.255.255.255", discover(9, serverID("10.0.0.7")), "10.0.0.1"},
		{"the one that the client names", "10.0.0.1/24", "255.255.255.255",
			from(9, dhcp4.Request, serverID("192.0.2.1"), requested("10.0.0.20")), "192.0.2.1"},
	} {
		w := newWorld(t, house, "10.0.0.20", "10.0.1.20").sentTo(c.to)
		w.site.Addrs = prefixes(c.addrs)
		a := w.ask(c.msg)
		if a.reply == nil {
			t.Errorf("%s: no reply: %s", c.name, a.did)
			continue
		}
		id, err := a.reply.Options.Addr(dhcp4.ServerID)
		if err != nil || id != ip(c.want) || a.send.To.Source != id {
			t.Errorf("%s: server identifier %v (%v), source %v, want %s", c.name, id, err, a.send.To.Source, c.want)
		}
	}
}

func TestS20_Network(t *testing.T) {
	const both = "10.0.0.1/24 10.0.1.1/24"
	relay := giaddr("10.0.1.1")
	for _, c := range []struct {
		name, addrs, to string
		msg             *dhcp4.Message
		want            string
	}{
		{"interface", "10.0.0.1/24", "255.255.255.255", discover(9), "10.0.0.20"},
		{"interface, sent to us", "10.0.0.1/24", "10.0.0.1", discover(9), "10.0.0.20"},
		{"interface, its first network", both, "255.255.255.255", discover(9), "10.0.0.20"},
		{"interface, its second network", both, "255.255.255.255", discover(9, requested("10.0.1.20")), "10.0.1.20"},
		{"interface without information", "192.0.2.1/24", "255.255.255.255", discover(9), ""},
		{"giaddr", "10.0.0.1/24", "10.0.0.1", discover(9, relay), "10.0.1.20"},
		{"giaddr without information", "10.0.0.1/24", "10.0.0.1", discover(9, giaddr("192.0.2.7")), ""},
		{"ciaddr, sent to us", "10.0.0.1/24", "10.0.0.1", discover(9, ciaddr("10.0.1.7")), "10.0.1.20"},
		{"ciaddr, broadcast", "10.0.0.1/24", "255.255.255.255", discover(9, ciaddr("10.0.1.7")), "10.0.0.20"},
		{"ciaddr, giaddr", "10.0.0.1/24", "10.0.0.1", discover(9, ciaddr("10.0.0.7"), relay), "10.0.1.20"},
		{"subnet selection", "10.0.0.1/24", "10.0.0.1", discover(9, subnet("10.0.0.0"), relay), "10.0.0.20"},
		{"subnet selection without information", "10.0.0.1/24", "10.0.0.1", discover(9, subnet("192.0.2.0"), relay), ""},
		{"subnet selection, malformed", "10.0.0.1/24", "10.0.0.1", discover(9, option(dhcp4.SubnetSelection, 10), relay), ""},
		{"link selection", "10.0.0.1/24", "10.0.0.1", discover(9, selects("10.0.0.0"), relay), "10.0.0.20"},
		{"link selection before subnet selection", "10.0.0.1/24", "10.0.0.1", discover(9, selects("10.0.0.0"), subnet("10.0.1.0"), relay), "10.0.0.20"},
		{"link selection without information", "10.0.0.1/24", "10.0.0.1", discover(9, selects("192.0.2.0"), relay), ""},
		{"link selection, malformed", "10.0.0.1/24", "10.0.0.1", discover(9, option(dhcp4.RelayAgent, 5, 1, 10), relay), ""},
		{"option 82 that is no sub-options", "10.0.0.1/24", "10.0.0.1", discover(9, text(dhcp4.RelayAgent, "port 7"), relay), "10.0.1.20"},
	} {
		w := newWorld(t, house, "10.0.0.20", "10.0.1.20").sentTo(c.to)
		w.site.Addrs = prefixes(c.addrs)
		got := ""
		if a := w.ask(c.msg); a.reply != nil {
			got = a.reply.Yiaddr.String()
		} else if a.did != "drop" || !a.relay {
			t.Errorf("%s: %s", c.name, a.did)
		}
		if got != c.want {
			t.Errorf("%s: offered %q, want %q", c.name, got, c.want)
		}
	}
}

// TestS20_SubnetSelectionEchoed: RFC 3011 section 2.
func TestS20_SubnetSelectionEchoed(t *testing.T) {
	w := newWorld(t, house, "10.0.1.20")
	a := w.ask(discover(9, giaddr("10.0.0.7"), subnet("10.0.1.0"), option(dhcp4.ParameterList, 1)))
	if got, err := a.reply.Options.Addr(dhcp4.SubnetSelection); err != nil || got != ip("10.0.1.0") {
		t.Errorf("subnet selection came back as %v (%v)", got, err)
	}
}

func subnet(a string) mod { return option(dhcp4.SubnetSelection, ip(a).AsSlice()...) }

func prefixes(s string) (list []netip.Prefix) {
	for _, p := range fields(s) {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}

// TestS1_NotServed: who is left without a netmask, as by its class, gets no
// answer.
func TestS1_NotServed(t *testing.T) {
	w := newWorld(t, house+"class bad { no netmask; };", "10.0.0.20")
	if a := w.ask(discover(9, text(dhcp4.ClassID, "bad one"))); a.reply != nil || w.count(noInformation) != 1 {
		t.Errorf("%s", a.did)
	}
	if a := w.ask(discover(9, text(dhcp4.ClassID, "good one"))); a.reply == nil {
		t.Errorf("%s", a.did)
	}
}
