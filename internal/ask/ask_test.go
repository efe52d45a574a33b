package ask

import (
	"bytes"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

// TestL12_R7_Query has a row for each kind of key, and the sentences of RFC 4388
// section 6.2, RFC 6148 section 4.1 and RFC 6926 section 7.2 about it.
func TestL12_R7_Query(t *testing.T) {
	hw := pool.HW{Type: 1, Len: 6, Addr: [16]byte{2, 0, 0, 0, 0, 1}}
	for _, c := range []struct {
		name      string
		k         Key
		giaddr    netip.Addr
		typ       dhcp4.Type
		ciaddr    string
		hlen      uint8
		id, agent string
	}{
		{"by address: htype, hlen, chaddr zero, no option 61", Key{Addr: ip("10.0.0.7")}, ip("10.0.0.2"),
			dhcp4.LeaseQuery, "10.0.0.7", 0, "", ""},
		{"by MAC: ciaddr zero, no option 61", Key{HW: hw}, ip("10.0.0.2"), dhcp4.LeaseQuery, "0.0.0.0", 6, "", ""},
		{"by client ID: ciaddr, htype, hlen, chaddr zero", Key{ID: []byte{0, 1}}, ip("10.0.0.2"),
			dhcp4.LeaseQuery, "0.0.0.0", 0, "\x00\x01", ""},
		{"by remote ID: option 82 that has only that", Key{Remote: []byte("r")}, ip("10.0.0.2"),
			dhcp4.LeaseQuery, "0.0.0.0", 0, "", "\x02\x01r"},
		{"bulk by remote ID", Key{Remote: []byte("r")}, netip.Addr{}, dhcp4.BulkLeaseQuery, "0.0.0.0", 0, "", "\x02\x01r"},
		{"bulk by relay ID", Key{Relay: []byte("me")}, netip.Addr{}, dhcp4.BulkLeaseQuery, "0.0.0.0", 0, "", "\x0c\x02me"},
		{"bulk for all: no primary query", Key{}, netip.Addr{}, dhcp4.BulkLeaseQuery, "0.0.0.0", 0, "", ""},
	} {
		var m, wire dhcp4.Message
		c.k.Query(&m, 7, c.giaddr)
		b, left := m.Append(nil, dhcp4.MinLimit)
		if err := wire.Parse(b); err != nil || !left.Empty() {
			t.Fatalf("%s: %v, %v left out", c.name, err, left)
		}
		giaddr := c.giaddr
		if !giaddr.IsValid() {
			giaddr = netip.IPv4Unspecified()
		}
		if wire.Op != dhcp4.BootRequest || wire.Type() != c.typ || wire.Xid != 7 || wire.Giaddr != giaddr ||
			wire.Ciaddr != ip(c.ciaddr) || wire.Hlen != c.hlen || (wire.Htype == 0) != (c.hlen == 0) ||
			(wire.Chaddr == [16]byte{}) != (c.hlen == 0) || !wire.Yiaddr.IsUnspecified() || !wire.Siaddr.IsUnspecified() ||
			string(wire.Options.Get(dhcp4.ClientID)) != c.id || wire.Options.Has(dhcp4.ClientID) != (c.id != "") ||
			string(wire.Options.Get(dhcp4.RelayAgent)) != c.agent || wire.Options.Has(dhcp4.RelayAgent) != (c.agent != "") {
			t.Errorf("%s: %s", c.name, wire.Dump(nil, dhcp4.Builtin()))
		}
		want := wire.Options.Get(dhcp4.ParameterList)
		need := []dhcp4.Code{dhcp4.LeaseTime, dhcp4.RelayAgent, dhcp4.LastTransaction}
		if c.typ == dhcp4.BulkLeaseQuery { // section 7.2: SHOULD contain these
			need = append(need, dhcp4.BaseTime, dhcp4.StateTime, dhcp4.DHCPState, dhcp4.DataSource)
		}
		for _, code := range need {
			if !bytes.Contains(want, []byte{byte(code)}) {
				t.Errorf("%s: option %d is not asked for", c.name, code)
			}
		}
		if c.k.All() != (c.name == "bulk for all: no primary query") {
			t.Errorf("%s: All is %v", c.name, c.k.All())
		}
	}
}

const now = pool.Time(1_000_000)

func reply(typ dhcp4.Type, change func(m *dhcp4.Message)) *dhcp4.Message {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootReply)
	m.SetType(typ)
	m.Ciaddr = ip("10.0.0.7")
	if change != nil {
		change(m)
	}
	return m
}

func TestL12_R7_Answer(t *testing.T) {
	full := func(m *dhcp4.Message) {
		m.Htype, m.Hlen, m.Chaddr = 1, 6, [16]byte{2, 0, 0, 0, 0, 1}
		m.Options.PutUint32(dhcp4.LeaseTime, 3600)
		m.Options.PutUint32(dhcp4.LastTransaction, 100)
		m.Options.PutUint32(dhcp4.StateTime, 200)
		m.Options.PutAddr(dhcp4.ServerID, ip("10.0.0.1"))
		m.Options.PutUint8(dhcp4.DataSource, 0xff)
	}
	var a Answer
	if !a.Read(reply(dhcp4.LeaseActive, full), now) || a.Addr != ip("10.0.0.7") || a.Told != now+3600 || a.Last != now-100 ||
		a.Since != now-200 || !a.Far || a.Server != ip("10.0.0.1") || a.State != pool.Bound || a.Lease != dhcp4.Active ||
		string(a.ID) != "\x01\x02\x00\x00\x00\x00\x01" || a.HW.Len != 6 {
		t.Errorf("%+v", a)
	}
	for _, c := range []struct {
		name string
		m    *dhcp4.Message
		ok   bool
		want dhcp4.LeaseState
	}{
		// RFC 6926 section 6.2.7: ACTIVE is assumed, whatever there is.
		{"ACTIVE", reply(dhcp4.LeaseActive, nil), true, dhcp4.Active},
		{"ACTIVE that says EXPIRED", reply(dhcp4.LeaseActive, func(m *dhcp4.Message) { m.Options.PutUint8(dhcp4.DHCPState, 3) }), true, dhcp4.Active},
		{"UNASSIGNED", reply(dhcp4.LeaseUnassigned, nil), true, 0},
		{"UNASSIGNED, RESET", reply(dhcp4.LeaseUnassigned, func(m *dhcp4.Message) { m.Options.PutUint8(dhcp4.DHCPState, 6) }), true, dhcp4.Reset},
		{"UNKNOWN", reply(dhcp4.LeaseUnknown, func(m *dhcp4.Message) { m.Ciaddr = netip.IPv4Unspecified() }), true, 0},
		{"UNKNOWN with options, as Kea has it", reply(dhcp4.LeaseUnknown, full), true, 0},
		{"of no address", reply(dhcp4.LeaseActive, func(m *dhcp4.Message) { m.Ciaddr = netip.IPv4Unspecified() }), false, dhcp4.Active},
		{"of all addresses", reply(dhcp4.LeaseUnassigned, func(m *dhcp4.Message) { m.Ciaddr = dhcp4.Everyone }), false, 0},
		{"an ACK", reply(dhcp4.ACK, full), false, 0},
		{"the end", reply(dhcp4.LeaseQueryDone, full), false, 0},
	} {
		if ok := a.Read(c.m, now); ok != c.ok || a.Lease != c.want {
			t.Errorf("%s: %v, %+v", c.name, ok, a)
		}
	}
	if a.Read(reply(dhcp4.LeaseActive, func(m *dhcp4.Message) {
		m.Options.PutUint32(dhcp4.LeaseTime, dhcp4.Infinite)
		m.Options.PutUint32(dhcp4.LastTransaction, dhcp4.Infinite)
		m.Options.Put(dhcp4.StateTime, []byte{1})
	}), now); a.Told != pool.Infinite || a.Last != 1 || a.Since != 0 || a.ID != nil {
		t.Errorf("%+v", a)
	}
}

// TestL12_Never: a state since 1970 by the server's clock is one that always was.
func TestL12_Never(t *testing.T) {
	var a Answer
	if a.Read(reply(dhcp4.LeaseUnassigned, func(m *dhcp4.Message) {
		m.Options.PutUint32(dhcp4.BaseTime, 1_700_000_000)
		m.Options.PutUint32(dhcp4.StateTime, 1_700_000_000)
	}), now); a.Since != 0 {
		t.Errorf("since %d", a.Since)
	}
}

// TestR7_Better: RFC 6926 section 7.6, RFC 4388 section 6.8.
func TestR7_Better(t *testing.T) {
	record := func(last, since pool.Time) (r pool.Record) {
		r.Last, r.Since = last, since
		return r
	}
	for _, c := range []struct {
		name     string
		new, old pool.Record
		far      bool
		want     bool
	}{
		{"both have a last transaction: the later", record(20, 0), record(10, 90), false, true},
		{"and not the earlier", record(10, 90), record(20, 0), false, false},
		{"one has: against the start of the other's state", record(20, 0), record(0, 10), false, true},
		{"the other has", record(0, 10), record(20, 0), false, false},
		{"neither: the later start of the state", record(0, 20), record(0, 10), true, true},
		{"neither, earlier", record(0, 10), record(0, 20), false, false},
		{"the same: what is the server's own", record(10, 0), record(10, 0), false, true},
		{"the same, from another server", record(10, 0), record(10, 0), true, false},
	} {
		a := Answer{Record: c.new, Far: c.far}
		if a.Better(&c.old) != c.want {
			t.Errorf("%s: %v", c.name, !c.want)
		}
	}
}

// TestL12_R7_Skew: RFC 6926 section 7.4: times count from the base-time, on the
// server's clock, however late the message comes.
func TestL12_R7_Skew(t *testing.T) {
	var s Skew
	for i, c := range []struct {
		base     uint32 // 0 for none
		at, want pool.Time
	}{
		{0, 5000, 5000},
		{1_000_000, 5000, 5000}, // the server's clock is far ahead
		{1_000_003, 5003, 5003},
		{1_000_003, 5010, 5003}, // seven seconds in a buffer
		{1_000_020, 5018, 5018}, // and two before that
		{1_000_020, 5030, 5018},
		{0, 5031, 5031},
		{1, 5032, 1 - 1_000_020 + 5018}, // a clock that was set: that is long ago
	} {
		var m dhcp4.Message
		m.Reset(dhcp4.BootReply)
		if c.base != 0 {
			m.Options.PutUint32(dhcp4.BaseTime, c.base)
		}
		if got := s.Written(&m, c.at); got != c.want {
			t.Errorf("%d: %d, want %d", i, got, c.want)
		}
	}
}

// FuzzAnswer: whatever a server says, it is read.
func FuzzAnswer(f *testing.F) {
	b, _ := reply(dhcp4.LeaseActive, nil).Append(nil, dhcp4.MinLimit)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var m dhcp4.Message
		var a Answer
		var s Skew
		if m.Parse(b) != nil {
			return
		}
		at := s.Written(&m, now)
		if !a.Read(&m, at) {
			return
		}
		if a.Type != dhcp4.LeaseUnknown && !dhcp4.IsUnicast(a.Addr) || a.Told != 0 && a.Told < at || a.Last > at || a.Since > at || at > now {
			t.Fatalf("%+v at %d", a, at)
		}
		a.Better(&a.Record)
	})
}
