package daemon

import (
	"bytes"
	"slices"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// history is what the table has said of each address, and when.
type history struct {
	past  map[netip.Addr][]*version
	flies map[netip.Addr]flight
	tales []tale
	quake bool // there was a power cut
}

// version is what it said from one turn to another.
type version struct {
	pool.Record
	known, member bool
	from, to      int
	undone        bool
}

// flight is between which turns records of an address were last on their way
// to the disk.
type flight struct {
	on       bool
	from, to int
}

// tale is what somebody was told, and what it may have come from.
type tale struct {
	guest int
	line  string
	of    []*version
}

const (
	forever      = 1 << 60
	endlessLease = int64(dhcp4.Infinite)
)

func (h *history) init() {
	h.past, h.flies, h.tales, h.quake = map[netip.Addr][]*version{}, map[netip.Addr]flight{}, nil, false
}

func (p *party) now() time.Time { return p.s.d.clock.Now() }

// note notes what the table says now.
func (p *party) note() (changed []netip.Addr) {
	p.turn += 2
	for i := range byte(16) {
		a := addrOf(i)
		r, known := p.s.table.ByAddr(a)
		list, member := p.past[a], p.s.table.Member(a)
		list = p.freed(a, list)
		p.fly(a)
		if n := len(list); n > 0 {
			v := list[n-1]
			if v.Same(&r) && v.known == known && v.member == member {
				continue
			}
			v.to = p.turn
		}
		p.past[a] = append(list, &version{Record: own(&r), known: known, member: member, from: p.turn, to: forever})
		changed = append(changed, a)
	}
	return changed
}

// freed has an address be released by a record on its way to the disk, though
// the table has somebody else there already when that is stored.
func (p *party) freed(a netip.Addr, list []*version) []*version {
	for _, x := range append(p.filling[:len(p.filling):len(p.filling)], p.writing...) {
		if x.Addr == a && x.State == pool.Released && !slices.ContainsFunc(list, func(v *version) bool { return v.Same(&x.Record) }) {
			v := *list[len(list)-1]
			v.Record, v.from, v.to = x.Record, p.turn, p.turn
			list = slices.Insert(list, len(list)-1, &v)
		}
	}
	p.past[a] = list
	return list
}

// fly keeps what was before a record in mind until that is stored: only then is
// it told of.
func (p *party) fly(a netip.Addr) {
	f, was := p.flies[a], p.flies[a].on
	about := func(x line) bool { return x.Addr == a }
	if f.on = slices.ContainsFunc(p.filling, about) || slices.ContainsFunc(p.writing, about); f.on {
		if f.to = forever; !was {
			f.from = p.turn
		}
	} else if was {
		f.to = p.turn
	}
	p.flies[a] = f
	for _, v := range p.past[a] {
		if (f.on || was) && v.to >= f.from && v.to < forever {
			v.to = f.to - 1
		}
	}
}

// noteAfter is note after an event; if a block failed, what it said has never
// been.
func (p *party) noteAfter(failed bool) {
	if p.quake {
		p.verdict()
		p.init()
	}
	for _, a := range p.note() {
		list := p.past[a]
		last, from := list[len(list)-1], -1
		for i, v := range list[:len(list)-1] {
			if v.Same(&last.Record) && !v.undone {
				from = i
			}
		}
		for i := from + 1; failed && from >= 0 && i < len(list)-1; i++ {
			list[i].undone = true
		}
	}
}

// believe finds what x may have come from.
func (p *party) believe(g *guest, q *demand, x *telling) {
	t := tale{guest: g.no, line: x.line}
	for _, v := range p.past[x.addr] {
		if v.to > q.turn && p.fits(v, x, q) {
			t.of = append(t.of, v)
		}
	}
	if len(t.of) == 0 {
		p.Logf("%+v", *x)
		for _, v := range p.past[x.addr] {
			p.Logf("%+v", *v)
		}
		p.Fatalf("connection %d: this was never so: %s", g.no, x.line)
	}
	p.tales = append(p.tales, t)
}

// verdict checks that nobody was told what was taken back.
func (p *party) verdict() {
	for _, t := range p.tales {
		true := false
		for _, v := range t.of {
			true = true || !v.undone
		}
		if !true {
			p.Fatalf("connection %d was told what was undone: %s, of %+v", t.guest, t.line, *t.of[0])
		}
	}
	p.tales = nil
}

func (p *party) fits(v *version, x *telling, q *demand) bool {
	from, to := q.since, pool.Time(p.now().Unix())
	times := []pool.Time{from, to, v.Told - 1, v.Told, v.Told - pool.Time(x.left), v.Told - pool.Time(x.left) - 1}
	if x.base >= 0 {
		times = []pool.Time{pool.Time(x.base)}
	}
	for _, at := range times {
		if from <= at && at <= to && v.fitsAt(x, q, at) {
			return true
		}
	}
	return false
}

func (v *version) runs(at pool.Time) bool {
	return (v.State == pool.Bound || v.State == pool.Fixed) && v.Told > at
}

// state is the state of RFC 6926, and since when.
func (v *version) state(at pool.Time) (dhcp4.LeaseState, pool.Time) {
	switch {
	case v.runs(at):
		return dhcp4.Active, v.Since
	case v.State == pool.Abandoned:
		return dhcp4.Abandoned, v.Since
	case v.State == pool.Released, v.State == pool.Fixed && v.Told == v.Since:
		return dhcp4.Released, v.Since
	case v.State == pool.Bound, v.State == pool.Fixed:
		return dhcp4.Expired, v.Told
	case v.Since != 0:
		return dhcp4.Reset, v.Since
	}
	return dhcp4.Available, 0
}

// fitsAt tells whether x says of v what there was to say at a time.
func (v *version) fitsAt(x *telling, q *demand, at pool.Time) bool {
	state, since := v.state(at)
	offered := (x.state == dhcp4.Transitioning || x.state == 0) && !x.active && state != dhcp4.Active && state != dhcp4.Abandoned
	if offered { // or may be
		state, since = dhcp4.Transitioning, at
	}
	if state == dhcp4.Available && x.state == dhcp4.Reset && v.member {
		state = x.state // a command freed what was free
	}
	end := pool.Time(0)
	if x.left >= 0 {
		end = at + pool.Time(x.left)
	}
	switch {
	case x.active != (state == dhcp4.Active),
		x.hw != v.HW,
		x.saysID && !bytes.Equal(x.id, v.ID), !x.saysID && q.asksFor(dhcp4.ClientID) && len(v.ID) > 0,
		x.saysAgent && !bytes.Equal(x.agent, v.Agent),
		x.state != 0 && x.state != state,
		x.left == endlessLease && v.Told != pool.Infinite,
		x.left >= 0 && x.left != endlessLease && (v.Told < end || v.Told > end+1 || !x.active),
		x.left < 0 && q.asksFor(dhcp4.LeaseTime) && x.active && v.Told > at+1,
		x.ago >= 0 && !(offered && x.state == 0) && pool.Time(x.ago) != at-since && !(since == at+1 && x.ago == 0),
		x.last >= 0 && pool.Time(x.last) != at-v.Last && !(v.Last > at && x.last == 0),
		!x.active && !v.member && v.State == pool.Free && q.keyed,
		q.keyed && (!x.active || !q.about(&v.Record)),
		q.window && q.typ == dhcp4.BulkLeaseQuery && !offered && !q.within(v.Last) && !q.within(since):
		return false
	}
	return true
}

// complete checks that a bulk query was told all that there was all the time.
func (p *party) complete(g *guest, q *demand) {
	at := pool.Time(p.now().Unix())
	for a, list := range p.past {
		v := list[len(list)-1]
		if q.told[a] != nil || v.from > q.turn || p.flies[a].to >= q.turn || q.none {
			continue
		}
		active := v.runs(q.since)
		switch {
		case active != v.runs(at), !active && (q.keyed || !v.member), !q.about(&v.Record),
			q.window && !q.within(v.Last) && !(active && q.within(v.Since)):
			continue
		}
		p.Fatalf("connection %d: question %d was not told of %+v", g.no, q.xid, *v)
	}
}

// watches notes that an active leasequery begins to be told what changes.
func (p *party) watches(g *guest) {
	for _, q := range g.asked { // before it there may be answers that were not read yet
		if q.typ == dhcp4.ActiveLeaseQuery && !q.bad {
			q.watching, q.since, g.watch, g.wrote = p.turn, p.at(), q, p.now()
			return
		}
	}
	if !g.babbled {
		p.Fatalf("connection %d watches, and never said that it would", g.no)
	}
}

// mirrors checks that who was told of an address knows what the table does, and
// that who was not has missed nothing.
func (p *party) mirrors(g *guest, q *demand, a netip.Addr) {
	list := p.past[a]
	v, x, at := list[len(list)-1], q.told[a], pool.Time(p.now().Unix())
	state, since := v.state(at)
	justEnded := state == dhcp4.Expired && at-since <= 61
	fatal := func(why string) {
		p.Helper()
		for _, v := range list {
			p.Logf("%+v", *v)
		}
		if x != nil {
			p.Logf("told: %+v", *x)
		}
		p.Fatalf("connection %d at %d, from %d on: %s: %v", g.no, at, q.since, why, a)
	}
	if q.first != nil { // what it was not told since is as it was then
		q = q.first
	}
	if q.none {
		return
	}
	if x != nil {
		switch {
		case x.active != (state == dhcp4.Active) && !justEnded:
			fatal("leased or not?")
		case x.active && x.left >= 0 && x.left != endlessLease && (v.Told < pool.Time(x.base+x.left) || v.Told > pool.Time(x.base+x.left)+1):
			fatal("until when?")
		case x.state != 0 && x.state != dhcp4.Transitioning && x.state != state && !justEnded && v.State != pool.Free:
			fatal("what state?")
		case v.State != pool.Free && x.hw != v.HW:
			fatal("whose?")
		}
		return
	}
	var was *version
	for _, old := range list {
		if !old.undone && old.from <= q.watching {
			was = old
		}
	}
	if was == nil {
		fatal("it had no beginning")
	}
	before, began := was.state(q.since)
	switch {
	case q.start && (q.within(was.Last) || before != dhcp4.Available && q.within(began)):
		fatal("it was told of nothing before")
	case !was.Same(&v.Record) && (was.State != pool.Free || v.State != pool.Free):
		fatal("it was not told")
	case before != state && !justEnded:
		fatal("nor of the end")
	}
}
