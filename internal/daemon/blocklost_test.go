package daemon

import (
	"errors"
	"testing"

	"dhcpd/pool"
)

// What a daemon that was killed wrote last may not be stored. Before a block of
// ours is, no promise can rest on it, however often that fails.
func TestS4_NothingRestsOnTheLastDaemonsRecords(t *testing.T) {
	s, n, _ := newServing(t)
	s.table.Apply(record(1, "a", pool.Bound))
	s.firstBlock()
	full := errors.New("no space left")
	later := record(1, "a", pool.Bound)
	for _, err := range []error{full, full, nil} {
		later.Told++
		s.do(n, ackFor(later, true))
		if replies(&s.direct) != 0 || replies(&s.filling.replies) != 1 {
			t.Fatal("an ACK leaves that rests on what may not be stored")
		}
		handOver(s)
		s.filling = newBlock(s)
		if err == nil {
			s.discard(&s.writing.replies)
			s.file.Commit(s.writing.text)
		}
		s.blockDone(outcome{err: err})
		handOver(s) // somebody else has written, and we have nothing to write
		s.filling = newBlock(s)
		s.blockDone(outcome{})
	}
	later.Told++
	if s.do(n, ackFor(later, true)); replies(&s.direct) != 1 {
		t.Error("an ACK waits for a record that is stored")
	}
}

// The ACK of a lazy renewal leaves with the block that is written when it comes.
// That its own record, in the next block, could not be written takes nothing away
// from the client; that the promise could not be written does.
func TestP4_LazyRenewalIsUndoneWithWhatItRestsOn(t *testing.T) {
	for _, promise := range []error{nil, errors.New("no space left")} {
		s, n, _ := newServing(t)
		s.do(n, ackFor(record(1, "a", pool.Bound), false))
		handOver(s)
		s.filling = newBlock(s)
		later := record(1, "a", pool.Bound)
		later.Told = 150
		s.do(n, ackFor(later, true))
		if replies(&s.writing.replies) != 2 {
			t.Fatal("the ACK does not wait for what it rests on")
		}
		want := pool.Time(0)
		if promise == nil {
			s.discard(&s.writing.replies) // sent
			want = 150
		}
		s.blockDone(outcome{err: promise})
		handOver(s)
		s.filling = newBlock(s)
		s.blockDone(outcome{err: errors.New("no space left")})
		if r, _ := s.table.ByAddr(later.Addr); r.Told != want {
			t.Errorf("the lease ends at %d, want %d", r.Told, want)
		}
	}
}
