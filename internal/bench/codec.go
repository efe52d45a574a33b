package main

import (
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// A common client's messages, and a server's answers.

// from begins a message of the n-th client of all.
func from(op dhcp4.Op, typ dhcp4.Type, n int) *dhcp4.Message {
	m := new(dhcp4.Message)
	m.Reset(op)
	m.Htype, m.Hlen, m.Xid = dhcp4.HtypeEther, 6, 0x1a2b3c4d
	become(m, n)
	m.SetType(typ)
	return m
}

// become makes m a message of the n-th client.
func become(m *dhcp4.Message, n int) {
	mac := macOf(n)
	copy(m.Chaddr[:], mac[:])
}

// macOf is the Ethernet address of the n-th client, locally administered.
func macOf(n int) [6]byte { return [6]byte{2, 0xbe, 0, byte(n >> 16), byte(n >> 8), byte(n)} }

// asking adds what a common client asks with.
func asking(m *dhcp4.Message) *dhcp4.Message {
	m.Options.Put(dhcp4.ParameterList, []byte{1, 3, 6, 12, 15, 28, 51, 58, 59})
	m.Options.PutUint16(dhcp4.MaxSize, 1500)
	m.Options.PutText(dhcp4.HostName, "host")
	return m
}

// answering adds what it gets.
func answering(m *dhcp4.Message, server, yiaddr netip.Addr) *dhcp4.Message {
	m.Yiaddr = yiaddr
	m.Options.PutAddr(dhcp4.ServerID, server)
	m.Options.PutUint32(dhcp4.LeaseTime, 3600)
	m.Options.PutAddr(dhcp4.Netmask, netip.MustParseAddr("255.255.0.0"))
	m.Options.PutAddr(dhcp4.Router, server)
	m.Options.PutAddr(dhcp4.DNSServer, server)
	m.Options.PutText(dhcp4.DomainName, "example.com")
	return m
}

// codec measures parse and append.
func (b *bench) codec() {
	b.section("codec", "a bare copy of as many octets")
	server, yiaddr := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.7")
	request := asking(from(dhcp4.BootRequest, dhcp4.Request, 1))
	request.Options.PutAddr(dhcp4.RequestedAddress, yiaddr)
	request.Options.PutAddr(dhcp4.ServerID, server)
	for _, m := range []*dhcp4.Message{
		asking(from(dhcp4.BootRequest, dhcp4.Discover, 1)),
		answering(from(dhcp4.BootReply, dhcp4.Offer, 1), server, yiaddr),
		request,
		answering(from(dhcp4.BootReply, dhcp4.ACK, 1), server, yiaddr),
	} {
		wire, _ := m.Append(nil, dhcp4.MinLimit)
		dst, into := make([]byte, 2048), new(dhcp4.Message)
		bare := func(n int) {
			for range n {
				copy(dst, wire)
			}
		}
		b.compareRow("parse "+m.Type().String(), func(n int) {
			for range n {
				b.check(into.Parse(wire))
			}
		}, bare)
		out := make([]byte, 0, 2048)
		b.compareRow("append "+m.Type().String(), func(n int) {
			for range n {
				out, _ = m.Append(out[:0], dhcp4.MinLimit)
			}
		}, bare)
	}
}
