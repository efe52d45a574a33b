package server

import (
	"slices"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

func TestS9_Inform(t *testing.T) {
	const answered = "DHCPACK to 10.0.0.7:68"
	for _, c := range []struct {
		name    string
		members []string
		anyone  bool
		to      string
		msg     *dhcp4.Message
		want    string
	}{
		{"a stranger, while the pool has room", []string{"10.0.0.20"}, false, "255.255.255.255", inform(9, "10.0.0.7"), "drop"},
		{"that, sent to us", []string{"10.0.0.20"}, false, "10.0.0.1", inform(9, "10.0.0.7"), "drop"},
		{"with the flag", nil, true, "255.255.255.255", inform(9, "10.0.0.7", flagged()), answered},
		{"has an entry", nil, false, "255.255.255.255", inform(0x99, "10.0.0.7"), answered},
		{"a stranger", nil, false, "255.255.255.255", inform(9, "10.0.0.7"), "drop"},
		{"anyone", nil, true, "255.255.255.255", inform(9, "10.0.0.7"), answered},
		{"of another network", nil, true, "255.255.255.255", inform(9, "10.0.1.7"), "drop"},
		{"of another network, sent to us", nil, true, "10.0.0.1", inform(9, "10.0.1.7"), "DHCPACK to 10.0.1.7:68"},
		{"of no network of ours, sent to us", nil, true, "10.0.0.1", inform(9, "192.0.2.7"), "drop"},
		{"relayed", nil, true, "10.0.0.1", inform(9, "10.0.1.7", giaddr("10.0.1.1")), "DHCPACK to 10.0.1.7:68"},
		{"without ciaddr", nil, true, "255.255.255.255", from(9, dhcp4.Inform), "drop"},
		{"ciaddr is no host", nil, true, "255.255.255.255", inform(9, "224.0.0.1"), "drop"},
	} {
		w := newWorld(t, house, c.members...).sentTo(c.to)
		w.site.Settings.Inform = c.anyone
		a := w.ask(c.msg)
		if a.did != c.want {
			t.Errorf("%s: got %s, want %s", c.name, a.did, c.want)
		}
		if a.reply == nil {
			continue
		}
		if got := codes(&a.reply.Options); !sameSet(got, "53 54 1 3 6 15") && !sameSet(got, "53 54 1 3") {
			t.Errorf("%s: options %s", c.name, got)
		}
		if a.reply.Ciaddr != c.msg.Ciaddr || !a.reply.Yiaddr.IsUnspecified() {
			t.Errorf("%s: ciaddr %v, yiaddr %v", c.name, a.reply.Ciaddr, a.reply.Yiaddr)
		}
	}
}

// TestS9_InformOfALease: who has its address from here is answered, as long
// as it has it.
func TestS9_InformOfALease(t *testing.T) {
	const answered = "DHCPACK to 10.0.0.20:68"
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21")
	w.bind(9, "10.0.0.20")
	w.want(inform(9, "10.0.0.20"), answered)
	w.sentTo("10.0.0.1").want(inform(9, "10.0.0.20"), answered)
	w.want(inform(9, "10.0.0.21"), "drop") // not what it leased
	w.want(inform(8, "10.0.0.20"), "drop") // not who leased it
	w.now = w.now.Add(3600 * time.Second)
	w.want(inform(9, "10.0.0.20"), "drop")
}

// TestS14_Wire: the vendor area of RFC 951 is 64 octets of zeros, or of any
// number of them, or begins with the cookie of RFC 1048.
func TestS14_Wire(t *testing.T) {
	request, _ := from(0x99, dhcp4.BOOTP).Append(nil, dhcp4.MinSize)
	header := request[:236]
	cookie := []byte{99, 130, 83, 99}
	for _, c := range []struct {
		name   string
		vendor []byte
	}{
		{"RFC 951", make([]byte, 64)},
		{"as long as of DHCP", make([]byte, 312)},
		{"longer", make([]byte, 1000)},
		{"none", nil},
		{"RFC 1048, without END", append(cookie, make([]byte, 60)...)},
		{"RFC 1048", append(cookie, 255)},
	} {
		var m dhcp4.Message
		if err := m.Parse(slices.Concat(header, c.vendor)); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		a := newWorld(t, house).want(&m, "commit fixed 10.0.0.99; BOOTP 10.0.0.99 to 10.0.0.99:68 raw")
		if a.reply == nil || !sameSet(codes(&a.reply.Options), "1 3 6 15") {
			t.Errorf("%s: no reply with options", c.name)
		}
	}
}

func TestS14_BOOTP(t *testing.T) {
	const reply = "BOOTP 10.0.0.99 to 10.0.0.99:68 raw"
	w := newWorld(t, house, "10.0.0.20")
	a := w.want(from(0x99, dhcp4.BOOTP), "commit fixed 10.0.0.99; "+reply)
	if r := a.record; r.Told != pool.Infinite || r.Kept != pool.Infinite || a.lazy {
		t.Errorf("record %+v, lazy %v", r, a.lazy)
	}
	if got := codes(&a.reply.Options); !sameSet(got, "1 3 6 15") {
		t.Errorf("options %s", got)
	}
	if a = w.want(from(0x99, dhcp4.BOOTP), "commit fixed 10.0.0.99; "+reply); !a.lazy {
		t.Error("the same again needs no sync")
	}
	w.want(from(0x99, dhcp4.BOOTP, flagged()), "commit fixed 10.0.0.99; BOOTP 10.0.0.99 to 255.255.255.255:68")
	w.want(from(0x99, dhcp4.BOOTP, ciaddr("10.0.0.99")), "commit fixed 10.0.0.99; BOOTP 10.0.0.99 to 10.0.0.99:68")
	w.want(from(0x99, dhcp4.BOOTP, giaddr("10.0.1.1")), "commit fixed 10.0.1.99; BOOTP 10.0.1.99 to 10.0.1.1:67")
	w.want(from(9, dhcp4.BOOTP), "drop")
}

// TestS1_Refusals: what is not for a server, or not for this one. All of it
// may be for a relay.
func TestS1_Refusals(t *testing.T) {
	quiet := func(w *world) { w.site.Settings.Server = false }
	bare := func(w *world) { w.site.Addrs = nil }
	set := func(f func(*dhcp4.Message)) *dhcp4.Message { return discover(9, f) }
	for _, c := range []struct {
		name   string
		before func(*world)
		msg    *dhcp4.Message
	}{
		{"no server here", quiet, discover(9)},
		{"no address of our own", bare, discover(9)},
		{"reply", nil, set(func(m *dhcp4.Message) { m.Op = dhcp4.BootReply })},
		{"OFFER", nil, from(9, dhcp4.Offer)},
		{"ACK", nil, from(9, dhcp4.ACK)},
		{"NAK", nil, from(9, dhcp4.NAK)},
		{"FORCERENEW", nil, from(9, dhcp4.ForceRenew)},
		{"LEASEACTIVE", nil, from(9, dhcp4.LeaseActive)},
		{"hlen 5", nil, set(func(m *dhcp4.Message) { m.Hlen = 5 })},
		{"hlen 16", nil, set(func(m *dhcp4.Message) { m.Hlen = 16 })},
		{"hlen 0", nil, set(func(m *dhcp4.Message) { m.Hlen = 0 })},
		{"nobody", nil, set(func(m *dhcp4.Message) { m.Htype, m.Hlen = 32, 0 })},
		{"giaddr of a group", nil, set(giaddr("224.0.0.1"))},
		{"giaddr is broadcast", nil, set(giaddr("255.255.255.255"))},
		{"giaddr is broadcast, link selected", nil, discover(9, giaddr("255.255.255.255"), selects("10.0.0.0"))},
		{"giaddr is loopback", nil, set(giaddr("127.0.0.1"))},
		{"ciaddr is broadcast", nil, set(ciaddr("255.255.255.255"))},
	} {
		w := newWorld(t, house, "10.0.0.20")
		if c.before != nil {
			c.before(w)
		}
		if a := w.ask(c.msg); a.did != "drop" || !a.relay {
			t.Errorf("%s: %s", c.name, a.did)
		}
	}
}

// TestS1_Who: the client identifier, or else the hardware address with its
// type in front, and every client its own address.
func TestS1_Who(t *testing.T) {
	infiniband := func(m *dhcp4.Message) { m.Htype, m.Hlen = 32, 0 }
	token := func(m *dhcp4.Message) { m.Htype = 6 }
	id := option(dhcp4.ClientID, []byte("a client identifier of more than 32 octets, as DUIDs can be")...)
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21", "10.0.0.22", "10.0.0.23", "10.0.0.24", "10.0.0.25")
	for _, c := range []struct {
		name, want string
		msg        *dhcp4.Message
	}{
		{"hardware address", "10.0.0.20", discover(9, requested("10.0.0.20"))},
		{"the same as client identifier", "10.0.0.20", discover(8, option(dhcp4.ClientID, 1, 2, 0, 0, 0, 0, 9))},
		{"empty client identifier", "10.0.0.20", discover(9, option(dhcp4.ClientID))},
		{"another type of hardware", "10.0.0.21", discover(9, token, requested("10.0.0.21"))},
		{"client identifier", "10.0.0.22", discover(9, id, requested("10.0.0.22"))},
		{"the same, other hardware", "10.0.0.22", discover(7, id)},
		{"client identifier, no hardware address", "10.0.0.22", discover(7, id, infiniband)},
		{"client identifier of one octet", "10.0.0.23", discover(9, option(dhcp4.ClientID, 0), requested("10.0.0.23"))},
		{"entry by hardware address, other client identifier", "10.0.0.99", discover(0x99, option(dhcp4.ClientID, 0xff, 9))},
	} {
		if got := w.offered(c.msg); got != c.want {
			t.Errorf("%s: offered %s, want %s", c.name, got, c.want)
		}
	}
}
