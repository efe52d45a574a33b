package dhcp4

import "dhcpd/internal/netip"

// NetRoute is one route of options 121 and 33: to a network, or the default
// route if Dst is 0.0.0.0/0. A Gateway of 0.0.0.0 means that Dst is on the
// link itself (RFC 3442).
type NetRoute struct {
	Dst     netip.Prefix
	Gateway netip.Addr
}

// Append appends r as option 121 has it: RFC 3442. Dst must be masked.
func (r NetRoute) Append(dst []byte) []byte {
	d, g := r.Dst.Addr().As4(), r.Gateway.As4()
	dst = append(dst, byte(r.Dst.Bits()))
	dst = append(dst, d[:(r.Dst.Bits()+7)/8]...)
	return append(dst, g[:]...)
}

// Routes appends the routes of option 121 to dst, or of 249 if there is no 121:
// some servers know only Microsoft's number for it. A client that gets any uses
// neither option 33 nor option 3 (RFC 3442).
func (o *Options) Routes(dst []NetRoute) ([]NetRoute, error) {
	v, err := o.some(ClasslessRoute, 1)
	if err == ErrAbsent {
		v, err = o.some(MSRoute, 1)
	}
	for err == nil && len(v) > 0 {
		var r NetRoute
		if r, v, err = cutRoute(v); err == nil {
			dst = append(dst, r)
		}
	}
	return dst, err
}

// cutRoute takes the first route off v.
func cutRoute(v []byte) (r NetRoute, rest []byte, err error) {
	bits := int(v[0])
	n := (bits + 7) / 8
	if bits > 32 || len(v) < 1+n+4 {
		return r, nil, ErrMalformed
	}
	var d [4]byte
	copy(d[:], v[1:1+n])
	r.Dst = netip.PrefixFrom(netip.AddrFrom4(d), bits).Masked()
	r.Gateway = netip.AddrFrom4([4]byte(v[1+n:]))
	return r, v[1+n+4:], nil
}

// appendRoutes appends the routes of v as `10.0.0.0/8 10.0.0.1 …` and returns
// their number.
func appendRoutes(dst, v []byte) ([]byte, int) {
	n := 0
	for ; len(v) > 0; n++ {
		r, rest, err := cutRoute(v)
		if err != nil {
			return dst, malformed
		}
		if n > 0 {
			dst = append(dst, ' ')
		}
		dst = append(r.Dst.AppendTo(dst), ' ')
		dst = r.Gateway.AppendTo(dst)
		v = rest
	}
	if n == 0 {
		return dst, malformed
	}
	return dst, n
}
