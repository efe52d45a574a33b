package daemon

import (
	"bytes"
	"io"
	"os"
	"strings"
	"time"

	"dhcpd/cache"
	"dhcpd/client"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// machine is a computer with one Ethernet and a kernel, and the daemon on it.
type machine struct {
	fakeHost   // what else a kernel does, we need not know
	w          *world
	mac        ether.MAC
	conf       string
	possessive bool
	byHand     bool // it has no daemon, and the address that somebody gave it

	wire      *wire // nil: no carrier
	flaps     uint32
	boots     byte
	booted    time.Duration // when
	asleep    bool
	overslept bool          // since the kernel was last told how long an address is good
	wrong     time.Duration // by how much the wall clock is

	addrs map[netip.Prefix]*note // the kernel's, and when they go; nil for never
	disk  []string               // the cache file as it was, the newest last

	d      *Daemon // nil while it does not run
	out    bytes.Buffer
	alarm  *note
	hour   time.Duration // when counting began
	sent   int           // messages since
	driven int           // of which disturbances may have driven some
	total  int           // messages ever
	moved  bool          // since the last audit
}

func (w *world) addMachine(conf string) *machine {
	m := &machine{w: w, mac: w.nextMAC(), conf: conf, addrs: map[netip.Prefix]*note{}}
	m.possessive = strings.Contains(conf, "possessive")
	w.machines = append(w.machines, m)
	return m
}

// squat adds a machine that has an address of the servers, which they don't know.
func (x *wire) squat(last byte) {
	m := x.w.addMachine("")
	a := x.net.Addr().As4()
	a[3] = last
	m.wire, m.byHand, m.addrs[netip.PrefixFrom(netip.AddrFrom4(a), 24)] = x, true, nil
}

// The clocks.

func (m *machine) up() time.Duration { return m.w.now - m.booted }

func (m *machine) read() pool.Reading {
	r := pool.Reading{Boot: string('a' + m.boots), Wall: m.w.wall().Add(m.wrong), Up: m.up()}
	if r.Wall.Unix() < 0 {
		r.Wall = time.Unix(0, 0) // no Linux lets that go lower
	}
	return r
}

// start starts the daemon.
func (m *machine) start() {
	cfg, err := conf.Parse("dhcp.conf", m.conf, conf.Env{})
	if err != nil {
		m.w.Fatal(err)
	}
	m.d = &Daemon{cfg: cfg, host: m, doors: linux, clock: clockOf(m.read), random: m.w.rnd.Uint64, say: sayer{out: io.Discard, err: &m.out},
		nets: map[int]*network{}, addrs: map[netip.Addr]bool{}, missed: map[string]bool{}, ifSet: map[string]bool{},
		out1: link.NewBatch(1, 1<<12), saver: &saver{next: make(chan func() error, 1)}}
	if *again >= 0 && len(m.w.machines) <= few {
		m.d.say.out, m.d.say.level = trace{m}, 1
	}
	m.d.service = newService(m.d)
	if n := len(m.disk); n > 0 {
		held, _ := cache.Parse("dhcp.cache", []byte(m.disk[n-1]), cfg.Dict(), m.d.reading())
		m.d.entries = held.Entries
	}
	m.turn(func() {
		links, _ := m.Interfaces()
		m.d.number(links)
		m.d.look(links)
	})
}

// trace shows the life of a machine, where one simulation is looked at.
type trace struct{ *machine }

func (t trace) Write(text []byte) (int, error) {
	t.w.Logf("%v %v: %s", t.w.now, t.machine, bytes.TrimSpace(text))
	return len(text), nil
}

// kill ends it, with a last word or without.
func (m *machine) kill(leave bool) {
	if leave {
		m.turn(func() { m.d.step(m.net(), client.Event{Kind: client.Leave}) })
	}
	m.d = nil
	cancel(&m.alarm)
}

func (m *machine) net() *network { return m.d.nets[noIndex] }

// cancel takes something out of the diary.
func cancel(x **note) {
	if *x != nil {
		(*x).do = nil
	}
	*x = nil
}

// turn is a turn of the loop.
func (m *machine) turn(do func()) {
	d := m.d
	if d == nil || m.asleep {
		return
	}
	d.now = d.clock.Now()
	m.openEars()
	do()
	m.openEars()
	d.wakeClients()
	for d.resettle {
		d.settle()
		m.openEars()
		d.wakeClients()
	}
	m.openEars()
	m.saved()
	m.arm()
	if len(m.w.machines) <= few || m.moved {
		m.moved = false
		m.w.audit()
	} else {
		m.audit()
	}
}

// few is how many machines may be looked at in each turn of one of them; of more
// only this one is, unless it has another address or place.
const few = 10

// openEars puts sockets of our own in the place of the kernel's.
func (m *machine) openEars() {
	if n := m.net(); n != nil {
		if n.asIf == nil {
			n.asIf = new(asIf) // the frames stay open, also for unicasts
		}
		n.ears.dhcp, n.ears.arp, n.ears.routers = simFrames{m}, simFrames{m}, noRouter{simFrames{m}}
	}
}

// saved writes the cache, if that is due.
func (m *machine) saved() {
	select {
	case <-m.d.saver.next:
		text := string(cache.Append(nil, cache.File{Entries: m.d.entries}, m.d.cfg.Dict(), m.d.reading()))
		m.disk = append(m.disk[max(0, len(m.disk)-3):], text)
	default:
	}
}

// arm sets the alarm to what comes next, which is never in the past.
func (m *machine) arm() {
	cancel(&m.alarm)
	n := m.net()
	if n == nil || n.due().IsZero() {
		return
	}
	in := m.d.clock.boottime(n.due()) - m.up()
	if in <= 0 {
		m.w.Fatalf("%v: %v in %v, to wake %v ago\n%s", m.w.now, m, n.client.Phase, -in, m.story())
	}
	m.alarm = m.w.after(in, func() { m.turn(func() {}) })
}

// hearFrame and hearARP are the sockets.
func (m *machine) hearFrame(frame []byte) {
	m.turn(func() {
		u, err := ether.ParseUDPFrame(frame)
		if err == nil && u.Dst.Port() == dhcp4.ClientPort {
			m.d.hear(heard{net: m.net(), kind: link.DHCP, data: frame})
		}
	})
}

func (m *machine) hearARP(frame []byte) {
	m.turn(func() { m.d.hear(heard{net: m.net(), kind: link.ARP, data: frame}) })
}

// simFrames are the packet sockets of a machine.
type simFrames struct{ m *machine }

func (f simFrames) Read([]byte) (int, error)  { return 0, os.ErrClosed }
func (f simFrames) About(...netip.Addr) error { return nil }
func (f simFrames) Close()                    {}

func (f simFrames) Write(frame []byte) error {
	m, frame := f.m, append([]byte(nil), frame...)
	p, err := ether.ParseARPFrame(frame)
	if err != nil {
		m.checkMessage(frame)
	}
	switch {
	case m.wire == nil:
	case err == nil:
		m.wire.arp(p, frame, m)
	default:
		m.wire.carry(frame, m.mac)
	}
	return nil
}

// noRouter is a wire with no router on it that would hear.
type noRouter struct{ simFrames }

func (noRouter) Write([]byte) error { return nil }

// The kernel.

func (m *machine) uses(a netip.Addr) bool {
	for p := range m.addrs {
		if p.Addr() == a {
			return true
		}
	}
	return false
}

func (m *machine) Interfaces() ([]link.Interface, error) {
	l := link.Interface{ID: link.ID{Index: noIndex, Name: "eth0"}, MAC: m.mac, MTU: 1500, Ether: true, Up: true,
		Carrier: m.wire != nil, Ready: m.wire != nil, Flaps: m.flaps}
	for p, ends := range m.addrs {
		a := link.Address{Prefix: p, Valid: link.Forever}
		if ends != nil { // it rounds up
			a.Valid = uint32((ends.at - m.w.now + time.Second - 1) / time.Second)
		}
		l.Addrs = append(l.Addrs, a)
	}
	return []link.Interface{l}, nil
}

func (m *machine) SetAddress(on link.ID, a link.Address) error {
	ends := m.addrs[a.Prefix]
	cancel(&ends)
	m.addrs[a.Prefix], m.overslept = nil, false
	if a.Valid != link.Forever {
		m.addrs[a.Prefix] = m.w.after(time.Duration(a.Valid)*time.Second, func() { m.DeleteAddress(on, a.Prefix) })
	}
	m.changed()
	return nil
}

func (m *machine) DeleteAddress(_ link.ID, p netip.Prefix) error {
	ends := m.addrs[p]
	cancel(&ends)
	delete(m.addrs, p)
	m.changed()
	return nil
}

func (m *machine) ReplaceRoute(link.ID, link.Route) error { return nil }
func (m *machine) DeleteRoute(link.ID, link.Route) error  { return nil }

// changed is the kernel's news.
func (m *machine) changed() {
	m.moved = true
	m.w.after(time.Millisecond, func() { m.turn(func() { m.d.lookAgain() }) })
}

// What may happen to a machine.

// plug connects it to a wire, or to none.
func (m *machine) plug(x *wire) {
	if x == m.wire {
		m.flaps++
	}
	m.flaps++
	m.wire = x
	m.disturbed()
	m.changed()
}

// sleep stops it and all its clocks but the boot-time clock.
func (m *machine) sleep(d time.Duration) {
	if m.asleep {
		return
	}
	m.asleep = true
	m.disturbed()
	left := map[netip.Prefix]time.Duration{}
	for p, ends := range m.addrs {
		if ends != nil {
			left[p] = ends.at - m.w.now
			cancel(&ends)
		}
	}
	m.w.after(d, func() {
		m.asleep, m.overslept = false, true
		for p, left := range left {
			m.addrs[p] = m.w.after(left, func() { m.DeleteAddress(link.ID{}, p) })
		}
		m.changed() // its news has waited
		m.turn(func() {})
	})
}

// reboot boots it anew. Nothing is left but the disk.
func (m *machine) reboot() {
	m.kill(false)
	m.disturbed()
	for p := range m.addrs {
		ends := m.addrs[p]
		cancel(&ends)
		delete(m.addrs, p)
	}
	m.booted, m.overslept = m.w.now-10*time.Second, false
	m.boots++
	m.start()
}

// disturbed allows for some messages more.
func (m *machine) disturbed() { m.w.ills++; m.driven += 20 }

// checkMessage looks at a message of ours: RFC 2131 tables 4 and 5, and how
// many there are.
func (m *machine) checkMessage(frame []byte) {
	w, n := m.w, m.net()
	u, err := ether.ParseUDPFrame(frame)
	p := new(dhcp4.Message)
	if err == nil {
		err = p.Parse(u.Payload)
	}
	if err != nil {
		w.Fatalf("%v sent what can't be read: %v: %x", m, err, frame)
	}
	kind := p.Type().String()
	if p.Type() == dhcp4.Request {
		kind = n.client.Phase.String()
	}
	o := &p.Options
	has := [...]bool{!p.Ciaddr.IsUnspecified(), o.Has(dhcp4.RequestedAddress), o.Has(dhcp4.ServerID), o.Has(dhcp4.ParameterList), u.Dst.Addr() != dhcp4.Everyone}
	want, ok := map[string][5]bool{ // ciaddr, requested address, server ID, request list, unicast
		"DHCPDISCOVER": {false, has[1], false, true, false},
		"REQUESTING":   {false, true, true, true, false},
		"REBOOTING":    {false, true, false, true, false},
		"RENEWING":     {true, false, false, true, true},
		"REBINDING":    {true, false, false, true, false},
		"DHCPDECLINE":  {false, true, true, false, false},
		"DHCPRELEASE":  {true, false, true, false, true},
	}[kind]
	if !ok || has != want || u.Dst.Addr().IsUnspecified() || p.Op != dhcp4.BootRequest || p.Hops != 0 || !p.Yiaddr.IsUnspecified() || u.Src.Addr() != p.Ciaddr {
		w.Fatalf("%v: %v sent, in %v, from %v to %v: %s", w.now, m, n.client.Phase, u.Src, u.Dst, p.Dump(nil, dhcp4.Builtin()))
	}
	m.total++
	if w.now-m.hour >= time.Hour {
		m.hour, m.sent, m.driven = w.now, 0, 0
	}
	// A DISCOVER each 63 s at most often, with a REQUEST and its repetitions for
	// each.
	if m.sent++; m.sent > 60*7+m.driven {
		w.Fatalf("%v: %v has sent %d messages since %v", w.now, m, m.sent, m.hour)
	}
}

// story is what the daemon has said.
func (m *machine) story() string { return m.out.String() }

// settled checks that it has a lease that is good for a while.
func (m *machine) settled() {
	m.w.Helper()
	n := m.net()
	l := n.client.Lease
	if !n.client.Held || n.client.Phase < client.Bound || !l.Infinite() && !l.End.After(m.d.now) || !m.uses(l.Net.Addr()) {
		m.w.Fatalf("%v is in %v in the end, with %+v, and has %v\n%s", m, n.client.Phase, l, m.addrs, m.story())
	}
	if a := l.Net.Addr(); !m.possessive && m.w.promises[promised{m.mac, a}] < m.w.now {
		m.w.Fatalf("%v has %v in the end", m, a)
	}
	if lines := strings.Count(m.story(), "\n"); lines > 20+4*m.w.ills {
		m.w.Fatalf("%d lines in the log", lines)
	}
}
