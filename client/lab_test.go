package client

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// lab is a wire with hosts and a server on it, inside a synctest bubble. All
// that happens does so in the goroutine of run, one thing after the other.
type lab struct {
	t      *testing.T
	rnd    *rand.Rand
	queue  chan func()
	done   chan struct{}
	loss   float64       // of packets
	twice  float64       // packets that arrive twice
	late   time.Duration // the most that a packet takes: others overtake it
	hosts  []*host
	server *leaser
	squat  map[netip.Addr][6]byte // static hosts that the server knows nothing of
}

// inLab runs test in a bubble.
func inLab(t *testing.T, seed uint64, test func(*lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &lab{t: t, rnd: rand.New(rand.NewPCG(seed, 0)), queue: make(chan func()),
			done: make(chan struct{}), late: 20 * time.Millisecond, squat: map[netip.Addr][6]byte{}}
		defer close(l.done)
		l.server = &leaser{lab: l, lease: 3600, bound: map[netip.Addr]*binding{}}
		test(l)
	})
}

// after has f done in the goroutine of run.
func (l *lab) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() {
		select {
		case l.queue <- f:
		case <-l.done:
		}
	})
}

// run lets d go by.
func (l *lab) run(d time.Duration) {
	for end := time.After(d); ; {
		select {
		case f := <-l.queue:
			f()
		case <-end:
			return
		}
	}
}

// carry takes a packet over the wire: late, twice or not at all.
func (l *lab) carry(m *dhcp4.Message, deliver func(*dhcp4.Message)) {
	wire, _ := m.Append(nil, 0)
	for copies := 0; copies == 0 || l.rnd.Float64() < l.twice; copies++ {
		if l.rnd.Float64() < l.loss {
			continue
		}
		l.after(time.Millisecond+time.Duration(l.rnd.Int64N(int64(l.late))), func() {
			got := new(dhcp4.Message)
			if err := got.Parse(wire); err != nil {
				l.t.Errorf("%v: %v", m.Type(), err)
				return
			}
			deliver(got)
		})
	}
}

// host is a client, its interface and its timer.
type host struct {
	lab    *lab
	mac    [6]byte
	s      State
	timer  *time.Timer
	asleep bool
	on     *act.Lease // what is configured
	sent   int
	log    []string
}

// add puts a new host onto the wire. It doesn't start yet.
func (l *lab) add() *host {
	h := &host{lab: l, mac: [6]byte{2, 5: byte(len(l.hosts) + 1)}}
	h.s.Config = &Config{MAC: h.mac}
	h.timer = time.NewTimer(0)
	l.hosts = append(l.hosts, h)
	return h
}

// step is what the daemon does with an event.
func (h *host) step(e Event) {
	if h.asleep {
		return
	}
	e.Rand = h.lab.rnd.Uint64()
	next, acts := Step(time.Now(), h.s, e)
	h.s = next
	for _, a := range acts {
		h.obey(a)
	}
	h.timer.Stop()
	if !h.s.Wake.IsZero() {
		h.timer = h.lab.after(time.Until(h.s.Wake), func() { h.step(Event{Kind: Wake}) })
	}
}

func (h *host) obey(a act.Action) {
	switch a.Verb {
	case act.Send:
		h.sent++
		obeysTables(h.lab.t, h.s.Phase, a)
		h.lab.carry(a.Msg, h.lab.server.got)
	case act.Probe:
		h.lab.arp(h, a.Addr)
	case act.Configure:
		h.on = a.Lease
		h.lab.audit(h)
	case act.Unconfigure:
		h.on = nil
	case act.Note:
		if a.Level == act.Log {
			h.log = append(h.log, a.Text)
		}
	}
}

// arp brings the answer to a probe, if anyone has the address.
func (l *lab) arp(from *host, a netip.Addr) {
	mac, used := l.squat[a]
	for _, h := range l.hosts {
		if h != from && h.on != nil && h.on.Net.Addr() == a {
			mac, used = h.mac, true
		}
	}
	if used {
		l.after(time.Millisecond/2, func() {
			if from.s.Watched() == a {
				from.step(Event{Kind: Conflict, MAC: mac})
			}
		})
	}
}

// audit checks that what h has configured nobody else has, and that the
// server promised it for as long.
func (l *lab) audit(h *host) {
	a := h.on.Net.Addr()
	for _, x := range l.hosts {
		if x != h && x.on != nil && x.on.Net.Addr() == a {
			l.t.Errorf("%v is on two hosts", a)
		}
	}
	if mac, ok := l.squat[a]; ok {
		l.t.Errorf("%v is on a host, and on %s", a, ethernet(mac))
	}
	b := l.server.bound[a]
	if b == nil || b.mac != h.mac || b.until.Before(h.on.End) {
		l.t.Errorf("%v until %v, of which the server knows %+v", a, h.on.End, b)
	}
}

// leaser is a server, simple and honest.
type leaser struct {
	lab   *lab
	lease uint32
	down  bool
	rude  bool // NAKs every REQUEST
	deaf  bool // hears no DECLINE
	bound map[netip.Addr]*binding
}

type binding struct {
	mac   [6]byte
	until time.Time
}

func (s *leaser) got(m *dhcp4.Message) {
	if s.down {
		return
	}
	mac := [6]byte(m.HW())
	switch m.Type() {
	case dhcp4.Discover:
		if a := s.choose(mac); a.IsValid() {
			s.answer(m, dhcp4.Offer, a)
		}
	case dhcp4.Request:
		s.request(m, mac)
	case dhcp4.Decline:
		a, _ := m.Options.Addr(dhcp4.RequestedAddress)
		if b := s.bound[a]; b != nil && b.mac == mac && !s.deaf {
			*b = binding{until: time.Now().Add(24 * time.Hour)} // nobody's
		}
	}
}

func (s *leaser) request(m *dhcp4.Message, mac [6]byte) {
	a, err := m.Options.Addr(dhcp4.RequestedAddress)
	if err != nil {
		a = m.Ciaddr
	}
	b := s.bound[a]
	if s.rude || b == nil || b.mac != mac && time.Now().Before(b.until) {
		s.answer(m, dhcp4.NAK, noAddr)
		return
	}
	*b = binding{mac, time.Now().Add(time.Duration(s.lease) * time.Second)}
	s.answer(m, dhcp4.ACK, a)
}

// choose holds an address for mac: its own, or one that is free.
func (s *leaser) choose(mac [6]byte) netip.Addr {
	var free netip.Addr
	for i := byte(99); i >= 90; i-- {
		a := netip.AddrFrom4([4]byte{10, 0, 0, i})
		b := s.bound[a]
		if b != nil && b.mac == mac {
			return a
		}
		if b == nil || b.until.Before(time.Now()) {
			free = a
		}
	}
	if free.IsValid() {
		s.bound[free] = &binding{mac, time.Now().Add(time.Minute)}
	}
	return free
}

func (s *leaser) answer(m *dhcp4.Message, typ dhcp4.Type, a netip.Addr) {
	msg := reply(typ, m.Xid, giving(a), func(r *dhcp4.Message) { r.Chaddr = m.Chaddr })
	if typ != dhcp4.NAK {
		msg.Options.PutUint32(dhcp4.LeaseTime, s.lease)
	}
	s.lab.carry(msg, func(m *dhcp4.Message) {
		for _, h := range s.lab.hosts { // everyone hears it: a broadcast
			h.step(Event{Kind: Got, Msg: m})
		}
	})
}
