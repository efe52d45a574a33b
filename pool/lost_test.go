package pool

import (
	"testing"
	"time"

	"dhcpd/internal/simdisk"
)

// TestP4_LazyRecordLostBeforeAnOrderlyEnd: the ACK of a lazy renewal has left,
// and its record could not be written. Whoever starts next goes by what was
// promised, for all that the daemon ended in order; unless all was written anew
// since.
func TestP4_LazyRecordLostBeforeAnOrderlyEnd(t *testing.T) {
	for _, anew := range []bool{false, true} {
		d, c := simdisk.New(), newSimClock()
		k, _ := mustOpen(t, d, simPath, c)
		first := k.lease(ip(1), 1, 100)
		first.Kept = k.now() + 500
		k.mustCommit(first)
		c.pass(time.Second)
		d.Limit(0)
		later := *first
		later.Told += 300
		if _, err := k.commit(true, &later); err == nil {
			t.Fatal("a full disk was written to")
		}
		k.table.Apply(&later) // its ACK has left
		d.Limit(-1)
		if anew {
			k.block.Whole()
		}
		k.mustCommit(k.lease(ip(2), 2, 100))
		if err := k.file.Close(); err != nil {
			t.Fatal(err)
		}
		k, _ = mustOpen(t, d, simPath, c)
		want := later
		if !anew {
			want.Told = want.Kept
		}
		k.want("the renewal", &want)
	}
}
