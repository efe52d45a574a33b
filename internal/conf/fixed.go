package conf

import (
	"encoding/binary"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// taken says why the pool may not lend an address.
type taken struct {
	by string // who: "a client", "an interface", "a gateway"
	at place
}

// byClient is what takes the address of a client element.
const byClient = "a client"

// byServer is what takes the address that another tag names. Only the advice
// knows of that: it is lent all the same.
const byServer = "a server"

// Reserved tells whether a client element names an address.
func (c *Config) Reserved(a netip.Addr) bool {
	addr, _ := toAddr(a)
	t, _ := c.takenBy(addr)
	return t.by == byClient
}

// takenBy tells who has an address of the config's, if anybody.
//
//go:noinline
func (c *Config) takenBy(a uint32) (t taken, ok bool) {
	t, ok = c.taken[a]
	return t, ok
}

// Entry returns the address of the nth client element that is known, from 0
// on; false behind the last.
func (c *Config) Entry(n int) (netip.Addr, bool) {
	if n >= len(c.entries) {
		return netip.Addr{}, false
	}
	return netip.AddrFrom(c.entries[n].addr), true
}

// glance gathers nothing but the netmask and whether there is a lease time.
func (w *Asker) glance() (m uint32, hasMask, hasLease bool) {
	var buf [64]uint32
	c := w.c
	for _, r := range w.rules(buf[:0]) {
		ops := c.rules[r].ops
		for i := range c.ops[ops.from:ops.to] {
			o := &c.ops[int(ops.from)+i]
			switch {
			case o.do > opMask || o.do != opMask && o.tag != uint16(dhcp4.Netmask) && o.tag != uint16(dhcp4.LeaseTime):
			case o.do == opMask && hasMask:
			case o.do == opMask || o.tag == uint16(dhcp4.Netmask):
				hasMask = o.do != opDrop
				if hasMask {
					m = binary.BigEndian.Uint32(c.data[o.value.from:])
				}
			default:
				hasLease = o.do == opSet
			}
		}
	}
	return m, hasMask, hasLease
}

// Fixed is the first pass: the address of the client's `client` entry on the
// network of on, of several the one closest to on.
func (w Asker) Fixed(on netip.Addr) (netip.Addr, bool) {
	near, ok := toAddr(on)
	if !ok || w.who < 0 {
		return netip.Addr{}, false
	}
	a, ok := w.closest(near, func(a, mask uint32) bool { return (a^near)&mask == 0 || w.c.wires.same(a, near) })
	if !ok {
		return netip.Addr{}, false
	}
	return netip.AddrFrom(a), true
}

// closest returns the address closest to near among those of the client's
// entries that have a netmask with which they are good.
func (w *Asker) closest(near uint32, good func(a, mask uint32) bool) (best uint32, found bool) {
	for n := w.first(); n >= 0; n = w.c.entries[n].next {
		e := &w.c.entries[n]
		if found && e.addr^near >= best^near || !w.holds(e.cond) {
			continue
		}
		second := *w
		second.at(e.addr)
		if m, ok, _ := second.glance(); ok && good(e.addr, m) {
			best, found = e.addr, true
		}
	}
	return best, found
}

// first returns the client's first entry, -1 for none.
func (w *Asker) first() int32 {
	if w.who < 0 {
		return -1
	}
	return w.c.firstEntry[w.who]
}

// Network returns the network that a lies on: by the netmask that is gathered
// for a without client or class. Netblocks that are shared are one network,
// the first of them.
func (c *Config) Network(a netip.Addr) (netip.Prefix, bool) {
	addr, ok := toAddr(a)
	if !ok {
		return netip.Prefix{}, false
	}
	w := c.nobody()
	w.at(addr)
	m, ok, _ := w.glance()
	bits, okBits := netip.MaskBits(m)
	if !ok || !okBits {
		return netip.Prefix{}, false
	}
	if first, ok := c.wires.of(addr); ok {
		return netip.PrefixFrom(netip.AddrFrom(first.addr), int(first.bits)), true
	}
	return netip.PrefixFrom(netip.AddrFrom(addr&m), bits), true
}

// Joined tells whether two addresses are on one wire by a `shared` element,
// whatever their netmasks.
func (c *Config) Joined(a, b netip.Addr) bool {
	x, ok := toAddr(a)
	y, okToo := toAddr(b)
	return ok && okToo && c.wires.same(x, y)
}

// Lendable tells whether the pool may give a away, and if not why not: it has
// no netmask or no lease time, it is the address of the network or its
// broadcast address, or a client, interface or gateway element names it.
func (c *Config) Lendable(a netip.Addr) (why string, ok bool) {
	addr, ok := toAddr(a)
	if !ok {
		return a.String() + " is not an IPv4 address", false
	}
	if t, ok := c.takenBy(addr); ok {
		return c.message(t.at, a.String()+" belongs to "+t.by), false
	}
	w := c.nobody()
	w.at(addr)
	m, hasMask, hasLease := w.glance()
	switch why := edge(addr, m); {
	case !hasMask:
		return "No netmask set for address " + a.String(), false
	case !hasLease:
		return "No lease set for address " + a.String(), false
	case why != "":
		return a.String() + why, false
	}
	return "", true
}

// edge tells whether a is what no host can have under a netmask: "" if not.
func edge(a, mask uint32) string {
	host := a &^ mask
	switch {
	case ^mask <= 1: // RFC 3021: a /31 has neither
	case host == 0:
		return " is the address of its network"
	case host == ^mask:
		return " is the broadcast address of its network"
	}
	return ""
}
