package daemon

import (
	"errors"
	"io"
	"os"
	"time"

	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
	"dhcpd/server"
)

// caller is a connection.
type caller struct {
	s           *service
	stream      stream
	here, there netip.Addr
	out         []byte
	answer      server.Bulk

	want func(*service, *caller) // what the loop is to do now
	done chan struct{}           // it is done

	query  []byte
	ahead  bool         // something is behind it already
	status dhcp4.Status // of that
	why    string
	ok     bool             // it is one at all
	let    *conf.LeaseQuery // nil: it may not ask
	cfg    *conf.Config

	walk *pool.Walk
	next int // of the client elements
	seen []pool.Seen
	more bool
	now  time.Time

	// Of a watch. What is the loop's alone:
	watching bool         // it is told what changes
	news     []netip.Addr // what changed
	lost     pool.Time    // since when there was more than that, 0 for never
	idle     bool         // it waits for some
	void     bool         // what it was told is not true any more
	// and what that hands over:
	missed pool.Time // what was lost before
	late   pool.Time // how long something may have taken to be stored

	sent   types // what the loop is to count
	told   uint64
	broken bool
	wrong  string // what is to be said
}

// ask has the loop do something; false if it has ended.
func (c *caller) ask(want func(*service, *caller)) bool {
	c.want = want
	select {
	case c.s.bulk.wants <- c:
		<-c.done
		return true
	case <-c.s.d.ended:
		return false
	}
}

// comes asks to be let in. Who is not is gone at once (RFC 6926 section 8.1).
func (c *caller) comes() bool {
	if c.ask((*service).arrive) && c.let != nil {
		return true
	}
	c.stream.Close()
	return false
}

// talk reads queries from the stream and answers each before it reads the next one.
func (c *caller) talk(from io.Reader) {
	defer c.stream.Close()
	for queries := (dhcp4.Frames{From: from}); ; {
		list, err := queries.Next()
		for i := 0; i < len(list) && err == nil; i++ {
			c.query, c.ahead = list[i], i+1 < len(list) || queries.Part()
			err = c.reply()
		}
		if err != nil {
			c.hangUp(err)
			return
		}
	}
}

var errNoQuery = errors.New("not a bulk leasequery")

// reply answers one query.
func (c *caller) reply() error {
	if !c.ask((*service).hearQuery) || c.let == nil {
		return os.ErrClosed
	}
	if !c.ok {
		return errNoQuery
	}
	if c.seen == nil {
		c.seen = make([]pool.Seen, 0, someAddresses)
	}
	c.out = c.out[:0]
	switch {
	case c.answer.Active():
		return c.watch()
	case c.status == dhcp4.Success:
		if err := c.goOver(); err != nil {
			return err
		}
	}
	return c.end()
}

// goOver goes over the addresses, and tells what is to be told of each.
func (c *caller) goOver() error {
	for c.more = true; c.more; {
		if !c.ask((*service).look) {
			return os.ErrClosed
		}
		if c.status == dhcp4.QueryTerminated {
			return c.giveUp()
		}
		c.tell()
		if c.more && len(c.out) >= enough {
			if err := c.write(); err != nil {
				return err
			}
		}
		if c.more {
			time.Sleep(breath)
		}
	}
	return nil
}

// tell appends the messages about the addresses that were copied.
func (c *caller) tell() {
	for i := range c.seen {
		var t dhcp4.Type
		if c.out, t = c.answer.Append(c.out, &c.seen[i], c.now); t != dhcp4.BOOTP {
			c.sent[t]++
		}
	}
}

// end writes what there is, and behind it how the answer stands.
func (c *caller) end() error {
	var t dhcp4.Type
	c.out, t = c.answer.Done(c.out, c.status, c.why, c.now)
	c.sent[t]++
	return c.write()
}

// enough octets are worth a system call.
const enough = 1 << 16

func (c *caller) write() error {
	err := c.stream.Write(c.out)
	c.out = c.out[:0]
	c.broken = err != nil
	return err
}

// hangUp ends the connection. That the other end did so, or has nothing to say,
// is nothing to talk about; but what can't be understood is.
func (c *caller) hangUp(err error) {
	if err == dhcp4.ErrFrame || err == errNoQuery || err == errTooMuch {
		c.broken, c.wrong = true, c.there.String()+": "+err.Error()
	}
	c.ask((*service).leave)
}
