package pool

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/netip"
	"dhcpd/internal/simdisk"
)

// history is what the model knows of one address.
type history struct {
	synced Record   // stable storage has it
	acked  Record   // the last one of which Commit said that it was good
	since  []Record // what was acked since it was last synced
	tried  []Record // what Commit failed to write since then: it may show, but need not
	told   Time     // the end of the lease that its client was told
}

// world is a daemon on a bad day, beside a plain map that is never wrong.
type world struct {
	t     *testing.T
	rnd   *rand.Rand
	disk  *simdisk.Disk
	clock *simClock
	k     *keeper
	by    map[netip.Addr]*history
	in    map[netip.Addr]bool // members
	maybe map[netip.Addr]bool // a command failed to change whether it is one, and nothing was synced since
	log   []string
}

const worldAddrs = 12

func newWorld(t *testing.T, seed uint64) *world { return newWorldOf(t, newRand(seed)) }

func newWorldOf(t *testing.T, rnd *rand.Rand) *world {
	w := &world{t: t, rnd: rnd, disk: simdisk.New(), clock: newSimClock(),
		by: map[netip.Addr]*history{}, in: map[netip.Addr]bool{}, maybe: map[netip.Addr]bool{}}
	for n := range worldAddrs {
		w.by[ip(n)] = &history{synced: Record{Addr: ip(n)}, acked: Record{Addr: ip(n)}}
	}
	w.open()
	return w
}

func (w *world) say(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	log := w.log[max(0, len(w.log)-160):]
	w.t.Fatalf("%s\n%s\nfile:\n%s", strings.Join(log, "\n"), fmt.Sprintf(format, args...), w.text())
}

func (w *world) text() string {
	if _, err := w.disk.Stat(simPath); err != nil {
		return err.Error()
	}
	return readAll(w.t, w.disk, simPath)
}

// open starts the daemon, after it failed to start a few times.
func (w *world) open() {
	for range w.rnd.IntN(3) {
		w.disk.Fail(w.someFault())
		if k, _, err := openKeeper(w.t, w.disk, simPath, w.clock); err == nil {
			w.k = k
			break
		}
		w.disk.Kill()
		w.k = nil
	}
	w.disk.Fail(nil)
	if w.k == nil {
		k, loaded, err := openKeeper(w.t, w.disk, simPath, w.clock)
		if err != nil {
			w.fail("open: %v", err)
		}
		if loaded.Corrupt != nil {
			w.fail("%v", loaded.Corrupt)
		}
		w.k = k
	}
	w.k.file.floor, w.k.file.factor = 0, 2
}

func (w *world) someFault() func(string) error {
	ops := []string{"write", "sync", "truncate", "rename", "syncfolder", "stat", "fstat", "open", "create", "read"}
	op, after := ops[w.rnd.IntN(len(ops))], w.rnd.IntN(4)
	return func(asked string) error {
		if asked == op {
			after--
		}
		if asked == op && after < 0 && after > -3 {
			return simdisk.ErrFault
		}
		return nil
	}
}

func (w *world) record() *Record {
	a := ip(w.rnd.IntN(worldAddrs))
	now := w.k.now()
	r := randomRecord(w.rnd, a, now)
	if r.Last != 0 {
		r.Extra = Extra{Last: now, Host: "kit", Check: r.Check, Unknown: r.Unknown}
	}
	r.ID = r.ID[:min(len(r.ID), 9)]
	r.Since = now
	r.Kept = r.Told
	if r.Told != Infinite {
		r.Kept += Time(w.rnd.IntN(500))
	}
	return r
}

// lazy makes a renewal within the promise of what is acked for a, if there is
// one.
func (w *world) lazy() (*Record, bool) {
	for n := range worldAddrs {
		r := plain(&w.by[ip(n)].acked)
		now := w.k.now()
		if r.State != Bound || r.Kept <= now || r.Kept == Infinite {
			continue
		}
		r.Told = now + Time(w.rnd.Int64N(int64(r.Kept-now)))
		return &r, true
	}
	return nil, false
}

// commit writes some records and notes what became of them.
func (w *world) commit() {
	var records []*Record
	lazy := false
	if r, ok := w.lazy(); ok && w.rnd.IntN(2) == 0 {
		records, lazy = append(records, r), true
	} else {
		for range 1 + w.rnd.IntN(4) {
			records = append(records, w.record())
		}
	}
	whole := w.k.block.whole
	c, err := w.k.commit(lazy, records...)
	w.say("commit lazy=%v whole=%v: %v notice=%q", lazy, whole, err, c.Notice)
	if c.Corrupt != nil {
		w.fail("%v", c.Corrupt)
	}
	for _, r := range records {
		w.say("  %s", strings.TrimSpace(lineOf(r)))
		h := w.by[r.Addr]
		switch {
		case err != nil:
			h.tried = append(h.tried, plain(r))
		default:
			h.since = append(h.since, plain(r))
			h.acked, h.told = plain(r), r.Told
		}
	}
	if err == nil && (!lazy || whole) {
		w.synced()
	}
}

// synced notes that stable storage has all that was acked, and nothing else.
func (w *world) synced() {
	for _, h := range w.by {
		h.synced, h.since, h.tried = h.acked, nil, nil
	}
	clear(w.maybe)
}

func (w *world) edit() {
	a := ip(w.rnd.IntN(worldAddrs))
	v := Add
	if w.rnd.IntN(2) == 0 {
		v = Del
	}
	h := w.by[a]
	results, err := EditOn(w.disk, simPath, v, []netip.Addr{a})
	w.say("edit %d %v: %v %v", v, a, results, err)
	if err != nil {
		w.maybe[a] = true
		h.tried = append(h.tried, Record{Addr: a})
		return
	}
	w.in[a], w.maybe[a] = v == Add, false
	switch {
	case results[0] == Freed && h.acked.State != Abandoned: // the command saw what Commit failed to write
		h.tried = append(h.tried, Record{Addr: a})
	case results[0] == Freed:
		h.synced, h.acked, h.since = Record{Addr: a}, Record{Addr: a}, nil
	}
}

// check compares what was loaded after a crash with what must be there.
func (w *world) check(power bool) {
	w.t.Helper()
	for n := range worldAddrs {
		a := ip(n)
		h := w.by[a]
		got, ok := w.k.table.ByAddr(a)
		if !ok {
			got = Record{Addr: a}
		}
		allowed := append([]Record{h.acked}, h.tried...)
		if power {
			allowed = append(append(allowed, h.synced), h.since...)
		}
		if !anyOf(&got, allowed) {
			w.fail("%v (power cut %v) is\n%s allowed:\n%s", a, power, lineOf(&got), linesOf(allowed))
		}
		switch same := got.State == h.acked.State && got.Since == h.acked.Since && bytes.Equal(got.ID, h.acked.ID); {
		case !same:
			h.told = 0 // one that was tried, and its client told nothing
		case got.State == Bound && got.Told < h.told:
			w.fail("%v ends at %d, but its client was told %d", a, got.Told, h.told)
		}
		// What was not synced, and was not to be seen now, may still show up.
		h.tried = allowed
		h.synced, h.acked, h.since = plain(&got), plain(&got), nil
		if member := w.k.table.Member(a); member != w.in[a] && !w.maybe[a] {
			w.fail("%v in the pool: %v", a, member)
		}
		w.in[a] = w.k.table.Member(a) // and maybe still not synced
	}
}

// anyOf tells whether got is one of these, whose end may have been taken for
// the promised one, since nobody closed the file.
func anyOf(got *Record, allowed []Record) bool {
	for i := range allowed {
		want := allowed[i]
		if got.equal(&want) {
			return true
		}
		want.Told = want.Kept
		if (want.State == Bound || want.State == Fixed) && got.equal(&want) {
			return true
		}
	}
	return false
}

func linesOf(list []Record) (s string) {
	for i := range list {
		s += lineOf(&list[i])
	}
	return s
}

// remove takes the file away, as an administrator does, and sees it come back.
func (w *world) remove() {
	w.disk.Remove(simPath)
	w.say("removed")
	for range 3 {
		w.commit()
	}
	if _, err := w.disk.Stat(simPath); err != nil {
		w.fail("the file did not come back")
	}
}

func (w *world) step() {
	w.clock.pass(time.Duration(w.rnd.IntN(5)) * time.Second)
	faulty := w.rnd.IntN(3) == 0
	switch w.rnd.IntN(22) {
	case 0, 1, 2, 3:
		if faulty {
			w.disk.Fail(w.someFault())
		}
		w.edit()
	case 4:
		w.remove()
	case 5:
		w.k.settle()
	case 6:
		w.crash(true)
		return
	case 7:
		w.crash(false)
		return
	case 8:
		w.close()
		return
	case 9, 10:
		w.doomed()
		return
	default:
		if faulty {
			w.disk.Fail(w.someFault())
		}
		if w.rnd.IntN(6) == 0 {
			w.disk.Limit(w.rnd.IntN(600))
		}
		w.commit()
	}
	w.disk.Fail(nil)
	w.disk.Limit(-1)
}

func (w *world) crash(power bool) {
	w.k.settle()
	w.say("crash, power cut %v", power)
	if power {
		w.disk.CutPower(w.rnd)
		w.clock.reboot(w.clock.wall.Add(time.Minute))
	} else {
		w.disk.Kill()
	}
	w.k = nil
	w.open()
	w.check(power)
}

// doomed has everything end in the middle of what is being done, a compaction
// included: between any two operations, or within a write.
func (w *world) doomed() {
	n := w.rnd.IntN(30)
	w.say("%d more operations until the end", n)
	w.disk.Die(n)
	for range 1 + w.rnd.IntN(5) {
		if w.rnd.IntN(5) == 0 {
			w.edit()
		} else {
			w.commit()
		}
		if w.rnd.IntN(2) == 0 {
			w.k.settle()
		}
	}
	w.crash(w.rnd.IntN(2) == 0)
}

// close ends the daemon in order; then told ends are taken for what they are.
func (w *world) close() {
	err := w.k.file.Close()
	w.say("close: %v", err)
	w.k = nil
	w.open()
	w.check(false)
}

// TestP4_NothingPromisedIsLost does all that may happen to a disk and a
// daemon, in any order.
func TestP4_NothingPromisedIsLost(t *testing.T) {
	for seed := range uint64(300) {
		w := newWorld(t, seed)
		w.say("seed %d", seed)
		for range 120 {
			w.step()
		}
		w.k.settle()
	}
}
