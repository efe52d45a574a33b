package daemon

import (
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dhcpd/internal/conf"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

type seenAddr = pool.Seen

// FuzzCallers plays any sequence of events to the answering of bulk and of
// active leasequeries (RFC 6926, RFC 7724), between those of FuzzService: it
// has the real service, connections and all, with other ends that ask, babble,
// dawdle and go, and looks at each octet that they get.
func FuzzCallers(f *testing.F) {
	// One connection asks for all, is answered and ends; one is told what changes
	// and hears of a lease.
	for _, s := range [][]byte{
		{0, 9, 6, 0, 0, 0, 0, 1, 1, 64 + 48, 0, 40, 0, 1},
		{0, 9, 6, 0, 3, 0, 0, 1, 1, 64 + 48, 1, 0, 1, 1, 0, 9, 1, 16, 1, 19, 64 + 48, 56, 0, 200},
	} {
		f.Add(s)
	}
	for seed := range byte(30) {
		f.Add(randomOctets(100+seed, 500))
	}
	file, _, err := pool.Open(filepath.Join(f.TempDir(), "pool"), clockOf(frozen).Clock)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { file.Close() })
	f.Fuzz(func(t *testing.T, script []byte) {
		synctest.Test(t, func(t *testing.T) {
			p := newParty(t, file)
			defer p.clear()
			p.data = script
			for n := 0; n < 400 && len(p.data) > 0; n++ {
				p.event()
			}
			if p.turn&8 != 0 {
				p.shutDown()
			} else {
				p.finish()
			}
		})
	})
}

// party is the rig with connections.
type party struct {
	*rig
	began   time.Time
	guests  []*guest
	waiting []*caller // who want something of the loop
	asks    int       // of them at this moment
	last    time.Time
	turn    int // counts what happens
	flooded bool
	order   sync.Mutex
	safe    int // the first connection after a power cut
	history
}

func newParty(t *testing.T, file *pool.File) *party {
	p := &party{rig: newRig(t, file), began: time.Now()}
	d := p.s.d
	d.ended = make(chan struct{})
	d.clock = clockOf(func() pool.Reading {
		by := time.Since(p.began)
		return pool.Reading{Boot: "b", Wall: start.Add(by), Up: time.Hour + by}
	})
	d.now = d.clock.Now()
	p.n.plan.LeaseQuery = &conf.LeaseQuery{Active: true}
	p.rig.pass, p.rig.cut = p.wait, p.powerCut
	p.history.init()
	p.note()
	return p
}

// event is one of ours, or of the rig's.
func (p *party) event() {
	failed := p.failed
	b := p.octet()
	if b&1 != 0 {
		p.play()
	} else {
		p.call(b >> 1)
	}
	p.settle()
	p.noteAfter(p.failed > failed)
	if b&64 != 0 {
		p.serveAll()
	}
	p.hearAll()
}

// call is what a connection may do, or what only they notice.
func (p *party) call(b byte) {
	b %= 32
	if len(p.guests) == 0 || b < 2 {
		p.connect(p.octet())
		return
	}
	if b == 2 {
		p.permits(p.octet())
		return
	}
	g := p.guests[int(p.octet())%len(p.guests)]
	switch b {
	default:
		p.question(g)
	case 14, 15, 16:
		g.push(int(p.octet()))
	case 17:
		p.babble(g, p.octet())
	case 18, 19:
		n := int(p.octet()) * 8
		if n >= 1024 {
			n = endless
		}
		g.read(n)
	case 20:
		g.hangUp(p.octet()&1 != 0)
	case 21, 22, 23:
		p.serve(int(p.octet()))
	case 24, 25:
		p.serveAll()
	case 26, 27:
		p.wait(time.Duration(p.octet()) * 100 * time.Millisecond)
	case 28:
		p.wait(time.Duration(p.octet()) * time.Second)
	case 29:
		p.flood(addrOf(p.octet() % rigPool))
	case 31:
		p.breakOff(g)
	case 30:
		if p.octet()&3 == 0 { // the pool file is another one
			p.s.publishOthers(&pool.Changes{Reset: true})
			p.excuseAll()
		}
	}
}

// breakOff has a connection break, and its other end come back.
func (p *party) breakOff(g *guest) {
	if g.watch == nil {
		return
	}
	p.hearAll()
	g.hangUp(true)
	p.settle()
	p.serveAll()
	p.connect(p.octet() | 9)
	p.data = append([]byte{59, 0, 1, 1}, p.data...)
	p.question(p.guests[len(p.guests)-1])
}

// permits changes what may be asked.
func (p *party) permits(b byte) {
	q := &conf.LeaseQuery{Active: b&1 == 0, Limited: b&2 != 0}
	if b&4 != 0 {
		q.From = []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 0, 99})}
	}
	if b&8 != 0 {
		q.Show.Add(15)
	}
	if b&0x70 == 0 {
		q = nil
	}
	p.n.plan.LeaseQuery = q
	p.excuseAll()
}

func (p *party) excuseAll() {
	for _, g := range p.guests {
		g.excuse = true
	}
}

// flood is so much news, none of it true, that not all of it can be kept.
func (p *party) flood(a netip.Addr) {
	for n := 0; n < mostNews+2 && !p.flooded; n++ {
		p.s.noteChange(a, pool.Time(p.s.d.now.Unix()))
	}
	p.flooded = true
}

// settle lets everybody come to a rest, and finds out who wants something.
func (p *party) settle() {
	for {
		synctest.Wait()
		select {
		case c := <-p.s.bulk.wants:
			p.waiting = append(p.waiting, c)
			continue
		default:
		}
		break
	}
	slices.SortFunc(p.waiting, func(a, b *caller) int { return p.of(a).no - p.of(b).no })
}

func (p *party) of(c *caller) *guest { return c.stream.(*guest) }

// serve does what one of those wants who want something.
func (p *party) serve(n int) {
	if len(p.waiting) == 0 {
		return
	}
	n %= len(p.waiting)
	c := p.waiting[n]
	p.waiting = append(p.waiting[:n], p.waiting[n+1:]...)
	if !p.last.Equal(time.Now()) {
		p.last, p.asks = time.Now(), 0
	}
	if p.asks++; p.asks > 20*mostNews {
		p.Fatalf("connection %d: no end of questions to the loop", p.of(c).no)
	}
	watched := c.watching
	p.turn++
	p.s.callerWants(c)
	if !watched && c.watching {
		p.watches(p.of(c))
	}
	p.settle()
	p.count()
}

func (p *party) serveAll() {
	p.settle()
	for len(p.waiting) > 0 {
		p.serve(0)
	}
	for _, g := range p.guests {
		if g.broke != nil && !g.closed {
			p.Fatalf("connection %d is not closed after %v", g.no, g.broke)
		}
	}
}

// count checks that no more are let in than may be, and none is forgotten.
func (p *party) count() {
	n := 0
	for _, g := range p.guests {
		if g.accepted && !g.closed {
			n++
		}
	}
	if s := p.s; len(s.bulk.callers) > mostCallers || len(p.waiting) == 0 && len(s.bulk.callers) != n {
		p.Fatalf("%d connections, %d counted", n, len(s.bulk.callers))
	}
	for _, c := range p.s.bulk.callers {
		if p.of(c).closed || len(c.news) > mostNews {
			p.Fatalf("connection %d: %d news, closed %v", p.of(c).no, len(c.news), p.of(c).closed)
		}
	}
}

// wait has time pass; whoever wants something meanwhile gets it.
func (p *party) wait(by time.Duration) {
	p.serveAll()
	for timer := time.After(by); ; {
		p.step()
		select {
		case c := <-p.s.bulk.wants:
			p.waiting = append(p.waiting, c)
			p.settle()
			p.serveAll()
			p.hearAll()
			continue
		case <-timer:
		}
		break
	}
	p.s.d.now = p.s.d.clock.Now()
	p.settle()
}

// step comes behind all steps before it.
func (p *party) step() {
	p.order.Lock()
	defer p.order.Unlock() // the race detector does not know that time orders
}

// powerCut ends all connections.
func (p *party) powerCut() {
	p.allLeave()
	p.count()
	p.quake, p.safe = true, len(p.guests)
}

// allLeave has all other ends hang up.
func (p *party) allLeave() {
	for _, g := range p.guests {
		g.hangUp(true)
	}
	p.serveAll()
	p.wait(time.Second)
	p.serveAll()
}

// finish lets all that is under way come to its end.
func (p *party) finish() {
	p.quiesce()
	p.settle()
	p.noteAfter(false)
	for _, g := range p.guests {
		g.read(endless)
	}
	p.wait(3 * quiet)
	p.hearAll()
	for _, g := range p.guests {
		p.judge(g)
	}
	p.verdict()
	p.allLeave()
	if n := len(p.s.bulk.callers); n != 0 {
		p.Fatalf("%d connections, and nobody is there", n)
	}
}

// shutDown ends the service in order, whatever is under way with the callers, and
// tells how long that took.
func (p *party) shutDown() time.Duration {
	p.quiesce()
	p.settle()
	p.noteAfter(false)
	p.serveAll()
	var list []*guest // who is to be told all, and that it is the end
	for _, g := range p.guests {
		if g.watch != nil && !g.closed && !g.excuse && g.room > endless/2 {
			list = append(list, g)
		}
	}
	p.excuseAll()
	p.s.filling.due = false
	ring := make(chan struct{}, 1)
	time.AfterFunc(time.Second, func() { ring <- struct{}{} })
	p.s.d.alarm = &link.Alarm{C: ring}
	began := time.Now()
	p.s.farewell()
	took := time.Since(began)
	synctest.Wait()
	if took > time.Second {
		p.Fatalf("the farewell took %v", took)
	}
	p.hearAll()
	for _, g := range list {
		if !g.over {
			p.Fatalf("connection %d was told nothing of the end", g.no)
		}
		for i := range byte(16) {
			p.mirrors(g, g.watch, addrOf(i))
		}
	}
	p.verdict()
	return took
}

// clear ends whatever is left of a bubble.
func (p *party) clear() {
	close(p.s.d.ended)
	for _, c := range p.waiting {
		c.done <- struct{}{}
	}
	synctest.Wait()
	for _, g := range p.guests {
		g.end = time.Now()
		g.hangUp(true)
	}
	p.step()
	time.Sleep(time.Hour)
	synctest.Wait()
	for _, g := range p.guests {
		if !g.closed {
			p.Errorf("connection %d outlives the loop", g.no)
		}
	}
}
