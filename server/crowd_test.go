package server

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// promise is what an ACK said.
type promise struct {
	to  byte
	end time.Time
}

// TestS4_OneLeaseOneClient: twice as many clients as there are addresses send
// anything at any time. While the lease that one was told runs, nobody else is
// told that he has the address.
func TestS4_OneLeaseOneClient(t *testing.T) {
	var acks, moved int
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		var members []string
		for n := range 6 {
			members = append(members, fmt.Sprintf("10.0.0.%d", 20+n))
		}
		w := newWorld(t, house, members...)
		w.site.Settings.Rapid, w.site.Settings.Authoritative = seed%2 == 0, seed%3 == 0
		promised := map[netip.Addr]promise{}
		for range 2000 {
			w.now = w.now.Add(time.Duration(rnd.IntN(30_000)) * time.Millisecond)
			n := byte(1 + rnd.IntN(12))
			m := anything(rnd, n, members[rnd.IntN(len(members))])
			a := w.sentTo([]string{"255.255.255.255", "10.0.0.1"}[rnd.IntN(2)]).ask(m)
			if r := a.record; r != nil && (r.State == pool.Released || r.State == pool.Abandoned) {
				delete(promised, r.Addr)
			}
			if a.reply == nil || a.reply.Type() != dhcp4.ACK {
				continue
			}
			acks++
			y := a.reply.Yiaddr
			if p, ok := promised[y]; ok && p.to != n {
				if moved++; w.now.Before(p.end) {
					t.Fatalf("seed %d: %v for %s: the lease of client %d runs for %v yet", seed, y, m.Line(nil), p.to, p.end.Sub(w.now))
				}
			}
			term, _ := a.reply.Options.Uint32(dhcp4.LeaseTime)
			promised[y] = promise{n, w.now.Add(time.Duration(term) * time.Second)}
		}
	}
	if acks < 5000 || moved < 500 {
		t.Errorf("%d ACKs, %d for an address that was another's", acks, moved)
	}
}

// anything is a message of client n, which has a in mind.
func anything(rnd *rand.Rand, n byte, a string) *dhcp4.Message {
	term := seconds(dhcp4.LeaseTime, uint32(60+rnd.IntN(400)))
	switch rnd.IntN(12) {
	case 0, 1, 2:
		return discover(n, term)
	case 3:
		return discover(n, requested(a), term)
	case 4:
		return discover(n, option(dhcp4.RapidCommit), term)
	case 5, 6, 7:
		return selecting(n, a, term)
	case 8:
		return initReboot(n, a, term)
	case 9, 10:
		return renewing(n, a, term)
	}
	if rnd.IntN(4) > 0 {
		return release(n, a)
	}
	return decline(n, a)
}
