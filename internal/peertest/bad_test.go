package peertest

import (
	"fmt"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// spoilt returns what a liar may make of a message: cut at every length, and
// broken in each field whose value matters to a reader.
func spoilt(good []byte) (list [][]byte) {
	for n := range len(good) {
		if n <= 240+3 || n > len(good)-60 && n%7 == 0 {
			list = append(list, good[:n])
		}
	}
	change := func(at int, octets ...byte) {
		b := append([]byte(nil), good...)
		copy(b[at:], octets)
		list = append(list, b)
	}
	change(0, 0)                     // op
	change(0, 255)                   //
	change(1, 0)                     // htype
	change(2, 0)                     // hlen
	change(2, 17)                    //
	change(2, 255)                   //
	change(236, 99, 130, 83, 98)     // cookie
	change(240, 53, 255)             // an option past the end
	change(240, 53, 1, 0)            // no such type
	change(240, 53, 1, 200)          //
	change(240, 53, 2, 1, 1)         // too long
	change(243, 50, 255)             // past the end
	change(243, 61, 0)               // an empty client ID
	change(243, 52, 1, 9)            // overload
	change(243, 52, 1, 3)            // with nothing in there
	change(len(good)-1, 61)          // an option without length
	change(240, make([]byte, 60)...) // nothing but padding
	list = append(list, append(append([]byte(nil), good...), make([]byte, 1100)...))
	return list
}

// TestS1_BadRequests: nothing that a client may send stops the server.
func TestS1_BadRequests(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	server := n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.100-10.0.0.109")
	evil := n.guest("evil")
	sock := evil.Frames("eth0")
	c := newScripted(1)
	for _, typ := range []dhcp4.Type{dhcp4.Discover, dhcp4.Request, dhcp4.Decline, dhcp4.Release, dhcp4.Inform} {
		m := c.message(typ)
		m.Options.PutAddr(dhcp4.RequestedAddress, netip.MustParseAddr("10.0.0.105"))
		m.Options.PutAddr(dhcp4.ServerID, netip.MustParseAddr("10.0.0.1"))
		good, _ := m.Append(nil, dhcp4.MinLimit)
		for _, bad := range spoilt(good) {
			sock.Send(c.datagram(bad))
		}
	}
	for _, at := range []int{14, 16, 17, 22, 38, 39} { // IP version and length, UDP length
		frame := c.discover()
		frame[at] ^= 0xff
		sock.Send(frame)
	}
	n.client.Udhcpc("eth0")
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	if server.Ended() {
		t.Error("the server has ended")
	}
}

// TestC10_BadReplies: nothing that a server may send stops the client, or
// makes it configure what is not right.
func TestC10_BadReplies(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	evil := n.guest("evil")
	sock := evil.Frames("eth0")
	mac := evil.MAC("eth0")
	p := n.start(n.client)
	discover := n.await(dhcp4.Discover)

	lie := func(payload []byte) {
		sock.Send(ether.AppendUDPFrame(nil, mac, discover.SrcMAC, netip.MustParseAddr("10.6.6.6"),
			netip.MustParseAddr("255.255.255.255"), dhcp4.ServerPort, dhcp4.ClientPort, payload))
	}
	offer := func(change func(*dhcp4.Message)) []byte {
		m := new(dhcp4.Message)
		m.Reset(dhcp4.BootReply)
		m.Htype, m.Hlen, m.Xid = dhcp4.HtypeEther, 6, discover.Xid
		m.Chaddr = discover.Chaddr
		m.Yiaddr = netip.MustParseAddr("10.6.6.100")
		m.SetType(dhcp4.Offer)
		m.Options.PutAddr(dhcp4.ServerID, netip.MustParseAddr("10.6.6.6"))
		m.Options.PutUint32(dhcp4.LeaseTime, 3600)
		change(m)
		b, _ := m.Append(nil, dhcp4.MinLimit)
		return b
	}
	for _, change := range []func(*dhcp4.Message){
		func(m *dhcp4.Message) { m.Xid++ },
		func(m *dhcp4.Message) { m.Chaddr[5] ^= 1 },
		func(m *dhcp4.Message) { m.Op = dhcp4.BootRequest },
		func(m *dhcp4.Message) { m.Options.Del(dhcp4.ServerID) },
		func(m *dhcp4.Message) { m.Yiaddr = netip.IPv4Unspecified() },
		func(m *dhcp4.Message) { m.Yiaddr = netip.MustParseAddr("224.0.0.1") },
		func(m *dhcp4.Message) { m.Options.Put(dhcp4.LeaseTime, []byte{1, 2}) },
	} {
		lie(offer(change))
	}
	good := offer(func(*dhcp4.Message) {})
	frame := ether.AppendUDPFrame(nil, mac, discover.SrcMAC, netip.MustParseAddr("10.6.6.6"),
		netip.MustParseAddr("255.255.255.255"), dhcp4.ServerPort, dhcp4.ClientPort, good)
	frame[40] ^= 1 // the checksum
	sock.Send(frame)
	for _, bad := range spoilt(good) {
		if new(dhcp4.Message).Parse(bad) != nil { // else it may be believed
			lie(bad)
		}
	}

	// An honest server: the client is still there, and has taken nothing.
	if list := n.client.Addrs("eth0"); len(list) != 0 {
		t.Errorf("configured %v", list)
	}
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	if p.Ended() {
		t.Error("the client has ended")
	}
	for _, frame := range n.wire.Frames() {
		if p, ok := decode(frame); ok && p.Type() == dhcp4.Request && p.Options.Has(dhcp4.ServerID) {
			if got := fmt.Sprint(addr(t, p, dhcp4.ServerID)); got == "10.6.6.6" {
				t.Error("the client has asked the liar")
			}
		}
	}
}
