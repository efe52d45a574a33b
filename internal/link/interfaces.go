package link

import (
	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
)

const (
	skipStats   = 1 << 3 // RTEXT_FILTER_SKIP_STATS: spare us the counters of every interface
	operUnknown = 0      // IF_OPER_UNKNOWN (RFC 2863)
	operDormant = 5      // IF_OPER_DORMANT
)

func (k *kernel) Interfaces() (list []Interface, err error) {
	// A list that changed while it was read may lack something. If it never
	// holds still, the Watcher will soon say to look again.
	for range 8 {
		if list, err = k.interfaces(); err != errInterrupted {
			break
		}
	}
	if err != nil && err != errInterrupted {
		return nil, wrap(err, "list interfaces")
	}
	return list, nil
}

func (k *kernel) interfaces() (list []Interface, err error) {
	links := newMessage(unix.RTM_GETLINK, 0, make([]byte, unix.SizeofIfInfomsg)...)
	links.number(unix.IFLA_EXT_MASK, skipStats)
	at := map[int]int{}
	err = k.list(links, func(typ uint16, body []byte) {
		if i, ok := parseLink(body); ok && typ == unix.RTM_NEWLINK {
			at[i.Index] = len(list)
			list = append(list, i)
		}
	})
	if err != nil && err != errInterrupted {
		return nil, err
	}
	addrs := newMessage(unix.RTM_GETADDR, 0, unix.AF_INET, 0, 0, 0, 0, 0, 0, 0)
	more := k.list(addrs, func(typ uint16, body []byte) {
		index, a, ok := parseAddress(body)
		if n, known := at[index]; ok && known && typ == unix.RTM_NEWADDR {
			list[n].Addrs = append(list[n].Addrs, a)
		}
	})
	if more != nil {
		err = more
	}
	return list, err
}

// parseLink reads the body of an RTM_NEWLINK.
func parseLink(b []byte) (i Interface, ok bool) {
	if len(b) < unix.SizeofIfInfomsg {
		return i, false
	}
	i.Index = int(int32(host.Uint32(b[4:])))
	flags := host.Uint32(b[8:])
	i.Up = flags&unix.IFF_UP != 0
	i.Ether = host.Uint16(b[2:]) == unix.ARPHRD_ETHER && flags&(unix.IFF_NOARP|unix.IFF_LOOPBACK) == 0
	master, masterKind, state := 0, "", byte(operUnknown)
	for typ, v := range attributes(b[unix.SizeofIfInfomsg:]) {
		switch typ {
		case unix.IFLA_IFNAME:
			i.Name = text(v)
		case unix.IFLA_ADDRESS:
			if len(v) == len(i.MAC) {
				i.MAC = [6]byte(v)
			}
		case unix.IFLA_MTU:
			i.MTU = int(number(v))
		case unix.IFLA_CARRIER_CHANGES:
			i.Flaps = number(v)
		case unix.IFLA_OPERSTATE:
			if len(v) == 1 {
				state = v[0]
			}
		case unix.IFLA_MASTER:
			master = int(number(v))
		case unix.IFLA_LINKINFO:
			masterKind = slaveKind(v)
		}
	}
	// Dormant: with 802.1X or wireless we are not let in yet.
	i.Carrier = flags&unix.IFF_LOWER_UP != 0 && flags&unix.IFF_DORMANT == 0 && state != operDormant
	// The state follows the carrier within a second. Until then the queue may not
	// be open yet, and the kernel throw away without a word what is sent. A
	// driver that knows no carrier stays unknown.
	i.Ready = i.Carrier && flags&unix.IFF_RUNNING != 0 && (state != operUnknown || i.Flaps == 0)
	// A VRF lends its members a routing table; every other master takes
	// over their packets.
	if masterKind == "vrf" {
		i.VRF = master
	} else {
		i.Port = master != 0
	}
	return i, i.Name != ""
}

// slaveKind is the kind of an interface's master, from the details of its link.
func slaveKind(info []byte) string {
	for typ, v := range attributes(info) {
		if typ == unix.IFLA_INFO_SLAVE_KIND {
			return text(v)
		}
	}
	return ""
}

// parseAddress reads the body of an RTM_NEWADDR.
func parseAddress(b []byte) (index int, a Address, ok bool) {
	if len(b) < unix.SizeofIfAddrmsg || b[0] != unix.AF_INET {
		return 0, a, false
	}
	bits := int(b[1])
	a.Flags, a.Scope = uint32(b[2]), b[3]
	a.Valid, a.Preferred = Forever, Forever
	index = int(host.Uint32(b[4:]))
	var addr netip.Addr
	for typ, v := range attributes(b[unix.SizeofIfAddrmsg:]) {
		switch {
		case typ == unix.IFA_LOCAL && len(v) == 4:
			addr = netip.AddrFrom4([4]byte(v))
		case typ == unix.IFA_BROADCAST && len(v) == 4:
			a.Broadcast = netip.AddrFrom4([4]byte(v))
		case typ == unix.IFA_FLAGS:
			a.Flags = number(v)
		case typ == unix.IFA_CACHEINFO && len(v) >= 8:
			a.Preferred, a.Valid = host.Uint32(v), host.Uint32(v[4:])
		}
	}
	a.Prefix = netip.PrefixFrom(addr, bits)
	return index, a, a.Prefix.IsValid()
}
