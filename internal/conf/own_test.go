package conf

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// describe prints what a plan says beside the network's name.
func describe(p *Plan) string {
	var b strings.Builder
	b.WriteString(p.Net.Name)
	if p.Static {
		fmt.Fprintf(&b, " %v", p.Addr)
	}
	for _, f := range []struct {
		name string
		on   bool
	}{{"server", p.Server}, {"inform", p.Inform}, {"possessive", p.Possessive}} {
		if f.on {
			b.WriteString(" " + f.name)
		}
	}
	if p.Hostname != "" {
		b.WriteString(" hostname=" + p.Hostname)
	}
	for _, a := range p.Relay {
		b.WriteString(" relay=" + a.String())
	}
	return b.String()
}

func ether(name string, last byte, a string) Net {
	return Net{Name: name, Ether: true, MAC: [6]byte{2, 0, 0, 0, 0, last}, Addr: addr(a)}
}

func TestB2_House(t *testing.T) {
	c := house(t)
	tests := []struct {
		name string
		nets []Net
		want string
	}{
		{"the server: its cable by DHCP, its tunnel from the body of its host",
			[]Net{ether("eth0", 1, ""), ether("eth1", 99, ""), {Name: "ip2"}},
			"eth0 10.11.12.2/25 server, eth1 possessive, ip2 192.168.77.2/32"},
		{"in another order", []Net{{Name: "ip2"}, ether("eth1", 99, ""), ether("eth0", 1, "")},
			"ip2 192.168.77.2/32, eth1 possessive, eth0 10.11.12.2/25 server"},
		{"another server", []Net{ether("eth0", 2, "")}, "eth0 10.11.12.3/25 server inform"},
		{"a PC", []Net{ether("eth0", 3, "")}, "eth0 10.11.12.4/25"},
		{"one card's address on two interfaces", []Net{ether("eth0", 4, ""), ether("eth1", 4, "")},
			"eth0 10.11.12.6/25, eth1"},
		{"a stranger", []Net{ether("eth0", 88, "")}, "eth0"},
		{"a stranger to which DHCP gave the address of a server", []Net{ether("eth0", 88, "10.11.12.3")}, "eth0 server inform"},
		{"no network at all", nil, ""},
	}
	for _, tt := range tests {
		var got []string
		for _, p := range c.Own(tt.nets) {
			got = append(got, describe(&p))
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, s, tt.want)
		}
	}
	p := c.Own([]Net{ether("eth0", 2, "")})[0]
	want := `DNSserver 10.11.12.2; domain "home.example"; file pxe/linux.0; gateway 10.11.12.1; hostname "oak \"2\""; NetBIOSNS 10.11.12.2 10.11.12.3; NetBIOSnodetype 8; netmask 255.255.255.128; siaddr 10.11.12.2; sname linde`
	if got := show(c, p.Info); got != sortTags(want) {
		t.Errorf("what goes with the address, our own class and no other:\n got %s\nwant %s", got, sortTags(want))
	}
}

func TestB2_Own(t *testing.T) {
	tests := []struct {
		name, text string
		nets       []Net
		want       string
	}{
		{"options at the top act without an address", "option server; option eth1 possessive; option hostname a; option hostname b;",
			[]Net{ether("eth0", 1, ""), ether("eth1", 2, "")}, "eth0 server hostname=b, eth1 server possessive hostname=b"},
		{"but not on what is no Ethernet and has no address", "option server;", []Net{{Name: "tun0"}}, "tun0"},
		{"in a class of ours and macros", "class dhc { option server; }; class Minix { option possessive; }; macro m; macro m { option hostname m; };",
			[]Net{ether("eth0", 1, "")}, "eth0 server hostname=m"},
		{"not in a host without an address", "host 0.0.0.0/0 { option server; };", []Net{ether("eth0", 1, "")}, "eth0"},
		{"in a host when DHCP has given it", "host 0.0.0.0/0 { option server; };", []Net{ether("eth0", 1, "10.0.0.9")}, "eth0 server"},
		{"in a client body without a netmask", "client 2:0:0:0:0:1 10.0.0.1 { option hostname a; };", []Net{ether("eth0", 1, "")}, "eth0 hostname=a"},
		{"which DHCP's address does not undo", "client 2:0:0:0:0:1 10.0.0.1 { option hostname a; };", []Net{ether("eth0", 1, "10.0.0.2")}, "eth0 hostname=a"},
		{"of another one's client body nothing", "client 2:0:0:0:0:1 10.0.0.1 { option server; };", []Net{ether("eth0", 2, "")}, "eth0"},
		{"of two entries the lower", "netmask /8; client 2:0:0:0:0:1 10.0.0.2; client 2:0:0:0:0:1 10.0.0.1;", []Net{ether("eth0", 1, "")}, "eth0 10.0.0.1/8"},
		{"or the one near the address it has", "netmask /8; client 2:0:0:0:0:1 10.0.0.1; client 2:0:0:0:0:1 10.9.0.1;", []Net{ether("eth0", 1, "10.9.0.7")}, "eth0 10.9.0.1/8"},
		{"or the one with a netmask", "client 2:0:0:0:0:1 10.0.0.1; host 10.9.0.0/16 { }; client 2:0:0:0:0:1 10.9.0.1;", []Net{ether("eth0", 1, "")}, "eth0 10.9.0.1/16"},
		{"entry for one interface", "netmask /8; client 2:0:0:0:0:1 ip1 10.0.0.1;", []Net{ether("eth0", 1, ""), ether("eth1", 1, "")}, "eth0, eth1 10.0.0.1/8"},
		{"interface element", "interface eth0 10.0.0.1; host 10.0.0.0/24 { };", []Net{ether("eth0", 1, "")}, "eth0 10.0.0.1/24"},
		{"interface element of an Ethernet without a netmask", "interface eth0 10.0.0.1;", []Net{ether("eth0", 1, "")}, "eth0"},
		{"interface element and client entry", "netmask /8; interface eth0 10.0.0.1; client 2:0:0:0:0:1 10.0.0.2; interface eth0 10.0.0.3;", []Net{ether("eth0", 1, "")}, "eth0 10.0.0.2/8"},
		{"body of an interface element, gathered for it only", "netmask /8; option server; interface tun0 10.0.0.1 { option hostname t; }; interface tun1 10.0.0.2;",
			[]Net{ether("eth0", 1, ""), {Name: "tun0"}, {Name: "tun1"}}, "eth0 server, tun0 10.0.0.1/8 server hostname=t, tun1 10.0.0.2/8 server"},
		{"hidden by a client element of another interface", "netmask /8; client 2:0:0:0:0:1 10.0.0.1 { interface tun0 10.0.0.2 { option hostname t; netmask /16; }; };",
			[]Net{{Name: "tun0"}, ether("eth0", 1, "")}, "tun0 10.0.0.2/8, eth0 10.0.0.1/8"},
		{"hosts of the address that an interface element gives", "netmask /8; interface tun0 10.0.0.2; host 10.0.0.2 { option server; interface tun1 10.0.0.3; }; host 10.0.0.3 { option eth0 possessive; };",
			[]Net{{Name: "tun1"}, {Name: "tun0"}, ether("eth0", 1, "")}, "tun1 10.0.0.3/8, tun0 10.0.0.2/8 server, eth0 possessive"},
		{"elements that chase each other", "netmask /8; interface tun0 10.0.0.2; host 10.0.0.2 { interface tun0 10.0.0.3; }; host 10.0.0.3 { interface tun0 10.0.0.2; };",
			[]Net{ether("eth0", 1, ""), {Name: "tun0"}}, "eth0, tun0 10.0.0.3/8"},
		{"relay to the server on this side", "netmask /8; host gw { }; client 2:0:0:0:0:1 10.2.0.1; option relay gw 10.9.9.9 nobody;", []Net{ether("eth0", 1, "")}, "eth0 10.2.0.1/8 relay=10.2.0.3 relay=10.9.9.9"},
		{"option for an interface that is not there", `option "wlan0" server;`, []Net{ether("eth0", 1, "")}, "eth0"},
	}
	env := Env{Hosts: "10.1.0.3 gw\n10.2.0.3 gw\n", Interfaces: []Ifname{{"eth1", 8, true}, {"eth0", 3, true}, {"tun0", 1, false}, {"tun1", 2, false}}}
	for _, tt := range tests {
		c, err := Parse("dhcp.conf", tt.text, env)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		for _, p := range c.Own(tt.nets) {
			got = append(got, describe(&p))
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, s, tt.want)
		}
	}
}

// Every option of the language and what it sets.
func TestP1_Options(t *testing.T) {
	set := func(codes ...dhcp4.Code) (s dhcp4.Set) {
		for _, c := range codes {
			s.Add(c)
		}
		return s
	}
	tests := []struct {
		text string
		want Settings
	}{
		{"server", Settings{Server: true}},
		{"server inform", Settings{Server: true, Inform: true}},
		{"always domain DNSserver; option always gateway", Settings{Always: set(3, 6, 15)}},
		{"authoritative", Settings{Authoritative: true}},
		{"bootp", Settings{BOOTP: true}},
		{"rapid", Settings{Rapid: true}},
		{"probe", Settings{Probe: true}},
		{"limit 100; option limit 8 per circuit", Settings{Limit: 100, CircuitLimit: 8}},
		{"noforce", Settings{NoForce: true}},
		{"leasequery", Settings{LeaseQuery: &LeaseQuery{}}},
		{"leasequery from 10.0.0.1 gw show domain", Settings{LeaseQuery: &LeaseQuery{Limited: true,
			From: []netip.Addr{addr("10.0.0.1"), addr("10.1.0.3")}, Show: set(15)}}},
		{"leasequery from nobody", Settings{LeaseQuery: &LeaseQuery{Limited: true}}},
		{"leasequery limit 5 show domain", Settings{LeaseQuery: &LeaseQuery{Show: set(15), Limit: 5}}},
		{"leasequery active insecure", Settings{LeaseQuery: &LeaseQuery{Active: true}}},
		{"leasequery show domain active insecure limit 5", Settings{LeaseQuery: &LeaseQuery{Show: set(15), Limit: 5, Active: true}}},
		{"leasequery from 10.0.0.1 show domain limit 5", Settings{LeaseQuery: &LeaseQuery{Limited: true,
			From: []netip.Addr{netip.MustParseAddr("10.0.0.1")}, Show: set(15), Limit: 5}}},
		{"leasequery show domain gateway", Settings{LeaseQuery: &LeaseQuery{Show: set(3, 15)}}},
		{"authenticate 7; key 7 \"text\"", Settings{Key: &Key{7, []byte("text")}}},
		{"authenticate 0x10; key 16 00ff", Settings{Key: &Key{16, []byte{0, 255}}}},
		{"rogue pause", Settings{RoguePause: true}},
		{"wait", Settings{Wait: true}},
		{"relay 10.0.0.1 \"hops\" gw hops 4 fallback 30", Settings{Relay: []netip.Addr{addr("10.0.0.1"), addr("10.0.0.2"), addr("10.1.0.3")}, RelayHops: 4, RelayFallback: 30}},
		{"relay 10.0.0.1 fallback 9; option relay 10.0.0.2", Settings{Relay: []netip.Addr{addr("10.0.0.2")}}},
		{"agent { circuit interface; remote mac; relay text r; trusted; select; override; flags; routes; ask; }", Settings{Agent: &Agent{
			Circuit: AgentID{Auto: true}, Remote: AgentID{Auto: true}, Relay: AgentID{Text: "r"},
			Trusted: true, Select: true, Override: true, Flags: true, Routes: true, Ask: true}}},
		{"agent { Circuit Text \"door 1\"; remote text x }", Settings{Agent: &Agent{Circuit: AgentID{Text: "door 1"}, Remote: AgentID{Text: "x"}}}},
		{"agent { }", Settings{Agent: &Agent{}}},
		{"possessive", Settings{Possessive: true}},
		{"hostname server", Settings{Hostname: "server"}},
		{"ignore", Settings{Ignore: true}},
		{"inform", Settings{AskInform: true}},
		{"release", Settings{Release: true}},
		{"nodiscovery", Settings{NoDiscovery: true}},
		{"router", Settings{Router: true, RouterInterval: 600}},
		{"router preference -2147483648 interval 4", Settings{Router: true, RouterInterval: 4, RouterPreference: -1 << 31}},
		{"router interval 1800 preference 2147483647", Settings{Router: true, RouterInterval: 1800, RouterPreference: 1<<31 - 1}},
		{"class MSFT", Settings{Class: "MSFT"}},
		{"clientid ff00", Settings{ClientID: []byte{255, 0}}},
		{"clientid 2:0:0:0:0:1", Settings{ClientID: []byte{1, 2, 0, 0, 0, 0, 1}}},
		{"duid", Settings{DUID: true}},
		{"fqdn a.example.com", Settings{FQDN: "a.example.com"}},
		{"linklocal", Settings{LinkLocal: true}},
		{"anonymous", Settings{Anonymous: true}},
		{"ipv6only", Settings{IPv6Only: true}},
		{"send userclass 0461; option send gateway gw 10.0.0.9; option send userclass 0462; option send DNSserver nobody", Settings{Send: []Option{
			{77, []byte{4, 0x62}}, {3, []byte{10, 1, 0, 3, 10, 0, 0, 9}}}}},
		{"request gateway domain; option request T230 gateway", Settings{Request: []dhcp4.Code{15, 230, 3}}},
		{"resolvconf /run/resolv.conf", Settings{ResolvConf: "/run/resolv.conf"}},
		{"script /etc/udhcpc/default.script", Settings{Script: "/etc/udhcpc/default.script"}},
		{"notify \"/bin/a b\"", Settings{Notify: "/bin/a b"}},
	}
	env := Env{Hosts: "10.2.0.3 gw\n10.1.0.3 gw\n10.0.0.2 hops"}
	covered := map[string]bool{}
	for _, tt := range tests {
		covered[strings.Fields(tt.text)[0]] = true
		c, err := Parse("dhcp.conf", "OPTION "+tt.text, env)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		for range 2 { // asking does not change the Config
			if got := c.Own([]Net{ether("eth0", 1, "10.1.0.9")})[0].Settings; !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s:\n got %+v\nwant %+v", tt.text, got, tt.want)
			}
		}
	}
	for _, o := range optionKinds {
		if !covered[o.name] {
			t.Errorf("option %s is not tested", o.name)
		}
	}
}

// Which interface an option or a client entry is for.
func TestP1_InterfaceNames(t *testing.T) {
	ifaces := []Ifname{{"eth0", 5, true}, {"wlan0", 3, true}, {"tun0", 1, false}, {"ip7", 9, false}}
	tests := []struct {
		text   string
		ifaces []Ifname
		want   string // name, or the error
		report string
	}{
		{"option server", ifaces, "", ""},
		{"option ip0 server", ifaces, "wlan0", ""},
		{"option IP1 server", ifaces, "eth0", ""},
		{"option ip7 server", ifaces, "ip7", ""},
		{"option ip2 server", ifaces, "ip2", `"dhcp.conf", line 1: Interface 'ip2' is not there`},
		{"option ip0 server", nil, "ip0", ""},
		{"option tun0 server", ifaces, "tun0", ""},
		{`option "tun1" server`, ifaces, "tun1", `"dhcp.conf", line 1: Interface 'tun1' is not there`},
		{`option "server" possessive`, ifaces, "server", `"dhcp.conf", line 1: Interface 'server' is not there`},
		{`option "server"`, ifaces, "", ""},
		{"option tun1 server", nil, "tun1", ""},
		{"option tun1 server", []Ifname{}, `"dhcp.conf", line 1: Unknown interface 'tun1'; in quotes it may come later`, ""},
		{"option tun1 severe", nil, `"dhcp.conf", line 1: Unknown option 'tun1'`, ""},
	}
	for _, tt := range tests {
		c, err := Parse("dhcp.conf", tt.text, Env{Interfaces: tt.ifaces})
		switch {
		case err != nil:
			if err.Error() != tt.want {
				t.Errorf("%s: %v, want %s", tt.text, err, tt.want)
			}
		case c.settings[0].ifname != tt.want || strings.Join(c.Problems(), "\n") != tt.report:
			t.Errorf("%s: interface %q, problems %q", tt.text, c.settings[0].ifname, c.Problems())
		}
	}
}

// A client's own key is that of `option authenticate` among what it gathers
// without an address: in its body, in its class, or for everybody.
func TestF5_KeyOfClient(t *testing.T) {
	c := load(t, `key 1 "a"; key 2 "b"; key 3 "c"; option "eth0" authenticate 1;
		client 2:0:0:0:0:9 10.0.0.9 { option authenticate 2; };
		class phone { option authenticate 3; };
		host 10.0.0.0/24 { option authenticate 1; };`, "")
	for _, x := range []struct {
		q    Query
		want uint32 // 0: none of its own
	}{
		{Query{ID: []byte{1, 2, 0, 0, 0, 0, 9}}, 2},
		{Query{ID: []byte{1, 2, 0, 0, 0, 0, 8}}, 0},
		{Query{ID: []byte{0xff}, HW: []byte{1, 2, 0, 0, 0, 0, 9}}, 2},
		{Query{ID: []byte{1, 2, 0, 0, 0, 0, 9}, Class: []byte("phone 1")}, 3},
	} {
		got := uint32(0)
		w := c.Ask(&x.q)
		if k := w.Key(nil); k != nil {
			got = k.ID
		}
		if got != x.want {
			t.Errorf("%+v: key %d, want %d", x.q, got, x.want)
		}
	}
}
