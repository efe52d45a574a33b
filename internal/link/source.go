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
	_, here, errno := addrOf(unix.SYS_GETSOCKNAME, uintptr(fd), 0)
	return here, errno == 0
}

// addrOf makes a system call that does not wait and tells an address of an
// IPv4 socket. (Those of package unix know every kind of address that there
// is, 16 kB of them.)
func addrOf(call, fd, flags uintptr) (result uintptr, a netip.Addr, errno unix.Errno) {
	var name unix.RawSockaddrInet4
	size := uint32(unix.SizeofSockaddrInet4)
	result, _, errno = unix.RawSyscall6(call, fd, uintptr(unsafe.Pointer(&name)),
		uintptr(unsafe.Pointer(&size)), flags, 0, 0)
	return result, netip.AddrFrom4(name.Addr), errno
}
