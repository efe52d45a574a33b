package main

import (
	"bytes"
	"encoding/binary"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// A mob is many clients that are frames and nothing else. Each comes once, and
// is never seen again.
type mob struct {
	s        *soak
	sock     *netlab.Socket
	size     int       // of them, in each round
	router   ether.MAC // the way to the server
	id       uint32    // of the last one
	declined []string  // addresses
}

// riot has the next ones come, one after the other. One of eight lets its lease
// run out, one finds the address in use, one comes back before it leaves; all
// others just release it.
func (m *mob) riot() {
	for i := range m.size {
		m.id++
		offer := m.ask(m.message(dhcp4.Discover), dhcp4.Offer)
		server, err := offer.Options.Addr(dhcp4.ServerID)
		if err != nil {
			m.s.t.Fatalf("soak: an OFFER without server identifier")
		}
		request := m.message(dhcp4.Request)
		request.Options.PutAddr(dhcp4.RequestedAddress, offer.Yiaddr)
		request.Options.PutAddr(dhcp4.ServerID, server)
		m.ask(request, dhcp4.ACK)
		m.s.leases++
		switch i % 8 {
		case 0:
		case 1:
			m.say(m.parting(dhcp4.Decline, offer.Yiaddr, server), netip.IPv4Unspecified(), dhcp4.Everyone)
			m.declined = append(m.declined, offer.Yiaddr.String())
		case 2:
			again := m.message(dhcp4.Request)
			again.Options.PutAddr(dhcp4.RequestedAddress, offer.Yiaddr)
			m.ask(again, dhcp4.ACK)
			fallthrough
		default:
			m.say(m.parting(dhcp4.Release, offer.Yiaddr, server), offer.Yiaddr, server)
		}
	}
}

// message begins a message of the present client.
func (m *mob) message(t dhcp4.Type) *dhcp4.Message {
	x := new(dhcp4.Message)
	x.Reset(dhcp4.BootRequest)
	x.Htype, x.Hlen, x.Xid = dhcp4.HtypeEther, 6, m.id
	mac := m.mac()
	copy(x.Chaddr[:], mac[:])
	x.SetType(t)
	return x
}

func (m *mob) mac() ether.MAC {
	mac := ether.MAC{0x02, 0xcc}
	binary.BigEndian.PutUint32(mac[2:], m.id)
	return mac
}

// parting is a DECLINE or a RELEASE.
func (m *mob) parting(t dhcp4.Type, a, server netip.Addr) *dhcp4.Message {
	x := m.message(t)
	if t == dhcp4.Decline {
		x.Options.PutAddr(dhcp4.RequestedAddress, a)
	} else {
		x.Ciaddr = a
	}
	x.Options.PutAddr(dhcp4.ServerID, server)
	return x
}

// say sends a message to the server.
func (m *mob) say(x *dhcp4.Message, src, dst netip.Addr) {
	payload, _ := x.Append(nil, dhcp4.MinLimit)
	to := m.router
	if dst == dhcp4.Everyone {
		to = ether.Broadcast
	}
	m.sock.Send(ether.AppendUDPFrame(nil, m.mac(), to, src, dst, dhcp4.ClientPort, dhcp4.ServerPort, payload))
}

// ask broadcasts a message again and again until an answer of a type is there.
func (m *mob) ask(x *dhcp4.Message, want dhcp4.Type) *dhcp4.Message {
	buf := make([]byte, 2048)
	for end := time.Now().Add(netlab.Patience); time.Now().Before(end); {
		m.say(x, netip.IPv4Unspecified(), dhcp4.Everyone)
		m.sock.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		for {
			n, err := m.sock.Read(buf)
			if err != nil {
				break
			}
			if answer := m.answer(buf[:n]); answer != nil && answer.Type() == want {
				return answer
			}
		}
	}
	m.s.t.Fatalf("soak: no answer to %s", x.Line(nil))
	return nil
}

// answer takes apart a reply to the present client, nil if the frame is none.
func (m *mob) answer(frame []byte) *dhcp4.Message {
	u, err := ether.ParseUDPFrame(frame)
	if err != nil || u.Dst.Port() != dhcp4.ClientPort {
		return nil
	}
	x := new(dhcp4.Message)
	if x.Parse(bytes.Clone(u.Payload)) != nil || x.Op != dhcp4.BootReply || x.Xid != m.id {
		return nil
	}
	return x
}
