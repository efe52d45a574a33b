package relay

import (
	"bytes"
	"testing"

	"dhcpd/internal/dhcp4"
)

var (
	ourMAC  = []byte("\x02\x00\x00\x00\x00\x07")
	here    = "\x0a\x00\x01\x01" // 10.0.1.1
	circuit = "\x01\x04eth1"
)

// TestR4_Adds: what each setting adds to a request, as its last option, and
// that giaddr goes with it.
func TestR4_Adds(t *testing.T) {
	for _, c := range []struct {
		name  string
		set   Settings
		to    string
		agent string
	}{
		{"nothing", Settings{}, "", ""},
		{"circuit", Settings{Circuit: []byte("eth1")}, "", circuit},
		{"remote", Settings{Remote: ourMAC}, "", "\x02\x06" + string(ourMAC)},
		{"both", Settings{Circuit: []byte("eth1"), Remote: []byte("r")}, "", circuit + "\x02\x01r"},
		{"an empty text is one", Settings{Circuit: []byte{}}, "", "\x01\x00"},
		{"select", Settings{Select: true}, "", "\x05\x04" + here},
		{"override", Settings{Override: true}, "", "\x0b\x04" + here},
		{"flags, broadcast", Settings{Flags: true}, "255.255.255.255", "\x0a\x01\x00"},
		{"flags, unicast", Settings{Flags: true}, "10.0.1.1", "\x0a\x01\x80"},
		{"all", Settings{Circuit: []byte("eth1"), Select: true, Override: true, Flags: true}, "10.0.1.1",
			circuit + "\x05\x04" + here + "\x0b\x04" + here + "\x0a\x01\x80"},
	} {
		w := newWorld(c.set)
		b := request(dhcp4.Discover, option(dhcp4.ParameterList, "\x01\x03"), option(dhcp4.HostName, "h"))
		p := packet(t, b)
		if c.to != "" {
			p.To = ip(c.to)
		}
		o := w.done(w.Up(w.now, w.net, w.table, p))
		giaddr := "10.0.1.1"
		if c.set.Select {
			giaddr = "10.0.0.2" // RFC 3527: where the server reaches us
		}
		want := patched(b, 1, giaddr)
		if c.agent != "" {
			options := bytes.TrimRight(b, "\x00")
			want = patched(options[:len(options)-1], 1, giaddr)
			want = append(append(want, 82, byte(len(c.agent))), c.agent+"\xff"...)
			want = append(want, make([]byte, max(0, 300-len(want)))...)
		}
		if !bytes.Equal(o.octets, want) || o.notes != "" {
			t.Errorf("%s: %s\n%x, want\n%x", c.name, o.notes, o.octets, want)
		}
		if len(o.sent) != 1 || o.sent[0].Source != ip(giaddr) {
			t.Errorf("%s: sent %+v", c.name, o.sent)
		}
	}
}

// TestR4_Size: where option 82 would make a message longer than what the way to
// the server takes, it goes without.
func TestR4_Size(t *testing.T) {
	for _, c := range []struct {
		name  string
		limit int
		b     []byte
		fits  bool
	}{
		{"room in the padding", 300, request(dhcp4.Discover), true},
		{"room behind", 0, request(dhcp4.Discover, option(43, string(make([]byte, 255)))), true},
		{"to the last octet", 513, request(dhcp4.Discover, option(43, string(bytes.Repeat([]byte{1}, 253)))), true},
		{"one less", 512, request(dhcp4.Discover, option(43, string(bytes.Repeat([]byte{1}, 253)))), false},
		{"longer already", 505, append(request(dhcp4.Discover, option(43, string(make([]byte, 255)))), make([]byte, 100)...), true},
		{"no options field", 0, make([]byte, 300), false},
	} {
		c.b[0], c.b[1], c.b[2] = 1, 1, 6
		w := newWorld(Settings{Circuit: []byte("eth1"), Select: true})
		w.net.Limit = c.limit
		o := w.up(t, c.b)
		if len(o.sent) != 1 {
			t.Fatalf("%s: not relayed: %s", c.name, o.notes)
		}
		if c.fits {
			if w.count(noRoom) != 0 || len(o.octets) > max(len(c.b), w.net.limit()) || !bytes.Contains(o.octets, []byte(circuit)) {
				t.Errorf("%s: %d octets, %s", c.name, len(o.octets), o.notes)
			}
			continue
		}
		// Without link selection only giaddr can say where the client is.
		if w.count(noRoom) != 1 || !bytes.Equal(o.octets, patched(c.b, 1, "10.0.1.1")) {
			t.Errorf("%s: %d octets, %s", c.name, len(o.octets), o.notes)
		}
	}
}

// TestR4_Removes: option 82 comes off again if it is ours, and only then.
func TestR4_Removes(t *testing.T) {
	ours := Settings{Circuit: []byte("eth1"), Flags: true}
	trusting := ours
	trusting.Trusted = true
	agent := circuit + "\x0a\x01\x80"
	with := func(v string) []byte {
		return reply(dhcp4.Offer, option(dhcp4.HostName, "h"), option(dhcp4.RelayAgent, v))
	}
	for _, c := range []struct {
		name    string
		set     Settings
		b       []byte
		removed bool
	}{
		{"ours", ours, with(agent), true},
		{"of another time, perhaps", ours, with("\x01\x01x"), true},
		{"none there", ours, reply(dhcp4.Offer), false},
		{"we add none", Settings{}, with(agent), false},
		{"ours, trusting", trusting, with(agent), true},
		{"a switch's, trusting", trusting, with("\x01\x01x"), false},
		{"a longer one, trusting", trusting, with(agent + "\x02\x01x"), false},
		{"without our flags, trusting", trusting, with(circuit), false},
	} {
		w := newWorld(c.set)
		o := w.down(t, c.b)
		want := c.b
		if c.removed {
			at := bytes.LastIndex(c.b, []byte{82, c.b[bytes.LastIndexByte(c.b, 82)+1]})
			want = append(bytes.Clone(c.b[:at]), c.b[at+2+int(c.b[at+1]):]...)
			want = append(want, make([]byte, max(0, 300-len(want)))...)
		}
		if !bytes.Equal(o.octets, want) || len(o.sent) != 1 {
			t.Errorf("%s: %s\n%x, want\n%x", c.name, o.notes, o.octets, want)
		}
	}
}

// TestR4_Trusted: a switch's option 82 goes on to the server, and ours does not
// come beside it.
func TestR4_Trusted(t *testing.T) {
	w := newWorld(Settings{Circuit: []byte("eth1"), Select: true, Trusted: true})
	b := request(dhcp4.Discover, option(dhcp4.RelayAgent, "\x01\x01x"))
	if o := w.up(t, b); !bytes.Equal(o.octets, patched(b, 1, "10.0.1.1")) {
		t.Errorf("%x, %s", o.octets, o.notes)
	}
}

// TestR5_Find: networks that share a giaddr are told apart by option 82.
func TestR4_R5_Find(t *testing.T) {
	one := newNetwork("eth1", "10.0.1.1/32", Settings{Circuit: []byte("eth1")})
	two := newNetwork("eth2", "10.0.1.1/32", Settings{Circuit: []byte("eth2")})
	picky := newNetwork("eth3", "10.0.3.1/24", Settings{Select: true})
	fussy := newNetwork("eth4", "10.0.4.1/24", Settings{Select: true, Remote: ourMAC})
	alone := newNetwork("eth5", "10.0.5.1/24", Settings{Circuit: []byte("eth5")})
	var nets Nets
	silent, mute := newNetwork("eth6", "10.0.7.1/32", Settings{}), newNetwork("eth7", "10.0.7.1/32", Settings{})
	nets.Reset([]*Network{one, two, picky, fussy, alone, silent, mute})
	for _, c := range []struct {
		giaddr, agent string
		want          *Network
		several       bool
	}{
		{"10.0.1.1", circuit, one, false},
		{"10.0.1.1", "\x0a\x01\x80\x01\x04eth2", two, false},
		{"10.0.1.1", "\x01\x04eth3", nil, true},
		{"10.0.1.1", "", nil, true},
		{"10.0.1.1", "\x01\x04et", nil, true},
		{"10.0.0.2", "\x05\x04\x0a\x00\x03\x01", picky, false},
		{"10.0.0.2", "\x05\x04\x0a\x00\x04\x01\x02\x06" + string(ourMAC), fussy, false},
		{"10.0.0.2", "\x05\x04\x0a\x00\x04\x01", nil, true},
		{"10.0.3.1", "", picky, false}, // relayed without option 82, for want of room
		{"10.0.5.1", "", alone, false},
		{"10.0.5.1", circuit, alone, false},
		{"10.0.6.1", "", nil, false},
		{"10.0.7.1", "", nil, true}, // nothing tells these two apart
		{"10.0.7.1", circuit, nil, true},
	} {
		m := packet(t, reply(dhcp4.Offer, giaddr(c.giaddr), option(dhcp4.RelayAgent, c.agent))).Msg
		if n, several := nets.Find(m); n != c.want || several != c.several {
			t.Errorf("giaddr %s, option 82 %q: %v, %v", c.giaddr, c.agent, n, several)
		}
	}
}
