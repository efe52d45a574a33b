package daemon

import (
	"dhcpd/internal/act"
	"dhcpd/internal/auth"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/server"
)

// outbox holds replies until they may leave: datagrams, and frames to hosts that
// can't answer ARP yet and to everyone. Only the last batch of each may have
// room.
type outbox struct{ udp, raw []*link.Batch }

// room is the place for one more reply among list.
func (s *service) room(list *[]*link.Batch) *link.Msg {
	if n := len(*list); n == 0 || (*list)[n-1].Full() {
		*list = append(*list, s.post.sheet())
	}
	return (*list)[len(*list)-1].Add()
}

// discard throws away what is in a box.
func (s *service) discard(box *outbox) {
	s.d.count.withhold(box)
	s.post.free = append(append(s.post.free, box.udp...), box.raw...)
	box.udp, box.raw = box.udp[:0], box.raw[:0]
}

const (
	replyBatch = 32
	maxReply   = 640         // octets that most replies fit into; longer ones get memory of their own
	headers    = 14 + 20 + 8 // of a frame: Ethernet, IPv4, UDP
)

// send puts one reply into a box.
func (s *service) send(n *network, a *act.Action, box *outbox) {
	if !a.To.Raw && !n.framed(a) {
		m := s.room(&box.udp)
		m.Data = s.append(m.Data, n, a)
		m.From = netip.AddrPortFrom(a.To.Source, dhcp4.ServerPort)
		m.To = netip.AddrPortFrom(a.To.Addr, a.To.Port)
		m.Index = n.way(a.To.Addr)
		if a.Octets != nil && a.To.Port == dhcp4.ClientPort {
			m.Index = n.link.Index // whatever the netmask says: R5
		}
		return
	}
	payload := a.Octets
	if payload == nil {
		s.d.payload = s.append(s.d.payload[:0], n, a)
		payload = s.d.payload
	}
	m := s.room(&box.raw)
	m.Index, m.To = n.link.Index, netip.AddrPortFrom(a.To.Addr, a.To.Port)
	m.Data = ether.AppendUDPFrame(m.Data, n.link.MAC, a.To.HW, a.To.Source, a.To.Addr,
		dhcp4.ServerPort, a.To.Port, payload)
}

// framed makes a broadcast a frame of ours, where it can be one. The kernel
// would look for a route for it each time, and give this machine a copy: that
// is half of what it costs to send one.
func (n *network) framed(a *act.Action) bool {
	size := len(a.Octets)
	if a.Msg != nil {
		size = max(a.Limit, dhcp4.MinLimit)
	}
	if a.To.Addr != dhcp4.Everyone || !n.link.Ether || size+headersUDP > n.link.MTU {
		return false
	}
	a.To.HW = ether.Broadcast
	return true
}

// append writes out a message.
func (s *service) append(dst []byte, n *network, a *act.Action) []byte {
	if a.Octets != nil {
		return append(dst, a.Octets...)
	}
	start := len(dst)
	dst, left := a.Msg.Append(dst, a.Limit)
	if a.Key != nil {
		auth.Sign(dst[start:], a.Key)
	}
	if !left.Empty() {
		s.tooBig(n, a.Msg, left)
	}
	return dst
}

// tooBig says what did not fit, once for each option that was the first which
// did not: clients may name theirs in any order.
func (s *service) tooBig(n *network, m *dhcp4.Message, left dhcp4.Set) {
	for c := range left.All() {
		if s.d.say.first(n.name() + " " + string(rune(c))) {
			s.d.say.log(n.name() + ": " + server.TooBig(m, left, s.d.cfg.Dict()))
		}
		return
	}
}

// way returns the interface for a reply to a: the one that the request came in
// on if a is there (S5), else what the routes say, 0.
func (n *network) way(a netip.Addr) int {
	if n == nil {
		return 0
	}
	if !a.Is4() || a == dhcp4.Everyone {
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
	for _, b := range box.udp {
		s.show(b, 0)
		s.dispatch(letter{batch: b, by: s.udp})
	}
	for _, b := range box.raw {
		s.show(b, headers)
		s.dispatch(letter{batch: b, by: s.raw})
	}
	box.udp, box.raw = box.udp[:0], box.raw[:0]
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
		name := "routed"
		if n := d.nets[m.Index]; n != nil {
			name = n.name()
		}
		d.say.packet(name, "sent to", m.To.Addr(), &d.msg, d.cfg.Dict())
	}
}
