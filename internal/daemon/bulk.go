package daemon

import (
	"errors"
	"os"
	"strconv"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/pool"
	"dhcpd/server"
)

// bulk is what answering bulk leasequeries takes (RFC 6926): a goroutine for
// each connection, which waits for the asker, so that the loop never does. It
// asks the loop for some addresses at a time, as copies, and makes messages
// of them itself.
type bulk struct {
	ear     *link.Listener // nil while nobody may ask
	wants   chan *caller   // what connections want of the loop
	callers []*caller
	ending  bool      // nobody is told any more
	late    pool.Time // the longest that anything took to be stored, in seconds
}

// mostCallers is how many connections there may be (RFC 6926 section 6.3,
// BULK_LQ_MAX_CONNS).
const mostCallers = 10

// someAddresses is how many the loop copies at a time, in some ten microseconds;
// between two times the processor is left to those who want a lease.
const (
	someAddresses = 512
	breath        = 100 * time.Microsecond
)

// open opens or closes the port, as is wanted.
func (b *bulk) open(s *service) {
	switch wanted := s.d.any((*network).tells); {
	case wanted && b.ear == nil:
		ear, err := s.d.doors.listen()
		if err != nil {
			s.d.say.once(err.Error())
			return
		}
		b.ear = ear
		s.d.say.debug(3, "TCP port 67 opened")
		go b.accept(s, ear)
	case !wanted && b.ear != nil:
		b.ear.Close()
		b.ear = nil
		s.d.say.debug(3, "TCP port 67 closed")
	}
}

// accept hands over connections until the port is closed.
func (b *bulk) accept(s *service, ear *link.Listener) {
	for {
		stream, err := ear.Accept()
		if errors.Is(err, os.ErrClosed) {
			return
		}
		c := &caller{s: s, stream: stream, done: make(chan struct{}, 1)}
		if err != nil {
			c.wrong = err.Error()
			c.ask((*service).remark)
			time.Sleep(time.Second) // no room for one more: there will be
			continue
		}
		c.here, c.there = stream.Ends()
		if c.comes() {
			go c.talk(stream)
		}
	}
}

// callerWants does what a connection asks the loop for.
func (s *service) callerWants(c *caller) {
	s.d.now = s.d.clock.Now()
	c.now = s.d.now
	for t, n := range c.sent {
		s.d.count.sent[t] += n
		c.told += n
	}
	if n := c.sent[dhcp4.LeaseQueryDone]; n > 0 {
		s.d.say.debug(1, "TCP port 67: "+c.there.String()+" was told of "+strconv.FormatUint(c.told-n, 10)+" addresses")
		c.told = 0
	}
	c.sent = types{}
	c.want(s, c)
	c.done <- struct{}{}
}

// remark says what went wrong.
func (s *service) remark(c *caller) {
	s.d.say.often(s.d.now, remark, "TCP port 67: "+c.wrong)
}

// permit finds out whether the connection may ask, as the config has it now.
func (s *service) permit(c *caller) {
	c.let, c.cfg = nil, s.d.cfg
	if n := s.d.networkOf(c.here); n != nil && n.tells() && server.MayAsk(n.plan.LeaseQuery, c.there) {
		c.let = n.plan.LeaseQuery
	}
}

// arrive takes a connection or doesn't.
func (s *service) arrive(c *caller) {
	s.permit(c)
	why := " may not ask"
	if c.let != nil && len(s.bulk.callers) >= mostCallers {
		why = " is one too many"
		c.let, c.wrong = nil, c.there.String()+why
		s.remark(c)
	}
	if c.let == nil {
		s.d.drop(&s.d.count.of[rebuffed], "TCP port 67", c.there.String()+why)
		return
	}
	s.bulk.callers = append(s.bulk.callers, c)
	s.d.count.of[callers]++
}

// leave ends a connection.
func (s *service) leave(c *caller) {
	s.endWalk(c)
	s.bulk.dismiss(c)
	if c.broken {
		s.d.count.of[brokenOff]++
	}
	if c.wrong != "" {
		s.remark(c)
	}
}

// dismiss takes a connection off the list.
func (b *bulk) dismiss(c *caller) {
	for i, w := range b.callers {
		if w == c {
			last := len(b.callers) - 1
			b.callers[i], b.callers[last] = b.callers[last], nil
			b.callers = b.callers[:last]
			return
		}
	}
}

const shutsDown = "the server shuts down"

// farewell has all connections end, and those who wait for an answer told so
// (RFC 6926 section 8.5, RFC 7724 sections 7.4 and 8.4): who watches, when all is
// told. Who has not read that when the time is over goes without.
func (s *service) farewell() {
	b, d := &s.bulk, s.d
	if len(b.callers) == 0 {
		return
	}
	s.finish()
	b.ending = true
	for _, c := range b.callers {
		c.stream.Wake()
	}
	end := d.clock.Now().Add(time.Second)
	d.check(d.alarm.Set(d.clock.boottime(end)))
	for len(b.callers) > 0 && d.clock.Now().Before(end) {
		select {
		case c := <-b.wants:
			s.callerWants(c)
		case <-d.alarm.C:
		}
	}
}

func (s *service) endWalk(c *caller) {
	if c.walk != nil {
		c.walk.End()
		c.walk = nil
	}
}

// hearQuery begins to answer a query.
func (s *service) hearQuery(c *caller) {
	s.permit(c)
	if c.let == nil {
		return
	}
	q := c.answer.Query()
	if c.status, c.why, c.ok = c.answer.Open(c.query, c.cfg, c.let, c.here); !c.ok {
		return
	}
	s.d.count.received.count(q)
	s.d.say.packet("TCP port 67", "received from", c.there, q, s.d.cfg.Dict())
	if c.status == dhcp4.Success && s.table.Shut() {
		c.status, c.why = dhcp4.QueryTerminated, "the pool table is corrupt"
	}
}

// look copies the next addresses: first those of client elements that the table
// doesn't have, then those of the table.
func (s *service) look(c *caller) {
	if s.bulk.ending && !c.watching {
		s.endWalk(c)
		c.status, c.why = dhcp4.QueryTerminated, shutsDown
		return
	}
	if c.walk == nil {
		c.walk, c.next = s.table.Walk(c.answer.Key()), 0
	}
	all, n := c.seen[:cap(c.seen)], 0
	for c.answer.All() && n < len(all) {
		a, ok := c.cfg.Entry(c.next)
		if !ok {
			break
		}
		c.next++
		if !s.d.addrs[a] && c.walk.Meet(a, &all[n]) {
			n++
		}
	}
	known, more := c.walk.Some(all[n:], pool.Time(c.now.Unix()))
	c.seen, c.more = all[:n+known], more
	s.asStored(c.seen)
	if !c.more {
		s.endWalk(c)
	}
}

// asStored puts back, among what was copied, what is replaced by records that
// stable storage does not have yet: nobody is told what may be undone.
func (s *service) asStored(list []pool.Seen) {
	var may [1 << 13]bool // be in the list, by the last bits of the address
	for i := range list {
		may[list[i].Addr.Number()%uint32(len(may))] = true
	}
	for _, b := range [...]*block{s.filling, s.writing} {
		for n := 0; b != nil && n < len(b.undo); n++ {
			old := &b.undo[len(b.undo)-1-n].old // the oldest is what counts
			for i := 0; may[old.Addr.Number()%uint32(len(may))] && i < len(list); i++ {
				if list[i].Addr == old.Addr {
					list[i].Record = *old
				}
			}
		}
	}
}
