package daemon

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// TestQ6_TooMuch: what waits for an asker is bounded; what did not fit is looked
// for among all addresses, from the time of the first on.
func TestQ6_TooMuch(t *testing.T) {
	s := &service{d: &Daemon{now: start}}
	slow, quick := &caller{watching: true}, &caller{watching: true}
	s.bulk.callers = []*caller{slow, quick}
	for i := range mostNews + 5 {
		s.noteChange(netip.AddrFrom(uint32(i)), pool.Time(start.Unix()))
		quick.news = quick.news[:0]
		if (slow.lost != 0) != (i >= mostNews) || quick.lost != 0 {
			t.Fatalf("after %d: %d, %d", i, slow.lost, quick.lost)
		}
	}
	if len(slow.news) != mostNews || int64(slow.lost) != start.Unix() {
		t.Errorf("%d wait, lost since %d", len(slow.news), slow.lost)
	}
	s.noteChange(elsewhere, pool.Time(start.Unix()-300)) // it took five minutes to be stored
	if int64(slow.lost) != start.Unix()-300 {
		t.Errorf("lost since %d", slow.lost)
	}
	s.bulk.dismiss(slow)
	if len(s.bulk.callers) != 1 || s.bulk.callers[0] != quick {
		t.Error("dismissed the wrong one")
	}
}

// inParty plays with connections on the time of a bubble.
func inParty(t *testing.T, play func(p *party)) {
	file, _, err := pool.Open(filepath.Join(t.TempDir(), "pool"), clockOf(frozen).Clock)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	synctest.Test(t, func(t *testing.T) {
		p := newParty(t, file)
		defer p.clear()
		play(p)
	})
}

// asksAt connects somebody who asks something.
func (p *party) asksAt(room int, typ dhcp4.Type) *guest {
	p.connect(9)
	g := p.guests[len(p.guests)-1]
	g.room = room
	var m dhcp4.Message
	m.Reset(dhcp4.BootRequest)
	m.SetType(typ)
	m.Options.PutUint32(dhcp4.QueryStart, 1)
	g.asked = append(g.asked, &demand{typ: typ, start: true, window: true, from: 1, to: pool.Infinite, told: map[netip.Addr]*telling{}})
	g.rest = m.AppendFrame(nil)
	g.push(1 << 10)
	p.settle()
	return g
}

// TestQ6_WithinAMinute: a connection that is woken for nothing hears within a
// minute all the same that it lives.
func TestQ6_WithinAMinute(t *testing.T) {
	inParty(t, func(p *party) {
		g := p.asksAt(endless, dhcp4.ActiveLeaseQuery)
		p.wait(55 * time.Second)
		before := g.wrote
		p.s.noteChange(elsewhere, 1)
		p.settle()
		p.wait(4 * time.Second)
		if g.wrote != before {
			t.Error("it hears of nothing")
		}
		p.wait(2 * time.Second)
		if g.wrote == before || g.closed {
			t.Error("it is silent for more than a minute")
		}
	})
}

// TestQ6_NothingIsMissedInABreak: who goes on from the last time that it was told
// hears also of what happened before, and was to be told a moment later: that a
// lease had ended, or what was on its way to stable storage.
func TestQ6_NothingIsMissedInABreak(t *testing.T) {
	inParty(t, func(p *party) {
		lease := func(script ...byte) {
			for p.data = script; len(p.data) > 0; {
				p.play()
			}
			p.settle()
			p.noteAfter(false)
		}
		g := p.asksAt(endless, dhcp4.ActiveLeaseQuery)
		p.wait(5 * time.Second)
		lease(0, 1, 0, 9, 16, 19) // client 1 gets one, for 600 s
		p.wait(602 * time.Second) // it has ended
		lease(0, 2, 0, 10, 16, 19)
		p.wait(time.Second) // of which it is told
		p.hearAll()
		base := g.asked[0].base
		p.breakOff(g)
		p.wait(time.Second)
		lease(0, 3, 0, 11, 16)   // on its way
		p.wait(70 * time.Second) // it is told that it lives
		g = p.guests[1]
		if base == 0 || g.asked[0].base <= base {
			t.Fatalf("told at %d, and at %d", base, g.asked[0].base)
		}
		p.breakOff(g)
		lease(19)
		p.finish()
	})
}

// TestQ6_StoredLate: how far back who comes back is told of is as long as anything
// took to be stored. A block without records took no time.
func TestQ6_StoredLate(t *testing.T) {
	s, _, _ := newServing(t)
	handOver(s)
	s.blockDone(outcome{})
	if s.bulk.late != 0 {
		t.Errorf("an empty block took %d s", s.bulk.late)
	}
	s.commit(&act.Action{Verb: act.Commit, Record: record(1, "a", pool.Bound)})
	handOver(s)
	s.d.now = s.d.now.Add(5 * time.Minute)
	s.blockDone(outcome{})
	if s.bulk.late != 301 {
		t.Errorf("late by %d s", s.bulk.late)
	}
}

// TestQ6_FreedNow: what a command frees has changed when that is noticed, however
// long nobody asked for an address.
func TestQ6_FreedNow(t *testing.T) {
	s, _, _ := newServing(t)
	r := record(1, "", pool.Abandoned)
	s.table.Add(r.Addr)
	s.table.Apply(r)
	handOver(s)
	s.filling = newBlock(s)
	s.blockDone(outcome{changes: pool.Changes{Free: []netip.Addr{r.Addr}}})
	if x, _ := s.table.ByAddr(r.Addr); x.State != pool.Free || x.Since != pool.Time(start.Unix()) {
		t.Errorf("%v since %d", x.State, x.Since)
	}
}

// TestQ6_Farewell: at an orderly end those who watch, and those whose answer is
// not complete, are told so, and then all connections end. Nobody waits for
// long for who does not read.
func TestQ6_Farewell(t *testing.T) {
	for _, stalled := range []bool{false, true} {
		inParty(t, func(p *party) {
			p.asksAt(endless, dhcp4.ActiveLeaseQuery)
			p.connect(9) // and asks nothing
			if stalled {
				p.asksAt(10, dhcp4.ActiveLeaseQuery)
			}
			p.wait(time.Second)
			p.asksAt(endless, dhcp4.BulkLeaseQuery)
			p.serve(0)
			p.serve(0) // and is told of one address
			took := p.shutDown()
			if (took >= time.Second) != stalled {
				t.Errorf("it took %v, and somebody does not read: %v", took, stalled)
			}
			if first, last := p.guests[0], p.guests[len(p.guests)-1]; !first.over || !last.over {
				t.Errorf("told the end: %v, %v", first.over, last.over)
			}
			if n := len(p.s.bulk.callers); n != 0 && !stalled {
				t.Errorf("%d connections are left", n)
			}
		})
	}
}
