package peertest

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dhcpd/client"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// A liar is a server that says what we want, on the client's wire.
type liar struct {
	n    *network
	sock *netlab.Socket
	mac  ether.MAC
	addr netip.Addr
	give netip.Addr // what it gives to everybody

	marks int
}

func newLiar(n *network) *liar {
	n.Helper()
	host := n.guest("liar")
	return &liar{n: n, sock: host.Frames("eth0"), mac: host.MAC("eth0"),
		addr: netip.MustParseAddr("10.6.6.6"), give: netip.MustParseAddr("10.6.6.100")}
}

// reply is a sound answer to a client's message, but for the changes.
func (l *liar) reply(to *packet, typ dhcp4.Type, changes ...func(*dhcp4.Message)) []byte {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootReply)
	m.Htype, m.Hlen, m.Xid, m.Chaddr = dhcp4.HtypeEther, 6, to.Xid, to.Chaddr
	m.SetType(typ)
	m.Options.PutAddr(dhcp4.ServerID, l.addr)
	if typ != dhcp4.NAK {
		m.Yiaddr = l.give
		m.Options.PutUint32(dhcp4.LeaseTime, 3600)
		m.Options.Put(dhcp4.Netmask, []byte{255, 255, 255, 0})
	}
	for _, f := range changes {
		f(m)
	}
	payload, _ := m.Append(nil, 1400)
	return payload
}

// frame is how a message travels to a client that has no address.
func (l *liar) frame(to *packet, payload []byte) []byte {
	return ether.AppendUDPFrame(nil, l.mac, to.SrcMAC, l.addr, dhcp4.Everyone, dhcp4.ServerPort, dhcp4.ClientPort, payload)
}

// say sends an answer.
func (l *liar) say(to *packet, typ dhcp4.Type, changes ...func(*dhcp4.Message)) {
	l.n.Helper()
	l.sock.Send(l.frame(to, l.reply(to, typ, changes...)))
}

// insist sends an answer, again if it must, until wait has seen what comes of it.
func (l *liar) insist(to *packet, payload []byte, wait func()) {
	l.n.Helper()
	insisting(l.sock, l.frame(to, payload), wait)
}

// offer makes OFFERs until one is taken, and returns the REQUEST: the switch may
// not let us talk yet.
func (l *liar) offer(to *packet, changes ...func(*dhcp4.Message)) *packet {
	l.n.Helper()
	l.n.Until("a REQUEST for our OFFER", func() bool {
		l.say(to, dhcp4.Offer, changes...)
		return slices.ContainsFunc(l.n.wire.Frames(), func(frame []byte) bool {
			p, ok := decode(frame)
			return ok && p.Type() == dhcp4.Request && p.Xid == to.Xid
		})
	})
	return l.n.await(dhcp4.Request)
}

// put and without are changes.
func put(c dhcp4.Code, octets ...byte) func(*dhcp4.Message) {
	return func(m *dhcp4.Message) { m.Options.Put(c, octets) }
}

func without(c dhcp4.Code) func(*dhcp4.Message) {
	return func(m *dhcp4.Message) { m.Options.Del(c) }
}

func yiaddr(s string) func(*dhcp4.Message) {
	return func(m *dhcp4.Message) { m.Yiaddr = netip.MustParseAddr(s) }
}

func server(s string) func(*dhcp4.Message) {
	return func(m *dhcp4.Message) { m.Options.PutAddr(dhcp4.ServerID, netip.MustParseAddr(s)) }
}

// fields are answers that are wrong in one field or option, whatever their
// type, with the reason that the client has to give.
var fields = []struct {
	change func(*dhcp4.Message)
	why    string
}{
	{func(m *dhcp4.Message) { m.Xid++ }, "xid is not ours"},
	{func(m *dhcp4.Message) { m.Xid = 0 }, "xid is not ours"},
	{func(m *dhcp4.Message) { m.Chaddr[5] ^= 1 }, "chaddr is not ours"},
	{func(m *dhcp4.Message) { m.Hlen = 16 }, "chaddr is not ours"},
	{func(m *dhcp4.Message) { m.Htype = 6 }, "chaddr is not ours"},
	{put(dhcp4.ClientID, 1, 2, 3), "client identifier is not ours"},
	{without(dhcp4.ServerID), "no server identifier, or not a host's address"},
	{put(dhcp4.ServerID, 10, 6, 6), "no server identifier, or not a host's address"},
	{server("0.0.0.0"), "no server identifier, or not a host's address"},
	{server("255.255.255.255"), "no server identifier, or not a host's address"},
	{server("127.0.0.1"), "no server identifier, or not a host's address"},
	{put(dhcp4.MessageType, 1), "no message for a client"},
	{put(dhcp4.MessageType, 4), "no message for a client"},
	{put(dhcp4.MessageType, 13), "no message for a client"},
	{put(dhcp4.MessageType, 5, 5), dhcp4.ErrType.Error()},
	{put(dhcp4.MessageType, 200), dhcp4.ErrType.Error()},
}

// gifts are those that are wrong about what is given: no NAK can be.
var gifts = []struct {
	change func(*dhcp4.Message)
	why    string
}{
	{yiaddr("0.0.0.0"), "yiaddr is not a host's address"},
	{yiaddr("127.0.0.1"), "yiaddr is not a host's address"},
	{yiaddr("224.0.0.1"), "yiaddr is not a host's address"},
	{yiaddr("240.0.0.1"), "yiaddr is not a host's address"},
	{yiaddr("255.255.255.255"), "yiaddr is not a host's address"},
	{yiaddr("10.6.6.0"), "yiaddr is the network or broadcast address of its subnet"},
	{yiaddr("10.6.6.255"), "yiaddr is the network or broadcast address of its subnet"},
	{without(dhcp4.LeaseTime), "no lease time, or a malformed one"},
	{put(dhcp4.LeaseTime, 0, 0, 0, 0), "no lease time, or a malformed one"},
	{put(dhcp4.LeaseTime, 0, 1), "no lease time, or a malformed one"},
	{put(dhcp4.LeaseTime, 0, 0, 1, 0, 0), "no lease time, or a malformed one"},
}

// broken are frames with an answer that is cut or altered between server and
// client: at every length, in the headers, in pieces, with options that lie
// about their length or where others are.
func (l *liar) broken(to *packet, typ dhcp4.Type) (list [][]byte) {
	good := l.reply(to, typ)
	believed := func(b []byte) bool {
		m := new(dhcp4.Message)
		if m.Parse(b) != nil {
			return false
		}
		_, err := client.NewLease(m, time.Now())
		return err == nil || typ == dhcp4.NAK && m.Options.Has(dhcp4.ServerID)
	}
	add := func(b []byte) {
		if !believed(b) {
			list = append(list, l.frame(to, b))
		}
	}
	for n := range len(good) {
		add(good[:n])
	}
	change := func(at int, octets ...byte) {
		b := append([]byte(nil), good...)
		copy(b[at:], octets)
		add(b)
	}
	for at := range 4 {
		change(236+at, 1) // the cookie
	}
	for _, lie := range [][]byte{{52, 1, 0}, {52, 1, 4}, {52, 1, 255}, {52, 2, 1, 1}, {52, 0}, {54, 255}, {51, 200}, {1, 255}, {53, 1, 5}} {
		change(243, lie...)
	}
	change(108, 52, 1, 3, 53, 1, 2) // in file, and another type there
	looped := append([]byte(nil), good...)
	copy(looped[44:], []byte{52, 1, 1, 54, 4, 10, 6, 6, 7, 255}) // sname says to look into file
	copy(looped[108:], []byte{52, 1, 2, 53, 1, 5, 255})          // which says to look into sname
	list = append(list, l.frame(to, append(looped[:240:240], append([]byte{52, 1, 3}, looped[240:]...)...)))
	frame := l.frame(to, good)
	alter := func(at int, mask byte) {
		b := append([]byte(nil), frame...)
		b[at] ^= mask
		list = append(list, b)
	}
	for at := 14; at < 14+20+8; at++ { // any bit of the headers; the UDP checksum does not cover TTL and the like, but IP's does
		alter(at, 1<<(at%8))
	}
	for at := 42; at < len(frame); at += 7 {
		alter(at, 0x10)
	}
	return append(list, fragments(frame)...)
}

// fragments cuts a frame's datagram in two, with right checksums.
func fragments(frame []byte) (list [][]byte) {
	const half = 160 // of the IP payload; a multiple of 8
	for i, part := range [][]byte{frame[34 : 34+half], frame[34+half:]} {
		b := append(append([]byte(nil), frame[:34]...), part...)
		binary.BigEndian.PutUint16(b[16:], uint16(20+len(part)))
		binary.BigEndian.PutUint16(b[20:], [2]uint16{0x2000, half / 8}[i])
		binary.BigEndian.PutUint16(b[24:], 0)
		binary.BigEndian.PutUint16(b[24:], ether.Checksum(b[14:34]))
		list = append(list, b)
	}
	return list
}

// lie sends all answers of a type that nobody may believe, waits until they
// have been heard, and returns the reasons that were due.
func (l *liar) lie(p *netlab.Proc, to *packet, typ dhcp4.Type) (whys []string) {
	l.n.Helper()
	list := l.broken(to, typ)
	for _, x := range fields {
		list = append(list, l.frame(to, l.reply(to, typ, x.change)))
		whys = append(whys, x.why)
	}
	for _, x := range gifts {
		if typ != dhcp4.NAK {
			list = append(list, l.frame(to, l.reply(to, typ, x.change)))
			whys = append(whys, x.why)
		}
	}
	for part := range slices.Chunk(list, 40) { // as many as a socket has room for
		for _, frame := range part {
			l.sock.Send(frame)
		}
		l.heard(p, to)
	}
	return whys
}

// heard waits until the client has heard all that was said.
func (l *liar) heard(p *netlab.Proc, to *packet) {
	l.n.Helper()
	l.marks++
	mark := fmt.Sprint("mark ", l.marks)
	l.insist(to, l.reply(to, dhcp4.Offer, func(m *dhcp4.Message) { m.Xid++ }, put(dhcp4.MessageText, []byte(mark)...)),
		func() { p.WaitLine(`\"` + mark + `"`) })
}

// TestC8_C10_C13_LiesInEveryState: while it selects, requests and renews, a client
// hears everything that is wrong, and believes nothing of it. Then it has a
// lease from an honest server.
func TestC8_C10_C13_LiesInEveryState(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	l := newLiar(n)
	p := n.start(n.client)
	var whys []string
	lies := func(to *packet, types ...dhcp4.Type) {
		for _, typ := range types {
			whys = append(whys, l.lie(p, to, typ)...)
		}
	}
	discover := n.await(dhcp4.Discover)
	l.n.Until("a first lie", func() bool { // see offer
		l.say(discover, dhcp4.NAK)
		return strings.Contains(p.Output(), "dropped: ")
	})
	lies(discover, dhcp4.Offer, dhcp4.ACK, dhcp4.NAK)
	l.say(discover, dhcp4.ACK) // which nobody asked for, nor this:
	l.say(discover, dhcp4.NAK)
	l.say(discover, dhcp4.Offer)
	request := n.await(dhcp4.Request)
	lies(request, dhcp4.Offer, dhcp4.ACK, dhcp4.NAK)
	l.say(request, dhcp4.ACK, yiaddr("10.6.6.101"))
	l.say(request, dhcp4.ACK, server("10.6.6.7"))
	l.say(request, dhcp4.NAK, server("10.6.6.7"))
	if list := n.client.Addrs("eth0"); len(list) != 0 {
		t.Errorf("configured %v", list)
	}
	s := netlab.Serve("eth0", "10.0.0.1/24")
	s.T1 = 3 * time.Second
	honest := n.server.Dnsmasq(s)
	l.say(request, dhcp4.NAK) // this one may be believed
	a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
	honest.Kill()

	l.give, l.addr = a, netip.MustParseAddr("10.0.0.66") // as good as it can
	renewal := n.await(dhcp4.Request, from(n.client), renewing(a))
	unicast := func(frame []byte) { // the socket on the port hears it, not the raw one
		copy(frame[30:34], a.AsSlice())
		l.sock.Send(resum(frame))
	}
	unicast(l.frame(renewal, l.reply(renewal, dhcp4.ACK)))
	unicast(l.frame(renewal, l.reply(renewal, dhcp4.NAK)))
	lies(renewal, dhcp4.Offer, dhcp4.ACK)
	if got := bound(t, n.client, a.String(), a.String()); got != a || lifetime(t, n.client) > 3600-3 {
		t.Errorf("%v for %d s", got, lifetime(t, n.client))
	}
	for _, why := range append(whys, dhcp4.ErrShort.Error(), dhcp4.ErrCookie.Error(), dhcp4.ErrOption.Error(), dhcp4.ErrOverload.Error(),
		"DHCPOFFER that is not waited for", "DHCPACK that answers no DHCPREQUEST of ours", "DHCPNAK that answers no DHCPREQUEST of ours",
		"yiaddr is not the address asked for", "server identifier is not that of the server asked") {
		if !strings.Contains(p.Output(), "dropped: "+why) {
			t.Errorf("nothing was dropped since %s", why)
		}
	}
	q := n.command(n.client, "-q")
	for _, what := range []string{"dropped: message is malformed", "dropped: nothing that our client waits for"} {
		if countIn(q, what) < 50 {
			t.Errorf("%d times %s:\n%s", countIn(q, what), what, q)
		}
	}
	if asked := regexp.MustCompile(`(?m)sent to .*10\.6\.6\.7`).FindString(p.Output()); asked != "" {
		t.Error(asked)
	}
}

// resum makes the checksums of a frame right.
func resum(frame []byte) []byte {
	d, h := frame[14:], ether.MAC(frame[0:6])
	return ether.AppendUDPFrame(nil, ether.MAC(frame[6:12]), h, netip.AddrFrom4([4]byte(d[12:16])), netip.AddrFrom4([4]byte(d[16:20])),
		binary.BigEndian.Uint16(d[20:]), binary.BigEndian.Uint16(d[22:]), d[28:])
}
