package main

import (
	"errors"
	"strconv"
	"strings"

	"dhcpd/internal/netip"
)

// most is how many addresses one range or netblock may have: a slip like
// 10.0.0.0/2 should be told, not obeyed.
const most = 1 << 22

// expand returns the addresses that a host of the command line stands for: an
// address, a name, a range 10.0.0.10-10.0.0.99, or a netblock 10.0.0.0/24,
// whose network and broadcast addresses don't count.
func expand(s string, lookup func(name string) []netip.Addr) ([]netip.Addr, error) {
	if p, ok := netip.ParsePrefix(s); ok {
		return netblock(p)
	}
	first, last, ok := strings.Cut(s, "-")
	if !ok {
		last = first
	}
	a, ok1 := netip.ParseAddr(first)
	b, ok2 := netip.ParseAddr(last)
	if ok1 && ok2 {
		return span(a, b)
	}
	list := lookup(s)
	if len(list) == 0 {
		return nil, errors.New(s + ": Unknown host")
	}
	return list, nil
}

func netblock(p netip.Prefix) ([]netip.Addr, error) {
	if net := p.Masked(); net != p {
		return nil, errors.New(p.String() + ": Not a netblock (did you mean " + net.String() + "?)")
	}
	first := p.Addr().Number()
	last := first + uint32(1<<(32-p.Bits())-1)
	if p.Bits() < 31 {
		first, last = first+1, last-1
	}
	return span(netip.AddrFrom(first), netip.AddrFrom(last))
}

// span returns the addresses from first to last.
func span(first, last netip.Addr) ([]netip.Addr, error) {
	from, to := first.Number(), last.Number()
	if to < from {
		return nil, errors.New(first.String() + "-" + last.String() + ": The range ends before it begins")
	}
	if to-from >= most {
		return nil, errors.New(first.String() + "-" + last.String() + ": More than " + strconv.Itoa(most) + " addresses")
	}
	for _, a := range []netip.Addr{first, last} { // most keeps what lies between out of 127/8
		if !unicast(a) {
			return nil, errors.New(a.String() + ": Not an address for a host")
		}
	}
	list := make([]netip.Addr, to-from+1)
	for i := range list {
		list[i] = netip.AddrFrom(from + uint32(i))
	}
	return list, nil
}

// unicast tells whether a host may have the address at all.
func unicast(a netip.Addr) bool {
	net := a.As4()[0]
	return net != 0 && net != 127 && net < 224
}
