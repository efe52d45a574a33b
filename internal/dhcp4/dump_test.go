package dhcp4

import (
	"slices"
	"strings"
	"testing"
)

func TestD2_Dump(t *testing.T) {
	m := parse(t, full())
	m.Options.Put(ParameterList, []byte{1, 3, 224})
	m.Options.PutText(ClientID, "\x01\x02")
	m.Options.PutText(RenewalTime, "xyz")
	m.Options.PutText(224, "\x00")
	copy(m.File[:], "a\"b\x1b")
	const want = `	op = 2 (BOOTREPLY)
	htype = 1
	hlen = 6
	hops = 1
	xid = 1a2b3c4d
	secs = 9
	flags = 32768 (broadcast)
	ciaddr = 10.0.0.1
	yiaddr = 10.0.0.2
	siaddr = 10.0.0.3
	giaddr = 10.0.0.4
	chaddr = 02:00:00:00:00:01
	sname = ""
	file = "a\"b\033"
	DHCPtype = 5 (DHCPACK)
	DHCPlease = 3600
	VENDOR = 616263646566
	relayagent = circuit "p01"
	gateway = 10.0.0.4
	DNSserver = 10.0.0.5
	DHCPreqpar = netmask gateway T224
	DHCPclientID = 0102
	DHCPrenewal = 78797a (malformed)
	T224 = 00
`
	if got := string(m.Dump(nil, Builtin())); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	// A config file's own names, even for what the protocol itself reads.
	d := Builtin().Clone()
	d.Define(Tag{MessageType, "kind", Octet, 1, 0})
	d.Define(Tag{224, "mine", Boolean, 1, 0})
	var own Message
	own.Reset(BootRequest)
	own.Options.Put(MessageType, nil)
	own.Options.PutUint8(224, 1)
	head := own.dumpHeader(nil)
	if got, want := string(own.Dump(nil, d)[len(head):]), "\tkind = \n\tmine = true\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestS13_DumpAgent(t *testing.T) {
	for v, want := range map[string]string{
		"": "",
		"\x01\x02\x00a\x02\x01r\x05\x04\x0a\x00\x00\x00\x0b\x04\x0a\x00\x00\x01\x0a\x01\x80": `circuit "\000a" remote "r" link 10.0.0.0 server 10.0.0.1 flags 128`,
		"\x05\x01x\x03\x01x\x97\x00": "link 78 T3 78 T151 ",
		"\x0c\x01x":                  `relay "x"`,
		"\x01\x02x":                  "010278 (malformed)",
	} {
		got := string(dumpOption(nil, Tag{Code: RelayAgent}, []byte(v), Builtin()))
		if got != want {
			t.Errorf("%q: %q, want %q", v, got, want)
		}
	}
}

// A log is kept, and may be read by many.
func TestP6_DumpKeepsNonceSecret(t *testing.T) {
	const replay = "\x00\x00\x00\x00\x00\x00\x00\x07"
	for v, want := range map[string]string{
		"\x03\x01\x00" + replay + "\x01" + "0123456789abcdef":  "030100000000000000000701 (a nonce)",
		"\x03\x01\x00" + replay + "\x01" + "more than a nonce": "030100000000000000000701 (a nonce)",
		"\x03\x01\x00" + replay + "\x02" + "digest":            "030100000000000000000702646967657374",
		"\x01\x01\x00" + replay + "\x01" + "digest":            "010100000000000000000701646967657374",
		"\x03\x01\x00" + replay:                                "0301000000000000000007",
	} {
		var m Message
		m.Reset(BootReply)
		m.Options.Put(Authentication, []byte(v))
		if got := string(m.Dump(nil, Builtin())); !strings.HasSuffix(got, "\tauthentication = "+want+"\n") {
			t.Errorf("%q: %q, want %q", v, got, want)
		}
	}
}

func TestD2_Line(t *testing.T) {
	tests := []struct {
		name string
		set  func(m *Message)
		want string
	}{
		{"DISCOVER", func(m *Message) { m.SetType(Discover) },
			"DHCPDISCOVER xid 000000fe from 02:00:00:00:00:01"},
		{"with a client ID like the MAC", func(m *Message) {
			m.SetType(Discover)
			m.Options.PutText(ClientID, "\x01\x02\x00\x00\x00\x00\x01")
			m.Options.PutText(HostName, "lap\ntop")
			m.Options.PutAddr(RequestedAddress, addr("10.0.0.7"))
		}, `DHCPDISCOVER xid 000000fe from 02:00:00:00:00:01 for 10.0.0.7 name "lap\012top"`},
		{"with another", func(m *Message) {
			m.SetType(Request)
			m.Options.PutText(ClientID, "\xff\x01")
			m.Ciaddr, m.Giaddr = addr("10.0.0.7"), addr("10.9.0.1")
		}, "DHCPREQUEST xid 000000fe from 02:00:00:00:00:01 id ff01 for 10.0.0.7 through 10.9.0.1"},
		{"SELECTING", func(m *Message) {
			m.SetType(Request)
			m.Options.PutAddr(RequestedAddress, addr("10.0.0.7"))
			m.Options.PutAddr(ServerID, addr("10.0.0.1"))
		}, "DHCPREQUEST xid 000000fe from 02:00:00:00:00:01 for 10.0.0.7 server 10.0.0.1"},
		{"ACK", func(m *Message) {
			m.Op = BootReply
			m.SetType(ACK)
			m.Yiaddr, m.Ciaddr = addr("10.0.0.7"), addr("10.0.0.8")
			m.Options.PutAddr(ServerID, addr("10.0.0.1"))
			m.Options.PutUint32(LeaseTime, 3600)
		}, "DHCPACK xid 000000fe to 02:00:00:00:00:01 for 10.0.0.7 server 10.0.0.1 lease 3600"},
		{"infinite", func(m *Message) {
			m.Op = BootReply
			m.SetType(Offer)
			m.Yiaddr = addr("10.0.0.7")
			m.Options.PutUint32(LeaseTime, Infinite)
		}, "DHCPOFFER xid 000000fe to 02:00:00:00:00:01 for 10.0.0.7 lease infinite"},
		{"NAK", func(m *Message) {
			m.Op, m.Hlen = BootReply, 0
			m.SetType(NAK)
			m.Options.PutText(MessageText, "don't \"talk\"")
			m.Options.PutText(ServerID, "odd")
		}, `DHCPNAK xid 000000fe to - saying 'don\'t "talk"'`},
		{"ACK to INFORM", func(m *Message) {
			m.Op = BootReply
			m.SetType(ACK)
			m.Ciaddr = addr("10.0.0.8")
		}, "DHCPACK xid 000000fe to 02:00:00:00:00:01 for 10.0.0.8"},
		{"BOOTP", func(m *Message) { m.Hlen = 2 }, "BOOTP xid 000000fe from 02:00"},
	}
	for _, x := range tests {
		var m Message
		m.Reset(BootRequest)
		m.Htype, m.Hlen, m.Xid = HtypeEther, 6, 0xfe
		m.Chaddr = [16]byte{2, 0, 0, 0, 0, 1}
		x.set(&m)
		if got := string(m.Line(nil)); got != x.want {
			t.Errorf("%s: %s\nwant %s", x.name, got, x.want)
		}
	}
}

// What comes from the wire is one line of printable ASCII, whatever it is.
func TestD2_LineIsClean(t *testing.T) {
	m := parse(t, full())
	for c := range 256 {
		if Code(c) != MessageType {
			m.Options.PutText(Code(c), "\x00\n\x1b\x9b\xff\r\"")
		}
	}
	clean := func(b []byte) bool {
		return !slices.ContainsFunc(b, func(c byte) bool { return c < ' ' || c > '~' })
	}
	if line := m.Line(nil); !clean(line) {
		t.Errorf("%q", line)
	}
	for _, line := range splitLines(m.Dump(nil, Builtin())) {
		if len(line) < 2 || line[0] != '\t' || !clean(line[1:]) {
			t.Errorf("%q", line)
		}
	}
}
