package conf

import (
	"os"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/netip"
)

// lintOf returns what is said of a file with a pool of these addresses, as
// first-last or one.
func lintOf(t testing.TB, text, pool string, env Env) []string {
	t.Helper()
	env.Pool = []netip.Addr{}
	for span := range strings.FieldsSeq(pool) {
		from, to, ok := strings.Cut(span, "-")
		if !ok {
			to = from
		}
		for n := addr(from).Number(); n <= addr(to).Number(); n++ {
			env.Pool = append(env.Pool, netip.AddrFrom(n))
		}
	}
	c, err := Parse("dhcp.conf", text, env)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return c.Problems()
}

// In the house of these tests all is well.
const lintNet = "host 10.0.0.0/24 { gateway 10.0.0.1; DHCPlease 3600; };\n"

// Each rule of L9's advice: a file that it is for, line 2 being at fault, and
// the like that nothing is wrong with.
func TestL9_Lint(t *testing.T) {
	hosts := "10.0.0.7 srv\n10.1.0.7 srv\n10.0.0.8 one\n"
	tests := []struct{ name, text, pool, want string }{
		{"routes without a default route", lintNet + "IProute 10.0.0.0/8 10.0.0.2; client 00 10.0.0.9;", "",
			"These routes hide the gateway; add 0.0.0.0/0 10.0.0.1"},
		{"seen at an address of the pool only", "netmask /24; gateway 10.0.0.1; DHCPlease 3600;\nIProute 10.0.0.0/8 10.0.0.2;", "10.0.0.5",
			"These routes hide the gateway; add 0.0.0.0/0 10.0.0.1"},
		{"routes with a default route", lintNet + "IProute 10.0.0.0/8 10.0.0.2 0.0.0.0/0 10.0.0.1; client 00 10.0.0.9;", "", ""},
		{"routes, and no gateway", "host 10.0.0.0/24 { IProute 10.0.0.0/8 10.0.0.2; };", "", ""},
		{"Microsoft's number hides nothing for others", lintNet + "MSroute 10.0.0.0/8 10.0.0.2; client 00 10.0.0.9;", "", ""},

		{"gateway elsewhere", "host 10.0.0.0/24 {\ngateway 10.0.1.1; };", "", "Gateway 10.0.1.1 is not on the network of 10.0.0.1"},
		{"gateway of all, for some", "gateway 10.0.0.1; host 10.0.0.0/24 {};\nhost 10.1.0.0/24 { class x {\ngateway 10.0.0.2; }; gateway 10.1.0.1; };", "", ""},
		{"two, one elsewhere", "host 10.0.0.0/24 {\ngateway 10.0.0.1 10.0.1.1; };", "", "Gateway 10.0.1.1 is not on the network of 10.0.0.1"},
		{"gateway of a host alone", "host 10.0.0.1 { netmask /32; gateway 10.9.9.9; };", "", ""},
		{"gateway that nobody heeds", "host 10.0.0.0/24 { gateway 10.0.1.1; IProute 0.0.0.0/0 10.0.0.1; };", "", ""},
		{"a class has no address", "netmask /24; gateway 10.0.0.1; class a { gateway 10.0.0.2; IPMTU 1400; };", "", ""},

		{"a router of the routes elsewhere", lintNet + "IProute 0.0.0.0/0 10.0.0.1 10.1.0.0/16 10.1.0.1; client 00 10.0.0.9;", "", "Gateway 10.1.0.1 is not on the network of 10.0.0.1"},
		{"a route over the link", lintNet + "IProute 0.0.0.0/0 10.0.0.1 10.1.0.0/16 0.0.0.0; client 00 10.0.0.9;", "", ""},

		{"T1 not less than T2", "host 10.0.0.0/24 { DHCPlease 3600;\nDHCPrenewal 2000; DHCPrebinding 2000; };", "", "DHCPrenewal, DHCPrebinding and DHCPlease must ascend"},
		{"T2 not less than the lease", "host 10.0.0.0/24 { DHCPlease 3600;\nDHCPrebinding 3600; };", "", "DHCPrenewal, DHCPrebinding and DHCPlease must ascend"},
		{"T1 not less than seven eighths", "host 10.0.0.0/24 { DHCPlease 3600;\nDHCPrenewal 3150; };", "", "DHCPrenewal, DHCPrebinding and DHCPlease must ascend"},
		{"T2 not more than a half", "host 10.0.0.0/24 { DHCPlease 3600;\nDHCPrebinding 1800; };", "", "DHCPrenewal, DHCPrebinding and DHCPlease must ascend"},
		{"times that ascend", "host 10.0.0.0/24 { DHCPlease 3600; DHCPrenewal 1000; DHCPrebinding 1001; };", "", ""},
		{"times without a lease", "host 10.0.0.0/24 { DHCPrenewal 1000; DHCPrebinding 1001; };", "", ""},
		{"the shortest lease", "host 10.0.0.0/24 { DHCPlease 1; };", "", ""},

		{"the address of its network", lintNet + "client 00 10.0.0.0;", "", "10.0.0.0 is the address of its network"},
		{"a broadcast address", lintNet + "client 00 10.0.0.255;", "", "10.0.0.255 is the broadcast address of its network"},
		{"of a network of two", "host 10.0.0.0/31 {};\nclient 00 10.0.0.0; client 01 10.0.0.1;", "", ""},
		{"on no network", lintNet + "client 00 10.0.1.9;", "", "10.0.1.9 gets nothing: no netmask is set for it"},
		{"an interface on no network", lintNet + "interface eth0 10.0.1.1;", "", "10.0.1.1 gets nothing: no netmask is set for it"},
		{"interfaces with one", lintNet + "interface eth0 10.0.0.1; interface eth0 10.9.9.9 { netmask /32; };", "", ""},
		{"no Ethernet", lintNet + "interface tun0 10.0.1.1;", "", ""},
		{"with a netmask of its own", lintNet + "client 00 10.0.1.9 { netmask /24; no gateway; };", "", ""},
		{"a host that is not known is a problem", "\nclient 00 nobody;", "", "Can't find the address of 'nobody'"},

		{"later lines win", "client 00 10.0.0.9 {\nDHCPlease 60; };\n" + lintNet, "", "This has no effect, since line 3 comes later"},
		{"a smaller netblock, too early", "host 10.0.0.128/25 { netmask /24;\nDHCPlease 60; };\n" + lintNet, "", "This has no effect, since line 3 comes later"},
		{"within the larger one", "host 10.0.0.0/24 { host 10.0.0.7 {\ndomain a; };\nno domain; };", "", "This has no effect, since line 3 comes later"},
		{"later lines for few", lintNet + "host 10.0.0.128/25 { DHCPlease 60; };\nclient 00 10.0.0.9 { no gateway; class a { DHCPlease 60; }; };", "", ""},
		{"later lines for a class", "host 10.0.0.0/24 { domain a; class x { domain b; }; };", "", ""},
		{"the same lines for all", "domain a;\nhost 10.0.0.0/24 { domain b; };\ndomain c;\n", "", "This has no effect, since line 3 comes later"},
		{"a macro that others use", "macro m { domain a; };\nhost 10.0.0.0/24 m; host 10.1.0.0/24 m; host 10.0.0.0/16 { domain b; };", "", ""},
		{"a netmask that is implied", "client 00 10.0.0.9 { netmask /16; };\nhost 10.0.0.0/24 {};", "", ""},

		{"a client within a host", "host 10.0.0.0/24 {\nclient 00 10.0.0.9; };", "", "A client line within a host element gives no address; put it outside"},
		{"and once more outside", "host 10.0.0.0/24 { client 00 10.0.0.9 { domain a; }; };\nclient 00 10.0.0.9;", "", ""},
		{"a client within a class", "host 10.0.0.0/24 {}; class x { client 00 10.0.0.9; };", "", ""},

		{"a host on another network", "host 10.0.0.0/24 {\nhost 10.0.1.0/25 {}; };", "", "This never matches what is in line 1"},
		{"another host", "host 10.0.0.1 { netmask /24;\nhost 10.0.0.2 { domain a; }; };", "", "This never matches what is in line 1"},
		{"another client", lintNet + "client 00 10.0.0.9 { client 01 10.0.0.10 {}; };", "", "This never matches what is in line 2"},
		{"another class", "host 10.0.0.0/24 { class MSFT {\nclass PXE { domain a; }; }; };", "", "This never matches what is in line 1"},
		{"a class of the class", "host 10.0.0.0/24 { class MSFT { class \"MSFT 5\" M { domain a; }; }; };", "", ""},
		{"a macro for two networks", "macro m { host 10.0.0.0/24 { domain a; }; host 10.1.0.0/24 { domain b; }; };\nhost 10.0.0.0/24 m; host 10.1.0.0/24 m;", "", ""},
		{"a name with several addresses", "host 10.0.0.0/24 { host srv { domain a; }; };", "", ""},
		{"a circuit and a remote", "host 10.0.0.0/24 { circuit a { remote b { domain a; }; }; };", "", ""},

		{"one address for two", "netmask /24; client 01 10.0.0.9;\nclient 00 10.0.0.9;", "", "10.0.0.9 is the client's in line 1, too: only one of them can have it"},
		{"one name for two", "netmask /24; client 01 one;\nclient 00 10.0.0.8;", "", "10.0.0.8 is the client's in line 1, too: only one of them can have it"},
		{"one client twice", "netmask /24; client 00 10.0.0.9;\nclient 00 10.0.0.9 { domain a; };", "", ""},
		{"two for one client", "host 10.0.0.0/24 {}; class a {\nclient 00 10.0.0.9; }; client 00 10.0.0.10;", "", "10.0.0.9 and 10.0.0.10 are both the client's: it gets only one of them"},
		{"one on each network", lintNet + "host 10.1.0.0/24 {}; client 00 10.0.0.9; client 00 10.1.0.9;", "", ""},
		{"two, by class", lintNet + "class a { client 00 10.0.0.9; }; class b { client 00 10.0.0.10; };", "", ""},
		{"two, by interface", lintNet + "client 00 ip0 10.0.0.9; client 00 ip1 10.0.0.10;", "", ""},
		{"two cards of one machine", lintNet + "host 10.1.0.0/24 {}; client 00 srv { no gateway; }; client 01 srv;", "", ""},
		{"two interfaces of ours", lintNet + "client 00 ip0 10.0.0.9; client 01 ip1 10.0.0.9;", "", ""},

		{"a short lease for many", "host 10.0.0.0/24 { gateway 10.0.0.254;\nDHCPlease 400; };", "10.0.0.1-10.0.0.253", "Leases too short for flash: those of the pool come to 4554 records an hour"},
		{"renewed early", "host 10.0.0.0/24 { DHCPrenewal 60;\nDHCPlease 4000; };", "10.0.0.1-10.0.0.253", "Leases too short for flash: those of the pool come to 15180 records an hour"},
		{"a short lease for few", "host 10.0.0.0/24 { DHCPlease 60; };", "10.0.0.1-10.0.0.30", ""},
		{"ten minutes for many", "host 10.0.0.0/16 { DHCPlease 600; };", "10.0.0.1-10.0.39.0", ""},
		{"the shortest counts, wherever it is", "host 10.0.0.0/24 {\nDHCPlease 200; };\nhost 10.1.0.0/24 { DHCPlease 900; };", "10.0.0.1-10.0.0.253 10.1.0.1 10.2.0.1", "Leases too short for flash: those of the pool come to 9116 records an hour"},
		{"for ever", "host 10.0.0.0/24 { DHCPlease 4294967295; };", "10.0.0.1-10.0.0.253", ""},

		{"nobody to serve", lintNet + "option \"eth0\" server;", "", "There is neither a client line nor an address in the pool (see dhcpd -a)"},
		{"a client to serve", lintNet + "option \"eth0\" server; client 00 10.0.0.9;", "", ""},
		{"a client that is not known yet", lintNet + "client 00 nobody; option \"eth0\" server;", "", "Can't find the address of 'nobody'"},
		{"a pool to serve from", lintNet + "option \"eth0\" server;", "10.0.0.9", ""},
		{"to tell, not to give", lintNet + "option \"eth0\" server inform;", "", ""},

		{"a name server without an address", lintNet + "DNSserver 10.0.0.1 0.0.0.0;", "", "0.0.0.0 is no host; leave it out"},
		{"a gateway without an address", "host 10.0.0.0/24 {\ngateway 0.0.0.0; };", "", "0.0.0.0 is no host; leave it out"},
		{"a server on the client", lintNet + "DNSserver 127.0.1.1;", "", "127.0.1.1 is no host; leave it out"},
		{"all zeros elsewhere", lintNet + "siaddr 0.0.0.0; IPbroadcast 0.0.0.0;", "", ""},

		{"a file, and from where?", lintNet + "client 00 10.0.0.9 { file a; };", "", "Neither siaddr nor TFTPserver says from where this is loaded"},
		{"the same as an option", lintNet + "client 00 10.0.0.9 { bootfile a; };", "", "Neither siaddr nor TFTPserver says from where this is loaded"},
		{"a file from a server", lintNet + "file a; client 00 10.0.0.9 { sname s; }; client 01 10.0.0.10 { siaddr 10.0.0.1; };\nclient 02 10.0.0.11 { TFTPserver s; }; client 03 10.0.0.12 { TFTPaddress 10.0.0.1; }; host 10.0.0.1 { no file; };", "", ""},
		{"a file with its server", lintNet + "client 00 10.0.0.9 { bootfile http://10.0.0.1/a; };", "", ""},

		{"a netblock by one of its addresses", "\nhost 10.0.0.1/24 { gateway 10.0.0.1; };", "", "'10.0.0.1/24' means 10.0.0.0/24"},
		{"octal", lintNet + "client 00 10.0.0.010;", "", "'10.0.0.010' means 10.0.0.8"},
		{"an Ethernet address without colons", lintNet + "client 00115e005301 10.0.0.9;", "", "'00115e005301' is no Ethernet address: that has colons"},
		{"its client ID", lintNet + "client 0100115e005301 10.0.0.9;", "", ""},
		{"a semicolon too few", "host 10.0.0.0/24 { gateway 10.0.0.1\nDNSserver 10.0.0.1; };", "", "Can't find the address of 'DNSserver' (is a ';' missing before 'DNSserver'?)"},
		{"a byte order mark", "\uFEFF" + lintNet, "", ""},

		{"a macro for nothing", lintNet + "macro m { domain a; };", "", "Macro 'm' is never used"},
		{"a macro in use", lintNet + "macro m { domain a; }; macro n { macro m; }; host 10.0.0.9 n;", "", ""},
		{"a macro for others", lintNet + "include lib;", "", ""},
	}
	for _, tt := range tests {
		if tt.pool != "" && !strings.Contains(tt.text, " server") { // or that would be said
			tt.text += " option \"eth0\" server;"
		}
		got := lintOf(t, tt.text, tt.pool, Env{Hosts: hosts, Include: files(map[string]string{"lib": "macro m { domain a; };"}),
			Interfaces: []Ifname{{"eth0", 1, true}, {"eth1", 2, true}, {"tun0", 3, false}}})
		want := tt.want
		if want != "" {
			want = `"dhcp.conf", line 2: ` + want
		}
		if said := strings.Join(got, "\n"); said != want {
			t.Errorf("%s:\n%s\nwant\n%s\nof\n%s", tt.name, said, want, tt.text)
		}
		if c, err := Parse("dhcp.conf", tt.text, Env{Hosts: hosts}); err != nil || !strings.HasPrefix(tt.want, "Can't") && len(c.Problems()) > 0 {
			t.Errorf("%s: told at start: %q, %v", tt.name, c.Problems(), err)
		}
	}
}

// TestL9_LintPool: addresses in the pool are for nobody without a server.
func TestL9_LintPool(t *testing.T) {
	for option, want := range map[string]string{
		"":                        `"dhcp.conf", line 1: The pool has addresses, and no line says option server`,
		"server":                  "",
		"server inform":           "",
		"relay 10.0.0.1 fallback": "",
	} {
		text := lintNet
		if option != "" {
			text += "option \"eth0\" " + strings.Replace(option, "fallback", "fallback 30", 1) + ";"
		}
		if got := strings.Join(lintOf(t, text, "10.0.0.9", Env{}), "\n"); got != want {
			t.Errorf("%s: %s", option, got)
		}
	}
}

// several lines of a kind are enough, whatever the size of the file.
func TestL9_LintInTime(t *testing.T) {
	text, hosts := site(100_000)
	text = strings.ReplaceAll(text, "254; DHCPlease 3600", "254; DHCPrenewal 3200; DHCPlease 3600")
	start := spent(t)
	got := lintOf(t, text+"option \"eth0\" server;", "10.0.0.201-10.15.66.64", Env{Hosts: hosts})
	if took := spent(t) - start; took > 20*time.Second { // it takes about one
		t.Errorf("100,000 clients and 1,000,000 addresses take %v", took)
	} else {
		t.Log(took)
	}
	if len(got) != several || got[9] != `"dhcp.conf", line 1812: DHCPrenewal, DHCPrebinding and DHCPlease must ascend` {
		t.Errorf("%d lines: %q", len(got), got)
	}
}

// In the house one interface of a machine has an address on no network.
func TestL9_LintOfTheHouse(t *testing.T) {
	hosts, err := os.ReadFile("testdata/house.hosts")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load("testdata/house.conf", Env{Hosts: string(hosts), Pool: []netip.Addr{addr("10.11.12.97")}})
	if err != nil {
		t.Fatal(err)
	}
	want := `"testdata/house.conf", line 42: 172.16.0.6 gets nothing: no netmask is set for it
"testdata/house.conf", line 44: Can't find the address of 'birke'`
	if got := strings.Join(c.Problems(), "\n"); got != want {
		t.Error(got)
	}
}
