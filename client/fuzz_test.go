package client

import (
	"slices"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
)

// FuzzStep plays any sequence of events and holds the client to its promises.
// Each event is an octet of kind, one of time, and what it takes.
func FuzzStep(f *testing.F) {
	offer, _ := reply(dhcp4.Offer, 0).Append(nil, 0)
	f.Add([]byte{0, 0, 2, 9, 2, 3, 9, 5, 1, 0, 1, 0, 1, 0, 3, 9, 5, 1, 0})
	f.Add([]byte{0, 0, 2, 9, 2, 4, 0, 3, 9, 5, 1, 0, 1, 0})
	f.Add([]byte{7, 0, 4, 0, 3, 9, 5, 6, 0, 5, 0, 1, 0})
	f.Add(append([]byte{0, 0, 8, 0}, offer...))
	f.Fuzz(func(t *testing.T, script []byte) {
		g := &gambler{t: t, now: t0, data: script}
		flags := g.octet()
		g.s.Config = &Config{MAC: ours, Possessive: flags&1 != 0, Probe: flags&2 != 0, Hostname: "h",
			Rapid: flags&4 != 0, IPv6Only: flags&8 != 0, Anonymous: flags&16 != 0, Release: flags&32 != 0,
			LinkLocal: flags&64 != 0}
		for n := 0; n < 300 && len(g.data) > 0; n++ {
			g.play()
		}
	})
}

// gambler plays the events that its data say, and keeps the books.
type gambler struct {
	t    *testing.T
	s    State
	now  time.Time
	data []byte
	on   *act.Lease // what the interface has
}

func (g *gambler) octet() byte {
	if len(g.data) == 0 {
		return 0
	}
	b := g.data[0]
	g.data = g.data[1:]
	return b
}

// play makes one event and steps.
func (g *gambler) play() {
	kind := g.octet() % 11
	g.pass(g.octet())
	e := Event{Rand: uint64(g.octet())<<56 | uint64(g.octet())}
	switch kind {
	case 0:
		e.Kind, e.Held = Start, g.on != nil
		e.Lease = g.on
	case 1, 2:
		e.Kind = Wake
		if !g.s.Wake.IsZero() && kind == 1 && g.s.Wake.After(g.now) {
			g.now = g.s.Wake
		}
	case 3:
		e.Kind, e.Msg = Got, g.plausible()
	case 4:
		who := g.octet()
		e.Kind, e.MAC, e.Asking = Conflict, [6]byte{2, 5: who >> 1}, who&1 != 0
	case 5:
		e.Kind = LinkUp
	case 6:
		e.Kind = LinkDown
	case 9:
		e.Kind = Leave
	case 10:
		e.Kind = LinkReady
	case 7: // the machine has been booted
		g.on = nil
		e.Kind, e.Lease = Start, lease(g.now.Add(-30*time.Minute))
	case 8:
		e.Kind, e.Msg = Got, new(dhcp4.Message)
		n := min(len(g.data), 600)
		if e.Msg.Parse(g.data[:n]) != nil {
			e.Kind = Stop
		}
		e.Msg.Xid = g.s.Xid
		g.data = g.data[n:]
	}
	g.step(e)
}

// pass lets time go by: from nothing to half a year.
func (g *gambler) pass(b byte) {
	g.now = g.now.Add(time.Duration(b&7) << (b >> 3 % 22) * time.Second)
}

// plausible makes a reply that is nearly right, or quite.
func (g *gambler) plausible() *dhcp4.Message {
	typ := []dhcp4.Type{dhcp4.Offer, dhcp4.ACK, dhcp4.NAK, dhcp4.ACK}[g.octet()&3]
	m := reply(typ, g.s.Xid)
	switch g.octet() & 15 {
	case 1:
		m.Options.PutAddr(dhcp4.ServerID, second)
	case 2:
		m.Yiaddr = other
	case 3:
		m.Options.PutUint32(dhcp4.LeaseTime, uint32(g.octet()))
	case 4:
		m.Options.PutUint32(dhcp4.LeaseTime, dhcp4.Infinite-uint32(g.octet()&1))
	case 5:
		m.Options.PutUint32(dhcp4.RenewalTime, uint32(g.octet()))
		m.Options.PutUint32(dhcp4.RebindingTime, uint32(g.octet()))
	case 6:
		m.Xid++
	case 7:
		m.Options.Put(dhcp4.Code(g.octet()), []byte{g.octet(), g.octet()})
	case 8:
		m.Options.Del(dhcp4.MessageType)
		m.Options.Del(dhcp4.ServerID)
		m.Options.Del(dhcp4.LeaseTime)
	case 9:
		m.Options.Put(dhcp4.RapidCommit, nil)
	case 10:
		m.Options.PutUint32(dhcp4.IPv6Only, uint32(g.octet()))
	}
	return m
}

// step takes one step and checks it.
func (g *gambler) step(e Event) {
	before := g.s
	next, acts := Step(g.now, g.s, e)
	again, same := Step(g.now, before, e)
	if !equalState(again, next) || !slices.Equal(script(acts), script(same)) {
		g.t.Errorf("two equal steps differ: %q, %q", script(acts), script(same))
	}
	g.s = next
	for _, a := range acts {
		g.check(a, e, before)
	}
	if g.s.Held != (g.on != nil) || g.s.Held && g.s.Lease != g.on {
		g.t.Errorf("held: %v; on the interface: %v", g.s.Held, g.on)
	}
	g.checkWake(e)
}

// equalState compares but for the copies that leases are.
func equalState(a, b State) bool {
	if a.Lease != nil && b.Lease != nil {
		b.Lease = a.Lease
	}
	if a.pending != nil && b.pending != nil {
		b.pending = a.pending
	}
	return a == b
}

// check holds one action against what led to it.
func (g *gambler) check(a act.Action, e Event, before State) {
	acked := e.Kind == Got && e.Msg.Type() == dhcp4.ACK && e.Msg.Xid == before.Xid
	switch a.Verb {
	case act.Send:
		if g.s.NoLink || !g.s.Running && e.Kind != Leave {
			g.t.Errorf("%v sent without a carrier", a.Msg.Type())
		}
		late := e.Kind == Conflict && (before.Phase == Probing || before.Held)
		if a.Msg.Type() == dhcp4.Decline && !late && (!acked || before.Holder == nobody) {
			g.t.Error("DECLINE without ACK or conflict")
		}
		obeysTables(g.t, g.s.Phase, a)
	case act.Configure:
		known := (e.Kind == Wake || e.Kind == LinkReady) && (before.Phase == Rebooting && a.Lease == before.Lease ||
			before.Phase == Probing && a.Lease == before.pending)
		if !acked && !known {
			g.t.Error("configured without an ACK")
		}
		if a.Old != g.on || !good(a.Lease, g.now) || !isHost(a.Lease.Net.Addr()) {
			g.t.Errorf("configured %+v in place of %+v, not of %+v", a.Lease, a.Old, g.on)
		}
		g.on = a.Lease
	case act.Unconfigure:
		if a.Lease != g.on {
			g.t.Errorf("unconfigured %+v, not %+v", a.Lease, g.on)
		}
		g.on = nil
	case act.Announce:
		if (g.on == nil || a.Addr != g.on.Net.Addr()) && (!g.s.local.held || a.Addr != g.s.local.addr) {
			g.t.Errorf("announced %v", a.Addr)
		}
	}
}

// checkWake: there is always a next thing to do, and it lies ahead.
func (g *gambler) checkWake(e Event) {
	s := &g.s
	idle := !s.Running || s.NoLink && s.Phase == Init || s.Lease != nil && s.Phase >= InitReboot && s.Lease.Infinite()
	if s.Wake.IsZero() && !idle {
		g.t.Errorf("%v without a Wake", s.Phase)
	}
	// Any other event may come while a Wake is overdue. The first of the probes may
	// be sent at once (RFC 5227 section 2.1.1).
	atOnce := s.Phase == Probing && s.Wake.Equal(g.now)
	if e.Kind == Wake && !s.Wake.IsZero() && !s.Wake.After(g.now) && !atOnce {
		g.t.Errorf("%v: a Wake %v after this one", s.Phase, s.Wake.Sub(g.now))
	}
	if s.Phase >= InitReboot && s.Lease == nil {
		g.t.Errorf("%v without a lease", s.Phase)
	}
	if s.Running && s.Phase >= InitReboot && e.Kind == Wake && !good(s.Lease, g.now) {
		g.t.Errorf("%v with a lease that has ended", s.Phase)
	}
}
