package link

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernel is the Host that is really there: one netlink socket. The kernel has
// done what it was told, and its answer waits, when the write returns; so
// nothing here waits for anything.
type kernel struct {
	fd  int
	seq uint32
	buf []byte
	// The file that names a machine without a name, or why there is none.
	name    int
	unnamed error
}

// Open connects to the kernel of this network namespace. For test mode put
// the Host into a Null.
func Open() (Host, error) {
	fd, err := openNetlink(0, 0)
	if err != nil {
		return nil, wrap(err, "open netlink socket")
	}
	// A dump comes in pieces of at most 32 KiB.
	k := &kernel{fd: fd, buf: make([]byte, 32<<10), name: -1, unnamed: unix.EPERM}
	if Nameless(k.Hostname()) { // to be opened as long as we may
		k.name, k.unnamed = unix.Open("/proc/sys/kernel/hostname", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	}
	return k, nil
}

// openNetlink opens a netlink socket that listens to some groups.
func openNetlink(flags int, groups uint32) (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|flags, unix.NETLINK_ROUTE)
	if err != nil {
		return -1, err
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func (k *kernel) Close() error {
	unix.Close(k.name)
	return unix.Close(k.fd)
}

// do has a change made, and returns the kernel's answer.
func (k *kernel) do(m *message) error {
	host.PutUint16(m.b[6:], host.Uint16(m.b[6:])|unix.NLM_F_ACK)
	return k.talk(m, nil)
}

// errInterrupted means that what was listed changed meanwhile.
var errInterrupted = errors.New("list changed while it was read")

// list has something listed and calls each for every piece.
func (k *kernel) list(m *message, each func(typ uint16, body []byte)) error {
	host.PutUint16(m.b[6:], host.Uint16(m.b[6:])|unix.NLM_F_DUMP)
	return k.talk(m, each)
}

// talk sends m and reads until its answer is complete.
func (k *kernel) talk(m *message, each func(typ uint16, body []byte)) error {
	k.seq++
	if err := unix.Sendto(k.fd, m.seal(k.seq), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	var interrupted error
	for {
		b, err := k.receive()
		if err != nil {
			return err
		}
		for r := range replies(b) {
			switch {
			case r.seq != k.seq: // of an earlier question, given up half-way
				continue
			case r.typ == unix.NLMSG_ERROR, r.typ == unix.NLMSG_DONE:
				if err := status(r.body); err != nil {
					return err
				}
				return interrupted
			case each != nil:
				each(r.typ, r.body)
			}
			if r.flags&unix.NLM_F_DUMP_INTR != 0 {
				interrupted = errInterrupted
			}
		}
	}
}

// receive reads once, what the kernel itself sent. (unix.Recvfrom knows every
// kind of address that there is, 16 kB of them.)
func (k *kernel) receive() ([]byte, error) {
	for {
		var from unix.RawSockaddrNetlink
		size := uint32(unix.SizeofSockaddrNetlink)
		n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(k.fd), uintptr(unsafe.Pointer(&k.buf[0])),
			uintptr(len(k.buf)), unix.MSG_TRUNC, uintptr(unsafe.Pointer(&from)), uintptr(unsafe.Pointer(&size)))
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return nil, errno
		case int(n) > len(k.buf):
			return nil, unix.EMSGSIZE
		case size == unix.SizeofSockaddrNetlink && from.Pid == 0:
			return k.buf[:n], nil
		}
	}
}

// status reads the error number, negative or zero, at the start of b.
func status(b []byte) error {
	if len(b) < 4 {
		return os.ErrInvalid
	}
	if n := int32(host.Uint32(b)); n != 0 {
		return unix.Errno(-n)
	}
	return nil
}

// unless returns err unless it is one of those that mean "is so already".
func unless(err error, already ...unix.Errno) error {
	for _, e := range already {
		if err == e {
			return nil
		}
	}
	return err
}
