package peertest

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// A scripted client is a DHCP client by raw frames, so small that a host may
// be hundreds of them.
type scripted struct {
	mac   ether.MAC
	xid   uint32
	flags uint16
	addr  netip.Addr // what it was offered, then what it has
	done  bool
}

func newScripted(n uint16) *scripted {
	c := &scripted{mac: ether.MAC{0x02, 0xcc, 0, 0, byte(n >> 8), byte(n)}}
	c.xid = binary.BigEndian.Uint32(c.mac[2:])
	return c
}

// message begins a message of the client.
func (c *scripted) message(typ dhcp4.Type) *dhcp4.Message {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootRequest)
	m.Htype, m.Hlen, m.Xid, m.Flags = dhcp4.HtypeEther, 6, c.xid, c.flags
	copy(m.Chaddr[:], c.mac[:])
	m.SetType(typ)
	return m
}

func (c *scripted) discover() []byte { return c.frame(c.message(dhcp4.Discover)) }

func (c *scripted) request(server netip.Addr) []byte {
	m := c.message(dhcp4.Request)
	m.Options.PutAddr(dhcp4.RequestedAddress, c.addr)
	m.Options.PutAddr(dhcp4.ServerID, server)
	return c.frame(m)
}

func (c *scripted) frame(m *dhcp4.Message) []byte {
	payload, _ := m.Append(nil, dhcp4.MinLimit)
	return c.datagram(payload)
}

// datagram is a broadcast to the servers with any payload.
func (c *scripted) datagram(payload []byte) []byte {
	return ether.AppendUDPFrame(nil, c.mac, ether.Broadcast, netip.IPv4Unspecified(),
		netip.MustParseAddr("255.255.255.255"), dhcp4.ClientPort, dhcp4.ServerPort, payload)
}

// insist sends a scripted client's frame again and again, as clients do, until
// our server has sent something of that type, and returns that.
func (n *network) insist(sock *netlab.Socket, frame []byte, typ dhcp4.Type) *packet {
	n.Helper()
	before := len(n.wire.Frames())
	n.Until("an answer", func() bool {
		sock.Send(frame)
		return slices.ContainsFunc(n.wire.Frames()[before:], func(frame []byte) bool {
			p, ok := decode(frame)
			return ok && p.Op == dhcp4.BootReply && p.Type() == typ
		})
	})
	return n.await(typ, func(p *packet) bool { return p.Op == dhcp4.BootReply })
}

// insisting sends a frame and waits, and sends it again every few seconds until
// then, as clients do: on a busy machine any frame may find no room in a queue.
func insisting(sock *netlab.Socket, frame []byte, wait func()) {
	over := make(chan struct{})
	defer close(over)
	sock.Send(frame)
	go func() {
		tick := time.NewTicker(4 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				sock.Write(frame)
			}
		}
	}()
	wait()
}

// replied sends a client's frame, again if it must, and returns the next reply of
// that type to the client's xid.
func (n *network) replied(sock *netlab.Socket, frame []byte, xid uint32, typ dhcp4.Type) (p *packet) {
	n.Helper()
	insisting(sock, frame, func() {
		p = n.await(typ, func(p *packet) bool { return p.Op == dhcp4.BootReply && p.Xid == xid })
	})
	return p
}

// A crowd is many scripted clients on one host.
type crowd struct {
	sock    *netlab.Socket
	clients map[uint32]*scripted // by xid
	left    int
}

// newCrowd makes one of n clients.
func newCrowd(h *netlab.Host, n int) *crowd {
	w := &crowd{sock: h.Frames("eth0"), clients: map[uint32]*scripted{}, left: n}
	for i := range n {
		c := newScripted(uint16(i))
		w.clients[c.xid] = c
	}
	return w
}

// take answers an OFFER by a REQUEST, and notes an ACK.
func (w *crowd) take(t *testing.T, p *packet) {
	t.Helper()
	c := w.clients[p.Xid]
	if c == nil || p.Op != dhcp4.BootReply {
		return
	}
	switch p.Type() {
	case dhcp4.Offer:
		c.addr = p.Yiaddr
		w.sock.Send(c.request(addr(t, p, dhcp4.ServerID)))
	case dhcp4.ACK:
		if c.done {
			return // of a REQUEST that was repeated
		}
		c.addr, c.done = p.Yiaddr, true
		w.left--
	case dhcp4.NAK:
		t.Errorf("client %x got a NAK for %v", c.mac, c.addr)
	}
}

// run plays until all have their lease. Those that have none after a while
// start over, as real ones would.
func (w *crowd) run(t *testing.T) {
	t.Helper()
	b := make([]byte, 1<<16)
	for end := time.Now().Add(netlab.Patience); w.left > 0; {
		for _, c := range w.clients {
			if !c.done {
				w.sock.Send(c.discover())
			}
		}
		w.sock.SetReadDeadline(time.Now().Add(4 * time.Second))
		for w.left > 0 {
			n, err := w.sock.Read(b)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if p, ok := decode(b[:n]); ok {
				w.take(t, p)
			}
		}
		if time.Now().After(end) {
			t.Fatalf("%d clients without a lease", w.left)
		}
	}
}

// TestS1_S2_S4_Crowd: 200 clients at once, and the real ones among them.
func TestS1_S2_S4_Crowd(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.serve(conf("10.0.0.1/16", "DHCPlease 3600;"), "10.0.1.1-10.0.1.203")
	host := n.guest("crowd")
	w := newCrowd(host, 200)
	second, third := n.guest("second"), n.guest("third")
	n.client.Udhcpc("eth0")
	second.Dhclient("eth0")
	third.Dhcpcd("eth0")
	w.run(t)

	owner := map[netip.Addr]string{}
	take := func(a netip.Addr, who string) {
		if owner[a] != "" {
			t.Errorf("%v belongs to %s and %s", a, owner[a], who)
		}
		owner[a] = who
	}
	for _, c := range w.clients {
		take(c.addr, ether.FormatMAC(c.mac))
	}
	for _, h := range []*netlab.Host{n.client, second, third} {
		take(bound(t, h, "10.0.1.1", "10.0.1.203"), h.Name)
	}
	if len(owner) != 203 {
		t.Errorf("%d addresses for 203 clients", len(owner))
	}
}
