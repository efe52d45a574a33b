package peertest

import (
	"bytes"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
	"dhcpd/pool"
)

var seed = flag.Uint64("seed", 0, "of random moments; 0 for one of its own each time")

// newSeed returns the seed of a test, which it logs.
func newSeed(t *testing.T) *rand.Rand {
	t.Helper()
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("again with -args -seed %d", s)
	return rand.New(rand.NewPCG(s, 1))
}

// What a tenant is doing.
type phase uint8

const (
	idle       phase = iota
	selecting        // has sent a DISCOVER
	requesting       // has sent a REQUEST for what it was offered
	rebooting        // has asked for its lease again
)

// A tenant is a scripted client that remembers what it was promised.
type tenant struct {
	scripted            // addr is what it asks for
	n        uint32     // its number: the upper half of its xids
	lease    netip.Addr // that it was ACKed, and has not given back
	phase    phase
	began    time.Time // when it asked first, in this phase
	asked    time.Time // when it asked last
	tries    int
	renewals byte // each with another class, which has to be synced
}

// A herd is many tenants on one wire, played by one goroutine. It fails its
// test as soon as an address is promised twice. There is no capture: that would
// be a million frames.
type herd struct {
	*testing.T
	server    *netlab.Host
	flags     []string // of dhcpd: its files
	pool      string   // where the test finds the pool file
	sock      *netlab.Socket
	rnd       *rand.Rand
	tenants   []*tenant
	busy      int                    // of them not idle
	owner     map[netip.Addr]*tenant // who was ACKed what
	asks      int
	acks      int
	strangers int
	strange   bool                  // who wants a lease is somebody else each time
	given     func(c *tenant)       // an ACK for a new lease
	refused   func(c *tenant) error // a NAK for a lease that was promised
	buf       []byte
}

const (
	serverAddr = "10.0.0.1"
	inFlight   = 64 // tenants that ask at once
	impatience = 10 * time.Millisecond
)

// newHerd puts n tenants and a server, with a configuration but not started,
// on one wire.
func newHerd(t *testing.T, rnd *rand.Rand, n int) *herd {
	t.Helper()
	lab := netlab.New(t)
	server, client := lab.Host("server"), lab.Host("herd")
	lab.Wire(server, "eth0", client, "eth0")
	server.WriteFile("dhcp.conf", conf(serverAddr+"/16", "DHCPlease 3600;"))
	w := &herd{T: t, server: server, flags: files(server), pool: server.Dir + "/dhcp.pool", sock: client.Frames("eth0"), rnd: rnd,
		owner: map[netip.Addr]*tenant{}, buf: make([]byte, 1<<16)}
	w.given = func(*tenant) {}
	w.refused = func(*tenant) error { return errors.New("for no reason") }
	for i := range n {
		c := &tenant{n: uint32(i)}
		c.scripted = *newScripted(uint16(i))
		c.xid = c.n << 16
		w.tenants = append(w.tenants, c)
	}
	return w
}

// start starts the server, which is not asked whether it is ready.
func (w *herd) start() *netlab.Proc { return w.server.Start(dhcpd, w.flags...) }

// verb runs dhcpd with a verb, beside the server or without.
func (w *herd) verb(verb string, hosts ...string) (said string, code int) {
	w.Helper()
	return w.server.Try(dhcpd, append(append([]string{verb}, w.flags...), hosts...)...)
}

// fill puts addresses into the pool.
func (w *herd) fill(hosts string) {
	w.Helper()
	if said, code := w.verb("-a", hosts); code != 0 {
		w.Fatalf("dhcpd -a: exit %d, %s", code, said)
	}
}

// next begins an exchange.
func (w *herd) next(c *tenant, to phase) {
	if c.phase == idle {
		w.busy++
	}
	if to == selecting && w.strange {
		w.strangers++
		c.mac = newScripted(0).mac
		c.mac[2], c.mac[3], c.mac[4] = byte(w.strangers>>16), byte(w.strangers>>8), byte(w.strangers)
	}
	c.xid++
	w.enter(c, to)
}

// enter begins a phase.
func (w *herd) enter(c *tenant, to phase) {
	c.phase, c.tries, c.began = to, 0, time.Now()
	w.ask(c)
}

// ask sends what the tenant waits for an answer to.
func (w *herd) ask(c *tenant) {
	c.asked = time.Now()
	c.tries++
	w.asks++
	switch c.phase {
	case selecting:
		w.sock.Send(c.discover())
	case requesting:
		w.sock.Send(c.request(netip.MustParseAddr(serverAddr)))
	case rebooting:
		m := c.message(dhcp4.Request)
		c.addr = c.lease
		m.Options.PutAddr(dhcp4.RequestedAddress, c.addr)
		m.Options.Put(dhcp4.ClassID, []byte{'a' + c.renewals%26})
		w.sock.Send(c.frame(m))
	}
}

// rest ends an exchange, whatever became of it.
func (w *herd) rest(c *tenant) {
	if c.phase != idle {
		c.phase = idle
		w.busy--
	}
}

// release gives a lease back. It may be given to another as soon as that is
// on the wire, and need not be: nothing is said in return.
func (w *herd) release(c *tenant) {
	m := c.message(dhcp4.Release)
	m.Ciaddr = c.lease
	m.Options.PutAddr(dhcp4.ServerID, netip.MustParseAddr(serverAddr))
	w.sock.Send(c.frame(m))
	delete(w.owner, c.lease)
	c.lease = netip.Addr{}
	c.xid++ // what still comes is about what was
}

// receive takes in what has come, and waits for a moment if that is nothing.
// It tells whether anything came.
func (w *herd) receive() bool {
	w.sock.SetReadDeadline(time.Now().Add(time.Millisecond))
	n, err := w.sock.Read(w.buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	if err != nil {
		w.Fatal(err)
	}
	if p, ok := decode(w.buf[:n]); ok && p.Op == dhcp4.BootReply && int(p.Xid>>16) < len(w.tenants) {
		w.take(w.tenants[p.Xid>>16], p)
	}
	return true
}

// take takes in a reply to a tenant.
func (w *herd) take(c *tenant, p *packet) {
	typ := p.Type()
	if who := w.owner[p.Yiaddr]; (typ == dhcp4.ACK || typ == dhcp4.Offer) && who != nil && who != c {
		w.Fatalf("%v for %v to %x, but it was promised to %x", typ, p.Yiaddr, c.mac, who.mac)
	}
	if p.Xid != c.xid {
		return
	}
	switch {
	case typ == dhcp4.Offer && c.phase == selecting:
		c.addr = p.Yiaddr
		w.enter(c, requesting)
	case typ == dhcp4.ACK && (c.phase == requesting || c.phase == rebooting):
		w.acked(c, p.Yiaddr)
	case typ == dhcp4.NAK && c.phase == rebooting:
		if err := w.refused(c); err != nil {
			w.Fatalf("%v is refused to its client %x: %v", c.lease, c.mac, err)
		}
		w.rest(c)
		w.release(c)
	case typ == dhcp4.NAK:
		w.rest(c)
	}
}

// acked takes in an ACK that was waited for.
func (w *herd) acked(c *tenant, a netip.Addr) {
	if want := c.addr; a != want {
		w.Fatalf("%x asked for %v and was given %v", c.mac, want, a)
	}
	w.acks++
	if c.phase == requesting {
		c.lease, w.owner[a] = a, c
		w.given(c)
	}
	w.rest(c)
}

// insist asks again for whoever has waited for too long.
func (w *herd) insist() {
	now := time.Now()
	for _, c := range w.tenants {
		switch {
		case c.phase == idle || now.Sub(c.asked) < impatience<<min(c.tries-1, 4):
		case c.phase == requesting && c.tries > 20:
			w.next(c, selecting) // as the server has forgotten its OFFER
		default:
			w.ask(c)
		}
	}
}

// work keeps tenants busy: those without a lease get one, of the others most
// renew and some give theirs back.
func (w *herd) work() {
	for range inFlight {
		if w.busy >= inFlight {
			return
		}
		switch c := w.tenants[w.rnd.IntN(len(w.tenants))]; {
		case c.phase != idle:
		case !c.lease.IsValid():
			w.next(c, selecting)
		case w.rnd.IntN(8) == 0:
			w.release(c)
		default:
			c.renewals++
			w.next(c, rebooting)
		}
	}
}

// play has the tenants work until it is time.
func (w *herd) play(until func() bool) {
	w.Helper()
	for end := time.Now().Add(netlab.Patience); !until(); {
		if time.Now().After(end) {
			w.Fatal("played in vain")
		}
		w.work()
		for n := 0; n < 16 && w.receive(); n++ {
		}
		w.insist()
	}
}

// playFor has the tenants work for up to so long.
func (w *herd) playFor(most time.Duration) {
	w.Helper()
	end := time.Now().Add(time.Duration(w.rnd.Int64N(int64(most) + 1)))
	w.play(func() bool { return time.Now().After(end) })
}

// everyone has each tenant that has a lease ask for it, and waits until all
// have it again.
func (w *herd) everyone() {
	w.Helper()
	for _, c := range w.tenants {
		w.rest(c)
		if c.lease.IsValid() {
			w.next(c, rebooting)
		}
	}
	w.settle()
}

// settle waits until everyone has what it asked for.
func (w *herd) settle() {
	w.Helper()
	for end := time.Now().Add(netlab.Patience); w.busy > 0; w.insist() {
		for n := 0; n < 64 && w.receive(); n++ {
		}
		if time.Now().After(end) {
			w.Fatalf("%d clients wait in vain for a lease", w.busy)
		}
	}
}

// crowdIn has all that have no lease take one: where a lease was lost, its
// address is one of the next.
func (w *herd) crowdIn() {
	w.Helper()
	for _, c := range w.tenants {
		w.rest(c)
		if !c.lease.IsValid() {
			w.next(c, selecting)
		}
	}
	w.settle()
}

// stored returns what is in the pool file, in which every promise must be.
func (w *herd) stored() *pool.Table {
	w.Helper()
	loaded, err := pool.Snapshot(w.pool, pool.NewClock(nil))
	if err != nil || loaded.Corrupt != nil {
		w.Fatal(err, loaded.Corrupt)
	}
	for a, c := range w.owner {
		r, _ := loaded.Table.ByAddr(a)
		if id := append([]byte{1}, c.mac[:]...); r.State != pool.Bound || !bytes.Equal(r.ID, id) {
			w.Fatalf("%v is %v for %x, want it bound for %x", a, r.State, r.ID, id)
		}
	}
	return loaded.Table
}

// hear takes in what a server had sent before it ended.
func (w *herd) hear() {
	for w.receive() {
	}
}

// compacting tells whether a compaction is under way, or was cut short.
func (w *herd) compacting() bool {
	_, err := os.Lstat(w.pool + ".compact")
	return err == nil
}
