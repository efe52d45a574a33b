package daemon

import (
	"testing"

	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// TestS15_LateTurn: a daemon that has slept over the end of a question hears
// first what was answered meanwhile, and only then takes silence for an answer.
func TestS15_LateTurn(t *testing.T) {
	s, n, _ := newServing(t)
	serving(n)
	for i := byte(1); i <= 2; i++ {
		a := netip.AddrFrom4([4]byte{10, 0, 0, 10 + i})
		s.checks.asked = append(s.checks.asked, question{addr: a, site: n, arp: n, next: s.d.now})
	}
	squatter := s.checks.asked[1].addr
	s.checks.came <- present{addr: squatter, hw: pool.HWOf(1, []byte{2, 0, 0, 0, 0, 9})}
	s.checks.due()
	if got := s.d.count.of[answered]; got != 1 || len(s.checks.asked) != 0 {
		t.Errorf("%d answers, %d questions left", got, len(s.checks.asked))
	}
}
