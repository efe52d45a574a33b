package link

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// SourceTo returns the address of ours that the routes choose to talk to a
// with; false if there is no way there. Nothing is sent.
func SourceTo(a netip.Addr) (netip.Addr, bool) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return netip.Addr{}, false
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: 67, Addr: as4(a)}); err != nil {
		return netip.Addr{}, false
	}
	name, err := unix.Getsockname(fd)
	in, ok := name.(*unix.SockaddrInet4)
	if err != nil || !ok {
		return netip.Addr{}, false
	}
	return netip.AddrFrom4(in.Addr), true
}
