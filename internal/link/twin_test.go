package link

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// dhcp is as much of a message as a filter looks at.
func dhcp(typ byte, ciaddr string, options ...byte) []byte {
	b := make([]byte, 240, 300)
	b[0] = 1
	if ciaddr != "" {
		copy(b[12:], addr(ciaddr).AsSlice())
	}
	binary.BigEndian.PutUint32(b[236:], 0x63825363)
	if options == nil {
		options = []byte{53, 1, typ}
	}
	return append(append(b, options...), 255)
}

const discover, request = 1, 3

// fill sends DISCOVERs until no more of them fit into the server's socket, by
// far.
func (c *UDP) fill(t testing.TB, to string) {
	t.Helper()
	b := NewBatch(100, 512)
	for range 2 * serverBuffer / 512 / 100 {
		for b.Reset(); !b.Full(); {
			m := b.Add()
			m.To, m.Index, m.Data = port(to), 0, append(m.Data, dhcp(discover, "")...)
		}
		if _, err := c.Send(b); err != nil {
			t.Fatal(err)
		}
	}
}

// TestS16_KnownClientsApart: while more DISCOVERs come than there is room for,
// by broadcast or through a relay, what clients with an address send is heard,
// once and soon.
func TestS16_KnownClientsApart(t *testing.T) {
	s, x, _, one, two := multihomed(t)
	server, client, other := s.listen(67, ID{}), x.listen(68, x.find("eth0").ID), s.listen(68, one)
	reply := dhcp(2, "")
	reply[0] = 2
	for _, only := range [][]int{{one.Index}, {two.Index, one.Index}, make([]int, 3000)} {
		check(t, server.Only(only...))
		for _, flood := range []string{"255.255.255.255:67", "10.1.0.1:67"} {
			client.fill(t, flood)
			sent := 0
			for _, to := range []string{"255.255.255.255:67", "10.1.0.1:67", "10.1.0.2:67"} {
				for _, text := range [][]byte{dhcp(request, "10.1.0.9"), dhcp(request, "10.1.0.9", 61, 1, 7, 53, 1, 3), dhcp(request, ""), reply} {
					client.send(t, "", to, 0, string(text))
					sent++
				}
			}
			arrived(t, client, other, "10.1.0.1:68")
			in, heard, others := NewBatch(64, 512), 0, 0
			for first := true; ; first = false {
				check(t, server.TryReceive(in))
				if in.Len() == 0 {
					break
				}
				for i := range in.Len() {
					if string(in.At(i).Data) == string(dhcp(discover, "")) {
						others++
					} else {
						heard++
					}
				}
				if first && heard != sent && heard > 0 {
					t.Errorf("only %d of %d in the first batch", heard, sent)
				}
			}
			if heard != sent || others < 1000 {
				t.Errorf("flood to %s: heard %d of %d, and %d of the flood", flood, heard, sent, others)
			}
		}
	}
}

// arrived waits until what was sent has come through: another datagram, which
// was sent later, is there.
func arrived(t testing.TB, from, to *UDP, at string) {
	t.Helper()
	from.send(t, "", at, 0, "later")
	if m := to.receive1(t); string(m.Data) != "later" {
		t.Fatalf("came %q", m.Data)
	}
}

// TestB10_TwinsHearAll: whatever comes is heard once, wherever it is sent to
// and however little of it there is.
func TestB10_TwinsHearAll(t *testing.T) {
	s, x, _, one, _ := multihomed(t)
	server, client, other := s.listen(67, ID{}), x.listen(68, x.find("eth0").ID), s.listen(68, one)
	badMagic := dhcp(request, "10.1.0.9")
	badMagic[236]++
	list := [][]byte{nil, {1}, make([]byte, 239), make([]byte, 300), badMagic, dhcp(discover, ""), dhcp(request, ""), dhcp(request, "10.1.0.9"),
		dhcp(0, "10.1.0.9", 255), dhcp(0, "", 255), dhcp(0, "", 53), dhcp(0, "", 53, 1), dhcp(4, ""), dhcp(7, "10.1.0.9"), append([]byte{2}, dhcp(2, "")[1:]...),
		make([]byte, 1472), append(dhcp(request, ""), make([]byte, 8000)...)}
	in, dropped := NewBatch(4, 1<<14), uint64(0)
	for _, open := range []bool{true, false, true} {
		check(t, server.Only())
		if open {
			check(t, server.Only(one.Index))
		}
		for _, text := range list {
			for _, to := range []string{"255.255.255.255:67", "10.1.0.255:67", "10.1.0.1:67", "10.1.0.2:67"} {
				client.send(t, "", to, 0, string(text))
				arrived(t, client, other, "10.1.0.1:68")
				check(t, server.TryReceive(in))
				switch {
				case open != (in.Len() == 1):
					t.Fatalf("%d octets to %s came %d times", len(text), to, in.Len())
				case open && (string(in.At(0).Data) != string(text) || in.At(0).To != port(to) || in.At(0).Index != one.Index):
					t.Errorf("%d octets to %s came as %+v", len(text), to, in.At(0))
				}
			}
		}
		// Of unicasts that are shut out not all can be told.
		switch n := server.Dropped(); {
		case open && n != dropped:
			t.Errorf("%d dropped before, and %d after all was let in", dropped, n)
		case !open && (n < uint64(2*len(list)) || n > uint64(4*len(list))):
			t.Errorf("%d dropped of %d", n, 4*len(list))
		default:
			dropped = n
		}
	}
}

// TestUDP_TwinsAndAThird: that our two sockets share the port lets in nobody
// who would take something from us.
func TestUDP_TwinsAndAThird(t *testing.T) {
	s, x, _, one, _ := multihomed(t)
	server, client, other := s.listen(67, ID{}), x.listen(68, x.find("eth0").ID), s.listen(68, one)
	check(t, server.Only(one.Index))
	third := func(option int) (err error) {
		s.Do(func() {
			fd, e := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			check(t, e)
			t.Cleanup(func() { unix.Close(fd) })
			check(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 1))
			err = unix.Bind(fd, &unix.SockaddrInet4{Port: 67})
		})
		return err
	}
	if err := third(unix.SO_REUSEADDR); err != unix.EADDRINUSE {
		t.Errorf("a third socket: %v", err)
	}
	check(t, third(unix.SO_REUSEPORT))
	in := NewBatch(4, 512)
	for i := range 20 {
		for _, text := range [][]byte{dhcp(discover, ""), dhcp(request, "10.1.0.9"), {byte(i)}} {
			for _, to := range []string{"10.1.0.1:67", "10.1.0.2:67", "255.255.255.255:67"} {
				client.send(t, "", to, 0, string(text))
				arrived(t, client, other, "10.1.0.1:68")
				check(t, server.TryReceive(in))
				if in.Len() != 1 {
					t.Fatalf("what was sent to %s came %d times", to, in.Len())
				}
			}
		}
	}
}
