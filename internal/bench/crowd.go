package main

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
)

// A kind is one of the things that clients do.
type kind uint8

const (
	cold  kind = iota // DISCOVER, REQUEST, by clients never heard of
	warm              // the same, by clients that have a lease
	renew             // REQUEST by unicast, from the leased address
	query             // DHCPLEASEQUERY by address, by the relay
)

func (k kind) String() string {
	return [...]string{"new clients", "known clients", "renewals", "leasequeries"}[k]
}

// numbers is how many bits of an xid are the client's number; the others tell
// one turn from the next.
const numbers = 20

// A crowd is many DHCP clients in one loop. Over a wire they are behind a
// relay, which the crowd is too; over loopback they broadcast.
type crowd struct {
	relay  *link.UDP // port 67; nil over loopback
	direct *link.UDP // port 68
	nudger *link.UDP
	server netip.AddrPort
	index  int // of the interface that leads there, if no route does

	discover, request, renewal, query *template

	clients []station
	stride  int // from one client of a turn to the next
	fresh   int // from here on they are new to the server
	next    int // of the others, the first one of the next turn
	rest    time.Duration
	turn    uint32
	kind    kind
	udp     *link.UDP // of this turn
	in, out *link.Batch
	left    int // exchanges to end
	naks    int
	again   atomic.Int64 // messages sent once more: an answer was lost
}

// station is one client.
type station struct {
	addr  [4]byte
	asked dhcp4.Type    // what it waits for an answer to; 0: nothing
	at    time.Duration // when, in this turn
}

// newCrowd opens the sockets in the calling thread's namespace.
func newCrowd(server, giaddr netip.Addr) (c *crowd, err error) {
	c = &crowd{server: netip.AddrPortFrom(server, dhcp4.ServerPort), clients: make([]station, 1<<numbers), stride: 1,
		in: link.NewBatch(64, 2048), out: link.NewBatch(64, 640)}
	var relay [4]byte
	flags := dhcp4.Broadcast
	if giaddr.IsValid() {
		relay, flags = giaddr.As4(), 0
		if c.relay, err = link.ListenOne(dhcp4.ServerPort); err != nil {
			return nil, err
		}
	}
	if c.direct, err = link.ListenOne(dhcp4.ClientPort); err != nil {
		return nil, err
	}
	if c.nudger, err = link.ListenOne(1068); err != nil {
		return nil, err
	}
	c.discover = newTemplate(dhcp4.Discover, flags, relay, server.As4(), false)
	c.request = newTemplate(dhcp4.Request, flags, relay, server.As4(), false)
	c.renewal = newTemplate(dhcp4.Request, 0, [4]byte{}, server.As4(), true)
	c.query = newTemplate(dhcp4.LeaseQuery, 0, relay, server.As4(), false)
	return c, nil
}

func (c *crowd) close() {
	for _, u := range []*link.UDP{c.relay, c.direct, c.nudger} {
		if u != nil {
			u.Close()
		}
	}
}

// lost is how long a client waits before it asks again, and patience how long
// a turn may take.
const (
	lost     = 300 * time.Millisecond
	patience = time.Minute
)

// run plays one exchange for each of n clients from first on, at most window
// of them at once, and returns how long all took.
func (c *crowd) run(k kind, first, n, window int) (time.Duration, error) {
	c.prepare(k)
	defer c.nudge()()
	start := time.Now()
	c.left = n
	for now, begun := time.Duration(0), 0; c.left > 0; {
		for ; begun < n && begun < n-c.left+window; begun++ {
			c.begin(first+begun*c.stride, now)
		}
		c.flush()
		if err := c.udp.Receive(c.in); err != nil {
			return 0, err
		}
		now = time.Since(start)
		for i := range c.in.Len() {
			if m := c.in.At(i); len(m.Data) > atType {
				c.hear(m.Data, now)
			} else if c.repeat(first, n, now); now > patience {
				return 0, fmt.Errorf("%v: %d of %d exchanges have not ended in %v", k, c.left, n, patience)
			}
		}
	}
	if c.naks > 0 {
		return 0, fmt.Errorf("%v: %d NAKs", k, c.naks)
	}
	return time.Since(start), nil
}

// take returns the first client of a turn of n. Known ones take turns, and
// rest when it is the first one's again: who renews twice in a second has
// nothing new to be written.
func (c *crowd) take(k kind, n int) (first int) {
	last := c.fresh - (n-1)*c.stride
	switch {
	case k == cold:
		c.fresh += n
		return c.fresh - n
	case c.next >= last:
		time.Sleep(c.rest)
		c.next = 0
	}
	first = c.next
	if c.next++; c.stride == 1 {
		c.next += n - 1
	}
	return first
}

func (c *crowd) prepare(k kind) {
	c.kind, c.naks, c.udp = k, 0, c.relay
	c.turn = (c.turn + 1) & (1<<(32-numbers) - 1)
	if k == renew || c.relay == nil {
		c.udp = c.direct
	}
}

// nudge sends the crowd an empty datagram now and then, so that it does not
// wait for ever for what was lost. The function that it returns ends that.
func (c *crowd) nudge() (end func()) {
	port := dhcp4.ServerPort
	if c.udp == c.direct {
		port = dhcp4.ClientPort
	}
	b := link.NewBatch(1, 1)
	b.Add().To = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
	tick, over, ended := time.NewTicker(lost/3), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-tick.C:
				c.nudger.Send(b)
			case <-over:
				return
			}
		}
	}()
	return func() {
		tick.Stop()
		close(over)
		<-ended
	}
}

func (c *crowd) begin(i int, now time.Duration) {
	switch c.kind {
	case renew:
		c.ask(i, dhcp4.Request, now)
	case query:
		c.ask(i, dhcp4.LeaseQuery, now)
	default:
		c.ask(i, dhcp4.Discover, now)
	}
}

// ask sends a message of client i.
func (c *crowd) ask(i int, typ dhcp4.Type, now time.Duration) {
	if c.out.Full() {
		c.flush()
	}
	s, m := &c.clients[i], c.out.Add()
	s.asked, s.at = typ, now
	m.To, m.Index, m.Data = c.server, c.index, m.Data[:size]
	t := c.discover
	switch {
	case c.kind == renew:
		t = c.renewal
		m.From = netip.AddrPortFrom(netip.AddrFrom4(s.addr), dhcp4.ClientPort)
	case typ == dhcp4.Request:
		t = c.request
	case typ == dhcp4.LeaseQuery:
		t = c.query
	}
	copy(m.Data, t[:])
	binary.BigEndian.PutUint32(m.Data[atXid:], c.turn<<numbers|uint32(i))
	if mac := macOf(i); t != c.query {
		copy(m.Data[atChaddr:], mac[:])
	}
	switch t {
	case c.renewal, c.query:
		copy(m.Data[atCiaddr:], s.addr[:])
	case c.request:
		copy(m.Data[atAddress:], s.addr[:])
	}
}

func (c *crowd) flush() {
	if c.out.Len() > 0 {
		c.udp.Send(c.out) // what is lost is asked for again
		c.out.Reset()
	}
}

// hear takes an answer.
func (c *crowd) hear(b []byte, now time.Duration) {
	xid := binary.BigEndian.Uint32(b[atXid:])
	i := int(xid & (1<<numbers - 1))
	s := &c.clients[i]
	if dhcp4.Op(b[0]) != dhcp4.BootReply || xid>>numbers != c.turn {
		return
	}
	switch typ := dhcp4.Type(b[atType]); {
	case s.asked == dhcp4.Discover && typ == dhcp4.Offer:
		s.addr = [4]byte(b[atYiaddr:])
		c.ask(i, dhcp4.Request, now)
	case s.asked == dhcp4.Request && typ == dhcp4.ACK:
		s.addr = [4]byte(b[atYiaddr:])
		s.asked = 0
		c.left--
	case s.asked == dhcp4.LeaseQuery && typ == dhcp4.LeaseActive:
		s.asked = 0
		c.left--
	case s.asked == dhcp4.Request && typ == dhcp4.NAK:
		s.asked = 0
		c.left--
		c.naks++
	}
}

// repeat asks again for what was not answered.
func (c *crowd) repeat(first, n int, now time.Duration) {
	for i := first; i < first+n*c.stride; i += c.stride {
		if s := &c.clients[i]; s.asked != 0 && now-s.at > lost {
			c.again.Add(1)
			c.ask(i, s.asked, now)
		}
	}
}
