package server

import (
	"fmt"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

// count returns how often something was refused for the reason.
func (w *world) count(why reason) uint64 { return w.srv.Counts()[why] }

func TestS16_Limit(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21", "10.0.0.22", "10.0.1.20")
	w.bind(1, "10.0.0.20")
	w.site.Settings.Limit = 2
	w.want(discover(2), "hold 10.0.0.21; DHCPOFFER 10.0.0.21 to 10.0.0.21:68 raw")
	w.want(discover(3), "drop")
	w.want(discover(3, requested("10.0.0.22")), "drop")
	if n := w.count(networkFull); n != 2 {
		t.Errorf("counted %d refusals", n)
	}
	w.want(discover(3, giaddr("10.0.1.1")), "hold 10.0.1.20; DHCPOFFER 10.0.1.20 to 10.0.1.1:67") // another network
	w.want(discover(2), "hold 10.0.0.21; DHCPOFFER 10.0.0.21 to 10.0.0.21:68 raw")                // its OFFER counts already
	w.want(selecting(2, "10.0.0.21"), "commit bound 10.0.0.21; DHCPACK 10.0.0.21 to 10.0.0.21:68 raw")
	w.want(discover(0x99), "DHCPOFFER 10.0.0.99 to 10.0.0.99:68 raw") // an entry is no address of the pool
	w.want(discover(1), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	w.ask(release(1, "10.0.0.20"))
	w.want(discover(3), "hold 10.0.0.22; DHCPOFFER 10.0.0.22 to 10.0.0.22:68 raw")
	w.want(discover(4), "drop")
	w.want(discover(1), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw") // known: beyond the limit
	w.now = w.now.Add(2 * time.Hour)
	w.want(discover(4), "hold 10.0.0.22; DHCPOFFER 10.0.0.22 to 10.0.0.22:68 raw")
}

func TestS16_LimitPerCircuit(t *testing.T) {
	w := newWorld(t, house, fields("10.0.1.20 10.0.1.21 10.0.1.22 10.0.1.23 10.0.0.20")...)
	w.site.Settings.CircuitLimit = 1
	via := func(n byte, line ...string) string {
		return w.offered(discover(n, giaddr("10.0.1.1"), agent(line...)))
	}
	if via(1, circuit, "a") == "" || via(2, circuit, "a") != "" || via(2, circuit, "b") == "" {
		t.Error("a limit for each circuit")
	}
	if via(3, circuit, "a", remote, "other switch") == "" {
		t.Error("the same circuit ID at another relay is another circuit")
	}
	if w.offered(discover(4, giaddr("10.0.1.1"))) == "" || w.offered(discover(5)) == "" {
		t.Error("no circuit, no limit")
	}
	if n := w.count(circuitFull); n != 1 {
		t.Errorf("counted %d refusals", n)
	}
	w.now = w.now.Add(holdTime)
	if via(2, circuit, "a") == "" {
		t.Error("the hold was over")
	}
	// A client that was known on the circuit is served there beside its neighbour.
	w.ask(selecting(2, "10.0.1.20", giaddr("10.0.1.1"), agent(circuit, "a")))
	w.ask(release(2, "10.0.1.20"))
	if via(6, circuit, "a") == "" || via(2, circuit, "a") == "" || via(7, circuit, "a") != "" {
		t.Error("a known client must be served, a new one not")
	}
}

// TestS16_S7_DeclinesOfALine: one line of a relay can't have more addresses
// abandoned than its limit is, however many clients it pretends to have.
func TestS16_S7_DeclinesOfALine(t *testing.T) {
	w := newWorld(t, house, fields("10.0.1.20 10.0.1.21 10.0.1.22 10.0.1.23 10.0.1.24")...)
	w.site.Settings.CircuitLimit = 2
	via, line := giaddr("10.0.1.1"), agent(circuit, "a")
	for n := range byte(20) {
		if a := w.offered(discover(20+n, via, line)); a != "" {
			w.ask(selecting(20+n, a, via, line))
			w.ask(decline(20+n, a, via, line))
		}
		w.now = w.now.Add(time.Second)
	}
	left := 0
	for r := range w.table.All() {
		if r.State != pool.Abandoned {
			left++
		}
	}
	if left != 3 || w.count(circuitFull) != 18 {
		t.Errorf("%d of 5 left, %d refused", left, w.count(circuitFull))
	}
	if w.offered(discover(1, via, agent(circuit, "b"))) == "" {
		t.Error("nothing for the next line")
	}
	if w.offered(discover(20, via, line)) == "" {
		t.Error("nothing for a client that is known")
	}
	if got := w.sweep(10 * time.Minute); got == "" {
		t.Error("nothing is probed")
	}
	w.heard("10.0.1.20", 0)
	w.heard("10.0.1.21", 0)
	if w.offered(discover(50, via, line)) == "" {
		t.Error("nothing for the line when its addresses are good again")
	}
}

// TestS16_EarlyEnd: a hold ends early only when it is 10 s old and nothing
// else is free.
func TestS16_EarlyEnd(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21")
	w.want(discover(1), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	w.now = w.now.Add(5 * time.Second)
	w.want(discover(2), "hold 10.0.0.21; DHCPOFFER 10.0.0.21 to 10.0.0.21:68 raw")
	w.now = w.now.Add(4 * time.Second)
	w.want(discover(3), "drop")
	w.now = w.now.Add(time.Second)
	w.want(initReboot(3, "10.0.0.20"), "drop") // only for an OFFER
	w.want(discover(3), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	w.want(discover(4), "drop")
	w.want(selecting(2, "10.0.0.21"), "commit bound 10.0.0.21; DHCPACK 10.0.0.21 to 10.0.0.21:68 raw")
	w.want(discover(1), "drop") // what it was offered is held for another
	if n := w.count(offerCut); n != 1 {
		t.Errorf("counted %d", n)
	}
	if c, ok := w.table.At(ip("10.0.0.20")).HeldBy(pool.Time(w.now.Unix())); !ok || c.HW.Addr[5] != 3 {
		t.Errorf("held by %x (%v)", c.ID, ok)
	}
}

// TestS16_S7_EarlyEndOfTheLastResort: so does the OFFER of an address that was
// abandoned and that nobody answers for; but not what keeps one that is in use
// out of the way.
func TestS16_S7_EarlyEndOfTheLastResort(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21")
	for n, a := range map[byte]string{5: "10.0.0.20", 6: "10.0.0.21"} {
		w.bind(n, a)
		w.ask(decline(n, a))
		w.heard(a, 0)
	}
	w.now = w.now.Add(checkGood)
	w.want(discover(1), "check 10.0.0.20; drop")
	if a := w.heard("10.0.0.20", 66); a.did != "commit abandoned 10.0.0.20; hold 10.0.0.20" {
		t.Errorf("in use: %s", a.did)
	}
	w.want(discover(1), "check 10.0.0.21; drop")
	w.heard("10.0.0.21", 0)
	w.want(discover(1), "hold 10.0.0.21; DHCPOFFER 10.0.0.21 to 10.0.0.21:68 raw")
	w.now = w.now.Add(patience - time.Second)
	w.want(discover(2), "drop")
	w.now = w.now.Add(time.Second)
	w.want(discover(2), "hold 10.0.0.21; DHCPOFFER 10.0.0.21 to 10.0.0.21:68 raw")
	w.now = w.now.Add(checkGood - 2*patience) // its OFFER is over
	w.table.Remove(ip("10.0.0.21"))
	w.want(discover(2), "drop") // the other one is in use
}

// TestS16_EarlyEndKeepsLeases: an OFFER to a client that has the lease may be
// cut short, but not the lease.
func TestS16_EarlyEndKeepsLeases(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20")
	w.bind(1, "10.0.0.20")
	w.want(discover(1), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	w.now = w.now.Add(patience + time.Second)
	w.want(discover(2), "drop")
	w.now = w.now.Add(time.Hour - holdTime/2) // once more before the end
	w.want(discover(1), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	w.now = w.now.Add(patience)
	w.want(discover(2), "drop")
	w.now = w.now.Add(holdTime / 2) // the lease is over, the OFFER may be cut short
	w.want(discover(2), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
}

// TestS16_Flood: clients that do not exist ask as fast as they can; those that
// we know don't notice, and memory stays what it was.
func TestS16_Flood(t *testing.T) {
	var members []string
	for i := range 100 {
		members = append(members, fmt.Sprintf("10.0.0.%d", 101+i))
	}
	w := newWorld(t, house, members...)
	for n := range byte(50) {
		w.ask(selecting(n, members[n]))
	}
	flood := discover(0)
	for i := range 50_000 {
		flood.Chaddr[1], flood.Chaddr[2], flood.Chaddr[3] = 1, byte(i), byte(i>>8)
		for j, acts := 0, w.srv.Decide(w.now, w.cfg, &w.site, w.table, flood); j < len(acts); j++ {
			w.apply(&acts[j], new(answer))
		}
		if i%100 == 0 {
			w.now = w.now.Add(time.Second)
			n := byte(i / 100 % 50)
			w.sentTo("10.0.0.1")
			if a := w.ask(renewing(n, members[n])); a.reply == nil || a.reply.Type() != dhcp4.ACK {
				t.Fatalf("client %d: %s", n, a.did)
			}
			w.sentTo("255.255.255.255")
		}
	}
	refused, cut := w.count(noAddress), w.count(offerCut)
	if refused < 40_000 || cut == 0 || refused+cut > 50_000 {
		t.Errorf("refused %d, offers cut short %d", refused, cut)
	}
	if w.table.Len() != 100 {
		t.Errorf("the table has %d addresses", w.table.Len())
	}
}
