package peertest

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"

	"golang.org/x/sys/unix"
)

// rubbish is messages that nobody is to answer.
func rubbish(c *scripted) (list [][]byte) {
	good, _ := c.message(dhcp4.Discover).Append(nil, dhcp4.MinLimit)
	for n := range 240 + 3 {
		list = append(list, good[:n])
	}
	change := func(at int, octets ...byte) {
		b := append([]byte(nil), good...)
		copy(b[at:], octets)
		list = append(list, b)
	}
	for _, op := range []byte{0, 2, 3, 255} {
		change(0, op)
	}
	for _, hlen := range []byte{0, 1, 5, 7, 16, 17, 255} {
		change(2, hlen)
	}
	for _, htype := range []byte{0, 2, 255} {
		change(1, htype, 0) // and no hardware address
	}
	for _, lie := range [][]byte{{127, 0, 0, 1}, {224, 0, 0, 1}, {255, 255, 255, 255}, {240, 0, 0, 1}, {0, 0, 0, 1}, {192, 0, 2, 1}} {
		change(24, lie...) // giaddr
	}
	for _, lie := range [][]byte{{127, 0, 0, 1}, {224, 0, 0, 1}, {255, 255, 255, 255}} {
		change(12, lie...) // ciaddr
	}
	for at := range 4 {
		change(236+at, 0) // cookie
	}
	for _, typ := range []byte{0, 2, 5, 6, 9, 10, 13, 18, 19, 200, 255} {
		change(242, typ)
	}
	change(240, 53, 0)
	change(240, 53, 2, 1, 1)
	change(240, 53, 255)
	change(240, make([]byte, 60)...) // no option: BOOTP
	for _, lie := range [][]byte{{61, 255}, {52, 1, 0}, {52, 1, 9}, {52, 0}, {52, 2, 1, 1}, {82, 3, 5, 1, 9}, {82, 6, 5, 4, 192, 0, 2, 1}, {118, 1, 1}} {
		change(243, lie...)
	}
	change(len(good)-1, 61) // an option without length
	long := append([]byte(nil), good[:243]...)
	for len(long) < 1400 {
		long = append(append(long, 224, 250), make([]byte, 250)...)
	}
	return append(list, append(long, 224, 200))
}

// TestS1_S16_GarbageFlood: malformed messages at full speed, each kind with
// new octets where they do not matter, are answered by nothing, and good
// clients are served meanwhile.
func TestS1_S16_GarbageFlood(t *testing.T) {
	n := newQuiet(t)
	p := n.serveQuietly(conf("10.0.0.1/16", "DHCPlease 3600;"), "10.0.1.0-10.0.2.255")
	ts := n.lodgers(n.guest("crowd"), 0, 100)
	ts.play("leases", mostJoining, ts.discovery)
	evil := n.guest("evil")
	evil.Addr("eth0", "10.0.0.66/16")
	before := rss(t, p)
	list := rubbish(newScripted(0xffff))
	template := newScripted(0xffff).datagram(make([]byte, 1472))[:inFrame]
	noise := make([]byte, 4096)
	rand.NewChaCha8([32]byte{}).Read(noise)
	f := n.flood(evil, func(b []byte, r *rand.Rand) []byte {
		b = append(b, template...)
		if k := r.IntN(len(list) + 50); k < len(list) {
			b = append(b, list[k]...)
		} else { // no message at all
			at := r.IntN(2048)
			b = append(b, noise[at:at+r.IntN(1472)]...)
		}
		return headers(b, r)
	})
	giant(n, evil)
	then := rss(t, p)
	t.Log(ts.play("renewals", mostRenewing, ts.renewal))
	t.Log(ts.play("rebindings", mostRebinding, ts.rebinding))
	fresh := n.lodgers(n.guest("fresh"), 1000, 20)
	t.Log(fresh.play("new leases", mostJoining, fresh.discovery))
	for _, what := range []string{"message is malformed", "giaddr is no host's address",
		"htype is Ethernet, but hlen is not 6", "neither client identifier nor hardware address", "link selection is malformed"} {
		n.countedAtLeast("dropped: "+what, 1)
	}
	now := rss(t, p)
	f.stop()
	t.Log(f)
	n.Until("a count of a giant", func() bool { // those in the flood may all have found the socket full
		giant(n, evil)
		return countIn(n.command(n.server, "-q"), "dropped: message is too long") >= 1
	})
	steady(t, before, then, now)
	ts.do(func() {
		if len(ts.strays) > 0 {
			t.Errorf("answers to garbage: %v", ts.strays)
		}
	})
}

// headers makes the IPv4 and UDP headers right for what follows them.
func headers(frame []byte, r *rand.Rand) []byte {
	ip, udp := frame[14:34], frame[34:42]
	binary.BigEndian.PutUint16(ip[2:], uint16(len(frame)-14))
	binary.BigEndian.PutUint16(ip[10:], 0)
	binary.BigEndian.PutUint16(ip[10:], ether.Checksum(ip))
	binary.BigEndian.PutUint16(udp[0:], uint16(r.Uint32())) // whatever port
	binary.BigEndian.PutUint16(udp[4:], uint16(len(frame)-34))
	binary.BigEndian.PutUint16(udp[6:], 0)
	return frame
}

// giant sends datagrams of 64 kB, in fragments. In a flood nobody may answer its
// ARP, and then the kernel says so.
func giant(n *network, h *netlab.Host) {
	n.Helper()
	h.Do(func() {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			n.Fatal(err)
		}
		defer unix.Close(fd)
		to := &unix.SockaddrInet4{Port: dhcp4.ServerPort, Addr: netip.MustParseAddr("10.0.0.1").As4()}
		good, _ := newScripted(0xffff).message(dhcp4.Discover).Append(nil, dhcp4.MinLimit)
		for size := 2000; size < 65507; size += 3000 {
			if err := unix.Sendto(fd, append(good, make([]byte, size)...)[:size], 0, to); err != nil && err != unix.EHOSTUNREACH {
				n.Fatal(err)
			}
		}
	})
}
