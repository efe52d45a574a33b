package main

import (
	"fmt"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
)

// bulk measures a bulk leasequery for all addresses while clients come at 200
// a second.
func (b *bench) bulk() {
	b.section(fmt.Sprintf("bulk leasequery for %s leases, clients at 200/s", number(float64(b.leases))), "5 s; the same clients without it")
	c := b.leased("bulk", b.leases)
	defer c.proc.Kill()
	full := b.leases + spare(b.leases)
	var quiet, during waits
	var took []float64
	for range max(1, b.rounds/2) {
		b.check(c.wire.trickle(b.paced, &quiet))
		ended := make(chan error)
		var s *link.Stream
		c.clients.Do(func() {
			var err error
			s, err = link.Dial(netip.MustParseAddr("10.32.0.2"), netip.MustParseAddr("10.32.0.1"))
			b.check(err)
		})
		go func() {
			start := time.Now()
			n, err := takeAll(s)
			if took = append(took, time.Since(start).Seconds()); err == nil && n < b.leases {
				err = fmt.Errorf("%d addresses", n)
			}
			ended <- err
		}()
		for busy := true; busy; {
			n := max(1, b.paced/5)
			if c.wire.fresh+n > full { // there is no address left for anybody new
				b.check(<-ended)
				break
			}
			b.check(c.wire.trickle(n, &during))
			select {
			case err := <-ended:
				b.check(err)
				busy = false
			default:
			}
		}
		s.Close()
	}
	b.row("seconds", median(took), 5, none)
	b.row("OFFER p99, µs", share(during.offer, 0.99), share(quiet.offer, 0.99), none)
	b.row("ACK p50, µs", share(during.ack, 0.5), share(quiet.ack, 0.5), none)
	b.row("ACK p99, µs", share(during.ack, 0.99), share(quiet.ack, 0.99), none)
	b.note("%d exchanges meanwhile", len(during.ack))
}

// takeAll asks for all addresses and returns how many it was told of.
func takeAll(s *link.Stream) (n int, err error) {
	var q dhcp4.Message
	q.Reset(dhcp4.BootRequest)
	q.SetType(dhcp4.BulkLeaseQuery)
	q.Options.Put(dhcp4.ParameterList, []byte{51, 82, 91, 61, 152, 153, 156})
	if err := s.Write(q.AppendFrame(nil)); err != nil {
		return 0, err
	}
	buf := make([]byte, 0, 1<<20)
	for {
		got, err := s.Read(buf[len(buf):cap(buf)])
		if err != nil {
			return n, err
		}
		rest := buf[:len(buf)+got]
		for {
			var m []byte
			if m, rest, err = dhcp4.CutFrame(rest); err != nil {
				return n, err
			}
			if m == nil {
				break
			}
			if dhcp4.Type(m[atType]) == dhcp4.LeaseQueryDone {
				return n, nil
			}
			n++
		}
		buf = append(buf[:0], rest...)
	}
}
