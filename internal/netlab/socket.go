package netlab

import (
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Socket reads and writes whole Ethernet frames on an interface of a host,
// for tests that play a DHCP client or server, or a rude neighbour.
type Socket struct {
	*os.File
	host *Host
}

// Frames opens a Socket, good until the end of the test. It sees what the
// host itself sends, too.
func (h *Host) Frames(name string) *Socket {
	h.lab.t.Helper()
	s := &Socket{host: h}
	h.Do(func() {
		fd, err := packetSocket(name)
		if err != nil {
			h.lab.t.Fatalf("netlab: host %s: frames of %s: %v", h.Name, name, err)
		}
		s.File = os.NewFile(uintptr(fd), name)
	})
	h.lab.t.Cleanup(func() { s.Close() })
	return s
}

// packetSocket opens a packet socket (packet(7)) in the thread's namespace.
// It is born deaf, with protocol 0: one that listens to everything until it
// is bound would hear strangers.
func packetSocket(name string) (int, error) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return 0, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20)
	err = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: everything(), Ifindex: ifi.Index})
	}
	if err != nil {
		unix.Close(fd)
		return 0, os.NewSyscallError("bind", err)
	}
	return fd, nil
}

// everything is ETH_P_ALL in network byte order.
func everything() uint16 {
	return native.Uint16([]byte{unix.ETH_P_ALL >> 8, unix.ETH_P_ALL & 0xff})
}

// Send puts a frame on the wire.
func (s *Socket) Send(frame []byte) {
	s.host.lab.t.Helper()
	if _, err := s.Write(frame); err != nil {
		s.host.lab.t.Fatalf("netlab: host %s: send on %s: %v", s.host.Name, s.Name(), err)
	}
}

// Receive returns the next frame that match wants, with its checksum filled
// in where an offloading sender has left that to hardware.
func (s *Socket) Receive(what string, match func(frame []byte) bool) []byte {
	s.host.lab.t.Helper()
	s.SetReadDeadline(time.Now().Add(Patience))
	for b := make([]byte, 1<<16); ; {
		frame, err := s.read(b)
		if err != nil {
			s.host.lab.t.Fatalf("netlab: host %s: waiting on %s for %s: %v", s.host.Name, s.Name(), what, err)
		}
		if match(frame) {
			return append([]byte(nil), frame...)
		}
	}
}

// read waits for a frame and reads it into b.
func (s *Socket) read(b []byte) (frame []byte, err error) {
	return s.readBy(syscall.RawConn.Read, b)
}

// readNow is read for what has come already; its error says that there is no
// more, whatever the deadline.
func (s *Socket) readNow(b []byte) (frame []byte, err error) {
	return s.readBy(func(c syscall.RawConn, f func(uintptr) bool) error {
		return c.Control(func(fd uintptr) { f(fd) })
	}, b)
}

func (s *Socket) readBy(way func(syscall.RawConn, func(uintptr) bool) error, b []byte) (frame []byte, err error) {
	conn, err := s.SyscallConn()
	if err != nil {
		return nil, err
	}
	oob := make([]byte, 64)
	var n, m int
	var fault error
	err = way(conn, func(fd uintptr) bool {
		// That the interface is down is said once; it may come up again.
		for fault = unix.ENETDOWN; fault == unix.ENETDOWN; {
			n, m, _, _, fault = unix.Recvmsg(int(fd), b, oob, 0)
		}
		return fault != unix.EAGAIN
	})
	if err == nil {
		err = fault
	}
	if err != nil {
		return nil, err
	}
	if unfinished(oob[:m]) {
		finish(b[:n])
	}
	return b[:n], nil
}

// unfinished tells from a frame's auxiliary data whether its checksum was
// left to hardware, which a veth does not have.
func unfinished(oob []byte) bool {
	list, _ := unix.ParseSocketControlMessage(oob)
	for _, m := range list {
		if m.Header.Level == unix.SOL_PACKET && m.Header.Type == unix.PACKET_AUXDATA && len(m.Data) >= 4 {
			return native.Uint32(m.Data)&unix.TP_STATUS_CSUMNOTREADY != 0
		}
	}
	return false
}

// finish completes the checksum of an IPv4 UDP frame: the field holds the sum
// of the pseudo header, so the sum over all of it is the one wanted.
func finish(frame []byte) {
	const ether, proto, sum = 14, 9, 6
	if len(frame) < ether+20 || frame[12] != 8 || frame[13] != 0 || frame[ether+proto] != unix.IPPROTO_UDP {
		return
	}
	ip := frame[ether:]
	head := int(ip[0]&15) * 4
	if total := int(ip[2])<<8 | int(ip[3]); total >= head+8 && total <= len(ip) {
		udp := ip[head:total]
		c := ^onesSum(udp)
		if c == 0 {
			c = 0xffff // zero would mean: none (RFC 768)
		}
		udp[sum], udp[sum+1] = byte(c>>8), byte(c)
	}
}

// onesSum is the sum of RFC 1071, not yet complemented.
func onesSum(b []byte) uint16 {
	var s uint32
	for i, c := range b {
		s += uint32(c) << (8 * (1 - i%2))
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}
