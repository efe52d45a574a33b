package daemon

import (
	"io"
	"os"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"

	"golang.org/x/sys/unix"
)

// guest is a connection to port 67 without a kernel, on the time of a bubble:
// a stream, and whoever is at its other end.
type guest struct {
	*caller
	p    *party
	no   int
	in   []byte    // what has come and was not read yet
	out  []byte    // what the other end has read, and not looked at yet
	room int       // how much it is ready to read
	end  time.Time // of the patience of Next
	kick chan struct{}

	deaf, mute bool // the other end takes no more, says no more
	active     bool
	closed     bool
	broke      error // what a Read or a Write failed with
	cut        bool  // a message may not be whole
	wrote      time.Time

	rest     []byte // what is still to be pushed
	asked    []*demand
	heard    time.Time
	excuse   bool    // for it to be closed
	over     bool    // nothing more may come
	babbled  bool    // what was said need not be a question
	watch    *demand // the active leasequery that is answered
	accepted bool
}

func (g *guest) stir() {
	select {
	case g.kick <- struct{}{}:
	default:
	}
}

// await waits until something may have changed; false if it is too late.
func (g *guest) await(until time.Time) bool {
	left := time.Until(until)
	if left <= 0 {
		return false
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-g.kick:
	case <-t.C:
	}
	g.p.step() // behind what the test did before it had time pass
	return true
}

func (g *guest) patience() time.Time {
	if g.active {
		return time.Now().Add(120 * time.Second)
	}
	return time.Now().Add(300 * time.Second)
}

func (g *guest) fail(err error) error {
	g.broke = err
	return err
}

// take takes what has come; ok if that is something, if only the end.
func (g *guest) take(b []byte) (n int, err error, ok bool) {
	switch {
	case g.closed:
		return 0, g.fail(os.ErrClosed), true
	case len(g.in) > 0:
		n = copy(b, g.in)
		g.in = g.in[n:]
		return n, nil, true
	case g.mute:
		return 0, g.fail(io.EOF), true
	}
	return 0, nil, false
}

func (g *guest) Read(b []byte) (int, error) {
	for g.end = g.patience(); ; {
		if n, err, ok := g.take(b); ok {
			return n, err
		}
		if !g.await(g.end) {
			return 0, g.fail(unix.ETIMEDOUT)
		}
	}
}

func (g *guest) Next(b []byte) (int, error) {
	for time.Now().Before(g.end) {
		if n, err, ok := g.take(b); ok {
			return n, err
		}
		g.await(g.end)
	}
	return 0, nil
}

func (g *guest) Patience(ns int64) error {
	g.end = time.Now().Add(time.Duration(ns))
	return nil
}

func (g *guest) Wake() {
	g.end = time.Time{}
	g.stir()
}

func (g *guest) Active() { g.active = true }

func (g *guest) Write(b []byte) error {
	if most := enough + someAddresses*dhcp4.MinLimit; len(b) > most || cap(b) > 2*most {
		g.p.Errorf("%d octets in a buffer of %d", len(b), cap(b))
	}
	for end := g.patience(); ; {
		n := min(g.room, len(b))
		g.out, b, g.room = append(g.out, b[:n]...), b[n:], g.room-n
		switch {
		case len(b) == 0:
			g.wrote = g.p.now()
			return nil
		case g.closed:
			return g.fail(os.ErrClosed)
		case g.deaf:
			g.cut = true
			return g.fail(unix.EPIPE)
		case !g.await(end):
			g.cut = true
			return g.fail(unix.ETIMEDOUT)
		}
	}
}

func (g *guest) Close() error {
	if g.closed {
		g.p.Errorf("connection %d is closed twice", g.no)
	}
	g.closed = true
	g.stir()
	return nil
}

// endless is the room of who reads whatever comes.
const endless = 1 << 40

// connect makes a connection.
func (p *party) connect(b byte) {
	if len(p.guests) >= 3*mostCallers {
		return
	}
	g := &guest{p: p, no: len(p.guests), room: endless, kick: make(chan struct{}, 1), heard: time.Now()}
	if b&3 == 0 {
		g.room = int(b) * 4
	}
	s := p.s
	g.caller = &caller{s: s, stream: g, done: make(chan struct{}, 1),
		here: p.n.addr.Addr(), there: netip.AddrFrom4([4]byte{10, 0, 0, 99 + b>>2&1})}
	if b>>3&7 == 0 {
		g.here = elsewhere
	}
	g.seen = make([]seenAddr, 0, 1+b>>6*3)
	p.guests = append(p.guests, g)
	go func() {
		if g.comes() {
			g.accepted = true
			g.talk(g)
		}
	}()
	p.settle()
	p.serveAll()
}

// push has the other end say some more of what it has to say.
func (g *guest) push(n int) {
	n = min(n, len(g.rest))
	g.in, g.rest = append(g.in, g.rest[:n]...), g.rest[n:]
	g.stir()
}

// read has it read some more.
func (g *guest) read(n int) {
	g.room = min(g.room+n, endless)
	g.stir()
}

// hangUp has it end the connection, or only say no more.
func (g *guest) hangUp(deaf bool) {
	g.mute, g.deaf, g.excuse = true, g.deaf || deaf, true
	g.stir()
}
