package dhcp4

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// full is an ACK with something in every field and options in all three.
func full() []byte {
	b := raw(
		53, 1, 5, 0, 0, // PADs between options
		51, 4, 0, 0, 14, 16,
		52, 1, 3,
		43, 3, 'a', 'b', 'c',
		82, 5, 1, 3, 'p', '0', '1',
		255, 1, 4, 255, 255, 255, 0) // nothing counts after END
	b[0], b[3] = 2, 1
	copy(b[8:], []byte{0, 9, 0x80, 0, 10, 0, 0, 1, 10, 0, 0, 2, 10, 0, 0, 3, 10, 0, 0, 4})
	copy(b[fileAt:], []byte{43, 2, 'd', 'e', 52, 1, 0, 3, 4, 10, 0, 0, 4, 255, 9, 9})
	copy(b[snameAt:], []byte{43, 1, 'f', 6, 4, 10, 0, 0, 5})
	return b
}

func TestS11_ParseEveryField(t *testing.T) {
	m := parse(t, full())
	var want Message
	want.Reset(BootReply)
	want.Htype, want.Hlen, want.Hops = HtypeEther, 6, 1
	want.Xid, want.Secs, want.Flags = 0x1a2b3c4d, 9, Broadcast
	want.Ciaddr, want.Yiaddr = addr("10.0.0.1"), addr("10.0.0.2")
	want.Siaddr, want.Giaddr = addr("10.0.0.3"), addr("10.0.0.4")
	want.Chaddr = [16]byte{2, 0, 0, 0, 0, 1}
	want.SetType(ACK)
	want.Options.PutUint32(LeaseTime, 3600)
	want.Options.PutText(43, "abcdef") // options, file, sname: RFC 3396 section 5
	want.Options.PutText(RelayAgent, "\x01\x03p01")
	want.Options.PutAddr(Router, addr("10.0.0.4"))
	want.Options.PutAddr(DNSServer, addr("10.0.0.5"))
	same(t, m, &want)
	if got := codes(&m.Options); !slices.Equal(got, codes(&want.Options)) {
		t.Errorf("order %v, want %v", got, codes(&want.Options))
	}
	if !bytes.Equal(m.HW(), []byte{2, 0, 0, 0, 0, 1}) || m.Type() != ACK {
		t.Errorf("hardware address %x, type %v", m.HW(), m.Type())
	}
}

// A parse leaves nothing of the message before it.
func TestParseReuse(t *testing.T) {
	var m Message
	for _, b := range [][]byte{full(), raw(53, 1, 1, 255), make([]byte, 300)} {
		b[0] = 1
		if err := m.Parse(b); err != nil {
			t.Fatal(err)
		}
		same(t, &m, parse(t, b))
	}
}

func TestParseVendorArea(t *testing.T) {
	tests := []struct {
		name    string
		options []byte
		err     error
		codes   []Code
	}{
		{"nothing behind the cookie", nil, nil, nil},
		{"END", []byte{255}, nil, nil},
		{"PADs only", []byte{0, 0, 0}, nil, nil},
		{"missing END", []byte{53, 1, 1, 12, 1, 'x'}, nil, []Code{53, 12}},
		{"missing END, PAD last", []byte{53, 1, 1, 0}, nil, []Code{53}},
		{"empty option", []byte{80, 0, 53, 1, 1, 255}, nil, []Code{80, 53}},
		{"option without length", []byte{53, 1, 1, 12}, ErrOption, nil},
		{"option past the end", []byte{53, 1, 1, 12, 2, 'x'}, ErrOption, nil},
		{"option past the end, after END", []byte{53, 1, 1, 255, 12, 99}, nil, []Code{53}},
		{"length 255 past the end", append([]byte{43, 255}, make([]byte, 254)...), ErrOption, nil},
		{"length 255", append([]byte{43, 255}, make([]byte, 255)...), nil, []Code{43}},
		{"type of two octets", []byte{53, 2, 1, 1, 255}, ErrType, nil},
		{"type empty", []byte{53, 0, 255}, ErrType, nil},
		{"type twice", []byte{53, 1, 1, 53, 1, 1, 255}, ErrType, nil},
		{"type 0", []byte{53, 1, 0, 255}, ErrType, nil},
		{"type 18", []byte{53, 1, 18, 255}, nil, []Code{53}},
		{"type 19", []byte{53, 1, 19, 255}, ErrType, nil},
		{"overload 0", []byte{52, 1, 0, 255}, ErrOverload, nil},
		{"overload 4", []byte{52, 1, 4, 255}, ErrOverload, nil},
		{"overload empty", []byte{52, 0, 255}, ErrOverload, nil},
		{"overload of two octets", []byte{52, 2, 1, 1, 255}, ErrOverload, nil},
		{"overload of empty fields", []byte{52, 1, 3, 255}, nil, nil},
	}
	for _, x := range tests {
		var m Message
		err := m.Parse(raw(x.options...))
		if err != x.err {
			t.Errorf("%s: error %v, want %v", x.name, err, x.err)
		}
		if err == nil && !slices.Equal(codes(&m.Options), x.codes) {
			t.Errorf("%s: options %v, want %v", x.name, codes(&m.Options), x.codes)
		}
	}
}

func TestParseCookie(t *testing.T) {
	set := func(cookie string) []byte {
		b := raw(53, 1, 1, 255)
		copy(b[headerSize:], cookie)
		return b
	}
	for _, cookie := range []string{"\x63\x82\x53\x62", "\x63\x53\x82\x63", "CMU\x00", "\x00\x00\x00\x00", "\xff\xff\xff\xff"} {
		if err := new(Message).Parse(set(cookie)); err != ErrCookie {
			t.Errorf("cookie %x: %v, want %v", cookie, err, ErrCookie)
		}
	}
	// RFC 951: a vendor area that is all zero or not there is plain BOOTP.
	for size := headerSize; size <= 300; size++ {
		b := append(raw()[:headerSize], make([]byte, size-headerSize)...)
		if m := parse(t, b); m.Type() != BOOTP || m.Options.Len() != 0 {
			t.Errorf("zero vendor area of %d octets: type %v", size-headerSize, m.Type())
		}
	}
}

func TestParseHeader(t *testing.T) {
	for op := range 256 {
		b := raw(255)
		b[0] = byte(op)
		if err := new(Message).Parse(b); (err == nil) != (op == 1 || op == 2) {
			t.Errorf("op %d: %v", op, err)
		}
	}
	for hlen := range 256 {
		b := raw(255)
		b[2] = byte(hlen)
		var m Message
		switch err := m.Parse(b); {
		case hlen > 16 && err != ErrHlen, hlen <= 16 && err != nil:
			t.Errorf("hlen %d: %v", hlen, err)
		case err == nil && len(m.HW()) != hlen:
			t.Errorf("hlen %d: hardware address of %d octets", hlen, len(m.HW()))
		}
	}
}

// Cut anywhere, a message is refused or has no more in it than the whole.
func TestParseTruncated(t *testing.T) {
	whole := full()
	want := parse(t, whole)
	var m Message
	for n := range whole {
		err := m.Parse(whole[:n:n])
		switch {
		case n < headerSize && err != ErrShort:
			t.Errorf("%d octets: %v, want %v", n, err, ErrShort)
		case n > headerSize && n < optionsAt && err != ErrCookie:
			t.Errorf("%d octets: %v, want %v", n, err, ErrCookie)
		case err != nil && n >= optionsAt && !errors.Is(err, ErrOption):
			t.Errorf("%d octets: %v, want %v", n, err, ErrOption)
		}
		if err != nil {
			continue
		}
		for c, v := range m.Options.All() {
			if !bytes.Contains(want.Options.Get(c), v) {
				t.Errorf("%d octets: option %d is %x, want a part of %x", n, c, v, want.Options.Get(c))
			}
		}
	}
}

func TestParseOverload(t *testing.T) {
	for v := byte(0); v < 4; v++ {
		b := raw(12, 1, 'o', 255)
		if v != 0 {
			b = raw(52, 1, v, 12, 1, 'o', 255)
		}
		copy(b[fileAt:], []byte{12, 1, 'f', 255})
		copy(b[snameAt:], []byte{12, 1, 's', 255})
		m := parse(t, b)
		want := "o"
		if v&1 != 0 {
			want += "f"
		}
		if v&2 != 0 {
			want += "s"
		}
		if got, _ := m.Options.Text(HostName); got != want {
			t.Errorf("overload %d: %q, want %q", v, got, want)
		}
		if m.Options.Has(Overload) {
			t.Errorf("overload %d is left as an option", v)
		}
		if (v&1 != 0) != allZero(m.File[:]) || (v&2 != 0) != allZero(m.Sname[:]) {
			t.Errorf("overload %d: file %x, sname %x", v, m.File[:4], m.Sname[:4])
		}
	}
	for at, v := range map[int]byte{fileAt: 1, snameAt: 2} {
		b := raw(52, 1, v, 255)
		copy(b[at:], []byte{12, 200})
		if err := new(Message).Parse(b); err != ErrOption {
			t.Errorf("overload %d, option past the end of the field: %v", v, err)
		}
	}
}

// Two options in turn, a piece of one octet at a time: no square of anything.
func TestParseManyPieces(t *testing.T) {
	b := raw()
	for len(b) < 65500 {
		b = append(b, 43, 1, byte(len(b)), 125, 1, byte(len(b)))
	}
	m := parse(t, b)
	for _, c := range []Code{43, 125} {
		v := m.Options.Get(c)
		if len(v) != (len(b)-optionsAt)/6 {
			t.Fatalf("option %d has %d octets", c, len(v))
		}
		for i, x := range v {
			if x != byte(optionsAt+6*i) {
				t.Fatalf("option %d, octet %d is %d", c, i, x)
			}
		}
	}
	if n := cap(m.Options.buf); n > 6*len(b) {
		t.Errorf("%d octets of memory for %d", n, len(b))
	}
}

func TestTexts(t *testing.T) {
	b := raw(255)
	copy(b[snameAt:], "boot\x00junk")
	copy(b[fileAt:], bytes.Repeat([]byte("x"), 128))
	m := parse(t, b)
	if m.SnameText() != "boot" || m.FileText() != string(bytes.Repeat([]byte("x"), 128)) {
		t.Errorf("sname %q, file %q", m.SnameText(), m.FileText())
	}
}

func TestS11_Limit(t *testing.T) {
	tests := []struct {
		value string // of option 57
		mtu   int
		want  int
	}{
		{"", 1500, 548},
		{"\x02\x40", 1500, 548}, // 576
		{"\x02\x41", 1500, 549},
		{"\x01\x00", 1500, 548},
		{"\x00\x00", 1500, 548},
		{"\x05\xdc", 1500, 1472},
		{"\xff\xff", 1500, 1472},
		{"\xff\xff", 9000, 8972},
		{"\x05\xdc", 1280, 1252},
		{"\x05\xdc", 296, 548},
		{"\x05", 1500, 548},
		{"\x00\x00\x05\xdc", 1500, 548},
	}
	for _, x := range tests {
		var m Message
		m.SetType(Discover)
		if x.value != "" {
			m.Options.PutText(MaxSize, x.value)
		}
		if got := m.Limit(x.mtu); got != x.want {
			t.Errorf("option 57 %x, MTU %d: limit %d, want %d", x.value, x.mtu, got, x.want)
		}
	}
}

func TestS14_Limit(t *testing.T) {
	var m Message
	m.Options.PutUint16(MaxSize, 1500) // which BOOTP does not have
	if got := m.Limit(1500); got != MinSize {
		t.Errorf("limit %d, want %d", got, MinSize)
	}
	m.Options.Put(RelayAgent, make([]byte, 300))
	if got := m.Limit(1500); got != MinSize+304 {
		t.Errorf("behind a relay: limit %d, want %d", got, MinSize+304)
	}
}

func TestTypeNames(t *testing.T) {
	for x, want := range map[Type]string{BOOTP: "BOOTP", Discover: "DHCPDISCOVER", Inform: "DHCPINFORM",
		LeaseActive: "DHCPLEASEACTIVE", TLS: "DHCPTLS", 19: "DHCP type 19"} {
		if x.String() != want {
			t.Errorf("type %d: %s, want %s", uint8(x), x, want)
		}
	}
	for x, want := range map[Op]string{BootRequest: "BOOTREQUEST", BootReply: "BOOTREPLY", 7: "op 7"} {
		if x.String() != want {
			t.Errorf("op %d: %s, want %s", uint8(x), x, want)
		}
	}
}
