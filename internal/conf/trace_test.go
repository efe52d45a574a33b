package conf

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
)

// shown is a trace as a page that one can read.
func shown(steps []Step) string {
	var b strings.Builder
	for _, s := range steps {
		fmt.Fprintf(&b, "%s:%d %s%s", s.File, s.Line, strings.Repeat("  ", s.Depth), s.Text)
		if s.Fate != "" {
			fmt.Fprintf(&b, " (%s)", s.Fate)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestL11_Lines(t *testing.T) {
	const text = `DNSserver 10.0.0.2;
no NTPserver;
key 7 "secret";
host 10.0.0.0/24 {
	gateway gw;
	netmask /25;
	macro lab;
	include "boot";
	class "MS" { DHCPlease 60; option authenticate 7; };
	class "other" { DHCPlease 61; };
};
host 10.0.0.0/8 { no DNSserver; };
client 0:0:0:0:0:1 10.0.0.7 { siaddr 10.0.0.3; macro "in"; };
option server;
macro lab { DHCPlease 3600; macro in; };
macro in { domain "lab"; };
option "eth0" server;
`
	const want = `dhcp.conf:1 DNSserver 10.0.0.2 (removed by dhcp.conf:12)
dhcp.conf:2 no NTPserver (nothing to remove)
dhcp.conf:4 host 10.0.0.0/24
dhcp.conf:4   netmask 255.255.255.0 (overridden by dhcp.conf:6)
dhcp.conf:5   gateway 10.0.0.1
dhcp.conf:6   netmask 255.255.255.128
dhcp.conf:7   macro "lab"
dhcp.conf:15     DHCPlease 3600 (overridden by dhcp.conf:9)
dhcp.conf:15     macro "in"
dhcp.conf:16       domain "lab" (overridden by dhcp.conf:16)
boot:1   macro "in"
dhcp.conf:16     domain "lab" (overridden by dhcp.conf:16)
boot:2   file "x"
dhcp.conf:9   class "MS"
dhcp.conf:9     DHCPlease 60
dhcp.conf:12 host 10.0.0.0/8
dhcp.conf:12   netmask 255.0.0.0 (set already by dhcp.conf:6)
dhcp.conf:12   no DNSserver
dhcp.conf:13 client 01000000000001 10.0.0.7
dhcp.conf:13   siaddr 10.0.0.3
dhcp.conf:13   macro "in"
dhcp.conf:16     domain "lab"
/etc/hosts:0 10.0.0.7 seven.example.com
`
	env := Env{Hosts: "10.0.0.1 gw\n10.9.0.1 gw\n10.0.0.7 seven.example.com\n", Trace: true,
		Include: files(map[string]string{"boot": "macro in;\nfile x;\n"})}
	c, err := Parse("dhcp.conf", text, env)
	if err != nil {
		t.Fatal(err)
	}
	q := Query{HW: id(t, "01000000000001"), ID: id(t, "ff01"), Class: []byte("MSFT")}
	if got := shown(c.Ask(&q).Trace(addr("10.0.0.7"))); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

func TestL11_Entries(t *testing.T) {
	const text = `netmask /24;
client 0:0:0:0:0:1 10.0.0.7;
class x {
	client 0:0:0:0:0:1 10.1.0.7;
};
host 10.2.0.0/16 { no netmask; };
client 0:0:0:0:0:1 10.2.0.7;
client 0:0:0:0:0:2 10.2.0.8;
`
	c, err := Parse("dhcp.conf", text, Env{})
	if err != nil {
		t.Fatal(err)
	}
	q := Query{ID: id(t, "01000000000001")}
	var got string
	for _, e := range c.Ask(&q).Entries() {
		got += fmt.Sprintf("%s:%d %s %s: %s; ", e.File, e.Line, e.Text, e.Addr, e.Fate)
	}
	const want = "dhcp.conf:7 client 01000000000001 10.2.0.7 10.2.0.7: no netmask; " +
		"dhcp.conf:4 client 01000000000001 10.1.0.7 10.1.0.7: not all that it stands within matches; " +
		"dhcp.conf:2 client 01000000000001 10.0.0.7 10.0.0.7: ; "
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What a trace says that counts is what Gather gathers, for any file and any
// client; and a file means the same whether or not it is traced.
func TestL11_LinesAreWhatIsGathered(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	hosts := "10.0.0.1 gw one.example.com\n10.0.1.1 gw\n10.0.1.2 two.example.org\n"
	counted := map[string]int{}
	for round := range 200 {
		var b strings.Builder
		b.WriteString("tag 224 n number 4 0; tag 225 m ip 1 0; ")
		for i := range 3 {
			fmt.Fprintf(&b, "macro m%d {", i)
			randomBody(r, &b, i) // elements within macros
			if i > 0 {
				fmt.Fprintf(&b, "macro m%d; m gw;", r.IntN(i))
			}
			b.WriteString("};\n")
		}
		for range 3 {
			randomBody(r, &b, 3)
			fmt.Fprintf(&b, "%s;\n", []string{"no n", "macro m2", "netmask /24", "no netmask", "no m", "m gw"}[r.IntN(6)])
		}
		plain, err := Parse("dhcp.conf", b.String(), Env{Hosts: hosts})
		if err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
		c, _ := Parse("dhcp.conf", b.String(), Env{Hosts: hosts, Trace: true})
		for range 50 {
			q, a := randomQuery(r)
			q.If = ""
			var info, other Info
			c.Gather(&q, a, &info)
			plain.Gather(&q, a, &other)
			if show(c, &info) != show(plain, &other) {
				t.Fatalf("round %d, %+v at %v: traced %s, else %s in\n%s", round, q, a, show(c, &info), show(plain, &other), b.String())
			}
			var good []string
			for _, s := range c.Ask(&q).Trace(a) {
				how, _, _ := strings.Cut(s.Fate, " ")
				counted[how]++
				word, _, _ := strings.Cut(string(s.Text), " ")
				if s.Fate == "" && strings.Contains(" n m netmask gateway ", " "+word+" ") {
					good = append(good, string(s.Text))
				}
			}
			info.Options.Del(dhcp4.HostName) // from the hosts file
			info.Options.Del(dhcp4.DomainName)
			slices.SortFunc(good, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
			if got, want := strings.Join(good, "; "), show(c, &info); got != want {
				t.Fatalf("round %d, %+v at %v: trace %s, want %s in\n%s\n%s", round, q, a, got, want, b.String(), shown(c.Ask(&q).Trace(a)))
			}
		}
	}
	for _, fate := range []string{"", "overridden", "removed", "set", "nothing"} {
		if counted[fate] < 100 {
			t.Errorf("%q only %d times", fate, counted[fate])
		}
	}
}
