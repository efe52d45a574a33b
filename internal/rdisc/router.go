package rdisc

import (
	"time"

	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// Advertiser says when a router advertises itself on one network. The zero
// Advertiser never does. It is a value: a copy stays good.
type Advertiser struct {
	Settings
	Due time.Time // when to call Tick; zero for never

	sent int // advertisements so far, up to maxInitialAdvertisements
}

// Settings is what is configured of an Advertiser. The names are those of RFC
// 1256 section 4.1.
type Settings struct {
	MaxAdvertisementInterval int   // 4 to 1800 s
	PreferenceLevel          int32 // of each address
}

// On tells whether it has been started.
func (a *Advertiser) On() bool { return !a.Due.IsZero() }

// Start begins, or begins anew, at once.
func (a *Advertiser) Start(now time.Time, s Settings) { *a = Advertiser{Settings: s, Due: now} }

// AdvertisementLifetime is in seconds: if two advertisements get lost, hosts
// still know of the router.
func (a *Advertiser) AdvertisementLifetime() uint16 { return uint16(3 * a.MaxAdvertisementInterval) }

// Tick does what is due. True: an advertisement is to be sent to everybody.
func (a *Advertiser) Tick(now time.Time, random uint64) (advertise bool) {
	if !due(a.Due, now) {
		return false
	}
	longest := time.Duration(a.MaxAdvertisementInterval) * time.Second
	wait := longest - upTo(random, longest/4) // MinAdvertisementInterval is three quarters of it
	if a.sent < maxInitialAdvertisements {
		a.sent++
		wait = min(wait, maxInitialInterval)
	}
	a.Due = now.Add(wait)
	return true
}

// Hear takes a solicitation from a network with these subnets. One
// advertisement to everybody answers all that come within two seconds (RFC 1256
// section 4.3). The error is why it does not count.
func (a *Advertiser) Hear(now time.Time, random uint64, nets []netip.Prefix, m *ether.Report) error {
	if m.Type != ether.RouterSolicitation || m.Code != 0 {
		return ether.ErrType
	}
	known := m.Src.IsUnspecified() // RFC 1256 section 4.2
	for _, p := range nets {
		known = known || p.Contains(m.Src)
	}
	if !known {
		return ether.Error("router solicitation from another subnet")
	}
	a.Due = earlier(a.Due, now.Add(upTo(random, maxResponseDelay)))
	return nil
}

// AppendAdvertisement writes a frame that advertises the first addresses of a
// list, as many as fit into the MTU, and returns the others. It is sent from the
// first of them, so that hosts see that its sender is one of those that it lists.
func AppendAdvertisement(dst []byte, from ether.MAC, addrs []netip.Prefix, lifetime uint16, preference int32,
	mtu int) (frame []byte, left []netip.Prefix) {
	const headers, entry, most = 20 + 8, 8, 255
	n := min(len(addrs), most, max((mtu-headers)/entry, 1))
	var entries []byte
	for _, p := range addrs[:n] {
		entries = ether.AppendEntry(entries, p.Addr(), preference)
	}
	m := ether.Advertisement(lifetime, entries)
	to := ether.MAC{1, 0, 0x5e, 0, 0, 1} // of allSystems: RFC 1112 section 6.4
	return ether.AppendICMPFrame(dst, from, to, addrs[0].Addr(), allSystems, &m), addrs[n:]
}
