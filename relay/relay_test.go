package relay

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func ips(s string) (list []netip.Addr) {
	for _, w := range strings.Fields(s) {
		list = append(list, ip(w))
	}
	return list
}

// world is a relay with two networks: 10.0.1.0/24, and 10.0.0.0/24 where the
// servers are.
type world struct {
	Relay
	now   time.Time
	net   *Network
	table *pool.Table
}

func newWorld(set Settings) *world {
	w := &world{now: time.Unix(1e9, 0), table: pool.NewTable()}
	w.table.Regroup(func(netip.Addr) (netip.Prefix, bool) { return netip.Prefix{}, false })
	if set.Servers == nil {
		set.Servers = ips("10.0.0.1")
	}
	w.net = newNetwork("eth1", "10.0.1.1/24", set)
	return w
}

func newNetwork(name, addr string, set Settings) *Network {
	n := &Network{If: name, Index: 7, Addr: netip.MustParsePrefix(addr), Out: ip("10.0.0.2"), Settings: set}
	n.Addrs = []netip.Prefix{n.Addr}
	n.Ours = func(a netip.Addr) bool { return a == n.Addr.Addr() || a == ip("10.0.0.2") }
	n.Prepare()
	return n
}

// A mod is something that a message of a test has.
type mod func(*dhcp4.Message)

func message(op dhcp4.Op, typ dhcp4.Type, mods ...mod) []byte {
	m := new(dhcp4.Message)
	m.Reset(op)
	m.Htype, m.Hlen, m.Xid, m.Secs, m.Flags = dhcp4.HtypeEther, 6, 0x12345678, 9, 0x7fff
	m.Chaddr = [16]byte{2, 0, 0, 0, 0, 1, 0xaa, 0xbb} // what is behind hlen is not ours to clear
	copy(m.Sname[:], "who\x00knows")
	if typ != dhcp4.BOOTP {
		m.SetType(typ)
	}
	for _, f := range mods {
		f(m)
	}
	b, _ := m.Append(nil, 1400)
	return b
}

func request(typ dhcp4.Type, mods ...mod) []byte { return message(dhcp4.BootRequest, typ, mods...) }

func reply(typ dhcp4.Type, mods ...mod) []byte {
	from := func(m *dhcp4.Message) {
		m.Giaddr, m.Yiaddr = ip("10.0.1.1"), ip("10.0.1.100")
		m.Options.PutAddr(dhcp4.ServerID, ip("10.0.0.1"))
		m.Options.PutUint32(dhcp4.LeaseTime, 3600)
	}
	return message(dhcp4.BootReply, typ, append([]mod{from}, mods...)...)
}

func giaddr(s string) mod { return func(m *dhcp4.Message) { m.Giaddr = ip(s) } }
func ciaddr(s string) mod { return func(m *dhcp4.Message) { m.Ciaddr = ip(s) } }
func yiaddr(s string) mod { return func(m *dhcp4.Message) { m.Yiaddr = ip(s) } }
func flags(f uint16) mod  { return func(m *dhcp4.Message) { m.Flags = f } }
func hops(n uint8) mod    { return func(m *dhcp4.Message) { m.Hops = n } }
func option(c dhcp4.Code, v string) mod {
	return func(m *dhcp4.Message) { m.Options.PutText(c, v) }
}
func from(n byte) mod { return func(m *dhcp4.Message) { m.Chaddr[5] = n } }

func packet(t testing.TB, b []byte) *Packet {
	t.Helper()
	p := &Packet{Msg: new(dhcp4.Message), Data: b, From: ip("10.0.0.1"), To: dhcp4.Everyone}
	if err := p.Msg.Parse(b); err != nil && !Passes(err) {
		t.Fatal(err)
	}
	return p
}

func (w *world) up(t testing.TB, b []byte) outcome {
	t.Helper()
	return w.done(w.Up(w.now, w.net, w.table, packet(t, b)))
}

func (w *world) down(t testing.TB, b []byte) outcome {
	t.Helper()
	return w.done(w.Down(w.now, w.net, w.table, packet(t, b)))
}

// outcome is what became of a message.
type outcome struct {
	sent   []act.Dest
	octets []byte
	notes  string
	wrote  int // records written to the file
	routes string
}

// done does what the relay asks for, as the daemon would.
func (w *world) done(actions []act.Action) (o outcome) {
	for _, a := range actions {
		switch a.Verb {
		case act.Send:
			o.sent, o.octets = append(o.sent, a.To), bytes.Clone(a.Octets)
		case act.Note:
			o.notes += a.Text
		case act.Commit:
			o.wrote++
			w.table.Apply(a.Record)
		case act.Learn:
			w.table.Set(a.Record)
		case act.Route:
			o.routes += "+" + a.Addr.String()
		case act.Unroute:
			o.routes += "-" + a.Addr.String() + "%" + a.If
		}
	}
	return o
}

func (w *world) count(why reason) (n uint64) {
	for text, c := range w.Counts().All {
		if strings.HasSuffix(text, why.String()) {
			n = c
		}
	}
	return n
}

// patched returns b with hops and giaddr of its own.
func patched(b []byte, hops uint8, giaddr string) []byte {
	b = bytes.Clone(b)
	dhcp4.PutRelay(b, hops, ip(giaddr))
	return b
}

var everyType = []dhcp4.Type{dhcp4.BOOTP, dhcp4.Discover, dhcp4.Request, dhcp4.Decline, dhcp4.Release,
	dhcp4.Inform, dhcp4.LeaseQuery, dhcp4.BulkLeaseQuery, dhcp4.ActiveLeaseQuery, dhcp4.TLS}

// TestR1_Up: a request goes to every server, with our address on its network as
// giaddr, one hop more, and nothing else changed.
func TestR1_Up(t *testing.T) {
	w := newWorld(Settings{Servers: ips("10.0.0.1 192.0.2.1")})
	for _, typ := range everyType {
		b := request(typ, hops(3), ciaddr("10.0.1.77"), option(dhcp4.ParameterList, "\x01\x03\x06"))
		o := w.up(t, b)
		want := []act.Dest{{Addr: ip("10.0.0.1"), Port: 67, Source: ip("10.0.1.1")}, {Addr: ip("192.0.2.1"), Port: 67, Source: ip("10.0.1.1")}}
		if !slices.Equal(o.sent, want) || o.notes != "" {
			t.Errorf("%v: %+v, %s", typ, o.sent, o.notes)
		}
		if !bytes.Equal(o.octets, patched(b, 4, "10.0.1.1")) {
			t.Errorf("%v: more has changed:\n%x\n%x", typ, b, o.octets)
		}
	}
}

// TestR1_UpStrange: what a server would not understand passes as it is.
func TestR1_UpStrange(t *testing.T) {
	w := newWorld(Settings{Circuit: []byte("x")})
	unknown := request(dhcp4.TLS)
	unknown[242] = 200
	for name, b := range map[string][]byte{
		"plain BOOTP":                make([]byte, 300),
		"BOOTP, another's cookie":    append(make([]byte, 236), "\x01\x02\x03\x04 whatever"...),
		"BOOTP, shorter than usual":  make([]byte, 240),
		"a type that is not known":   unknown,
		"no END":                     append(request(dhcp4.Discover)[:243], 12, 3, 'a', 'b', 'c'),
		"octets behind END":          append(request(dhcp4.Discover), "behind"...),
		"longer than an Ethernet is": append(request(dhcp4.Discover), make([]byte, 2000)...),
	} {
		b[0], b[1], b[2] = 1, 1, 6
		o := w.up(t, b)
		if len(o.sent) != 1 || !bytes.Equal(o.octets[:236], patched(b, 1, "10.0.1.1")[:236]) {
			t.Errorf("%s: sent %d times, %s", name, len(o.sent), o.notes)
		}
		if rest := bytes.TrimRight(b[240:], "\x00"); !bytes.HasPrefix(rest, []byte{53, 1}) && !bytes.Equal(b[236:], o.octets[236:]) {
			t.Errorf("%s: has changed", name)
		}
	}
}

// TestR1_Relayed: one that a relay before us has sent is passed on as it is but
// for the hops, option 82 and all.
func TestR1_R4_Relayed(t *testing.T) {
	w := newWorld(Settings{Circuit: []byte("eth1")})
	b := request(dhcp4.Discover, giaddr("10.9.9.9"), hops(1), option(dhcp4.RelayAgent, "\x01\x01x"))
	o := w.up(t, b)
	if !bytes.Equal(o.octets, patched(b, 2, "10.9.9.9")) || len(o.sent) != 1 || o.sent[0].Source.IsValid() {
		t.Errorf("%+v, %s", o.sent, o.notes)
	}
}

func TestR1_Dropped(t *testing.T) {
	for _, c := range []struct {
		name string
		set  Settings
		b    []byte
		want reason // reasons: it is relayed
	}{
		{"16 hops", Settings{}, request(dhcp4.Discover, hops(16)), reasons},
		{"over 16 hops", Settings{}, request(dhcp4.Discover, hops(17)), tooManyHops},
		{"most hops", Settings{}, request(dhcp4.Discover, hops(255)), tooManyHops},
		{"4 hops of 4", Settings{Hops: 4}, request(dhcp4.Discover, hops(4)), reasons},
		{"over 4 hops", Settings{Hops: 4}, request(dhcp4.Discover, hops(5)), tooManyHops},
		{"our giaddr", Settings{}, request(dhcp4.Discover, giaddr("10.0.1.1")), ourGiaddr},
		{"our giaddr elsewhere", Settings{}, request(dhcp4.Discover, giaddr("10.0.0.2")), ourGiaddr},
		{"broadcast giaddr", Settings{}, request(dhcp4.Discover, giaddr("255.255.255.255")), badGiaddr},
		{"multicast giaddr", Settings{}, request(dhcp4.Discover, giaddr("224.0.0.1")), badGiaddr},
		{"server beside", Settings{Servers: ips("10.0.1.2")}, request(dhcp4.Discover), noServer},
		{"we are the server", Settings{Servers: ips("10.0.0.2")}, request(dhcp4.Discover), noServer},
		{"everybody", Settings{Servers: ips("255.255.255.255 10.0.1.255 0.0.0.0")}, request(dhcp4.Discover), noServer},
		{"one of two beside", Settings{Servers: ips("10.0.1.2 10.0.0.1")}, request(dhcp4.Discover), reasons},
		{"untrusted", Settings{}, request(dhcp4.Discover, option(dhcp4.RelayAgent, "\x01\x01x")), untrusted},
		{"trusted", Settings{Trusted: true}, request(dhcp4.Discover, option(dhcp4.RelayAgent, "\x01\x01x")), reasons},
	} {
		w := newWorld(c.set)
		o := w.up(t, c.b)
		if c.want == reasons {
			if len(o.sent) != 1 || o.sent[0].Addr != ip("10.0.0.1") || o.notes != "" {
				t.Errorf("%s: sent to %v: %s", c.name, o.sent, o.notes)
			}
		} else if len(o.sent) != 0 || o.notes != c.want.String() || w.count(c.want) != 1 {
			t.Errorf("%s: sent to %v: %q", c.name, o.sent, o.notes)
		}
	}
}

// TestR2_Down: a reply goes to its client as RFC 2131 says, and not an octet is
// changed.
func TestR2_Down(t *testing.T) {
	here := ip("10.0.1.1")
	all := act.Dest{Addr: dhcp4.Everyone, Port: 68, Source: here}
	raw := act.Dest{Addr: ip("10.0.1.100"), Port: 68, Source: here, Raw: true, HW: [6]byte{2, 0, 0, 0, 0, 1}}
	to := act.Dest{Addr: ip("10.0.1.7"), Port: 68, Source: here}
	hw := func(htype, hlen uint8, first byte) mod {
		return func(m *dhcp4.Message) { m.Htype, m.Hlen, m.Chaddr[0] = htype, hlen, first }
	}
	for _, c := range []struct {
		name string
		b    []byte
		want act.Dest
	}{
		{"OFFER", reply(dhcp4.Offer), raw},
		{"OFFER, broadcast", reply(dhcp4.Offer, flags(0x8000)), all},
		{"ACK", reply(dhcp4.ACK), raw},
		{"ACK to a renewal", reply(dhcp4.ACK, ciaddr("10.0.1.7")), to},
		{"ACK to a renewal, broadcast", reply(dhcp4.ACK, ciaddr("10.0.1.7"), flags(0x8000)), to},
		{"ACK to an INFORM", reply(dhcp4.ACK, yiaddr("0.0.0.0"), ciaddr("10.0.1.7")), to},
		{"NAK", reply(dhcp4.NAK, yiaddr("0.0.0.0"), flags(0x8000)), all},
		{"NAK without the flag", reply(dhcp4.NAK, yiaddr("0.0.0.0")), all},
		{"NAK with ciaddr", reply(dhcp4.NAK, yiaddr("0.0.0.0"), ciaddr("10.0.1.7")), all},
		{"BOOTP", reply(dhcp4.BOOTP), raw},
		{"FORCERENEW", reply(dhcp4.ForceRenew, yiaddr("0.0.0.0"), ciaddr("10.0.1.7")), to},
		{"LEASEQUERYDONE", reply(dhcp4.LeaseQueryDone), raw},
		{"no address of a host", reply(dhcp4.Offer, yiaddr("224.0.0.9")), all},
		{"no Ethernet", reply(dhcp4.Offer, hw(32, 0, 2)), all},
		{"a longer address", reply(dhcp4.Offer, hw(1, 8, 2)), all},
		{"a group's address", reply(dhcp4.Offer, hw(1, 6, 3)), all},
	} {
		w := newWorld(Settings{})
		o := w.down(t, c.b)
		if len(o.sent) != 1 || o.sent[0] != c.want || o.notes != "" {
			t.Errorf("%s: %+v, %s", c.name, o.sent, o.notes)
		}
		if !bytes.Equal(o.octets, c.b) {
			t.Errorf("%s: has changed", c.name)
		}
	}
}

// TestR2_NotDown: what is no server's reply to our client.
func TestR2_NotDown(t *testing.T) {
	w := newWorld(Settings{})
	for _, typ := range []dhcp4.Type{dhcp4.LeaseActive, dhcp4.LeaseUnknown, dhcp4.LeaseUnassigned} {
		if o := w.down(t, reply(typ)); len(o.sent) != 0 || o.notes != noQuery.String() {
			t.Errorf("%v: sent %v, %s", typ, o.sent, o.notes)
		}
	}
	p := packet(t, reply(dhcp4.Offer))
	p.Clients = true
	if o := w.done(w.Down(w.now, w.net, w.table, p)); len(o.sent) != 1 {
		t.Errorf("a server on the same wire, or beyond a router there: %s", o.notes)
	}
	p.From = ip("10.0.1.66")
	if o := w.done(w.Down(w.now, w.net, w.table, p)); len(o.sent) != 0 || o.notes != notServer.String() || w.count(notServer) != 1 {
		t.Errorf("a client that plays the server: sent %v, %s", o.sent, o.notes)
	}
	var nets Nets
	nets.Reset([]*Network{w.net})
	if n, several := nets.Find(packet(t, reply(dhcp4.Offer, giaddr("10.0.1.2"))).Msg); n != nil || several {
		t.Error("a network for another's giaddr")
	}
	if o := w.done(w.Lost(false)); o.notes != notOurs.String() || w.count(notOurs) != 1 {
		t.Errorf("Lost: %s", o.notes)
	}
	if n, _ := nets.Find(packet(t, reply(dhcp4.Offer)).Msg); n != w.net {
		t.Error("no network for our giaddr")
	}
}

// TestR3_Silent: the servers count as dead when a DISCOVER and its repeats stay
// without answer for so long, and as alive with the first thing heard.
func TestR3_Silent(t *testing.T) {
	w := newWorld(Settings{Fallback: 30 * time.Second})
	ask := func(at int, typ dhcp4.Type, want bool) {
		t.Helper()
		w.now = time.Unix(1e9+int64(at), 0)
		w.up(t, request(typ))
		if got := w.net.Silent(); got != want {
			t.Errorf("after %v at %d: silent is %v", typ, at, got)
		}
	}
	ask(0, dhcp4.Request, false) // servers that don't know the client say nothing
	ask(100, dhcp4.Request, false)
	for _, at := range []int{100, 104, 112, 128} {
		ask(at, dhcp4.Discover, false)
	}
	ask(1000, dhcp4.Discover, false) // another client, much later
	ask(1029, dhcp4.Discover, false)
	ask(1030, dhcp4.Discover, true)
	ask(9000, dhcp4.Discover, true)
	ask(9001, dhcp4.Request, true)
	w.down(t, reply(dhcp4.NAK))
	if w.net.Silent() {
		t.Error("silent after a reply")
	}
	ask(9002, dhcp4.Discover, false)
	ask(9040, dhcp4.Discover, true)
	if !w.net.WaitsFor() {
		t.Error("the pool does not wait for the servers")
	}
	w.net.Servers = ips("10.0.1.9")
	if w.net.Prepare(); w.net.WaitsFor() {
		t.Error("the pool waits for a server to which nothing is relayed")
	}
	w.net.Fallback = 0
	ask(9041, dhcp4.Discover, false)
}

func TestR1_NoAllocation(t *testing.T) {
	w := newWorld(Settings{Circuit: []byte("eth1"), Flags: true})
	up := packet(t, request(dhcp4.Discover, option(dhcp4.ParameterList, "\x01\x03")))
	down := packet(t, reply(dhcp4.ACK, option(dhcp4.RelayAgent, "\x01\x04eth1\x0a\x01\x00")))
	var nets Nets
	nets.Reset([]*Network{w.net, newNetwork("eth2", "10.0.1.1/32", Settings{})})
	w.done(w.Down(w.now, w.net, w.table, down))
	stranger := packet(t, reply(dhcp4.ACK, yiaddr("10.0.1.200"), option(dhcp4.RelayAgent, "\x01\x04eth1\x0a\x01\x00")))
	release := packet(t, request(dhcp4.Release, ciaddr("10.0.1.100")))
	for name, f := range map[string]func(){
		"Up": func() { w.Up(w.now, w.net, w.table, up) },
		"Down": func() {
			for _, a := range w.Down(w.now, w.net, w.table, down) {
				if a.Verb == act.Learn {
					w.table.Set(a.Record)
				}
			}
		},
		"a new lease": func() {
			if n := len(w.Down(w.now, w.net, w.table, stranger)); n != 2 {
				t.Fatalf("%d actions", n)
			}
		},
		"a lease given up": func() {
			if n := len(w.Up(w.now, w.net, w.table, release)); n != 3 {
				t.Fatalf("%d actions", n)
			}
		},
		"Find": func() { nets.Find(down.Msg) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkUp(b *testing.B) {
	w := newWorld(Settings{Circuit: []byte("eth1"), Remote: []byte("\x02\x00\x00\x00\x00\x07")})
	p := packet(b, request(dhcp4.Discover, option(dhcp4.ParameterList, "\x01\x03")))
	for range b.N {
		p.Msg.Parse(p.Data)
		w.Up(w.now, w.net, w.table, p)
	}
}

func BenchmarkDown(b *testing.B) {
	w := newWorld(Settings{Circuit: []byte("eth1")})
	p := packet(b, reply(dhcp4.ACK, option(dhcp4.RelayAgent, circuit)))
	w.done(w.Down(w.now, w.net, w.table, p))
	for range b.N {
		p.Msg.Parse(p.Data)
		for _, a := range w.Down(w.now, w.net, w.table, p) {
			if a.Verb == act.Learn {
				w.table.Set(a.Record)
			}
		}
	}
}
