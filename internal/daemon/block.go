package daemon

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// block is a block of records on its way to stable storage, with the replies
// that wait for it and what it takes to undo it.
type block struct {
	text    *pool.Block // what the writer gets to see; the rest is the loop's
	due     bool        // it is to be handed over
	counts  bool        // it says which replay counters are used
	sync    bool        // not all of it is lazy: replies wait for it
	began   pool.Time   // when the first of its records was decided
	undo    []undo      // what its records replaced, in order
	freeing []pool.Record
	replies outbox
}

type undo struct {
	old pool.Record
	had bool
}

// outcome is what became of a block.
type outcome struct {
	changes pool.Changes
	err     error
}

func newBlock(s *service) *block { return &block{text: s.file.NewBlock(s.table)} }

func (b *block) reset() {
	b.text.Reset()
	b.due, b.sync, b.counts = false, false, false
	b.undo, b.freeing = b.undo[:0], b.freeing[:0]
}

// mostRecords is how many records, and replies, a block may have. It is enough
// for what comes while a slow disk syncs one; when the disk is stuck a flood
// must not fill the memory.
const mostRecords = 4096

// full tells whether a block has as much as it may.
func (b *block) full() bool {
	return b.text.Records() >= mostRecords ||
		len(b.replies.udp)+len(b.replies.raw) > mostRecords/replyBatch
}

// stuck tells whether no more may be committed before the disk has caught up.
func (s *service) stuck() bool {
	return s.filling.full() || s.writing != nil && s.writing.full()
}

// write is the writer: it waits for the disk so that the loop need not.
func (s *service) write(file *pool.File) {
	for b := range s.todo {
		changes, err := file.Commit(b.text)
		s.written <- outcome{changes, err}
	}
}

// commit puts a record into the block that is filling, and returns where the
// replies that rest on it go. Taking an address shows at once, so that the
// next message can't get it too; freeing one shows only when stable storage
// knows, since whoever gets it next must not get it twice.
func (s *service) commit(a *act.Action) *outbox {
	b, r := s.filling, a.Record
	lazy := a.Lazy
	if b.text.Records() == 0 {
		b.began = pool.Time(s.d.now.Unix())
	}
	if r.State != pool.Released && s.freed(r.Addr) {
		// The promise that a lazy record rests on is none any more behind one that
		// frees the address. What r holds may be the table's, so it is copied.
		taken := own(r)
		lazy, r = false, &taken
		s.freeNow(r.Addr)
	}
	if r.State == pool.Released {
		b.freeing = append(b.freeing, own(r))
		b.add(r, lazy)
	} else if old, had := s.table.Apply(r); !lazy || !old.Same(r) {
		// A client that renews twice in a second has nothing new to say.
		b.add(r, lazy)
		// What a relay saw rests on no reply: it is taken back with its own block.
		// Else, once the ACK has left, what it says is never taken back.
		if r.State == pool.Relayed || r.State == pool.Free {
			b.undo = append(b.undo, undo{old, had})
		} else if on := s.restsOn(); on != nil {
			on.undo = append(on.undo, undo{old, had})
		}
	}
	if on := s.restsOn(); on != nil {
		return &on.replies
	}
	return &s.direct
}

// restsOn returns the block that the reply to what was just committed has to wait
// for, nil for none.
func (s *service) restsOn() *block {
	for _, b := range [...]*block{s.filling, s.writing} {
		if b != nil && b.sync {
			return b // if the one that is written, the promise may be in there
		}
	}
	return nil
}

// add adds a record.
func (b *block) add(r *pool.Record, lazy bool) {
	b.text.Add(r, lazy)
	b.due = true
	b.sync = b.sync || !lazy
}

// own returns a record that does not share the memory of a core.
func own(r *pool.Record) pool.Record {
	c := *r
	c.ID, c.Agent, c.Class = bytes.Clone(r.ID), bytes.Clone(r.Agent), bytes.Clone(r.Class)
	c.Decliner, c.Nonce = bytes.Clone(r.Decliner), bytes.Clone(r.Nonce)
	c.Host, c.Via, c.Unknown = strings.Clone(r.Host), strings.Clone(r.Via), strings.Clone(r.Unknown)
	return c
}

// freed tells whether an address is to become free.
func (s *service) freed(a netip.Addr) bool {
	return s.filling.frees(a) != nil || s.writing != nil && s.writing.frees(a) != nil
}

// frees returns the record of the block that frees an address, nil for none.
func (b *block) frees(a netip.Addr) *pool.Record {
	for i := range b.freeing {
		if r := &b.freeing[i]; r.Addr == a {
			return r
		}
	}
	return nil
}

// freeNow has the table know already that an address becomes free, since a
// later record says otherwise: should that fail alone, free is what it is.
func (s *service) freeNow(a netip.Addr) {
	for _, b := range [...]*block{s.writing, s.filling} {
		if b == nil {
			continue
		}
		for r := b.frees(a); r != nil; r = b.frees(a) { // a RELEASE may have come twice
			old, had := s.table.Apply(r)
			b.undo = append(b.undo, undo{old, had})
			r.Addr = netip.Addr{}
		}
	}
}

// flush sends what may leave, and hands over the block if the writer is idle.
func (s *service) flush() {
	if s.table == nil {
		return
	}
	s.deliver(&s.direct)
	if s.filling.due && s.writing == nil {
		s.countOn()
		s.writing, s.filling, s.spare = s.filling, s.spare, nil
		s.todo <- s.writing
	}
}

// blockDone goes on when the writer is done with a block.
func (s *service) blockDone(r outcome) {
	b := s.writing
	s.d.count.block(b.text, r.err)
	if r.err != nil {
		s.undo() // before what others did, which stands in the file
	}
	s.take(&r.changes, b)
	if r.err != nil {
		s.failed(r.err)
	} else {
		s.failures = 0
		s.countedOn(b)
		for i := range b.freeing {
			if r := &b.freeing[i]; r.Addr.IsValid() {
				s.table.Apply(r)
			}
		}
		s.publish(b)
		s.deliver(&b.replies)
	}
	s.fresh = s.fresh && !b.text.Synced()
	s.filling.sync = s.filling.sync || s.fresh
	b.reset()
	s.writing, s.spare = nil, b
}

// take applies what others did to the pool file. Replies that it may touch
// are dropped: the client asks again, and is answered by what is true now.
func (s *service) take(c *pool.Changes, b *block) {
	if c.Notice != "" {
		s.d.say.log(c.Notice)
	}
	if c.Corrupt != nil {
		s.d.say.log(c.Corrupt.Error())
	}
	c.Wake = s.news(c.Wake)
	// What was freed before the records that still wait, and abandoned again by
	// them: so it stands in the file, too.
	c.Free = slices.DeleteFunc(c.Free, func(a netip.Addr) bool { return slices.Contains(s.filling.text.Addrs(), a) })
	s.table.Tick(pool.Time(s.d.now.Unix())) // what is freed has changed now
	s.table.Take(c)
	s.core.Rouse(s.d.now, c.Wake...)
	s.publishOthers(c)
	if c.Reset || len(c.Del) > 0 {
		s.discard(&b.replies)
		s.discard(&s.filling.replies)
	}
	if c.Reset || len(c.Add) > 0 {
		s.stale = true
	}
}

// undo takes back the block that could not be written and every record
// applied since, in reverse order, and drops the replies that rest on them.
func (s *service) undo() {
	s.relay.Start(s.d.now.Add(time.Minute)) // leases that were over are back
	for _, b := range []*block{s.filling, s.writing} {
		for i := len(b.undo) - 1; i >= 0; i-- {
			s.table.Undo(&b.undo[i].old, b.undo[i].had)
		}
		s.publish(b) // lazy records stay as they are, and nobody will write them
		s.discard(&b.replies)
	}
	s.filling.reset()
}

// failed says that a block could not be written, once. A file that must be
// written anew is so at once the first time, by all that the table knows; then
// only with the next request, so that a full disk is not tried without end.
func (s *service) failed(err error) {
	s.failures++
	anew := errors.Is(err, pool.ErrWhole)
	if anew {
		s.filling.text.Whole()
		s.filling.due, s.filling.sync = s.failures == 1, true
	}
	why := outOfReach(err)
	switch {
	case anew && s.failures == 1:
		s.d.say.log(why)
	case s.failures == 1 || anew && s.failures == 2:
		follows := "; what is relayed is not noted until this is mended"
		if s.d.any((*network).serves) {
			follows = "; nobody gets a lease until this is mended"
		}
		s.d.say.log(why + follows)
	}
}

// poolNews tells that somebody else has changed the pool file.
func (s *service) poolNews() <-chan struct{} {
	if s.table == nil {
		return nil
	}
	return s.file.Look
}

// poolChanged has the writer look at the pool file: it reads what others
// wrote before it writes, and hands it back.
func (s *service) poolChanged() { s.filling.due = true }

// clockStepped writes down what the clocks say now.
func (s *service) clockStepped() {
	if s.table == nil {
		return
	}
	s.filling.text.Stamp()
	s.filling.due = true
}
