package link

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// Sender sends whole Ethernet frames out of any interface. It hears nothing.
type Sender struct{ socket }

// OpenSender opens it; once is enough.
func OpenSender() (*Sender, error) {
	// Protocol 0: it hears nothing, so nothing piles up in it.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	s := &Sender{}
	if err == nil {
		buffers(fd, serverBuffer)
		s.socket, err = newSocket(fd, "packet")
	}
	if err != nil {
		return nil, wrap(err, "open packet socket")
	}
	return s, nil
}

// Send sends the frames of b, each out of the interface Msg.Index (its Data is
// the frame, From and To are not looked at); see UDP.Send for what it returns.
func (s *Sender) Send(b *Batch) (lost int, err error) {
	b.addressFrames()
	lost, m, err := s.sendBatch(b)
	if m != nil {
		err = wrap(err, "send a frame of "+strconv.Itoa(len(m.Data))+" octets by interface "+strconv.Itoa(m.Index))
	}
	return lost, err
}

// Close closes it.
func (s *Sender) Close() error { return s.file.Close() }

// outgoing is a batch on its way out. The function is kept because making one
// would allocate.
type outgoing struct {
	lost, first int
	errno       unix.Errno
	all         func(fd uintptr)
}

// sendBatch sends a batch whose headers are ready, and returns how many messages
// were lost, the first of them, and why.
func (s *socket) sendBatch(b *Batch) (lost int, first *Msg, err error) {
	o := &b.out
	o.lost, o.errno = 0, 0
	if o.all == nil {
		o.all = b.sendAll
	}
	if err := s.use(o.all); err != nil {
		return 0, nil, err
	}
	if o.lost == 0 {
		return 0, nil, nil
	}
	return o.lost, b.At(o.first), o.errno
}

func (b *Batch) sendAll(fd uintptr) {
	o := &b.out
	for at := 0; at < b.n; {
		n, errno := sendmmsg(fd, b.hdrs[at:b.n])
		if errno == 0 {
			at += n
			continue
		}
		if o.lost == 0 {
			o.first, o.errno = at, errno
		}
		o.lost++
		at++
	}
}
