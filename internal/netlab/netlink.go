package netlab

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
)

// request is a netlink message in the making: header, fixed part, attributes
// (see rtnetlink(7)). In the machine's own byte order, as netlink is.
type request []byte

var native = binary.NativeEndian

// newRequest begins a message with its fixed part, an ifinfomsg or the like.
func newRequest(kind, flags uint16, fixed ...byte) request {
	r := make(request, unix.SizeofNlMsghdr, 256)
	native.PutUint16(r[4:], kind)
	native.PutUint16(r[6:], flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	return append(r, fixed...)
}

// attr adds an attribute.
func (r *request) attr(kind uint16, value []byte) {
	r.nest(kind, func() { *r = append(*r, value...) })
}

// nest adds an attribute made of what f adds.
func (r *request) nest(kind uint16, f func()) {
	at := len(*r)
	*r = append(*r, 0, 0, 0, 0)
	f()
	native.PutUint16((*r)[at:], uint16(len(*r)-at))
	native.PutUint16((*r)[at+2:], kind)
	for len(*r)%4 != 0 {
		*r = append(*r, 0)
	}
}

// do sends the message from the calling thread's namespace and waits for the
// kernel's verdict.
func (r request) do() error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	defer unix.Close(fd)
	native.PutUint32(r, uint32(len(r)))
	if err := unix.Sendto(fd, r, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	reply := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, reply, 0)
	if err != nil || n < unix.SizeofNlMsghdr+4 {
		return fmt.Errorf("netlink: reply of %d octets: %w", n, err)
	}
	if code := int32(native.Uint32(reply[unix.SizeofNlMsghdr:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}

// ifinfo is the fixed part of a message about a link; change says which flags.
func ifinfo(index int, flags, change uint32) []byte {
	b := make([]byte, unix.SizeofIfInfomsg)
	native.PutUint32(b[4:], uint32(index))
	native.PutUint32(b[8:], flags)
	native.PutUint32(b[12:], change)
	return b
}

func u32(v int) []byte { return native.AppendUint32(nil, uint32(v)) }

const create = unix.NLM_F_CREATE | unix.NLM_F_EXCL

// vethPeer is VETH_INFO_PEER of linux/veth.h.
const vethPeer = 1

// addVeth joins two hosts' namespaces by a pair of interfaces.
func addVeth(a *Host, aName string, aMAC [6]byte, b *Host, bName string, bMAC [6]byte) (err error) {
	r := newRequest(unix.RTM_NEWLINK, create, ifinfo(0, 0, 0)...)
	r.attr(unix.IFLA_IFNAME, []byte(aName))
	r.attr(unix.IFLA_ADDRESS, aMAC[:])
	r.nest(unix.IFLA_LINKINFO, func() {
		r.attr(unix.IFLA_INFO_KIND, []byte("veth"))
		r.nest(unix.IFLA_INFO_DATA, func() {
			r.nest(vethPeer, func() {
				r = append(r, ifinfo(0, 0, 0)...)
				r.attr(unix.IFLA_IFNAME, []byte(bName))
				r.attr(unix.IFLA_ADDRESS, bMAC[:])
				r.attr(unix.IFLA_NET_NS_FD, u32(b.net))
			})
		})
	})
	a.Do(func() { err = r.do() })
	return err
}

// addBridge makes a bridge in h that forwards at once and learns nothing of
// multicast.
func addBridge(h *Host, name string) (err error) {
	r := newRequest(unix.RTM_NEWLINK, create, ifinfo(0, 0, 0)...)
	r.attr(unix.IFLA_IFNAME, []byte(name))
	r.nest(unix.IFLA_LINKINFO, func() {
		r.attr(unix.IFLA_INFO_KIND, []byte("bridge"))
		r.nest(unix.IFLA_INFO_DATA, func() {
			r.attr(unix.IFLA_BR_FORWARD_DELAY, u32(0))
			r.attr(unix.IFLA_BR_MCAST_SNOOPING, []byte{0})
		})
	})
	h.Do(func() { err = r.do() })
	return err
}

// onLink runs a request about the interface of that name inside the host;
// its making needs the interface's index.
func (h *Host) onLink(what, name string, build func(index int) request) {
	h.lab.t.Helper()
	h.Do(func() {
		ifi, err := net.InterfaceByName(name)
		if err == nil {
			err = build(ifi.Index).do()
		}
		if err != nil {
			h.lab.t.Fatalf("netlab: host %s: %s %s: %v", h.Name, what, name, err)
		}
	})
}

// Up sets an interface up.
func (h *Host) Up(name string) {
	h.lab.t.Helper()
	h.onLink("set up", name, func(index int) request {
		return newRequest(unix.RTM_NEWLINK, 0, ifinfo(index, unix.IFF_UP, unix.IFF_UP)...)
	})
}

// Down sets an interface down; the other end of its wire loses the carrier.
func (h *Host) Down(name string) {
	h.lab.t.Helper()
	h.onLink("set down", name, func(index int) request {
		return newRequest(unix.RTM_NEWLINK, 0, ifinfo(index, 0, unix.IFF_UP)...)
	})
}

// setMaster makes an interface a port of a bridge.
func (h *Host) setMaster(name string, bridge int) {
	h.lab.t.Helper()
	h.onLink("plug", name, func(index int) request {
		r := newRequest(unix.RTM_NEWLINK, 0, ifinfo(index, 0, 0)...)
		r.attr(unix.IFLA_MASTER, u32(bridge))
		return r
	})
}

// Addr gives an interface an address with its prefix, for ever.
func (h *Host) Addr(name, prefix string) {
	h.lab.t.Helper()
	h.onAddr(unix.RTM_NEWADDR, create, "add address to", name, prefix)
}

// DelAddr takes an address off an interface.
func (h *Host) DelAddr(name, prefix string) {
	h.lab.t.Helper()
	h.onAddr(unix.RTM_DELADDR, 0, "delete address of", name, prefix)
}

func (h *Host) onAddr(kind, flags uint16, what, name, prefix string) {
	h.lab.t.Helper()
	p := netip.MustParsePrefix(prefix)
	h.onLink(what, name, func(index int) request {
		r := newRequest(kind, flags, append([]byte{unix.AF_INET, byte(p.Bits()), 0, 0}, u32(index)...)...)
		r.attr(unix.IFA_LOCAL, p.Addr().AsSlice())
		r.attr(unix.IFA_ADDRESS, p.Addr().AsSlice())
		r.attr(unix.IFA_BROADCAST, broadcast(p))
		return r
	})
}

// broadcast returns the highest address of a network.
func broadcast(p netip.Prefix) []byte {
	all := uint32(1)<<(32-p.Bits()) - 1
	return binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(p.Addr().AsSlice())|all)
}

// Until waits until done returns true. It asks at once, and again whenever
// the host's links, addresses or routes change.
func (h *Host) Until(what string, done func() bool) {
	h.lab.t.Helper()
	news := h.news()
	defer news.Close()
	news.SetReadDeadline(time.Now().Add(Patience))
	for b := make([]byte, 1<<16); !done(); {
		// ENOBUFS only says that there were more news than room.
		if _, err := news.Read(b); os.IsTimeout(err) {
			h.lab.t.Fatalf("netlab: host %s: waited %v in vain for: %s\n%s", h.Name, Patience, what,
				h.Run("ip", "-4", "addr")+h.Run("ip", "-4", "route"))
		}
	}
}

// news opens a socket that tells of each change in the host's network.
func (h *Host) news() (f *os.File) {
	h.lab.t.Helper()
	h.Do(func() {
		fd, err := unix.Socket(unix.AF_NETLINK,
			unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
		if err == nil {
			f = os.NewFile(uintptr(fd), "netlink")
			err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK,
				Groups: unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV4_ROUTE})
		}
		if err != nil {
			h.lab.t.Fatalf("netlab: host %s: netlink: %v", h.Name, err)
		}
	})
	return f
}
