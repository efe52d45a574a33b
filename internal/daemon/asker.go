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
	came chan func()      // what the loop is to take in
	lost bool             // the pool file has lost records
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
	for ; !errors.Is(err, os.ErrClosed); list, err = ear.Wait() {
		if !s.hand(func() bool { return s.want(list) }) {
			return
		}
	}
}

// hand has the loop take something in, and waits until it has; false if no more
// is wanted, or the loop has ended.
func (s *service) hand(take func() bool) bool {
	more := make(chan bool)
	select {
	case s.asker.came <- func() { more <- take() }:
		return <-more
	case <-s.d.ended:
		return false
	}
}

// handed is where that comes from, unless what it would bring can't be written
// yet.
func (s *service) handed() <-chan func() {
	if s.table == nil || s.stuck() {
		return nil
	}
	return s.asker.came
}

// want has the servers asked about addresses that packets go to, where nobody
// knows who has them.
func (s *service) want(list []link.Neighbour) bool {
	for _, w := range list {
		if n := s.d.nets[w.Index]; n != nil && n.relays() {
			s.do(n, s.relay.Want(s.d.now, &n.relay, s.table, w.Addr))
		}
	}
	return true
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
	stream, err := s.d.doors.dial(source, server)
	if err == nil {
		defer stream.Close()
		err = stream.Write(query)
	}
	answers := dhcp4.Frames{From: stream}
	for more := true; more; {
		var list [][]byte
		if err == nil {
			list, err = answers.Next()
		}
		if err == io.EOF {
			err = errors.New("the connection was closed")
		}
		more = s.hand(func() bool { return s.told(server, list, err) })
	}
}

// told takes in what a server tells, or that its connection has ended; false if
// no more is wanted.
func (s *service) told(server netip.Addr, list [][]byte, err error) bool {
	over := false
	for _, b := range list {
		if err = s.d.msg.Parse(b); err != nil {
			break
		}
		s.d.say.packet(nameOf(nil), "received from", server, &s.d.msg, s.d.cfg.Dict())
		s.d.count.received.count(&s.d.msg)
		n, actions, last := s.relay.Bulk(s.d.now, s.table, server, &s.d.msg)
		s.do(s.networkOf(n), actions)
		if over = last; over {
			break
		}
	}
	if over = over || err != nil; over {
		s.do(nil, s.relay.Ended(s.d.now, s.table, server, err))
	}
	return !over
}

// nameOf returns the name of a network, and for none that of what is not about
// one.
func nameOf(n *network) string {
	if n == nil {
		return "relay"
	}
	return n.name()
}
