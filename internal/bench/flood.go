package main

import (
	"sync/atomic"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
)

// flooded measures what a flood of leasequeries leaves of the exchanges of known
// clients: no less than their share of the packets.
func (b *bench) flooded() {
	b.section("known clients under a flood of leasequeries, 64 in flight", "an echo under the same")
	ring := b.contenders()[:2]
	wire := func(c *contender) *crowd { return c.wire }
	b.turns(ring, cold, b.exchanges, 64, wire)
	alone := b.turns(ring, warm, b.exchanges, 64, wire)
	var with [2]sum
	var left, share [2]float64
	for i, c := range ring {
		var sent atomic.Int64
		end := b.flood(c, &sent)
		start := time.Now()
		with[i] = b.turns(ring[i:i+1], warm, b.exchanges, 64, wire)[0]
		queries := float64(sent.Load()) / time.Since(start).Seconds()
		end()
		rate := median(with[i].rates)
		left[i], share[i] = rate/median(alone[i].rates), 2*rate/(2*rate+queries)
	}
	b.row("exchanges/s", median(with[0].rates), median(with[1].rates), none)
	b.row("  of those without the flood", left[0], left[1], none)
	b.row("  share of the packets", share[0], share[1], none)
}

// flood sends 64 queries a millisecond until end is called. The answers go
// where nobody is.
func (b *bench) flood(c *contender, sent *atomic.Int64) (end func()) {
	t := newTemplate(dhcp4.LeaseQuery, 0, [4]byte{10, 32, 0, 99}, [4]byte{}, false)
	copy(t[atCiaddr:], []byte{10, 48, 0, 1})
	var u *link.UDP
	c.clients.Do(func() {
		var err error
		u, err = link.ListenOne(2067)
		b.check(err)
	})
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for out := link.NewBatch(64, size); ; {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			for out.Reset(); !out.Full(); {
				m := out.Add()
				m.Data = append(m.Data, t[:]...)
				m.To = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 32, 0, 1}), dhcp4.ServerPort)
			}
			lost, _ := u.Send(out)
			sent.Add(int64(out.Len() - lost))
		}
	}()
	return func() {
		close(over)
		<-ended
		u.Close()
	}
}
