package oracle

import (
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// discover and ack are a plain client's question and a server's full answer.
func discover() []byte {
	var m dhcp4.Message
	m.Reset(dhcp4.BootRequest)
	m.Htype, m.Hlen, m.Xid = dhcp4.HtypeEther, 6, 0x1a2b3c4d
	m.Chaddr = [16]byte{2, 0, 0, 0, 0, 1}
	m.SetType(dhcp4.Discover)
	m.Options.Put(dhcp4.ParameterList, []byte{1, 3, 6, 12, 15, 28, 42})
	m.Options.PutUint16(dhcp4.MaxSize, 1500)
	m.Options.PutText(dhcp4.HostName, "host")
	m.Options.PutText(dhcp4.ClientID, "\x01\x02\x00\x00\x00\x00\x01")
	b, _ := m.Append(nil, 1472)
	return b
}

var (
	server  = netip.MustParseAddr("10.0.0.1")
	address = netip.MustParseAddr("10.0.0.7")
	netmask = netip.MustParseAddr("255.255.255.0")
)

// build answers a request into buf.
func build(q, m *dhcp4.Message, buf []byte) []byte {
	m.Reset(dhcp4.BootReply)
	m.Htype, m.Hlen, m.Chaddr, m.Xid, m.Flags, m.Giaddr = q.Htype, q.Hlen, q.Chaddr, q.Xid, q.Flags, q.Giaddr
	m.Yiaddr = address
	m.SetType(dhcp4.ACK)
	m.Options.PutAddr(dhcp4.ServerID, server)
	m.Options.PutUint32(dhcp4.LeaseTime, 3600)
	m.Options.PutAddr(dhcp4.Netmask, netmask)
	m.Options.PutAddr(dhcp4.Router, server)
	m.Options.PutAddr(dhcp4.DNSServer, server)
	m.Options.PutText(dhcp4.DomainName, "example.com")
	buf, _ = m.Append(buf[:0], q.Limit(1500))
	return buf
}

// buildLibrary does the same with the library.
func buildLibrary(q *dhcpv4.DHCPv4) []byte {
	ip := server.AsSlice()
	m, err := dhcpv4.NewReplyFromRequest(q,
		dhcpv4.WithMessageType(dhcpv4.MessageTypeAck),
		dhcpv4.WithYourIP(address.AsSlice()),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(ip)),
		dhcpv4.WithOption(dhcpv4.OptIPAddressLeaseTime(time.Hour)),
		dhcpv4.WithOption(dhcpv4.OptSubnetMask(netmask.AsSlice())),
		dhcpv4.WithOption(dhcpv4.OptRouter(ip)),
		dhcpv4.WithOption(dhcpv4.OptDNS(ip)),
		dhcpv4.WithOption(dhcpv4.OptDomainName("example.com")))
	if err != nil {
		panic(err)
	}
	return m.ToBytes()
}

// versus measures both in one run and reports how many of ours go into one
// of the library's.
func versus(b *testing.B, library, ours func()) {
	b.Run("library", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			library()
		}
	})
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ours()
		}
		b.ReportMetric(ratio(library, ours), "times-faster")
	})
}

// ratio compares the best of many short rounds, one side after the other, so
// that what else the machine does falls on both or on neither.
func ratio(library, ours func()) float64 {
	theirs, us := time.Hour, time.Hour
	for range 100 {
		theirs = min(theirs, round(library))
		us = min(us, round(ours))
	}
	return float64(theirs) / float64(us)
}

func round(f func()) time.Duration {
	start := time.Now()
	for range 200 {
		f()
	}
	return time.Since(start)
}

func BenchmarkParse(b *testing.B) {
	var q, m dhcp4.Message
	question := discover()
	q.Parse(question)
	answer := build(&q, &m, nil)
	for name, wire := range map[string][]byte{"DISCOVER": question, "ACK": answer} {
		b.Run(name, func(b *testing.B) {
			versus(b,
				func() { dhcpv4.FromBytes(wire) },
				func() { m.Parse(wire) })
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	var q, m dhcp4.Message
	q.Parse(discover())
	theirs, _ := dhcpv4.FromBytes(discover())
	buf := make([]byte, 0, 1500)
	versus(b,
		func() { buildLibrary(theirs) },
		func() { buf = build(&q, &m, buf) })
}

func BenchmarkAppend(b *testing.B) {
	var q, m dhcp4.Message
	q.Parse(discover())
	buf := build(&q, &m, make([]byte, 0, 1500))
	theirs, _ := dhcpv4.FromBytes(buf)
	versus(b,
		func() { theirs.ToBytes() },
		func() { buf, _ = m.Append(buf[:0], 1472) })
}

func TestNoAllocation(t *testing.T) {
	var q, m dhcp4.Message
	wire, buf := discover(), make([]byte, 0, 1500)
	q.Parse(wire)
	build(&q, &m, buf) // memory for the options is taken once
	for name, f := range map[string]func(){
		"parse": func() { q.Parse(wire) },
		"build": func() { buf = build(&q, &m, buf) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
