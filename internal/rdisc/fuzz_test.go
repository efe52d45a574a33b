package rdisc

import (
	"testing"
	"time"

	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// FuzzAdvertiser: it advertises often enough for its lifetime, and no more often
// than it may, whoever solicits.
func FuzzAdvertiser(f *testing.F) {
	f.Add(uint16(600), []byte{1, 9, 200, 0, 200, 1, 0, 200, 200})
	f.Fuzz(func(t *testing.T, interval uint16, b []byte) {
		var a Advertiser
		now, longest := start, 4+int(interval)%1797
		a.Start(now, Settings{MaxAdvertisementInterval: longest})
		last := now
		for ; len(b) >= 2; b = b[2:] {
			now = now.Add(time.Duration(b[0]) * time.Second / 8)
			random := uint64(b[1]) << 56
			if b[0]&1 != 0 {
				m := ether.Report{ICMP: ether.ICMP{Type: ether.RouterSolicitation, Code: b[1] >> 7}, Src: netip.AddrFrom4([4]byte{10, 0, b[1] & 1, 7})}
				before := a.Due
				if err := a.Hear(now, random, []netip.Prefix{net}, &m); (err == nil) != (b[1]&0x81 == 0) || a.Due.After(before) {
					t.Fatalf("%v; due %v, then %v", err, before, a.Due)
				}
			}
			was := a.Due
			if a.Tick(now, random) {
				if now.Before(was) {
					t.Fatalf("%v too early", was.Sub(now))
				}
				last = now
			}
			if !a.Due.After(now) || a.Due.Sub(last) > time.Duration(longest)*time.Second {
				t.Fatalf("due %v after now, %v after the last one", a.Due.Sub(now), a.Due.Sub(last))
			}
		}
	})
}

// FuzzAdvertisement: what is advertised is heard, in as many frames as it takes.
func FuzzAdvertisement(f *testing.F) {
	f.Add(uint8(3), uint16(1500), uint16(1800), int32(-1))
	f.Add(uint8(200), uint16(68), uint16(9), int32(0x7fffffff))
	f.Fuzz(func(t *testing.T, n uint8, mtu, lifetime uint16, preference int32) {
		var addrs []netip.Prefix
		for i := range n {
			addrs = append(addrs, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, 1 + i}), 24))
		}
		for seen := 0; len(addrs) > 0; {
			first := addrs[0].Addr()
			frame, left := AppendAdvertisement(nil, ether.MAC{2}, addrs, lifetime, preference, int(mtu))
			r, err := ether.ParseICMPFrame(frame)
			if err != nil || len(left) >= len(addrs) || len(frame) > max(14+int(mtu), 14+28+8) {
				t.Fatalf("%d octets, mtu %d: %v", len(frame), mtu, err)
			}
			ad, err := ether.ParseAdvert(&r.ICMP)
			if err != nil || ad.Lifetime != lifetime || ad.Len() != len(addrs)-len(left) || r.Src != first {
				t.Fatalf("%+v: %v", ad, err)
			}
			for i := range ad.Len() {
				if a, p := ad.Entry(i); a != addrs[i].Addr() || p != preference {
					t.Fatalf("%v %d", a, p)
				}
			}
			if seen, addrs = seen+ad.Len(), left; len(left) == 0 && seen != int(n) {
				t.Fatalf("%d of %d", seen, n)
			}
		}
	})
}
