package daemon

import (
	"errors"
	"os"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
	"dhcpd/server"
)

// quiet is after how long a connection that has nothing to tell says that it is
// still there (RFC 7724 section 5.3, ACTIVE_LQ_IDLE_TIMEOUT), and how often it
// is looked whether leases have ended, of which the asker knows the time
// anyway.
const quiet = time.Minute

// belated is for how many seconds nothing may be told of what happens: that a
// lease has ended for up to quiet, what is to be stored while the disk takes its
// time, which may be longer. Meanwhile other things are told, so that who comes
// back after a break and asks for what was since then is told of more.
const belated = pool.Time(2 * quiet / time.Second)

// mostNews is how many changes wait for an asker. If there are more, all
// addresses are gone over for them.
const mostNews = 4096

var errTooMuch = errors.New("says something while its active leasequery is answered")

// watch answers an active leasequery (RFC 7724): with what has changed while the
// asker was away, if it wants that, and then with what changes, until one of the
// two hangs up.
func (c *caller) watch() error {
	if c.status != dhcp4.Success {
		return c.giveUp()
	}
	if c.ahead {
		return errTooMuch
	}
	if !c.ask((*service).enlist) {
		return os.ErrClosed
	}
	c.stream.Active()
	swept := c.now
	if from, ok := c.answer.Since(); ok {
		c.answer.Look(server.Changes, from-max(belated, c.late))
		if err := c.goOver(); err != nil {
			return err
		}
		c.status = dhcp4.CatchUpComplete
		if err := c.end(); err != nil {
			return err
		}
	}
	for {
		if err := c.watchOn(&swept); err != nil {
			return err
		}
	}
}

// watchOn tells what there is to be told, or waits until there is something.
func (c *caller) watchOn(swept *time.Time) error {
	// The patience comes first, so that what happens between the question and
	// the wait cuts it short.
	was := c.now
	if err := c.stream.Patience(int64(quiet - c.now.Sub(*swept))); err != nil {
		return err
	}
	if !c.ask((*service).hearNews) {
		return os.ErrClosed
	}
	if c.status == dhcp4.QueryTerminated {
		return c.giveUp()
	}
	news := len(c.seen) > 0
	if news {
		c.answer.Look(server.News, 0)
		c.tell()
		if err := c.write(); err != nil {
			return err
		}
	}
	switch {
	case c.missed != 0:
		c.answer.Look(server.Changes, c.missed)
		return c.catchUp()
	case c.now.Sub(*swept) >= quiet:
		c.answer.Look(server.Ends, pool.Time(swept.Unix()))
		*swept = c.now
		return c.sweep(news)
	case news || c.now.Sub(was) > time.Second: // it was too long after a wait
		return nil
	}
	return c.wait()
}

// giveUp says why there is no more, and hangs up (RFC 7724 section 8.2).
func (c *caller) giveUp() error {
	if err := c.end(); err != nil {
		return err
	}
	return os.ErrClosed
}

// catchUp goes over all addresses, since there was too much to keep.
func (c *caller) catchUp() error {
	if err := c.goOver(); err != nil {
		return err
	}
	return c.write()
}

// sweep tells of leases that have ended, or else, without other news, that we
// are still here.
func (c *caller) sweep(news bool) error {
	if err := c.goOver(); err != nil {
		return err
	}
	if len(c.out) > 0 || news {
		return c.write()
	}
	c.status = dhcp4.ConnectionActive
	return c.end()
}

// wait waits until there is news, or it is time. The asker has nothing to say
// (RFC 7724 section 8.3).
func (c *caller) wait() error {
	n, err := c.stream.Next(make([]byte, 1))
	if n > 0 {
		return errTooMuch
	}
	return err
}

// enlist has the loop note for a connection what changes.
func (s *service) enlist(c *caller) {
	c.news, c.lost, c.idle, c.void, c.watching = c.news[:0], 0, false, false, true
	c.late = s.bulk.late
}

// hearNews copies what has changed, as it is now.
func (s *service) hearNews(c *caller) {
	s.permit(c)
	c.seen, c.status, c.why = c.seen[:0], dhcp4.Success, ""
	switch {
	case c.let == nil || !c.let.Active:
		c.status, c.why = dhcp4.QueryTerminated, "may not ask any more"
		return
	case c.void || s.table.Shut():
		c.status, c.why = dhcp4.QueryTerminated, "the pool file is another one"
		return
	}
	c.answer.Renew(c.cfg, c.let)
	done := 0
	for all := c.seen[:cap(c.seen)]; done < len(c.news) && len(c.seen) < len(all); done++ {
		if n := len(c.seen); s.table.See(c.news[done], &all[n], pool.Time(c.now.Unix())) {
			c.seen = all[:n+1]
		}
	}
	s.asStored(c.seen)
	c.news = c.news[:copy(c.news, c.news[done:])]
	if c.missed = 0; len(c.news) == 0 {
		c.missed, c.lost = c.lost, 0
	}
	if c.idle = len(c.seen) == 0 && c.missed == 0; c.idle && s.bulk.ending {
		c.status, c.why = dhcp4.QueryTerminated, shutsDown
	}
}

// noteChange notes for those who watch that stable storage has something new about
// an address, which was decided then or later.
func (s *service) noteChange(a netip.Addr, decided pool.Time) {
	for _, c := range s.bulk.callers {
		switch {
		case !c.watching:
			continue
		case len(c.news) < mostNews:
			c.news = append(c.news, a)
		case c.lost == 0 || c.lost > decided:
			c.lost = decided
		}
		c.rouse()
	}
}

// rouse wakes a connection that waits for news.
func (c *caller) rouse() {
	if c.idle {
		c.idle = false
		c.stream.Wake()
	}
}

// publish tells those who watch of a block that is written.
func (s *service) publish(b *block) {
	if b.text.Records() > 0 {
		s.bulk.late = max(s.bulk.late, pool.Time(s.d.now.Unix())-b.began+1)
	}
	if len(s.bulk.callers) == 0 {
		return
	}
	for _, a := range b.text.Addrs() {
		s.noteChange(a, b.began)
	}
}

// publishOthers tells them what others did to the pool file.
func (s *service) publishOthers(c *pool.Changes) {
	if len(s.bulk.callers) == 0 {
		return
	}
	for _, list := range [...][]netip.Addr{c.Add, c.Del, c.Free} {
		for _, a := range list {
			s.noteChange(a, pool.Time(s.d.now.Unix()))
		}
	}
	if c.Reset {
		for _, w := range s.bulk.callers {
			w.void = true
			w.rouse()
		}
	}
}
