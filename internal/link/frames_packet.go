//go:build !raw

package link

import (
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
)

// packetFrames is a packet socket. With the build tag raw mdlayher/raw takes
// its place, which brings fmt, reflect and half of net into the program: a
// twelfth of its size.
type packetFrames struct {
	socket
	on     ID
	kind   Kind
	closed atomic.Bool
}

// OpenFrames opens the frames of a kind on an interface, which should be up.
// A socket for each kind, because one for all would have to see every frame,
// our own too, and those of the VLANs on top of the interface.
func OpenFrames(on ID, kind Kind) (Frames, error) {
	fd, err := bindPacket(on, kind)
	f := &packetFrames{on: on, kind: kind}
	if err == nil {
		f.socket, err = newSocket(fd, "packet")
	}
	if err != nil {
		return nil, wrap(err, "open frames on "+on.Name)
	}
	return f, nil
}

// bindPacket sets the filter before it binds the socket, so nothing that it
// should not hear ever waits.
func bindPacket(on ID, kind Kind) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	proto, filter := kind.sifts()
	err = attach(fd, filter)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: swap16(proto), Ifindex: on.Index})
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func (f *packetFrames) Read(b []byte) (int, error) {
	n, err := f.file.Read(b)
	return n, f.wrap("read a frame", err)
}

func (f *packetFrames) Write(frame []byte) error {
	if len(frame) < 14 {
		return f.wrap("write a frame", unix.EINVAL)
	}
	// The loop must not hang on one device that sends nothing any more.
	err := f.file.SetWriteDeadline(time.Now().Add(patience))
	if err == nil {
		_, err = f.file.Write(frame)
	}
	return f.wrap("write a frame", err)
}

func (f *packetFrames) About(addrs ...netip.Addr) error {
	if f.kind != ARP {
		return f.wrap("filter ARP", unix.EINVAL)
	}
	var err error
	if closed := f.use(func(fd uintptr) { err = attach(int(fd), onlyARP(addrs)) }); closed != nil {
		return closed
	}
	return f.wrap("filter ARP", err)
}

// Close lets a goroutine wait for the grace period that the kernel needs to
// unhook a packet socket, 10 to 20 ms.
func (f *packetFrames) Close() {
	f.closed.Store(true)
	go f.file.Close()
}

// wrap says what failed where.
func (f *packetFrames) wrap(tried string, err error) error {
	if err != nil && f.closed.Load() {
		return os.ErrClosed
	}
	return wrap(cause(err), tried+" on "+f.on.Name)
}
