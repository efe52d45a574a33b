package server

import (
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

func TestS15_Rapid(t *testing.T) {
	rapid := option(dhcp4.RapidCommit)
	w := newWorld(t, house, "10.0.0.20")
	w.want(discover(9, rapid), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	w.site.Settings.Rapid = true
	a := w.want(discover(9), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	if a.reply.Options.Has(dhcp4.RapidCommit) {
		t.Error("rapid commit to a client that did not ask for it")
	}
	a = w.want(discover(9, rapid, option(dhcp4.ParameterList, 1)), "commit bound 10.0.0.20; DHCPACK 10.0.0.20 to 10.0.0.20:68 raw")
	if !a.reply.Options.Has(dhcp4.RapidCommit) || len(a.reply.Options.Get(dhcp4.RapidCommit)) > 0 {
		t.Errorf("options %s", codes(&a.reply.Options))
	}
	if term, err := a.reply.Options.Uint32(dhcp4.LeaseTime); err != nil || term != 3600 {
		t.Errorf("lease time %d (%v)", term, err)
	}
	a = w.want(selecting(9, "10.0.0.20", rapid), "commit bound 10.0.0.20; DHCPACK 10.0.0.20 to 10.0.0.20:68 raw")
	if a.reply.Options.Has(dhcp4.RapidCommit) {
		t.Error("rapid commit in the answer to a REQUEST")
	}
	w.table.Add(ip("10.0.0.21"))
	w.site.Settings.Rapid = false
	w.want(discover(7), "hold 10.0.0.21; DHCPOFFER 10.0.0.21 to 10.0.0.21:68 raw")
	w.site.Settings.Rapid = true
	w.table.Add(ip("10.0.0.22"))
	w.want(discover(7, rapid, requested("10.0.0.22")), "unhold 10.0.0.21; commit bound 10.0.0.22; DHCPACK 10.0.0.22 to 10.0.0.22:68 raw")
	w.table.Remove(ip("10.0.0.21"))
	w.want(discover(0x99, rapid), "commit fixed 10.0.0.99; DHCPACK 10.0.0.99 to 10.0.0.99:68 raw")
	w.want(discover(8, rapid), "drop")
}

func TestS15_Authoritative(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21")
	w.bind(1, "10.0.0.20")
	const nak = "refuse; DHCPNAK to 255.255.255.255:68"
	for _, m := range []*dhcp4.Message{initReboot(9, "10.0.0.20"), initReboot(9, "10.0.0.21"), initReboot(9, "10.0.0.77")} {
		w.site.Settings.Authoritative = false
		w.want(m, "drop")
		w.site.Settings.Authoritative = true
		if a := w.want(m, nak); string(a.reply.Options.Get(dhcp4.MessageText)) != "client is not known" {
			t.Errorf("NAK says %q", a.reply.Options.Get(dhcp4.MessageText))
		}
	}
	w.want(initReboot(1, "10.0.0.20"), "commit bound 10.0.0.20; DHCPACK 10.0.0.20 to 10.0.0.20:68 raw")
	w.want(initReboot(9, "172.16.0.1"), nak)
	w.want(initReboot(9, "10.0.1.20", giaddr("10.0.1.1")), "refuse; DHCPNAK to 10.0.1.1:67")
	w.want(initReboot(9, "192.0.2.9", giaddr("192.0.2.7")), "drop") // a network of others
	w.table.SetShut(true)
	w.want(initReboot(9, "10.0.0.20"), "drop") // it may well be known
}

func TestS14_PoolBOOTP(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21")
	w.want(from(9, dhcp4.BOOTP), "drop")
	w.site.Settings.BOOTP = true
	const reply = "commit bound 10.0.0.20; BOOTP 10.0.0.20 to 10.0.0.20:68 raw"
	a := w.want(from(9, dhcp4.BOOTP), reply)
	if a.record.Told != pool.Infinite || a.record.Kept != pool.Infinite || a.lazy {
		t.Errorf("told %d, kept %d, lazy %v", a.record.Told, a.record.Kept, a.lazy)
	}
	for _, c := range []dhcp4.Code{dhcp4.MessageType, dhcp4.LeaseTime, dhcp4.ServerID, dhcp4.RenewalTime} {
		if a.reply.Options.Has(c) {
			t.Errorf("option %d in a BOOTP reply", c)
		}
	}
	if a = w.want(from(9, dhcp4.BOOTP), reply); !a.lazy {
		t.Error("the same again is written again at once")
	}
	w.want(from(8, dhcp4.BOOTP), "commit bound 10.0.0.21; BOOTP 10.0.0.21 to 10.0.0.21:68 raw")
	w.want(from(7, dhcp4.BOOTP), "drop")
	w.now = w.now.AddDate(50, 0, 0)
	w.want(from(7, dhcp4.BOOTP), "drop")
	w.want(from(0x99, dhcp4.BOOTP), "commit fixed 10.0.0.99; BOOTP 10.0.0.99 to 10.0.0.99:68 raw")
}
