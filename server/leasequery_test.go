package server

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// concentrator is a world with a relay's clients that was asked nothing yet:
// client 1 on 10.0.1.20 of line "one" with an option 82, for 600 s; client 2,
// on 10.0.0.20 and then also on 10.0.1.21; client 3, whose lease on 10.0.0.21
// has ended; client 4, which has released 10.0.0.22; 10.0.0.23 was declined,
// 10.0.0.24 never used, 10.0.0.25 gleaned by a relay, though of the pool; the
// client with an entry on 10.0.0.99. It is 100 s later.
func concentrator(t testing.TB) *world {
	w := newWorld(t, house, fields("10.0.0.20 10.0.0.21 10.0.0.22 10.0.0.23 10.0.0.24 10.0.0.25 10.0.1.20 10.0.1.21")...)
	w.sentTo("10.0.0.1")
	w.ask(selecting(3, "10.0.0.21"))
	w.now = w.now.Add(2 * time.Hour)
	for _, m := range []*dhcp4.Message{
		selecting(2, "10.0.0.20"), selecting(4, "10.0.0.22"), release(4, "10.0.0.22"),
		selecting(5, "10.0.0.23"), decline(5, "10.0.0.23"), selecting(0x99, "10.0.0.99", text(dhcp4.ClassID, "fixed")),
	} {
		w.ask(m)
	}
	w.table.Apply(&pool.Record{Addr: ip("10.0.0.25"), State: pool.Relayed, Told: pool.Infinite, Client: pool.Client{ID: []byte("g"), HW: hwOf(7)}})
	w.table.Apply(&pool.Record{Addr: ip("10.9.0.25"), State: pool.Relayed, Told: pool.Infinite, Client: pool.Client{ID: []byte("g"), HW: hwOf(7)}})
	relay := giaddr("10.0.1.1")
	w.now = w.now.Add(10 * time.Second)
	w.ask(selecting(2, "10.0.1.21", relay, agentOf("line", "one")))
	w.now = w.now.Add(10 * time.Second)
	w.ask(selecting(1, "10.0.1.20", relay, agentOf("line", "one"), text(dhcp4.ClientID, "\x00cable"),
		text(dhcp4.ClassID, "modem"), text(dhcp4.HostName, "den")))
	w.now = w.now.Add(100 * time.Second)
	w.site.Settings.LeaseQuery = &conf.LeaseQuery{}
	return w
}

// agentOf is option 82 with a circuit ID and a remote ID.
func agentOf(line, id string) mod { return agent(circuit, line, remote, id) }

func agentText(line, id string) string {
	return string(query(agentOf(line, id)).Options.Get(dhcp4.RelayAgent))
}

// query makes a DHCPLEASEQUERY from the access concentrator at 192.168.7.7,
// which is on no network of ours.
func query(mods ...mod) *dhcp4.Message {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootRequest)
	m.Xid, m.Giaddr = 0xabcd, ip("192.168.7.7")
	m.SetType(dhcp4.LeaseQuery)
	for _, f := range mods {
		f(m)
	}
	return m
}

func byMAC(n byte) mod {
	return func(m *dhcp4.Message) { m.Htype, m.Hlen, m.Chaddr = 1, 6, [16]byte{2, 0, 0, 0, 0, n} }
}

func byID(id string) mod     { return text(dhcp4.ClientID, id) }
func byRemote(id string) mod { return agent(remote, id) }

func listed(list ...byte) mod { return option(dhcp4.ParameterList, list...) }

// all is everything that a concentrator could want.
var all = listed(51, 58, 59, 91, 61, 82, 60, 92, 12, 3, 54, 1, 53, 50, 255, 0)

// TestQ1_Answers: a row for each sentence of RFC 4388 section 6.3, 6.4 and of
// RFC 6148 section 4 that says which answer there is. Silence is "drop".
func TestQ1_Answers(t *testing.T) {
	const to = " to 192.168.7.7:67"
	const unassigned, unknown, active = "DHCPLEASEUNASSIGNED" + to, "DHCPLEASEUNKNOWN" + to, "DHCPLEASEACTIVE" + to
	for _, c := range []struct {
		section string // and what it says there
		mods    []mod
		want    string
	}{
		{"6.3: MUST have a non-zero giaddr", []mod{ciaddr("10.0.0.20"), giaddr("0.0.0.0")}, "drop"},
		{"6.4.3: zero giaddr, MUST NOT reply", []mod{byMAC(1), giaddr("0.0.0.0")}, "drop"},
		{"6.3: exactly one, not none", nil, "drop"},
		{"6.3: exactly one, not address and MAC", []mod{ciaddr("10.0.0.20"), byMAC(2)}, "drop"},
		{"6.3: exactly one, not address and client ID", []mod{ciaddr("10.0.0.20"), byID("\x00cable")}, "drop"},
		{"6.3: exactly one, not MAC and client ID", []mod{byMAC(1), byID("\x00cable")}, "drop"},
		{"6.3: exactly one, not all", []mod{ciaddr("10.0.0.20"), byMAC(1), byID("\x00cable")}, "drop"},
		{"6.3: MUST implement by IP address", []mod{ciaddr("10.0.0.20")}, active},
		{"6.3: MUST implement by MAC address", []mod{byMAC(1)}, active},
		{"6.3: MUST implement by client ID", []mod{byID("\x00cable")}, active},
		{"6.3: giaddr MUST NOT restrict: another network of ours", []mod{ciaddr("10.0.0.20"), giaddr("10.0.1.1")}, "DHCPLEASEACTIVE to 10.0.1.1:67"},
		{"6.4: MUST be ACTIVE when leased", []mod{ciaddr("10.0.1.20")}, active},
		{"6.4: MUST be ACTIVE when leased, fixed", []mod{ciaddr("10.0.0.99")}, active},
		{"6.4: MUST be UNASSIGNED without active lease: never used", []mod{ciaddr("10.0.0.24")}, unassigned},
		{"6.4: ended", []mod{ciaddr("10.0.0.21")}, unassigned},
		{"6.4: released", []mod{ciaddr("10.0.0.22")}, unassigned},
		{"6.4: declined", []mod{ciaddr("10.0.0.23")}, unassigned},
		{"6.4: a client entry's, never used", []mod{ciaddr("10.0.1.99")}, unassigned},
		{"R6: of the pool, but a relay saw it with another server's lease", []mod{ciaddr("10.0.0.25")}, unassigned},
		{"R6: only gleaned", []mod{ciaddr("10.9.0.25")}, unknown},
		{"R6: only gleaned, by MAC", []mod{byMAC(7)}, unknown},
		{"R6: only gleaned, by client ID", []mod{byID("g")}, unknown},
		{"6.4.1: not managed, UNKNOWN", []mod{ciaddr("10.0.0.26")}, unknown},
		{"6.4.1: not managed, UNKNOWN: our own address", []mod{ciaddr("10.0.0.1")}, unknown},
		{"6.4: by MAC, no lease: UNKNOWN", []mod{byMAC(9)}, unknown},
		{"6.4: by MAC, lease ended: UNKNOWN", []mod{byMAC(3)}, unknown},
		{"6.4: by MAC, lease released: UNKNOWN", []mod{byMAC(4)}, unknown},
		{"6.4: by MAC, address declined: UNKNOWN", []mod{byMAC(5)}, unknown},
		{"6.4: by MAC of another type", []mod{byMAC(1), func(m *dhcp4.Message) { m.Htype = 6 }}, unknown},
		{"6.4: by client ID that nobody has", []mod{byID("\x00cabl")}, unknown},
		{"6.4: by an empty client ID", []mod{byID("")}, unknown},
		{"RFC 6148 4: MUST be ACTIVE", []mod{byRemote("one")}, active},
		{"RFC 6148 4: otherwise MUST be UNKNOWN", []mod{byRemote("on")}, unknown},
		{"RFC 6148 4.1: only a remote ID", []mod{agentOf("line", "one")}, "drop"},
		{"RFC 6148 4.1: only a remote ID, not none", []mod{text(dhcp4.RelayAgent, "\x01\x01x")}, "drop"},
		{"RFC 6148 4.1: cut short", []mod{text(dhcp4.RelayAgent, "\x02\x09one")}, "drop"},
		{"RFC 6148 5: with an address it is by address", []mod{ciaddr("10.0.0.24"), byRemote("one")}, unassigned},
		{"RFC 6148 5: with a MAC it is by MAC", []mod{byMAC(9), byRemote("one")}, unknown},
		{"RFC 6148 5: with a client ID it is by that", []mod{byID("x"), agentOf("line", "one")}, unknown},
	} {
		w := concentrator(t)
		a := w.ask(query(c.mods...))
		if a.did != c.want {
			t.Errorf("%s: got %s, want %s", c.section, a.did, c.want)
		}
		if a.reply == nil {
			continue
		}
		if a.reply.Xid != 0xabcd || a.send.To.Source != ip("10.0.0.1") || a.send.To.Raw {
			t.Errorf("%s: %+v", c.section, a.send.To)
		}
		if a.reply.Type() == dhcp4.LeaseActive {
			continue
		}
		// "MUST NOT include other DHCP options"; "No other options are returned".
		want := "53"
		if _, n := key(a.reply); n == 0 && a.reply.Ciaddr.IsUnspecified() && a.reply.Type() == dhcp4.LeaseUnknown &&
			!query(c.mods...).Options.Has(dhcp4.ClientID) {
			want = "53 82" // RFC 6148 section 4.3: MUST echo option 82
		}
		if got := codes(&a.reply.Options); got != want {
			t.Errorf("%s: options %s, want %s", c.section, got, want)
		}
	}
}

// TestQ1_WhichAddress: RFC 4388 section 6.4.1 and RFC 6148 section 4.4.
func TestQ1_WhichAddress(t *testing.T) {
	for _, c := range []struct {
		section string
		mod     mod
		want    string // ciaddr, and associated-ip
		mac     byte
	}{
		{"the address asked for MUST be in ciaddr", ciaddr("10.0.0.99"), "10.0.0.99", 0x99},
		{"a single address MUST be in ciaddr", byMAC(1), "10.0.1.20", 1},
		{"of several MUST be that of the most recent transaction", byMAC(2), "10.0.1.21 10.0.1.21 10.0.0.20", 2},
		{"likewise by client ID", byID("\x01\x02\x00\x00\x00\x00\x02"), "10.0.1.21 10.0.1.21 10.0.0.20", 2},
		{"likewise by remote ID, whoever the clients are", byRemote("one"), "10.0.1.20 10.0.1.20 10.0.1.21", 1},
		{"6.4.2: all the client's addresses MUST be in 92, by address too", ciaddr("10.0.0.20"), "10.0.0.20 10.0.0.20 10.0.1.21", 2},
	} {
		w := concentrator(t)
		r := w.ask(query(c.mod)).reply
		list, _ := r.Options.Addrs(nil, dhcp4.AssociatedIP)
		got := []string{r.Ciaddr.String()}
		for _, a := range list {
			got = append(got, a.String())
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.section, got, c.want)
		}
		// 6.4.2: the MAC address MUST be that of the client.
		if r.Htype != 1 || r.Hlen != 6 || r.Chaddr != [16]byte{2, 0, 0, 0, 0, c.mac} {
			t.Errorf("%s: MAC %x", c.section, r.HW())
		}
	}
	// A renewal of the older one makes that the most recent.
	w := concentrator(t)
	w.ask(renewing(2, "10.0.0.20"))
	if r := w.ask(query(byMAC(2))).reply; r.Ciaddr != ip("10.0.0.20") {
		t.Errorf("after a renewal: %v", r.Ciaddr)
	}
	// And when one is given back there is no more than the other.
	w.ask(release(2, "10.0.0.20"))
	if r := w.ask(query(byMAC(2))).reply; r.Ciaddr != ip("10.0.1.21") || r.Options.Has(dhcp4.AssociatedIP) {
		t.Errorf("after a release: %v", r.Line(nil))
	}
}

// TestQ2_Options: RFC 4388 section 6.4.2, option by option. What is told of
// client 1 is in hexadecimal; it has had 100 of 600 s.
func TestQ2_Options(t *testing.T) {
	den := hex.EncodeToString([]byte("den"))
	line := hex.EncodeToString([]byte(agentText("line", "one")))
	for _, c := range []struct {
		section string
		at      time.Duration
		list    mod
		show    []dhcp4.Code
		want    string // but for 53 and 54
	}{
		{"51 MUST be the time that remains", 0, listed(51), nil, "51=000001f4"},
		{"58 SHOULD be what remains, if not past", 0, listed(58), nil, "58=000000c8"},
		{"59 likewise", 0, listed(59), nil, "59=000001a9"},
		{"58 in the past MUST NOT", 200 * time.Second, listed(51, 58, 59), nil, "51=0000012c 59=000000e1"},
		{"59 in the past MUST NOT", 430 * time.Second, listed(51, 58, 59), nil, "51=00000046"},
		{"91 MUST be seconds in the past", 7 * time.Second, listed(91), nil, "91=0000006b"},
		{"61 SHOULD be returned", 0, listed(61), nil, "61=006361626c65"},
		{"82 MUST be the most recent one", 0, listed(82), nil, "82=" + line},
		{"60 is stored", 0, listed(60), nil, "60=6d6f64656d"},
		{"92 asked for, and only one address", 0, listed(92), nil, "92=0a000114"},
		{"others only if they are not sensitive", 0, listed(3, 12, 15), nil, ""},
		{"others SHOULD be returned if they are not sensitive", 0, listed(12, 3, 1), []dhcp4.Code{3, 12}, "12=" + den + " 3=0a0001fe"},
		{"never what is of the protocol", 0, listed(50, 53, 54, 55, 57, 52, 0, 255), []dhcp4.Code{50, 53, 54, 55, 57}, ""},
		{"6.2: without a list, as to a DHCPREQUEST", 0, mods(), nil, "51=000001f4 58=000000c8 59=000001a9 61=006361626c65 82=" + line},
		{"6.2: and what may be shown", 0, mods(), []dhcp4.Code{3, 6}, "51=000001f4 58=000000c8 59=000001a9 61=006361626c65 3=0a0001fe 82=" + line},
		{"a list of nothing that we know", 0, listed(150, 151, 152), nil, ""},
	} {
		w := concentrator(t)
		w.now = w.now.Add(c.at)
		for _, s := range c.show {
			w.site.Settings.LeaseQuery.Show.Add(s)
		}
		r := w.ask(query(ciaddr("10.0.1.20"), c.list)).reply
		if r == nil || r.Type() != dhcp4.LeaseActive {
			t.Fatalf("%s: no DHCPLEASEACTIVE", c.section)
		}
		var got []string
		for o, v := range r.Options.All() {
			if o != dhcp4.MessageType && o != dhcp4.ServerID {
				got = append(got, strconv.Itoa(int(o))+"="+hex.EncodeToString(v))
			}
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.section, got, c.want)
		}
		if a, err := r.Options.Addr(dhcp4.ServerID); err != nil || a != ip("10.0.0.1") {
			t.Errorf("%s: server ID %v %v", c.section, a, err)
		}
	}
}

// mods is several at once.
func mods(list ...mod) mod {
	return func(m *dhcp4.Message) {
		for _, f := range list {
			f(m)
		}
	}
}

// TestQ2_Timers: T1 and T2 as the config has them, and none of a lease without
// end; a lease that was never renewed since an old version has no times.
func TestQ2_Timers(t *testing.T) {
	w := concentrator(t)
	r := w.ask(query(ciaddr("10.0.0.20"), listed(51, 58, 59))).reply // 120 of 3600 s, T1 1800, T2 3150
	for c, want := range map[dhcp4.Code]uint32{51: 3480, 58: 1680, 59: 3030} {
		if got, _ := r.Options.Uint32(c); got != want {
			t.Errorf("option %d is %d, want %d", c, got, want)
		}
	}
	old, _ := w.table.ByAddr(ip("10.0.0.20"))
	old.Last = 0
	w.table.Apply(&old)
	if r := w.ask(query(ciaddr("10.0.0.20"), listed(51, 58, 59, 91))).reply; codes(&r.Options) != "53 54 51 92" {
		t.Errorf("without the last transaction: %s", codes(&r.Options))
	}
	old.Told, old.Last = pool.Infinite, 1
	w.table.Apply(&old)
	r = w.ask(query(ciaddr("10.0.0.20"), listed(51, 58, 59))).reply
	if n, _ := r.Options.Uint32(51); n != dhcp4.Infinite || codes(&r.Options) != "53 54 51 92" {
		t.Errorf("infinite: %s, %d", codes(&r.Options), n)
	}
}

// TestQ2_NoMoreThanTheLease: fractions of a second never make what is left more
// than the client was told.
func TestQ2_NoMoreThanTheLease(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20").sentTo("10.0.0.1")
	w.site.Settings.LeaseQuery = &conf.LeaseQuery{}
	for n := range 20 {
		w.now = w.now.Add(time.Duration(n) * 50 * time.Millisecond)
		w.ask(renewing(9, "10.0.0.20"))
		w.ask(selecting(9, "10.0.0.20"))
		for later := time.Duration(0); later < 2*time.Second; later += 100 * time.Millisecond {
			granted := w.now
			w.now = w.now.Add(later)
			r := w.ask(query(ciaddr("10.0.0.20"), listed(51))).reply
			left, _ := r.Options.Uint32(51)
			if exact := 3600 - later.Seconds(); float64(left) > exact+1 || left > 3600 || float64(left) < exact-1 {
				t.Errorf("%v after the ACK: %d s left", later, left)
			}
			w.now = granted
		}
	}
}

// TestQ2_SavedAgent: "the DHCP server MUST use the saved Relay Agent Information
// option just like it did when responding to the DHCP client".
func TestQ2_SavedAgent(t *testing.T) {
	w := concentrator(t)
	w.configure(house + `host 10.0.1.0/24 { circuit "line" { gateway 10.0.1.77; }; class modem { domain m.example; }; };`)
	w.site.Settings.LeaseQuery.Show.Add(3)
	w.site.Settings.LeaseQuery.Show.Add(15)
	r := w.ask(query(ciaddr("10.0.1.20"), listed(3, 15))).reply
	if a, err := r.Options.Addr(3); err != nil || a != ip("10.0.1.77") {
		t.Errorf("gateway %v %v", a, err)
	}
	if s, _ := r.Options.Text(15); s != "m.example" {
		t.Errorf("domain %q", s)
	}
}

// TestQ4_MayAsk: off unless set, and limited to those named, by giaddr.
func TestQ4_MayAsk(t *testing.T) {
	w := concentrator(t)
	w.site.Settings.LeaseQuery = nil
	w.want(query(ciaddr("10.0.0.20")), "drop")
	w.site.Settings.LeaseQuery = &conf.LeaseQuery{Limited: true, From: []netip.Addr{ip("192.168.7.8"), ip("192.168.7.9")}}
	w.want(query(ciaddr("10.0.0.20")), "drop")
	w.want(query(ciaddr("10.0.0.20"), giaddr("192.168.7.9")), "DHCPLEASEACTIVE to 192.168.7.9:67")
	w.site.Settings.LeaseQuery = &conf.LeaseQuery{Limit: 2}
	for second := range 3 {
		for n := range 4 {
			want := "DHCPLEASEACTIVE to 192.168.7.7:67"
			if n >= 2 {
				want = "drop"
			}
			if got := w.ask(query(ciaddr("10.0.0.20"))).did; got != want {
				t.Errorf("query %d of second %d: %s", n, second, got)
			}
		}
		w.now = w.now.Add(time.Second)
	}
	w.table.SetShut(true)
	w.want(query(ciaddr("10.0.0.20")), "drop")
	var got []string
	for what, n := range w.srv.Counts().All {
		if strings.Contains(what, "query") || strings.Contains(what, "queries") || strings.Contains(what, "corrupt") {
			got = append(got, strconv.FormatUint(n, 10)+" "+what)
		}
	}
	want := "1 dropped: the pool table is corrupt; 1 dropped: leasequeries are not answered on this network; " +
		"1 dropped: a leasequery from a host that may not ask; 6 dropped: more leasequeries in one second than the limit allows"
	if got := strings.Join(got, "; "); got != want {
		t.Errorf("counted %s", got)
	}
}

// TestQ2_ManyAddresses: as many addresses of a line as the asker takes.
func TestQ2_ManyAddresses(t *testing.T) {
	w := concentrator(t)
	for n := range 1000 {
		a := netip.AddrFrom4([4]byte{10, 0, byte(8 + n/250), byte(n % 250)})
		w.table.Apply(&pool.Record{Addr: a, State: pool.Bound, Told: pool.Time(w.now.Unix() + 60),
			Client: pool.Client{ID: []byte{9, byte(n >> 8), byte(n)}}, Extra: pool.Extra{Last: pool.Time(n), Agent: []byte(agentText("c", "many"))}})
	}
	for size, want := range map[uint32]int{0: 50, 1500: 250} {
		m := query(byRemote("many"), listed(51, 82, 61))
		if size > 0 {
			m.Options.PutUint16(dhcp4.MaxSize, uint16(size))
		}
		r := w.ask(m).reply // which also looks that nothing was left out
		list, _ := r.Options.Addrs(nil, dhcp4.AssociatedIP)
		if len(list) < want || list[0] != r.Ciaddr || r.Ciaddr != ip("10.0.11.249") {
			t.Errorf("%d addresses, want %d or more; ciaddr %v", len(list), want, r.Ciaddr)
		}
	}
}

// TestQ1_NoAllocation: a flood of queries costs no memory.
func TestQ1_NoAllocation(t *testing.T) {
	w := concentrator(t)
	w.site.Settings.LeaseQuery.Show.Add(3)
	for _, m := range []*dhcp4.Message{
		query(ciaddr("10.0.1.20"), all), query(ciaddr("10.0.0.24"), all), query(ciaddr("10.0.0.1"), all),
		query(byMAC(2), all), query(byID("\x00cable"), all), query(byRemote("one"), all), query(),
	} {
		w.ask(m)
		if n := testing.AllocsPerRun(20, func() { w.srv.Decide(w.now, w.cfg, &w.site, w.table, m) }); n > 0 {
			t.Errorf("%s: %v allocations", m.Line(nil), n)
		}
	}
}

// TestQ1_Octets: a query laid down octet by octet, and the answer.
func TestQ1_Octets(t *testing.T) {
	w := concentrator(t)
	q := make([]byte, 240, 300)
	q[0] = 1                          // BOOTREQUEST; htype, hlen, hops zero
	copy(q[4:], "\x01\x02\x03\x04")   // xid
	copy(q[12:], "\x0a\x00\x01\x14")  // ciaddr: 10.0.1.20
	copy(q[24:], "\xc0\xa8\x07\x07")  // giaddr: 192.168.7.7
	copy(q[236:], "\x63\x82\x53\x63") // cookie
	q = append(q, 53, 1, 10, 55, 2, 51, 91, 255)
	m := new(dhcp4.Message)
	if err := m.Parse(q); err != nil {
		t.Fatal(err)
	}
	w.ask(m)
	want := make([]byte, 240, 300)
	copy(want, "\x02\x01\x06\x00\x01\x02\x03\x04") // BOOTREPLY, Ethernet, 6, hops 0, xid
	copy(want[12:], "\x0a\x00\x01\x14")            // ciaddr
	copy(want[24:], "\xc0\xa8\x07\x07")            // giaddr
	copy(want[28:], "\x02\x00\x00\x00\x00\x01")    // chaddr
	copy(want[236:], "\x63\x82\x53\x63")
	want = append(want, 53, 1, 13, 54, 4, 10, 0, 0, 1, 51, 4, 0, 0, 1, 0xf4, 91, 4, 0, 0, 0, 100, 255)
	if want = want[:300]; !bytes.Equal(w.buf, want) {
		t.Errorf("got\n%x\nwant\n%x", w.buf, want)
	}
}

// FuzzLeaseQuery: whatever is asked, what is told is true.
func FuzzLeaseQuery(f *testing.F) {
	for _, m := range []*dhcp4.Message{
		query(ciaddr("10.0.1.20"), all), query(ciaddr("10.0.0.20"), all), query(byMAC(2), all), query(byID("\x00cable")),
		query(byRemote("one"), all), query(agentOf("a", "one")), query(ciaddr("10.0.0.24"), byMAC(1)),
	} {
		b, _ := m.Append(nil, 1500)
		f.Add(b)
	}
	w := concentrator(f)
	w.site.Settings.LeaseQuery.Show = dhcp4.Set{1: ^uint64(0), 0: ^uint64(0), 3: ^uint64(0)}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := new(dhcp4.Message)
		if m.Parse(b) != nil {
			return
		}
		m.SetType(dhcp4.LeaseQuery)
		m.Op = dhcp4.BootRequest
		for _, x := range w.srv.Decide(w.now, w.cfg, &w.site, w.table, m) {
			if x.Verb == act.Note {
				continue
			}
			r := new(dhcp4.Message)
			out, _ := x.Msg.Append(nil, x.Limit)
			if err := r.Parse(out); err != nil || x.Verb != act.Send || x.To.Addr != m.Giaddr || r.Xid != m.Xid {
				t.Fatalf("%+v: %v", x, err)
			}
			lease, known := w.table.ByAddr(r.Ciaddr)
			active := known && runs(&lease, pool.Time(w.now.Unix()))
			switch typ := r.Type(); {
			case typ == dhcp4.LeaseActive && active && bytes.Equal(r.HW(), lease.HW.Addr[:lease.HW.Len]):
			case typ == dhcp4.LeaseUnassigned && !active && (w.table.Member(r.Ciaddr) || w.cfg.Reserved(r.Ciaddr)) && r.Options.Len() == 1:
			case typ == dhcp4.LeaseUnknown && !active && r.Options.Len() <= 2:
			default:
				t.Fatalf("%s about %+v", r.Line(nil), lease)
			}
		}
	})
}
