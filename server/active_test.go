package server

import (
	"testing"
	"time"

	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

// active makes a DHCPACTIVELEASEQUERY.
func active(list ...mod) *dhcp4.Message {
	return bulkQuery(append([]mod{func(m *dhcp4.Message) { m.SetType(dhcp4.ActiveLeaseQuery) }}, list...)...)
}

// TestQ6_Query: what RFC 7724 sections 5.2, 7.3, 8.1 and 8.2 say of a query.
func TestQ6_Query(t *testing.T) {
	tls := func(m *dhcp4.Message) { m.SetType(dhcp4.TLS) }
	for _, c := range []struct {
		sentence string
		enabled  bool
		m        *dhcp4.Message
		status   dhcp4.Status
		ok       bool
		typ      dhcp4.Type // of what is said of that
	}{
		{"not enabled by default: closed", false, active(), 0, false, 0},
		{"nor TLS: closed", false, active(tls), 0, false, 0},
		{"enabled", true, active(), dhcp4.Success, true, dhcp4.LeaseQueryStatus},
		{"DHCPTLS: refused in a DHCPTLS", true, active(tls), dhcp4.TLSConnectionRefused, true, dhcp4.TLS},
		{"a bulk query beside it", true, bulkQuery(), dhcp4.Success, true, dhcp4.LeaseQueryDone},
		{"a start", true, active(seconds(dhcp4.QueryStart, 7)), dhcp4.Success, true, dhcp4.LeaseQueryStatus},
		{"a start that is none", true, active(text(dhcp4.QueryStart, "abc")), dhcp4.MalformedQuery, true, dhcp4.LeaseQueryStatus},
		{"an end", true, active(seconds(dhcp4.QueryEnd, 7)), dhcp4.MalformedQuery, true, dhcp4.LeaseQueryStatus},
		{"MUST NOT have a ciaddr", true, active(ciaddr("10.0.0.20")), dhcp4.MalformedQuery, true, dhcp4.LeaseQueryStatus},
		{"nor a chaddr", true, active(byMAC(2)), dhcp4.MalformedQuery, true, dhcp4.LeaseQueryStatus},
		{"nor a client identifier", true, active(byID("x")), dhcp4.MalformedQuery, true, dhcp4.LeaseQueryStatus},
		{"two keys", true, active(byMAC(2), byID("x")), dhcp4.MalformedQuery, true, dhcp4.LeaseQueryStatus},
		{"another type: closed", true, active(func(m *dhcp4.Message) { m.SetType(dhcp4.Discover) }), 0, false, 0},
	} {
		w := concentrator(t)
		b := new(Bulk)
		octets, _ := c.m.Append(nil, 1500)
		status, why, ok := b.Open(octets, w.cfg, &conf.LeaseQuery{Active: c.enabled}, ip("10.0.0.1"))
		if status != c.status || ok != c.ok || status != dhcp4.Success && ok && why == "" {
			t.Errorf("%s: %v, %q, %v", c.sentence, status, why, ok)
		}
		if !ok {
			continue
		}
		out, typ := b.Done(nil, status, why, w.now)
		frame, _, err := dhcp4.CutFrame(out)
		var m dhcp4.Message
		if err != nil || m.Parse(frame) != nil || m.Type() != c.typ || typ != c.typ || m.Xid != c.m.Xid {
			t.Errorf("%s: answered by %v %v, xid %x", c.sentence, typ, m.Type(), m.Xid)
		}
		base, err := m.Options.Uint32(dhcp4.BaseTime)
		if timed := c.typ == dhcp4.LeaseQueryStatus; timed != (err == nil) || timed && int64(base) != w.now.Unix() {
			t.Errorf("%s: base-time %d, %v", c.sentence, base, err)
		}
	}
}

// pass returns what a pass of b tells of all addresses.
func (w *world) pass(b *Bulk) string {
	w.t.Helper()
	walk := w.table.Walk(pool.Key{})
	defer walk.End()
	var list []*dhcp4.Message
	seen := make([]pool.Seen, 1)
	for more := true; more; {
		var n int
		if n, more = walk.Some(seen, pool.Time(w.now.Unix())); n == 0 {
			continue
		}
		out, typ := b.Append(nil, &seen[0], w.now)
		if typ == dhcp4.BOOTP {
			continue
		}
		m := new(dhcp4.Message)
		frame, _, _ := dhcp4.CutFrame(out)
		if err := m.Parse(frame); err != nil {
			w.t.Fatal(err)
		}
		if base, err := m.Options.Uint32(dhcp4.BaseTime); err != nil || int64(base) != w.now.Unix() {
			w.t.Errorf("%v: base-time %d, %v", m.Ciaddr, base, err)
		}
		if m.Options.Has(dhcp4.AssociatedIP) {
			w.t.Errorf("%v: associated-ip", m.Ciaddr)
		}
		list = append(list, m)
	}
	return words(list)
}

// TestQ6_Passes: what has changed since the asker was away, which leases have
// ended meanwhile, and what is told of addresses that were written about.
func TestQ6_Passes(t *testing.T) {
	w := concentrator(t)
	begin := pool.Time(w.now.Unix()) - 100 - 20 - 7200 // when client 3 got its lease
	b := new(Bulk)
	octets, _ := active(listed(51, 156)).Append(nil, 1500)
	if s, why, _ := b.Open(octets, w.cfg, &conf.LeaseQuery{Active: true}, ip("10.0.0.1")); s != dhcp4.Success {
		t.Fatal(s, why)
	}
	look := func(p Pass, from pool.Time, want string) {
		t.Helper()
		b.Look(p, from)
		if got := w.pass(b); !sameSet(got, want) {
			t.Errorf("pass %d from %d: %s, want %s", p, from-begin, got, want)
		}
	}
	const later = "10.0.0.20 10.0.0.22=RELEASED 10.0.0.23=ABANDONED 10.0.0.99 10.0.1.20 10.0.1.21"
	look(Changes, begin+3601, later)
	look(Changes, begin+3600, later+" 10.0.0.21=EXPIRED")
	look(Changes, begin+7220, "10.0.1.20")
	look(Changes, begin+7221, "")
	look(Ends, begin+3600, "10.0.0.21=EXPIRED")
	look(Ends, begin+3601, "")
	look(News, 0, later+" 10.0.0.21=EXPIRED 10.0.0.24=AVAILABLE 10.0.0.25=AVAILABLE")

	// All leases end, and nobody says so. One address is offered again.
	w.now = w.now.Add(24 * time.Hour)
	w.ask(discover(0x77, requested("10.0.0.20")))
	look(Ends, begin+7200, "10.0.0.20=TRANSITIONING 10.0.0.99=EXPIRED 10.0.1.20=EXPIRED 10.0.1.21=EXPIRED")
	look(Changes, pool.Time(w.now.Unix())-3600, "")
}
