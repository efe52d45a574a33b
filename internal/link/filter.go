package link

import (
	"encoding/binary"

	"dhcpd/internal/ether"
	"dhcpd/internal/netip"

	"golang.org/x/sys/unix"
)

// Socket filters, in the classic BPF of the kernel. A filter runs for every
// packet that the network brings, so it must cost less than waking us up.

const (
	keep uint32 = 0x40000 // more octets than any packet has
	drop uint32 = 0
)

// The few instructions that we need.
const (
	loadWord  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	loadHalf  = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
	loadByte  = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
	loadByteX = unix.BPF_LD | unix.BPF_B | unix.BPF_IND  // at X + k
	loadHalfX = unix.BPF_LD | unix.BPF_H | unix.BPF_IND  // likewise
	headerToX = unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH // X = 4 * (octet at k & 15)
	ifEqual   = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	ifAtLeast = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	ifGreater = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K
	ifBits    = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	end       = unix.BPF_RET | unix.BPF_K
)

// What is not in the packet itself is loaded from places near the end of the
// number range (linux/filter.h).
const (
	packetType = 1<<32 - 0x1000 + 4
	ifIndex    = 1<<32 - 0x1000 + 8
	vlanTagged = 1<<32 - 0x1000 + 48
	ipHeader   = 1<<32 - 0x100000
)

// program is a filter being written.
type program []unix.SockFilter

// attach puts a filter on a socket, in the place of the one that it has.
func attach(fd int, p program) error {
	prog := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog)
}

//go:noinline
func (p *program) add(code uint16, k uint32, yes, no uint8) {
	*p = append(*p, unix.SockFilter{Code: code, Jt: yes, Jf: no, K: k})
}

//go:noinline
func (p *program) load(code uint16, at uint32) { p.add(code, at, 0, 0) }

// dropIf ends with drop if the test holds of what was loaded.
func (p *program) dropIf(test uint16, k uint32) {
	p.add(test, k, 0, 1)
	p.add(end, drop, 0, 0)
}

// dropUnless ends with drop unless the test holds.
func (p *program) dropUnless(test uint16, k uint32) {
	p.add(test, k, 1, 0)
	p.add(end, drop, 0, 0)
}

// keepIf ends with keep if the test holds.
//
//go:noinline
func (p *program) keepIf(test uint16, k uint32) {
	p.add(test, k, 0, 1)
	p.add(end, keep, 0, 0)
}

// onlyInterfaces is the filter of a UDP socket that serves some interfaces, and
// perhaps waits for replies on all. Of so many that they don't fit into a filter
// it lets everything in.
func onlyInterfaces(indexes []int, replies bool) program {
	var p program
	if replies {
		const op, reply = 8, 2 // behind the UDP header: RFC 2131 figure 1
		p.load(loadByte, op)
		p.keepIf(ifEqual, reply)
	}
	p.load(loadWord, ifIndex)
	for i := range indexes { // they mostly are in order
		for ; i > 0 && indexes[i] < indexes[i-1]; i-- {
			indexes[i], indexes[i-1] = indexes[i-1], indexes[i]
		}
	}
	p.among(indexes)
	if len(p)+siftSize > unix.BPF_MAXINSNS {
		return program{{Code: end, K: keep}}
	}
	return p
}

// among ends with keep if what was loaded is one of these, which are in order.
// Many are halved until few are left: a thousand cost no more than ten.
func (p *program) among(list []int) {
	const few = 10
	n := len(list)
	if n > few && list[n-1]-list[0] != n-1 {
		p.add(ifAtLeast, uint32(list[n/2]), 0, 1)
		p.add(unix.BPF_JMP|unix.BPF_JA, 0, 0, 0)
		from := len(*p)
		p.among(list[:n/2])
		(*p)[from-1].K = uint32(len(*p) - from)
		p.among(list[n/2:])
		return
	}
	for i := 0; i < n; { // a row is one test
		first := list[i]
		last := first
		for i++; i < n && list[i] == last+1; i++ {
			last++
		}
		if first == last {
			p.keepIf(ifEqual, uint32(first))
			continue
		}
		p.add(ifAtLeast, uint32(first), 0, 2)
		p.add(ifGreater, uint32(last), 1, 0)
		p.add(end, keep, 0, 0)
	}
	p.add(end, drop, 0, 0)
}

// toUs begins a packet socket's filter: not what we sent ourselves, what a
// promiscuous interface overheard, or what has the tag of a VLAN.
func (p *program) toUs(etherType uint32) {
	p.load(loadByte, packetType)
	p.dropIf(ifGreater, unix.PACKET_MULTICAST)
	p.load(loadByte, vlanTagged)
	p.dropUnless(ifEqual, 0)
	p.load(loadHalf, 12)
	p.dropUnless(ifEqual, etherType)
}

// onlyDHCP is the filter for frames with UDP to a client's port in them.
func onlyDHCP() program {
	p := inIPv4(unix.IPPROTO_UDP)
	p.load(loadHalfX, ipv4+2)
	p.keepIf(ifEqual, 68)
	p.add(end, drop, 0, 0)
	return p
}

const ipv4 = 14 // where the IPv4 header begins

// inIPv4 begins the filter for packets of a protocol. X is then the length of
// the IPv4 header.
//
//go:noinline
func inIPv4(protocol uint32) (p program) {
	p.toUs(unix.ETH_P_IP)
	p.load(loadByte, ipv4+9)
	p.dropUnless(ifEqual, protocol)
	p.load(loadHalf, ipv4+6)
	p.dropIf(ifBits, 0x3fff) // a fragment
	p.load(headerToX, ipv4)
	return p
}

// onlyRouters is the filter for frames with router discovery in them, ICMP of
// types 9 and 10.
func onlyRouters() program {
	p := inIPv4(unix.IPPROTO_ICMP)
	p.load(loadByteX, ipv4)
	p.keepIf(ifEqual, uint32(ether.RouterAdvertisement))
	p.keepIf(ifEqual, uint32(ether.RouterSolicitation))
	p.add(end, drop, 0, 0)
	return p
}

// onlyARP is the filter for ARP about some addresses, or about any.
func onlyARP(about []netip.Addr) program {
	const arp = 14 // where the ARP packet begins
	var p program
	p.toUs(unix.ETH_P_ARP)
	p.load(loadWord, arp)
	p.dropUnless(ifEqual, 0x00010800) // Ethernet and IPv4
	if len(about) == 0 {
		p.add(end, keep, 0, 0)
		return p
	}
	for _, at := range []uint32{arp + 14, arp + 24} { // sender, target
		p.load(loadWord, at)
		for _, a := range about {
			b := a.As4()
			p.keepIf(ifEqual, binary.BigEndian.Uint32(b[:]))
		}
	}
	p.add(end, drop, 0, 0)
	return p
}
