package server

import (
	"bytes"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// FuzzDecide asks a small world anything that parses, twice, and checks what
// must be true of any answer.
func FuzzDecide(f *testing.F) {
	for _, m := range []*dhcp4.Message{
		discover(9), discover(8, requested("10.0.0.20"), flagged()), discover(0x99, giaddr("10.0.1.1")),
		discover(3, selects("10.0.1.0"), giaddr("10.0.0.7")), discover(3, subnet("10.0.1.0")),
		selecting(9, "10.0.0.20"), selecting(9, "10.0.0.24"), initReboot(1, "10.0.0.21"), initReboot(9, "10.0.0.20"),
		renewing(1, "10.0.0.20"), renewing(2, "10.0.0.21"), renewing(9, "10.0.1.20"), renewing(0x99, "10.0.0.99"),
		decline(1, "10.0.0.20"), release(1, "10.0.0.20"), inform(9, "10.0.0.77"),
		from(0x99, dhcp4.BOOTP), from(9, dhcp4.BOOTP), from(1, dhcp4.Request, serverID("10.0.0.7"), requested("10.0.0.9")),
		discover(9, option(dhcp4.ParameterList, 3, 1, 6, 15, 51, 58, 59), seconds(dhcp4.LeaseTime, 100), text(dhcp4.ClientID, "x")),
	} {
		b, _ := m.Append(nil, 1500)
		f.Add(b, byte(0))
		f.Add(b, byte(1))
		f.Add(b, byte(3*0x15)) // rapid, BOOTP, a limit
		f.Add(b, byte(3*0x2a)) // probing, authoritative, addresses in use
	}
	f.Fuzz(func(t *testing.T, b []byte, where byte) {
		m := new(dhcp4.Message)
		if m.Parse(b) != nil {
			return
		}
		w := smallWorld(t)
		w.site.To = [...]netip.Addr{dhcp4.Everyone, ip("10.0.0.1"), ip("192.0.2.1")}[where%3]
		with := func(bit byte) bool { return where/3&bit != 0 }
		set := &w.site.Settings
		set.Rapid, set.Probe, set.BOOTP, set.Authoritative = with(1), with(2), with(4), with(8)
		if with(16) {
			set.Limit, set.CircuitLimit = 5, 2
		}
		for range 3 {
			j := judge{w, m, w.srv.Decide(w.now, w.cfg, &w.site, w.table, m)}
			if len(j.actions) == 0 {
				t.Fatal("no action, not even a note")
			}
			for _, a := range j.judge(t) {
				o := Outcome{Addr: a, Heard: with(32) && a.As4()[3]%2 == 0, HW: hwOf(66)}
				j.actions = w.srv.Checked(w.now, w.cfg, &w.site, w.table, o)
				j.judge(t)
			}
		}
	})
}

// judge checks the answer, does what it says, and returns the addresses that
// are to be checked on the wire.
func (j *judge) judge(t *testing.T) (checks []netip.Addr) {
	j.check(t)
	for i := range j.actions {
		switch x := &j.actions[i]; x.Verb {
		case act.Send:
		case act.Check:
			checks = append(checks, x.Addr)
		default:
			j.apply(x, new(answer))
		}
	}
	return checks
}

// smallWorld has addresses in every state: 10.0.0.20 leased, 21 ended, 22
// released, 23 abandoned, 24 offered, 25 and 26 never used, and 10.0.1.20.
func smallWorld(t testing.TB) *world {
	w := newWorld(t, house, fields("10.0.0.20 10.0.0.21 10.0.0.22 10.0.0.23 10.0.0.24 10.0.0.25 10.0.0.26 10.0.1.20")...)
	w.ask(selecting(2, "10.0.0.21"))
	w.now = w.now.Add(2 * time.Hour)
	w.ask(selecting(1, "10.0.0.20"))
	w.ask(selecting(3, "10.0.0.22"))
	w.ask(release(3, "10.0.0.22"))
	w.ask(selecting(4, "10.0.0.23"))
	w.ask(decline(4, "10.0.0.23"))
	w.ask(discover(5, requested("10.0.0.24")))
	return w
}

// judge knows the rules by itself and looks at one answer.
type judge struct {
	*world
	m       *dhcp4.Message
	actions []act.Action
}

func (j *judge) check(t *testing.T) {
	for i := range j.actions {
		if j.actions[i].Verb == act.Send {
			if i != len(j.actions)-1 {
				t.Fatal("the reply is not the last action")
			}
			j.reply(t, &j.actions[i])
		}
	}
}

func (j *judge) reply(t *testing.T, x *act.Action) {
	b, _ := x.Msg.Append(nil, x.Limit)
	r := new(dhcp4.Message)
	if err := r.Parse(b); err != nil || len(b) > x.Limit || len(b) < dhcp4.MinSize {
		t.Fatalf("reply of %d octets, limit %d: %v", len(b), x.Limit, err)
	}
	if r.Op != dhcp4.BootReply || r.Xid != j.m.Xid || r.Chaddr != j.m.Chaddr || r.Giaddr != j.m.Giaddr || r.Secs != 0 {
		t.Fatalf("header of the reply: %s", r.Line(nil))
	}
	if !j.site.Ours(x.To.Source) || !dhcp4.IsUnicast(x.To.Addr) && x.To.Addr != dhcp4.Everyone {
		t.Fatalf("sent from %v to %v", x.To.Source, x.To.Addr)
	}
	if len(j.nets()) == 0 {
		t.Fatalf("an answer for a network that we have no information for: %s", r.Line(nil))
	}
	switch {
	case j.m.Type() == dhcp4.Discover && j.site.Settings.Rapid && r.Type() == dhcp4.ACK:
		if !j.m.Options.Has(dhcp4.RapidCommit) || !r.Options.Has(dhcp4.RapidCommit) {
			t.Fatalf("rapid without rapid commit: %s", r.Line(nil))
		}
		j.address(t, r, j.committed(r))
	case j.m.Type() == dhcp4.Discover && r.Type() == dhcp4.Offer:
		j.address(t, r, j.held(r.Yiaddr))
	case j.m.Type() == dhcp4.Request && r.Type() == dhcp4.ACK, j.m.Type() == dhcp4.BOOTP && r.Type() == dhcp4.BOOTP:
		j.address(t, r, j.committed(r))
	case j.m.Type() == dhcp4.Inform && r.Type() == dhcp4.ACK:
		if !r.Yiaddr.IsUnspecified() || r.Options.Has(dhcp4.LeaseTime) || x.To.Addr != j.m.Ciaddr {
			t.Fatalf("to an INFORM: %s", r.Line(nil))
		}
	case j.m.Type() == dhcp4.Request && r.Type() == dhcp4.NAK:
		j.nak(t)
	default:
		t.Fatalf("%v in answer to %v", r.Type(), j.m.Type())
	}
}

// address checks an address that is given: that it was asked for in time,
// that it is the client's to have, and that it is on its network.
func (j *judge) address(t *testing.T, r *dhcp4.Message, kept bool) {
	a, now := r.Yiaddr, pool.Time(j.now.Unix())
	if !kept && !j.fixed(a) {
		t.Fatalf("neither held nor committed before: %s", r.Line(nil))
	}
	on := false
	for _, net := range j.nets() {
		on = on || net.Contains(a)
	}
	if last := a.As4()[3]; !on || last == 0 || last == 255 || j.site.Ours(a) || a == j.m.Giaddr && !j.fixed(a) {
		t.Fatalf("not to be given out at all: %s", r.Line(nil))
	}
	if j.fixed(a) {
		return
	}
	old, _ := j.table.ByAddr(a)
	if !j.table.Member(a) || old.State == pool.Abandoned && !j.silent(a) || old.Told > now && !bytes.Equal(old.ID, j.id()) {
		t.Fatalf("not free: %s: %+v", r.Line(nil), old)
	}
	if c, ok := j.table.At(a).HeldBy(now); ok && !bytes.Equal(c.ID, j.id()) {
		t.Fatalf("held for %x: %s", c.ID, r.Line(nil))
	}
}

// silent tells whether nobody answered for a, or only the client.
func (j *judge) silent(a netip.Addr) bool {
	c := j.srv.checks[a]
	return !c.at.IsZero() && (!c.heard || c.holder.Addr == j.m.Chaddr)
}

func (j *judge) held(a netip.Addr) bool {
	for _, x := range j.actions {
		if x.Verb == act.Hold && x.Addr == a && bytes.Equal(x.Client.ID, j.id()) && x.Until >= pool.Time(j.now.Unix())+64 {
			return true
		}
	}
	return false
}

func (j *judge) committed(r *dhcp4.Message) bool {
	term, err := r.Options.Uint32(dhcp4.LeaseTime)
	for _, x := range j.actions {
		if x.Verb != act.Commit || x.Record.Addr != r.Yiaddr || !bytes.Equal(x.Record.ID, j.id()) {
			continue
		}
		end := pool.Infinite
		if err == nil && term != dhcp4.Infinite {
			end = pool.Time(j.now.Unix()) + pool.Time(term)
		}
		old, _ := j.table.ByAddr(r.Yiaddr)
		return x.Record.Told >= end && x.Record.Kept >= x.Record.Told && (!x.Lazy || old.Kept >= end)
	}
	return false
}

// nak checks that S6 wants a NAK.
func (j *judge) nak(t *testing.T) {
	a, o := j.m.Ciaddr, &j.m.Options
	if a.IsUnspecified() {
		a, _ = o.Addr(dhcp4.RequestedAddress)
	}
	if server, err := o.Addr(dhcp4.ServerID); err == nil {
		if !j.site.Ours(server) {
			t.Fatal("a NAK for another server's client")
		}
		return // asked for by us, and not to be had
	}
	on := false
	for _, net := range j.nets() {
		on = on || net.Contains(a)
		for r := range j.table.AllOf(j.id()) {
			if net.Contains(r.Addr) {
				return
			}
		}
	}
	if j.site.Settings.Authoritative && j.m.Ciaddr.IsUnspecified() {
		return
	}
	if on && !j.fixed(ip("10.0.0.99")) {
		t.Fatalf("a NAK for %v, without a record", a)
	}
}

// id is who asks.
func (j *judge) id() []byte {
	if id := j.m.Options.Get(dhcp4.ClientID); len(id) > 0 {
		return id
	}
	return append([]byte{j.m.Htype}, j.m.HW()...)
}

// fixed tells whether the config of smallWorld gives a to the client.
func (j *judge) fixed(a netip.Addr) bool {
	who := []byte{1, 2, 0, 0, 0, 0, 0x99}
	hw := append([]byte{j.m.Htype}, j.m.HW()...)
	return (bytes.Equal(j.id(), who) || bytes.Equal(hw, who)) && (a == ip("10.0.0.99") || a == ip("10.0.1.99"))
}

// nets are the networks that the client may be on: S20.
func (j *judge) nets() (nets []netip.Prefix) {
	at := ip("10.0.0.1")
	link, err := dhcp4.SubOption(j.m.Options.Get(dhcp4.RelayAgent), 5)
	subnet, errSubnet := j.m.Options.Addr(dhcp4.SubnetSelection)
	switch {
	case err == nil && len(link) == 4:
		at = netip.AddrFrom4([4]byte(link))
	case errSubnet == nil:
		at = subnet
	case !j.m.Giaddr.IsUnspecified():
		at = j.m.Giaddr
	case !j.m.Ciaddr.IsUnspecified() && j.site.To != dhcp4.Everyone:
		at = j.m.Ciaddr
	}
	for _, net := range prefixes("10.0.0.0/24 10.0.1.0/24") {
		if net.Contains(at) {
			nets = append(nets, net)
		}
	}
	return nets
}
