package link

import (
	"net"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"dhcpd/internal/ether"
)

// The same work done by batches and one datagram at a time, in one run: what
// a datagram of 300 octets costs to receive and to send over a veth.

const load = 1024 // datagrams that wait at a socket in a benchmark

// plainUDP is what the standard library has to offer.
func (m *machine) plainUDP(port int) *net.UDPConn {
	m.t.Helper()
	var c *net.UDPConn
	m.Do(func() {
		var err error
		if c, err = net.ListenUDP("udp4", &net.UDPAddr{Port: port}); err != nil {
			m.t.Fatal(err)
		}
	})
	m.t.Cleanup(func() { c.Close() })
	raw, err := c.SyscallConn()
	check(m.t, err)
	check(m.t, raw.Control(func(fd uintptr) {
		buffers(int(fd), serverBuffer)
		unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
	}))
	return c
}

// drainage measures receive, which takes one or more of the datagrams that
// wait and says how many.
func drainage(b *testing.B, fill func(), receive func() int) {
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; {
		b.StopTimer()
		fill()
		b.StartTimer()
		for got := 0; got < load; {
			n := receive()
			got, done = got+n, done+n
		}
	}
}

// datagrams fills a batch.
func datagrams(n int, to string) *Batch {
	b := NewBatch(n, 2048)
	for !b.Full() {
		m := b.Add()
		m.To, m.Data = port(to), m.Data[:300]
	}
	return b
}

func BenchmarkReceive(b *testing.B) {
	s, x, _, _, _ := multihomed(b)
	client := x.listen(68, ID{})
	fill := func(to string) func() {
		out := datagrams(64, to)
		return func() {
			for range load / 64 {
				if lost, err := client.Send(out); lost != 0 {
					b.Fatal(err)
				}
			}
		}
	}
	server, plain, frames := s.listen(67, ID{}), s.plainUDP(1067), s.frames("one", DHCP)
	for _, n := range []int{1, 16, 64} {
		b.Run(map[int]string{1: "batch1", 16: "batch16", 64: "batch64"}[n], func(b *testing.B) {
			in := NewBatch(n, 2048)
			drainage(b, fill("10.1.0.1:67"), func() int {
				check(b, server.Receive(in))
				return in.Len()
			})
		})
	}
	b.Run("plain", func(b *testing.B) {
		buf, oob := make([]byte, 2048), make([]byte, 64)
		drainage(b, fill("10.1.0.1:1067"), func() int {
			_, _, _, _, err := plain.ReadMsgUDPAddrPort(buf, oob)
			check(b, err)
			return 1
		})
	})
	b.Run("raw", func(b *testing.B) { // its socket holds no more than 212,992 octets
		buf, some := make([]byte, 2048), datagrams(64, "10.1.0.1:68")
		b.ReportAllocs()
		for done := 0; done < b.N; done += 64 {
			b.StopTimer()
			if lost, err := client.Send(some); lost != 0 {
				b.Fatal(err)
			}
			b.StartTimer()
			for range 64 {
				if _, err := frames.Read(buf); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// deaf makes a socket throw away what it gets, so that sending can be
// measured for itself.
func (m *machine) deaf(port uint16) {
	check(m.t, m.listen(port, ID{}).Only())
}

func BenchmarkSend(b *testing.B) {
	s, x, _, one, _ := multihomed(b)
	x.deaf(68)
	server, plain, raw := s.listen(67, ID{}), s.plainUDP(1067), s.sender()
	send := func(b *testing.B, out *Batch, f func(*Batch) (int, error)) {
		b.ReportAllocs()
		for done := 0; done < b.N; done += out.Len() {
			if lost, err := f(out); lost != 0 {
				b.Fatal(err)
			}
		}
	}
	b.Run("batch64", func(b *testing.B) {
		out := datagrams(64, "10.1.0.9:68")
		for i := range out.Len() {
			out.At(i).From, out.At(i).Index = port("10.1.0.2:67"), one.Index
		}
		send(b, out, server.Send)
	})
	b.Run("frames64", func(b *testing.B) {
		out, me, you := datagrams(64, "10.1.0.9:68"), s.MAC("one"), x.MAC("eth0")
		payload := make([]byte, 300)
		for i := range out.Len() {
			m := out.At(i)
			m.Index, m.Data = one.Index, ether.AppendUDPFrame(m.Data[:0], me, you, addr("10.1.0.2"), addr("10.1.0.9"), 67, 68, payload)
		}
		send(b, out, raw.Send)
	})
	b.Run("plain", func(b *testing.B) {
		info := pktinfo{hdr: unix.Cmsghdr{Level: unix.IPPROTO_IP, Type: unix.IP_PKTINFO}}
		info.hdr.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
		info.info = unix.Inet4Pktinfo{Ifindex: int32(one.Index), Spec_dst: [4]byte{10, 1, 0, 2}}
		oob := unsafe.Slice((*byte)(unsafe.Pointer(&info)), sizeofPktinfo)
		payload, to := make([]byte, 300), &net.UDPAddr{IP: net.IPv4(10, 1, 0, 9), Port: 68}
		b.ReportAllocs()
		for range b.N {
			if _, _, err := plain.WriteMsgUDP(payload, oob, to); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("raw", func(b *testing.B) {
		frame := ether.AppendUDPFrame(nil, s.MAC("one"), x.MAC("eth0"), addr("10.1.0.2"), addr("10.1.0.9"), 67, 68, make([]byte, 300))
		f := s.frames("one", ARP)
		lost := 0.0 // to its small send buffer, when the other end can't keep up
		b.ReportAllocs()
		for range b.N {
			if f.Write(frame) != nil {
				lost++
			}
		}
		b.ReportMetric(lost, "lost")
	})
}
