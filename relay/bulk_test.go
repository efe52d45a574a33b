package relay

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// dialled is a relay that has just been started with these networks, and what it
// asks by TCP.
func dialled(t *testing.T, lost bool, had []pool.Record, nets ...*Network) (k *inquirer, asked map[string][]*dhcp4.Message) {
	t.Helper()
	k = &inquirer{world: newWorld(Settings{}), TB: t}
	k.net, k.start = nets[0], k.now
	k.Random = func() uint64 { k.seed += 5; return k.seed }
	for i := range had {
		k.table.Apply(&had[i])
	}
	k.Asks(k.now, nets, k.table, lost)
	return k, k.redial()
}

// redial is what is asked by TCP now.
func (k *inquirer) redial() (asked map[string][]*dhcp4.Message) {
	k.Helper()
	asked = map[string][]*dhcp4.Message{}
	list := k.Ask(k.now, k.table)
	for i := range list {
		a := &list[i]
		if a.Verb != act.Connect {
			continue
		}
		if src := a.To.Source; !src.Is4() || src.As4()[3] != 1 {
			k.Errorf("from %v", src)
		}
		for b := a.Octets; ; {
			one, rest, err := dhcp4.CutFrame(b)
			if err != nil {
				k.Fatal(err)
			}
			if one == nil {
				break
			}
			m := new(dhcp4.Message)
			if err := m.Parse(one); err != nil || m.Type() != dhcp4.BulkLeaseQuery || !m.Giaddr.IsUnspecified() {
				k.Fatalf("%v: %s", err, m.Dump(nil, dhcp4.Builtin()))
			}
			asked[a.Addr.String()] = append(asked[a.Addr.String()], m)
			b = rest
		}
	}
	return asked
}

func access(name, addr string, set Settings) *Network {
	set.Ask = true
	if set.Servers == nil {
		set.Servers = ips("10.0.0.1")
	}
	return newNetwork(name, addr, set)
}

// agents are the option 82 of each question, "" where all is asked for.
func agents(list []*dhcp4.Message) (out []string) {
	for _, m := range list {
		out = append(out, string(m.Options.Get(dhcp4.RelayAgent)))
	}
	return out
}

// TestR7_Lost: after a start that finds nothing of a network, its servers are
// asked for all by TCP: by relay ID, by remote ID, or for all that they have
// (RFC 6926 section 7.2).
func TestR7_Lost(t *testing.T) {
	r := []byte("r")
	known := pool.Record{Addr: ip("10.0.1.100"), State: pool.Relayed, Told: pool.Infinite}
	known.Via = "eth1"
	for _, c := range []struct {
		name string
		nets []*Network
		had  []pool.Record
		lost bool
		want []string // nil: nobody is asked
	}{
		{"neither ID", []*Network{access("eth1", "10.0.1.1/24", Settings{Circuit: r})}, nil, false, []string{""}},
		{"remote ID", []*Network{access("eth1", "10.0.1.1/24", Settings{Remote: r})}, nil, false, []string{"\x02\x01r"}},
		{"relay ID", []*Network{access("eth1", "10.0.1.1/24", Settings{Remote: r, Relay: []byte("me")})}, nil, false, []string{"\x0c\x02me"}},
		{"two networks, one relay ID", []*Network{access("eth1", "10.0.1.1/24", Settings{Relay: r}),
			access("eth2", "10.0.2.1/24", Settings{Relay: r})}, nil, false, []string{"\x0c\x01r"}},
		{"two networks, two remote IDs", []*Network{access("eth1", "10.0.1.1/24", Settings{Remote: r}),
			access("eth2", "10.0.2.1/24", Settings{Remote: []byte("s")})}, nil, false, []string{"\x02\x01r", "\x02\x01s"}},
		{"two networks, one without an ID", []*Network{access("eth1", "10.0.1.1/24", Settings{Remote: r}),
			access("eth2", "10.0.2.1/24", Settings{}), access("eth3", "10.0.3.1/24", Settings{Remote: r})}, nil, false, []string{""}},
		{"the table is there", []*Network{access("eth1", "10.0.1.1/24", Settings{})}, []pool.Record{known}, false, nil},
		{"the table is damaged", []*Network{access("eth1", "10.0.1.1/24", Settings{})}, []pool.Record{known}, true, []string{""}},
		{"a second network is new", []*Network{access("eth1", "10.0.1.1/24", Settings{Remote: r}),
			access("eth2", "10.0.2.1/24", Settings{Remote: []byte("s")})}, []pool.Record{known}, false, []string{"\x02\x01s"}},
		{"no ask", []*Network{newNetwork("eth1", "10.0.1.1/24", Settings{Servers: ips("10.0.0.1")})}, nil, true, nil},
	} {
		k, asked := dialled(t, c.lost, c.had, c.nets...)
		if got := agents(asked["10.0.0.1"]); !slices.Equal(got, c.want) || len(asked) > 1 {
			t.Errorf("%s: asked %q", c.name, got)
		}
		xids := map[uint32]bool{}
		for _, m := range asked["10.0.0.1"] {
			if xids[m.Xid] { // section 7.1
				t.Errorf("%s: xid %x twice on a connection", c.name, m.Xid)
			}
			xids[m.Xid] = true
		}
		k.Asks(k.now, c.nets, k.table, false)
		if again := k.redial(); len(again) > 0 {
			t.Errorf("%s: asked again", c.name)
		}
	}
}

// tell has a server say something by TCP, and returns whether that was the end.
func (k *inquirer) tell(xid uint32, typ dhcp4.Type, mods ...mod) (over bool) {
	k.Helper()
	b := message(dhcp4.BootReply, typ, append([]mod{func(m *dhcp4.Message) {
		m.Xid = xid
		if typ != dhcp4.LeaseQueryDone {
			m.Ciaddr = ip("10.0.1.100")
			m.Options.PutUint32(dhcp4.LeaseTime, 3600)
		}
	}}, mods...)...)
	_, list, over := k.Bulk(k.now, k.table, ip("10.0.0.1"), packet(k.TB, b).Msg)
	k.take(list)
	return over
}

// TestR7_Bulk: sections 7.3 and 7.4: the answers restore the table, each with the
// server identifier of the first, and its times by the base-time.
func TestR7_Bulk(t *testing.T) {
	k, asked := dialled(t, false, nil, access("eth1", "10.0.1.1/24", Settings{Remote: []byte("r"), Routes: true}))
	xid := asked["10.0.0.1"][0].Xid
	base := func(n uint32) mod { return func(m *dhcp4.Message) { m.Options.PutUint32(dhcp4.BaseTime, n) } }
	k.tell(xid, dhcp4.LeaseActive, base(1000), option(dhcp4.ServerID, "\x0a\x00\x00\x63"), last(10))
	k.run(100 * time.Second) // it reads slowly
	k.tell(xid, dhcp4.LeaseActive, base(1001), ciaddr("10.0.1.101"))
	k.tell(xid, dhcp4.LeaseActive, base(1001), ciaddr("10.9.9.9"))
	k.tell(xid, dhcp4.LeaseActive, base(1001), ciaddr("10.0.1.102"), seconds(99))
	k.tell(xid, dhcp4.LeaseUnassigned, base(1001), ciaddr("10.0.1.103"))
	k.tell(xid, dhcp4.LeaseUnknown, ciaddr("10.0.1.104")) // MUST NOT appear
	start := pool.Time(k.start.Unix())
	a, _ := k.located("10.0.1.100")
	b, _ := k.located("10.0.1.101")
	if a.Server != ip("10.0.0.99") || b.Server != a.Server || a.Told != start+3600 || b.Told != start+3601 || a.Last != start-10 ||
		a.Via != "eth1" || a.Kept != 0 || string(a.Agent) != "\x02\x01r" {
		t.Errorf("%+v\n%+v", a, b)
	}
	if n := k.table.Len(); n != 2 {
		t.Errorf("%d records: none of other networks, none that is over", n)
	}
	if !k.tell(xid, dhcp4.LeaseQueryDone) {
		t.Error("it was the last")
	}
	k.take(k.Ended(k.now, k.table, ip("10.0.0.1"), nil))
	if want := []string{"bulk leasequery of 10.0.0.1: 2 leases learned"}; !slices.Equal(k.said, want) || !k.AskWake().IsZero() {
		t.Errorf("%q, next %v", k.said, k.AskWake())
	}
}

// TestR7_Place: a client is where option 82 says, else where its address is.
func TestR7_Place(t *testing.T) {
	nets := []*Network{
		access("eth1", "10.0.1.1/24", Settings{Circuit: []byte("eth1"), Relay: []byte("me")}),
		access("eth2", "10.0.1.1/32", Settings{Circuit: []byte("eth2"), Relay: []byte("me"), Routes: true}),
		access("eth3", "10.0.1.1/32", Settings{Circuit: []byte("eth3"), Relay: []byte("me"), Routes: true}),
		access("eth4", "10.0.4.1/24", Settings{Relay: []byte("me")}),
	}
	k, asked := dialled(t, false, nil, nets...)
	xid := asked["10.0.0.1"][0].Xid
	for i, c := range []struct{ addr, agent, want string }{
		{"10.0.1.10", "\x01\x04eth2", "eth2"},
		{"10.0.1.11", "\x0c\x02me\x01\x04eth3", "eth3"}, // in whatever order
		{"10.0.1.12", "\x01\x04eth1", "eth1"},
		{"10.0.1.13", "", "eth1"},
		{"10.0.4.14", "\x01\x04eth2", "eth2"},
		{"10.0.4.15", "\x01\x04eth9", "eth4"},
		{"10.0.9.16", "\x01\x04eth9", ""},
	} {
		k.tell(xid, dhcp4.LeaseActive, ciaddr(c.addr), option(dhcp4.RelayAgent, c.agent))
		if r, _ := k.located(c.addr); r.Via != c.want {
			t.Errorf("%d: on %q, want %q", i, r.Via, c.want)
		}
	}
}

// TestR7_BulkFails: a server that has no TCP is asked as packets arrive; one that
// can't be reached, or breaks off, is tried again, ever later; one that does not
// allow it is not.
func TestR7_BulkFails(t *testing.T) {
	server := ip("10.0.0.1")
	k, _ := dialled(t, false, nil, access("eth1", "10.0.1.1/24", Settings{}))
	k.want("10.0.1.50")
	k.expect("while it may tell all")
	var at []time.Duration
	for range 20 {
		at = append(at, k.now.Sub(k.start))
		k.take(k.Ended(k.now, k.table, server, errors.New("connection refused")))
		if k.AskWake().IsZero() {
			break
		}
		for len(k.redial()) == 0 && k.now.Sub(k.start) < time.Hour {
			k.now = k.now.Add(time.Second)
		}
	}
	if len(at) > mostTries+20 || len(k.said) != 1 || k.said[0] != "bulk leasequery of 10.0.0.1: connection refused; it is asked as packets arrive" {
		t.Errorf("tried at %v, said %q", at, k.said)
	}
	for i := 2; i < mostTries; i++ {
		if at[i]-at[i-1] <= at[i-1]-at[i-2] {
			t.Errorf("tried at %v", at)
		}
	}
	for _, c := range []struct {
		status dhcp4.Status
		over   bool
		said   string
	}{
		{dhcp4.NotAllowed, true, "bulk leasequery of 10.0.0.1: NotAllowed saying 'no \\'way\\''"},
		{dhcp4.MalformedQuery, true, "bulk leasequery of 10.0.0.1: MalformedQuery saying 'no \\'way\\''"},
	} {
		k, asked := dialled(t, false, nil, access("eth1", "10.0.1.1/24", Settings{}))
		over := k.tell(asked["10.0.0.1"][0].Xid, dhcp4.LeaseQueryDone, func(m *dhcp4.Message) { m.Options.PutStatus(c.status, "no 'way'") })
		k.take(k.Ended(k.now, k.table, server, nil))
		if over != c.over || len(k.said) != 1 || k.said[0] != c.said || !k.AskWake().IsZero() {
			t.Errorf("%v: over %v, said %q", c.status, over, k.said)
		}
	}
	// Section 7.3: the connection is closed when an xid is none of ours.
	k, asked := dialled(t, false, nil, access("eth1", "10.0.1.1/24", Settings{}))
	if xid := asked["10.0.0.1"][0].Xid; k.tell(xid, dhcp4.LeaseActive) || !k.tell(xid+1, dhcp4.LeaseActive) || k.table.Len() != 1 {
		t.Error("a strange xid")
	}
	k.take(k.Ended(k.now, k.table, server, nil))
	if k.AskWake().IsZero() {
		t.Error("section 7.1: it may try again")
	}
}

// TestR7_BulkFirst: what a bulk query tells is not asked about besides.
func TestR7_BulkFirst(t *testing.T) {
	k, asked := dialled(t, false, nil, access("eth1", "10.0.1.1/24", Settings{}))
	k.want("10.0.1.100", "10.0.1.101")
	k.tell(asked["10.0.0.1"][0].Xid, dhcp4.LeaseActive)
	k.tell(asked["10.0.0.1"][0].Xid, dhcp4.LeaseQueryDone)
	k.expect("while it tells")
	k.take(k.Ended(k.now, k.table, ip("10.0.0.1"), nil))
	k.expect("what it did not tell", "1/101")
	// And not for long, where it stalls.
	k, _ = dialled(t, false, nil, access("eth1", "10.0.1.1/24", Settings{}))
	k.want("10.0.1.100")
	k.run(tellsSoon)
	k.expect("when it stalls", "1/100")
}

// FuzzAnswers: whatever servers say, by UDP or TCP, no more than they may is
// learned or remembered, and nothing is asked for ever.
func FuzzAnswers(f *testing.F) {
	for _, typ := range []dhcp4.Type{dhcp4.LeaseActive, dhcp4.LeaseUnassigned, dhcp4.LeaseUnknown, dhcp4.LeaseQueryDone, dhcp4.ACK} {
		f.Add(message(dhcp4.BootReply, typ, ciaddr("10.0.1.100"), seconds(3600), option(dhcp4.RelayAgent, circuit)), uint8(3), uint16(7))
	}
	f.Fuzz(func(t *testing.T, b []byte, how uint8, wait uint16) {
		m := new(dhcp4.Message)
		if m.Parse(b) != nil {
			return
		}
		k := newInquirer(t, "10.0.0.1 10.0.0.3")
		k.net.Routes = how&1 != 0
		k.want("10.0.1.100", "10.0.1.101")
		if how&2 != 0 {
			m.Xid = k.posed[0].xid
		}
		p := &Packet{Msg: m, Data: b, From: ip("10.0.0.1"), Clients: how&4 != 0}
		_, list := k.Answer(k.now, k.table, p)
		k.take(list)
		k.run(time.Duration(wait) * time.Second)
		s := k.asks.servers[0]
		s.open = []uint32{m.Xid}
		n, list, _ := k.Bulk(k.now, k.table, s.addr, m)
		k.take(list)
		k.take(k.Ended(k.now, k.table, s.addr, nil))
		k.run(time.Hour)
		for r := range k.table.All() {
			if r.State != pool.Relayed || r.Via != "eth1" || !dhcp4.IsUnicast(r.Addr) || n == nil && r.Addr != netip.MustParseAddr("10.0.1.100") {
				t.Fatalf("%+v", r)
			}
		}
		if len(k.posed) > 2*100 || len(k.asks.known) > 8 {
			t.Fatal(fmt.Sprint(len(k.posed), " questions, ", len(k.asks.known), " facts"))
		}
	})
}
