package link

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
)

// link builds the body of an RTM_NEWLINK.
func linkBody(typ uint16, index int, flags uint32, attrs func(*message)) []byte {
	fixed := make([]byte, unix.SizeofIfInfomsg)
	host.PutUint16(fixed[2:], typ)
	host.PutUint32(fixed[4:], uint32(index))
	host.PutUint32(fixed[8:], flags)
	m := newMessage(unix.RTM_NEWLINK, 0, fixed...)
	attrs(m)
	return m.b[unix.SizeofNlMsghdr:]
}

// slaveOf adds what the kernel says about an interface's master.
func (m *message) slaveOf(index uint32, kind string) {
	m.number(unix.IFLA_MASTER, index)
	info := &message{}
	info.attr(unix.IFLA_INFO_KIND, []byte("veth\x00"))
	info.attr(unix.IFLA_INFO_SLAVE_KIND, append([]byte(kind), 0))
	m.attr(unix.IFLA_LINKINFO|unix.NLA_F_NESTED, info.b)
}

const (
	up   = unix.IFF_UP | unix.IFF_BROADCAST | unix.IFF_MULTICAST
	live = up | unix.IFF_RUNNING | unix.IFF_LOWER_UP
)

// TestB1_ParseLink: which interfaces are Ethernets, and which are not ours to
// touch.
func TestB1_ParseLink(t *testing.T) {
	type want struct {
		ether, port, up, carrier bool
		vrf                      int
	}
	for _, c := range []struct {
		name   string
		typ    uint16
		flags  uint32
		master uint32
		kind   string
		state  byte
		want   want
	}{
		{"Ethernet", unix.ARPHRD_ETHER, live, 0, "", 6, want{ether: true, up: true, carrier: true}},
		{"down", unix.ARPHRD_ETHER, unix.IFF_BROADCAST, 0, "", 6, want{ether: true}},
		{"carrier just come, queue not open", unix.ARPHRD_ETHER, live, 0, "", 0, want{ether: true, up: true, carrier: true}},
		{"carrier come back, queue not open", unix.ARPHRD_ETHER, up | unix.IFF_LOWER_UP, 0, "", 2, want{ether: true, up: true, carrier: true}},
		{"wireless has not let us in", unix.ARPHRD_ETHER, up | unix.IFF_LOWER_UP, 0, "", 5, want{ether: true, up: true}},
		{"no carrier", unix.ARPHRD_ETHER, up, 0, "", 6, want{ether: true, up: true}},
		{"dormant: 802.1X has not let us in", unix.ARPHRD_ETHER, up | unix.IFF_LOWER_UP | unix.IFF_DORMANT, 0, "", 6, want{ether: true, up: true}},
		{"without ARP", unix.ARPHRD_ETHER, live | unix.IFF_NOARP, 0, "", 6, want{up: true, carrier: true}},
		{"loopback", unix.ARPHRD_LOOPBACK, live | unix.IFF_LOOPBACK, 0, "", 6, want{up: true, carrier: true}},
		{"Ethernet that loops", unix.ARPHRD_ETHER, live | unix.IFF_LOOPBACK, 0, "", 6, want{up: true, carrier: true}},
		{"tunnel", unix.ARPHRD_NONE, live, 0, "", 6, want{up: true, carrier: true}},
		{"bridge port", unix.ARPHRD_ETHER, live, 7, "bridge", 6, want{ether: true, port: true, up: true, carrier: true}},
		{"bond port", unix.ARPHRD_ETHER, live, 7, "bond", 6, want{ether: true, port: true, up: true, carrier: true}},
		{"team port", unix.ARPHRD_ETHER, live, 7, "team", 6, want{ether: true, port: true, up: true, carrier: true}},
		{"Open vSwitch port", unix.ARPHRD_ETHER, live, 7, "openvswitch", 6, want{ether: true, port: true, up: true, carrier: true}},
		{"VRF member", unix.ARPHRD_ETHER, live, 7, "vrf", 6, want{ether: true, up: true, carrier: true, vrf: 7}},
	} {
		b := linkBody(c.typ, 3, c.flags, func(m *message) {
			m.attr(unix.IFLA_IFNAME, []byte("eth0\x00"))
			m.attr(unix.IFLA_ADDRESS, []byte{2, 0, 0, 0, 0, 1})
			m.number(unix.IFLA_MTU, 1400)
			m.number(unix.IFLA_CARRIER_CHANGES, 5)
			m.attr(unix.IFLA_OPERSTATE, []byte{c.state})
			if c.master != 0 {
				m.slaveOf(c.master, c.kind)
			}
		})
		i, ok := parseLink(b)
		if !ok || i.ID != (ID{3, "eth0"}) || i.MAC != [6]byte{2, 0, 0, 0, 0, 1} || i.MTU != 1400 || i.Flaps != 5 {
			t.Errorf("%s: %+v, %v", c.name, i, ok)
		}
		if got := (want{i.Ether, i.Port, i.Up, i.Carrier, i.VRF}); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if want := c.want.carrier && c.state == 6; i.Ready != want {
			t.Errorf("%s: ready: %v", c.name, i.Ready)
		}
	}
	b := linkBody(unix.ARPHRD_ETHER, 3, live, func(m *message) {
		m.attr(unix.IFLA_IFNAME, []byte("tap0\x00"))
		m.attr(unix.IFLA_OPERSTATE, []byte{operUnknown})
	})
	if i, ok := parseLink(b); !ok || !i.Carrier || !i.Ready {
		t.Errorf("a driver that knows no carrier: %+v, %v", i, ok)
	}
}

func addressBody() []byte {
	p := netip.MustParsePrefix("10.0.0.5/24")
	m := addressMessage(unix.RTM_NEWADDR, 0, ID{Index: 3}, p, unix.RT_SCOPE_LINK)
	m.attr(unix.IFA_BROADCAST, []byte{10, 0, 0, 255})
	m.number(unix.IFA_FLAGS, unix.IFA_F_NOPREFIXROUTE)
	m.attr(unix.IFA_CACHEINFO, append(append(word(60), word(120)...), make([]byte, 8)...))
	return m.b[unix.SizeofNlMsghdr:]
}

func routeBody() []byte {
	r := Route{
		To: netip.MustParsePrefix("10.8.0.0/16"), Via: netip.MustParseAddr("10.0.0.1"), OnLink: true,
		Source: netip.MustParseAddr("10.0.0.5"), Metric: 700, Protocol: ProtocolDHCP,
	}
	return r.message(unix.RTM_NEWROUTE, 0, ID{Index: 3}).b[unix.SizeofNlMsghdr:]
}

func TestParseAddress(t *testing.T) {
	index, a, ok := parseAddress(addressBody())
	want := Address{
		Prefix: netip.MustParsePrefix("10.0.0.5/24"), Broadcast: netip.MustParseAddr("10.0.0.255"),
		Valid: 120, Preferred: 60, Scope: unix.RT_SCOPE_LINK, Flags: unix.IFA_F_NOPREFIXROUTE,
	}
	if !ok || index != 3 || a != want {
		t.Errorf("got %d %+v %v, want %+v", index, a, ok, want)
	}
}

func TestParseRoute(t *testing.T) {
	index, r, ok := parseRoute(routeBody())
	want := "10.8.0.0/16 via 10.0.0.1"
	if !ok || index != 3 || r.String() != want || !r.OnLink || r.Source.String() != "10.0.0.5" || r.Metric != 700 || r.Protocol != 16 {
		t.Errorf("got %d %+v %v", index, r, ok)
	}
	for at, to := range map[int]byte{0: unix.AF_INET6, 4: unix.RT_TABLE_LOCAL, 7: unix.RTN_LOCAL, 1: 33} {
		b := routeBody()
		b[at] = to
		if _, r, ok := parseRoute(b); ok {
			t.Errorf("octet %d set to %d: took %v", at, to, r)
		}
	}
}

// TestParse_Cut: whatever a body lacks at its end, nothing is read beyond it,
// and what is left of it is not believed to be something else.
func TestParse_Cut(t *testing.T) {
	b := linkBody(unix.ARPHRD_ETHER, 3, live, func(m *message) {
		m.slaveOf(7, "bridge")
		m.attr(unix.IFLA_IFNAME, []byte("eth0\x00"))
	})
	for n := range b {
		if i, ok := parseLink(b[:n:n]); ok && i.Name != "eth0" {
			t.Errorf("link cut to %d octets: %+v", n, i)
		}
	}
	b = addressBody()
	for n := range b {
		if _, a, ok := parseAddress(b[:n:n]); ok && a.Prefix.String() != "10.0.0.5/24" {
			t.Errorf("address cut to %d octets: %+v", n, a)
		}
	}
	b = routeBody()
	for n := range b {
		if index, r, ok := parseRoute(b[:n:n]); ok && (index != 3 || r.To.Bits() != 16) {
			t.Errorf("route cut to %d octets: %+v", n, r)
		}
	}
}

// TestReplies takes apart two messages, cut at every length.
func TestReplies(t *testing.T) {
	one := newMessage(unix.RTM_NEWLINK, unix.NLM_F_MULTI, 1, 2, 3, 4)
	one.attr(9, []byte("odd"))
	two := newMessage(unix.NLMSG_DONE, 0, 0, 0, 0, 0)
	first := len(one.seal(5))
	b := append(one.seal(5), two.seal(6)...)
	for n := range len(b) + 1 {
		var got []reply
		for r := range replies(b[:n:n]) {
			got = append(got, r)
		}
		want := 0
		if n >= first {
			want++
		}
		if n == len(b) {
			want++
		}
		if len(got) != want {
			t.Fatalf("%d of %d octets: %d messages, want %d", n, len(b), len(got), want)
		}
		if want > 0 && (got[0].typ != unix.RTM_NEWLINK || got[0].seq != 5 || got[0].flags&unix.NLM_F_MULTI == 0 || len(got[0].body) != 12) {
			t.Errorf("first: %+v", got[0])
		}
		if want > 1 && (got[1].typ != unix.NLMSG_DONE || got[1].seq != 6 || status(got[1].body) != nil) {
			t.Errorf("second: %+v", got[1])
		}
	}
	for range replies(b) {
		break // stopping early must stop it
	}
}

func TestStatus(t *testing.T) {
	eperm := -int32(unix.EPERM)
	if err := status(word(uint32(eperm))); err != unix.EPERM {
		t.Error(err)
	}
	if err := status(word(0)); err != nil {
		t.Error(err)
	}
	if err := status(nil); err == nil {
		t.Error("a cut answer counts as success")
	}
}

func FuzzParseNetlink(f *testing.F) {
	f.Add(addressBody())
	f.Add(routeBody())
	f.Add(linkBody(unix.ARPHRD_ETHER, 3, live, func(m *message) { m.slaveOf(7, "vrf") }))
	m := newMessage(1, 2, 3)
	m.number(4, 5)
	f.Add(m.seal(6))
	f.Fuzz(func(t *testing.T, b []byte) {
		if i, ok := parseLink(b); ok && i.Port && i.VRF != 0 {
			t.Errorf("%x is both a port and in a VRF", b)
		}
		if _, a, ok := parseAddress(b); ok && !a.Prefix.IsValid() {
			t.Errorf("%x has prefix %v", b, a.Prefix)
		}
		if index, r, ok := parseRoute(b); ok {
			again, same, ok := parseRoute(r.message(0, 0, ID{Index: index}).b[unix.SizeofNlMsghdr:])
			if r.To = r.To.Masked(); !ok || again != index || same != r {
				t.Errorf("%+v became %+v", r, same)
			}
		}
		total := 0
		for r := range replies(b) {
			for _, n := range appendNeighbour(nil, r) {
				if a := n.Addr.As4(); !bytes.Contains(r.body, a[:]) {
					t.Errorf("%v is not in %x", a, r.body)
				}
			}
			if total += unix.SizeofNlMsghdr + len(r.body); !bytes.Contains(b, r.body) {
				t.Errorf("%x is not in %x", r.body, b)
			}
		}
		if total > len(b) {
			t.Errorf("%d octets in %d", total, len(b))
		}
	})
}
