package server

import (
	"encoding/binary"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// load is a server at work, as a load generator sees it: a pool of 64,000
// addresses, of which 20,000 are leased, and clients behind a relay.
type load struct {
	*world
	msg     dhcp4.Message
	asked   dhcp4.Message
	packets [inFlight][]byte // their memory is used again, as that of datagrams is
	old     pool.Record
	acks    int
}

const (
	inFlight = 512
	leases   = 20_000
	members  = 64_000
)

var (
	loaded    = netip.MustParsePrefix("10.77.0.0/16")
	relayAddr = ip("10.77.0.2")
)

func newLoad(b *testing.B) *load {
	w := newWorld(b, "", nil...)
	first := binary.BigEndian.Uint32(ip("10.77.1.0").AsSlice())
	for n := range uint32(members) {
		w.table.Add(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, first+n))))
	}
	w.configure(`host 10.77.0.0/16 { gateway 10.77.0.1; DHCPlease 3600; option "srv0" server; };`)
	w.site.Addrs = []netip.Prefix{netip.MustParsePrefix("10.77.0.1/16")}
	ours := map[netip.Addr]bool{ip("10.77.0.1"): true}
	w.site.Ours = func(a netip.Addr) bool { return ours[a] }
	w.sentTo("10.77.0.1")
	l := &load{world: w}
	for n := range leases {
		l.answer(l.batch(1, n, l.discover))
		l.answer(l.batch(1, n, l.selecting))
	}
	if l.acks != leases {
		b.Fatalf("%d ACKs", l.acks)
	}
	return l
}

// message is what client n sends.
func (l *load) message(n int, t dhcp4.Type, giaddr netip.Addr) *dhcp4.Message {
	m := &l.asked
	m.Reset(dhcp4.BootRequest)
	m.Htype, m.Hlen, m.Xid, m.Giaddr = dhcp4.HtypeEther, 6, uint32(n), giaddr
	m.Chaddr = [16]byte{2, 0x77, byte(n * 31), byte(n >> 16), byte(n >> 8), byte(n)}
	m.SetType(t)
	id := [7]byte{1}
	copy(id[1:], m.HW())
	m.Options.Put(dhcp4.ClientID, id[:])
	return m
}

func (l *load) discover(n int) *dhcp4.Message { return l.message(n, dhcp4.Discover, relayAddr) }

// selecting takes up the OFFER to client n.
func (l *load) selecting(n int) *dhcp4.Message {
	m := l.message(n, dhcp4.Request, relayAddr)
	id := m.Options.Get(dhcp4.ClientID)
	a, ok := l.table.HeldFor(id, loaded, pool.Time(l.now.Unix()))
	if e := l.table.Of(id, loaded); e.Known() {
		a, ok = e.Addr(), true
	}
	if !ok {
		l.t.Fatalf("no OFFER to client %d", n)
	}
	m.Options.PutAddr(dhcp4.RequestedAddress, a)
	m.Options.PutAddr(dhcp4.ServerID, l.site.To)
	return m
}

func (l *load) renewing(n int, giaddr netip.Addr) *dhcp4.Message {
	m := l.message(n, dhcp4.Request, giaddr)
	e := l.table.Of(m.Options.Get(dhcp4.ClientID), loaded)
	if !e.Known() {
		l.t.Fatalf("no lease of client %d", n)
	}
	m.Ciaddr = e.Addr()
	return m
}

// answer answers packets as the daemon does, but for what the journal, the
// sockets and the kernel take, and returns how long that took.
func (l *load) answer(packets [][]byte) time.Duration {
	start := time.Now()
	for _, p := range packets {
		l.msg.Parse(p)
		actions := l.srv.Decide(l.now, l.cfg, &l.site, l.table, &l.msg)
		for i := range actions {
			switch a := &actions[i]; a.Verb {
			case act.Commit:
				l.old, _ = l.table.Apply(a.Record)
				l.acks++
			case act.Hold:
				l.table.Hold(a.Addr, a.Client, a.Agent, a.Until)
			case act.Unhold:
				l.table.Unhold(a.Addr)
			case act.Send:
				l.buf, _ = a.Msg.Append(l.buf[:0], a.Limit)
			default:
				l.t.Fatalf("%v", a)
			}
		}
	}
	return time.Since(start)
}

// batch makes the packets of so many clients from number n on.
func (l *load) batch(size, n int, message func(n int) *dhcp4.Message) [][]byte {
	for i := range size {
		m := message(n + i)
		m.Options.Put(dhcp4.ParameterList, []byte{1, 3, 6, 15, 51, 58, 59})
		l.packets[i], _ = m.Append(l.packets[i][:0], 1500)
	}
	return l.packets[:size]
}

// older is the n-th client of those that have a lease, in no order.
func older(n int) int { return n * 7919 % leases }

// BenchmarkLoad measures what one request costs, from packet to packet:
// parse, decide, apply, append.
func BenchmarkLoad(b *testing.B) {
	b.Run("known", func(b *testing.B) { exchanges(b, older, false) })
	b.Run("new", func(b *testing.B) { exchanges(b, func(n int) int { return leases + n }, true) })
	b.Run("renewing", func(b *testing.B) { renewals(b, netip.IPv4Unspecified()) })
	b.Run("relayed", func(b *testing.B) { renewals(b, relayAddr) })
}

// exchanges measures DISCOVER and REQUEST. Leases of new clients are given up
// again, so that the pool stays as it is.
func exchanges(b *testing.B, client func(n int) int, fresh bool) {
	l := newLoad(b)
	discovers, requests := time.Hour, time.Hour
	n := 0
	for ; n < b.N; n += inFlight {
		discovers = min(discovers, l.answer(l.batch(inFlight, n, func(n int) *dhcp4.Message { return l.discover(client(n)) })))
		requests = min(requests, l.answer(l.batch(inFlight, n, func(n int) *dhcp4.Message { return l.selecting(client(n)) })))
		for i := range inFlight * btoi(fresh) {
			m := l.message(client(n+i), dhcp4.Request, relayAddr)
			l.table.Apply(&pool.Record{Addr: l.table.Of(m.Options.Get(dhcp4.ClientID), loaded).Addr()})
		}
	}
	if l.acks != leases+n {
		b.Fatalf("%d ACKs, want %d", l.acks, leases+n)
	}
	b.ReportMetric(float64(discovers)/inFlight, "ns/DISCOVER")
	b.ReportMetric(float64(requests)/inFlight, "ns/REQUEST")
	b.ReportMetric(0, "ns/op")
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// renewals measures renewals, of leases that are promised for longer.
func renewals(b *testing.B, giaddr netip.Addr) {
	l := newLoad(b)
	requests := time.Hour
	n := 0
	for ; n < b.N; n += inFlight {
		l.now = l.now.Add(time.Second)
		requests = min(requests, l.answer(l.batch(inFlight, n, func(n int) *dhcp4.Message { return l.renewing(older(n), giaddr) })))
	}
	if l.acks != leases+n {
		b.Fatalf("%d ACKs, want %d", l.acks, leases+n)
	}
	b.ReportMetric(float64(requests)/inFlight, "ns/REQUEST")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkLeaseQuery is what a leasequery costs, from an access concentrator.
func BenchmarkLeaseQuery(b *testing.B) {
	first := binary.BigEndian.Uint32(ip("10.77.1.0").AsSlice())
	for name, by := range map[string]func(m *dhcp4.Message, n int){
		"address": func(m *dhcp4.Message, n int) { m.Ciaddr = netip.AddrFrom(first + uint32(n)) },
		"MAC": func(m *dhcp4.Message, n int) {
			m.Htype, m.Hlen, m.Chaddr = 1, 6, [16]byte{2, 0x77, byte(n * 31), byte(n >> 16), byte(n >> 8), byte(n)}
		},
	} {
		b.Run(name, func(b *testing.B) {
			l := newLoad(b)
			l.site.Settings.LeaseQuery = new(conf.LeaseQuery)
			m := query(listed(51, 58, 59, 82, 91, 61))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				by(m, older(i))
				a := l.srv.Decide(l.now, l.cfg, &l.site, l.table, m)
				if a[0].Verb != act.Send || a[0].Msg.Type() != dhcp4.LeaseActive {
					b.Fatal("no answer")
				}
			}
		})
	}
}
