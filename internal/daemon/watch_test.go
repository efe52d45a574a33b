package daemon

import (
	"testing"

	"dhcpd/internal/netip"
)

// TestQ6_TooMuch: what waits for an asker is bounded; what did not fit is looked
// for among all addresses, from the time of the first on.
func TestQ6_TooMuch(t *testing.T) {
	s := &service{d: &Daemon{now: start}}
	slow, quick := new(caller), new(caller)
	s.bulk.watch = []*caller{slow, quick}
	for i := range mostNews + 5 {
		s.noteChange(netip.AddrFrom(uint32(i)))
		quick.news = quick.news[:0]
		if (slow.lost != 0) != (i >= mostNews) || quick.lost != 0 {
			t.Fatalf("after %d: %d, %d", i, slow.lost, quick.lost)
		}
	}
	if len(slow.news) != mostNews || int64(slow.lost) != start.Unix() {
		t.Errorf("%d wait, lost since %d", len(slow.news), slow.lost)
	}
	s.bulk.dismiss(slow)
	if len(s.bulk.watch) != 1 || s.bulk.watch[0] != quick {
		t.Error("dismissed the wrong one")
	}
}
