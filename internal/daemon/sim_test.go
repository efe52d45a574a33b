package daemon

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// world is machines and servers on wires. The machines run the daemon with its
// client, the servers the server's core. Nothing waits: what is to happen
// stands in a diary, and all that is left to chance comes from one seed.
type world struct {
	*testing.T
	rnd      *rand.Rand
	now      time.Duration
	diary    diary
	wires    []*wire
	machines []*machine
	promises map[promised]time.Duration // until when an honest server has promised what
	rivals   bool                       // the servers don't know of each other, and give out the same addresses
	seed     uint64
	hosts    int // so many of the last nobodies may be hosts here
	story    func(about []any) string
	far      func(u *ether.Datagram, from *wire) // takes what is for a server that is not on the wire
	acks     int
	ills     int // how often the machines' lives were disturbed
}

// promised is an address, and who may use it.
type promised struct {
	mac  ether.MAC
	addr netip.Addr
}

// wire is a network that frames get lost on, come twice, late and out of
// order.
type wire struct {
	w       *world
	net     netip.Prefix
	servers []*simServer
	plugs   []*plug
	loss    float64
	twice   float64
	late    time.Duration
	liars   float64 // how many of the servers' messages come in a bad copy, too
}

func newWorld(t *testing.T, seed uint64) *world {
	return &world{T: t, seed: seed, rnd: rand.New(rand.NewPCG(seed, 47)), promises: map[promised]time.Duration{}}
}

// Fatalf ends a run, and says how to see it again.
func (w *world) Fatalf(format string, args ...any) {
	w.Helper()
	more := ""
	if w.story != nil {
		more = w.story(args)
	}
	w.T.Fatalf("%v: %s\n%sAgain: go test ./internal/daemon -run %s -args -seed %d", w.now, fmt.Sprintf(format, args...), more,
		strings.Split(w.Name(), "/")[0], w.seed)
}

// wall is what a right wall clock reads.
func (w *world) wall() time.Time { return start.Add(w.now) }

// note is something to be done; cancelled if do is nil.
type note struct {
	at time.Duration
	n  int // of two at one time the one that was written first
	do func()
}

// diary is a heap.
type diary struct {
	list []*note
	n    int
}

func (d *diary) Len() int { return len(d.list) }
func (d *diary) Less(i, j int) bool {
	a, b := d.list[i], d.list[j]
	return a.at < b.at || a.at == b.at && a.n < b.n
}
func (d *diary) Swap(i, j int) { d.list[i], d.list[j] = d.list[j], d.list[i] }
func (d *diary) Push(x any)    { d.list = append(d.list, x.(*note)) }
func (d *diary) Pop() any {
	last := len(d.list) - 1
	x := d.list[last]
	d.list = d.list[:last]
	return x
}

// after has something done later.
func (w *world) after(d time.Duration, do func()) *note {
	w.diary.n++
	x := &note{w.now + max(d, 0), w.diary.n, do}
	heap.Push(&w.diary, x)
	return x
}

// watch looks at everything every so often, whether anything happens or not.
func (w *world) watch() {
	w.audit()
	w.after(time.Hour, w.watch)
}

// run lets time go by.
func (w *world) run(d time.Duration) {
	end := w.now + d
	for len(w.diary.list) > 0 && w.diary.list[0].at <= end {
		x := heap.Pop(&w.diary).(*note)
		w.now = x.at
		if x.do != nil {
			x.do()
		}
	}
	w.now = end
}

// upTo returns a time up to d.
func (w *world) upTo(d time.Duration) time.Duration { return time.Duration(w.rnd.Int64N(int64(d) + 1)) }

func (w *world) oneOf(n int) bool { return w.rnd.IntN(n) == 0 }

func pick[T any](w *world, list ...T) T { return list[w.rnd.IntN(len(list))] }

// nextMAC is the Ethernet address of the next machine.
func (w *world) nextMAC() ether.MAC {
	n := len(w.machines) + 1
	return ether.MAC{2, 4: byte(n >> 8), 5: byte(n)}
}

// addWire adds a network.
func (w *world) addWire(net string) *wire {
	x := &wire{w: w, net: netip.MustParsePrefix(net), late: 20 * time.Millisecond}
	w.wires = append(w.wires, x)
	return x
}

// carry takes a frame to all who hear it. A RELEASE or DECLINE that comes
// late, or again, would free an address that the client has got back since:
// the protocol can't tell. Those get lost at most.
func (x *wire) carry(frame []byte, from ether.MAC) {
	w, late, twice := x.w, x.late, x.twice
	if m, ok := parseFrame(frame); ok && (m.Type() == dhcp4.Release || m.Type() == dhcp4.Decline) {
		late, twice = time.Millisecond, 0
	}
	if w.rnd.Float64() < x.liars {
		if lie := w.lie(frame); lie != nil {
			w.after(w.upTo(2*time.Millisecond), func() { x.deliver(lie, from) })
		}
	}
	for copies := 0; copies == 0 || w.rnd.Float64() < twice; copies++ {
		if w.rnd.Float64() < x.loss {
			continue
		}
		w.after(time.Millisecond+w.upTo(late), func() { x.deliver(frame, from) })
	}
}

func (x *wire) deliver(frame []byte, from ether.MAC) {
	to := ether.MAC(frame[:6])
	u, err := ether.ParseUDPFrame(frame)
	if err != nil || u.Dst.Port() != dhcp4.ServerPort {
		for _, m := range x.w.machines {
			if m.wire == x && m.mac != from && (to == ether.Broadcast || to == m.mac) {
				m.hearFrame(frame)
			}
		}
		for _, p := range x.plugs {
			p.overhear(frame, from)
		}
		return
	}
	for _, s := range x.servers {
		if u.Dst.Addr() == dhcp4.Everyone || u.Dst.Addr() == s.addr {
			s.hear(&u)
		}
	}
	for _, p := range x.plugs {
		if u.Dst.Addr() == dhcp4.Everyone && p.mac != from {
			p.hear(u.Src, u.Dst, u.Payload)
		}
	}
	if x.w.far != nil && u.Dst.Addr() != dhcp4.Everyone {
		x.w.far(&u, x)
	}
}

// parseFrame reads a DHCP message.
func parseFrame(frame []byte) (*dhcp4.Message, bool) {
	u, err := ether.ParseUDPFrame(frame)
	m := new(dhcp4.Message)
	return m, err == nil && m.Parse(u.Payload) == nil
}

// arp brings a question or an announcement to everybody, at once: this is one
// wire. Those who have the address answer.
func (x *wire) arp(p ether.ARP, frame []byte, from interface{ hearARP(frame []byte) }) {
	x.w.after(time.Millisecond/4, func() {
		for _, m := range x.w.machines {
			if m.mac == p.SenderHW || m.wire != x || m.asleep {
				continue
			}
			if m.watches(p) {
				m.hearARP(frame)
			}
			if p.Op == ether.ARPRequest && m.uses(p.TargetIP) {
				answer := ether.ARP{Op: ether.ARPReply, SenderHW: m.mac, SenderIP: p.TargetIP, TargetHW: p.SenderHW, TargetIP: p.SenderIP}
				x.w.after(time.Millisecond/4, func() { from.hearARP(answer.AppendFrame(nil)) })
			}
		}
	})
}

// watches tells whether a machine's socket lets a frame in: link.Frames.About.
func (m *machine) watches(p ether.ARP) bool {
	if m.d == nil || m.net() == nil {
		return false
	}
	a := m.net().client.Watched()
	return a == p.SenderIP || a == p.TargetIP
}

// audit looks at all machines: whatever is configured was promised to this
// very one by an honest server, for now, and nobody else has it.
func (w *world) audit() {
	type place struct {
		wire *wire
		addr netip.Addr
	}
	var used map[place]*machine
	if len(w.machines) > 1 {
		used = map[place]*machine{}
	}
	for _, m := range w.machines {
		if m.asleep {
			continue
		}
		m.audit()
		for p := range m.addrs {
			a := p.Addr()
			if a.IsLinkLocalUnicast() || m.wire == nil || used == nil || m.unwatched() {
				continue
			}
			if o := used[place{m.wire, a}]; o != nil {
				w.Fatalf("%v is on %v and %v", a, o, m)
			}
			used[place{m.wire, a}] = m
		}
	}
}

// audit looks at what one machine uses.
func (m *machine) audit() {
	for p := range m.addrs {
		if a := p.Addr(); !m.byHand && !a.IsLinkLocalUnicast() {
			m.entitled(a)
		}
	}
}

// unwatched tells whether only the kernel knows of what the machine uses, and has
// slept since it was told.
func (m *machine) unwatched() bool { return m.overslept && (m.d == nil || len(m.d.entries) == 0) }

// entitled checks that a server promised an address to a machine.
func (m *machine) entitled(a netip.Addr) {
	end, ok := m.w.promises[promised{m.mac, a}]
	switch {
	case !ok:
		m.w.Fatalf("%v uses %v, which nobody gave it\n%s", m, a, m.story())
	case m.possessive || m.unwatched():
	case m.d == nil && end+time.Second < m.w.now, m.d != nil && end < m.w.now:
		m.w.Fatalf("%v uses %v, which was its own until %v\n%s", m, a, end, m.story())
	}
}

func (m *machine) String() string { return fmt.Sprintf("machine %d", int(m.mac[4])<<8|int(m.mac[5])) }
