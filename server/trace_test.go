package server

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// TestL11_TraceIsTheDecision: through days of random clients the trace of each
// DISCOVER ends with the address that is OFFERed, and has a reason for each
// other.
func TestL11_TraceIsTheDecision(t *testing.T) {
	w := newWorld(t, house+"client 2:0:0:0:0:3 10.0.0.22; host 10.0.1.21 { no DHCPlease; };",
		"10.0.0.20", "10.0.0.21", "10.0.0.22", "10.0.0.23", "10.0.0.1", "10.0.1.1", "10.0.1.20", "10.0.1.21")
	w.site.Addrs = prefixes("10.0.0.1/24 10.9.0.1/24")
	dice := rand.New(rand.NewPCG(7, 8))
	seen := map[string]int{}
	for range 20_000 {
		m := randomMessage(dice, byte(dice.IntN(9)))
		w.now = w.now.Add(time.Duration(dice.IntN(300)) * time.Second)
		w.site.Settings.Limit = 2 * dice.IntN(2)
		w.site.To = [...]netip.Addr{dhcp4.Everyone, ip("10.0.0.1")}[dice.IntN(2)]
		var trace []Tried
		w.srv.Trace = &trace
		if m.Type() == dhcp4.Decline {
			continue
		}
		a := w.ask(m)
		var last Tried
		for _, x := range trace {
			if last.Why == "" && last.Rule != "" && m.Type() == dhcp4.Discover {
				t.Errorf("%s: %+v after %+v", m.Line(nil), x, last)
			}
			if x.Why == "" && !x.Addr.IsValid() || x.Why == "somebody answers for it" {
				t.Errorf("%s: %+v", m.Line(nil), x)
			}
			what, _, _ := strings.Cut(x.Rule+": "+x.Why, " to ")
			seen[what]++
			last = x
		}
		if m.Type() != dhcp4.Discover {
			continue
		}
		switch offered := a.reply != nil; {
		case offered != (last.Why == ""):
			t.Fatalf("%s: %s, but %+v", m.Line(nil), a.did, last)
		case offered && a.reply.Yiaddr != last.Addr:
			t.Fatalf("%s: %s, but %+v", m.Line(nil), a.did, last)
		}
	}
	for _, what := range []string{"client line: ", "client line: none", "client line: no information for the client's network", "current lease: ", "current lease: ended", "previous lease: ",
		"previous lease: offered", "asked for: ", "asked for: offered", "asked for: leased", "asked for: not on this network",
		`asked for: "dhcp.conf", line 9: 10.0.0.22 belongs`, "offered before: ", "free address: ", "free address: none",
		"asked for: as many on the network as the limit allows"} {
		if seen[what] < 5 {
			t.Errorf("%q came %d times, of %v", what, seen[what], seen)
		}
	}
	if n := seen["current lease: as many on the network as the limit allows"]; n > 0 { // it is for new ones
		t.Errorf("%d clients can't keep what they have, for the limit", n)
	}
}

// TestL11_Objections: what each rule says of an address that it does not give.
func TestL11_Objections(t *testing.T) {
	w := newWorld(t, house+"host 10.0.0.50 { no DHCPlease; };", "10.0.0.1", "10.0.0.20", "10.0.0.21", "10.0.0.50", "10.0.0.99", "10.0.0.0")
	w.bind(1, "10.0.0.20")
	w.table.Apply(&pool.Record{Addr: ip("10.0.0.21"), State: pool.Abandoned, Since: pool.Time(w.now.Unix())})
	w.table.Apply(&pool.Record{Addr: ip("10.0.0.30"), State: pool.Relayed, Since: 1, Told: pool.Infinite, Client: pool.Client{ID: []byte{1, 2}}})
	for a, want := range map[string]string{
		"10.0.0.1":  "an address of this machine",
		"10.0.0.20": "leased to 01020000000001",
		"10.0.0.21": "abandoned",
		"10.0.0.30": "leased by another server, as a relay has seen",
		"10.0.0.50": "No lease set for address 10.0.0.50",
		"10.0.0.99": `"dhcp.conf", line 7: 10.0.0.99 belongs to a client`,
		"10.0.0.0":  "10.0.0.0 is the address of its network",
		"10.0.0.77": "not in the pool",
		"10.0.1.20": "not on this network",
		"10.7.0.1":  "not on this network",
	} {
		got := ""
		var trace []Tried
		w.srv.Trace = &trace
		w.ask(discover(9, requested(a)))
		for _, x := range trace {
			if x.Rule == "asked for" {
				got = x.Why
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", a, got, want)
		}
	}
	w.table.SetShut(true)
	var trace []Tried
	w.srv.Trace = &trace
	w.ask(discover(1))
	if why := trace[len(trace)-1].Why; why != "none" {
		t.Errorf("the last rule of a corrupt pool: %q", why)
	}
	if w.count(corrupt) != 1 {
		t.Error("that is not the reason why there is no answer")
	}
}
