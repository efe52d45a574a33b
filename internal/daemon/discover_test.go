package daemon

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
)

// mouth is a packet socket that keeps what is said.
type mouth struct {
	link.Frames
	said [][]byte
}

func (m *mouth) Write(frame []byte) error { m.said = append(m.said, bytes.Clone(frame)); return nil }
func (m *mouth) Close()                   {}

// advertises makes a frame in which 10.0.0.9 advertises itself.
func advertises(from ether.MAC, seconds uint16, preference int32) []byte {
	nine := netip.MustParseAddr("10.0.0.9")
	m := ether.Advertisement(seconds, ether.AppendEntry(nil, nine, preference))
	return ether.AppendICMPFrame(nil, from, ether.Broadcast, nine, netip.MustParseAddr("224.0.0.1"), &m)
}

// discovering is a client's network with a lease, and ears for routers.
func discovering(t *testing.T, text string, l *act.Lease) (*Daemon, *network, *fakeHost, *mouth, *strings.Builder) {
	t.Helper()
	d, n, h := newDaemon(t, text)
	m, log := new(mouth), new(strings.Builder)
	d.say.err = log
	d.settle()
	n.ears.routers = m
	n.client.Running, n.client.Held, n.client.Lease = true, true, l
	d.configure(n, l, nil)
	h.done = nil
	log.Reset()
	return d, n, h, m, log
}

// elapse lets time pass until what is due then is done.
func elapse(d *Daemon, n *network, seconds int) {
	end := d.now.Add(time.Duration(seconds) * time.Second)
	for !n.host.Due.IsZero() && !n.host.Due.After(end) {
		d.now = n.host.Due
		d.discoverDue(n)
	}
	d.now = end
}

const byOne, byNine = "route 0.0.0.0/0 via 10.0.0.1 src 10.0.0.5 metric 1073742848",
	"route 0.0.0.0/0 via 10.0.0.9 src 10.0.0.5 metric 1073742848"

// TestI1_RouteRefreshed: the route, too, is set again each time; without a carrier
// it is taken off when its life is over.
func TestI1_RouteRefreshed(t *testing.T) {
	d, n, h, m, log := discovering(t, "", lease("10.0.0.5/24", "10.0.0.1", 0, 24*time.Hour))
	elapse(d, n, 100)
	if len(m.said) != 3 {
		t.Errorf("%d solicitations", len(m.said))
	}
	h.done = nil
	elapse(d, n, 1800-100)
	if !slices.Equal(h.done, []string{byOne}) || len(m.said) != 4 {
		t.Errorf("did %q, and asked %d times", h.done, len(m.said)-3)
	}
	h.done = nil
	n.host.Down(d.now)
	elapse(d, n, 2047)
	if slices.Contains(h.done, "delroute 10.0.0.1") {
		t.Errorf("did %q before the end", h.done)
	}
	elapse(d, n, 1)
	if h.done[len(h.done)-1] != "delroute 10.0.0.1" || len(m.said) != 4 || log.Len() > 0 {
		t.Errorf("did %q, and asked %d times, said %s", h.done, len(m.said)-4, log)
	}
}

// TestI2_I3_RouteMoves: one route is replaced by another without a moment between,
// and each change is logged with the router's Ethernet address.
func TestI2_I3_RouteMoves(t *testing.T) {
	d, n, h, m, log := discovering(t, "", lease("10.0.0.5/24", "10.0.0.1", 0, 24*time.Hour))
	hear := func(frame []byte) { d.hear(heard{net: n, kind: link.Routers, data: frame}) }
	for _, tt := range []struct {
		frame     []byte
		did, said string
	}{
		{advertises(ether.MAC{2, 0, 0, 0, 0, 9}, 1800, 0), byNine,
			"dhcpd: eth0: router 10.0.0.9 at 02:00:00:00:00:09 advertises itself, and is used\n"},
		{advertises(ether.MAC{2, 0, 0, 0, 0, 9}, 1800, 5), "", ""},
		{advertises(ether.MAC{2, 0, 0, 0, 0, 10}, 1800, 5), byNine,
			"dhcpd: eth0: router 10.0.0.9 at 02:00:00:00:00:0a advertises itself, and is used\n"},
		{advertises(ether.MAC{2, 0, 0, 0, 0, 1}, 0, 5), "", ""}, // our own, on the same wire
		{advertises(ether.MAC{2, 0, 0, 0, 0, 10}, 0, 5), byOne,
			"dhcpd: eth0: router 10.0.0.9 at 02:00:00:00:00:0a is gone; back to the gateway 10.0.0.1\n"},
	} {
		h.done = nil
		log.Reset()
		hear(tt.frame)
		if got := strings.Join(h.done, " "); got != tt.did || log.String() != tt.said {
			t.Errorf("did %q, want %q; said %q, want %q", got, tt.did, log, tt.said)
		}
	}
	before := d.count.of[strange]
	hear(advertises(ether.MAC{2, 0, 0, 0, 0, 9}, 1800, 0)[:40])
	stranger := advertises(ether.MAC{2, 0, 0, 0, 0, 9}, 1800, 0)
	stranger[14+20+5] = 1
	hear(stranger)
	if got := d.count.of[strange] - before; got != 2 || n.host.Router.Addr.IsValid() {
		t.Errorf("%d dropped, router %v", got, n.host.Router.Addr)
	}
	m.said, h.done = nil, nil
	hear(advertises(ether.MAC{2, 0, 0, 0, 0, 9}, 60, 0))
	elapse(d, n, 65)
	if len(m.said) != 2 && len(m.said) != 3 || h.done[len(h.done)-1] != byOne {
		t.Errorf("silent for a minute: asked %d times, did %q", len(m.said), h.done)
	}
	d.hear(heard{net: n, kind: link.Routers, err: errors.New("network is down")})
	if n.ears.routers != nil {
		t.Error("ears that are of no use are kept")
	}
}

// TestI2_I4_B6_Not: where no router is looked for, the gateway stands, and a lease
// without end leaves nothing to do.
func TestI2_I4_B6_Not(t *testing.T) {
	proved := lease("10.0.0.5/24", "10.0.0.1", 0, 0)
	proved.ACK = new(dhcp4.Message)
	proved.ACK.Reset(dhcp4.BootReply)
	proved.ACK.Options.Put(dhcp4.Authentication, append([]byte{1, 1, 0}, make([]byte, 28)...))
	for _, tt := range []struct {
		name, conf string
		l          *act.Lease
		want, over bool // routers are looked for; there is nothing more to do at last
	}{
		{"by default", "", lease("10.0.0.5/24", "10.0.0.1", 0, 0), true, false},
		{"no gateway", "", lease("10.0.0.5/24", "", 0, 0), true, true},
		{"nodiscovery", "option nodiscovery;", lease("10.0.0.5/24", "10.0.0.1", 0, 0), false, true},
		{"authenticated", "", proved, false, true},
		{"a router itself", "option router;", lease("10.0.0.5/24", "10.0.0.1", 0, 0), false, false},
		{"a script", "option script \"/bin/true\";", lease("10.0.0.5/24", "10.0.0.1", 0, 0), false, true},
	} {
		d, n, h, m, _ := discovering(t, tt.conf, tt.l)
		n.client.Phase = 7 // BOUND
		d.resettle = false
		if n.host.On() != tt.want {
			t.Errorf("%s: looks for routers: %v", tt.name, n.host.On())
		}
		h.done, m.said = nil, nil
		d.hear(heard{net: n, kind: link.Routers, data: advertises(ether.MAC{2, 0, 0, 0, 0, 9}, 20, 0)})
		if moved := slices.Contains(h.done, byNine); moved != tt.want {
			t.Errorf("%s: did %q", tt.name, h.done)
		}
		elapse(d, n, 40)
		if over := d.nothingToDo(); over != tt.over || len(m.said) > 0 != tt.want {
			t.Errorf("%s: nothing more to do: %v, and %d solicitations", tt.name, over, len(m.said))
		}
	}
}

// TestI4_Reload: the config file has its way with a lease that is there already.
func TestI4_Reload(t *testing.T) {
	d, n, h, _, _ := discovering(t, "", lease("10.0.0.5/24", "10.0.0.1", 0, time.Hour))
	d.hear(heard{net: n, kind: link.Routers, data: advertises(ether.MAC{2, 0, 0, 0, 0, 9}, 1800, 0)})
	plan := n.plan
	plan.NoDiscovery = true
	h.done = nil
	if d.follow(n, plan); n.host.On() || !slices.Equal(h.done, []string{byOne}) || n.ears.routers != nil {
		t.Errorf("turned off: did %q", h.done)
	}
	if d.follow(n, plan); len(h.done) > 1 {
		t.Errorf("turned off once more: did %q", h.done)
	}
	plan.NoDiscovery = false
	if d.follow(n, plan); !n.host.On() || n.host.Due.IsZero() {
		t.Error("turned on, and no router is asked for")
	}
}

// TestI1_LeaseGone: with the lease the looking ends, whichever way it goes.
func TestI1_LeaseGone(t *testing.T) {
	for name, end := range map[string]func(*Daemon, *network){
		"ended":     func(d *Daemon, n *network) { d.unconfigure(n, n.client.Lease) },
		"let go":    func(d *Daemon, n *network) { d.letGo(n) },
		"gone":      func(d *Daemon, n *network) { d.vanish(n.link.Index, n) },
		"by config": func(d *Daemon, n *network) { n.plan.Addr = n.addr; d.configureStatic(n) },
		"removed":   func(d *Daemon, n *network) { l := n.link; l.Addrs = nil; d.update(n, &l) },
	} {
		d, n, _, m, _ := discovering(t, "", lease("10.0.0.5/24", "10.0.0.1", 0, time.Hour))
		n.ears.routers = m
		if end(d, n); n.host.On() || !n.host.Due.IsZero() || n.ears.routers != nil {
			t.Errorf("%s: routers are still looked for: %+v", name, n.host)
		}
	}
}

// TestI4_Advertises: from a link with an address, and no longer than that; a change
// of the config file is heard at once, and so is the end.
func TestI4_Advertises(t *testing.T) {
	d, n, _ := newDaemon(t, house+"client 2:0:0:0:0:1 10.0.0.7; option eth0 router interval 4 preference -3;")
	m := new(mouth)
	d.settle()
	n.ears.routers = m
	said := func(what string, lifetime uint16, preference int32, addrs ...string) {
		t.Helper()
		if len(m.said) != 1 {
			t.Fatalf("%s: said %x", what, m.said)
		}
		r, err := ether.ParseICMPFrame(m.said[0])
		a, bad := ether.ParseAdvert(&r.ICMP)
		if err != nil || bad != nil || a.Lifetime != lifetime || a.Len() != len(addrs) || r.Src.String() != addrs[0] {
			t.Fatalf("%s: said %v %v %v", what, r, a, err)
		}
		for i, want := range addrs {
			if r, p := a.Entry(i); r.String() != want || p != preference {
				t.Errorf("%s: entry %d: %v %d", what, i, r, p)
			}
		}
		m.said = nil
	}
	if d.nothingToDo() {
		t.Error("TestB6: nothing more to do")
	}
	d.discoverDue(n)
	said("at first", 12, -3, "10.0.0.7")
	l := n.link
	l.Addrs = append(slices.Clip(l.Addrs), address("10.0.0.8/24", link.Forever), address("169.254.1.1/16", link.Forever))
	d.update(n, &l)
	d.now = n.router.Due
	d.discoverDue(n)
	said("with a second address", 12, -3, "10.0.0.7", "10.0.0.8")

	solicits := ether.ICMP{Type: ether.RouterSolicitation}
	d.hear(heard{net: n, kind: link.Routers, data: ether.AppendICMPFrame(nil, ether.MAC{2, 0, 0, 0, 0, 9}, ether.Broadcast,
		netip.MustParseAddr("10.0.0.77"), netip.MustParseAddr("224.0.0.2"), &solicits)})
	if n.router.Due.Sub(d.now) > 2*time.Second {
		t.Errorf("asked, and answers after %v", n.router.Due.Sub(d.now))
	}
	d.now = n.router.Due
	d.discoverDue(n)
	said("asked", 12, -3, "10.0.0.7", "10.0.0.8")

	plan := n.plan
	plan.RouterPreference = 7
	d.follow(n, plan)
	d.discoverDue(n)
	said("with another preference", 12, 7, "10.0.0.7", "10.0.0.8")
	plan.Router = false
	d.follow(n, plan)
	said("no longer", 0, 7, "10.0.0.7", "10.0.0.8")
	if n.ears.routers != nil || n.router.On() {
		t.Error("still a router")
	}
	plan.Router = true
	n.ears.routers = m
	d.follow(n, plan)
	d.discoverDue(n)
	said("again", 12, 7, "10.0.0.7", "10.0.0.8")
	l.Carrier = false
	if d.update(n, &l); n.router.On() || len(m.said) > 0 {
		t.Errorf("without a carrier: said %x", m.said)
	}
	l.Carrier = true
	n.ears.routers = m
	d.update(n, &l)
	d.discoverDue(n)
	said("with the carrier back", 12, 7, "10.0.0.7", "10.0.0.8")
	d.retire(n)
	said("at the end", 0, 7, "10.0.0.7", "10.0.0.8")
}
