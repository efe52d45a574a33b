package daemon

import (
	"errors"
	"os"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/pool"
	"dhcpd/server"
)

// checks asks the wire whether anybody has an address: by ARP on a network
// that we are on, by ICMP echo elsewhere. Its ears are open while it asks.
type checks struct {
	s     *service
	asked []question
	arp   map[*network]*ear
	ping  pinger
	came  chan present
}

// ear hears ARP on a network.
type ear struct {
	link.Frames
	stale bool // its filter does not know the latest question yet
}

// question is one that is under way.
type question struct {
	addr netip.Addr
	site *network  // where it arose
	arp  *network  // where it is asked; nil: by ICMP
	next time.Time // when it is asked again, or given up
	left int       // how often it is asked yet
}

// present is an answer: somebody is there. Or an ear is of no use any more.
type present struct {
	addr netip.Addr
	hw   pool.HW // zero from afar
	deaf *ear
}

// A question is asked twice, and answered by silence after a second.
const (
	askTimes  = 2
	askEvery  = 500 * time.Millisecond
	mostAsked = 1000 // questions under way; as many fit into a filter
)

// ask begins to ask about a, for a client at n.
func (c *checks) ask(n *network, a netip.Addr) {
	known := c.find(func(q *question) bool { return q.addr == a }) >= 0
	if known || len(c.asked) >= mostAsked {
		return // the server will ask again
	}
	q := question{addr: a, site: n, arp: c.s.d.home(a), left: askTimes}
	if q.site == nil {
		q.site = q.arp
	}
	if q.site == nil {
		return // for nobody, and not on a network of ours
	}
	c.asked = append(c.asked, q)
	if !c.listen(q.arp) || !c.send(&c.asked[len(c.asked)-1]) {
		// Silence would mean nothing. The client will come again.
		c.asked = c.asked[:len(c.asked)-1]
	}
}

// home returns the network of ours that a is on, nil if it is behind a relay.
func (d *Daemon) home(a netip.Addr) *network {
	on, known := d.cfg.Network(a)
	for _, n := range d.order {
		for _, p := range n.site.Addrs {
			net, ok := d.cfg.Network(p.Addr())
			if n.serves() && (p.Contains(a) || known && ok && net == on) {
				return n
			}
		}
	}
	return nil
}

// listen opens the ears that an answer to the last question needs, which is
// asked at n; false if they can't be had.
func (c *checks) listen(n *network) bool {
	var err error
	switch {
	case n == nil && c.ping == nil:
		if c.ping, err = c.s.d.doors.ping(); err == nil {
			go c.readPing(c.ping)
		}
	case n != nil && c.arp[n] == nil:
		err = c.openARP(n)
	case n != nil:
		c.arp[n].stale = true
	}
	if err != nil {
		c.s.d.say.once(err.Error())
	}
	return err == nil
}

func (c *checks) openARP(n *network) error {
	f, err := c.s.d.doors.frames(n.link.ID, link.ARP)
	if err == nil {
		c.arp[n] = &ear{f, true}
		go c.readARP(c.arp[n], n.link.MAC)
	}
	return err
}

// attune sets the filters of ears anew, once a turn at most: before the
// questions of this turn are sent.
func (c *checks) attune() {
	for n, e := range c.arp {
		if !e.stale {
			continue
		}
		var about []netip.Addr
		for _, q := range c.asked {
			if q.arp == n {
				about = append(about, q.addr)
			}
		}
		c.s.d.check(e.About(about...))
		e.stale = false
	}
}

func (c *checks) readPing(p pinger) {
	for {
		a, err := p.Wait()
		if err != nil || !c.hand(present{addr: a}) {
			return
		}
	}
}

func (c *checks) readARP(e *ear, ours ether.MAC) {
	buf := make([]byte, 256)
	for {
		n, err := e.Read(buf)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			c.hand(present{deaf: e})
			return
		}
		p, err := ether.ParseARPFrame(buf[:n])
		if err != nil || p.SenderHW == ours || p.IsProbe() {
			continue
		}
		if !c.hand(present{addr: p.SenderIP, hw: pool.HWOf(dhcp4.HtypeEther, p.SenderHW[:])}) {
			return
		}
	}
}

// hand gives the loop an answer; false if the loop has ended.
func (c *checks) hand(p present) bool {
	select {
	case c.came <- p:
		return true
	case <-c.s.d.ended:
		return false
	}
}

// hear takes an answer.
func (c *checks) hear(p present) {
	if p.deaf != nil { // silence would mean nothing
		for i := len(c.asked) - 1; i >= 0; i-- {
			if q := &c.asked[i]; q.arp != nil && c.arp[q.arp] == p.deaf {
				c.drop(i)
			}
		}
		return
	}
	i := c.find(func(q *question) bool {
		return q.addr == p.addr && (q.arp == nil) == (p.hw == pool.HW{})
	})
	if i >= 0 {
		c.s.d.count.of[answered]++
		c.end(i, server.Outcome{Addr: p.addr, Heard: true, HW: p.hw})
	}
}

// find returns the number of the first question that is it, or -1.
func (c *checks) find(is func(*question) bool) int {
	for i := range c.asked {
		if is(&c.asked[i]) {
			return i
		}
	}
	return -1
}

// drop forgets a question.
func (c *checks) drop(i int) { c.asked = append(c.asked[:i], c.asked[i+1:]...) }

// end ends a question and does what the server makes of the answer.
func (c *checks) end(i int, o server.Outcome) {
	s, n := c.s, c.asked[i].site
	c.drop(i)
	if s.d.nets[n.link.Index] != n {
		return // the network is gone
	}
	s.do(n, s.core.Checked(s.d.now, s.d.cfg, &n.site, s.table, o))
}

// due asks again or gives up where it is time to, and closes the ears that
// nothing needs.
func (c *checks) due() {
	for len(c.came) > 0 { // what was said in time counts, also if the machine slept over that
		c.hear(<-c.came)
	}
	now := c.s.d.now
	for i := 0; i < len(c.asked); i++ {
		q := &c.asked[i]
		switch {
		case now.Before(q.next):
		case q.left > 0:
			c.send(q)
		default:
			c.end(i, server.Outcome{Addr: q.addr})
			i--
		}
	}
	c.shut()
	c.attune()
}

// send sends the question once; false if it does not get out.
func (c *checks) send(q *question) bool {
	c.s.d.count.of[asked]++
	q.left--
	q.next = c.s.d.now.Add(askEvery)
	if q.arp == nil {
		err := c.ping.Ask(q.addr)
		if err != nil {
			c.s.d.say.debug(1, err.Error())
		}
		return err == nil
	}
	p := ether.Probe(q.arp.link.MAC, q.addr)
	m := c.s.room(&c.s.direct.raw)
	m.Index = q.arp.link.Index
	m.Data = p.AppendFrame(m.Data)
	return true
}

// shut closes the ears that nothing needs any more.
func (c *checks) shut() {
	needed := func(n *network) bool {
		return c.find(func(q *question) bool { return q.arp == n }) >= 0
	}
	for n, f := range c.arp {
		if !needed(n) {
			f.Close()
			delete(c.arp, n)
		}
	}
	if c.ping != nil && !needed(nil) {
		c.ping.Close()
		c.ping = nil
	}
}

// wake returns when due is to be called, the zero Time for never.
func (c *checks) wake() (next time.Time) {
	for _, q := range c.asked {
		next = earlier(next, q.next)
	}
	return next
}
