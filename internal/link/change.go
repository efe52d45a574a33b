package link

import (
	"strconv"

	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
)

func (k *kernel) SetUp(on ID) error {
	m := setLink(on, unix.IFF_UP)
	return wrap(k.do(m), "bring up "+on.Name)
}

func (k *kernel) SetMTU(on ID, mtu int) error {
	m := setLink(on, 0)
	m.number(unix.IFLA_MTU, uint32(mtu))
	return wrap(k.do(m), "set MTU "+strconv.Itoa(mtu)+" on "+on.Name)
}

// setLink begins a change of a link, and of these of its flags, to one.
func setLink(on ID, flags uint32) *message {
	fixed := make([]byte, unix.SizeofIfInfomsg)
	host.PutUint32(fixed[4:], uint32(on.Index))
	host.PutUint32(fixed[8:], flags)
	host.PutUint32(fixed[12:], flags)
	return newMessage(unix.RTM_NEWLINK, 0, fixed...)
}

func (k *kernel) SetAddress(on ID, a Address) error {
	m := addressMessage(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, on, a.Prefix, a.Scope)
	if a.Broadcast.Is4() {
		m.attr(unix.IFA_BROADCAST, a.Broadcast.AsSlice())
	}
	lifetimes := append(word(a.Preferred), word(a.Valid)...)
	m.attr(unix.IFA_CACHEINFO, append(lifetimes, make([]byte, 8)...)) // and two times that the kernel fills in
	return wrap(k.do(m), "set address "+a.Prefix.String()+" on "+on.Name)
}

func (k *kernel) DeleteAddress(on ID, p netip.Prefix) error {
	m := addressMessage(unix.RTM_DELADDR, 0, on, p, 0)
	err := unless(k.do(m), unix.EADDRNOTAVAIL, unix.ENODEV)
	return wrap(err, "delete address "+p.String()+" from "+on.Name)
}

func addressMessage(typ, flags uint16, on ID, p netip.Prefix, scope uint8) *message {
	m := newMessage(typ, flags, unix.AF_INET, byte(p.Bits()), 0, scope)
	m.b = host.AppendUint32(m.b, uint32(on.Index))
	m.attr(unix.IFA_LOCAL, p.Addr().AsSlice())
	m.attr(unix.IFA_ADDRESS, p.Addr().AsSlice())
	return m
}

func (k *kernel) AddRoute(on ID, r Route) error {
	m := r.message(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_APPEND, on)
	return wrap(unless(k.do(m), unix.EEXIST), "add route "+r.String()+" on "+on.Name)
}

func (k *kernel) ReplaceRoute(on ID, r Route) error {
	m := r.message(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, on)
	return wrap(k.do(m), "set route "+r.String()+" on "+on.Name)
}

func (k *kernel) DeleteRoute(on ID, r Route) error {
	m := r.message(unix.RTM_DELROUTE, 0, on)
	err := unless(k.do(m), unix.ESRCH, unix.ENODEV)
	return wrap(err, "delete route "+r.String()+" from "+on.Name)
}

// Nameless tells whether a host name is one that a machine has before it gets
// its own.
func Nameless(name string) bool {
	return name == "" || name == "(none)" || name == "localhost"
}

func (k *kernel) Hostname() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Nodename[:])
}

func (k *kernel) SetHostname(name string) error {
	err := k.unnamed
	if err == nil {
		_, err = unix.Write(k.name, []byte(name))
	}
	return wrap(err, "set host name "+name)
}
