package daemon

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/pool"
	"dhcpd/server"
)

// listHost is a host with these interfaces.
type listHost struct {
	fakeHost
	list []link.Interface
}

func (h *listHost) Interfaces() ([]link.Interface, error) { return h.list, nil }

func ethernet(index int, addrs ...string) link.Interface {
	l := link.Interface{ID: link.ID{Index: index, Name: fmt.Sprint("eth", index)}, MTU: 1500, Ether: true, MAC: [6]byte{2, 0, 0, 0, 1, byte(index)}}
	for _, a := range addrs {
		l.Addrs = append(l.Addrs, link.Address{Prefix: netip.MustParsePrefix(a), Valid: link.Forever})
	}
	return l
}

// inquirer explains what a client of this config and pool would be given.
func inquirer(t *testing.T, config string, table *pool.Table, links ...link.Interface) func(Inquiry) Inquiry {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dhcp.conf")
	if err := os.WriteFile(path, []byte(config), 0600); err != nil {
		t.Fatal(err)
	}
	return func(ask Inquiry) Inquiry {
		h := &listHost{list: append([]link.Interface(nil), links...)}
		env := conf.Env{Hosts: "# none\n"}
		if err := explain(h, &Options{Conf: path}, &env, table, start, &ask); err != nil {
			t.Fatalf("%v in\n%s", err, config)
		}
		if len(h.done) > 0 {
			t.Errorf("-e has changed something: %v", h.done)
		}
		return ask
	}
}

const explained = `
	host 10.0.0.0/24 { DHCPlease 3600; gateway 10.0.0.1; };
	host 10.1.0.0/24 { DHCPlease 600; class "x" { DHCPlease 60; }; };
	client 2:0:0:0:0:9 10.1.0.9;
	client 2:0:0:0:0:8 10.0.0.8;
	client 2:0:0:0:0:6 10.8.0.6;
	client 2:0:0:0:0:6 10.9.0.6;
	interface eth1 10.0.0.1;
	option "eth1" server;
	option "eth2" server; `

// TestL11_Networks: which networks are explained, and by which way.
func TestL11_Networks(t *testing.T) {
	table := pool.NewTable()
	for _, a := range []string{"10.0.0.20", "10.1.0.20"} {
		table.Add(netip.MustParseAddr(a))
	}
	table.Apply(&pool.Record{Addr: netip.MustParseAddr("10.1.0.20"), State: pool.Bound, Since: 1, Told: pool.Time(start.Unix() + 60),
		Kept: pool.Time(start.Unix() + 60), Client: pool.Client{ID: []byte{1, 2, 0, 0, 0, 0, 7}}})
	asks := inquirer(t, explained, table, ethernet(1), ethernet(2, "192.0.2.1/24"), ethernet(3, "10.1.0.1/24"))
	for _, tt := range []struct {
		client byte
		addr   string
		want   string
	}{
		{1, "", "eth1: 10.0.0.20 DHCPOFFER; eth2: no address for the client on its network"},
		{7, "", "eth1: 10.0.0.20 DHCPOFFER; eth2: no address for the client on its network; eth2 by 10.1.0.0: 10.1.0.20 DHCPOFFER"},
		{8, "", "eth1: 10.0.0.8 DHCPOFFER; eth2: no address for the client on its network"},
		{9, "", "eth1: 10.0.0.20 DHCPOFFER; eth2: no address for the client on its network; eth2 by 10.1.0.0: 10.1.0.9 DHCPOFFER"},
		{6, "", "eth1: 10.0.0.20 DHCPOFFER; eth2: no address for the client on its network; " +
			"eth2 by 10.9.0.6: no address for the client on its network; eth2 by 10.8.0.6: no address for the client on its network"},
		{9, "10.0.0.77", "eth1: 10.0.0.20 DHCPOFFER, no record of the client"},
		{9, "10.1.0.9", "eth2 by 10.1.0.0: 10.1.0.9 DHCPOFFER, DHCPACK"},
		{9, "10.1.0.1", "eth2 by 10.1.0.0: 10.1.0.9 DHCPOFFER, DHCPNAK"},
		{1, "10.7.0.1", "eth2 by 10.7.0.1: no address for the client on its network, no information for the client's network"},
	} {
		ask := Inquiry{ID: []byte{1, 2, 0, 0, 0, 0, tt.client}}
		if tt.addr != "" {
			ask.Addr = netip.MustParseAddr(tt.addr)
		}
		ask = asks(ask)
		var all []string
		for _, e := range ask.Networks {
			s := e.If
			if e.Relay.IsValid() {
				s += " by " + e.Relay.String()
			}
			s += ":"
			if e.Chosen.IsValid() {
				s += " " + e.Chosen.String()
			}
			s += said(&e.Answer)
			if ask.Addr.IsValid() {
				s += "," + said(&e.Keep)
			}
			all = append(all, s)
		}
		if got := strings.Join(all, "; "); got != tt.want {
			t.Errorf("client %d %s:\n%s, want\n%s", tt.client, tt.addr, got, tt.want)
		}
	}
}

func said(a *Answer) string {
	if a.Reply == nil {
		return " " + a.Why
	}
	return " " + a.Reply.Type().String()
}

// TestL11_WireAndSecured: what would be looked for first is taken as nobody's,
// and a client that has to prove itself as one that does.
func TestL11_WireAndSecured(t *testing.T) {
	table := pool.NewTable()
	table.Add(netip.MustParseAddr("10.0.0.20"))
	asks := inquirer(t, explained+`option "eth1" probe;`, table, ethernet(1))
	e := asks(Inquiry{ID: []byte{1, 2, 0, 0, 0, 0, 1}}).Networks[0]
	if !e.Wire || e.Secured || e.Reply == nil || e.Reply.Yiaddr != netip.MustParseAddr("10.0.0.20") {
		t.Errorf("with probe: %+v", e)
	}
	asks = inquirer(t, explained+`option "eth1" authenticate 7; key 7 "secret"; client 2:0:0:0:0:6 10.0.0.6;`, table, ethernet(1))
	e = asks(Inquiry{ID: []byte{1, 2, 0, 0, 0, 0, 6}}).Networks[0]
	if !e.Secured || e.Reply == nil || e.Reply.Yiaddr != netip.MustParseAddr("10.0.0.6") {
		t.Errorf("with a key: %+v", e)
	}
}

// TestL11_Relayed: where requests are relayed, too, the pool may be for later.
func TestL11_Relayed(t *testing.T) {
	table := pool.NewTable()
	table.Add(netip.MustParseAddr("10.0.0.20"))
	for option, want := range map[string]string{
		`relay 192.0.2.9`:             " DHCPOFFER",
		`relay 192.0.2.9 fallback 30`: " the servers that we relay to give the addresses here",
	} {
		asks := inquirer(t, explained+`option "eth1" `+option+`; option "eth1" agent { select; };`, table, ethernet(1))
		if e := asks(Inquiry{ID: []byte{1, 2, 0, 0, 0, 0, 1}}).Networks[0]; said(&e.Answer) != want {
			t.Errorf("%s:%s, want%s", option, said(&e.Answer), want)
		}
	}
}

// TestL11_Conditions: class, circuit and remote count.
func TestL11_Conditions(t *testing.T) {
	table := pool.NewTable()
	table.Add(netip.MustParseAddr("10.0.0.20"))
	asks := inquirer(t, explained+`class a { domain a; }; circuit b { swapserver 10.0.0.2; }; remote c { rootpath c; };`, table, ethernet(1))
	ask := Inquiry{ID: []byte("\x00me"), Class: []byte("ab"), Circuit: []byte("b"), Remote: []byte("cd")}
	o := &asks(ask).Networks[0].Reply.Options
	if !o.Has(dhcp4.DomainName) || !o.Has(16) || !o.Has(17) || !bytes.Equal(o.Get(dhcp4.RelayAgent), []byte("\x01\x01b\x02\x02cd")) {
		t.Errorf("%v", o.Codes())
	}
	ask.Class, ask.Circuit, ask.Remote = nil, nil, []byte("x")
	if o := &asks(ask).Networks[0].Reply.Options; o.Has(dhcp4.DomainName) || o.Has(16) || o.Has(17) {
		t.Errorf("%v", o.Codes())
	}
}

// TestL11_Recall: a client is known by its Ethernet address as well as by the ID
// that it sent, whichever -e is told, and by the latest one if it sent several.
func TestL11_Recall(t *testing.T) {
	table := pool.NewTable()
	ether := []byte{1, 2, 0, 0, 0, 0, 8}
	for i, id := range []string{"\xffold", "\xffnew", string(ether), "\xffthe relay's"} {
		r := &pool.Record{Addr: netip.AddrFrom4([4]byte{10, 0, 0, byte(20 + i)}), State: pool.Bound, Since: 1, Told: pool.Infinite, Kept: pool.Infinite,
			Client: pool.Client{ID: []byte(id), HW: pool.HWOf(1, ether[1:])}}
		r.Last = []pool.Time{5, 9, 7, 20}[i]
		if i == 3 {
			r.State = pool.Relayed
		}
		table.Add(r.Addr)
		table.Apply(r)
	}
	for _, tt := range []struct {
		ask          Inquiry
		config, want string
	}{
		{Inquiry{ID: ether, Ether: true}, "", "10.0.0.21"},
		{Inquiry{ID: ether}, "", "10.0.0.22"},
		{Inquiry{ID: []byte("\xffold")}, "", "10.0.0.20"},
		{Inquiry{ID: []byte("\xffold")}, "client 2:0:0:0:0:8 10.0.0.8;", "10.0.0.8"},
		{Inquiry{ID: []byte("\xffnobody")}, "client 2:0:0:0:0:8 10.0.0.8;", "10.0.0.24"},
		{Inquiry{ID: ether, Ether: true, BOOTP: true}, "", ""},
		{Inquiry{ID: ether, Ether: true, BOOTP: true}, "option \"eth1\" bootp;", "10.0.0.22"},
		{Inquiry{ID: ether, Ether: true, BOOTP: true}, "client 2:0:0:0:0:8 10.0.0.8;", "10.0.0.8"},
	} {
		table.Add(netip.MustParseAddr("10.0.0.24"))
		config := strings.Replace(explained, "client 2:0:0:0:0:8 10.0.0.8;", "", 1) + tt.config
		e := inquirer(t, config, table, ethernet(1))(tt.ask).Networks[0]
		got := ""
		if e.Reply != nil {
			got = e.Reply.Yiaddr.String()
		}
		if got != tt.want || tt.ask.BOOTP && e.Reply != nil && e.Reply.Type() != dhcp4.BOOTP {
			t.Errorf("%+v: %s, want %s, %s", tt.ask, got, tt.want, e.Why)
		}
	}
}

// randomSite makes up a config and a pool.
func randomSite(r *rand.Rand) (string, *pool.Table) {
	var b strings.Builder
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	fmt.Fprintf(&b, "interface eth1 10.0.0.1; option eth1 server;\n")
	for range r.IntN(3) {
		fmt.Fprintf(&b, "option \"eth1\" %s;\n", pick("authoritative", "limit 3", "limit 1 per circuit", "always domain"))
	}
	for range 2 + r.IntN(12) {
		body := pick("DHCPlease 600;", "DHCPlease 60; DHCPrenewal 20;", "domain x;", "no DHCPlease;", "macro m;", "macro n;", "no domain;", "gateway 10.0.0.254;")
		switch r.IntN(7) {
		case 0, 1:
			fmt.Fprintf(&b, "host 10.%d.0.0/%d { %s };\n", r.IntN(2), 16+8*r.IntN(2), body)
		case 2:
			fmt.Fprintf(&b, "host 10.%d.0.%d { %s };\n", r.IntN(2), r.IntN(8), body)
		case 3:
			fmt.Fprintf(&b, "client 2:0:0:0:0:%d 10.%d.0.%d { %s };\n", r.IntN(4), r.IntN(2), r.IntN(8), body)
		case 4:
			fmt.Fprintf(&b, "%s %s { %s };\n", pick("class", "circuit", "remote"), pick("a", "b"), body)
		default:
			fmt.Fprintf(&b, "%s\n", body)
		}
	}
	fmt.Fprintf(&b, "host 10.0.0.0/24 { DHCPlease 900; }; macro m { macro n; domain m; }; macro n { DNSserver 10.0.0.3; };\n")
	table := pool.NewTable()
	now := pool.Time(start.Unix())
	for range r.IntN(12) {
		a := netip.AddrFrom4([4]byte{10, byte(r.IntN(2)), 0, byte(r.IntN(8))})
		if r.IntN(4) > 0 {
			table.Add(a)
		}
		if r.IntN(2) > 0 {
			state := [...]pool.State{pool.Bound, pool.Bound, pool.Released, pool.Abandoned, pool.Relayed}[r.IntN(5)]
			end := now - 100 + pool.Time(r.IntN(200))
			client := pool.Client{ID: []byte{1, 2, 0, 0, 0, 0, byte(r.IntN(4))}}
			if r.IntN(3) == 0 {
				client.HW = pool.HWOf(1, client.ID[1:])
				client.ID = []byte{255, client.ID[6]}
			}
			table.Apply(&pool.Record{Addr: a, State: state, Since: now - 200, Told: end, Kept: end, Client: client})
		}
	}
	return b.String(), table
}

// TestL11_SaysWhatTheServerDoes: for many configs, pools and clients the reply
// that -e shows is, octet for octet, that of a server which knows nothing of
// -e, and the last rule is the one by which it came.
func TestL11_SaysWhatTheServerDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	offers, naks, silence := 0, 0, 0
	for range 150 {
		config, table := randomSite(r)
		asks := inquirer(t, config, table, ethernet(1))
		cfg, err := conf.Parse("dhcp.conf", config, conf.Env{Interfaces: []conf.Ifname{{Name: "eth1", Index: 1, Ether: true}}})
		if err != nil {
			t.Fatal(err)
		}
		d, n, _ := newDaemon(t, config)
		d.cfg, d.addrs = cfg, map[netip.Addr]bool{netip.MustParseAddr("10.0.0.1"): true}
		n.link = ethernet(1, "10.0.0.1/24")
		n.plan = cfg.Own([]conf.Net{{Name: "eth1", Index: 1, MAC: n.link.MAC, Ether: true}})[0]
		n.addr, n.site.Settings = n.plan.Addr, n.plan.Settings
		n.refreshSite(d)
		n.site.Addrs[0] = n.addr
		d.service.table = table
		for range 20 {
			id := []byte{1, 2, 0, 0, 0, 0, byte(r.IntN(5))}
			text := func() []byte { return []byte([]string{"", "a", "bc"}[r.IntN(3)]) }
			ask := Inquiry{ID: id, Ether: r.IntN(2) > 0, BOOTP: r.IntN(8) == 0, Class: text(), Circuit: text(), Remote: text()}
			if r.IntN(2) > 0 {
				ask.Addr = netip.AddrFrom4([4]byte{10, byte(r.IntN(2)), 0, byte(r.IntN(8))})
			}
			got := asks(ask)
			d.service.regroup()
			for _, e := range got.Networks {
				for _, keep := range []bool{false, true} {
					a := &e.Answer
					x := &explainer{Inquiry: &ask, Explanation: e, table: table}
					x.recall()
					m := x.message(dhcp4.Discover)
					if keep {
						a = &e.Keep
						m = x.message(dhcp4.Request)
					}
					if keep && !ask.Addr.IsValid() {
						continue
					}
					n.site.To = dhcp4.Everyone
					if e.Relay.IsValid() {
						n.site.To = n.addr.Addr()
					}
					var srv server.Server
					reply, why := whatFollows(srv.Decide(start, cfg, &n.site, table, m))
					if e.Wire && !keep { // nobody answers
						for i := range 256 {
							a := netip.AddrFrom4([4]byte{10, byte(i / 128), 0, byte(i % 128)})
							srv.Checked(start, cfg, &n.site, table, server.Outcome{Addr: a})
						}
						reply, why = whatFollows(srv.Decide(start, cfg, &n.site, table, m))
					}
					var shown []byte
					if a.Reply != nil {
						shown = a.Reply.Wire
					}
					if !bytes.Equal(reply, shown) || why != a.Why || a == &e.Answer && (reply != nil) != e.Chosen.IsValid() && why != "no lease time for the address" && why != "no information for the client" {
						t.Fatalf("%+v: -e shows %x %s, the server says %x %s, with\n%s", ask, shown, a.Why, reply, why, config)
					}
					switch {
					case reply == nil:
						silence++
					case why != "":
						naks++
					default:
						offers++
					}
				}
			}
		}
	}
	if offers < 300 || naks < 50 || silence < 300 {
		t.Errorf("%d replies, %d NAKs, %d times silence", offers, naks, silence)
	}
}

// whatFollows is the reply among what the server decided, and its last note.
func whatFollows(actions []act.Action) (reply []byte, why string) {
	for i := range actions {
		switch a := &actions[i]; a.Verb {
		case act.Send:
			reply, _ = a.Msg.Append(nil, a.Limit)
		case act.Note:
			why = a.Text
		}
	}
	return reply, why
}

// TestL9_ExplainLimited: -i leaves other networks out.
func TestL9_ExplainLimited(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dhcp.conf")
	if err := os.WriteFile(path, []byte(explained), 0600); err != nil {
		t.Fatal(err)
	}
	for pattern, want := range map[string]int{"eth*": 2, "eth1": 1, "eth[3-9]": 0} {
		h := &listHost{list: []link.Interface{ethernet(1), ethernet(2, "192.0.2.1/24")}}
		ask := Inquiry{ID: []byte{1, 2, 0, 0, 0, 0, 1}}
		err := explain(h, &Options{Conf: path, Interfaces: []string{pattern}}, &conf.Env{}, pool.NewTable(), start.Add(time.Second), &ask)
		if err != nil || len(ask.Networks) != want {
			t.Errorf("-i %s: %d networks, %v, want %d", pattern, len(ask.Networks), err, want)
		}
	}
}
