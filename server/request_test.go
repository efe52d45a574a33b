package server

import (
	"bytes"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

const (
	ack20  = "commit bound 10.0.0.20; DHCPACK 10.0.0.20 to 10.0.0.20:68"
	nakAll = "refuse; DHCPNAK to 255.255.255.255:68"
)

// TestS6_Request has the four kinds of REQUEST in all that can become of the
// address: RFC 2131 section 4.3.2.
func TestS6_Request(t *testing.T) {
	const us, all, hour = "10.0.0.1", "255.255.255.255", 3600 * time.Second
	never := func(w *world) {}
	bound := func(w *world) { w.bind(9, "10.0.0.20") }
	ended := func(w *world) { w.bind(9, "10.0.0.20"); w.now = w.now.Add(hour) }
	released := func(w *world) { w.bind(9, "10.0.0.20"); w.ask(release(9, "10.0.0.20")) }
	removed := func(w *world) { w.bind(9, "10.0.0.20"); w.table.Remove(ip("10.0.0.20")) }
	declined := func(w *world) { w.bind(9, "10.0.0.20"); w.ask(decline(9, "10.0.0.20")) }
	taken := func(w *world) { ended(w); w.bind(8, "10.0.0.20") }
	promised := func(w *world) { ended(w); w.ask(discover(8, requested("10.0.0.20"))) }
	another := func(w *world) { w.bind(9, "10.0.0.21") }
	others := func(w *world) { w.bind(8, "10.0.0.20") }
	offered := func(w *world) { w.ask(discover(9, requested("10.0.0.20"))) }
	corrupt := func(w *world) { bound(w); w.table.SetShut(true) }
	corruptSince := func(w *world) { offered(w); w.table.SetShut(true) }
	entry := func(w *world) { offered(w); w.configure(house + `client 2:0:0:0:0:9 10.0.0.9;`) }
	// 20 was the client's, but promised to another when it got its OFFER of 21.
	instead := func(w *world) {
		promised(w)
		w.ask(discover(9, requested("10.0.0.21")))
		w.ask(from(8, dhcp4.Request, serverID("10.0.0.7"), requested("10.0.0.20")))
	}
	gleaned := func(w *world) {
		r := pool.Record{Addr: ip("10.0.0.30"), State: pool.Relayed, Told: pool.Infinite}
		r.ID = []byte{1, 2, 0, 0, 0, 0, 9}
		w.table.Apply(&r)
	}
	pick, boot := selecting(9, "10.0.0.20"), initReboot(9, "10.0.0.20")
	renew := renewing(9, "10.0.0.20")
	for _, c := range []struct {
		name   string
		before func(*world)
		to     string
		msg    *dhcp4.Message
		want   string
	}{
		{"SELECTING, offered", offered, all, pick, ack20 + " raw"},
		{"SELECTING, offered long ago", func(w *world) { offered(w); w.now = w.now.Add(hour) }, all, pick, ack20 + " raw"},
		{"SELECTING, offered before a restart", never, all, pick, ack20 + " raw"},
		{"SELECTING, another address than offered", offered, all, selecting(9, "10.0.0.21"), "commit bound 10.0.0.21; DHCPACK 10.0.0.21 to 10.0.0.21:68 raw"},
		{"SELECTING, offered, while its previous was not to be had", instead, all, selecting(9, "10.0.0.21"), "commit bound 10.0.0.21; DHCPACK 10.0.0.21 to 10.0.0.21:68 raw"},
		{"SELECTING, offered, but it has an entry since", entry, all, pick, nakAll},
		{"SELECTING, its lease", bound, all, pick, ack20 + " raw"},
		{"SELECTING, its lease that ended", ended, all, pick, ack20 + " raw"},
		{"SELECTING, a lease elsewhere", another, all, pick, nakAll},
		{"SELECTING, another's", others, all, pick, nakAll},
		{"SELECTING, offered to another", promised, all, pick, nakAll},
		{"SELECTING, declined", declined, all, pick, nakAll},
		{"SELECTING, not in the pool", never, all, selecting(9, "10.0.0.50"), nakAll},
		{"SELECTING, wrong network", never, all, selecting(9, "10.0.1.20"), nakAll},
		{"SELECTING, network not known", never, all, selecting(9, "10.0.0.20", giaddr("192.0.2.7")), "drop"},
		{"SELECTING, our other address", offered, all, from(9, dhcp4.Request, serverID("192.0.2.1"), requested("10.0.0.20")), ack20 + " raw"},
		{"SELECTING, another server", never, all, from(9, dhcp4.Request, serverID("10.0.0.7"), requested("10.0.0.20")), "drop; log Another DHCP server is on this network: 10.0.0.7"},
		{"SELECTING, entry", never, all, selecting(0x99, "10.0.0.99"), "commit fixed 10.0.0.99; DHCPACK 10.0.0.99 to 10.0.0.99:68 raw"},
		{"SELECTING, not the entry", never, all, selecting(0x99, "10.0.0.20"), nakAll},
		{"SELECTING, another's entry", never, all, selecting(9, "10.0.0.99"), nakAll},
		{"SELECTING, corrupt pool", corrupt, all, pick, "drop"},
		{"SELECTING, corrupt pool since the OFFER", corruptSince, all, pick, "drop"},
		{"SELECTING, corrupt pool, entry", corrupt, all, selecting(0x99, "10.0.0.99"), "commit fixed 10.0.0.99; DHCPACK 10.0.0.99 to 10.0.0.99:68 raw"},

		{"INIT-REBOOT, its lease", bound, all, boot, ack20 + " raw"},
		{"INIT-REBOOT, its lease that ended", ended, all, boot, ack20 + " raw"},
		{"INIT-REBOOT, released", released, all, boot, ack20 + " raw"},
		{"INIT-REBOOT, removed from the pool", removed, all, boot, nakAll},
		{"INIT-REBOOT, declined", declined, all, boot, nakAll},
		{"INIT-REBOOT, ended and another's", taken, all, boot, "drop"},
		{"INIT-REBOOT, ended and offered to another", promised, all, boot, nakAll},
		{"INIT-REBOOT, a lease elsewhere", another, all, boot, nakAll},
		{"INIT-REBOOT, only offered", offered, all, boot, "drop"},
		{"INIT-REBOOT, no record, free", never, all, boot, "drop"},
		{"INIT-REBOOT, no record, another's", others, all, boot, "drop"},
		{"INIT-REBOOT, no record, not in the pool", never, all, initReboot(9, "10.0.0.50"), "drop"},
		{"INIT-REBOOT, only a relay's record", gleaned, all, boot, "drop"},
		{"INIT-REBOOT, wrong network", never, all, initReboot(9, "10.0.1.20"), nakAll},
		{"INIT-REBOOT, wrong network, network not known", never, all, initReboot(9, "10.0.1.20", giaddr("192.0.2.7")), "drop"},
		{"INIT-REBOOT, wrong network, relayed", never, us, initReboot(9, "10.0.0.20", giaddr("10.0.1.1")), "refuse; DHCPNAK to 10.0.1.1:67"},
		{"INIT-REBOOT, entry", never, all, initReboot(0x99, "10.0.0.99"), "commit fixed 10.0.0.99; DHCPACK 10.0.0.99 to 10.0.0.99:68 raw"},
		{"INIT-REBOOT, not the entry", never, all, initReboot(0x99, "10.0.0.98"), nakAll},
		{"INIT-REBOOT, flag", bound, all, initReboot(9, "10.0.0.20", flagged()), "commit bound 10.0.0.20; DHCPACK 10.0.0.20 to 255.255.255.255:68"},
		{"INIT-REBOOT, corrupt pool", corrupt, all, boot, "drop"},

		{"RENEWING, its lease", bound, us, renew, ack20},
		{"RENEWING, its lease that ended", ended, us, renew, ack20},
		{"RENEWING, released", released, us, renew, ack20},
		{"RENEWING, removed from the pool", removed, us, renew, nakAll},
		{"RENEWING, declined", declined, us, renew, nakAll},
		{"RENEWING, a lease elsewhere", another, us, renew, nakAll},
		{"RENEWING, no record", never, us, renew, "drop"},
		{"RENEWING, no record, another's", others, us, renew, "drop"},
		{"RENEWING, network not known", bound, us, renewing(9, "192.0.2.77"), "drop"},
		{"RENEWING, not the entry", never, us, renewing(0x99, "10.0.0.20"), nakAll},
		{"RENEWING, server identifier against the rules", bound, us, renewing(9, "10.0.0.20", serverID(us)), ack20},
		{"RENEWING, through a relay", bound, us, renewing(9, "10.0.0.20", giaddr("10.0.0.7")), "commit bound 10.0.0.20; DHCPACK 10.0.0.20 to 10.0.0.7:67"},
		{"RENEWING, corrupt pool", corrupt, us, renew, "drop"},

		{"REBINDING, its lease", bound, all, renew, ack20},
		{"REBINDING, its lease that ended", ended, all, renew, ack20},
		{"REBINDING, removed from the pool", removed, all, renew, nakAll},
		{"REBINDING, a lease elsewhere", another, all, renew, nakAll},
		{"REBINDING, no record", never, all, renew, "drop"},
		{"REBINDING, wrong network", never, all, renewing(9, "10.0.1.20"), nakAll},
		{"REBINDING, entry", never, all, renewing(0x99, "10.0.0.99"), "commit fixed 10.0.0.99; DHCPACK 10.0.0.99 to 10.0.0.99:68"},

		{"ciaddr and requested address", bound, all, renewing(9, "10.0.0.20", requested("10.0.0.21")), ack20},
		{"no address at all", bound, all, from(9, dhcp4.Request), "drop"},
		{"only a server identifier", bound, all, from(9, dhcp4.Request, serverID(us)), "drop"},
		{"requested address malformed", bound, all, renewing(9, "10.0.0.20", option(dhcp4.RequestedAddress, 10)), "drop"},
		{"server identifier malformed", bound, all, initReboot(9, "10.0.0.20", option(dhcp4.ServerID, 10)), "drop"},
	} {
		w := newWorld(t, house, "10.0.0.20", "10.0.0.21", "10.0.1.20")
		c.before(w)
		a := w.sentTo(c.to).ask(c.msg)
		if a.did != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, a.did, c.want)
		}
		if a.relay != (c.want == "drop") {
			t.Errorf("%s: Answered is %v", c.name, !a.relay)
		}
	}
}

// TestS6_TwoNetworks: an interface has a network that we serve and one that we
// know nothing of. The second is another server's.
func TestS6_NetworkOfAnotherServer(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20")
	w.site.Addrs = prefixes("10.0.0.1/24 192.0.2.1/24")
	w.want(initReboot(9, "192.0.2.77"), "drop")
	w.want(renewing(9, "192.0.2.77"), "drop")
	w.want(initReboot(9, "198.51.100.77"), nakAll)
}

// TestS6_OnlyAnEntry: the config knows the network by a client's entry only.
func TestS6_OnlyAnEntry(t *testing.T) {
	w := newWorld(t, `client 2:0:0:0:0:9 10.0.0.9 { netmask /24; };`, "10.0.0.20")
	w.site.Addrs = prefixes("192.0.2.9/24 10.0.0.1/24")
	for _, c := range []struct {
		msg  *dhcp4.Message
		want string
	}{
		{discover(9), "DHCPOFFER 10.0.0.9 to 10.0.0.9:68 raw"},
		{selecting(9, "10.0.0.20"), nakAll},
		{initReboot(9, "10.0.1.9"), nakAll},
		{initReboot(8, "10.0.1.9"), "drop"},
		{discover(8), "drop"},
	} {
		a := w.want(c.msg, c.want)
		if a.reply != nil && a.reply.Type() == dhcp4.Offer && a.send.To.Source != ip("10.0.0.1") {
			t.Errorf("%s: from %v", a.did, a.send.To.Source)
		}
	}
}

// TestTable3_NAK: RFC 2131 table 3, last column, and RFC 6842.
func TestTable3_NAK(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20")
	id := []byte("\xffa long client identifier")
	agent := []byte("\x01\x03ge1\x02\x02r1")
	a := w.ask(initReboot(9, "10.0.1.50", giaddr("10.0.0.7"), option(dhcp4.ClientID, id...),
		option(dhcp4.RelayAgent, agent...), option(dhcp4.ParameterList, 1, 3, 6, 51, 54), ciaddr("10.0.1.50")))
	r := a.reply
	if r == nil {
		t.Fatal(a.did)
	}
	header(t, r, "0.0.0.0", "0.0.0.0", dhcp4.Broadcast)
	if !r.Siaddr.IsUnspecified() || r.SnameText() != "" || r.FileText() != "" {
		t.Errorf("siaddr %v, sname %q, file %q", r.Siaddr, r.SnameText(), r.FileText())
	}
	if got := codes(&r.Options); got != "53 54 56 61 82" {
		t.Errorf("options %s", got)
	}
	if !bytes.Equal(r.Options.Get(dhcp4.ClientID), id) || !bytes.Equal(r.Options.Get(dhcp4.RelayAgent), agent) {
		t.Error("client identifier or option 82 did not come back as it was")
	}
	if text, err := r.Options.Text(dhcp4.MessageText); err != nil || text != notThisNetwork.String() {
		t.Errorf("message %q (%v)", text, err)
	}
}

// TestD2_Reasons: a refusal says why and is told from a drop.
func TestD2_Reasons(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20")
	for _, c := range []struct {
		msg   *dhcp4.Message
		level act.Level
		why   string
	}{
		{initReboot(9, "10.0.1.20"), act.Refusal, "address is not on the client's network"},
		{initReboot(9, "10.0.0.20"), act.Drop, "no record of the client"},
	} {
		a := w.srv.Decide(w.now, w.cfg, &w.site, w.table, c.msg)[0]
		if a.Verb != act.Note || a.Level != c.level || a.Text != c.why {
			t.Errorf("%s: %+v", c.msg.Line(nil), a)
		}
	}
}
