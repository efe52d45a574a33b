package server

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

// bulkQuery makes a DHCPBULKLEASEQUERY.
func bulkQuery(list ...mod) *dhcp4.Message {
	return query(append([]mod{giaddr("0.0.0.0"), func(m *dhcp4.Message) { m.SetType(dhcp4.BulkLeaseQuery) }}, list...)...)
}

// bulk asks and returns the answers; none if the connection is closed at once.
// It does what the daemon does, and some happens between each two addresses.
func (w *world) bulk(m *dhcp4.Message, between ...func()) (list []*dhcp4.Message) {
	w.t.Helper()
	b := new(Bulk)
	octets, _ := m.Append(nil, 1500)
	status, why, ok := b.Open(octets, w.cfg, w.site.Settings.LeaseQuery, ip("10.0.0.1"))
	if !ok {
		return nil
	}
	var out []byte
	if status == dhcp4.Success {
		walk := w.table.Walk(b.Key())
		seen := make([]pool.Seen, 1)
		for n := 0; b.All(); n++ {
			a, more := w.cfg.Entry(n)
			if !more {
				break
			}
			if walk.Meet(a, &seen[0]) {
				out, _ = b.Append(out, &seen[0], w.now)
			}
		}
		for more := true; more; {
			var n int
			if n, more = walk.Some(seen, pool.Time(w.now.Unix())); n > 0 {
				out, _ = b.Append(out, &seen[0], w.now)
			}
			for _, f := range between {
				f()
			}
		}
		walk.End()
	}
	for out, _ = b.Done(out, status, why, w.now); len(out) > 0; {
		frame, rest, err := dhcp4.CutFrame(out)
		r := new(dhcp4.Message)
		if err != nil || frame == nil || r.Parse(frame) != nil {
			w.t.Fatalf("no message: %x", out)
		}
		if r.Xid != m.Xid || r.Op != dhcp4.BootReply {
			w.t.Errorf("xid %x, op %v", r.Xid, r.Op)
		}
		list, out = append(list, r), rest
	}
	return list
}

// bulkAll are the codes that RFC 6926 section 7.2 has in a query, and more.
var bulkAll = listed(51, 153, 91, 152, 156, 157, 61, 82, 92)

// words is what a list of answers comes to: A for DHCPLEASEACTIVE, U for
// DHCPLEASEUNASSIGNED with the state, and what the end is.
func words(list []*dhcp4.Message) string {
	var out []string
	for _, m := range list {
		state, _ := m.Options.Uint8(dhcp4.DHCPState)
		switch m.Type() {
		case dhcp4.LeaseActive:
			out = append(out, m.Ciaddr.String())
		case dhcp4.LeaseUnassigned:
			out = append(out, m.Ciaddr.String()+"="+dhcp4.LeaseState(state).String())
		case dhcp4.LeaseQueryDone:
			s, _ := m.Options.Status()
			end := "done"
			if m.Options.Has(dhcp4.StatusCode) {
				end = s.String()
			}
			out = append(out, end)
		default:
			out = append(out, m.Type().String())
		}
	}
	return strings.Join(out, " ")
}

// TestQ5_Answers: a row for each sentence of RFC 6926 section 8.2 that says
// which answers there are.
func TestQ5_Answers(t *testing.T) {
	const everything = "10.0.1.99=AVAILABLE 10.0.0.20 10.0.0.21=EXPIRED 10.0.0.22=RELEASED 10.0.0.23=ABANDONED " +
		"10.0.0.24=AVAILABLE 10.0.0.25=AVAILABLE 10.0.1.20 10.0.1.21 10.0.0.99 done"
	typ := func(t dhcp4.Type) mod { return func(m *dhcp4.Message) { m.SetType(t) } }
	for _, c := range []struct {
		sentence string
		mods     []mod
		want     string
	}{
		{"no primary query: all configured addresses, each exactly once", nil, everything},
		{"ciaddr: MalformedQuery", []mod{ciaddr("10.0.0.20")}, "MalformedQuery"},
		{"yiaddr: MalformedQuery", []mod{func(m *dhcp4.Message) { m.Yiaddr = ip("10.0.0.20") }}, "MalformedQuery"},
		{"siaddr: MalformedQuery", []mod{func(m *dhcp4.Message) { m.Siaddr = ip("10.0.0.20") }}, "MalformedQuery"},
		{"several primary queries: NotAllowed: MAC and client ID", []mod{byMAC(1), byID("\x00cable")}, "NotAllowed"},
		{"MAC and remote ID", []mod{byMAC(1), byRemote("one")}, "NotAllowed"},
		{"client ID and relay ID", []mod{byID("x"), agent("\x0c", "relay")}, "NotAllowed"},
		{"remote ID and relay ID", []mod{agent(remote, "one", "\x0c", "relay")}, "NotAllowed"},
		{"by MAC: every address with a current binding", []mod{byMAC(2)}, "10.0.1.21 10.0.0.20 done"},
		{"by MAC, no current binding", []mod{byMAC(3)}, "done"},
		{"by client ID: every address with a current binding", []mod{byID("\x01\x02\x00\x00\x00\x00\x02")}, "10.0.1.21 10.0.0.20 done"},
		{"by client ID that nobody has: DHCPLEASEQUERYDONE", []mod{byID("x")}, "done"},
		{"by remote ID", []mod{byRemote("one")}, "10.0.1.20 10.0.1.21 done"},
		{"by remote ID, with a circuit ID beside it", []mod{agentOf("line", "one")}, "10.0.1.20 10.0.1.21 done"},
		{"by remote ID that nobody has", []mod{byRemote("on")}, "done"},
		{"by relay ID", []mod{agent("\x0c", "dslam")}, "10.0.1.30 done"},
		{"by relay ID that nobody has", []mod{agent("\x0c", "dsl")}, "done"},
		{"an option 82 without either is no primary query", []mod{agent(circuit, "line")}, everything},
		{"R6: what a relay gleaned is not told", []mod{byMAC(7)}, "done"},
		{"VPN-ID of the global VPN", []mod{byMAC(1), option(dhcp4.SubnetSpace, 255)}, "10.0.1.20 done"},
		{"VPN-ID wildcard", []mod{byMAC(1), option(dhcp4.SubnetSpace, 254)}, "10.0.1.20 done"},
		{"another VPN: we have none", []mod{byMAC(1), option(dhcp4.SubnetSpace, 0, 'x')}, "done"},
		{"another VPN: all of its addresses", []mod{option(dhcp4.SubnetSpace, 1, 1, 2, 3, 4, 5, 6, 7)}, "done"},
		{"a time that is none", []mod{text(dhcp4.QueryStart, "abc")}, "MalformedQuery"},
		{"another type on this port: closed", []mod{typ(dhcp4.LeaseQuery), ciaddr("10.0.0.20")}, ""},
		{"DHCP on this port: closed", []mod{typ(dhcp4.Discover)}, ""},
		{"a reply: closed", []mod{func(m *dhcp4.Message) { m.Op = dhcp4.BootReply }}, ""},
		{"a message that can't be parsed: MalformedQuery", []mod{option(dhcp4.MessageType, 14, 14)}, "MalformedQuery"},
	} {
		w := concentrator(t)
		if strings.Contains(c.want, "10.0.1.30") {
			w.table.Apply(&pool.Record{Addr: ip("10.0.1.30"), State: pool.Bound, Told: pool.Infinite,
				Client: pool.Client{ID: []byte("r")}, Extra: pool.Extra{Agent: query(agent("\x0c", "dslam", remote, "x")).Options.Get(82)}})
		}
		list := w.bulk(bulkQuery(append([]mod{bulkAll}, c.mods...)...))
		got := words(list)
		if !sameSet(got, c.want) {
			t.Errorf("%s:\n got %s\nwant %s", c.sentence, got, c.want)
		}
		for i, m := range list {
			// 8.3: server ID in the first message MUST, in later ones SHOULD NOT. 5: 92
			// MUST NOT. 8.2: a status MUST be there if it is not success, and else
			// SHOULD NOT. 7.3: DHCPLEASEUNKNOWN MUST NOT. The end comes last.
			a, err := m.Options.Addr(dhcp4.ServerID)
			if (i == 0) != (err == nil && a == ip("10.0.0.1")) || m.Options.Has(dhcp4.AssociatedIP) || m.Options.Has(dhcp4.DataSource) {
				t.Errorf("%s: message %d: options %s", c.sentence, i, codes(&m.Options))
			}
			s, why := m.Options.Status()
			if m.Options.Has(dhcp4.StatusCode) && (s == dhcp4.Success || len(why) == 0) || (m.Type() == dhcp4.LeaseQueryDone) != (i == len(list)-1) {
				t.Errorf("%s: message %d: %v", c.sentence, i, m.Type())
			}
		}
	}
}

// TestQ5_Options: RFC 6926 section 8.3, by number.
func TestQ5_Options(t *testing.T) {
	w := concentrator(t)
	now := uint32(w.now.Unix())
	w.table.Tick(pool.Time(now))
	w.table.SetFree(ip("10.0.0.23"))
	w.ask(discover(6, requested("10.0.0.24")))
	values := func(m *dhcp4.Message) string {
		var out []string
		for _, c := range []dhcp4.Code{156, 152, 153, 51, 157, 91} {
			if v, err := m.Options.Uint32(c); c == 156 && m.Options.Has(c) {
				s, _ := m.Options.Uint8(c)
				out = append(out, dhcp4.LeaseState(s).String())
			} else if err == nil {
				if c == dhcp4.BaseTime {
					v -= now
				}
				out = append(out, strconv.Itoa(int(c))+"="+strconv.Itoa(int(v)))
			}
		}
		return strings.Join(out, " ")
	}
	want := map[string]string{
		"10.0.1.20": "ACTIVE 152=0 153=100 51=500 91=100", // 1, 2, 3, 4 and 6
		"10.0.0.20": "ACTIVE 152=0 153=120 51=3480 91=120",
		"10.0.0.21": "EXPIRED 152=0 153=3720 91=7320", // the state began when the lease ended
		"10.0.0.22": "RELEASED 152=0 153=120 91=120",
		"10.0.0.23": "RESET 152=0 153=0",
		"10.0.0.24": "TRANSITIONING 152=0 153=0",
		"10.0.0.25": "AVAILABLE 152=0 153=" + strconv.Itoa(int(now)), // since 1970: always
		"10.0.1.99": "AVAILABLE 152=0 153=" + strconv.Itoa(int(now)),
	}
	for _, m := range w.bulk(bulkQuery(bulkAll)) {
		if v, ok := want[m.Ciaddr.String()]; ok && values(m) != v {
			t.Errorf("%v: %s, want %s", m.Ciaddr, values(m), v)
		}
	}
	// "A DHCPLEASEUNASSIGNED message MAY also contain information about the last
	// DHCPv4 client": 7.3.
	for _, m := range w.bulk(bulkQuery(bulkAll)) {
		if m.Ciaddr == ip("10.0.0.22") && (m.Chaddr != [16]byte{2, 0, 0, 0, 0, 4} || !m.Options.Has(dhcp4.ClientID)) {
			t.Errorf("the last client of what was released: %x", m.HW())
		}
	}
	// Only what is asked for; and what is asked for by saying nothing.
	if m := w.bulk(bulkQuery(byMAC(1), listed(82)))[0]; codes(&m.Options) != "53 54 82" {
		t.Errorf("asked for 82: %s", codes(&m.Options))
	}
	if m := w.bulk(bulkQuery(byMAC(1)))[0]; !sameSet(codes(&m.Options), "53 54 51 91 61 82 152 153 156") {
		t.Errorf("asked for nothing: %s", codes(&m.Options))
	}
	w.site.Settings.LeaseQuery.Show.Add(12)
	if m := w.bulk(bulkQuery(byMAC(1), listed(12, 3)))[0]; codes(&m.Options) != "53 54 12" {
		t.Errorf("asked for the host name: %s", codes(&m.Options))
	}
}

// TestQ5_Window: RFC 6926 section 8.2: a binding has changed in a window if its
// last transaction or the start of its state lies in it, ends included.
func TestQ5_Window(t *testing.T) {
	w := concentrator(t)
	begin := uint32(w.now.Unix()) - 100 - 20 - 7200 // when client 3 got its lease
	// 0: lease of 10.0.0.21; 3600: that ends; 7200: 10.0.0.20, .22, .23, .99;
	// 7210: 10.0.1.21; 7220: 10.0.1.20.
	const seven = "10.0.0.20 10.0.0.22=RELEASED 10.0.0.23=ABANDONED 10.0.0.99"
	for _, c := range []struct {
		from, to uint32 // after begin; 0 for not there
		want     string
	}{
		{7220, 0, "10.0.1.20 done"},
		{7221, 0, "done"},
		{0, 1, "10.0.0.21=EXPIRED done"}, // its last transaction
		{7210, 7219, "10.0.1.21 done"},
		{7200, 7200, seven + " done"},
		{7200, 7209, seven + " done"},
		{3600, 7199, "10.0.0.21=EXPIRED done"},
		{3601, 7199, "done"},
		{7199, 3600, "done"},
		{0, 3600, "10.0.0.21=EXPIRED done"},
		{7100, 9999, seven + " 10.0.1.20 10.0.1.21 done"},
	} {
		m := bulkQuery(bulkAll)
		if c.from > 0 {
			m.Options.PutUint32(dhcp4.QueryStart, begin+c.from)
		}
		if c.to > 0 {
			m.Options.PutUint32(dhcp4.QueryEnd, begin+c.to)
		}
		if got := words(w.bulk(m)); !sameSet(got, c.want) {
			t.Errorf("from %d to %d: %s, want %s", c.from, c.to, got, c.want)
		}
	}
	// A renewal is a change, and so is the end of a lease that nobody saw.
	w.now = w.now.Add(50 * time.Second)
	w.ask(renewing(2, "10.0.0.20"))
	if got := words(w.bulk(bulkQuery(bulkAll, seconds(dhcp4.QueryStart, uint32(w.now.Unix()))))); got != "10.0.0.20 done" {
		t.Errorf("after a renewal: %s", got)
	}
	// Each qualifier constrains each query.
	if got := words(w.bulk(bulkQuery(byRemote("one"), bulkAll, seconds(dhcp4.QueryEnd, begin+7215)))); got != "10.0.1.21 done" {
		t.Errorf("by remote ID within a time: %s", got)
	}
}

// TestQ5_Changes: "MUST NOT send more than one message for each applicable IP
// address, even if the state changes during the processing".
func TestQ5_Changes(t *testing.T) {
	w := concentrator(t)
	n := byte(0)
	got := words(w.bulk(bulkQuery(bulkAll), func() {
		for range 3 {
			n++
			a := "10.0.0." + strconv.Itoa(20+int(n%6))
			w.table.Remove(ip(a))
			w.table.Apply(&pool.Record{Addr: ip(a)})
			w.table.Add(ip(a))
			w.ask(selecting(100+n, a))
		}
	}))
	for _, a := range fields("10.0.0.20 10.0.0.21 10.0.0.22 10.0.0.23 10.0.0.24 10.0.0.25 10.0.1.20 10.0.1.21 10.0.0.99 10.0.1.99") {
		if strings.Count(got+" ", a+" ")+strings.Count(got, a+"=") > 1 {
			t.Errorf("%s comes again: %s", a, got)
		}
	}
	for _, a := range fields("10.0.1.20 10.0.1.21 10.0.0.99 10.0.1.99") {
		if !strings.Contains(got, a) {
			t.Errorf("%s was there all the time: %s", a, got)
		}
	}
	// An address that changes hands while those of a client are told.
	got = words(w.bulk(bulkQuery(byMAC(2), bulkAll), func() {
		w.table.Apply(&pool.Record{Addr: ip("10.0.0.20"), State: pool.Bound, Told: pool.Infinite, Client: pool.Client{ID: []byte("x"), HW: hwOf(77)}})
	}))
	if got != "10.0.1.21 done" {
		t.Errorf("now another client's: %s", got)
	}
}

// FuzzBulk: whatever the query, the answers are messages, and the last one is
// the end.
func FuzzBulk(f *testing.F) {
	for _, m := range []*dhcp4.Message{
		bulkQuery(), bulkQuery(bulkAll, byMAC(2)), bulkQuery(byRemote("one")), bulkQuery(agent("\x0c", "r"), bulkAll),
		active(), active(seconds(dhcp4.QueryStart, 1), bulkAll),
		bulkQuery(seconds(dhcp4.QueryStart, 1), seconds(dhcp4.QueryEnd, 1<<31)), bulkQuery(byID("x"), option(dhcp4.SubnetSpace, 254)),
	} {
		b, _ := m.Append(nil, 1500)
		f.Add(b)
	}
	w := concentrator(f)
	w.site.Settings.LeaseQuery = &conf.LeaseQuery{Active: true, Show: dhcp4.Set{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}}
	f.Fuzz(func(t *testing.T, octets []byte) {
		m := new(dhcp4.Message)
		if m.Parse(octets) != nil {
			return
		}
		w.t = t
		list := w.bulk(m)
		if len(list) == 0 {
			if m.Op == dhcp4.BootRequest && (m.Type() == dhcp4.BulkLeaseQuery || m.Type() == dhcp4.ActiveLeaseQuery) {
				t.Fatal("no answer")
			}
			return
		}
		for i, r := range list {
			active := false
			if e := w.table.At(r.Ciaddr); e.Known() {
				active = e.Runs(pool.Time(w.now.Unix()))
			}
			end := r.Type() == dhcp4.LeaseQueryDone || r.Type() == dhcp4.LeaseQueryStatus || r.Type() == dhcp4.TLS
			if last := i == len(list)-1; last != end ||
				!last && (r.Type() == dhcp4.LeaseActive) != active || !last && !active && r.Type() != dhcp4.LeaseUnassigned {
				t.Fatalf("message %d of %d: %s", i, len(list), r.Line(nil))
			}
		}
	})
}
