package server

import (
	"bytes"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

// agent is option 82 made of sub-options: code, value, code, value ...
func agent(parts ...string) mod {
	var b []byte
	for i := 0; i < len(parts); i += 2 {
		b = append(append(b, parts[i][0], byte(len(parts[i+1]))), parts[i+1]...)
	}
	return option(dhcp4.RelayAgent, b...)
}

const (
	circuit  = "\x01"
	remote   = "\x02"
	override = "\x0b"
)

// through is the config with something to tell about lines and switches.
const through = house + `
	circuit "ge-0/0/1" "ge-0/0/2" { NTPserver 10.0.1.11; };
	circuit ge-0/0/10 { NTPserver 10.0.1.12; };
	remote sw7 { domain seven.example; };
	class udhcp { circuit cable { file "udhcp.cfg"; }; };
`

func TestS13_CircuitAndRemoteMatch(t *testing.T) {
	for _, c := range []struct {
		name         string
		mods         []mod
		ntp, domain  string
		file, circID string
	}{
		{name: "no option 82"},
		{name: "a circuit that begins so", mods: []mod{agent(circuit, "ge-0/0/1.100")}, ntp: "10.0.1.11"},
		{name: "the later element wins", mods: []mod{agent(circuit, "ge-0/0/10")}, ntp: "10.0.1.12"},
		{name: "the second name", mods: []mod{agent(circuit, "ge-0/0/2")}, ntp: "10.0.1.11"},
		{name: "case matters", mods: []mod{agent(circuit, "GE-0/0/1")}},
		{name: "not how it begins", mods: []mod{agent(circuit, "x-ge-0/0/1")}},
		{name: "remote", mods: []mod{agent(remote, "sw7/a", circuit, "ge-0/0/2")}, ntp: "10.0.1.11", domain: "seven.example"},
		{name: "a circuit is no remote", mods: []mod{agent(circuit, "sw7")}},
		{name: "within a class", mods: []mod{agent(circuit, "cable 7"), text(dhcp4.ClassID, "udhcp 1")}, file: "udhcp.cfg"},
		{name: "of another class", mods: []mod{agent(circuit, "cable 7"), text(dhcp4.ClassID, "MSFT")}},
		{name: "malformed", mods: []mod{text(dhcp4.RelayAgent, "\x01\x09ge-0/0/1")}},
	} {
		w := newWorld(t, through, "10.0.1.20").sentTo("10.0.0.1")
		a := w.ask(discover(9, append([]mod{giaddr("10.0.1.1")}, c.mods...)...))
		if a.reply == nil {
			t.Errorf("%s: %s", c.name, a.did)
			continue
		}
		o := &a.reply.Options
		ntp := ""
		if x, err := o.Addr(42); err == nil {
			ntp = x.String()
		}
		if got := string(o.Get(dhcp4.DomainName)); ntp != c.ntp || got != c.domain || a.reply.FileText() != c.file {
			t.Errorf("%s: NTP server %q, domain %q, file %q", c.name, ntp, got, a.reply.FileText())
		}
	}
}

// TestS13_Stored: what the relay said is kept with the lease, and a client
// that renews without its help is told the same as before.
func TestS13_Stored(t *testing.T) {
	w := newWorld(t, through, "10.0.1.20").sentTo("10.0.0.1")
	mods := []mod{giaddr("10.0.1.1"), agent(circuit, "ge-0/0/1", remote, "sw7")}
	a := w.want(selecting(9, "10.0.1.20", mods...), "commit bound 10.0.1.20; DHCPACK 10.0.1.20 to 10.0.1.1:67")
	if want := []byte("\x01\x08ge-0/0/1\x02\x03sw7"); !bytes.Equal(a.record.Agent, want) {
		t.Fatalf("stored %q, want %q", a.record.Agent, want)
	}
	a = w.want(renewing(9, "10.0.1.20"), "commit bound 10.0.1.20; DHCPACK 10.0.1.20 to 10.0.1.20:68")
	o := &a.reply.Options
	if string(a.record.Agent) != "\x01\x08ge-0/0/1\x02\x03sw7" || string(o.Get(dhcp4.DomainName)) != "seven.example" {
		t.Errorf("renewed with %q stored, domain %q", a.record.Agent, o.Get(dhcp4.DomainName))
	}
	if o.Has(dhcp4.RelayAgent) {
		t.Error("option 82 to a client that sent none")
	}
	a = w.ask(renewing(8, "10.0.1.20")) // another client has another record
	if a.reply != nil || a.record != nil {
		t.Errorf("a stranger: %s", a.did)
	}
	r, _ := w.table.ByAddr(ip("10.0.1.20"))
	if r.State != pool.Bound || len(r.Agent) == 0 {
		t.Errorf("the record is %v, agent %q", r.State, r.Agent)
	}
	a = w.ask(renewing(9, "10.0.1.20", giaddr("10.0.1.1"), agent(circuit, "elsewhere")))
	if string(a.record.Agent) != "\x01\x09elsewhere" || a.lazy {
		t.Errorf("on another line: stored %q, lazy %v", a.record.Agent, a.lazy)
	}
}

// TestS13_AgentGone: a client that comes to the same network by another way, or
// whose relay says nothing of it any more, is not on its old circuit.
func TestS13_AgentGone(t *testing.T) {
	for _, c := range []struct {
		name string
		to   string
		msg  *dhcp4.Message
		want string
	}{
		{"renewed past the relay", "10.0.0.1", renewing(9, "10.0.1.20"), "\x01\x03ge1"},
		{"renewed through the relay", "10.0.0.1", renewing(9, "10.0.1.20", giaddr("10.0.1.1")), ""},
		{"rebound through a relay that is silent", "10.0.0.1", renewing(9, "10.0.1.20", giaddr("10.0.1.2")), ""},
		{"asked again through it", "10.0.0.1", from(9, dhcp4.Request, serverID("10.0.0.1"), requested("10.0.1.20"), giaddr("10.0.1.2")), ""},
		{"rebound on our own link", "255.255.255.255", renewing(9, "10.0.1.20"), ""},
	} {
		w := newWorld(t, through, "10.0.1.20").sentTo("10.0.0.1")
		w.site.Addrs = prefixes("10.0.0.1/24 10.0.1.9/24")
		w.ask(from(9, dhcp4.Request, serverID("10.0.0.1"), requested("10.0.1.20"), giaddr("10.0.1.1"), agent(circuit, "ge1")))
		a := w.sentTo(c.to).ask(c.msg)
		if a.record == nil || string(a.record.Agent) != c.want || a.lazy != (c.want != "") {
			t.Errorf("%s: %s, record %+v, lazy %v", c.name, a.did, a.record, a.lazy)
		}
	}
}

// TestS13_ServerIDOverride: RFC 5107. The client knows the relay as its
// server, and all that it sends there is for us.
func TestS13_ServerIDOverride(t *testing.T) {
	w := newWorld(t, house, "10.0.1.20").sentTo("10.0.0.1")
	over := []mod{giaddr("10.0.1.1"), agent(circuit, "1", override, "\x0a\x00\x01\x01")}
	with := func(more ...mod) []mod { return append(more, over...) }
	id := func(a answer) string {
		t.Helper()
		if a.reply == nil {
			t.Fatalf("no reply: %s", a.did)
		}
		x, _ := a.reply.Options.Addr(dhcp4.ServerID)
		if a.send.To.Source != ip("10.0.0.1") {
			t.Errorf("%s: sent from %v, which is not ours", a.did, a.send.To.Source)
		}
		return x.String()
	}
	for _, m := range []*dhcp4.Message{
		discover(9, over...),
		from(9, dhcp4.Request, with(serverID("10.0.1.1"), requested("10.0.1.20"))...),
		renewing(9, "10.0.1.20", over...),
		renewing(9, "10.0.1.20"), // past the relay, as last time
		initReboot(9, "10.0.0.50", over...),
	} {
		if got := id(w.ask(m)); got != "10.0.1.1" {
			t.Errorf("%s: server identifier %s", m.Line(nil), got)
		}
	}
	w.want(from(9, dhcp4.Request, serverID("10.0.1.1"), requested("10.0.1.20"), giaddr("10.0.1.1")), "drop") // without the relay's word
	for _, c := range []struct{ value, want string }{
		{"\x00\x00\x00\x00", "10.0.0.1"}, {"\xff\xff\xff\xff", "10.0.0.1"}, {"\x0a\x00\x01", "10.0.0.1"}, {"\x0a\x00\x01\x07", "10.0.1.7"},
	} {
		a := w.ask(discover(9, giaddr("10.0.1.1"), agent(override, c.value)))
		if got := id(a); got != c.want {
			t.Errorf("override %x: server identifier %s, want %s", c.value, got, c.want)
		}
	}
	rel := with(serverID("10.0.1.1"), ciaddr("10.0.1.20"))
	w.want(from(9, dhcp4.Release, rel...), "commit released 10.0.1.20")
	w.ask(from(9, dhcp4.Request, with(serverID("10.0.1.1"), requested("10.0.1.20"))...))
	a := w.ask(from(9, dhcp4.Decline, with(serverID("10.0.1.1"), requested("10.0.1.20"))...))
	if a.record == nil || a.record.State != pool.Abandoned {
		t.Errorf("declined through the relay: %s", a.did)
	}
}

// wire has two netblocks on one cable, a third one elsewhere.
const wire = `
	shared 10.0.0.0/24 10.0.2.0/25 ;
	host 10.0.0.0/24 { DHCPlease 600; gateway 10.0.0.254; };
	host 10.0.2.0/25 { DHCPlease 600; gateway 10.0.2.126; };
	host 10.0.1.0/24 { DHCPlease 600; };
	client 2:0:0:0:0:99 10.0.2.99;
`

func TestS20_SharedWire(t *testing.T) {
	w := newWorld(t, wire, "10.0.0.20", "10.0.2.20", "10.0.1.20")
	w.want(discover(1), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	a := w.want(discover(2), "hold 10.0.2.20; DHCPOFFER 10.0.2.20 to 10.0.2.20:68 raw")
	for c, want := range map[dhcp4.Code]string{
		dhcp4.Netmask: "255.255.255.128", dhcp4.Router: "10.0.2.126", dhcp4.ServerID: "10.0.0.1",
	} {
		if got, err := a.reply.Options.Addr(c); err != nil || got != ip(want) {
			t.Errorf("option %d is %v (%v), want %s", c, got, err, want)
		}
	}
	w.site.Addrs = prefixes("10.0.0.1/24 10.0.2.1/25") // one on each block: the client knows us by its own
	a = w.want(discover(2), "hold 10.0.2.20; DHCPOFFER 10.0.2.20 to 10.0.2.20:68 raw")
	if got, _ := a.reply.Options.Addr(dhcp4.ServerID); got != ip("10.0.2.1") || a.send.To.Source != got {
		t.Errorf("server identifier %v, source %v", got, a.send.To.Source)
	}
	w.site.Addrs = prefixes("10.0.0.1/24")
	w.want(discover(3), "drop") // 10.0.1.20 is on another wire
	w.want(selecting(2, "10.0.2.20"), "commit bound 10.0.2.20; DHCPACK 10.0.2.20 to 10.0.2.20:68 raw")
	w.want(discover(2), "hold 10.0.2.20; DHCPOFFER 10.0.2.20 to 10.0.2.20:68 raw") // its lease, whatever the block
	w.want(initReboot(2, "10.0.0.20"), "refuse; DHCPNAK to 255.255.255.255:68")
	w.want(initReboot(2, "10.0.1.20"), "refuse; DHCPNAK to 255.255.255.255:68")
	w.want(discover(0x99), "DHCPOFFER 10.0.2.99 to 10.0.2.99:68 raw")
	w.want(discover(0x99, giaddr("10.0.0.7")), "DHCPOFFER 10.0.2.99 to 10.0.0.7:67")
	w.want(discover(0x99, giaddr("10.0.1.7")), "hold 10.0.1.20; DHCPOFFER 10.0.1.20 to 10.0.1.7:67")
	w.sentTo("10.0.0.1").want(renewing(2, "10.0.0.50"), "refuse; DHCPNAK to 255.255.255.255:68")
	w.want(renewing(2, "10.0.2.20"), "commit bound 10.0.2.20; DHCPACK 10.0.2.20 to 10.0.2.20:68")
	w.sentTo("255.255.255.255")
	w.site.Addrs = prefixes("10.0.2.1/25")
	w.want(discover(1), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
}
