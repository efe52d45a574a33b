package conf

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dhcpd/internal/netip"
)

func TestP1_Gather(t *testing.T) {
	const text = `
tag 224 n number 1 0;
netmask /8; n 1;
host 10.1.0.0/16 { n 2; netmask /12; };
host 10.1.1.0/24 { n 3; };
no n;
host 10.2.0.0/16 {
	n 1;
	host 10.2.2.0/24 { n 2; class a { n 3; host 10.2.2.2 { n 4; }; }; domain x; };
	class a ab { no domain; };
};
class "" { bootfilesize 1; };
class b { class bc { n 9; }; };
client 00 10.3.0.1 { n 1; macro m; class a { n 3; }; };
client 00 10.3.0.2 { n 2; client 01 10.3.0.2 { n 7; }; };
client 01 10.3.0.2 m;
macro m { n 20; host 10.3.0.1 { n 21; }; class a m2; };
macro M { n 99; };
macro m2 { hostname two; };
circuit port1 "port2\x00" { n 30; };
remote "" { n 31; };
interface eth0 10.3.0.9 { n 40; };
macro m3;
macro m3 { domain late; no hostname; };
`
	c, err := Parse("dhcp.conf", text, Env{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ id, class, circuit, remote, at, want string }{
		{at: "10.0.0.1", want: `domain "late"; netmask 255.0.0.0`},
		{at: "192.0.2.1", want: `domain "late"; netmask 255.0.0.0`},
		{at: "10.1.0.1", want: `domain "late"; netmask 255.240.0.0`},
		{at: "10.1.1.1", want: `domain "late"; netmask 255.240.0.0`},
		{at: "10.2.0.1", want: `domain "late"; n 1; netmask 255.0.0.0`},
		{at: "10.2.2.1", want: `domain "late"; n 2; netmask 255.0.0.0`},
		{at: "10.2.2.2", want: `domain "late"; n 2; netmask 255.0.0.0`},
		{at: "10.2.2.2", class: "abc", want: `bootfilesize 1; domain "late"; n 4; netmask 255.0.0.0`},
		{at: "10.2.2.3", class: "a", want: `bootfilesize 1; domain "late"; n 3; netmask 255.0.0.0`},
		{at: "10.0.0.1", class: "b", want: `bootfilesize 1; domain "late"; netmask 255.0.0.0`},
		{at: "10.0.0.1", class: "bcd", want: `bootfilesize 1; domain "late"; n 9; netmask 255.0.0.0`},
		{id: "00", at: "10.3.0.1", want: `domain "late"; n 21; netmask 255.0.0.0`},
		{id: "00", at: "10.3.0.1", class: "a", want: `bootfilesize 1; domain "late"; n 3; netmask 255.0.0.0`},
		{id: "00", at: "10.3.0.2", want: `domain "late"; n 2; netmask 255.0.0.0`},
		{id: "01", at: "10.3.0.2", want: `domain "late"; n 20; netmask 255.0.0.0`},
		{id: "0000", at: "10.3.0.1", want: `domain "late"; netmask 255.0.0.0`},
		{circuit: "port1", at: "10.0.0.1", want: `domain "late"; n 30; netmask 255.0.0.0`},
		{circuit: "port2\x00\x01", at: "10.0.0.1", want: `domain "late"; n 30; netmask 255.0.0.0`},
		{circuit: "port2", at: "10.0.0.1", want: `domain "late"; netmask 255.0.0.0`},
		{circuit: "port1", remote: "x", at: "10.0.0.1", want: `domain "late"; n 31; netmask 255.0.0.0`},
		{at: "", want: "nothing"},
	}
	for _, tt := range tests {
		q := Query{ID: id(t, tt.id), Class: []byte(tt.class), Circuit: []byte(tt.circuit), Remote: []byte(tt.remote)}
		if got := gather(t, c, q, tt.at); got != sortTags(tt.want) {
			t.Errorf("%+v:\n got %s", tt, got)
		}
	}
	if got, want := gather(t, c, Query{If: "eth0"}, "10.3.0.9"), `domain "late"; n 40; netmask 255.0.0.0`; got != want {
		t.Errorf("for our own eth0: %s", got)
	}
	if got, want := strings.Join(c.Problems()[:1], ""), `"dhcp.conf", line 18: Macro 'M' is defined already`; got != want {
		t.Errorf("problem %s, want %s", got, want)
	}
}

// Of a host with several addresses the one closest to the client is told.
func TestP1_ClosestAddress(t *testing.T) {
	hosts := "127.0.1.1 gw\n10.1.0.1 gw.one\n10.2.0.1 gw.two\n127.0.0.1 localhost\n"
	c, err := Parse("dhcp.conf", `netmask /16; gateway gw 10.9.9.9 gw; siaddr gw; IProute 0.0.0.0/0 gw; DNSserver localhost;
host gw { rootpath us; };`, Env{Hosts: hosts})
	if err != nil {
		t.Fatal(err)
	}
	for _, net := range []string{"10.1", "10.2"} {
		us := net + ".0.1"
		want := fmt.Sprintf("DNSserver 127.0.0.1; gateway %s 10.9.9.9 %s; IProute 0.0.0.0/0 %s; netmask 255.255.0.0; siaddr %s", us, us, us, us)
		if got := gather(t, c, Query{}, net+".0.77"); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		if got := gather(t, c, Query{}, us); !strings.Contains(got, "rootpath \"us\"") {
			t.Errorf("%s is not host gw: %s", us, got)
		}
	}
}

// The index must find exactly the rules that a look at each rule finds.
func TestP1_IndexFindsAll(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		var b strings.Builder
		randomBody(r, &b, 4)
		c, err := Parse("dhcp.conf", "tag 224 n number 4 0; "+b.String(), Env{})
		if err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
		for range 30 {
			q, a := randomQuery(r)
			w := c.Ask(&q)
			if a.IsValid() {
				n, _ := toAddr(a)
				w.at(n)
			}
			if got, want := w.rules(nil), slow(&w); !slices.Equal(got, want) {
				t.Fatalf("round %d, %+v at %v: rules %v, want %v in\n%s", round, q, a, got, want, b.String())
			}
		}
	}
}

// slow is what Asker.rules must come to.
func slow(w *Asker) []uint32 {
	var list []uint32
	for i := range w.c.rules {
		if w.holds(w.c.rules[i].cond) && (w.q.If != "" || !w.c.ops[w.c.rules[i].ops.from].ours()) {
			list = append(list, uint32(i))
		}
	}
	return list
}

var names = []string{"a", "ab", "abc", "b"}

func randomBody(r *rand.Rand, b *strings.Builder, depth int) {
	for range r.IntN(6) {
		fmt.Fprintf(b, "n %d; ", r.Uint32())
		if depth == 0 {
			continue
		}
		switch r.IntN(7) {
		case 0:
			fmt.Fprintf(b, "client 0%d 10.0.%d.%d {", r.IntN(4), r.IntN(2), r.IntN(3))
		case 1:
			fmt.Fprintf(b, "client 0:0:0:0:0:%d 10.0.%d.%d {", r.IntN(3), r.IntN(2), r.IntN(3))
		case 2:
			fmt.Fprintf(b, "host 10.0.%d.%d {", r.IntN(2), r.IntN(3))
		case 3, 4:
			fmt.Fprintf(b, "host 10.0.%d.%d/%d {", r.IntN(2), r.IntN(3), r.IntN(33))
		case 5:
			fmt.Fprintf(b, "%s %s %s {", []string{"class", "circuit", "remote"}[r.IntN(3)], names[r.IntN(4)], names[r.IntN(4)])
		case 6:
			fmt.Fprintf(b, "interface eth%d 10.0.0.1 {", r.IntN(2))
		}
		randomBody(r, b, depth-1)
		b.WriteString("};\n")
	}
}

func randomQuery(r *rand.Rand) (Query, netip.Addr) {
	text := func() []byte { return []byte([]string{"", "a", "abcd", "b", "c"}[r.IntN(5)]) }
	q := Query{Class: text(), Circuit: text(), Remote: text(), HW: []byte{1, 0, 0, 0, 0, 0, byte(r.IntN(4))}}
	if r.IntN(3) > 0 {
		q.ID = []byte{byte(r.IntN(5))}
	}
	if r.IntN(3) == 0 {
		q.If = fmt.Sprintf("eth%d", r.IntN(2))
	}
	if r.IntN(5) == 0 {
		return q, netip.Addr{}
	}
	return q, netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(3)), byte(r.IntN(4))})
}

// An Info that goes from client to client, and from config to config, holds for
// each what a new one would.
func TestP1_GatherAgain(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	hosts := "10.0.0.1 gw one.example.com\n10.0.1.1 gw\n10.0.1.2 two.example.org\n"
	var used Info
	for range 50 {
		var configs []*Config
		for range 2 {
			var b strings.Builder
			randomBody(r, &b, 3)
			c := load(t, "tag 224 n number 4 0; netmask /24; class b { gateway gw; }; "+b.String(), hosts)
			configs = append(configs, c)
		}
		for range 200 {
			c := configs[r.IntN(8)/7]
			q, a := randomQuery(r)
			if r.IntN(2) == 0 {
				q = Query{}
			}
			var fresh Info
			ok := c.Gather(&q, a, &fresh)
			if c.Gather(&q, a, &used) != ok || show(c, &used) != show(c, &fresh) {
				t.Fatalf("%+v at %v: %s, want %s", q, a, show(c, &used), show(c, &fresh))
			}
		}
	}
}

// An answer allocates nothing, and costs the same however long the file is.
func TestS17_AnswersAllocateNothing(t *testing.T) {
	for _, n := range []int{10, 20_000} {
		text, hosts := site(n)
		c := load(t, text+"gateway h1; DNSserver www;", hosts+"10.0.0.1 www\n10.77.0.1 www\n")
		q, a := query(n)
		free := netip.AddrFrom4([4]byte{10, 0, 0, 230})
		var info Info
		c.Gather(q, a, &info) // makes the scratch memory
		for name, f := range map[string]func(){
			"Gather":   func() { c.Gather(q, a, &info) },
			"Fixed":    func() { c.Ask(q).Fixed(a) },
			"Network":  func() { c.Network(a) },
			"Lendable": func() { c.Lendable(free) },
		} {
			if allocs := testing.AllocsPerRun(100, f); allocs != 0 {
				t.Errorf("%s with %d clients: %v allocations", name, n, allocs)
			}
		}
		w := c.Ask(q)
		addr, _ := toAddr(a)
		w.at(addr)
		if looked := len(w.c.index.rules[w.c.index.start[always]:w.c.index.start[always+1]]); looked > 3 {
			t.Errorf("%d clients: %d rules are looked at for everyone", n, looked)
		}
	}
}
