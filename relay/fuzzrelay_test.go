package relay

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// FuzzRelay plays any sequence of events to a relay for three networks, of which
// two have no addresses of their own: requests, replies to them and forged ones,
// wanted addresses, answers, what comes by TCP, and time.
func FuzzRelay(f *testing.F) {
	f.Add([]byte{0, 1, 2, 1, 7, 9, 7, 200, 6})                       // a lease comes and goes
	f.Add([]byte{0, 9, 2, 9, 0, 0x39, 4, 1, 4, 2, 7, 3, 5, 1, 5, 2}) // unnumbered, asked for
	for seed := range byte(12) {
		b := make([]byte, 500)
		rand.NewChaCha8([32]byte{seed}).Read(b)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		x := newTraffic(t, script)
		for n := 0; n < 300 && len(x.data) > 0; n++ {
			x.play()
			x.settle()
		}
	})
}

// traffic is a relay and what passes it.
type traffic struct {
	*world
	testing.TB
	data   []byte
	list   []*Network
	nets   Nets
	up     map[byte][]byte // what was last sent to the servers for each client
	from   map[byte]*Network
	asked  []dhcp4.Message // questions on their way
	dialed []netip.Addr
	routes map[netip.Addr]string
	seed   uint64
}

func newTraffic(t *testing.T, script []byte) *traffic {
	x := &traffic{world: newWorld(Settings{}), TB: t, data: script, up: map[byte][]byte{},
		from: map[byte]*Network{}, routes: map[netip.Addr]string{}}
	how := x.octet()
	set := Settings{Servers: ips("10.0.0.1 10.0.0.3 10.0.1.9"), Ask: how&1 != 0, Flags: how&2 != 0, Override: how&4 != 0,
		Select: how&8 != 0, Trusted: how&16 != 0, Fallback: time.Duration(how>>5) * 10 * time.Second}
	x.Random = func() uint64 { x.seed += 0x9E3779B97F4A7C15; return x.seed ^ x.seed>>29 }
	x.table.Regroup(func(a netip.Addr) (netip.Prefix, bool) { return netip.PrefixFrom(a, 24).Masked(), false })
	x.list = []*Network{newNetwork("eth1", "10.0.1.1/24", set)}
	set.Routes, set.Relay = true, []byte{1, 2}
	for _, name := range []string{"eth2", "eth3"} {
		set.Circuit = []byte(name)
		x.list = append(x.list, newNetwork(name, "10.0.9.1/32", set))
	}
	for i, n := range x.list {
		n.Index, n.Ours = i, func(a netip.Addr) bool { return slices.Contains(ips("10.0.1.1 10.0.9.1 10.0.0.2"), a) }
		n.Prepare()
	}
	x.nets.Reset(x.list)
	x.Asks(x.now, x.list, x.table, how&1 != 0)
	return x
}

func (x *traffic) octet() byte {
	if len(x.data) == 0 {
		return 0
	}
	b := x.data[0]
	x.data = x.data[1:]
	return b
}

// host is an address that a client may have, or may not.
func (x *traffic) host() netip.Addr {
	switch b := x.octet(); b % 16 {
	case 15:
		return [...]netip.Addr{ip("10.0.1.1"), dhcp4.Everyone, ip("127.0.0.1"), netip.IPv4Unspecified()}[b>>4&3]
	default:
		return netip.AddrFrom4([4]byte{10, 0, [...]byte{1, 9, 77, 1}[b&3], 100 + b>>2&3})
	}
}

func (x *traffic) play() {
	b := x.octet()
	who, n := b>>3&3, x.list[int(b>>5)%3]
	switch b % 8 {
	case 0, 1:
		x.request(n, who)
	case 2, 3:
		x.reply(who)
	case 4:
		x.do(n, x.Want(x.now, n, x.table, x.host()))
	case 5:
		x.answer(int(b>>3), x.octet())
	case 6:
		x.told(x.octet())
	case 7:
		c := x.octet()
		x.now = x.now.Add(time.Duration(c&15) << (c >> 4 % 12) * time.Second / 2)
	}
}

// request has a client on n say something.
func (x *traffic) request(n *Network, who byte) {
	b := x.octet()
	typ := [...]dhcp4.Type{dhcp4.Discover, dhcp4.Request, dhcp4.Release, dhcp4.Decline}[b&3]
	mods := []mod{from(who)}
	if typ >= dhcp4.Decline {
		a := x.host()
		mods = append(mods, func(m *dhcp4.Message) { m.Ciaddr = a; m.Options.PutAddr(dhcp4.RequestedAddress, a) })
	}
	if b&16 != 0 {
		mods = append(mods, option(dhcp4.RelayAgent, "\x01\x02ab"), hops(b>>4))
	}
	if b&32 != 0 {
		a := x.host()
		mods = append(mods, func(m *dhcp4.Message) { m.Giaddr = a })
	}
	p := packet(x, request(typ, mods...))
	sent := x.do(n, x.Up(x.now, n, x.table, p))
	if sent != nil && p.Msg.Giaddr.IsUnspecified() {
		x.up[who], x.from[who] = sent, n
		m := packet(x, sent).Msg
		if m.Hops != p.Msg.Hops+1 || !n.Ours(m.Giaddr) {
			x.Fatalf("relayed: %s", m.Line(nil))
		}
	}
}

// reply has a server answer what it got last from a client; or somebody says
// what he likes.
func (x *traffic) reply(who byte) {
	b := x.octet()
	if x.up[who] == nil {
		return
	}
	m := packet(x, x.up[who]).Msg
	m.Op, m.Yiaddr = dhcp4.BootReply, x.host()
	m.SetType([...]dhcp4.Type{dhcp4.ACK, dhcp4.ACK, dhcp4.Offer, dhcp4.NAK}[b&3])
	m.Options.PutUint32(dhcp4.LeaseTime, [...]uint32{60, 600, 0, dhcp4.Infinite}[b>>2&3])
	m.Options.PutAddr(dhcp4.ServerID, [...]netip.Addr{ip("10.0.0.1"), ip("10.0.0.3"), m.Giaddr, ip("10.0.9.1")}[b>>4&3])
	want := x.from[who]
	if !want.isOwn(m.Options.Get(dhcp4.RelayAgent)) { // a trusted one's
		want = nil
	}
	if b >= 192 {
		want = nil
		if m.Giaddr = x.host(); b&1 != 0 {
			m.Options.Put(dhcp4.RelayAgent, []byte("\x01\x04eth3"))
		}
	}
	octets, _ := m.Append(nil, 1400)
	p := packet(x, octets)
	n, several := x.nets.Find(p.Msg)
	if want != nil && n != want {
		x.Fatalf("the answer goes to %+v, not to %v", n, want.If)
	}
	if n == nil {
		x.do(nil, x.Lost(several))
		return
	}
	sent := x.do(n, x.Down(x.now, n, x.table, p))
	if want != nil && n.adds() && sent != nil && !want.Trusted && packet(x, sent).Msg.Options.Has(dhcp4.RelayAgent) {
		x.Fatal("our option 82 is still there")
	}
}

// answer answers a question, by UDP.
func (x *traffic) answer(i int, b byte) {
	if len(x.asked) == 0 {
		return
	}
	m := x.asked[i%len(x.asked)]
	x.lease(&m, b)
	octets, _ := m.Append(nil, 1400)
	n, list := x.Answer(x.now, x.table, packet(x, octets))
	x.do(n, list)
}

// lease makes of a question its answer.
func (x *traffic) lease(m *dhcp4.Message, b byte) {
	m.Op = dhcp4.BootReply
	m.SetType([...]dhcp4.Type{dhcp4.LeaseActive, dhcp4.LeaseActive, dhcp4.LeaseUnknown, dhcp4.LeaseUnassigned}[b&3])
	m.Options.Del(dhcp4.ParameterList)
	m.Htype, m.Hlen, m.Chaddr = 1, 6, [16]byte{2, 5: b >> 6}
	m.Options.PutUint32(dhcp4.LeaseTime, [...]uint32{60, 600, 0, dhcp4.Infinite}[b>>2&3])
	if b&16 != 0 {
		m.Options.PutUint32(dhcp4.LastTransaction, uint32(b))
		m.Options.Put(dhcp4.RelayAgent, []byte("\x01\x04eth3"))
	}
}

// told has something come by TCP, or the connection end.
func (x *traffic) told(b byte) {
	if len(x.dialed) == 0 {
		return
	}
	server := x.dialed[int(b>>6)%len(x.dialed)]
	s := find(x.asks.servers, server)
	if s == nil || len(s.open) == 0 || b&7 == 7 {
		x.do(nil, x.Ended(x.now, x.table, server, errors.New("closed")))
		return
	}
	var m dhcp4.Message
	m.Reset(dhcp4.BootReply)
	m.Xid, m.Ciaddr = s.open[0], x.host()
	if x.lease(&m, b); b&7 == 6 {
		m.SetType(dhcp4.LeaseQueryDone)
	}
	n, list, _ := x.Bulk(x.now, x.table, server, &m)
	x.do(n, list)
}

// do does what the relay wants done, looks at it, and returns what was sent.
func (x *traffic) do(n *Network, list []act.Action) (sent []byte) {
	for i := range list {
		switch a := &list[i]; a.Verb {
		case act.Send:
			sent = slices.Clone(a.Octets)
			m := packet(x, sent).Msg
			up := a.To.Port == dhcp4.ServerPort
			switch {
			case up && !slices.Contains(x.list[1].targets, a.To.Addr), !up && (a.To.Port != 68 || a.To.Source != n.Addr.Addr()),
				!up && a.To.Addr != dhcp4.Everyone && !dhcp4.IsUnicast(a.To.Addr), up && m.Op != dhcp4.BootRequest:
				x.Fatalf("to %+v: %s", a.To, m.Line(nil))
			}
			if m.Type() == dhcp4.LeaseQuery {
				x.asked = append(x.asked, *m)
			}
		case act.Connect:
			x.dialed = append(x.dialed, a.Addr)
		case act.Commit:
			x.table.Apply(a.Record)
		case act.Learn:
			x.table.Set(a.Record)
		case act.Route:
			x.routes[a.Addr] = n.If
		case act.Unroute:
			if x.routes[a.Addr] == a.If {
				delete(x.routes, a.Addr)
			}
		case act.Note:
			if a.Text == "" {
				x.Fatal("a note without words")
			}
		}
	}
	return sent
}

// settle does what is due, and looks at all there is: who is relayed has his
// route, and nobody else; nothing is due any more; memory has its bounds.
func (x *traffic) settle() {
	for n := 0; !x.Wake().IsZero() && !x.now.Before(x.Wake()); n++ {
		if list := x.Sweep(x.now, x.table); list != nil {
			x.do(nil, list)
		}
		if n > 100 {
			x.Fatalf("Sweep without end: %v", x.Wake().Sub(x.now))
		}
	}
	for n := 0; !x.AskWake().IsZero() && !x.now.Before(x.AskWake()); n++ {
		if x.do(nil, x.Ask(x.now, x.table)); n > 3 {
			x.Fatalf("Ask without end: %v", x.AskWake().Sub(x.now))
		}
	}
	routes := 0
	for r := range x.table.All() {
		n := slices.IndexFunc(x.list, func(n *Network) bool { return n.If == r.Via })
		if r.State != pool.Relayed || !dhcp4.IsUnicast(r.Addr) || n < 0 || r.Told <= pool.Time(x.now.Unix()) {
			x.Fatalf("%v: %+v", x.now.Unix(), r)
		}
		if x.list[n].Routes {
			if routes++; x.routes[r.Addr] != r.Via {
				x.Fatalf("%v is on %s, its route on %q", r.Addr, r.Via, x.routes[r.Addr])
			}
		}
	}
	if len(x.routes) != routes || len(x.asks.queries) > mostQueries || len(x.asks.known) > mostKnown || len(x.asks.servers) > 3 {
		x.Fatalf("%d routes, want %d; %d queries", len(x.routes), routes, len(x.asks.queries))
	}
	out := map[*upstream]int{}
	for _, q := range x.asks.queries {
		if q.sent > 0 {
			out[q.to]++
		}
	}
	for s, n := range out {
		if n > parallel {
			x.Fatalf("%d questions under way to %v", n, s.addr)
		}
	}
}
