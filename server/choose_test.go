package server

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

func fields(s string) []string { return strings.Fields(s) }

// offered asks for an OFFER and returns its address, "" for none.
func (w *world) offered(m *dhcp4.Message) string {
	w.t.Helper()
	a := w.ask(m)
	if a.reply == nil {
		return ""
	}
	return a.reply.Yiaddr.String()
}

func TestS2_Order(t *testing.T) {
	const members = "10.0.0.20 10.0.0.21 10.0.0.22 10.0.0.23"
	later := func(d time.Duration) func(*world) { return func(w *world) { w.now = w.now.Add(d) } }
	bind := func(n byte, a string) func(*world) { return func(w *world) { w.bind(n, a) } }
	hold := func(n byte, a string) func(*world) { return func(w *world) { w.offered(discover(n, requested(a))) } }
	drop := func(n byte, a string) func(*world) { return func(w *world) { w.ask(release(n, a)) } }
	no := func(n byte, a string) func(*world) { return func(w *world) { w.ask(decline(n, a)) } }
	out := func(a string) func(*world) { return func(w *world) { w.table.Remove(ip(a)) } }
	own := func(a string) func(*world) {
		return func(w *world) { w.site.Addrs = append(w.site.Addrs, prefixes(a+"/24")...) }
	}
	both := func(w *world) { w.site.Addrs = prefixes("10.0.0.1/24 10.0.1.1/24") }
	second := func(w *world) { w.table.Add(ip("10.0.1.20")); w.ask(selecting(9, "10.0.1.20", giaddr("10.0.1.1"))) }
	const hour = 3600 * time.Second
	for _, c := range []struct {
		name   string
		before []func(*world)
		msg    *dhcp4.Message
		want   string
	}{
		{"entry", nil, discover(0x99), "10.0.0.99"},
		{"entry before what is asked for", nil, discover(0x99, requested("10.0.0.22")), "10.0.0.99"},
		{"lease", []func(*world){bind(9, "10.0.0.22")}, discover(9), "10.0.0.22"},
		{"lease before what is asked for", []func(*world){bind(9, "10.0.0.22")}, discover(9, requested("10.0.0.23")), "10.0.0.22"},
		{"lease, but removed from the pool", []func(*world){bind(9, "10.0.0.22"), out("10.0.0.22")}, discover(9, requested("10.0.0.23")), "10.0.0.23"},
		{"lease, but the address is ours since", []func(*world){bind(9, "10.0.0.22"), own("10.0.0.22")}, discover(9), "10.0.0.20"},
		{"lease on the second network", []func(*world){bind(9, "10.0.0.22"), later(hour), second, both}, discover(9), "10.0.1.20"},
		{"previous, expired", []func(*world){bind(9, "10.0.0.22"), later(hour)}, discover(9), "10.0.0.22"},
		{"previous, released", []func(*world){bind(9, "10.0.0.22"), drop(9, "10.0.0.22")}, discover(9), "10.0.0.22"},
		{"previous before what is asked for", []func(*world){bind(9, "10.0.0.22"), later(hour)}, discover(9, requested("10.0.0.23")), "10.0.0.22"},
		{"previous, leased to another since", []func(*world){bind(9, "10.0.0.22"), later(hour), bind(8, "10.0.0.22")}, discover(9, requested("10.0.0.23")), "10.0.0.23"},
		{"previous, offered to another", []func(*world){bind(9, "10.0.0.22"), later(hour), hold(8, "10.0.0.22")}, discover(9, requested("10.0.0.23")), "10.0.0.23"},
		{"previous, declined", []func(*world){bind(9, "10.0.0.22"), no(9, "10.0.0.22")}, discover(9, requested("10.0.0.23")), "10.0.0.23"},
		{"asked for", nil, discover(9, requested("10.0.0.23")), "10.0.0.23"},
		{"asked for, leased", []func(*world){bind(8, "10.0.0.20")}, discover(9, requested("10.0.0.20")), "10.0.0.21"},
		{"asked for, offered to another", []func(*world){hold(8, "10.0.0.20")}, discover(9, requested("10.0.0.20")), "10.0.0.21"},
		{"asked for, not in the pool", nil, discover(9, requested("10.0.0.50")), "10.0.0.20"},
		{"asked for, of another network", nil, discover(9, requested("10.0.1.20")), "10.0.0.20"},
		{"asked for, malformed", nil, discover(9, option(dhcp4.RequestedAddress, 10, 0, 0)), "10.0.0.20"},
		{"offered before", []func(*world){hold(9, "10.0.0.23")}, discover(9), "10.0.0.23"},
		{"never used before used", []func(*world){bind(8, "10.0.0.20"), bind(7, "10.0.0.21"), later(hour)}, discover(9), "10.0.0.22"},
		{"longest ago", []func(*world){
			bind(1, "10.0.0.20"), later(1e9), bind(2, "10.0.0.21"), bind(3, "10.0.0.22"), bind(4, "10.0.0.23"),
			later(10e9), drop(3, "10.0.0.22"), later(10e9), drop(1, "10.0.0.20"), later(hour)}, discover(9), "10.0.0.22"},
		{"none left", []func(*world){bind(1, "10.0.0.20"), bind(2, "10.0.0.21"), hold(3, "10.0.0.22"), bind(4, "10.0.0.23"), no(4, "10.0.0.23")}, discover(9), ""},
	} {
		w := newWorld(t, house, fields(members)...)
		for _, f := range c.before {
			f(w)
		}
		if got := w.offered(c.msg); got != c.want {
			t.Errorf("%s: offered %q, want %q", c.name, got, c.want)
		}
	}
}

// TestS2_NeverGiven puts addresses into the pool that are not to be had.
func TestS2_NeverGiven(t *testing.T) {
	for _, a := range fields("10.0.0.0 10.0.0.255 10.0.0.254 10.0.0.99 10.0.0.1 10.0.0.77 10.0.1.0 10.0.1.255 10.0.1.1") {
		for _, c := range []struct {
			name string
			mods []mod
		}{{"first free", nil}, {"asked for", []mod{requested(a)}}} {
			w := newWorld(t, house+`interface eth7 10.0.0.77;`, a)
			w.site.Addrs = prefixes("10.0.0.1/24")
			if got := w.offered(discover(9, c.mods...)); got != "" {
				t.Errorf("%s, %s: offered", a, c.name)
			}
			if got := w.offered(discover(9, append(c.mods, giaddr("10.0.1.1"))...)); got != "" {
				t.Errorf("%s, %s, relayed: offered", a, c.name)
			}
		}
	}
}

// TestS2_OursAndRelayAreSkipped: they don't keep the next address from going out.
func TestS2_OursAndRelayAreSkipped(t *testing.T) {
	w := newWorld(t, house, "10.0.0.1", "10.0.1.1")
	w.want(discover(9), "drop")
	w.want(discover(9, giaddr("10.0.1.1")), "drop")
	w.table.Add(ip("10.0.0.20"))
	w.table.Add(ip("10.0.1.20"))
	w.want(discover(9), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	w.want(discover(9, giaddr("10.0.1.1")), "hold 10.0.1.20; DHCPOFFER 10.0.1.20 to 10.0.1.1:67")
}

// TestS16_GiaddrTakesNothing: who claims to be a relay at one address after the
// other keeps none of them from other clients.
func TestS16_GiaddrTakesNothing(t *testing.T) {
	pool := fields("10.0.1.20 10.0.1.21 10.0.1.22 10.0.1.23 10.0.1.24")
	w := newWorld(t, house, pool...)
	for range 3 {
		for _, a := range pool {
			w.ask(discover(9, giaddr(a)))
		}
	}
	for n := range len(pool) - 1 { // client 9 has an OFFER
		if got := w.offered(discover(byte(10+n), giaddr("10.0.1.1"))); got == "" {
			t.Errorf("client %d gets nothing", 10+n)
		}
	}
}

// TestS2_EntriesByNetwork: of several client entries the one on the network, and a
// client with one elsewhere only gets an address of the pool.
func TestS2_EntriesByNetwork(t *testing.T) {
	w := newWorld(t, house+`client 2:0:0:0:0:77 10.0.1.77;`, "10.0.0.20", "10.0.1.20")
	for _, c := range []struct {
		msg  *dhcp4.Message
		want string
	}{
		{discover(0x99), "10.0.0.99"},
		{discover(0x99, giaddr("10.0.1.1")), "10.0.1.99"},
		{discover(0x77, giaddr("10.0.1.1")), "10.0.1.77"},
		{discover(0x77), "10.0.0.20"},
	} {
		if got := w.offered(c.msg); got != c.want {
			t.Errorf("%s: offered %s, want %s", c.msg.Line(nil), got, c.want)
		}
	}
}

// TestS2_EntryForOurs: a file that all machines share may say that.
func TestS2_EntryForOurs(t *testing.T) {
	w := newWorld(t, house+`client 2:0:0:0:0:9 10.0.0.1;`, "10.0.0.20")
	if got := w.offered(discover(9)); got != "10.0.0.20" {
		t.Errorf("offered %s", got)
	}
}

// TestS2_TwoIDsOneAddress: the firmware and the system of one machine often
// call themselves differently, and the config may give both one address.
func TestS2_TwoIDsOneAddress(t *testing.T) {
	w := newWorld(t, house+`client ff01 10.0.0.99;`)
	w.ask(selecting(0x99, "10.0.0.99"))
	system := option(dhcp4.ClientID, 0xff, 1)
	w.want(discover(0x99, system), "DHCPOFFER 10.0.0.99 to 10.0.0.99:68 raw")
	a := w.want(selecting(0x99, "10.0.0.99", system), "commit fixed 10.0.0.99; DHCPACK 10.0.0.99 to 10.0.0.99:68 raw")
	if a.lazy || len(a.record.ID) != 2 {
		t.Errorf("lazy %v, client identifier %x", a.lazy, a.record.ID)
	}
}

// TestP4_EntryWaitsForLease: a client entry is written for an address that
// another client has a lease on. The lease was promised: nobody else gets the
// address before it ends or its holder has heard a NAK.
func TestP4_EntryWaitsForLease(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21")
	w.bind(8, "10.0.0.20")
	w.configure(house + `client 2:0:0:0:0:9 10.0.0.20;`)
	w.bind(9, "10.0.0.21")
	w.sentTo("10.0.0.1").want(renewing(8, "10.0.0.20"), "refuse; DHCPNAK to 255.255.255.255:68")
	w.now = w.now.Add(3600 * time.Second)
	if got := w.offered(discover(9)); got != "10.0.0.20" {
		t.Errorf("after the other lease: offered %s", got)
	}
	w.want(renewing(9, "10.0.0.21"), "refuse; DHCPNAK to 255.255.255.255:68")
}

func TestS3_Hold(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21")
	w.want(discover(9), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	w.now = w.now.Add(63 * time.Second)
	w.want(discover(8, requested("10.0.0.20")), "hold 10.0.0.21; DHCPOFFER 10.0.0.21 to 10.0.0.21:68 raw")
	w.now = w.now.Add(time.Second)
	w.want(discover(7), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	w.want(selecting(9, "10.0.0.20"), "refuse; DHCPNAK to 255.255.255.255:68")
}

// TestS3_Batch: a thousand DISCOVERs between which nothing is stored.
func TestS3_Batch(t *testing.T) {
	var members []string
	for i := range 200 {
		members = append(members, "10.0.0."+strconv.Itoa(2+i))
	}
	w := newWorld(t, house, members...)
	seen := map[string]bool{}
	for n := range byte(197) { // 10.0.0.99 is not to be had, and some are left
		a := w.offered(discover(n))
		if a == "" || seen[a] {
			t.Fatalf("client %d: offered %q", n, a)
		}
		seen[a] = true
	}
}

// TestS3_AnotherServer: a REQUEST that names another server ends the hold.
func TestS3_AnotherServer(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20")
	w.ask(discover(9))
	other := from(9, dhcp4.Request, serverID("10.0.0.7"), requested("10.0.0.40"))
	w.site.Settings.Relay = []netip.Addr{ip("192.0.2.9")}
	if a := w.want(other, "unhold 10.0.0.20; drop"); !a.relay {
		t.Error("it is the other server's, perhaps over a relay")
	}
	w.want(other, "drop")
	w.want(discover(8), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
}

// TestS3_OneHold: a client that asks for one address after the other keeps
// only the last.
func TestS3_OneHold(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21")
	w.want(discover(9, requested("10.0.0.20")), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	w.want(discover(9, requested("10.0.0.21")), "unhold 10.0.0.20; hold 10.0.0.21; DHCPOFFER 10.0.0.21 to 10.0.0.21:68 raw")
	w.want(discover(8, requested("10.0.0.20")), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	if c, ok := w.table.At(ip("10.0.0.21")).HeldBy(pool.Time(w.now.Unix())); !ok || c.HW.Addr[5] != 9 {
		t.Errorf("10.0.0.21 is held by %x (%v)", c.ID, ok)
	}
}
