package daemon

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
)

func TestB2_NoRouteByOurselves(t *testing.T) {
	d, n, h := newDaemon(t, "")
	d.addrs[netip.MustParseAddr("10.0.0.2")] = true
	l := lease("10.0.0.1/24", "10.0.0.1", 0, 0)
	l.Gateway = append(l.Gateway, netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3"))
	d.configure(n, l, nil)
	if want := "route 0.0.0.0/0 via 10.0.0.3 src 10.0.0.1 metric 1073742848"; h.done[len(h.done)-1] != want {
		t.Errorf("did %q", h.done)
	}
	h.done, l.Gateway = nil, l.Gateway[:2]
	d.configure(n, l, nil)
	if want := []string{"add 10.0.0.1/24 forever", "delroute 10.0.0.3"}; !slices.Equal(h.done, want) {
		t.Errorf("did %q, want %q", h.done, want)
	}
}

func TestB2_RouteOfAnEarlierRun(t *testing.T) {
	d, n, h := newDaemon(t, "")
	ours := link.Route{Via: netip.MustParseAddr("10.0.0.9"), Protocol: link.ProtocolDHCP, Metric: n.metric()}
	theirs := ours
	theirs.Metric = 100
	h.routes = []link.Route{ours, theirs}
	d.configure(n, lease("10.0.0.5/24", "", 0, 0), nil)
	if want := []string{"add 10.0.0.5/24 forever", "delroute 10.0.0.9"}; !slices.Equal(h.done, want) {
		t.Errorf("did %q, want %q", h.done, want)
	}
}

func route(to, via string) dhcp4.NetRoute {
	return dhcp4.NetRoute{Dst: netip.MustParsePrefix(to), Gateway: netip.MustParseAddr(via)}
}

// TestC11_Routes: what is on the link comes first, a gateway outside of the
// subnet has a route of its own, and a route by ourselves is one on the link.
func TestC11_Routes(t *testing.T) {
	d, n, h := newDaemon(t, "")
	l := lease("10.0.0.5/24", "192.0.2.1", 0, time.Hour)
	l.Routes = []dhcp4.NetRoute{route("172.16.0.0/12", "10.0.0.9"), route("10.1.0.0/16", "0.0.0.0"),
		route("10.2.0.0/16", "10.0.0.5"), route("10.3.0.0/16", "192.0.2.1"), route("172.16.0.0/12", "10.0.0.8")}
	d.configure(n, l, nil)
	var got []string
	for _, s := range h.done[1:] {
		got = append(got, strings.TrimSuffix(strings.Replace(s, " src 10.0.0.5 metric 1073742848", "", 1), "s"))
	}
	want := []string{"route 10.1.0.0/16", "route 10.2.0.0/16", "route 192.0.2.1/32", "route 172.16.0.0/12 via 10.0.0.9",
		"route 10.3.0.0/16 via 192.0.2.1 onlink", "route 0.0.0.0/0 via 192.0.2.1 onlink"}
	if !slices.Equal(got, want) {
		t.Errorf("did %q, want %q", got, want)
	}
	h.done = nil
	less := *l
	less.Routes, less.Gateway = l.Routes[1:2], nil
	d.configure(n, &less, l)
	for i, s := range h.done {
		if i < 2 == strings.HasPrefix(s, "delroute") {
			t.Errorf("renewed with less: did %q", h.done)
		}
	}
	if len(h.done) != 2+5 || len(n.routes) != 1 {
		t.Errorf("renewed with less: did %q, left %v", h.done, n.routes)
	}
}

// TestC11_Hostname: only where the machine has none, and only a sound one.
func TestC11_Hostname(t *testing.T) {
	for _, tt := range []struct{ has, offered, want string }{
		{"", "ada", "name ada"},
		{"(none)", "ada.example.org", "name ada.example.org"},
		{"localhost", "ada", "name ada"},
		{"bob", "ada", ""},
		{"", "a;reboot", ""},
		{"", "-a", ""},
		{"", "", ""},
	} {
		d, n, h := newDaemon(t, "")
		h.name = tt.has
		l := lease("10.0.0.5/24", "", 0, time.Hour)
		l.ACK = new(dhcp4.Message)
		l.ACK.Options.PutText(dhcp4.HostName, tt.offered)
		d.configure(n, l, nil)
		if got := strings.Join(h.done[1:], " "); got != tt.want {
			t.Errorf("%q, offered %q: did %q", tt.has, tt.offered, got)
		}
	}
}

// TestC11_OfferedBroadcast: taken if it is on the subnet.
func TestC11_OfferedBroadcast(t *testing.T) {
	for offered, want := range map[string]string{
		"10.0.0.0": "10.0.0.0", "10.0.0.255": "10.0.0.255", "10.9.9.9": "10.0.0.255", "10.0.0.5": "10.0.0.255",
	} {
		l := lease("10.0.0.5/24", "", 0, 0)
		l.ACK = new(dhcp4.Message)
		l.ACK.Options.PutAddr(dhcp4.BroadcastAddress, netip.MustParseAddr(offered))
		if got := broadcast(l).String(); got != want {
			t.Errorf("offered %s: %s", offered, got)
		}
	}
}
