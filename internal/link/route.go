package link

import (
	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
)

// String is the route as ip(8) writes it, as far as people need it.
func (r Route) String() string {
	if r.Via.IsValid() {
		return r.To.String() + " via " + r.Via.String()
	}
	return r.To.String()
}

// message makes a request about r.
func (r Route) message(typ, flags uint16, on ID) *message {
	scope, hop := byte(unix.RT_SCOPE_UNIVERSE), uint32(0)
	if !r.Via.IsValid() {
		scope = unix.RT_SCOPE_LINK
	}
	if r.OnLink {
		hop = unix.RTNH_F_ONLINK
	}
	m := newMessage(typ, flags, unix.AF_INET, byte(r.To.Bits()), 0, 0,
		unix.RT_TABLE_MAIN, r.Protocol, scope, unix.RTN_UNICAST)
	m.b = host.AppendUint32(m.b, hop)
	m.attr(unix.RTA_DST, r.To.Masked().Addr().AsSlice())
	m.number(unix.RTA_OIF, uint32(on.Index))
	m.number(unix.RTA_PRIORITY, r.Metric)
	if r.Via.IsValid() {
		m.attr(unix.RTA_GATEWAY, r.Via.AsSlice())
	}
	if r.Source.IsValid() {
		m.attr(unix.RTA_PREFSRC, r.Source.AsSlice())
	}
	return m
}

func (k *kernel) Routes(on ID) (list []Route, err error) {
	m := newMessage(unix.RTM_GETROUTE, 0, append([]byte{unix.AF_INET}, make([]byte, unix.SizeofRtMsg-1)...)...)
	err = k.list(m, func(typ uint16, body []byte) {
		if index, r, ok := parseRoute(body); ok && index == on.Index && typ == unix.RTM_NEWROUTE {
			list = append(list, r)
		}
	})
	if err != nil && err != errInterrupted {
		return nil, wrap(err, "list routes on "+on.Name)
	}
	return list, nil
}

// parseRoute reads the body of an RTM_NEWROUTE. ok is false for what is not
// of the main table or has several ways out.
func parseRoute(b []byte) (index int, r Route, ok bool) {
	if len(b) < unix.SizeofRtMsg || b[0] != unix.AF_INET || b[4] != unix.RT_TABLE_MAIN || b[7] != unix.RTN_UNICAST {
		return 0, r, false
	}
	bits := int(b[1])
	r.Protocol = b[5]
	r.OnLink = host.Uint32(b[8:])&unix.RTNH_F_ONLINK != 0
	to := netip.IPv4Unspecified()
	for typ, v := range attributes(b[unix.SizeofRtMsg:]) {
		if len(v) != 4 {
			continue
		}
		switch typ {
		case unix.RTA_DST:
			to = netip.AddrFrom4([4]byte(v))
		case unix.RTA_GATEWAY:
			r.Via = netip.AddrFrom4([4]byte(v))
		case unix.RTA_PREFSRC:
			r.Source = netip.AddrFrom4([4]byte(v))
		case unix.RTA_OIF:
			index = int(host.Uint32(v))
		case unix.RTA_PRIORITY:
			r.Metric = host.Uint32(v)
		}
	}
	r.To = netip.PrefixFrom(to, bits)
	return index, r, r.To.IsValid() && index != 0
}
