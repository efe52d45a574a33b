package daemon

import (
	"os"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// doors are those of a box: wires of ours, and its disk.
func (b *box) doors() doors {
	return doors{
		frames: b.openEar,
		port67: func() (datagrams, error) { return b.port, nil },
		sender: func() (sender, error) { return rawPort{b.port}, nil },
		ping:   b.openPing,
		neighbours: func() (*link.Neighbours, error) {
			return nil, os.ErrPermission // want asks in its place
		},
		listen: func() (*link.Listener, error) { return nil, os.ErrPermission },
		dial:   func(netip.Addr, netip.Addr) (*link.Stream, error) { return nil, os.ErrPermission },
		source: func(netip.Addr) (netip.Addr, bool) {
			if p := b.plugs[len(b.plugs)-1]; len(p.addrs) > 0 {
				return p.addrs[0].Addr(), true
			}
			return netip.Addr{}, false
		},
		pool: func(path string, c *pool.Clock) (*pool.File, *pool.Loaded, error) {
			file, loaded, err := pool.OpenOn(b.slow, path, c)
			if err == nil {
				b.opened(loaded)
				b.slow.begins.Store(true)
			}
			return file, loaded, err
		},
	}
}

// datagram is one for port 67.
type datagram struct {
	from, to netip.AddrPort
	index    int
	data     []byte
}

// simPort is port 67 of a box. What is told it at one time comes in one batch,
// if there is room.
type simPort struct {
	b    *box
	in   chan []datagram // closed at the end
	rest []datagram
	deaf bool // nothing leaves any more
	shut bool
}

func (p *simPort) Only(...int) error    { return nil }
func (p *simPort) OnlyAnd(...int) error { return nil }
func (p *simPort) Dropped() uint64      { return 0 }

func (p *simPort) Close() error {
	if !p.shut {
		p.shut = true
		close(p.in)
	}
	return nil
}

func (p *simPort) Receive(batch *link.Batch) error {
	list, open := <-p.in
	if !open {
		return os.ErrClosed
	}
	p.rest = append(p.rest, list...)
	return p.TryReceive(batch)
}

func (p *simPort) TryReceive(batch *link.Batch) error {
	for batch.Reset(); len(p.rest) > 0 && !batch.Full(); p.rest = p.rest[1:] {
		x, m := p.rest[0], batch.Add()
		m.Data, m.From, m.To, m.Index = append(m.Data, x.data...), x.from, x.to, x.index
	}
	return nil
}

func (p *simPort) Send(batch *link.Batch) (int, error) {
	for i := range batch.Len() {
		if m := batch.At(i); !p.deaf {
			p.b.w.sent(p.b, m.Data)
			p.b.w.route(p.b, netip.AddrPortFrom(m.From.Addr(), dhcp4.ServerPort), m.To, append([]byte(nil), m.Data...))
		}
	}
	return 0, nil
}

// rawPort sends frames.
type rawPort struct{ port *simPort }

func (p rawPort) Close() error { return nil }

func (p rawPort) Send(batch *link.Batch) (int, error) {
	for i := range batch.Len() {
		m := batch.At(i)
		from, frame := p.port.b.plug(m.Index), append([]byte(nil), m.Data...)
		if p.port.deaf {
			continue
		}
		if question, err := ether.ParseARPFrame(frame); err == nil {
			from.wire.arp(question, frame, from)
			continue
		}
		p.port.b.w.sent(p.port.b, frame[headers:])
		from.wire.carry(frame, from.mac)
	}
	return 0, nil
}

// simPing is the ears for ICMP echo replies of a box.
type simPing struct {
	b       *box
	answers chan netip.Addr // closed at the end
}

func (b *box) openPing() (pinger, error) {
	b.ping = &simPing{b, make(chan netip.Addr, 64)}
	return b.ping, nil
}

// Ask is answered by who has the address, if anybody.
func (p *simPing) Ask(a netip.Addr) error {
	w := p.b.w
	for _, m := range w.machines {
		if m.wire != nil && m.wire.net.Contains(a) && !m.asleep && m.uses(a) {
			w.over(func() { p.hear(a) })
		}
	}
	return nil
}

func (p *simPing) hear(a netip.Addr) {
	if p == p.b.ping && len(p.answers) < cap(p.answers) {
		p.answers <- a
		p.b.pump()
	}
}

func (p *simPing) Wait() (netip.Addr, error) {
	if a, open := <-p.answers; open {
		return a, nil
	}
	return netip.Addr{}, os.ErrClosed
}

func (p *simPing) Close() error {
	if p == p.b.ping {
		p.b.ping = nil
		close(p.answers)
	}
	return nil
}

// simEar is a packet socket of a box.
type simEar struct {
	p      *plug
	kind   link.Kind
	frames chan []byte
	shut   bool
}

func (b *box) openEar(on link.ID, kind link.Kind) (link.Frames, error) {
	p := b.plug(on.Index)
	e := &simEar{p: p, kind: kind, frames: make(chan []byte, 64)}
	p.ears = append(p.ears, e)
	return e, nil
}

func (e *simEar) Read(buf []byte) (int, error) {
	frame, open := <-e.frames
	if !open {
		return 0, os.ErrClosed
	}
	return copy(buf, frame), nil
}

func (e *simEar) Write([]byte) error        { return nil }
func (e *simEar) About(...netip.Addr) error { return nil }

func (e *simEar) Close() {
	if !e.shut {
		e.shut = true
		close(e.frames)
	}
	for i, x := range e.p.ears {
		if x == e {
			e.p.ears = append(e.p.ears[:i:i], e.p.ears[i+1:]...)
			return
		}
	}
}

// tell gives a frame to the ears of a kind.
func (p *plug) tell(kind link.Kind, frame []byte) {
	heard := false
	for _, e := range p.ears {
		if e.kind == kind && len(e.frames) < cap(e.frames) {
			e.frames <- frame
			heard = true
		}
	}
	if heard {
		p.b.pump()
	}
}

func (p *plug) hearARP(frame []byte) { p.tell(link.ARP, frame) }

// overhear hears what another server tells everybody.
func (p *plug) overhear(frame []byte, from ether.MAC) {
	if ether.MAC(frame[:6]) == ether.Broadcast && from != p.mac {
		p.tell(link.DHCP, frame)
	}
}

// hear takes what is for port 67. What comes within a millisecond is read at
// once.
func (p *plug) hear(from, to netip.AddrPort, data []byte) {
	b := p.b
	if b.d == nil || b.asleep || len(b.waiting) > 1000 {
		return
	}
	b.w.gaveUp(b, data)
	b.waiting = append(b.waiting, datagram{from, to, p.id.Index, data})
	if b.soon == nil {
		b.soon = b.w.after(b.w.upTo(time.Millisecond), func() {
			b.soon = nil
			b.pump()
		})
	}
}
