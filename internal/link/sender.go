package link

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// Sender sends whole Ethernet frames out of any interface. It hears nothing.
type Sender struct {
	socket
	out outbox
}

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
	s.out.init(&s.socket)
	return s, nil
}

// Send sends the frames of b, each out of the interface Msg.Index (its Data is
// the frame, From and To are not looked at); see UDP.Send for what it returns.
func (s *Sender) Send(b *Batch) (lost int, err error) {
	b.addressFrames()
	lost, first, err := s.out.send(b)
	if lost > 0 {
		m := b.At(first)
		return lost, wrap(err, "send a frame of "+strconv.Itoa(len(m.Data))+" octets by interface "+strconv.Itoa(m.Index))
	}
	return lost, err
}

// Close closes it.
func (s *Sender) Close() error { return s.file.Close() }

// outbox is a Send under way.
type outbox struct {
	socket      *socket
	batch       *Batch
	lost, first int
	errno       unix.Errno
	all         func(fd uintptr) // kept: making one would allocate
}

func (o *outbox) init(s *socket) {
	o.socket = s
	o.all = o.sendAll
}

// send sends the batch, whose headers are ready, and returns how many
// messages were lost, and of the first of them number and reason.
func (o *outbox) send(b *Batch) (lost, first int, err error) {
	o.batch, o.lost, o.first, o.errno = b, 0, 0, 0
	if err := o.socket.use(o.all); err != nil {
		return 0, 0, err
	}
	if o.lost > 0 {
		err = o.errno
	}
	return o.lost, o.first, err
}

func (o *outbox) sendAll(fd uintptr) {
	for at := 0; at < o.batch.n; {
		n, errno := sendmmsg(fd, o.batch.hdrs[at:o.batch.n])
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
