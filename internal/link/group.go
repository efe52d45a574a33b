package link

import (
	"os"

	"golang.org/x/sys/unix"
)

// JoinRouters has an interface hear what is sent to all routers, 224.0.0.2 (RFC
// 1256 section 4.3), until what it returns is closed.
func JoinRouters(on ID) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		group := unix.IPMreqn{Multiaddr: [4]byte{224, 0, 0, 2}, Ifindex: int32(on.Index)}
		err = unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &group)
	}
	if err != nil {
		unix.Close(fd)
		return nil, wrap(err, "join 224.0.0.2 on "+on.Name)
	}
	return os.NewFile(uintptr(fd), "group"), nil
}
