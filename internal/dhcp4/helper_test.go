package dhcp4

import (
	"bytes"
	"testing"

	"dhcpd/internal/netip"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// raw returns a BOOTREQUEST over Ethernet as it comes over the wire, with the
// cookie and the given octets behind it.
func raw(options ...byte) []byte {
	b := make([]byte, optionsAt)
	b[0], b[1], b[2] = 1, 1, 6
	copy(b[4:], "\x1a\x2b\x3c\x4d")
	copy(b[28:], "\x02\x00\x00\x00\x00\x01")
	copy(b[headerSize:], "\x63\x82\x53\x63")
	return append(b, options...)
}

// parse fails the test if b is not a message.
func parse(t *testing.T, b []byte) *Message {
	t.Helper()
	m := new(Message)
	if err := m.Parse(b); err != nil {
		t.Fatalf("%v", err)
	}
	return m
}

// codes returns the codes of o in order.
func codes(o *Options) (list []Code) {
	for c := range o.All() {
		list = append(list, c)
	}
	return list
}

// same tells whether two messages have the same fields and options; the order
// of options counts but for option 82.
func same(t *testing.T, got, want *Message) {
	t.Helper()
	g, w := *got, *want
	g.Options, w.Options = Options{}, Options{}
	if !headerEqual(&g, &w) {
		t.Errorf("header %+v, want %+v", g, w)
	}
	for c, v := range want.Options.All() {
		if !got.Options.Has(c) || !bytes.Equal(got.Options.Get(c), v) {
			t.Errorf("option %d is %x, want %x", c, got.Options.Get(c), v)
		}
	}
	if got.Options.Len() != want.Options.Len() {
		t.Errorf("options %v, want %v", codes(&got.Options), codes(&want.Options))
	}
}

func headerEqual(a, b *Message) bool {
	return a.Op == b.Op && a.Htype == b.Htype && a.Hlen == b.Hlen && a.Hops == b.Hops &&
		a.Xid == b.Xid && a.Secs == b.Secs && a.Flags == b.Flags &&
		a.Ciaddr == b.Ciaddr && a.Yiaddr == b.Yiaddr && a.Siaddr == b.Siaddr && a.Giaddr == b.Giaddr &&
		a.Chaddr == b.Chaddr && a.Sname == b.Sname && a.File == b.File
}
