package relay

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// located is the relayed record of an address.
func (w *world) located(a string) (pool.Record, bool) {
	r, ok := w.table.ByAddr(ip(a))
	return r, ok && r.State == pool.Relayed
}

func seconds(n uint32) mod {
	return func(m *dhcp4.Message) { m.Options.PutUint32(dhcp4.LeaseTime, n) }
}

// TestR6_ACK: an ACK that passes fills the table.
func TestR6_ACK(t *testing.T) {
	w := newWorld(Settings{Circuit: []byte("eth1")})
	o := w.down(t, reply(dhcp4.ACK, option(dhcp4.ClientID, "\x01abc"), option(dhcp4.RelayAgent, circuit)))
	r, ok := w.located("10.0.1.100")
	if !ok || o.wrote != 1 || len(o.sent) != 1 {
		t.Fatalf("%+v, written %d times", r, o.wrote)
	}
	now := pool.Time(w.now.Unix())
	if string(r.ID) != "\x01abc" || r.HW.Addr[5] != 1 || r.HW.Len != 6 || r.Via != "eth1" || string(r.Agent) != circuit ||
		r.Told != now+3600 || r.Kept != r.Told || r.Since != now || r.Server != ip("10.0.0.1") {
		t.Errorf("%+v", r)
	}
	w.down(t, reply(dhcp4.ACK, yiaddr("10.0.1.101"), from(9)))
	if r, _ := w.located("10.0.1.101"); !bytes.Equal(r.ID, []byte{1, 2, 0, 0, 0, 0, 9}) || string(r.Agent) != circuit {
		t.Errorf("no client ID, no option 82 in the ACK: %+v", r)
	}
	for name, b := range map[string][]byte{
		"OFFER":     reply(dhcp4.Offer, yiaddr("10.0.1.102")),
		"NAK":       reply(dhcp4.NAK, yiaddr("10.0.1.102")),
		"to INFORM": reply(dhcp4.ACK, yiaddr("0.0.0.0"), ciaddr("10.0.1.102")),
		"no time":   reply(dhcp4.ACK, yiaddr("10.0.1.102"), func(m *dhcp4.Message) { m.Options.Del(dhcp4.LeaseTime) }),
		"0 seconds": reply(dhcp4.ACK, yiaddr("10.0.1.102"), seconds(0)),
		"nowhere":   reply(dhcp4.ACK, yiaddr("255.255.255.255")),
	} {
		if o := w.down(t, b); o.wrote != 0 || w.table.Len() != 2 {
			t.Errorf("%s: written %d times", name, o.wrote)
		}
	}
}

// TestR6_Written: the file hears of what is new, not of an end that moves.
func TestR6_Written(t *testing.T) {
	w := newWorld(Settings{Circuit: []byte("eth1")})
	ack := func(mods ...mod) outcome {
		w.now = w.now.Add(10 * time.Second)
		return w.down(t, reply(dhcp4.ACK, mods...))
	}
	for i, c := range []struct {
		mods []mod
		want int
	}{
		{nil, 1},
		{nil, 0},
		{[]mod{seconds(7200)}, 0},
		{[]mod{ciaddr("10.0.1.100")}, 0},
		{[]mod{seconds(dhcp4.Infinite)}, 0},
		{[]mod{option(dhcp4.RelayAgent, "\x01\x01x")}, 1}, // another circuit
		{[]mod{option(dhcp4.RelayAgent, "\x01\x01x")}, 0},
		{[]mod{option(dhcp4.ClientID, "other")}, 1}, // another client
		{[]mod{option(dhcp4.ServerID, "\x0a\x00\x00\x09")}, 1},
		{nil, 1},
	} {
		o := ack(c.mods...)
		if o.wrote != c.want {
			t.Errorf("%d: written %d times", i, o.wrote)
		}
	}
	r, _ := w.located("10.0.1.100")
	if want := pool.Time(w.now.Unix()) + 3600; r.Told != want {
		t.Errorf("ends at %d, want %d", r.Told, want)
	}
}

// TestR6_Gone: RELEASE and DECLINE of the one who has the address empty it, of
// nobody else, and from nowhere else.
func TestR6_Gone(t *testing.T) {
	asked := func(a string) mod {
		return func(m *dhcp4.Message) { m.Options.PutAddr(dhcp4.RequestedAddress, ip(a)) }
	}
	elsewhere := newNetwork("eth2", "10.0.2.1/24", Settings{Servers: ips("10.0.0.1")})
	for _, c := range []struct {
		name string
		b    []byte
		net  *Network
		gone bool
	}{
		{"RELEASE", request(dhcp4.Release, ciaddr("10.0.1.100")), nil, true},
		{"DECLINE", request(dhcp4.Decline, asked("10.0.1.100")), nil, true},
		{"another's RELEASE", request(dhcp4.Release, ciaddr("10.0.1.100"), from(2)), nil, false},
		{"another's DECLINE", request(dhcp4.Decline, asked("10.0.1.100"), from(2)), nil, false},
		{"RELEASE from elsewhere", request(dhcp4.Release, ciaddr("10.0.1.100")), elsewhere, false},
		{"RELEASE by another relay", request(dhcp4.Release, ciaddr("10.0.1.100"), giaddr("10.9.9.9")), nil, false},
		{"RELEASE of another", request(dhcp4.Release, ciaddr("10.0.1.101")), nil, false},
		{"DECLINE of none", request(dhcp4.Decline), nil, false},
		{"REQUEST", request(dhcp4.Request, ciaddr("10.0.1.100")), nil, false},
	} {
		w := newWorld(Settings{Routes: true})
		if o := w.down(t, reply(dhcp4.ACK)); o.routes != "+10.0.1.100" {
			t.Errorf("routes %s", o.routes)
		}
		if c.net == nil {
			c.net = w.net
		}
		o := w.done(w.Up(w.now, c.net, w.table, packet(t, c.b)))
		_, there := w.located("10.0.1.100")
		if there == c.gone || len(o.sent) != 1 || (o.wrote == 1) != c.gone || (o.routes == "-10.0.1.100%eth1") != c.gone {
			t.Errorf("%s: still there: %v, %+v", c.name, there, o)
		}
	}
}

// TestR6_Expiry: leases leave the table when they end, as last renewed.
func TestR6_Expiry(t *testing.T) {
	w := newWorld(Settings{Routes: true, Override: true})
	start, asked := w.now, option(dhcp4.ServerID, here) // so that renewals come by
	for i := range 100 {
		w.down(t, reply(dhcp4.ACK, asked, yiaddr(fmt.Sprint("10.0.1.", 100+i)), from(byte(i)), seconds(uint32(1000-i))))
	}
	w.down(t, reply(dhcp4.ACK, asked, yiaddr("10.0.1.10"), seconds(dhcp4.Infinite)))
	w.down(t, reply(dhcp4.ACK, asked, yiaddr("10.0.1.199"), from(99), seconds(5000)))
	seen, last := 0, time.Time{}
	for wake := w.Wake(); !wake.IsZero(); wake = w.Wake() {
		if !wake.After(last) || wake.Sub(start) > 5000*time.Second && seen < 100 {
			t.Fatalf("wakes at %v, after %v", wake.Sub(start), last.Sub(start))
		}
		last, w.now = wake, wake
		for actions := w.Sweep(w.now, w.table); actions != nil; actions = w.Sweep(w.now, w.table) {
			if o := w.done(actions); o.wrote != 1 || o.routes == "" {
				t.Fatalf("%+v", o)
			}
			seen++
		}
		if seen == 100 {
			break // what is left never ends
		}
	}
	if last.Sub(start) != 5000*time.Second || w.table.Len() != 1 {
		t.Errorf("the last one left after %v; %d are there", last.Sub(start), w.table.Len())
	}
}

// TestR5_Moved: who has moved to another network leaves no route behind.
func TestR5_Moved(t *testing.T) {
	w := newWorld(Settings{Routes: true})
	w.down(t, reply(dhcp4.ACK))
	for _, routes := range []bool{true, false} {
		w.net = newNetwork(map[bool]string{true: "eth2", false: "eth3"}[routes], "10.0.1.1/32", Settings{Routes: routes})
		want := map[bool]string{true: "-10.0.1.100%eth1+10.0.1.100", false: "-10.0.1.100%eth2"}[routes]
		if o := w.down(t, reply(dhcp4.ACK)); o.routes != want || o.wrote != 1 {
			t.Errorf("routes %s, want %s", o.routes, want)
		}
	}
}

// TestR5_Unseen: a client with a route whose renewals pass us by keeps that,
// however long, until it gives its address up or another one gets it. Without a
// route it leaves the table when the end comes that we know of.
func TestR5_R6_Unseen(t *testing.T) {
	for _, routes := range []bool{true, false} {
		w := newWorld(Settings{Routes: routes, Override: true})
		w.down(t, reply(dhcp4.ACK, seconds(100))) // of a server that does not know of the override
		sweeps := 0
		for range 20 {
			w.now = w.Wake()
			if w.now.IsZero() {
				break
			}
			for actions := w.Sweep(w.now, w.table); actions != nil; actions = w.Sweep(w.now, w.table) {
				sweeps++
				if o := w.done(actions); routes && (o.wrote != 0 || o.routes != "") {
					t.Fatalf("%+v", o)
				}
			}
		}
		if _, there := w.located("10.0.1.100"); there != routes || routes && sweeps != 20 || !routes && sweeps != 1 {
			t.Fatalf("there: %v, after %d sweeps", there, sweeps)
		}
		if !routes {
			continue
		}
		w.now = w.now.Add(time.Second)
		if o := w.down(t, reply(dhcp4.ACK, from(2))); o.wrote != 1 || o.routes != "+10.0.1.100" {
			t.Errorf("another client: %+v", o)
		}
		if o := w.up(t, request(dhcp4.Release, ciaddr("10.0.1.100"), from(2))); o.wrote != 1 || o.routes != "-10.0.1.100%eth1" {
			t.Errorf("released: %+v", o)
		}
	}
}

// TestR6_OwnPool: what the server here has leased, or must not give out, is
// none of the relay's; what is free in its pool is not free any more.
func TestR6_OwnPool(t *testing.T) {
	w := newWorld(Settings{})
	w.table.Regroup(func(a netip.Addr) (netip.Prefix, bool) { return netip.PrefixFrom(a, 24), true })
	now := pool.Time(w.now.Unix())
	for i, c := range []struct {
		r    pool.Record
		want bool
	}{
		{pool.Record{State: pool.Bound, Told: now + 9, Kept: now + 18}, false},
		{pool.Record{State: pool.Bound, Told: now - 1, Kept: now + 18}, false},
		{pool.Record{State: pool.Fixed, Told: pool.Infinite, Kept: pool.Infinite}, false},
		{pool.Record{State: pool.Abandoned, Since: now - 9}, false},
		{pool.Record{State: pool.Released, Since: now - 9}, true},
		{pool.Record{State: pool.Bound, Told: now - 9, Kept: now - 1}, true},
		{pool.Record{State: pool.Free}, true},
	} {
		c.r.Addr = ip(fmt.Sprint("10.0.1.", 50+i))
		w.table.Add(c.r.Addr)
		c.r.ID = []byte("mine")
		w.table.Apply(&c.r)
		o := w.down(t, reply(dhcp4.ACK, yiaddr(c.r.Addr.String())))
		r, relayed := w.located(c.r.Addr.String())
		if relayed != c.want || !relayed && o.wrote != 0 || relayed && w.table.At(c.r.Addr).Free(now) {
			t.Errorf("%v: %+v", c.r.State, r)
		}
		if len(o.sent) != 1 {
			t.Errorf("%v: the ACK is not relayed", c.r.State)
		}
	}
}
