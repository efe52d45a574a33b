package daemon

import (
	"net/netip"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/server"
)

// outbox holds replies until they may leave: datagrams, and frames for hosts
// that can't answer ARP yet.
type outbox struct{ udp, raw batches }

func (o *outbox) reset() {
	o.udp.reset()
	o.raw.reset()
}

// batches is a growing number of batches. Their memory is kept.
type batches struct {
	list []*link.Batch
	used int // batches in use; only the last of them may have room
}

func (b *batches) add() *link.Msg {
	if b.used == 0 || b.list[b.used-1].Full() {
		if b.used == len(b.list) {
			b.list = append(b.list, link.NewBatch(replyBatch, maxReply))
		}
		b.used++
	}
	return b.list[b.used-1].Add()
}

func (b *batches) reset() {
	for _, x := range b.list[:b.used] {
		x.Reset()
	}
	b.used = 0
}

const (
	replyBatch = 32
	maxReply   = 640         // octets that most replies fit into; longer ones get memory of their own
	headers    = 14 + 20 + 8 // of a frame: Ethernet, IPv4, UDP
)

// send puts one reply into a box.
func (s *service) send(n *network, a *act.Action, box *outbox) {
	if !a.To.Raw {
		m := box.udp.add()
		m.Data = s.append(m.Data, n, a)
		m.From = netip.AddrPortFrom(a.To.Source, dhcp4.ServerPort)
		m.To = netip.AddrPortFrom(a.To.Addr, a.To.Port)
		m.Index = n.way(a.To.Addr)
		return
	}
	d := s.d
	d.payload = s.append(d.payload[:0], n, a)
	m := box.raw.add()
	m.Index = n.link.Index
	m.Data = ether.AppendUDPFrame(m.Data, n.link.MAC, a.To.HW, a.To.Source, a.To.Addr,
		dhcp4.ServerPort, a.To.Port, d.payload)
}

// append writes out a message, and says what did not fit.
func (s *service) append(dst []byte, n *network, a *act.Action) []byte {
	dst, left := a.Msg.Append(dst, a.Limit)
	if !left.Empty() {
		s.d.say.once(n.name() + ": " + server.TooBig(a.Msg, left, s.d.cfg.Dict()))
	}
	return dst
}

// way returns the interface for a reply to a: the one that the request came in
// on if a is there (S5), else what the routes say, 0.
func (n *network) way(a netip.Addr) int {
	if !a.Is4() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return n.link.Index
	}
	for _, p := range n.site.Addrs {
		if p.Contains(a) {
			return n.link.Index
		}
	}
	return 0
}

// deliver sends all that is in a box and empties it. What the kernel refuses
// is lost, as it would be on the wire: the client asks again.
func (s *service) deliver(box *outbox) {
	for _, b := range box.udp.list[:box.udp.used] {
		s.show(b, 0)
		_, err := s.udp.Send(b)
		s.d.check(err)
	}
	for _, b := range box.raw.list[:box.raw.used] {
		s.show(b, headers)
		_, err := s.raw.Send(b)
		s.d.check(err)
	}
	box.reset()
}

// show prints what leaves, at the door, if anyone wants to see it.
func (s *service) show(b *link.Batch, skip int) {
	d := s.d
	if d.say.level < 1 {
		return
	}
	for i := range b.Len() {
		m := b.At(i)
		if err := d.msg.Parse(m.Data[skip:]); err != nil {
			continue // can't be: we made it
		}
		to, name := m.To.Addr(), "routed"
		if skip > 0 {
			to = d.msg.Yiaddr
		}
		if n := d.nets[m.Index]; n != nil {
			name = n.name()
		}
		d.say.packet(name, "sent to", to, &d.msg, d.cfg.Dict())
	}
}
