// Package rdisc is router discovery by ICMP, RFC 1256: what a host makes of the
// advertisements that it hears, and when a router sends them. It is pure: time
// and randomness are arguments, and what is to be sent or configured is for the
// caller to do.
package rdisc

import (
	"math/bits"
	"time"

	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// The constants of RFC 1256 section 6.
const (
	maxSolicitations         = 3
	maxSolicitationDelay     = time.Second
	solicitationInterval     = 3 * time.Second
	maxInitialAdvertisements = 3
	maxInitialInterval       = 16 * time.Second
	maxResponseDelay         = 2 * time.Second
)

// Never is the preference of a router that is no default router (RFC 1256
// section 4.1).
const Never int32 = -1 << 31

// Where advertisements are sent, and where they may come to.
var (
	allSystems = netip.AddrFrom4([4]byte{224, 0, 0, 1})
	everybody  = netip.AddrFrom4([4]byte{255, 255, 255, 255})
)

// upTo returns a time uniform over [0, d).
func upTo(random uint64, d time.Duration) time.Duration {
	hi, _ := bits.Mul64(random, uint64(d))
	return time.Duration(hi)
}

// earlier returns the earlier of two times, where zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// due tells whether a time has come, where zero is never.
func due(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }

// isNeighbour tells whether another host of a subnet can have the address: it is
// not ours, and neither that of the network nor the broadcast address.
func isNeighbour(net netip.Prefix, a netip.Addr) bool {
	x, y, mask := a.Number(), net.Addr().Number(), ^uint32(0)<<(32-net.Bits())
	return x&mask == y&mask && x != y && (net.Bits() > 30 || x&^mask != 0 && x|mask != ^uint32(0))
}

// AppendSolicitation writes the frame by which a host asks who is a router. Its
// address is what its routers need to see a neighbour in it.
func AppendSolicitation(dst []byte, from ether.MAC, addr netip.Addr) []byte {
	m := ether.ICMP{Type: ether.RouterSolicitation}
	return ether.AppendICMPFrame(dst, from, ether.Broadcast, addr, everybody, &m)
}
