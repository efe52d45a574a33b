package daemon

import (
	"errors"
	"testing"

	"dhcpd/internal/conf"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// TestQ5_OnlyWhatIsStored: nobody is told of a lease that may be undone, by a bulk
// or by an active leasequery; until it is stored, the address is what it was.
func TestQ5_OnlyWhatIsStored(t *testing.T) {
	for _, err := range []error{nil, errors.New("no space left")} {
		s, n, _ := newServing(t)
		old, mine, later := record(1, "old", pool.Bound), record(1, "me", pool.Bound), record(1, "me", pool.Bound)
		s.table.Apply(old)
		n.addr, n.plan.Server, n.plan.LeaseQuery = netip.MustParsePrefix("10.0.0.9/24"), true, &conf.LeaseQuery{Active: true}
		n.site.Addrs = []netip.Prefix{n.addr}
		c := &caller{seen: make([]pool.Seen, 0, 4), here: n.addr.Addr()}
		tells := func(when string, want *pool.Record) {
			t.Helper()
			s.look(c)
			if len(c.seen) != 1 || !c.seen[0].Same(want) {
				t.Errorf("%s: told %+v, want %+v", when, c.seen, want)
			}
			c.news = append(c.news, old.Addr)
			if s.hearNews(c); len(c.seen) != 1 || !c.seen[0].Same(want) {
				t.Errorf("%s: told as news %+v", when, c.seen)
			}
		}
		s.do(n, ackFor(mine, false))
		tells("applied", old)
		handOver(s)
		s.filling = newBlock(s)
		tells("on its way", old)
		later.Told++
		s.do(n, ackFor(later, false))
		tells("renewed meanwhile", old)
		s.discard(&s.writing.replies)
		s.blockDone(outcome{err: err})
		if err != nil {
			tells("undone", old)
			continue
		}
		tells("stored", mine)
		handOver(s)
		s.discard(&s.writing.replies)
		s.blockDone(outcome{})
		tells("the renewal, too", later)
	}
}

// TestQ6_LostRenewal: that a lazy renewal could not be written does not take it
// back, so those who watch are told of it.
func TestQ6_LostRenewal(t *testing.T) {
	s, n, _ := newServing(t)
	s.table.Apply(record(1, "a", pool.Bound))
	later := record(1, "a", pool.Bound)
	later.Told++
	c := &caller{watching: true}
	s.bulk.callers = []*caller{c}
	s.do(n, ackFor(later, true))
	s.discard(&s.direct)
	handOver(s)
	s.filling = newBlock(s)
	s.blockDone(outcome{err: errors.New("no space left")})
	if len(c.news) != 1 || c.news[0] != later.Addr {
		t.Errorf("news: %v", c.news)
	}
}

// TestL5_FreedBeforeItIsAbandonedAgain: a command that is read from the file has
// come before the records that are still to be written.
func TestL5_FreedBeforeItIsAbandonedAgain(t *testing.T) {
	s, n, _ := newServing(t)
	s.table.Add(record(1, "", pool.Free).Addr)
	r := record(1, "a", pool.Abandoned)
	handOver(s)
	s.filling = newBlock(s)
	s.do(n, ackFor(r, false))
	s.blockDone(outcome{changes: pool.Changes{Free: []netip.Addr{r.Addr}}})
	if got := s.table.At(r.Addr).State(); got != pool.Abandoned {
		t.Errorf("%v, and the file will say that it is abandoned", got)
	}
}
