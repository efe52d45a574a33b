package pool

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// line is option 82 of a client behind circuit n.
func line(n int) []byte { return []byte{1, 2, 'c', byte('0' + n), 9, 1, 'x', 2, 1, 'r'} }

func wantUse(t *testing.T, what string, tab *Table, agent []byte, now Time, network, circuit int) {
	t.Helper()
	if n, c := tab.InUse(on(ip(1)), agent, now); n != network || c != circuit {
		t.Errorf("%s: %d in use on the network, %d on the circuit; want %d and %d", what, n, c, network, circuit)
	}
}

func TestS16_InUse(t *testing.T) {
	tab := tableOf(ip(1), ip(2), ip(3), ip(4), ip(300))
	from := func(a netip.Addr, n int, agent []byte, told Time) {
		r := bound(a, n, 10, told)
		r.Agent = agent
		tab.Apply(r)
	}
	wantUse(t, "nothing", tab, line(1), 10, 0, 0)
	from(ip(1), 1, line(1), 100)
	from(ip(2), 2, nil, 200)
	from(ip(300), 3, line(1), 200) // another network
	wantUse(t, "two leases", tab, line(1), 10, 2, 1)
	wantUse(t, "no circuit", tab, nil, 10, 2, 0)
	wantUse(t, "no circuit in option 82", tab, []byte{9, 1, 'x'}, 10, 2, 0)
	wantUse(t, "cut short", tab, []byte{1, 9, 'c'}, 10, 2, 0)
	wantUse(t, "the rest doesn't matter", tab, []byte{1, 2, 'c', '1', 2, 1, 'r', 9, 1, 'y'}, 10, 2, 1)
	tab.Hold(ip(3), client(4), line(1), 50)
	tab.Hold(ip(4), client(5), nil, 60)
	wantUse(t, "and two holds", tab, line(1), 49, 4, 2)
	wantUse(t, "one hold is over", tab, line(1), 50, 3, 1)
	from(ip(4), 5, line(1), 150)
	wantUse(t, "the other is a lease", tab, line(1), 51, 3, 2)
	from(ip(4), 5, line(2), 160)
	wantUse(t, "on another circuit", tab, line(1), 51, 3, 1)
	wantUse(t, "a lease has ended", tab, line(1), 100, 2, 0)
	wantUse(t, "its own", tab, line(2), 100, 2, 1)
	tab.Apply(&Record{Addr: ip(4), State: Released, Since: 101, Client: client(5), Extra: Extra{Agent: line(2)}})
	wantUse(t, "released", tab, line(2), 101, 1, 0)
	abandoned := &Record{Addr: ip(4), State: Abandoned, Since: 101, Client: client(5), Extra: Extra{Agent: line(2)}}
	tab.Apply(abandoned)
	wantUse(t, "abandoned", tab, line(2), 101, 1, 1)
	tab.Hold(ip(4), Client{}, nil, 110)
	wantUse(t, "abandoned and set aside", tab, line(2), 101, 2, 1)
	wantUse(t, "not set aside any more", tab, line(2), 110, 1, 1)
	abandoned.State = Released
	tab.Apply(abandoned)
	wantUse(t, "free again", tab, line(2), 110, 1, 0)
	tab.Remove(ip(2))
	wantUse(t, "removed", tab, nil, 101, 0, 0)
	if len(tab.circuits.number) != 1 || len(tab.circuits.list) != 4 {
		t.Errorf("%d circuits known, %d ever at a time", len(tab.circuits.number), len(tab.circuits.list)-1)
	}
}

// TestS16_InUseCounts compares the counts with what a look at all shows.
func TestS16_InUseCounts(t *testing.T) {
	rnd := rand.New(rand.NewPCG(16, 82))
	tab := NewTable()
	tab.Regroup(by24)
	holdOn := map[netip.Addr]int{}
	for now := Time(100); now < 6000; now++ {
		a := ip(rnd.IntN(600))
		switch n := rnd.IntN(4); rnd.IntN(8) {
		case 0:
			tab.Add(a)
		case 1:
			if rnd.IntN(8) == 0 {
				tab.Remove(a)
			}
		case 2:
			tab.Hold(a, client(n), line(n), now+Time(rnd.IntN(64)))
			holdOn[a] = n
		case 3:
			if rnd.IntN(40) == 0 {
				tab.Regroup(by24)
			}
		default:
			r := randomRecord(rnd, a, now)
			r.Agent = line(n)
			tab.Apply(r)
		}
		network, circuit := 0, 0
		for r := range tab.All() {
			net, lendable := by24(r.Addr)
			_, isHeld := tab.At(r.Addr).HeldBy(now)
			runs := r.State != Abandoned && r.State != Relayed && r.State != Released && r.State != Free && r.Told > now
			if net != on(ip(1)) || !lendable || !tab.Member(r.Addr) || r.State == Relayed {
				continue
			}
			if runs || isHeld {
				network++
			}
			if r.State == Abandoned {
				if string(r.Agent) == string(line(1)) {
					circuit++
				}
				continue
			}
			if !runs && !isHeld {
				continue
			}
			if runs && string(r.Agent) == string(line(1)) || !runs && holdOn[r.Addr] == 1 {
				circuit++
			}
		}
		if n, c := tab.InUse(on(ip(1)), line(1), now); n != network || c != circuit {
			t.Fatalf("at %d: %d and %d in use, want %d and %d", now, n, c, network, circuit)
		}
	}
}

func TestS16_OldestHold(t *testing.T) {
	tab := tableOf(ip(1), ip(2), ip(300))
	if a, _, ok := tab.OldestHold(on(ip(1)), 0); ok {
		t.Errorf("held: %v", a)
	}
	tab.Hold(ip(300), client(1), nil, 1)
	tab.Hold(ip(2), client(2), nil, 70)
	tab.Hold(ip(1), client(1), nil, 90)
	a, until, ok := tab.OldestHold(on(ip(1)), 10)
	wantAddr(t, "first", a, ok, ip(2))
	if until != 70 {
		t.Errorf("until %d", until)
	}
	a, _, ok = tab.OldestHold(on(ip(1)), 70)
	wantAddr(t, "then", a, ok, ip(1))
	tab.SetShut(true)
	if _, _, ok = tab.OldestHold(on(ip(1)), 70); ok {
		t.Error("given of a corrupt pool")
	}
}

func TestS15_Next(t *testing.T) {
	rnd := rand.New(rand.NewPCG(15, 16))
	tab := tableOf()
	for n := range 200 {
		tab.Add(ip(n))
		tab.Apply(bound(ip(n), n, 1, Time(1+rnd.IntN(1000))))
	}
	var list [16]netip.Addr
	for _, now := range []Time{500, 999, 2000} {
		for room := 0; room <= len(list); room += 4 {
			got := tab.Next(list[:room], on(ip(1)), now)
			if got != room {
				t.Fatalf("%d addresses, want %d", got, room)
			}
			for i, a := range list[:got] {
				want, ok := tab.Oldest(on(ip(1)), now)
				wantAddr(t, "next", a, ok, want)
				tab.Hold(want, client(i), nil, now+9)
			}
			for _, a := range list[:got] {
				tab.Unhold(a)
			}
		}
	}
	if n := testing.AllocsPerRun(10, func() { tab.Next(list[:], on(ip(1)), 2000) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if n := tab.Next(list[:], on(ip(1000)), 2000); n != 0 {
		t.Errorf("%d on a network without a pool", n)
	}
}

func TestS7_Abandoned(t *testing.T) {
	tab := tableOf(ip(1), ip(2), ip(300), ip(4))
	tab.Remove(ip(4))
	for i, a := range []netip.Addr{ip(1), ip(300), ip(4)} {
		tab.Apply(&Record{Addr: a, State: Abandoned, Since: Time(10 + i)})
	}
	tab.Hold(ip(1), client(1), nil, 99)
	tab.Hold(ip(2), client(2), nil, 99)
	got := map[netip.Addr]Time{}
	for a, since := range tab.Abandoned {
		got[a] = since
	}
	if len(got) != 2 || got[ip(1)] != 10 || got[ip(300)] != 11 {
		t.Errorf("got %v", got)
	}
}

// TestS2_ManyEnd: when very many leases have ended at once, the order is what
// it would be, and none is forgotten.
func TestS2_ManyEnd(t *testing.T) {
	tab := tableOf()
	for n := range 250 {
		tab.Add(ip(n))
		tab.Apply(bound(ip(n), n, 1, Time(100+n*7%250)))
	}
	last := Time(0)
	for n := range 250 {
		a, ok := tab.Oldest(on(ip(1)), 1000)
		r, _ := tab.ByAddr(a)
		if !ok || r.Told < last {
			t.Fatalf("address %d: %v %v ended at %d, after %d", n, a, ok, r.Told, last)
		}
		last = r.Told
		tab.Hold(a, client(n), nil, 2000)
	}
	if a, ok := tab.Oldest(on(ip(1)), 1000); ok {
		t.Errorf("one too many: %v", a)
	}
}

// The table reads the sub-options of option 82 as the server does.
func TestQ5_SubOptionsAsOnTheWire(t *testing.T) {
	for agent, want := range map[string]string{
		"":                     "",
		"\x02":                 "",
		"\x02\x00":             "",
		"\x01\x01a\x02\x02bc":  "bc",
		"\x02\x01b\x02\x02cd":  "b",
		"\x02\x00\x02\x02cd":   "",
		"\x02\x01b\x01\x09abc": "",
		"\x02\x01b\x01":        "",
	} {
		got := sub([]byte(agent), remoteID)
		if string(got) != want || got != nil && len(got) == 0 || !bytes.Equal(got, dhcp4.Sub([]byte(agent), dhcp4.RemoteID)) {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}
