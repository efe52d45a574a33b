package daemon

import (
	"errors"
	"io"
	"os"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/relay"
)

// asker is what it takes to ask servers who has an address (R7): ears for what is
// wanted, and connections to servers that tell all.
type asker struct {
	ear  *link.Neighbours // nil while nobody is asked
	told chan piece
	lost bool // the pool file has lost records
}

// piece is what is wanted, or some of what a server tells by TCP, from where the
// last one ended.
type piece struct {
	wanted []link.Neighbour
	server netip.Addr
	data   []byte
	rest   chan<- int // how many octets of it are the beginning of more; -1: no more is wanted
	err    error      // that was the end
}

// prepare listens for just those networks that something may be asked about.
func (k *asker) prepare(s *service, list []*relay.Network) {
	var indexes []int
	for _, n := range list {
		if n.Ask {
			indexes = append(indexes, n.Index)
		}
	}
	s.relay.Asks(s.d.now, list, s.table, k.lost)
	if len(indexes) == 0 {
		k.shut()
		return
	}
	if k.ear == nil {
		ear, err := s.d.doors.neighbours()
		if err != nil {
			s.d.say.once(err.Error())
			return
		}
		k.ear = ear
		go s.listenWanted(ear)
	}
	k.lost = false
	s.d.check(k.ear.Only(indexes...))
}

// shut stops to listen.
func (k *asker) shut() {
	if k.ear != nil {
		k.ear.Close()
		k.ear = nil
	}
}

// listenWanted hands over what is wanted: what packets go to already, and then
// what is new.
func (s *service) listenWanted(ear *link.Neighbours) {
	list, err := ear.Known()
	rest := make(chan int)
	for ; !errors.Is(err, os.ErrClosed); list, err = ear.Wait() {
		if s.hand(piece{wanted: list, rest: rest}, rest) < 0 {
			return
		}
	}
}

// want has the servers asked about an address that packets go to, if nobody
// knows where it is.
func (s *service) want(w link.Neighbour) {
	if n := s.d.nets[w.Index]; n != nil && n.relays() {
		s.do(n, s.relay.Want(s.d.now, &n.relay, s.table, w.Addr))
	}
}

// heardAnswer takes in an answer that came in on a network.
func (s *service) heardAnswer(on *network, m *link.Msg) {
	s.d.count.received.count(&s.d.msg)
	p := s.packet(on, m)
	to, actions := s.relay.Answer(s.d.now, s.table, &p)
	s.do(s.networkOf(to), actions)
}

// networkOf returns the network that the relay means, nil for none.
func (s *service) networkOf(to *relay.Network) *network {
	if to == nil {
		return nil
	}
	return s.d.nets[to.Index]
}

// fetch asks a server by TCP and hands over what it tells.
func (s *service) fetch(source, server netip.Addr, query []byte) {
	rest := make(chan int)
	p := piece{server: server, rest: rest}
	stream, err := s.d.doors.dial(source, server)
	if err == nil {
		defer stream.Close()
		err = stream.Write(query)
	}
	buf, have := make([]byte, dhcp4.MaxFrame), 0
	for err == nil && have >= 0 {
		var n int
		if n, err = stream.Read(buf[have:]); err == io.EOF {
			err = errors.New("the connection was closed")
		}
		if err == nil {
			p.data = buf[:have+n]
			have = s.hand(p, rest)
			copy(buf, p.data[len(p.data)-max(have, 0):])
		}
	}
	if have >= 0 {
		s.hand(piece{server: server, rest: rest, err: err}, rest)
	}
}

// hand hands over a piece, and waits until it has been read.
func (s *service) hand(p piece, rest <-chan int) int {
	select {
	case s.asker.told <- p:
		return <-rest
	case <-s.d.ended:
		return -1
	}
}

// pieces is where they come from, unless what they would bring can't be written
// yet.
func (s *service) pieces() <-chan piece {
	if s.table == nil || s.stuck() {
		return nil
	}
	return s.asker.told
}

// piece takes in what is wanted, or what a server tells.
func (s *service) piece(p piece) {
	for _, w := range p.wanted {
		s.want(w)
	}
	if p.server == (netip.Addr{}) {
		p.rest <- 0
		return
	}
	left, err := 0, p.err
	for err == nil {
		var b []byte
		if b, p.data, err = dhcp4.CutFrame(p.data); b == nil {
			break
		}
		if err = s.d.msg.Parse(b); err != nil {
			break
		}
		s.d.say.packet(nameOf(nil), "received from", p.server, &s.d.msg, s.d.cfg.Dict())
		s.d.count.received.count(&s.d.msg)
		n, actions, over := s.relay.Bulk(s.d.now, s.table, p.server, &s.d.msg)
		s.do(s.networkOf(n), actions)
		if over {
			left = -1
			break
		}
	}
	if left == 0 && err == nil {
		p.rest <- len(p.data)
		return
	}
	s.do(nil, s.relay.Ended(s.d.now, s.table, p.server, err))
	p.rest <- -1
}

// nameOf returns the name of a network, and for none that of what is not about
// one.
func nameOf(n *network) string {
	if n == nil {
		return "relay"
	}
	return n.name()
}
