package client

import (
	"errors"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// What makes an OFFER or ACK unfit to be believed.
var (
	errServer = errors.New("no server identifier, or not a host's address")
	errYiaddr = errors.New("yiaddr is not a host's address")
	errSubnet = errors.New("yiaddr is the network or broadcast address of its subnet")
	errTime   = errors.New("no lease time, or a malformed one")
)

// NewLease takes an ACK apart. The lease counts from start, when the REQUEST
// was sent. Its ACK is a copy. The error says what is wrong with the message.
func NewLease(ack *dhcp4.Message, start time.Time) (*act.Lease, error) {
	l, err := learn(ack, start)
	if err != nil {
		return nil, err
	}
	l.ACK = clone(ack)
	return &l, nil
}

// learn takes an OFFER or ACK apart.
func learn(msg *dhcp4.Message, start time.Time) (l act.Lease, err error) {
	if l.Server, err = serverID(msg); err != nil {
		return l, err
	}
	if !isHost(msg.Yiaddr) {
		return l, errYiaddr
	}
	lease, err := msg.Options.Uint32(dhcp4.LeaseTime)
	if err != nil || lease == 0 {
		return l, errTime
	}
	if err := place(&l, msg, start); err != nil {
		return l, err
	}
	if lease != dhcp4.Infinite {
		setTimes(&l, &msg.Options, lease)
	}
	return l, nil
}

// place reads the address and all that goes with it.
func place(l *act.Lease, msg *dhcp4.Message, start time.Time) error {
	if !isHost(msg.Yiaddr) {
		return errYiaddr
	}
	if l.Net, _ = network(msg); isEdge(l.Net) {
		return errSubnet
	}
	Learn(l, msg)
	l.Start = start
	return nil
}

// serverID returns the server identifier, which a reply must have (RFC 2131
// table 3), and to which a renewal is sent.
func serverID(msg *dhcp4.Message) (netip.Addr, error) {
	a, err := msg.Options.Addr(dhcp4.ServerID)
	if err != nil || !isHost(a) {
		return netip.Addr{}, errServer
	}
	return a, nil
}

// isHost tells whether a can be one host's address: of class A, B or C, and
// neither in 0/8 nor in 127/8.
func isHost(a netip.Addr) bool {
	first := a.As4()[0]
	return first != 0 && first != 127 && first < 224
}

// isEdge tells whether the address is the first or the last one of its subnet,
// which no host can have, but for subnets of one or two addresses (RFC 3021).
func isEdge(p netip.Prefix) bool {
	host := p.Addr().Number() &^ p.Netmask().Number()
	return p.Bits() < 31 && (host == 0 || host == 1<<(32-p.Bits())-1)
}

// network returns yiaddr with the netmask, or the one of its class if there is
// none; ok is false if there is one that makes no sense.
func network(msg *dhcp4.Message) (net netip.Prefix, ok bool) {
	size := msg.Yiaddr.ClassBits()
	mask, err := msg.Options.Uint32(dhcp4.Netmask)
	ones, whole := netip.MaskBits(mask)
	switch {
	case err == dhcp4.ErrAbsent:
		ok = true
	case err == nil && ones > 0 && whole:
		size, ok = ones, true
	}
	return netip.PrefixFrom(msg.Yiaddr, size), ok
}

// mtu returns the MTU, 0 for none. RFC 2132 section 5.1 allows 68 and more, but
// under 576, what every host must take (RFC 791), a server could cut us off:
// DHCP itself would not get through.
func mtu(msg *dhcp4.Message) int {
	v, err := msg.Options.Uint16(dhcp4.InterfaceMTU)
	if err != nil || v < 576 {
		return 0
	}
	return int(v)
}

// setTimes sets T1, T2 and End. Those of the server count if they make sense
// together: T1 < T2 < lease (RFC 2131 section 4.4.5). Any uint32 of seconds
// is a Duration.
func setTimes(l *act.Lease, o *dhcp4.Options, lease uint32) {
	end := time.Duration(lease) * time.Second
	t1, t2 := end/2, end-end/8
	a, b := option(o, dhcp4.RenewalTime, t1), option(o, dhcp4.RebindingTime, t2)
	if 0 < a && a < b && b < end {
		t1, t2 = a, b
	}
	Times{t1, t2, end}.set(l)
}

// option returns an option of seconds, or its default.
func option(o *dhcp4.Options, c dhcp4.Code, otherwise time.Duration) time.Duration {
	v, err := o.Uint32(c)
	if err != nil {
		return otherwise
	}
	return time.Duration(v) * time.Second
}

// set gives l these times.
func (t Times) set(l *act.Lease) {
	l.T1, l.T2, l.End = l.Start.Add(t.T1), l.Start.Add(t.T2), l.Start.Add(t.Lease)
}

// override gives l these times, unless they are zero.
func (t Times) override(l *act.Lease) {
	if t.Lease != 0 {
		t.set(l)
	}
}

// good tells whether the lease has not ended.
func good(l *act.Lease, now time.Time) bool {
	return l.Infinite() || now.Before(l.End)
}

// clone copies a message that will be reused.
func clone(msg *dhcp4.Message) *dhcp4.Message {
	c := new(dhcp4.Message)
	*c = *msg
	c.Options, c.Wire = dhcp4.Options{}, nil
	for code, v := range msg.Options.All() {
		c.Options.Put(code, v)
	}
	return c
}
