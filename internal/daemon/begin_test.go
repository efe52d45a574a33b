package daemon

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dhcpd/cache"
	"dhcpd/client"
	"dhcpd/internal/act"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
)

func address(p string, valid uint32) link.Address {
	return link.Address{Prefix: netip.MustParsePrefix(p), Valid: valid}
}

func TestB3_Begin(t *testing.T) {
	const forever = link.Forever
	mac := [6]byte{2, 0, 0, 0, 0, 1}
	entry := func(left time.Duration, mac [6]byte) *cache.Entry {
		e := &cache.Entry{Name: "eth0", MAC: mac, Addr: netip.MustParsePrefix("10.0.0.5/24"),
			Server: netip.MustParseAddr("10.0.0.1"), Start: start.Add(-time.Hour)}
		if left != 0 {
			e.T1, e.T2, e.End = start.Add(left/4), start.Add(left/2), start.Add(left)
		}
		return e
	}
	for _, tt := range []struct {
		name  string
		addrs []link.Address
		cache *cache.Entry
		test  int

		origin origin
		phase  client.Phase
		lease  string // the lease that the client starts with, "" for none
		held   bool
		left   time.Duration // of it
	}{
		{name: "nothing known", origin: dynamic, phase: client.Selecting},
		{name: "configured by someone else", addrs: []link.Address{address("10.0.0.9/24", forever)}, origin: foreign},
		{name: "link-local does not count", addrs: []link.Address{address("169.254.1.1/16", forever)},
			origin: dynamic, phase: client.Selecting},
		{name: "a lifetime means a lease", addrs: []link.Address{address("10.0.0.9/24", 80)},
			origin: dynamic, phase: client.Rebooting, lease: "10.0.0.9/24", held: true, left: 80 * time.Second},
		{name: "in the cache, not on the interface", cache: entry(time.Hour, mac),
			origin: dynamic, phase: client.Rebooting, lease: "10.0.0.5/24", left: time.Hour},
		{name: "in both: the kernel knows how long", cache: entry(time.Hour, mac), addrs: []link.Address{address("10.0.0.5/24", 1000)},
			origin: dynamic, phase: client.Rebooting, lease: "10.0.0.5/24", held: true, left: 1000 * time.Second},
		{name: "in both: the kernel slept for a while", cache: entry(time.Hour, mac), addrs: []link.Address{address("10.0.0.5/24", 5000)},
			origin: dynamic, phase: client.Rebooting, lease: "10.0.0.5/24", held: true, left: time.Hour},
		{name: "over, and set by hand since", cache: entry(-time.Second, mac), addrs: []link.Address{address("10.0.0.5/24", forever)},
			origin: foreign},
		{name: "infinite and ours", cache: entry(0, mac), addrs: []link.Address{address("10.0.0.5/24", forever)},
			origin: dynamic, phase: client.Rebooting, lease: "10.0.0.5/24", held: true},
		{name: "set by hand since, and another in the cache", cache: entry(time.Hour, mac), addrs: []link.Address{address("10.0.0.9/24", forever)},
			origin: foreign},
		{name: "expired in the cache", cache: entry(-time.Second, mac),
			origin: dynamic, phase: client.Selecting},
		{name: "of another card", cache: entry(time.Hour, [6]byte{2, 9}),
			origin: dynamic, phase: client.Selecting},
		{name: "someone else's, and another in the cache", cache: entry(-time.Second, mac), addrs: []link.Address{address("10.0.0.9/24", forever)},
			origin: foreign},
		{name: "test mode sees nothing", test: 1, cache: entry(time.Hour, mac), addrs: []link.Address{address("10.0.0.9/24", forever)},
			origin: dynamic, phase: client.Selecting},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, n, h := newDaemon(t, "")
			d.opt.Test, n.link.Addrs = tt.test, tt.addrs
			if tt.cache != nil {
				d.entries = []cache.Entry{*tt.cache}
			}
			d.begin(n)
			if n.origin != tt.origin || n.client.Phase != tt.phase || n.client.Held != tt.held {
				t.Errorf("origin %d, phase %s, held %v", n.origin, n.client.Phase, n.client.Held)
			}
			switch l := n.client.Lease; {
			case (l != nil) != (tt.lease != ""):
				t.Errorf("lease %v, want %q", l, tt.lease)
			case l == nil:
			case l.Net.String() != tt.lease || !l.Infinite() && l.End.Sub(start) != tt.left:
				t.Errorf("lease %s for %s", l.Net, l.End.Sub(start))
			case !l.Infinite() && !(l.T1.Before(l.T2) && l.T2.Before(l.End)):
				t.Errorf("T1 %s, T2 %s, end %s", l.T1, l.T2, l.End)
			}
			if len(h.done) > 0 {
				t.Errorf("touched the interface: %q", h.done)
			}
		})
	}
}

func TestB1_WhichInterfacesAreOurs(t *testing.T) {
	for _, tt := range []struct {
		name string
		l    link.Interface
		want bool
	}{
		{"Ethernet", link.Interface{Ether: true}, true},
		{"loopback, NOARP and others", link.Interface{}, false},
		{"port of a bridge", link.Interface{Ether: true, Port: true}, false},
	} {
		if got := usable(&tt.l); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestB1_LinkBroughtUp(t *testing.T) {
	d, _, h := newDaemon(t, "")
	d.appear(&link.Interface{ID: link.ID{Index: noIndex + 1, Name: "eth1"}, Ether: true})
	d.appear(&link.Interface{ID: link.ID{Index: noIndex + 2, Name: "port"}, Ether: true, Port: true})
	if len(h.done) != 1 || h.done[0] != "up eth1" {
		t.Errorf("did %q", h.done)
	}
}

func TestL9_InterfacePatterns(t *testing.T) {
	d := &Daemon{opt: Options{Interfaces: []string{"eth*", "lan0"}}}
	for name, want := range map[string]bool{"eth0": true, "lan0": true, "lan1": false, "wlan0": false} {
		if d.allowed(&link.Interface{ID: link.ID{Name: name}}) != want {
			t.Errorf("%s allowed: %v", name, !want)
		}
	}
}

func TestB1_AppearsAndVanishes(t *testing.T) {
	d, n, _ := newDaemon(t, "")
	d.settle()
	late := link.Interface{ID: link.ID{Index: noIndex - 1, Name: "eth9"}, MAC: [6]byte{2, 0, 0, 0, 0, 9}, Ether: true, Up: true, Carrier: true}
	d.look([]link.Interface{late, n.link})
	d.settle()
	if len(d.order) != 2 || d.order[0].name() != "eth9" || d.order[0].client.Phase != client.Selecting {
		t.Fatalf("%d networks", len(d.order))
	}
	d.look([]link.Interface{n.link})
	if len(d.order) != 1 || d.nets[noIndex-1] != nil {
		t.Errorf("%d networks after it went", len(d.order))
	}
	d.look(nil)
	if d.nothingToDo() {
		t.Error("TestB6: a network that was a client is gone for a moment, and the daemon with it")
	}
}

func TestB7_CarrierIsToldToTheClient(t *testing.T) {
	d, n, _ := newDaemon(t, "")
	n.link.Carrier = false
	d.settle()
	if n.client.Phase != client.Init {
		t.Fatalf("without a carrier: %s", n.client.Phase)
	}
	l := n.link
	l.Carrier = true
	d.update(n, &l)
	if n.client.Phase != client.Selecting {
		t.Errorf("with a carrier: %s", n.client.Phase)
	}
	wake := n.client.Wake
	d.now = d.now.Add(3 * time.Second) // two waits of one try differ by 2 s at the most
	l.Ready = true
	if d.update(n, &l); !n.client.Wake.After(wake) {
		t.Error("what may have been lost was not repeated when the link was ready")
	}
}

func TestB3_ForeignAddressChanges(t *testing.T) {
	d, n, _ := newDaemon(t, "")
	l := n.link
	l.Addrs = []link.Address{address("10.0.0.9/24", link.Forever)}
	d.update(n, &l)
	d.settle()
	if n.origin != foreign || n.addr.String() != "10.0.0.9/24" {
		t.Fatalf("origin %d, address %s", n.origin, n.addr)
	}
	l.Addrs = []link.Address{address("10.1.0.9/24", link.Forever)}
	d.update(n, &l)
	if n.addr.String() != "10.1.0.9/24" || !d.resettle {
		t.Errorf("address %s, resettle %v", n.addr, d.resettle)
	}
}

// TestB9_OverWhileAsleep: the kernel's clock stands still while the machine
// sleeps. A lease that was over before the daemon came back is over.
func TestB9_C6_OverWhileAsleep(t *testing.T) {
	for name, kept := range map[string]bool{"": false, "option eth0 possessive;": true} {
		d, n, h := newDaemon(t, name)
		n.link.Addrs = []link.Address{address("10.0.0.5/24", 5000)}
		if kept {
			n.link.Addrs[0].Valid = link.Forever
		}
		l := lease("10.0.0.5/24", "10.0.0.1", 0, 0)
		l.Start, l.T1, l.T2, l.End = start.Add(-time.Hour), start.Add(-time.Hour), start.Add(-time.Hour), start.Add(-time.Second)
		d.remember(n, l)
		d.settle()
		if gone := slices.Contains(h.done, "del 10.0.0.5/24"); gone == kept {
			t.Errorf("%q: did %q", name, h.done)
		}
		if n.origin != dynamic || n.client.Phase != client.Selecting || n.client.Held != kept {
			t.Errorf("%q: origin %d, %s, held %v", name, n.origin, n.client.Phase, n.client.Held)
		}
	}
}

// TestB3_ScriptLeftItForEver: scripts know no lifetimes. An address that one has
// set and whose lease ended while we were away is taken off by it, and not left
// as someone else's.
func TestB3_C12_ScriptLeftItForEver(t *testing.T) {
	d, n, _ := newDaemon(t, `option script "/nonexistent";`)
	d.entries = []cache.Entry{{Name: "eth0", MAC: n.link.MAC, Addr: netip.MustParsePrefix("10.0.0.5/24"),
		Start: start.Add(-4 * time.Hour), T1: start.Add(-3 * time.Hour), T2: start.Add(-2 * time.Hour), End: start.Add(-time.Hour)}}
	n.link.Addrs = []link.Address{address("10.0.0.5/24", link.Forever)}
	var said strings.Builder
	d.say.out, d.say.level = &said, 1
	d.settle()
	if n.client.Phase != client.Selecting || n.client.Held || !strings.Contains(said.String(), "eth0: /nonexistent deconfig\n") {
		t.Errorf("%s, held %v, said %q", n.client.Phase, n.client.Held, said.String())
	}
}

// TestC3_P5_ShortLease: a server that gives a second at a time does not have the
// cache written every second; what is left to write is written at the end.
func TestC3_P5_ShortLease(t *testing.T) {
	d, n, _ := newDaemon(t, "")
	d.opt.Cache = filepath.Join(t.TempDir(), "dhcp.cache")
	d.ended = make(chan struct{})
	d.clock.anchor = d.now.Add(-link.Boottime())
	d.saver = newSaver(nil, make(chan error, 1))
	l := func(addr string, last time.Duration) *act.Lease {
		l := &act.Lease{Net: netip.MustParsePrefix(addr), Start: d.now}
		return until(*l, d.now.Add(last))
	}
	writes := 0
	for range 61 {
		d.remember(n, l("10.0.0.5/24", time.Second))
		if !d.unsaved {
			writes++
		}
		d.now = d.now.Add(time.Second)
	}
	if writes != 3 {
		t.Errorf("%d writes in a minute", writes)
	}
	d.remember(n, l("10.0.0.6/24", time.Second))
	if d.unsaved {
		t.Error("another address is not written")
	}
	d.remember(n, l("10.0.0.6/24", time.Hour))
	if d.stop(); d.unsaved {
		t.Error("the last one is not written")
	}
	held, _, err := cache.Read(d.opt.Cache, d.cfg.Dict(), d.reading())
	if err != nil || len(held.Entries) != 1 || held.Entries[0].End.Sub(held.Entries[0].Start) != time.Hour {
		t.Errorf("in the file: %v, %v", held.Entries, err)
	}
}
