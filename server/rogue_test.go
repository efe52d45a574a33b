package server

import (
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// overheard gives the server a reply that somebody sent.
func (w *world) overheard(from string, t dhcp4.Type, mods ...mod) string {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootReply)
	if t != dhcp4.BOOTP {
		m.SetType(t)
	}
	for _, f := range mods {
		f(m)
	}
	var did []string
	for _, x := range w.srv.Heard(w.now, w.cfg, &w.site, w.table, ip(from), [6]byte{2, 5}, m) {
		did = append(did, w.apply(&x, new(answer)))
	}
	return strings.Join(did, "; ")
}

func TestS18_Report(t *testing.T) {
	const report = "log Another DHCP server is on this network: "
	w := newWorld(t, house, "10.0.0.20")
	for _, c := range []struct {
		name, from string
		typ        dhcp4.Type
		mods       []mod
		want       string
	}{
		{"an OFFER", "10.0.0.7", dhcp4.Offer, []mod{serverID("10.0.0.7")}, report + "10.0.0.7"},
		{"the same again", "10.0.0.7", dhcp4.ACK, []mod{serverID("10.0.0.7")}, ""},
		{"an ACK through a relay", "10.0.0.9", dhcp4.ACK, []mod{serverID("192.0.2.7")}, report + "192.0.2.7"},
		{"a NAK without server identifier", "10.0.0.8", dhcp4.NAK, nil, report + "10.0.0.8"},
		{"our own", "10.0.0.1", dhcp4.Offer, []mod{serverID("10.0.0.1")}, ""},
		{"our own on another network", "10.0.0.1", dhcp4.Offer, []mod{serverID("192.0.2.1")}, ""},
		{"a server identifier that is none", "0.0.0.0", dhcp4.Offer, []mod{serverID("255.255.255.255")}, ""},
		{"BOOTP", "10.0.0.6", dhcp4.BOOTP, nil, ""},
		{"a request", "10.0.0.6", dhcp4.Discover, nil, ""},
	} {
		if got := w.overheard(c.from, c.typ, c.mods...); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	w.site.Index++
	if got := w.overheard("10.0.0.7", dhcp4.Offer); got != report+"10.0.0.7" {
		t.Errorf("on another network: %q", got)
	}
	other := from(9, dhcp4.Request, serverID("10.0.0.5"), requested("10.0.0.40"))
	w.want(other, "drop; "+report+"10.0.0.5") // a client took its OFFER
	w.want(other, "drop")
	w.want(from(9, dhcp4.Request, serverID("10.0.0.4"), requested("10.0.1.40"), giaddr("10.0.1.1")), "drop") // not on this network
	w.site.Settings.Relay = []netip.Addr{ip("192.0.2.9")}
	w.want(from(9, dhcp4.Request, serverID("10.0.0.3"), requested("10.0.0.40")), "drop")
	w.site.Settings.Relay = nil
	first, before := w.srv.Others()[0], w.srv.Counts()[overheard]
	w.now = w.now.Add(time.Minute)
	w.site.Index--
	w.overheard("10.0.0.7", dhcp4.NAK)
	if o := w.srv.Others()[0]; o.If != "eth0" || o.Index != 2 || o.Addr != ip("10.0.0.7") || o.HW != [6]byte{2, 5} || o.Heard != first.Heard.Add(time.Minute) {
		t.Errorf("heard again: %v, after %v", o, first)
	}
	if n := w.srv.Counts()[overheard]; n != before+1 || len(w.srv.Others()) != 5 {
		t.Errorf("heard %d times, after %d; %v", n, before, w.srv.Others())
	}
	for a := ip("10.9.0.1"); len(w.srv.Others()) < mostOthers; a = a.Next() {
		w.overheard(a.String(), dhcp4.Offer)
	}
	if got := w.overheard("10.9.9.9", dhcp4.Offer); got != "" {
		t.Errorf("with too many: %q", got)
	}
}
