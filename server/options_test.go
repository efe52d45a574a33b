package server

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
)

// codes lists the options of a message in their order.
func codes(o *dhcp4.Options) string {
	var list []string
	for c := range o.All() {
		list = append(list, fmt.Sprint(c))
	}
	return strings.Join(list, " ")
}

// header checks the part of RFC 2131 table 3 that is the same for all replies
// to a message of from().
func header(t *testing.T, r *dhcp4.Message, ciaddr, yiaddr string, flags uint16) {
	t.Helper()
	if r.Op != dhcp4.BootReply || r.Htype != 1 || r.Hlen != 6 || r.Hops != 0 || r.Xid != 0x1234 || r.Secs != 0 {
		t.Errorf("op %d, htype %d, hlen %d, hops %d, xid %x, secs %d", r.Op, r.Htype, r.Hlen, r.Hops, r.Xid, r.Secs)
	}
	if r.Ciaddr != ip(ciaddr) || r.Yiaddr != ip(yiaddr) || r.Flags != flags {
		t.Errorf("ciaddr %v, yiaddr %v, flags %x; want %s, %s, %x", r.Ciaddr, r.Yiaddr, r.Flags, ciaddr, yiaddr, flags)
	}
}

const netboot = house + `
	client 2:0:0:0:0:9 10.0.0.9 {
		siaddr 10.0.0.2; sname "boot"; file "/vmlinuz"; hostname nine;
	};
`

func TestTable3_Replies(t *testing.T) {
	for _, c := range []struct {
		name           string
		msg            *dhcp4.Message
		reply          dhcp4.Type
		ciaddr, yiaddr string
		flags          uint16
		options        string
	}{
		{"OFFER", discover(9), dhcp4.Offer, "0.0.0.0", "10.0.0.9", 0, "53 54 51 1 3 6 15 58 59 12"},
		{"OFFER, flag", discover(9, flagged()), dhcp4.Offer, "0.0.0.0", "10.0.0.9", 0x8000, "53 54 51 1 3 6 15 58 59 12"},
		{"OFFER, ciaddr", discover(9, ciaddr("10.0.0.7")), dhcp4.Offer, "0.0.0.0", "10.0.0.9", 0, "53 54 51 1 3 6 15 58 59 12"},
		{"OFFER, client identifier", discover(9, option(dhcp4.ClientID, 1, 2, 0, 0, 0, 0, 9)), dhcp4.Offer, "0.0.0.0", "10.0.0.9", 0, "53 54 51 61 1 3 6 15 58 59 12"},
		{"ACK, SELECTING", selecting(9, "10.0.0.9"), dhcp4.ACK, "0.0.0.0", "10.0.0.9", 0, "53 54 51 1 3 6 15 58 59 12"},
		{"ACK, REBINDING", renewing(9, "10.0.0.9", flagged()), dhcp4.ACK, "10.0.0.9", "10.0.0.9", 0x8000, "53 54 51 1 3 6 15 58 59 12"},
		{"ACK, INFORM", inform(9, "10.0.0.9"), dhcp4.ACK, "10.0.0.9", "0.0.0.0", 0, "53 54 1 3 6 15 12"},
		{"BOOTP", from(9, dhcp4.BOOTP), dhcp4.BOOTP, "0.0.0.0", "10.0.0.9", 0, "1 3 6 15 12"},
	} {
		a := newWorld(t, netboot).ask(c.msg)
		if a.reply == nil || a.reply.Type() != c.reply {
			t.Errorf("%s: %s", c.name, a.did)
			continue
		}
		r := a.reply
		header(t, r, c.ciaddr, c.yiaddr, c.flags)
		if r.Chaddr != c.msg.Chaddr || r.Giaddr != c.msg.Giaddr {
			t.Errorf("%s: chaddr %x, giaddr %v", c.name, r.Chaddr, r.Giaddr)
		}
		if got := codes(&r.Options); !sameSet(got, c.options) {
			t.Errorf("%s: options %s, want %s", c.name, got, c.options)
		}
		if r.SnameText() != "boot" || r.FileText() != "/vmlinuz" || r.Siaddr != ip("10.0.0.2") {
			t.Errorf("%s: siaddr %v, sname %q, file %q", c.name, r.Siaddr, r.SnameText(), r.FileText())
		}
	}
}

func sameSet(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	have := map[string]bool{}
	for _, c := range x {
		have[c] = true
	}
	for _, c := range y {
		if !have[c] {
			return false
		}
	}
	return len(x) == len(y)
}

func TestS11_RequestList(t *testing.T) {
	list := func(c ...byte) mod { return option(dhcp4.ParameterList, c...) }
	for _, c := range []struct {
		name string
		mods []mod
		want string
	}{
		{"its order", []mod{list(15, 6, 1, 3)}, "53 54 51 15 6 1 3"},
		{"netmask before gateway", []mod{list(15, 3, 6, 1)}, "53 54 51 15 1 3 6"},
		{"gateway without netmask", []mod{list(3, 6)}, "53 54 51 3 6"},
		{"not configured", []mod{list(1, 42, 119, 3)}, "53 54 51 1 3"},
		{"named twice", []mod{list(1, 3, 1, 3)}, "53 54 51 1 3"},
		{"lease times", []mod{list(58, 51, 59)}, "53 54 51 58 59"},
		{"never because asked for", []mod{list(50, 52, 53, 54, 55, 56, 57, 61, 82, 0, 255, 1)}, "53 54 51 1"},
		{"61 and 82 if sent", []mod{list(1), text(dhcp4.ClientID, "nine"), text(dhcp4.RelayAgent, "\x01\x01x")}, "53 54 51 61 1 82"},
		{"always", []mod{list(3)}, "53 54 51 3 12 26"},
	} {
		w := newWorld(t, house+`host 10.0.0.0/24 { IPMTU 1400; hostname host; };`, "10.0.0.20")
		if c.name == "always" {
			w.site.Settings.Always.Add(dhcp4.HostName)
			w.site.Settings.Always.Add(dhcp4.InterfaceMTU)
			w.site.Settings.Always.Add(dhcp4.NTPServer)
		}
		a := w.ask(discover(9, c.mods...))
		if a.reply == nil {
			t.Errorf("%s: %s", c.name, a.did)
		} else if got := codes(&a.reply.Options); got != c.want && !(c.name == "always" && sameSet(got, c.want)) {
			t.Errorf("%s: options %s, want %s", c.name, got, c.want)
		}
	}
}

// TestS11_NetmaskFirst: without a request list too the netmask comes before
// the gateway.
func TestS11_NetmaskFirst(t *testing.T) {
	w := newWorld(t, `host 10.0.0.20 { gateway 10.0.0.254; netmask /24; DHCPlease 60; };
		host 10.0.0.0/24 {};`, "10.0.0.20")
	got := " " + codes(&w.ask(discover(9)).reply.Options) + " "
	if strings.Index(got, " 1 ") > strings.Index(got, " 3 ") {
		t.Errorf("options%s", got)
	}
}

func TestS11_Limit(t *testing.T) {
	size := func(n uint16) mod {
		return func(m *dhcp4.Message) { m.Options.PutUint16(dhcp4.MaxSize, n) }
	}
	relay := giaddr("10.0.0.7")
	for _, c := range []struct {
		name string
		mtu  int
		mods []mod
		want int
	}{
		{"not said", 1500, nil, 548},
		{"576", 1500, []mod{size(576)}, 548},
		{"less than allowed", 1500, []mod{size(300)}, 548},
		{"more", 1500, []mod{size(1000)}, 972},
		{"more than the way takes", 1400, []mod{size(65535)}, 1372},
		{"jumbo frames", 9000, []mod{size(4000)}, 3972},
		{"jumbo frames, relayed", 9000, []mod{size(4000), relay}, 1472},
		{"MTU not known", 0, []mod{size(4000)}, 1472},
		{"MTU too small to count", 296, []mod{size(4000)}, 548},
		{"malformed", 1500, []mod{option(dhcp4.MaxSize, 5)}, 548},
	} {
		w := newWorld(t, house, "10.0.0.20")
		w.site.MTU = c.mtu
		if a := w.ask(discover(9, c.mods...)); a.send.Limit != c.want {
			t.Errorf("%s: limit %d, want %d", c.name, a.send.Limit, c.want)
		}
	}
}

// TestS11_TooBig: what does not fit goes from the end of the client's list.
func TestS11_TooBig(t *testing.T) {
	long := strings.Repeat("10.9.8.7 ", 40)
	w := newWorld(t, `host 10.0.0.0/24 { DHCPlease 60; gateway 10.0.0.254;
		DNSserver `+long+`; logserver `+long+`; LPR `+long+`; NTPserver `+long+`; };`, "10.0.0.20")
	msg := discover(9, option(dhcp4.ParameterList, 6, 1, 3, 42, 7, 9))
	actions := w.srv.Decide(w.now, w.cfg, &w.site, w.table, msg)
	send := actions[len(actions)-1]
	_, left := send.Msg.Append(nil, send.Limit)
	const want = "DHCP packet too big, no room in the DHCPOFFER for logserver LPR NTPserver"
	if got := TooBig(send.Msg, left, w.cfg.Dict()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestS13_AgentLast: option 82 comes back octet for octet, as the last one.
func TestS13_AgentLast(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20").sentTo("10.0.0.1")
	agent := []byte("\x01\x04\x00\x01\x02\x03\x02\x03abc\x97\x00")
	mods := []mod{giaddr("10.0.0.7"), option(dhcp4.RelayAgent, agent...), option(dhcp4.ClientID, 0, 'x')}
	for _, m := range []*dhcp4.Message{
		discover(9, mods...), selecting(9, "10.0.0.20", mods...), initReboot(9, "10.0.1.50", mods...),
		inform(9, "10.0.0.20", mods...), renewing(9, "10.0.0.20", mods...),
	} {
		a := w.ask(m)
		if a.reply == nil {
			t.Errorf("%s: %s", m.Line(nil), a.did)
			continue
		}
		o := &a.reply.Options
		if got := codes(o); !strings.HasSuffix(got, " 82") || !bytes.Equal(o.Get(dhcp4.RelayAgent), agent) {
			t.Errorf("%s: options %s, option 82 %x", a.did, got, o.Get(dhcp4.RelayAgent))
		}
		if !bytes.Equal(o.Get(dhcp4.ClientID), []byte{0, 'x'}) { // S12, RFC 6842
			t.Errorf("%s: client identifier %x", a.did, o.Get(dhcp4.ClientID))
		}
	}
}
