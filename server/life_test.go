package server

import (
	"math/rand/v2"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// TestS2_PoolLife: three addresses and four clients, for a few hours.
func TestS2_PoolLife(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21", "10.0.0.22")
	wait := func(d time.Duration) { w.now = w.now.Add(d) }
	lease := func(n byte, a string) {
		t.Helper()
		if got := w.offered(discover(n)); got != a {
			t.Fatalf("client %d: offered %q, want %q", n, got, a)
		}
		if got := w.offered(selecting(n, a)); got != a {
			t.Fatalf("client %d: no ACK for %s", n, a)
		}
	}
	renew := func(n byte, a string) {
		t.Helper()
		w.sentTo("10.0.0.1").want(renewing(n, a), "commit bound "+a+"; DHCPACK "+a+" to "+a+":68")
		w.sentTo("255.255.255.255")
	}
	lease(1, "10.0.0.20")
	wait(10 * time.Minute)
	lease(2, "10.0.0.21")
	wait(10 * time.Minute)
	lease(3, "10.0.0.22")
	w.want(discover(4), "drop") // exhausted
	wait(10 * time.Minute)
	renew(1, "10.0.0.20")
	wait(39 * time.Minute) // 69 minutes: 20 until 90, 21 until 70, 22 until 80
	w.want(discover(4), "drop")
	wait(time.Minute)
	lease(4, "10.0.0.21") // the first that ended
	w.want(discover(2), "drop")
	w.want(initReboot(2, "10.0.0.21"), "drop") // its record is gone with its lease
	wait(20 * time.Minute)                     // 90 minutes: 20 and 22 have ended
	w.want(initReboot(3, "10.0.0.22"), "commit bound 10.0.0.22; DHCPACK 10.0.0.22 to 10.0.0.22:68 raw")
	lease(2, "10.0.0.20")
	w.want(initReboot(1, "10.0.0.20"), "drop")
	w.ask(release(4, "10.0.0.21"))
	lease(1, "10.0.0.21")
	w.want(discover(4), "drop")
	wait(24 * time.Hour)
	lease(1, "10.0.0.21")
	lease(2, "10.0.0.20")
	lease(4, "10.0.0.22")
}

// TestP4_NobodyElses has many clients do what they like for days, and keeps
// its own book of who was promised what.
func TestP4_NobodyElses(t *testing.T) {
	type promise struct {
		to  byte
		end time.Time
	}
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21", "10.0.0.22", "10.0.0.23", "10.0.1.20", "10.0.1.21")
	book := map[netip.Addr]promise{}
	dice := rand.New(rand.NewPCG(1, 2))
	acks, given := 0, 0
	for range 30_000 {
		n := byte(dice.IntN(9))
		m := randomMessage(dice, n)
		w.now = w.now.Add(time.Duration(dice.IntN(400)) * time.Second)
		w.site.To = [...]netip.Addr{dhcp4.Everyone, ip("10.0.0.1")}[dice.IntN(2)]
		a := w.ask(m)
		if m.Type() == dhcp4.Release || m.Type() == dhcp4.Decline {
			if a.record != nil {
				delete(book, a.record.Addr)
			}
			continue
		}
		if a.reply == nil || a.reply.Yiaddr.IsUnspecified() {
			continue
		}
		if p := book[a.reply.Yiaddr]; p.to != n && p.end.After(w.now) {
			t.Fatalf("%s\n%s, but client %d has it until %v", m.Line(nil), a.did, p.to, p.end.Sub(w.now))
		}
		given++
		if a.reply.Type() == dhcp4.ACK {
			term, _ := a.reply.Options.Uint32(dhcp4.LeaseTime)
			book[a.reply.Yiaddr] = promise{n, w.now.Add(time.Duration(term) * time.Second)}
			acks++
		}
	}
	if acks < 1_500 || given < 2*acks {
		t.Errorf("only %d ACKs and %d OFFERs: the dice are loaded", acks, given-acks)
	}
}

func randomMessage(dice *rand.Rand, n byte) *dhcp4.Message {
	addrs := fields("10.0.0.20 10.0.0.21 10.0.0.22 10.0.0.23 10.0.1.20 10.0.1.21 10.0.0.99 10.0.0.50")
	a := addrs[dice.IntN(len(addrs))]
	var mods []mod
	if dice.IntN(3) == 0 {
		mods = append(mods, giaddr("10.0.1.1"))
	}
	if dice.IntN(4) == 0 {
		mods = append(mods, seconds(dhcp4.LeaseTime, uint32(dice.IntN(5000))))
	}
	switch k := dice.IntN(20); {
	case k < 5:
		return discover(n, append(mods, requested(a))...)
	case k < 7:
		return discover(n, mods...)
	case k < 12:
		return selecting(n, a, mods...)
	case k < 14:
		return initReboot(n, a, mods...)
	case k < 18:
		return renewing(n, a, mods...)
	case k < 19:
		return release(n, a)
	}
	if dice.IntN(10) > 0 {
		return inform(n, a, mods...)
	}
	return from(n, dhcp4.Request, append(mods, serverID("10.0.0.7"), requested(a))...)
}

// TestS17_S20_ManyNetworks: a thousand networks behind relays, each client with an
// address of its own.
func TestS17_S20_ManyNetworks(t *testing.T) {
	var config []byte
	w := newWorld(t, "")
	for i := range 1000 {
		third := netip.AddrFrom4([4]byte{10, 1 + byte(i/250), byte(i % 250), 0})
		config = append(config, "host "+third.String()+"/24 { DHCPlease 600; };\n"...)
		for a := third.Next(); a.As4()[3] < 4; a = a.Next() {
			w.table.Add(a)
		}
	}
	w.configure(string(config))
	for i := range 1000 {
		net := [4]byte{10, 1 + byte(i/250), byte(i % 250), 254}
		relay := netip.AddrFrom4(net).String()
		for last := range byte(3) {
			net[3] = 1 + last
			got := w.offered(discover(last, giaddr(relay)))
			if a := ip(got); !w.srv.links[0].net.Contains(a) || a.As4() == [4]byte{} || a.As4()[2] != net[2] {
				t.Fatalf("relay %s: offered %s", relay, got)
			}
		}
		if got := w.offered(discover(4, giaddr(relay))); got != "" {
			t.Fatalf("relay %s: offered %s, which was given away", relay, got)
		}
	}
	if c, ok := w.table.At(ip("10.1.7.3")).HeldBy(pool.Time(w.now.Unix())); !ok || len(c.ID) != 7 {
		t.Error("10.1.7.3 is not held")
	}
}
