package rdisc

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// TestI4_Intervals: at once, three more within 16 s each, and then at random
// between three quarters of the longest interval and all of it (RFC 1256
// sections 4.1 and 4.3).
func TestI4_Intervals(t *testing.T) {
	for _, longest := range []int{4, 12, 600, 1800} {
		var a Advertiser
		if a.On() || a.Tick(start, 0) {
			t.Fatal("advertises before its start")
		}
		a.Start(start, Settings{MaxAdvertisementInterval: longest})
		most := time.Duration(longest) * time.Second
		least := most * 3 / 4
		var low, high = most, time.Duration(0)
		now := start
		for n := range 2000 {
			if !a.On() || a.Due != now && n == 0 || !a.Tick(a.Due, rand.Uint64()) {
				t.Fatalf("nothing due at %v", a.Due)
			}
			wait := a.Due.Sub(now)
			switch now = a.Due; {
			case n < 3 && longest > 16*4/3 && wait != 16*time.Second:
				t.Errorf("interval %d, advertisement %d: waits %v", longest, n, wait)
			case wait < min(least, 16*time.Second) || wait > most:
				t.Errorf("interval %d, advertisement %d: waits %v", longest, n, wait)
			case n >= 3:
				low, high = min(low, wait), max(high, wait)
			}
		}
		if low > least+most/100 || high < most-most/100 {
			t.Errorf("interval %d: waits %v to %v", longest, low, high)
		}
		if want := uint16(3 * longest); a.AdvertisementLifetime() != want {
			t.Errorf("interval %d: lifetime %d", longest, a.AdvertisementLifetime())
		}
	}
}

// TestI4_Solicited: a solicitation is answered within two seconds, several by
// one advertisement, and the interval begins anew with it.
func TestI4_Solicited(t *testing.T) {
	nets := []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("10.9.0.1/24")}
	for _, tt := range []struct {
		src  string
		m    ether.ICMP
		ok   bool
		name string
	}{
		{"10.0.0.77", ether.ICMP{Type: 10}, true, "a neighbour"},
		{"10.9.0.77", ether.ICMP{Type: 10}, true, "a neighbour on another subnet of ours"},
		{"0.0.0.0", ether.ICMP{Type: 10}, true, "who has no address"},
		{"10.0.0.77", ether.ICMP{Type: 10, Rest: 7, Payload: []byte{1}}, true, "of a later version"},
		{"10.0.0.77", ether.ICMP{Type: 10, Code: 1}, false, "code 1"},
		{"10.0.0.77", ether.ICMP{Type: 9}, false, "an advertisement"},
		{"10.8.0.77", ether.ICMP{Type: 10}, false, "a stranger"},
	} {
		var a Advertiser
		a.Start(start, Settings{MaxAdvertisementInterval: 600})
		now := a.Due
		for range 4 {
			now = a.Due
			a.Tick(now, rand.Uint64())
		}
		was := a.Due
		err := a.Hear(now, rand.Uint64(), nets, &ether.Report{ICMP: tt.m, Src: netip.MustParseAddr(tt.src)})
		if (err == nil) != tt.ok || !tt.ok && a.Due != was || tt.ok && a.Due.Sub(now) >= 2*time.Second {
			t.Errorf("%s: %v, due after %v", tt.name, err, a.Due.Sub(now))
		}
		if !tt.ok {
			continue
		}
		at := a.Due
		a.Hear(at, ^uint64(0), nets, &ether.Report{ICMP: tt.m, Src: netip.MustParseAddr(tt.src)})
		if a.Due != at {
			t.Errorf("%s: asked again, due after %v", tt.name, a.Due.Sub(now))
		}
		if a.Tick(at, 0); a.Due.Sub(at) < 450*time.Second {
			t.Errorf("%s: answered, and due after %v", tt.name, a.Due.Sub(at))
		}
	}
}

// TestI4_Frames: as many addresses as fit, each frame from one that it lists,
// and understood by our own host.
func TestI4_Frames(t *testing.T) {
	mac := ether.MAC{2, 0, 0, 0, 0, 1}
	for _, tt := range []struct{ addrs, mtu, frames int }{
		{1, 1500, 1}, {184, 1500, 1}, {185, 1500, 2}, {600, 9000, 3}, {5, 68, 1}, {6, 68, 2}, {3, 0, 3},
	} {
		var left []netip.Prefix
		for i := range tt.addrs {
			left = append(left, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 8))
		}
		all, frames := left, 0
		for ; len(left) > 0; frames++ {
			var b []byte
			b, left = AppendAdvertisement(nil, mac, left, 1800, -7, tt.mtu)
			m, err := ether.ParseICMPFrame(b)
			a, refused := ether.ParseAdvert(&m.ICMP)
			if err != nil || refused != nil || a.Lifetime != 1800 || m.Dst != allSystems || b[22] != 1 || // its TTL
				m.From != mac || !bytes.HasPrefix(b, []byte{1, 0, 0x5e, 0, 0, 1}) {
				t.Fatalf("%v %v %v", m, err, refused)
			}
			if tt.mtu > 60 && len(b) > tt.mtu+14 {
				t.Errorf("%d octets, MTU %d", len(b), tt.mtu)
			}
			for i := range a.Len() {
				if r, p := a.Entry(i); r != all[0].Addr() || p != -7 || !lists(&a, m.Src) {
					t.Errorf("entry %d is %v %d from %v, want %v", i, r, p, m.Src, all[0])
				}
				all = all[1:]
			}
		}
		if frames != tt.frames || len(all) > 0 {
			t.Errorf("%d addresses, MTU %d: %d frames, %d left", tt.addrs, tt.mtu, frames, len(all))
		}
	}
}

// TestI2_Solicitation: RFC 1256 section 3.
func TestI2_Solicitation(t *testing.T) {
	mac := ether.MAC{2, 0, 0, 0, 0, 1}
	b := AppendSolicitation(nil, mac, net.Addr())
	m, err := ether.ParseICMPFrame(b)
	if err != nil || ether.MAC(b) != ether.Broadcast || m.From != mac || m.Src != net.Addr() || m.Dst != everybody || b[22] != 1 ||
		m.Type != 10 || m.Code != 0 || m.Rest != 0 || len(m.Payload) != 0 || len(b) != 14+20+8 {
		t.Errorf("%x: %v %v", b, m, err)
	}
}
