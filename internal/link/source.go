package link

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
)

// SourceTo returns the address of ours that the routes choose to talk to a
// with; false if there is no way there. Nothing is sent.
func SourceTo(a netip.Addr) (netip.Addr, bool) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return netip.Addr{}, false
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: 67, Addr: a.As4()}); err != nil {
		return netip.Addr{}, false
	}
	var name unix.RawSockaddrInet4
	size := uint32(unix.SizeofSockaddrInet4)
	_, _, errno := unix.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd),
		uintptr(unsafe.Pointer(&name)), uintptr(unsafe.Pointer(&size)))
	return netip.AddrFrom4(name.Addr), errno == 0
}
