package relay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// inquirer is a relay that asks, with a clock of its own, and all that it has
// sent.
type inquirer struct {
	*world
	testing.TB
	start time.Time
	posed []posed
	dials []netip.Addr
	said  []string
	seed  uint64
}

// posed is a question on its way.
type posed struct {
	at     time.Duration
	server netip.Addr
	addr   netip.Addr
	xid    uint32
}

func newInquirer(t testing.TB, servers string) *inquirer {
	k := &inquirer{world: newWorld(Settings{Servers: ips(servers), Ask: true}), TB: t}
	k.start = k.now
	k.Random = func() uint64 {
		k.seed += 0x9E3779B97F4A7C15
		return k.seed ^ k.seed>>29
	}
	k.begin()
	return k
}

// begin begins as after a start. By TCP no server can be had.
func (k *inquirer) begin() {
	k.Asks(k.now, []*Network{k.net}, k.table, false)
	k.run(0)
	for _, s := range k.net.targets {
		k.take(k.Ended(k.now, k.table, s, fmt.Errorf("refused")))
	}
	for _, s := range k.asks.servers {
		s.due = time.Time{}
	}
	k.posed = nil
}

// take does what the relay asks for, as the daemon would.
func (k *inquirer) take(list []act.Action) {
	k.Helper()
	for i := range list {
		a := &list[i]
		switch a.Verb {
		case act.Connect:
			k.dials = append(k.dials, a.Addr)
		case act.Note:
			k.said = append(k.said, a.Text)
		case act.Send:
			var m dhcp4.Message
			if err := m.Parse(a.Octets); err != nil {
				k.Fatal(err)
			}
			if m.Type() != dhcp4.LeaseQuery || m.Giaddr.As4()[3] != 1 || a.To.Source != m.Giaddr || a.To.Port != 67 {
				k.Fatalf("to %+v: %s", a.To, m.Dump(nil, dhcp4.Builtin()))
			}
			k.posed = append(k.posed, posed{k.now.Sub(k.start), a.To.Addr, m.Ciaddr, m.Xid})
		}
	}
	k.done(list)
}

// run lets time pass, and the relay do what is due meanwhile.
func (k *inquirer) run(d time.Duration) {
	k.Helper()
	end := k.now.Add(d)
	for range 100000 {
		w := k.AskWake()
		if w.IsZero() || w.After(end) {
			k.now = end
			return
		}
		if w.After(k.now) {
			k.now = w
		}
		k.take(k.Ask(k.now, k.table))
	}
	k.Fatal("it never rests")
}

func (k *inquirer) want(list ...string) {
	for _, a := range list {
		k.take(k.Want(k.now, k.net, k.table, ip(a)))
	}
}

// asked are the questions since the last call, as "server/address".
func (k *inquirer) asked() (list []string) {
	for _, p := range k.posed {
		list = append(list, strings.TrimPrefix(p.server.String(), "10.0.0.")+"/"+strings.TrimPrefix(p.addr.String(), "10.0.1."))
	}
	k.posed = nil
	return list
}

// answer answers question p.
func (k *inquirer) answer(p posed, typ dhcp4.Type, mods ...mod) {
	k.Helper()
	b := message(dhcp4.BootReply, typ, func(m *dhcp4.Message) {
		m.Xid, m.Giaddr, m.Ciaddr = p.xid, ip("10.0.1.1"), p.addr
		if typ == dhcp4.LeaseActive {
			m.Options.PutUint32(dhcp4.LeaseTime, 3600)
		}
	}, func(m *dhcp4.Message) {
		for _, f := range mods {
			f(m)
		}
	})
	pkt := packet(k.TB, b)
	pkt.From = p.server
	_, list := k.Answer(k.now, k.table, pkt)
	k.take(list)
}

func last(n uint32) mod {
	return func(m *dhcp4.Message) { m.Options.PutUint32(dhcp4.LastTransaction, n) }
}

func (k *inquirer) expect(what string, want ...string) {
	k.Helper()
	if got := k.asked(); !slices.Equal(got, want) {
		k.Errorf("%s: asked %v, want %v", what, got, want)
	}
}

// many are addresses from 10.0.1.2 on.
func many(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("10.0.1.%d", 2+i))
	}
	return list
}

// TestR7_Active: section 6.5: what an ACTIVE says refreshes the location.
func TestR7_Active(t *testing.T) {
	k := newInquirer(t, "10.0.0.1")
	k.want("10.0.1.100")
	k.answer(k.posed[0], dhcp4.LeaseActive, option(dhcp4.RelayAgent, circuit), option(dhcp4.ClientID, "me"), last(60))
	r, ok := k.located("10.0.1.100")
	now := pool.Time(k.now.Unix())
	if !ok || string(r.ID) != "me" || r.HW.Len != 6 || string(r.Agent) != circuit || r.Told != now+3600 || r.Kept != r.Told ||
		r.Last != now-60 || r.Via != "eth1" || r.Server != ip("10.0.0.1") || r.Class != nil || r.Host != "" {
		t.Errorf("%v %+v", ok, r)
	}
	k.want("10.0.1.100")
	k.run(time.Hour - 2*time.Second)
	k.want("10.0.1.100")
	k.expect("one question", "1/100")
	k.run(3 * time.Second)
	for a := k.Sweep(k.now, k.table); a != nil; a = k.Sweep(k.now, k.table) {
		k.take(a)
	}
	k.want("10.0.1.100")
	k.expect("the lease is over", "1/100")
}

// TestR7_Caches: section 6.5: UNASSIGNED is remembered until a lease is gleaned,
// UNKNOWN for about five minutes; section 7: one question for each address.
func TestR7_Caches(t *testing.T) {
	k := newInquirer(t, "10.0.0.1")
	k.want("10.0.1.100", "10.0.1.101")
	k.answer(k.posed[0], dhcp4.LeaseUnassigned)
	k.answer(k.posed[1], dhcp4.LeaseUnknown, ciaddr("0.0.0.0"))
	k.expect("both are asked about", "1/100", "1/101")
	for range 290 {
		k.want("10.0.1.100", "10.0.1.101")
		k.run(time.Second)
	}
	k.expect("within five minutes")
	k.run(20 * time.Second)
	k.want("10.0.1.100", "10.0.1.101")
	k.expect("after five minutes", "1/101")
	k.answer(posed{0, ip("10.0.0.1"), ip("10.0.1.101"), k.asks.queries[0].xid}, dhcp4.LeaseUnknown)
	k.run(7 * 24 * time.Hour)
	k.want("10.0.1.100")
	k.expect("after a week")
	k.down(t, reply(dhcp4.ACK, seconds(100)))
	k.want("10.0.1.100")
	k.expect("gleaned")
	k.now = k.now.Add(200 * time.Second)
	k.take(k.Sweep(k.now, k.table))
	k.want("10.0.1.100")
	k.expect("gleaned, and over", "1/100")
}

// TestR7_Silent: section 6.6: a server that has not answered has one question
// outstanding, at a backoff that begins at no more than one in about ten seconds,
// and is polled at about 64 seconds for as long as it takes.
func TestR7_Silent(t *testing.T) {
	k := newInquirer(t, "10.0.0.1")
	k.want(many(50)...)
	k.run(10 * time.Minute)
	var at []time.Duration
	for _, p := range k.posed {
		if p.xid != k.posed[0].xid || p.addr != ip("10.0.1.2") {
			t.Fatalf("%+v beside %+v", p, k.posed[0])
		}
		at = append(at, p.at)
	}
	gaps(t, at, 16, 32, 64, 64, 64, 64, 64, 64, 64, 64)
	k.posed = nil
	k.want(many(50)...)
	k.expect("while it is polled")
	k.run(70 * time.Second)
	p := k.posed[0]
	if k.expect("polled", "1/2"); len(k.asks.queries) != 1 {
		t.Errorf("%d questions are kept for a server that is silent", len(k.asks.queries))
	}
	k.down(t, reply(dhcp4.ACK, yiaddr("10.0.1.2")))
	k.run(70 * time.Second)
	k.expect("what it was polled about is known now")
	k.want("10.0.1.3", "10.0.1.4")
	k.run(64 * time.Second)
	p.addr, p.xid = ip("10.0.1.3"), k.posed[0].xid
	k.expect("polled about another", "1/3")
	k.answer(p, dhcp4.LeaseUnassigned)
	k.want(many(50)...)
	if n := len(k.asked()); n != 48 {
		t.Errorf("%d questions after it has answered", n)
	}
}

// gaps checks intervals, of seconds, each with a second more or less at random.
func gaps(t *testing.T, at []time.Duration, want ...int) {
	t.Helper()
	if len(at) != len(want)+1 {
		t.Fatalf("asked at %v", at)
	}
	exact := 0
	for i, s := range want {
		d := at[i+1] - at[i] - time.Duration(s)*time.Second
		if d.Abs() > time.Second {
			t.Errorf("interval %d is %v, want %d s", i, at[i+1]-at[i], s)
		}
		if d == 0 {
			exact++
		}
	}
	if exact > 0 {
		t.Errorf("not at random: %v", at)
	}
}

// TestR7_Backoff: section 6.6: all messages use the backoff of RFC 2131 section
// 4.1, also those to a server that answers others.
func TestR7_Backoff(t *testing.T) {
	k := newInquirer(t, "10.0.0.1")
	k.want("10.0.1.2")
	k.answer(k.posed[0], dhcp4.LeaseUnassigned)
	k.posed = nil
	var at []time.Duration
	k.want("10.0.1.3")
	for i := range 300 { // it answers about others meanwhile
		k.want(fmt.Sprintf("10.0.1.%d", 4+i%200))
		k.run(time.Second)
		for _, p := range k.posed {
			if p.addr == ip("10.0.1.3") {
				at = append(at, p.at)
			} else {
				k.answer(p, dhcp4.LeaseUnknown)
			}
		}
		k.posed = nil
	}
	gaps(t, at, 4, 8, 16, 32)
	k.want("10.0.1.3")
	k.expect("given up for five minutes")
}

// TestR7_Parallel: section 6.6: after the first answer many are asked at a time,
// 100 at most; the timer runs for a minute from each answer; when it goes off,
// all but one are dropped.
func TestR7_Parallel(t *testing.T) {
	k := newInquirer(t, "10.0.0.1")
	k.want(many(250)...)
	first := k.posed[0]
	k.expect("the timer starts off expired", "1/2")
	k.answer(first, dhcp4.LeaseUnknown)
	if len(k.posed) != 100 {
		t.Fatalf("%d at a time", len(k.posed))
	}
	p := k.posed[0]
	k.answer(p, dhcp4.LeaseUnknown)
	if len(k.posed) != 101 {
		t.Errorf("%d after one more was answered", len(k.posed))
	}
	k.run(59 * time.Second)
	if len(k.asks.queries) != 250-2 {
		t.Errorf("%d are kept while it may answer", len(k.asks.queries))
	}
	k.run(time.Second)
	if len(k.asks.queries) != 1 {
		t.Errorf("%d are kept when the timer goes off", len(k.asks.queries))
	}
	k.posed = nil
	k.run(10 * time.Minute)
	if n := len(k.posed); n < 8 || n > 10 {
		t.Errorf("polled %d times in ten minutes", n)
	}
	for _, p := range k.posed {
		if p.addr != k.posed[0].addr {
			t.Errorf("polled about %v and %v", p.addr, k.posed[0].addr)
		}
	}
}

// TestR7_Quiet: section 6.6: without traffic for a minute the timer expires, and
// one question goes out alone.
func TestR7_Quiet(t *testing.T) {
	k := newInquirer(t, "10.0.0.1")
	k.want("10.0.1.2")
	k.answer(k.posed[0], dhcp4.LeaseUnknown)
	k.posed = nil
	if !k.AskWake().IsZero() {
		t.Error("it wakes for nothing")
	}
	k.run(61 * time.Second)
	k.want(many(20)[1:]...)
	k.expect("after a minute", "1/3")
	k.run(65 * time.Second)
	var at []time.Duration
	for _, x := range k.posed {
		at = append(at, x.at)
	}
	gaps(t, append([]time.Duration{61 * time.Second}, at...), 4, 8, 16, 32)
}

// TestR7_Servers: section 6.2: all servers are asked; section 6.8: of what they
// say the latest transaction wins, in whatever order it comes.
func TestR7_Servers(t *testing.T) {
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		k := newInquirer(t, "10.0.0.1 10.0.0.3 10.0.1.9")
		k.want("10.0.1.100")
		p := slices.Clone(k.posed)
		k.expect("not the one on the clients' own network", "1/100", "3/100")
		for _, i := range order {
			k.answer(p[i], dhcp4.LeaseActive, last([]uint32{100, 50}[i]), from(byte(10+i)))
		}
		if r, _ := k.located("10.0.1.100"); r.HW.Addr[5] != 11 || r.Server != ip("10.0.0.3") {
			t.Errorf("%v: %+v", order, r)
		}
		k.run(time.Hour - time.Second)
		k.expect("both have answered")
	}
	k := newInquirer(t, "10.0.0.1 10.0.0.3")
	k.want("10.0.1.100")
	p := slices.Clone(k.posed)
	k.answer(p[0], dhcp4.LeaseUnassigned)
	k.run(80 * time.Second)
	k.posed = nil
	k.want("10.0.1.100")
	k.expect("each is remembered for itself")
	k.answer(p[1], dhcp4.LeaseActive)
	if _, ok := k.located("10.0.1.100"); !ok {
		t.Error("one that has it counts more than one that has not")
	}
	k.run(30 * time.Minute)
	k.expect("a silent one is not asked about what is known")
}

// TestR7_Glean: what passes by is later than what servers say of the past.
func TestR7_Glean(t *testing.T) {
	k := newInquirer(t, "10.0.0.1")
	k.want("10.0.1.100")
	k.down(t, reply(dhcp4.ACK, from(1)))
	k.answer(k.posed[0], dhcp4.LeaseActive, last(5), from(2))
	if r, _ := k.located("10.0.1.100"); r.HW.Addr[5] != 1 {
		t.Errorf("%+v", r)
	}
	k.want("10.0.1.101")
	k.down(t, reply(dhcp4.ACK, yiaddr("10.0.1.101")))
	k.posed = nil
	k.run(time.Hour - time.Second)
	k.expect("gleaned meanwhile")
}

// TestR7_Restricted: section 7: no question about addresses that are not those of
// clients here, nor where it was not said to ask.
func TestR7_Restricted(t *testing.T) {
	k := newInquirer(t, "10.0.0.1")
	k.want("10.0.2.1", "10.0.1.1", "10.0.0.2", "224.0.0.1", "255.255.255.255", "0.0.0.0", "127.0.0.1")
	k.table.Apply(&pool.Record{Addr: ip("10.0.1.50"), State: pool.Fixed})
	k.want("10.0.1.50")
	k.net.Ask = false
	k.want("10.0.1.100")
	k.expect("none of them")
	// A network without one of its own: R5.
	k.net.Ask, k.net.Routes = true, true
	k.net.Addrs = []netip.Prefix{netip.MustParsePrefix("10.0.1.1/32")}
	k.want("10.0.1.1", "224.0.0.1", "10.7.0.1")
	if got := k.asked(); len(got) != 1 || got[0] != "1/10.7.0.1" {
		t.Errorf("unnumbered: %v", got)
	}
}

// TestR7_Forged: an answer that is not one changes nothing.
func TestR7_Forged(t *testing.T) {
	for name, c := range map[string]struct {
		typ     dhcp4.Type
		mods    []mod
		clients bool
		from    string
	}{
		"another xid":                        {dhcp4.LeaseActive, []mod{func(m *dhcp4.Message) { m.Xid++ }}, false, "10.0.0.1"},
		"another address":                    {dhcp4.LeaseActive, []mod{ciaddr("10.0.1.101")}, false, "10.0.0.1"},
		"no address":                         {dhcp4.LeaseUnassigned, []mod{ciaddr("0.0.0.0")}, false, "10.0.0.1"},
		"from where clients are":             {dhcp4.LeaseActive, nil, true, "10.0.1.7"},
		"an ACK":                             {dhcp4.ACK, nil, false, "10.0.0.1"},
		"an end that nobody has asked about": {dhcp4.LeaseQueryDone, nil, false, "10.0.0.1"},
	} {
		k := newInquirer(t, "10.0.0.1")
		k.want("10.0.1.100")
		b := message(dhcp4.BootReply, c.typ, append([]mod{func(m *dhcp4.Message) {
			m.Xid, m.Ciaddr = k.posed[0].xid, ip("10.0.1.100")
			m.Options.PutUint32(dhcp4.LeaseTime, 3600)
		}}, c.mods...)...)
		p := packet(t, b)
		p.From, p.Clients = ip(c.from), c.clients
		_, list := k.Answer(k.now, k.table, p)
		k.take(list)
		if k.table.Len() != 0 || len(k.asks.queries) != 1 || k.Counts()[noQuery] != 1 || k.asks.servers[0].knows {
			t.Errorf("%s: %d records, %d queries", name, k.table.Len(), len(k.asks.queries))
		}
	}
}

// TestR7_Gone: a network that has gone is not asked about, and has no answers.
func TestR7_Gone(t *testing.T) {
	k := newInquirer(t, "10.0.0.1")
	other := access("eth2", "10.0.2.1/24", Settings{})
	other.begun = true
	k.Asks(k.now, []*Network{k.net, other}, k.table, false)
	k.take(k.Want(k.now, other, k.table, ip("10.0.2.9")))
	p := k.posed[0]
	k.Asks(k.now, []*Network{k.net}, k.table, false)
	k.answer(p, dhcp4.LeaseActive)
	k.run(time.Hour)
	if len(k.posed) != 1 || k.table.Len() != 0 || k.Counts()[noQuery] != 1 {
		t.Errorf("asked %d times, %d records", len(k.posed), k.table.Len())
	}
}

// TestR7_Bounded: who is below the access network can't have memory filled.
func TestR7_Bounded(t *testing.T) {
	k := newInquirer(t, "10.0.0.1")
	k.net.Addrs = []netip.Prefix{netip.MustParsePrefix("10.0.0.1/8")}
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}) }
	for i := range 3 * mostQueries {
		k.take(k.Want(k.now, k.net, k.table, addr(i)))
	}
	if n := len(k.asks.queries); n != mostQueries || k.Counts()[tooMany] != 2*mostQueries || len(k.posed) != 1 {
		t.Errorf("%d queries, %d too many, %d sent", n, k.Counts()[tooMany], len(k.posed))
	}
	for i := range 3 * mostKnown {
		k.know(k.asks.servers[0], addr(i), pool.Infinite)
		if len(k.asks.known) > mostKnown {
			t.Fatalf("%d are known", len(k.asks.known))
		}
	}
}
