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
	for _, err := range []error{errors.New("no space left"), errors.New("no space left"), nil} {
		s.do(n, ackFor(record(1, "a", pool.Bound), true))
		if replies(&s.direct) != 0 || replies(&s.filling.replies) != 1 {
			t.Fatal("an ACK leaves that rests on what may not be stored")
		}
		handOver(s)
		s.filling = newBlock(s)
		if err == nil {
			s.discard(&s.writing.replies)
		}
		s.blockDone(outcome{err: err})
	}
	later := record(1, "a", pool.Bound)
	later.Told++
	if s.do(n, ackFor(later, true)); replies(&s.direct) != 1 {
		t.Error("an ACK waits for a record that is stored")
	}
}
