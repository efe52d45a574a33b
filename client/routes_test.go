package client

import (
	"fmt"
	"testing"

	"dhcpd/internal/dhcp4"
)

// TestC11_Routes: options 121, 33 and 3, and which of them counts.
func TestC11_Routes(t *testing.T) {
	classless := with(dhcp4.ClasslessRoute,
		12, 172, 16, 10, 0, 0, 9, // 172.16/12
		0, 10, 0, 0, 2, // the default route
		16, 10, 1, 0, 0, 0, 0, // 10.1/16 on the link
		0, 224, 0, 0, 1, // by no host
		8, 127, 10, 0, 0, 9, // ourselves
		24, 10, 2, 3, 255, 255, 255, 255)
	static := with(dhcp4.StaticRoute,
		172, 16, 0, 0, 10, 0, 0, 9, // class B
		192, 168, 1, 7, 10, 0, 0, 9, // a host
		0, 0, 0, 0, 10, 0, 0, 9, // the default route
		10, 0, 0, 0, 0, 0, 0, 0) // by no host
	for _, c := range []struct {
		name            string
		change          func(*dhcp4.Message)
		gateway, routes string
	}{
		{"classless", both(classless, static), "[10.0.0.2]", "[{172.16.0.0/12 10.0.0.9} {10.1.0.0/16 0.0.0.0}]"},
		{"static", static, "[10.0.0.1]", "[{172.16.0.0/16 10.0.0.9} {192.168.1.7/32 10.0.0.9}]"},
		{"classless malformed", both(static, with(dhcp4.ClasslessRoute, 33, 1, 2, 3, 4, 5, 6, 7, 8, 9)),
			"[10.0.0.1]", "[{172.16.0.0/16 10.0.0.9} {192.168.1.7/32 10.0.0.9}]"},
		{"classless cut short", with(dhcp4.ClasslessRoute, 0, 10, 0, 0, 2, 8, 10, 1), "[10.0.0.1]", "[]"},
		{"Microsoft's", both(static, with(dhcp4.MSRoute, 12, 172, 16, 10, 0, 0, 9, 0, 10, 0, 0, 2)),
			"[10.0.0.2]", "[{172.16.0.0/12 10.0.0.9}]"},
		{"Microsoft's and the standard", both(classless, with(dhcp4.MSRoute, 8, 10, 10, 0, 0, 8)),
			"[10.0.0.2]", "[{172.16.0.0/12 10.0.0.9} {10.1.0.0/16 0.0.0.0}]"},
		{"Microsoft's malformed", with(dhcp4.MSRoute, 33, 1), "[10.0.0.1]", "[]"},
		{"static malformed", with(dhcp4.StaticRoute, 172, 16, 0, 0, 10, 0), "[10.0.0.1]", "[]"},
		{"none", without(dhcp4.Router), "[]", "[]"},
	} {
		l, err := NewLease(reply(dhcp4.ACK, 1, c.change), t0)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(l.Gateway); got != c.gateway {
			t.Errorf("%s: gateways %s, not %s", c.name, got, c.gateway)
		}
		if got := fmt.Sprint(l.Routes); got != c.routes {
			t.Errorf("%s: routes %s, not %s", c.name, got, c.routes)
		}
	}
}

// TestC11_HiddenGateway: the log hears of it, once a lease.
func TestC11_HiddenGateway(t *testing.T) {
	hides := with(dhcp4.ClasslessRoute, 12, 172, 16, 10, 0, 0, 9)
	r := newRig(t).reach(Requesting)
	r.same(r.got(reply(dhcp4.ACK, 1, hides)), "log: The routes for 10.0.0.5 from 10.0.0.1 hide the gateway 10.0.0.1",
		"configure 10.0.0.5/24", "save 10.0.0.5/24", "announce 10.0.0.5")
	r.at(4).wake(0)
	r.at(1801).wake(2)
	r.same(r.got(reply(dhcp4.ACK, 2, hides)), "configure 10.0.0.5/24 in place of 10.0.0.5/24", "save 10.0.0.5/24")
}
