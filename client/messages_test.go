package client

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// obeysTables checks a message that was sent against RFC 2131 tables 4 and 5,
// and that it reads back as it was. Phase is the one after the sending.
func obeysTables(t testing.TB, p Phase, a act.Action) {
	t.Helper()
	wire, left := a.Msg.Append(nil, a.Limit)
	if !left.Empty() {
		t.Errorf("%v: options left out: %v", a.Msg.Type(), left)
	}
	m := new(dhcp4.Message)
	if err := m.Parse(wire); err != nil {
		t.Errorf("%v: %v", a.Msg.Type(), err)
		return
	}
	if m.Op != dhcp4.BootRequest || m.Htype != 1 || m.Hlen != 6 || m.Hops != 0 || m.Flags != 0 ||
		m.Yiaddr != noAddr || m.Siaddr != noAddr || m.Giaddr != noAddr || m.SnameText()+m.FileText() != "" {
		t.Errorf("%v: fixed fields: %+v", m.Type(), m)
	}
	if a.To.Port != dhcp4.ServerPort || a.To.Source != m.Ciaddr {
		t.Errorf("%v goes from %v to port %d, ciaddr %v", m.Type(), a.To.Source, a.To.Port, m.Ciaddr)
	}
	row := rowOf(t, p, m.Type())
	for c, want := range row.options {
		if m.Options.Has(c) != want {
			t.Errorf("%v in %v: option %d is there: %v", m.Type(), p, c, !want)
		}
	}
	if m.Ciaddr.IsUnspecified() == row.ciaddr {
		t.Errorf("%v in %v: ciaddr %v", m.Type(), p, m.Ciaddr)
	}
	everyone := a.To.Addr == netip.MustParseAddr("255.255.255.255")
	if everyone == row.unicast || a.To.Raw == row.unicast {
		t.Errorf("%v in %v goes to %+v", m.Type(), p, a.To)
	}
}

// row is a column of RFC 2131 tables 4 and 5: which options MUST and MUST NOT
// be there, whether ciaddr is filled in, whether it is unicast.
type row struct {
	options map[dhcp4.Code]bool
	ciaddr  bool
	unicast bool
}

func rowOf(t testing.TB, p Phase, typ dhcp4.Type) row {
	t.Helper()
	const (
		requested, lease, serverID = dhcp4.RequestedAddress, dhcp4.LeaseTime, dhcp4.ServerID
		list, size, class, text    = dhcp4.ParameterList, dhcp4.MaxSize, dhcp4.ClassID, dhcp4.MessageText
	)
	switch {
	case typ == dhcp4.Discover && p == Selecting:
		return row{options: map[dhcp4.Code]bool{serverID: false, list: true, text: false}}
	case typ == dhcp4.Request && p == Requesting:
		return row{options: map[dhcp4.Code]bool{requested: true, serverID: true, list: true, text: false}}
	case typ == dhcp4.Request && p == Rebooting:
		return row{options: map[dhcp4.Code]bool{requested: true, serverID: false, list: true, text: false}}
	case typ == dhcp4.Request && p == Renewing:
		return row{options: map[dhcp4.Code]bool{requested: false, serverID: false, list: true, text: false},
			ciaddr: true, unicast: true}
	case typ == dhcp4.Request && p == Rebinding:
		return row{options: map[dhcp4.Code]bool{requested: false, serverID: false, list: true, text: false},
			ciaddr: true}
	case typ == dhcp4.Inform && p == Informing:
		return row{options: map[dhcp4.Code]bool{requested: false, lease: false, serverID: false, list: true, text: false},
			ciaddr: true}
	case typ == dhcp4.Release:
		return row{options: map[dhcp4.Code]bool{requested: false, serverID: true,
			lease: false, list: false, size: false, class: false, dhcp4.HostName: false}, ciaddr: true, unicast: true}
	case typ == dhcp4.Decline && p == Init:
		return row{options: map[dhcp4.Code]bool{requested: true, serverID: true, text: true,
			lease: false, list: false, size: false, class: false, dhcp4.HostName: false}}
	}
	t.Errorf("%v sent in %v", typ, p)
	return row{}
}

// sent returns the messages of a step's actions.
func sent(acts []act.Action) (msgs []*dhcp4.Message) {
	for _, a := range acts {
		if a.Verb == act.Send {
			msgs = append(msgs, a.Msg)
		}
	}
	return msgs
}

// TestC10_Table4 checks the differences between the REQUESTs of all phases,
// value by value.
func TestC10_Table4(t *testing.T) {
	everyone := netip.MustParseAddr("255.255.255.255")
	for _, c := range []struct {
		phase            Phase
		to, source       netip.Addr
		serverIP, wanted netip.Addr
		ciaddr           netip.Addr
	}{
		{Rebooting, everyone, noAddr, netip.Addr{}, addr, noAddr},
		{Requesting, everyone, noAddr, server, addr, noAddr},
		{Renewing, server, addr, netip.Addr{}, netip.Addr{}, addr},
		{Rebinding, everyone, addr, netip.Addr{}, netip.Addr{}, addr},
	} {
		r := newRig(t).reach(c.phase)
		_, acts := Step(r.s.Wake, r.s, Event{Kind: Wake, Rand: even(7)})
		if len(acts) != 1 || acts[0].Verb != act.Send {
			t.Errorf("%v: a second try is %q", c.phase, script(acts))
			continue
		}
		m, to := acts[0].Msg, acts[0].To
		gotServer, _ := m.Options.Addr(dhcp4.ServerID)
		gotWanted, _ := m.Options.Addr(dhcp4.RequestedAddress)
		if to.Addr != c.to || to.Source != c.source || gotServer != c.serverIP ||
			gotWanted != c.wanted || m.Ciaddr != c.ciaddr {
			t.Errorf("%v: to %v from %v, server-ip %v, requested-ip %v, ciaddr %v",
				c.phase, to.Addr, to.Source, gotServer, gotWanted, m.Ciaddr)
		}
	}
}

// TestC10_Exchange checks what a REQUEST repeats of its DISCOVER, and that
// each acquisition has an xid of its own.
func TestC10_Exchange(t *testing.T) {
	r := newRig(t)
	r.start(1)
	r.wakeWhenDue(7) // a repeated DISCOVER keeps the xid
	s, acts := Step(r.at(12).now, r.s, Event{Kind: Wake, Rand: even(8)})
	discover := sent(acts)[0]
	s, acts = Step(r.at(13).now, s, Event{Kind: Got, Msg: reply(dhcp4.Offer, 1), Rand: even(9)})
	request := sent(acts)[0]
	if request.Secs != 12 || discover.Secs != 12 || request.Xid != 1 || discover.Xid != 1 {
		t.Errorf("secs %d %d, xid %x %x", discover.Secs, request.Secs, discover.Xid, request.Xid)
	}
	for _, c := range []dhcp4.Code{dhcp4.ParameterList, dhcp4.ClientID, dhcp4.MaxSize, dhcp4.ClassID} {
		if !bytes.Equal(discover.Options.Get(c), request.Options.Get(c)) {
			t.Errorf("option %d: %x %x", c, discover.Options.Get(c), request.Options.Get(c))
		}
	}
	s, acts = Step(s.Wake, s, Event{Kind: Wake, Rand: even(10)})
	if again := sent(acts)[0]; again.Secs != 12 || again.Xid != 1 {
		t.Errorf("repeated: secs %d, xid %x", again.Secs, again.Xid)
	}
	_, acts = Step(r.at(100).now, s, Event{Kind: Wake, Rand: even(11)})
	if anew := sent(acts)[0]; anew.Type() != dhcp4.Discover || anew.Xid != 11 || anew.Secs != 0 {
		t.Errorf("anew: %v xid %x secs %d", anew.Type(), anew.Xid, anew.Secs)
	}
}

// TestC10_Secs: it counts, and it doesn't wrap.
func TestC10_Secs(t *testing.T) {
	r := newRig(t)
	r.start(1)
	for _, c := range []struct {
		at   float64
		secs uint16
	}{{70.9, 70}, {65535, 65535}, {65536, 65535}, {1e9, 65535}} {
		_, acts := Step(r.at(c.at).now, r.s, Event{Kind: Wake, Rand: even(1)})
		if m := sent(acts)[0]; m.Secs != c.secs {
			t.Errorf("after %v s secs is %d", c.at, m.Secs)
		}
	}
	if secs := seconds(-time.Second); secs != 0 {
		t.Errorf("before the beginning secs is %d", secs)
	}
}

// TestC10_Identity checks what the config puts into a DISCOVER.
func TestC10_Identity(t *testing.T) {
	list := func(codes ...byte) []byte { return codes }
	for _, c := range []struct {
		name string
		conf Config
		want map[dhcp4.Code][]byte
	}{
		{"default", Config{}, map[dhcp4.Code][]byte{
			dhcp4.ClientID:      {1, 2, 0, 0, 0, 0, 1},
			dhcp4.ClassID:       []byte("dhcpd"),
			dhcp4.MaxSize:       {5, 0xdc},
			dhcp4.HostName:      nil,
			dhcp4.ParameterList: list(1, 121, 3, 33, 6, 12, 15, 119, 26, 28, 51, 58, 59, 42, 114, 249),
		}},
		{"all set", Config{ClientID: []byte{0xff, 1, 2}, ClassID: "boot", Hostname: "ada",
			Request: []dhcp4.Code{1, 66}, MTU: 9000}, map[dhcp4.Code][]byte{
			dhcp4.ClientID:      {0xff, 1, 2},
			dhcp4.ClassID:       []byte("boot"),
			dhcp4.MaxSize:       {0x23, 0x28},
			dhcp4.HostName:      []byte("ada"),
			dhcp4.ParameterList: list(1, 66),
		}},
		{"small MTU", Config{MTU: 68}, map[dhcp4.Code][]byte{dhcp4.MaxSize: {2, 0x40}}},
		{"huge MTU", Config{MTU: 65536}, map[dhcp4.Code][]byte{dhcp4.MaxSize: {0xff, 0xff}}},
	} {
		c.conf.MAC = ours
		_, acts := Step(t0, State{Config: &c.conf}, Event{Kind: Start, Rand: even(1)})
		m := sent(acts)[0]
		for code, want := range c.want {
			if got := m.Options.Get(code); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: option %d is %x, not %x", c.name, code, got, want)
			}
		}
	}
}
