package server

import (
	"testing"
	"time"

	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// relaying is a network on which what has no answer here is relayed.
func relaying(t *testing.T) *world {
	w := newWorld(t, house, fields("10.0.0.20 10.0.0.21")...)
	w.site.Settings.Relay = []netip.Addr{ip("192.0.2.9")}
	return w
}

// TestR3_Standby: while the servers that we relay to are heard, only clients
// with an entry are answered, and nobody is refused.
func TestR3_Standby(t *testing.T) {
	w := relaying(t)
	w.bind(1, "10.0.0.20")
	w.site.Standby = true
	for _, c := range []struct {
		name  string
		m     *dhcp4.Message
		relay bool
	}{
		{"a stranger", discover(9), true},
		{"who has a lease from here", discover(1), true},
		{"selecting it", selecting(1, "10.0.0.20"), true},
		{"renewing it", renewing(1, "10.0.0.20"), true},
		{"rebooting with another", initReboot(1, "10.0.0.77"), true},
		{"rebooting with a far one", initReboot(1, "10.9.9.9"), true},
		{"a BOOTP stranger", from(9, dhcp4.BOOTP), true},
		{"entry", discover(0x99), false},
		{"entry, selecting", selecting(0x99, "10.0.0.99"), false},
		{"entry, with another address", initReboot(0x99, "10.0.0.20"), false},
		{"a release of what it has from here", release(1, "10.0.0.20"), false},
	} {
		if a := w.ask(c.m); a.relay != c.relay {
			t.Errorf("%s: %s", c.name, a.did)
		}
	}
}

// TestR3_Longest: in place of others the pool gives short leases; an entry's
// address is not meant.
func TestR3_Longest(t *testing.T) {
	w := relaying(t)
	w.site.Longest = 300
	for _, c := range []struct {
		m    *dhcp4.Message
		want uint32
	}{
		{selecting(9, "10.0.0.20"), 300},
		{selecting(9, "10.0.0.20", seconds(dhcp4.LeaseTime, 120)), 120},
		{selecting(9, "10.0.0.20", seconds(dhcp4.LeaseTime, 9999)), 300},
		{selecting(0x99, "10.0.0.99"), 3600},
	} {
		a := w.ask(c.m)
		if a.reply == nil {
			t.Fatal(a.did)
		}
		got, _ := a.reply.Options.Uint32(dhcp4.LeaseTime)
		if got != c.want || a.reply.Options.Has(dhcp4.RenewalTime) && c.want < 1800 {
			t.Errorf("%d s, want %d: %s", got, c.want, a.reply.Line(nil))
		}
	}
}

// TestR3_OthersClients: a client that was served here once and has its address
// from a server that we relay to now is not told to give that up. Where nobody
// else is, it is.
func TestR3_OthersClients(t *testing.T) {
	for _, relays := range []bool{true, false} {
		w := relaying(t)
		if !relays {
			w.site.Settings.Relay = nil
		}
		w.bind(9, "10.0.0.20")
		w.now = w.now.Add(2 * time.Hour)
		for name, m := range map[string]*dhcp4.Message{
			"INIT-REBOOT": initReboot(9, "10.0.0.77"),
			"REBINDING":   from(9, dhcp4.Request, func(m *dhcp4.Message) { m.Ciaddr = ip("10.0.0.77") }),
		} {
			if a := w.ask(m); a.relay != relays {
				t.Errorf("%s, relayed: %v: %s", name, relays, a.did)
			}
		}
	}
}

// TestR3_Override: a client that takes the offer of a server which calls itself
// by our name is not refused, and the address is not committed here.
func TestR3_R4_Override(t *testing.T) {
	ours := serverID("10.0.0.1")
	taken := from(9, dhcp4.Request, ours, requested("10.0.0.77"))
	w := relaying(t)
	if a := w.ask(taken); a.relay {
		t.Errorf("our offer, which was none: %s", a.did)
	}
	w.site.Settings.Agent = &conf.Agent{Override: true}
	if a := w.ask(taken); !a.relay || a.record != nil {
		t.Errorf("another's offer: %s", a.did)
	}
	w.ask(discover(9, requested("10.0.0.21")))
	a := w.ask(from(9, dhcp4.Request, ours, requested("10.0.0.21")))
	if a.relay || a.record == nil || a.record.Addr != ip("10.0.0.21") || a.record.State != pool.Bound {
		t.Errorf("our own offer: %s", a.did)
	}
}

// TestR3_Asked: a DISCOVER that waits for the wire is answered in a moment, and
// so not relayed.
func TestR3_S15_Asked(t *testing.T) {
	w := relaying(t)
	w.site.Settings.Probe = true
	if a := w.ask(discover(9)); a.relay {
		t.Errorf("relayed: %s", a.did)
	}
}
