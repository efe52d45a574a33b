package client

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/auth"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// FuzzStep plays any sequence of events and holds the client to its promises.
// Each event is an octet of kind, one of time, and what it takes.
func FuzzStep(f *testing.F) {
	offer, _ := reply(dhcp4.Offer, 0).Append(nil, 0)
	f.Add([]byte{0, 0, 2, 9, 2, 3, 9, 5, 1, 0, 1, 0, 1, 0, 3, 9, 5, 1, 0})
	f.Add([]byte{0, 0, 2, 9, 2, 4, 0, 3, 9, 5, 1, 0, 1, 0})
	f.Add([]byte{7, 0, 4, 0, 3, 9, 5, 6, 0, 5, 0, 1, 0})
	f.Add(append([]byte{0, 0, 8, 0}, offer...))
	for seed := range byte(12) {
		b := make([]byte, 600)
		rand.NewChaCha8([32]byte{seed}).Read(b)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		g := &gambler{t: t, now: t0, data: script}
		g.configure(g.octet(), 0)
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

	replay  uint64 // counter of the servers
	counter uint64 // and ours
}

// configure gives the client another config.
func (g *gambler) configure(flags, more byte) {
	c := &Config{MAC: ours, Possessive: flags&1 != 0, Probe: flags&2 != 0, Hostname: "h",
		Rapid: flags&4 != 0, IPv6Only: flags&8 != 0, Anonymous: flags&16 != 0, Release: flags&32 != 0,
		LinkLocal: flags&64 != 0, Inform: more&1 != 0, NoForce: more&4 != 0}
	if more&2 != 0 {
		c.Key = secret
	}
	if more&8 != 0 {
		c.FQDN, c.ClientID, c.ClassID, c.MTU = "h.example.com", []byte("\x00me"), "class", 576
		c.More, c.Send = []dhcp4.Code{114, 3}, []Option{{77, []byte("user")}, {224, make([]byte, 300)}}
	}
	if more&16 != 0 {
		c.Times = Times{60 * time.Second, 120 * time.Second, 180 * time.Second}
	}
	if was := g.s.Config; was != nil && was.Inform != c.Inform { // its address is another's then, or no more
		g.on = nil
		g.s = State{NoLink: g.s.NoLink}
	}
	if c.Inform && g.on == nil {
		g.on = &act.Lease{Net: netip.MustParsePrefix("10.0.0.5/24")}
	}
	g.s.Config = c
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
	kind := g.octet() % 13
	g.pass(g.octet())
	e := Event{Rand: uint64(g.octet())<<56 | uint64(g.octet()), Counter: g.counter, From: server, To: dhcp4.Everyone}
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
		e.Kind, e.Msg = Got, g.sent(g.plausible())
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
		if g.s.Config.Inform {
			g.on = &act.Lease{Net: e.Lease.Net}
			e.Lease, e.Held = g.on, true
		}
	case 11: // FORCERENEW
		e.Kind, e.Msg, e.To = Got, g.forceRenew(), [...]netip.Addr{addr, other, dhcp4.Everyone, addr}[g.octet()&3]
	case 12: // another config
		g.configure(g.octet(), g.octet())
		e.Kind, e.Lease, e.Held = Start, g.on, g.on != nil
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

// sent has a reply go over the wire, authenticated as servers do that.
func (g *gambler) sent(m *dhcp4.Message) *dhcp4.Message {
	key := nonce
	if b := g.octet(); b&1 != 0 {
		g.replay += uint64(b & 2)
		switch t := m.Type(); {
		case b&4 != 0:
			key = secret.Secret
			auth.Put(m, auth.Option{Kind: auth.Keyed, ID: secret.ID, Replay: g.replay})
		case t == dhcp4.ACK:
			auth.Put(m, auth.Option{Kind: auth.Nonce, Nonce: nonce, Replay: g.replay})
		case t == dhcp4.Offer:
			m.Options.Put(dhcp4.ForceRenewNonce, auth.Able)
		}
	}
	b, _ := m.Append(nil, 1500)
	auth.Sign(b, key)
	got := new(dhcp4.Message)
	if got.Parse(b) != nil {
		return m // an option that is not what it should be
	}
	return got
}

// forceRenew is good, or nearly so.
func (g *gambler) forceRenew() *dhcp4.Message {
	b := g.octet()
	m := reply(dhcp4.ForceRenew, 0xfeed)
	m.Yiaddr = noAddr
	m.Options.Del(dhcp4.LeaseTime)
	g.replay += uint64(b & 2)
	o := auth.Option{Kind: auth.Woken, Replay: g.replay}
	key := nonce
	if b&4 != 0 {
		o.Kind, o.ID, key = auth.Keyed, secret.ID, secret.Secret
	}
	if b&9 != 0 {
		auth.Put(m, o)
	}
	return wire(g.t, m, key[b>>7:])
}

// step takes one step and checks it.
func (g *gambler) step(e Event) {
	before := g.s
	next, acts := Step(g.now, g.s, e)
	g.counter += Counters
	again, same := Step(g.now, before, e)
	if !equalState(again, next) || !slices.Equal(script(acts), script(same)) {
		g.t.Errorf("two equal steps differ: %q, %q", script(acts), script(same))
	}
	g.s = next
	if testing.Verbose() {
		g.t.Logf("%v: event %d in %v: now %v, %q", g.now.Sub(t0), e.Kind, before.Phase, g.s.Phase, script(acts))
	}
	if e.Kind == Got && before.Running && len(acts) == 0 && equalState(before, next) {
		g.t.Errorf("%s in %v: dropped without a word (D2)", e.Msg.Line(nil), before.Phase)
	}
	last := e.Counter
	for _, a := range acts {
		g.check(a, e, before)
		if a.Verb == act.Send {
			last = g.wellFormed(a.Msg, last)
		}
	}
	if last > e.Counter+Counters {
		g.t.Errorf("%d replay counters used up", last-e.Counter)
	}
	if g.s.Held != (g.on != nil) || g.s.Held && g.s.Lease != g.on {
		g.t.Errorf("held: %v; on the interface: %v", g.s.Held, g.on)
	}
	g.checkWake(e)
}

// wellFormed checks that what is sent can be read, and that its replay counter,
// if it has one, has grown.
func (g *gambler) wellFormed(m *dhcp4.Message, last uint64) uint64 {
	b, left := m.Append(nil, dhcp4.MinLimit)
	got := new(dhcp4.Message)
	if err := got.Parse(b); err != nil || len(b) > dhcp4.MinLimit || left.Has(dhcp4.ServerID) || left.Has(dhcp4.RequestedAddress) || left.Has(dhcp4.Authentication) {
		g.t.Fatalf("%d octets, left out %v: %v: %s", len(b), left, err, m.Line(nil))
	}
	o := auth.Of(got)
	if (o.Kind == auth.None) != (g.s.Config.Key == nil) || o.Kind != auth.None && o.Replay <= last {
		g.t.Fatalf("option 90 %+v after %d: %s", o, last, m.Line(nil))
	}
	return max(last, o.Replay)
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
	case act.Note:
		if a.Text == "" || bytes.ContainsAny([]byte(a.Text), "\n\x00\x1b") {
			g.t.Errorf("note of level %d: %q", a.Level, a.Text)
		}
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
	if s.Running && s.Phase >= InitReboot && s.Lease == nil {
		g.t.Errorf("%v without a lease", s.Phase)
	}
	if s.Running && s.Phase >= InitReboot && e.Kind == Wake && !good(s.Lease, g.now) {
		g.t.Errorf("%v with a lease that has ended", s.Phase)
	}
}
