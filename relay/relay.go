// Package relay passes messages on between clients and servers that are on
// different networks (RFC 1542 section 4, RFC 3046): Up to the servers, Down to
// the clients. It works on the octets of a message, so that what the RFCs do
// not tell a relay to change stays as it is. What servers give to clients it
// notes in the pool's table, as records in state relayed, which it asks for by
// Learn and Commit; it reads the table and never writes it.
// Who has an address that it does not know it asks the servers (RFC 4388, RFC
// 6926), if it is to: Want, Answer, Bulk.
package relay

import (
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// Relay relays. The zero Relay is ready. What it knows comes in with each
// call; the rest is scratch memory, so that relaying costs no allocation. It
// serves one caller at a time.
type Relay struct {
	Random func() uint64 // for whoever has Ask set

	now    time.Time
	at     pool.Time
	counts Counts
	acts   []act.Action
	out    []byte // the message as it goes on
	record pool.Record
	id     [1 + 16]byte // memory for record.ID

	wake time.Time // when the next relayed lease ends, or may
	asks asker
}

// Packet is a message as it came.
type Packet struct {
	Msg      *dhcp4.Message
	Data     []byte // its octets; Parse has read them
	From, To netip.Addr
	Clients  bool // it came in where clients are
}

func (r *Relay) begin(now time.Time) {
	r.now, r.at = now, pool.Time(now.Unix())
	r.acts = r.acts[:0]
}

// Up relays a request that came in from network n to its servers. The actions,
// and all that they point to, are good until the next call.
func (r *Relay) Up(now time.Time, n *Network, table *pool.Table, p *Packet) []act.Action {
	r.begin(now)
	m := p.Msg
	first := m.Giaddr.IsUnspecified() // we are the first relay on its way
	switch {
	case int(m.Hops) > n.hops():
		r.drop(tooManyHops)
	case !first && n.Ours(m.Giaddr): // RFC 3046 section 2.1.1
		r.drop(ourGiaddr)
	case !first && !dhcp4.IsUnicast(m.Giaddr):
		r.drop(badGiaddr)
	case first && m.Options.Has(dhcp4.RelayAgent) && !n.Trusted: // RFC 3046 section 2.1
		r.drop(untrusted)
	case len(n.targets) == 0:
		r.drop(noServer)
	default:
		r.forward(n, p)
		if first {
			n.asks(now, m)
			r.forgo(n, table, m)
		}
	}
	return r.acts
}

// forward sends a request to all servers of the network: the same for every
// message of a client (RFC 1542 section 4.1.1).
func (r *Relay) forward(n *Network, p *Packet) {
	giaddr, source := p.Msg.Giaddr, netip.Addr{}
	first := giaddr.IsUnspecified()
	if first && r.addAgent(n, p) {
		giaddr = n.giaddr
	} else {
		r.out = append(r.out[:0], p.Data...)
		if first { // nothing but giaddr tells the server where the client is
			giaddr = n.Addr.Addr()
		}
	}
	if first {
		source = giaddr
	}
	dhcp4.PutRelay(r.out, p.Msg.Hops+1, giaddr)
	to := act.Dest{Port: dhcp4.ServerPort, Source: source}
	for _, to.Addr = range n.targets {
		r.send(&to)
	}
}

// Down relays a reply to the clients of network n, which Nets found for it.
func (r *Relay) Down(now time.Time, n *Network, table *pool.Table, p *Packet) []act.Action {
	r.begin(now)
	if p.Clients && !n.isServer(p.From) {
		r.drop(notServer)
		return r.acts
	}
	n.answered()
	if Answers(p.Msg) {
		r.drop(noQuery)
		return r.acts
	}
	if n.addedAgent(p.Msg) {
		r.out = dhcp4.AppendWithoutAgent(r.out[:0], p.Data)
	} else {
		r.out = append(r.out[:0], p.Data...)
	}
	to := destination(p.Msg, n.Addr.Addr())
	r.send(&to)
	r.glean(n, table, p)
	return r.acts
}

// Lost counts a reply that is for none of our networks, and says why.
func (r *Relay) Lost(several bool) []act.Action {
	r.acts = r.acts[:0]
	if several {
		r.drop(noCircuit)
	} else {
		r.drop(notOurs)
	}
	return r.acts
}

// do adds an action. They are large: one place to make them.
func (r *Relay) do(v act.Verb) *act.Action {
	n := len(r.acts)
	if n == cap(r.acts) {
		r.acts = append(r.acts[:n:n], make([]act.Action, n+8)...)
	}
	r.acts = r.acts[:n+1]
	a := &r.acts[n]
	*a = act.Action{Verb: v}
	return a
}

func (r *Relay) send(to *act.Dest) {
	a := r.do(act.Send)
	a.Octets, a.To = r.out, *to
}

// drop counts and notes why a message is not relayed.
func (r *Relay) drop(why reason) { r.because(why, act.Drop) }

func (r *Relay) because(why reason, l act.Level) {
	r.counts[why]++
	a := r.do(act.Note)
	a.Level, a.Text = l, why.String()
}

// destination says how a reply travels on the clients' network, from our
// address there. RFC 2131 section 4.1, seen by the relay:
//
//	ciaddr  BROADCAST  yiaddr   to
//	------  ---------  ------   ------------------------
//	set     any        any      ciaddr, port 68
//	0       1          any      broadcast, port 68
//	0       0          0        broadcast, port 68
//	0       0          set      yiaddr at chaddr, port 68
//
// A NAK is broadcast in any case: its client has no address that it may use.
func destination(m *dhcp4.Message, source netip.Addr) act.Dest {
	d := act.Dest{Addr: dhcp4.Everyone, Port: dhcp4.ClientPort, Source: source}
	mac, ether := m.Ether()
	switch {
	case m.Type() == dhcp4.NAK:
	case dhcp4.IsUnicast(m.Ciaddr):
		d.Addr = m.Ciaddr
	case m.Flags&dhcp4.Broadcast != 0 || !dhcp4.IsUnicast(m.Yiaddr) || !ether:
	default:
		d.Addr, d.Raw, d.HW = m.Yiaddr, true, mac
	}
	return d
}

// Passes tells whether a message that Parse has refused for that reason is
// relayed all the same: its header is sound, and what a server would not
// understand need not mean anything to a relay either.
func Passes(err error) bool { return err == dhcp4.ErrType || err == dhcp4.ErrCookie }
