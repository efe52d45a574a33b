package ether

import (
	"bytes"
	"encoding/hex"
	"testing"

	"dhcpd/internal/netip"
)

var (
	macA = MAC{0x02, 0, 0, 0, 0, 0x0a}
	macB = MAC{0x02, 0, 0, 0, 0, 0x0b}
	ipA  = netip.MustParseAddr("10.1.0.10")
	ipB  = netip.MustParseAddr("10.1.0.11")
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHeader(t *testing.T) {
	h := Header{Dst: Broadcast, Src: macA, Type: TypeARP}
	b := h.Append([]byte("x"))
	want := append([]byte("x"), unhex(t, "ffffffffffff02000000000a0806")...)
	if !bytes.Equal(b, want) {
		t.Fatalf("got %x, want %x", b, want)
	}
	got, payload, err := ParseHeader(append(b[1:], 1, 2))
	if err != nil || got != h || !bytes.Equal(payload, []byte{1, 2}) {
		t.Errorf("got %v %v %v", got, payload, err)
	}
	for n := range HeaderSize {
		if _, _, err := ParseHeader(b[1 : 1+n]); err != ErrShort {
			t.Errorf("%d octets: %v", n, err)
		}
	}
}

func TestHeader_Refused(t *testing.T) {
	for _, c := range []struct {
		typ  uint16
		want error
	}{
		{0x8100, ErrVLAN}, {0x88a8, ErrVLAN}, {0x9100, ErrVLAN},
		{0, ErrType}, {46, ErrType}, {0x5ff, ErrType},
		{0x600, nil}, {TypeIPv4, nil}, {0x86dd, nil},
	} {
		h := Header{Type: c.typ}
		if _, _, err := ParseHeader(h.Append(nil)); err != c.want {
			t.Errorf("type %#x: %v, want %v", c.typ, err, c.want)
		}
	}
}

func TestMAC(t *testing.T) {
	for _, c := range []struct {
		in, out string
	}{
		{"00:01:02:0a:0b:0c", "00:01:02:0a:0b:0c"},
		{"0:1:2:A:b:C", "00:01:02:0a:0b:0c"},
		{"ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff"},
		{"", ""}, {"1", ""}, {"0:1:2:3:4", ""}, {"0:1:2:3:4:", ""}, {"0:1:2:3:4:5:", ""},
		{"0:1:2:3:4:5:6", ""}, {"0:1:2:3:4:g", ""}, {"0:1:2:3:4:123", ""}, {"0::2:3:4:5", ""},
		{"0-1-2-3-4-5", ""}, {" 0:1:2:3:4:5", ""}, {"0:1:2:3:4:5 ", ""},
	} {
		m, ok := ParseMAC(c.in)
		if ok != (c.out != "") || ok && FormatMAC(m) != c.out || !ok && m != (MAC{}) {
			t.Errorf("%q: %v %v, want %q", c.in, FormatMAC(m), ok, c.out)
		}
	}
}

func FuzzParseMAC(f *testing.F) {
	f.Add("0:1:2:A:b:C")
	f.Fuzz(func(t *testing.T, s string) {
		m, ok := ParseMAC(s)
		if again, same := ParseMAC(FormatMAC(m)); !same || again != m {
			t.Errorf("%q: %v %v, then %v", s, m, ok, again)
		}
	})
}

// TestErrors_Text holds the reasons apart that a user sees at debug level 2.
func TestErrors_Text(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range []error{ErrShort, ErrVLAN, ErrType, ErrHeader, ErrFragment, ErrChecksum} {
		if s := e.Error(); s == "" || seen[s] {
			t.Errorf("%q is empty or said twice", s)
		} else {
			seen[s] = true
		}
	}
}
