package daemon

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
)

func lease(addr, gateway string, mtu int, last time.Duration) *act.Lease {
	l := &act.Lease{Net: netip.MustParsePrefix(addr), MTU: mtu, Start: start}
	if gateway != "" {
		l.Gateway = []netip.Addr{netip.MustParseAddr(gateway)}
	}
	if last > 0 {
		l.End = start.Add(last)
	}
	return l
}

func TestC11_Configure(t *testing.T) {
	metric := "metric 1073742848"
	for _, tt := range []struct {
		name       string
		possessive bool
		l, old     *act.Lease
		want       []string
	}{
		{"lease as kernel lifetime", false, lease("10.0.0.5/24", "", 0, time.Hour), nil,
			[]string{"add 10.0.0.5/24 3600s"}},
		{"a part of a second counts as one", false, lease("10.0.0.5/24", "", 0, 1500*time.Millisecond), nil,
			[]string{"add 10.0.0.5/24 2s"}},
		{"infinite", false, lease("10.0.0.5/24", "", 0, 0), nil,
			[]string{"add 10.0.0.5/24 forever"}},
		{"possessive", true, lease("10.0.0.5/24", "", 0, time.Hour), nil,
			[]string{"add 10.0.0.5/24 forever"}},
		{"gateway and MTU", false, lease("10.0.0.5/24", "10.0.0.1", 1400, time.Hour), nil,
			[]string{"add 10.0.0.5/24 3600s", "mtu 1400", "route 0.0.0.0/0 via 10.0.0.1 src 10.0.0.5 " + metric}},
		{"the MTU that is there already", false, lease("10.0.0.5/24", "", 1500, time.Hour), nil,
			[]string{"add 10.0.0.5/24 3600s"}},
		{"gateway outside the subnet", false, lease("10.0.0.5/32", "10.0.0.1", 0, time.Hour), nil,
			[]string{"add 10.0.0.5/32 3600s", "route 10.0.0.1/32 src 10.0.0.5 " + metric, "route 0.0.0.0/0 via 10.0.0.1 src 10.0.0.5 " + metric + " onlink"}},
		{"renewed", false, lease("10.0.0.5/24", "10.0.0.1", 0, time.Hour), lease("10.0.0.5/24", "10.0.0.1", 0, time.Minute),
			[]string{"add 10.0.0.5/24 3600s", "route 0.0.0.0/0 via 10.0.0.1 src 10.0.0.5 " + metric}},
		{"renewed without its gateway", false, lease("10.0.0.5/24", "", 0, time.Hour), lease("10.0.0.5/24", "10.0.0.1", 0, time.Minute),
			[]string{"add 10.0.0.5/24 3600s", "delroute 10.0.0.1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, n, h := newDaemon(t, "")
			n.plan.Possessive = tt.possessive
			if tt.old != nil {
				d.configure(n, tt.old, nil)
				h.done = nil
			}
			d.configure(n, tt.l, tt.old)
			if !slices.Equal(h.done, tt.want) {
				t.Errorf("did %q, want %q", h.done, tt.want)
			}
			if n.addr != tt.l.Net || !d.resettle {
				t.Errorf("address is %s, resettle %v", n.addr, d.resettle)
			}
		})
	}
}

func TestC3_OldAddressRemovedFirst(t *testing.T) {
	d, n, h := newDaemon(t, "")
	d.configure(n, lease("10.0.0.6/24", "", 0, time.Hour), lease("10.0.0.5/24", "", 0, time.Hour))
	if want := []string{"del 10.0.0.5/24", "add 10.0.0.6/24 3600s"}; !slices.Equal(h.done, want) {
		t.Errorf("did %q, want %q", h.done, want)
	}
}

func TestC6_Unconfigure(t *testing.T) {
	d, n, h := newDaemon(t, "")
	l := lease("10.0.0.5/24", "10.0.0.1", 1400, time.Hour)
	d.configure(n, l, nil)
	h.done = nil
	d.unconfigure(n, l)
	if want := []string{"delroute 10.0.0.1", "mtu 1500", "del 10.0.0.5/24"}; !slices.Equal(h.done, want) || n.addr.IsValid() {
		t.Errorf("did %q, want %q; address %s", h.done, want, n.addr)
	}
}

func TestC11_BroadcastAddress(t *testing.T) {
	for addr, want := range map[string]string{
		"10.0.0.5/24": "10.0.0.255", "10.1.2.3/8": "10.255.255.255", "10.0.0.5/30": "10.0.0.7",
		"10.0.0.5/31": "invalid IP", "10.0.0.5/32": "invalid IP", "10.0.0.5/0": "255.255.255.255",
	} {
		if got := broadcast(lease(addr, "", 0, 0)).String(); got != want {
			t.Errorf("%s: broadcast address %s, want %s", addr, got, want)
		}
	}
}

func TestB2_StaticAddressFromConfig(t *testing.T) {
	d, n, h := newDaemon(t, `
		host 10.0.0.0/24 { gateway 10.0.0.1; IPMTU 1400; };
		client 2:0:0:0:0:1 10.0.0.7;`)
	d.settle()
	want := []string{"add 10.0.0.7/24 forever", "mtu 1400", "route 0.0.0.0/0 via 10.0.0.1 src 10.0.0.7 metric 1073742848"}
	if !slices.Equal(h.done, want) || n.origin != static {
		t.Errorf("did %q, want %q; origin %d", h.done, want, n.origin)
	}
	if e := d.entry(n); e == nil || e.Addr.String() != "10.0.0.7/24" || !e.Infinite() {
		t.Errorf("cache entry %+v", e)
	}
	h.done = nil
	d.settle()
	if len(h.done) > 0 {
		t.Errorf("settling again did %q", h.done)
	}
	if !d.nothingToDo() {
		t.Error("TestB6: all is configured for ever, and yet there is something to do")
	}
}

func TestB6_NothingMoreToDo(t *testing.T) {
	for _, tt := range []struct {
		name, conf string
		addrs      []link.Address
		want       bool
	}{
		{"static", "host 10.0.0.0/24 {}; client 2:0:0:0:0:1 10.0.0.7;", nil, true},
		{"foreign", "", []link.Address{{Prefix: netip.MustParsePrefix("10.0.0.9/24"), Valid: link.Forever}}, true},
		{"client", "", nil, false},
		{"server", "host 10.0.0.0/24 { option server; }; client 2:0:0:0:0:1 10.0.0.7;", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, n, _ := newDaemon(t, tt.conf)
			n.link.Addrs = tt.addrs
			d.opt.Test = 0
			plan := d.cfg.Own([]conf.Net{{Name: "eth0", Index: noIndex, MAC: n.link.MAC, Ether: true}})
			d.follow(n, plan[0])
			if got := d.nothingToDo(); got != tt.want {
				t.Errorf("nothing to do: %v, want %v", got, tt.want)
			}
		})
	}
}

// TestC11_MTURefused: a server may name an MTU that the card can't do. That is
// said once, and not believed.
func TestC11_MTURefused(t *testing.T) {
	d, n, h := newDaemon(t, "")
	var log strings.Builder
	d.say.err = &log
	h.fail = errors.New("set MTU 9000 of eth0: invalid argument")
	for range 3 {
		d.setMTU(n, 9000)
	}
	if want := "dhcpd: set MTU 9000 of eth0: invalid argument\n"; n.link.MTU != 1500 || n.site.MTU != 1500 || log.String() != want {
		t.Errorf("MTU %d, for the server %d; said %q", n.link.MTU, n.site.MTU, log.String())
	}
}

// TestC11_RefusedRoutes: a server that names what the kernel refuses, with every
// renewal again, does not fill the log.
func TestC11_RefusedRoutes(t *testing.T) {
	d, n, h := newDaemon(t, "")
	var log strings.Builder
	d.say.err = &log
	l := lease("10.0.0.5/24", "10.0.0.1", 0, time.Hour)
	d.configure(n, l, nil)
	h.fail = errors.New("route by eth0: invalid argument")
	for range 1000 {
		d.configure(n, l, l)
		d.now = d.now.Add(time.Second)
	}
	if lines := strings.Count(log.String(), "\n"); lines < linesAtOnce || lines > 100 {
		t.Errorf("%d lines", lines)
	}
}
