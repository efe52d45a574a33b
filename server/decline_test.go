package server

import (
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

func TestS7_DeclineAbandons(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21")
	w.bind(9, "10.0.0.20")
	w.now = w.now.Add(time.Second)
	a := w.want(decline(9, "10.0.0.20", text(dhcp4.MessageText, "used by\n'me'")),
		`log 01020000000009 declines 10.0.0.20 saying 'used by\012\'me\''; commit abandoned 10.0.0.20; check 10.0.0.20`)
	now := pool.Time(w.now.Unix())
	if r := a.record; r.Since != now || r.Told != now || r.Kept != now || string(r.Decliner) != string(r.ID) || len(r.ID) != 7 {
		t.Errorf("record %+v", r)
	}
	if a.lazy || a.relay {
		t.Errorf("lazy %v, to be relayed %v", a.lazy, a.relay)
	}
	for n, want := range []string{"10.0.0.21", "", ""} {
		w.now = w.now.Add(7200 * time.Second)
		if got := w.offered(discover(byte(7+n), requested("10.0.0.20"))); got != want {
			t.Errorf("client %d: offered %q, want %q", 7+n, got, want)
		}
		w.ask(selecting(7, "10.0.0.21", seconds(dhcp4.LeaseTime, dhcp4.Infinite)))
		w.now = w.now.Add(-7200 * time.Second)
	}
}

func TestS7_OnlyTheHolder(t *testing.T) {
	for _, c := range []struct {
		name string
		msg  *dhcp4.Message
	}{
		{"a stranger", decline(8, "10.0.0.20")},
		{"the holder of another lease", decline(7, "10.0.0.20")},
		{"another's client identifier", decline(9, "10.0.0.20", text(dhcp4.ClientID, "x"))},
		{"no requested address", from(9, dhcp4.Decline, serverID("10.0.0.1"), ciaddr("10.0.0.20"))},
		{"requested address malformed", decline(9, "10.0.0.20", option(dhcp4.RequestedAddress, 10, 0))},
		{"another address", decline(9, "10.0.0.22")},
		{"never leased", decline(9, "10.0.0.23")},
		{"no server identifier", from(9, dhcp4.Decline, requested("10.0.0.20"))},
		{"server identifier malformed", decline(9, "10.0.0.20", option(dhcp4.ServerID, 10))},
		{"another server", decline(9, "10.0.0.20", serverID("10.0.0.7"))},
	} {
		w := newWorld(t, house, "10.0.0.20", "10.0.0.21", "10.0.0.22", "10.0.0.23")
		w.bind(9, "10.0.0.20")
		w.bind(7, "10.0.0.21")
		if a := w.ask(c.msg); a.did != "drop" || !a.relay {
			t.Errorf("%s: %s", c.name, a.did)
		}
	}
	w := newWorld(t, house, "10.0.0.20")
	w.ask(discover(9))
	w.want(decline(9, "10.0.0.20"), "drop") // only offered
	w.bind(9, "10.0.0.20")
	w.now = w.now.Add(3600 * time.Second)
	w.want(decline(9, "10.0.0.20"), "drop") // no more
}

// TestS7_ManyOwners: clients that come only to decline have the whole pool
// abandoned, since each of them may be right. Nobody is shut out by that: a
// lease that runs goes on, and a new client gets what nobody answers for, after
// one question.
func TestS7_ManyOwners(t *testing.T) {
	w := newWorld(t, house, fields("10.0.0.20 10.0.0.21 10.0.0.22 10.0.0.23")...)
	w.bind(9, "10.0.0.20")
	for n := range byte(30) {
		w.now = w.now.Add(time.Second)
		if a := w.offered(discover(20 + n)); a != "" {
			w.ask(selecting(20+n, a))
			w.ask(decline(20+n, a))
		}
	}
	w.now = w.now.Add(checkGood) // what the wire said of whom they meant does not count any more
	w.want(discover(1), "check 10.0.0.21; drop")
	if a := w.heard("10.0.0.21", 7); a.did != "commit abandoned 10.0.0.21; hold 10.0.0.21" {
		t.Errorf("in use: %s", a.did)
	}
	w.want(discover(1), "check 10.0.0.22; drop")
	w.heard("10.0.0.22", 0)
	w.want(discover(1), "hold 10.0.0.22; DHCPOFFER 10.0.0.22 to 10.0.0.22:68 raw")
	w.want(selecting(1, "10.0.0.22"), "commit bound 10.0.0.22; DHCPACK 10.0.0.22 to 10.0.0.22:68 raw")
	w.want(renewing(9, "10.0.0.20"), "commit bound 10.0.0.20; DHCPACK 10.0.0.20 to 10.0.0.20:68")
}

func TestS7_FixedIsLogged(t *testing.T) {
	w := newWorld(t, house)
	w.ask(selecting(0x99, "10.0.0.99"))
	if a := w.want(decline(0x99, "10.0.0.99"), "log 01020000000099 declines 10.0.0.99"); a.relay {
		t.Error("it was ours")
	}
	w.want(discover(0x99), "DHCPOFFER 10.0.0.99 to 10.0.0.99:68 raw")
	w.want(decline(8, "10.0.0.99"), "drop")
}

// TestS7_FixedSinceThen: the entry came after the lease.
func TestS7_FixedSinceThen(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20")
	w.bind(9, "10.0.0.20")
	w.configure(house + `client 2:0:0:0:0:9 10.0.0.20;`)
	if a := w.ask(decline(9, "10.0.0.20")); !strings.HasPrefix(a.did, "log ") || a.record != nil {
		t.Errorf("%s", a.did)
	}
}

// TestS7_Reset: dhcpd -a sets an abandoned address free.
func TestS7_Reset(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20")
	w.bind(9, "10.0.0.20")
	w.ask(decline(9, "10.0.0.20"))
	w.want(discover(8), "drop")
	w.table.SetFree(ip("10.0.0.20"))
	w.bind(8, "10.0.0.20")
}

func TestS8_Release(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20")
	w.bind(9, "10.0.0.20")
	for _, m := range []*dhcp4.Message{
		release(8, "10.0.0.20"),
		release(9, "10.0.0.20", text(dhcp4.ClientID, "x")),
		release(9, "10.0.0.21"),
		release(9, "10.0.0.20", serverID("10.0.0.7")),
		release(9, "10.0.0.20", option(dhcp4.ServerID, 1)),
		from(9, dhcp4.Release, requested("10.0.0.20")),
	} {
		w.want(m, "drop")
	}
	w.want(discover(8), "drop")

	w.now = w.now.Add(100 * time.Second)
	a := w.want(release(9, "10.0.0.20"), "commit released 10.0.0.20")
	now := pool.Time(w.now.Unix())
	if r := a.record; r.Since != now || r.Told != now || r.Kept != now || r.Last != now || len(r.ID) != 7 || r.ID[6] != 9 {
		t.Errorf("record %+v", r)
	}
	if a.lazy || a.relay {
		t.Errorf("lazy %v, to be relayed %v", a.lazy, a.relay)
	}
	w.want(release(9, "10.0.0.20"), "drop")
	w.want(decline(9, "10.0.0.20"), "drop")
	w.bind(8, "10.0.0.20")
}

// TestS8_ReleaseFixed: a client entry's address stays the client's.
func TestS8_ReleaseFixed(t *testing.T) {
	w := newWorld(t, house)
	w.ask(selecting(0x99, "10.0.0.99"))
	w.now = w.now.Add(100 * time.Second)
	a := w.want(release(0x99, "10.0.0.99"), "commit fixed 10.0.0.99")
	if a.record.Told != pool.Time(w.now.Unix()) {
		t.Errorf("told %d", a.record.Told)
	}
	w.want(discover(8, requested("10.0.0.99")), "drop")
	w.want(initReboot(0x99, "10.0.0.99"), "commit fixed 10.0.0.99; DHCPACK 10.0.0.99 to 10.0.0.99:68 raw")
}
