package client

import (
	"bytes"
	"testing"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
)

// configured is a client in SELECTING, xid 1, with a configuration.
func configured(t *testing.T, c Config) *rig {
	r := newRig(t)
	c.MAC = ours
	r.s.Config = &c
	r.start(1)
	return r
}

// does takes a step and returns its messages.
func (r *rig) does(e Event) []*dhcp4.Message {
	next, acts := Step(r.now, r.s, e)
	r.s = next
	return sent(acts)
}

func bootp(change ...func(*dhcp4.Message)) *dhcp4.Message {
	return reply(dhcp4.BOOTP, 1, append(change, without(dhcp4.LeaseTime))...)
}

// TestC13_BOOTP: a reply without DHCP in it is a lease without end, after a
// second of silence.
func TestC13_BOOTP(t *testing.T) {
	r := configured(t, Config{})
	r.at(1)
	for _, bad := range []*dhcp4.Message{
		reply(dhcp4.BOOTP, 1), // with a lease time
		bootp(from(server)),
		bootp(giving(noAddr)), bootp(giving(dhcp4.Everyone)), bootp(func(m *dhcp4.Message) { m.Xid = 2 }),
	} {
		r.got(bad)
		r.is(Selecting, 4)
	}
	r.same(r.got(bootp(without(dhcp4.Netmask))), "probe 10.0.0.5")
	r.is(Probing, 2)
	r.same(r.wakeWhenDue(2), "configure 10.0.0.5/8", "save 10.0.0.5/8", "announce 10.0.0.5")
	r.wakeWhenDue(2)
	if !r.s.Forever() {
		t.Errorf("the lease ends: %+v", r.s.Lease)
	}
}

// TestC13_OfferWins: an OFFER within that second is taken.
func TestC13_OfferWins(t *testing.T) {
	r := configured(t, Config{})
	r.at(1).got(bootp())
	r.same(r.at(1.5).got(reply(dhcp4.Offer, 1, giving(other))), "probe 10.0.0.6", "DHCPREQUEST xid 1 secs 0"+toAll)
}

// TestC13_Conflict: nobody is there to be told.
func TestC13_Conflict(t *testing.T) {
	r := configured(t, Config{})
	r.at(1).got(bootp())
	r.same(r.do(used), "log: 10.0.0.5 is already in use by 02:00:00:00:00:09")
	r.is(Init, 11)
}

// TestC14_Inform: asked until there is an answer; the address stays.
func TestC14_Inform(t *testing.T) {
	r := newRig(t)
	r.s.Config.Inform = true
	there := &act.Lease{Net: lease(t0).Net}
	r.same(r.do(Event{Kind: Start, Lease: there, Held: true, Rand: even(1)}), "DHCPINFORM xid 1 secs 0 to 255.255.255.255 from 10.0.0.5")
	r.is(Informing, 4)
	r.same(r.wakeWhenDue(2), "DHCPINFORM xid 1 secs 4 to 255.255.255.255 from 10.0.0.5")
	r.same(r.got(reply(dhcp4.ACK, 1, without(dhcp4.ServerID))), "drop: no server identifier, or not a host's address")
	r.same(r.got(reply(dhcp4.NAK, 1)), "drop: DHCPNAK that answers no DHCPREQUEST of ours")
	r.same(r.got(reply(dhcp4.ACK, 1, giving(noAddr), without(dhcp4.LeaseTime))),
		"configure 10.0.0.5/24 in place of 10.0.0.5/24", "save 10.0.0.5/24")
	r.is(Bound, -1)
	if l := r.s.Lease; !r.s.Forever() || l.Net != there.Net || len(l.Gateway) != 1 || l.Server != server {
		t.Errorf("%+v", l)
	}
	r.same(r.do(used)) // whose address it is is not for us to say
	r.do(Event{Kind: LinkDown})
	r.same(r.at(50).do(Event{Kind: LinkUp, Rand: even(3)}), "DHCPINFORM xid 3 secs 0 to 255.255.255.255 from 10.0.0.5")
}

// TestC15_Release: at the end the lease is given back, and the address goes.
func TestC15_Release(t *testing.T) {
	for p := Init; p <= Rebinding; p++ {
		r := newRig(t).reach(p)
		r.s.Config.Release = true
		got := r.do(Event{Kind: Leave, Rand: even(5)})
		switch p {
		case Bound, Renewing, Rebinding, Rebooting:
			r.same(got, "DHCPRELEASE xid 5 secs 0 to 10.0.0.1 from 10.0.0.5", "unconfigure 10.0.0.5/24", "forget")
		case InitReboot:
			r.same(got, "unconfigure 10.0.0.5/24", "forget")
		default:
			r.same(got)
		}
		if r.s.Held && p != Informing || r.s.Running {
			t.Errorf("%v: %+v", p, r.s)
		}
	}
	r := newRig(t).reach(Bound)
	r.same(r.do(Event{Kind: Leave}))
	r.is(Bound, -1)
}

// TestC16_Rapid: an ACK with option 80 to a DISCOVER with option 80; the lease
// counts from that, and somebody else's answer has a tenth of a second.
func TestC16_Rapid(t *testing.T) {
	commit := with(dhcp4.RapidCommit)
	r := configured(t, Config{})
	r.same(r.got(reply(dhcp4.ACK, 1, commit)), "drop: DHCPACK that answers no DHCPREQUEST of ours")
	r = newRig(t)
	r.s.Config.Rapid = true
	if m := r.does(Event{Kind: Start, Rand: even(1)})[0]; !m.Options.Has(dhcp4.RapidCommit) {
		t.Error("no option 80")
	}
	r.same(r.got(reply(dhcp4.ACK, 1)), "drop: DHCPACK that answers no DHCPREQUEST of ours")
	r.same(r.at(5).got(reply(dhcp4.ACK, 1, commit)), "probe 10.0.0.5")
	asked := r.s
	r.is(Probing, 5.1)
	r.same(r.wakeWhenDue(2), "configure 10.0.0.5/24", "save 10.0.0.5/24", "announce 10.0.0.5")
	if r.s.Lease.Start != t0 {
		t.Errorf("the lease counts from %v", r.s.Lease.Start)
	}
	r.s = asked
	r.same(r.do(used), "log: 10.0.0.5 offered by 10.0.0.1 is already in use by 02:00:00:00:00:09",
		"DHCPDECLINE xid 0 secs 0"+toAll)
	r.s = asked
	r.s.Phase, r.s.pending = Selecting, nil
	r.same(r.got(reply(dhcp4.Offer, 1)), "probe 10.0.0.5", "DHCPREQUEST xid 1 secs 0"+toAll)
}

// TestC16_IPv6Only: no address for as long as the server says, five minutes at
// least, or until the link was gone.
func TestC16_IPv6Only(t *testing.T) {
	says := func(v ...byte) func(*dhcp4.Message) { return with(dhcp4.IPv6Only, v...) }
	const text = "debug: 10.0.0.1 says that this network does without IPv4; waiting "
	r := configured(t, Config{})
	r.got(reply(dhcp4.Offer, 1, says(0, 0, 0, 0))) // not asked for
	r.is(Requesting, 4)
	for _, c := range []struct {
		value []byte
		wait  float64
		text  string
	}{{[]byte{0, 0, 0, 0}, 300, "300 s"}, {[]byte{0, 0, 4, 0}, 1024, "1024 s"}} {
		r := configured(t, Config{IPv6Only: true})
		r.same(r.got(reply(dhcp4.Offer, 1, giving(noAddr), says(c.value...))), text+c.text)
		r.is(Init, c.wait)
		r.do(Event{Kind: LinkDown})
		r.same(r.at(5).do(Event{Kind: LinkUp, Rand: even(3)}), "DHCPDISCOVER xid 3 secs 0"+toAll)
	}
	r = configured(t, Config{IPv6Only: true})
	r.got(reply(dhcp4.Offer, 1, says(0, 0))) // malformed
	r.is(Requesting, 4)

	r = newRig(t).reach(Rebooting)
	r.s.Config.IPv6Only = true
	r.same(r.got(reply(dhcp4.ACK, 2, says(0, 0, 0, 0))), text+"300 s", "unconfigure 10.0.0.5/24", "forget")
	r = newRig(t).reach(Renewing)
	r.s.Config.IPv6Only = true
	r.got(reply(dhcp4.ACK, 2, says(0, 0, 0, 0)))
	if r.s.Phase != Bound {
		t.Errorf("renewed: %v", r.s.Phase)
	}
}

// TestC16_Says: what the options of the config make the client say.
func TestC16_Says(t *testing.T) {
	list := append([]byte(nil), codes(defaultRequest)...)
	for _, c := range []struct {
		name string
		conf Config
		code dhcp4.Code
		want []byte // nil: absent
	}{
		{"full name", Config{FQDN: "ada.example.org", Hostname: "ada"}, dhcp4.FQDN, []byte("\x05\x00\x00\x03ada\x07example\x03org\x00")},
		{"and no other", Config{FQDN: "ada.example.org", Hostname: "ada"}, dhcp4.HostName, nil},
		{"partial name", Config{FQDN: "ada"}, dhcp4.FQDN, []byte("\x05\x00\x00\x03ada")},
		{"class", Config{ClassID: "boot"}, dhcp4.ClassID, []byte("boot")},
		{"client ID", Config{ClientID: []byte{9}}, dhcp4.ClientID, []byte{9}},
		{"send", Config{Send: []Option{{77, []byte("x")}}}, 77, []byte("x")},
		{"send in place of ours", Config{Send: []Option{{dhcp4.ClassID, []byte("x")}}}, dhcp4.ClassID, []byte("x")},
		{"request", Config{More: []dhcp4.Code{66, 3}}, dhcp4.ParameterList, append(list, 66)},
		{"IPv6 only", Config{IPv6Only: true}, dhcp4.ParameterList, append(list[:len(list):len(list)], 108)},
		{"anonymous: class", Config{Anonymous: true, ClassID: "boot"}, dhcp4.ClassID, nil},
		{"anonymous: host name", Config{Anonymous: true, Hostname: "ada"}, dhcp4.HostName, nil},
		{"anonymous: full name", Config{Anonymous: true, FQDN: "ada"}, dhcp4.FQDN, nil},
		{"anonymous: size", Config{Anonymous: true}, dhcp4.MaxSize, nil},
		{"anonymous: client ID", Config{Anonymous: true, ClientID: []byte{9}}, dhcp4.ClientID, []byte{1, 2, 0, 0, 0, 0, 1}},
		{"anonymous: list", Config{Anonymous: true}, dhcp4.ParameterList, []byte{1, 3, 6, 15}},
	} {
		r := newRig(t)
		c.conf.MAC = ours
		r.s.Config = &c.conf
		m := r.does(Event{Kind: Start, Rand: even(1)})[0]
		if got := m.Options.Get(c.code); !bytes.Equal(got, c.want) || m.Options.Has(c.code) != (c.want != nil) {
			t.Errorf("%s: option %d is %q, not %q", c.name, c.code, got, c.want)
		}
	}
}

func codes(list []dhcp4.Code) (b []byte) {
	for _, c := range list {
		b = append(b, byte(c))
	}
	return b
}

// TestC16_Anonymous: nothing is said of where we were.
func TestC16_Anonymous(t *testing.T) {
	r := newRig(t)
	r.s.Config.Anonymous = true
	m := r.does(Event{Kind: Start, Lease: lease(t0), Rand: even(1)})[0]
	if m.Type() != dhcp4.Discover || m.Options.Has(dhcp4.RequestedAddress) {
		t.Errorf("%v for the address of an earlier run", m.Type())
	}
	r.same(r.do(Event{Kind: Start, Lease: lease(t0), Held: true, Rand: even(1)}))
	r.is(Bound, 1800) // it is in use: nothing need be said
	r.do(Event{Kind: LinkDown})
	r.same(r.at(9).do(Event{Kind: LinkUp, Rand: even(3)}), "unconfigure 10.0.0.5/24", "forget", "DHCPDISCOVER xid 3 secs 0"+toAll)
}
