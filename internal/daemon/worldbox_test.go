package daemon

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing/synctest"
	"time"

	"dhcpd/internal/conf"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/internal/simdisk"
	"dhcpd/pool"
)

// box is a computer between networks, or the server on one, and the daemon on
// it: all of that, but for the kernel. Its disk tears and forgets.
type box struct {
	fakeHost
	w     *internet
	name  string
	conf  string
	plugs []*plug
	disk  *simdisk.Disk

	boots  byte
	booted time.Duration
	wrong  time.Duration // by how much the wall clock is
	lowest time.Duration // that it ever was
	asleep bool
	fell   time.Duration // asleep, last
	woke   time.Duration

	d        *Daemon // nil while it does not run
	port     *simPort
	ping     *simPing // nil while nothing is asked
	log      bytes.Buffer
	alarm    *note
	soon     *note // when what waits at the port is read
	waiting  []datagram
	slow     *slowDisk     // that the daemon has
	latency  time.Duration // of that
	second   time.Duration // in which turns are counted
	spins    int           // that only the alarm made
	file     uint64        // which is the pool file
	mourning bool          // its pool file was taken away, and is not written anew yet

	members map[netip.Addr]bool // what operators put into the pool
	unsure  map[netip.Addr]bool // and what they don't know whether it is in there
	edited  bool                // the daemon has not heard of it
}

// plug is an interface of a box.
type plug struct {
	b     *box
	id    link.ID
	mac   ether.MAC
	wire  *wire
	addrs []netip.Prefix
	ears  []*simEar
}

const poolFile = "/var/dhcp.pool"

func (w *internet) addBox(name string, wires ...*wire) *box {
	b := &box{w: w, name: name, disk: simdisk.New(), members: map[netip.Addr]bool{}, unsure: map[netip.Addr]bool{}, latency: w.upTo(20 * time.Millisecond)}
	w.boxes = append(w.boxes, b)
	for i, x := range wires {
		p := &plug{b: b, id: link.ID{Index: 2 + i, Name: fmt.Sprint("eth", i)}, wire: x}
		p.mac = ether.MAC{6, 4: byte(len(w.boxes)), 5: byte(i)}
		x.plugs = append(x.plugs, p)
		b.plugs = append(b.plugs, p)
	}
	return b
}

func (b *box) String() string { return b.name }

func (b *box) up() time.Duration { return b.w.now - b.booted }

func (b *box) read() pool.Reading {
	r := pool.Reading{Boot: fmt.Sprintf("boot-%d", b.boots), Wall: b.w.wall().Add(b.wrong), Up: b.up()}
	if r.Wall.Unix() < 0 {
		r.Wall = time.Unix(0, 0) // no Linux lets that go lower
	}
	return r
}

// start does what Daemon.start does.
func (b *box) start() {
	if b.d != nil {
		return
	}
	b.port = &simPort{b: b, in: make(chan []datagram)}
	b.slow = &slowDisk{Disk: b.disk, b: b, asked: make(chan chan bool, 4)}
	b.d = &Daemon{host: b, doors: b.doors(), clock: clockOf(b.read), random: b.w.rnd.Uint64, say: sayer{out: io.Discard, err: &b.log},
		opt: Options{Pool: poolFile}, cfg: b.parse(), nets: map[int]*network{}, addrs: map[netip.Addr]bool{},
		missed: map[string]bool{}, ifSet: map[string]bool{}, out1: link.NewBatch(1, 1<<12), ended: make(chan struct{})}
	b.log.Reset()
	b.d.service = newService(b.d)
	b.d.service.core.Fresh = func() (n [16]byte) {
		for i := range n {
			n[i] = byte(b.w.rnd.Uint32())
		}
		return n
	}
	b.turn(func() {
		links, _ := b.Interfaces()
		b.d.number(links)
		b.d.look(links)
	})
	b.pump()
	b.w.after(time.Second, b.keepsWord)
	if b.w.crowded && b.w.oneOf(2) {
		b.dieSoon()
	}
}

func (b *box) parse() *conf.Config {
	var ifs []conf.Ifname
	for _, p := range b.plugs {
		ifs = append(ifs, conf.Ifname{Name: p.id.Name, Index: p.id.Index, Ether: true})
	}
	cfg, err := conf.Parse("dhcp.conf", b.conf, conf.Env{Interfaces: ifs})
	if err != nil {
		b.w.Fatalf("%v: %v\n%s", b, err, b.conf)
	}
	if p := cfg.Problems(); len(p) > 0 {
		b.w.Fatalf("%v: %v\n%s", b, p, b.conf)
	}
	return cfg
}

// turn is a turn of the loop.
func (b *box) turn(do func()) {
	d := b.d
	if d == nil || b.asleep {
		return
	}
	d.now = d.clock.Now()
	do()
	d.finish()
	b.arm()
}

// arm sets the alarm to what comes next. It never comes at once, again and again.
func (b *box) arm() {
	cancel(&b.alarm)
	next := b.d.next()
	if next.IsZero() {
		return
	}
	in := b.d.clock.boottime(next) - b.up()
	if in < 0 {
		b.w.Fatalf("%v: to wake %v ago", b, -in)
	}
	b.alarm = b.w.after(in, func() {
		if second := b.w.now / time.Second; second != b.second {
			b.second, b.spins = second, 0
		}
		if b.spins++; b.spins > mostSpins {
			b.w.Fatalf("%v: %d turns in a second, for nothing but the time", b, b.spins)
		}
		b.turn(func() {})
		b.pump()
	})
}

// mostSpins is more than a table takes that is looked through, some rows each
// millisecond.
const mostSpins = 1500

// pump takes turns until nobody has anything more to say at this moment.
func (b *box) pump() {
	for b.d != nil && !b.asleep && b.next() {
	}
	synctest.Wait()
	if b.disk.Dead() {
		b.crash()
	}
}

// next takes one turn, as Daemon.loop does, but in an order that is always the
// same; false if nobody has anything to say.
func (b *box) next() bool {
	synctest.Wait()
	d, s := b.d, b.d.service
	if d.fatal != nil {
		b.end(true)
		b.w.after(10*time.Second, b.start) // as systemd would
		return false
	}
	if len(b.waiting) > 0 && s.table != nil && len(s.received) == 0 {
		b.port.in <- b.waiting
		b.waiting = nil
		synctest.Wait()
	}
	select {
	case r := <-s.written:
		b.turn(func() {
			s.blockDone(r)
			b.written(r.err)
		})
		return true
	default:
	}
	select {
	case x := <-s.received:
		b.turn(func() { s.batch(x) })
		return true
	default:
	}
	select {
	case ready := <-b.slow.asked:
		b.slow.sync(ready)
	default:
	}
	select {
	case o := <-s.others:
		b.turn(func() { s.hearOther(o) })
		return true
	default:
	}
	select {
	case p := <-s.checks.came:
		b.turn(func() { s.checks.hear(p) })
		return true
	default:
	}
	select {
	case take := <-s.handed():
		b.turn(take)
		return true
	default:
	}
	select {
	case <-s.poolNews():
		b.turn(s.poolChanged)
		return true
	default:
	}
	return false
}

// end ends the daemon: in order, or as kill -9 does, after which the disk has
// what it had a moment ago.
func (b *box) end(clean bool) {
	d := b.d
	if d == nil {
		return
	}
	if !clean {
		b.disk.Die(0)
		b.port.deaf = true
	}
	cancel(&b.alarm)
	b.slow.hurry()
	d.service.close()
	b.deafen()
	close(d.ended)
	synctest.Wait()
	b.d, b.waiting, b.edited = nil, nil, false
}

// deafen closes what is open.
func (b *box) deafen() {
	for _, p := range b.plugs {
		for len(p.ears) > 0 {
			p.ears[0].Close()
		}
	}
	if b.ping != nil {
		b.ping.Close()
	}
}

// abandon leaves it as it is, but for what waits.
func (b *box) abandon() {
	if b.d == nil {
		return
	}
	b.port.Close()
	b.slow.hurry()
	b.deafen()
	close(b.d.ended)
	s := b.d.service
	close(s.todo)
	close(s.idle)
	if s.post.out != nil {
		close(s.post.out)
	}
}

// crash is the end of the program, or of the power.
func (b *box) crash() {
	b.w.tally.crashes++
	b.end(false)
	if b.w.oneOf(2) {
		b.disk.Kill()
	} else {
		b.disk.CutPower(rand.New(rand.NewPCG(b.w.rnd.Uint64(), 0)))
		b.reset()
	}
	b.w.after(b.w.upTo(pick(b.w.world, time.Second, b.w.most)), b.start)
}

// reset boots the machine anew. Its wall clock may be unset, or slow, but not
// fast: nobody could tell how much of that is time that has passed.
func (b *box) reset() {
	b.booted = b.w.now - 10*time.Second
	b.boots++
	for _, p := range b.plugs {
		p.addrs = nil
	}
	switch b.wrong = b.lowest; b.w.rnd.IntN(3) {
	case 0:
		b.wrong = -60 * year // there is no battery
	case 1:
		b.step(b.wrong - b.w.upTo(24*time.Hour))
	}
}

// step sets the wall clock.
func (b *box) step(wrong time.Duration) {
	b.wrong = wrong
	if b.w.wall().Add(wrong).After(pool.Built) {
		b.lowest = min(b.lowest, wrong)
	}
}

const year = 365 * 24 * time.Hour

// The kernel.

func (b *box) plug(index int) *plug {
	if i := index - 2; i >= 0 && i < len(b.plugs) {
		return b.plugs[i]
	}
	return nil
}

// on returns the interface with an address, nil for none.
func (b *box) on(a netip.Addr) *plug {
	for _, p := range b.plugs {
		for _, x := range p.addrs {
			if x.Addr() == a {
				return p
			}
		}
	}
	return nil
}

func (b *box) Interfaces() (list []link.Interface, err error) {
	for _, p := range b.plugs {
		l := link.Interface{ID: p.id, MAC: p.mac, MTU: 1500, Ether: true, Up: true, Carrier: true, Ready: true}
		for _, a := range p.addrs {
			l.Addrs = append(l.Addrs, link.Address{Prefix: a, Valid: link.Forever})
		}
		list = append(list, l)
	}
	return list, nil
}

func (b *box) SetAddress(on link.ID, a link.Address) error {
	if p := b.plug(on.Index); !slices.Contains(p.addrs, a.Prefix) {
		p.addrs = append(p.addrs, a.Prefix)
		b.changed()
	}
	return nil
}

func (b *box) DeleteAddress(on link.ID, a netip.Prefix) error {
	p := b.plug(on.Index)
	p.addrs = slices.DeleteFunc(p.addrs, func(x netip.Prefix) bool { return x == a })
	b.changed()
	return nil
}

func (b *box) SetUp(link.ID) error                    { return nil }
func (b *box) SetMTU(link.ID, int) error              { return nil }
func (b *box) ReplaceRoute(link.ID, link.Route) error { return nil }
func (b *box) DeleteRoute(link.ID, link.Route) error  { return nil }

// changed is the kernel's news.
func (b *box) changed() {
	b.w.after(time.Millisecond, func() {
		b.turn(func() { b.d.lookAgain() })
		b.pump()
	})
}
