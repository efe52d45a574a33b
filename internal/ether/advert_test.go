package ether

import (
	"bytes"
	"testing"

	"dhcpd/internal/netip"
)

// advert is a frame with an advertisement of 10.0.0.1 with preference 5 and of
// 10.0.0.2 that is no default router, for half an hour, put together by hand.
const advert = "01005e000001" + "02000000000a" + "0800" +
	"4500002c00004000" + "0101" + "8fcf" + "0a000001" + "e0000001" + // IPv4, TTL 1, ICMP
	"0900" + "59ed" + "02020708" + "0a00000100000005" + "0a00000280000000"

func TestI4_AdvertOnTheWire(t *testing.T) {
	one, two := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	m := Advertisement(1800, AppendEntry(AppendEntry(nil, one, 5), two, -1<<31))
	b := AppendICMPFrame(nil, macA, MAC{1, 0, 0x5e, 0, 0, 1}, one, netip.MustParseAddr("224.0.0.1"), &m)
	if want := unhex(t, advert); !bytes.Equal(b, want) {
		t.Errorf("got %x\nwant %x", b, want)
	}
	got, err := ParseICMPFrame(append(b, 0, 0)) // padded
	if err != nil || got.From != macA || got.Src != one || got.Dst != netip.MustParseAddr("224.0.0.1") {
		t.Fatalf("got %v %v", got, err)
	}
	a, err := ParseAdvert(&got.ICMP)
	if err != nil || a.Lifetime != 1800 || a.Len() != 2 {
		t.Fatalf("got %v %v", a, err)
	}
	if r, p := a.Entry(0); r != one || p != 5 {
		t.Errorf("first entry: %v %d", r, p)
	}
	if r, p := a.Entry(1); r != two || p != -1<<31 {
		t.Errorf("second entry: %v %d", r, p)
	}
	for n := range b {
		if _, err := ParseICMPFrame(b[:n]); err != ErrShort {
			t.Errorf("cut to %d octets: %v", n, err)
		}
	}
	b[13] = 6
	if _, err := ParseICMPFrame(b); err != ErrType {
		t.Errorf("ARP: %v", err)
	}
}

// TestI2_AdvertChecks: RFC 1256 section 5.2.
func TestI2_AdvertChecks(t *testing.T) {
	entry := []byte{10, 0, 0, 1, 0, 0, 0, 5}
	for _, c := range []struct {
		name string
		m    ICMP
		want error
		n    int
	}{
		{"one", ICMP{Type: 9, Rest: 0x01020708, Payload: entry}, nil, 1},
		{"a solicitation", ICMP{Type: 10, Rest: 0x01020708, Payload: entry}, ErrType, 0},
		{"code 16, Mobile IP's", ICMP{Type: 9, Code: 16, Rest: 0x01020708, Payload: entry}, ErrHeader, 0},
		{"none", ICMP{Type: 9, Rest: 0x00020708, Payload: entry}, ErrHeader, 0},
		{"entries without a preference", ICMP{Type: 9, Rest: 0x01010708, Payload: entry}, ErrHeader, 0},
		{"entries of no size", ICMP{Type: 9, Rest: 0x01000708, Payload: entry}, ErrHeader, 0},
		{"longer entries than there is room for", ICMP{Type: 9, Rest: 0x01030708, Payload: entry}, ErrShort, 0},
		{"longer entries", ICMP{Type: 9, Rest: 0x01030708, Payload: append(entry, 1, 2, 3, 4)}, nil, 1},
		{"something behind", ICMP{Type: 9, Rest: 0x01020708, Payload: append(entry, 1, 2, 3)}, nil, 1},
		{"two, and one is there", ICMP{Type: 9, Rest: 0x02020708, Payload: append(entry, entry[:7]...)}, ErrShort, 0},
		{"255 of the largest", ICMP{Type: 9, Rest: 0xffff0000, Payload: make([]byte, 255*255*4)}, nil, 255},
	} {
		a, err := ParseAdvert(&c.m)
		if err != c.want || err == nil && a.Len() != c.n {
			t.Errorf("%s: %v, %v", c.name, a, err)
		}
	}
	b := unhex(t, advert)
	for i := 14 + 20; i < len(b); i++ {
		b[i]++
		if _, err := ParseICMPFrame(b); err != ErrChecksum {
			t.Errorf("octet %d changed: %v", i, err)
		}
		b[i]--
	}
}

func FuzzParseAdvert(f *testing.F) {
	f.Add(unhex(f, advert))
	f.Fuzz(func(t *testing.T, frame []byte) {
		r, err := ParseICMPFrame(frame)
		if err != nil {
			return
		}
		a, err := ParseAdvert(&r.ICMP)
		if err != nil {
			return
		}
		var entries []byte
		for i := range a.Len() {
			r, p := a.Entry(i)
			entries = AppendEntry(entries, r, p)
		}
		m := Advertisement(a.Lifetime, entries)
		again, err := ParseAdvert(&m)
		if err != nil || again.Len() != a.Len() || again.Lifetime != a.Lifetime {
			t.Fatalf("%x: %v became %v, %v", frame, a, again, err)
		}
	})
}
