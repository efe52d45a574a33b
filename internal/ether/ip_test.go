package ether

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"dhcpd/internal/netip"
)

// slowSum is RFC 1071's sum as it is told there: a word at a time.
func slowSum(b []byte) uint16 {
	s := uint32(0)
	for i, c := range b {
		if i%2 == 0 {
			s += uint32(c) << 8
		} else {
			s += uint32(c)
		}
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

func TestChecksum(t *testing.T) {
	// The example of RFC 1071 section 3.
	if c := Checksum([]byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}); c != ^uint16(0xddf2) {
		t.Errorf("RFC 1071's example: %#x", c)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 2000 {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
			if n%3 == 0 {
				b[i] |= 0xf0 // many carries
			}
		}
		if got, want := Checksum(b), ^slowSum(b); got != want {
			t.Fatalf("%d octets: %#x, want %#x", n, got, want)
		}
	}
	for _, b := range [][]byte{nil, bytes.Repeat([]byte{0xff}, 1500), make([]byte, 41)} {
		if got, want := Checksum(b), ^slowSum(b); got != want {
			t.Errorf("%d times the same: %#x, want %#x", len(b), got, want)
		}
	}
}

// discover is a frame as a client sends it, by hand: Ethernet, IPv4, UDP and
// five octets.
const discover = "ffffffffffff02000000000a0800" +
	"450000210000400040113acd00000000ffffffff" +
	"00440043000d" + "bb7b" + "68656c6c6f"

func TestAppendUDPFrame(t *testing.T) {
	b := AppendUDPFrame(nil, macA, Broadcast, netip.Addr{}, netip.MustParseAddr("255.255.255.255"), 68, 67, []byte("hello"))
	if !bytes.Equal(b, unhex(t, discover)) {
		t.Fatalf("got  %x\nwant %s", b, discover)
	}
	// Another implementation's opinion: the sum over header and pseudo-header.
	if s := slowSum(b[14:34]); s != 0xffff {
		t.Errorf("IPv4 header: sum %#x", s)
	}
	whole := append(append(bytes.Clone(b[26:34]), 0, 17, 0, 13), b[34:]...)
	if s := slowSum(whole); s != 0xffff {
		t.Errorf("UDP: sum %#x", s)
	}
}

func TestParseUDPFrame(t *testing.T) {
	want := Datagram{
		SrcMAC: macA, DstMAC: Broadcast,
		Src: netip.MustParseAddrPort("0.0.0.0:68"), Dst: netip.MustParseAddrPort("255.255.255.255:67"),
	}
	b := unhex(t, discover)
	for _, pad := range []int{0, 1, 13, 1000} {
		d, err := ParseUDPFrame(append(bytes.Clone(b), bytes.Repeat([]byte{0xee}, pad)...))
		if err != nil || string(d.Payload) != "hello" {
			t.Fatalf("padded by %d: %q %v", pad, d.Payload, err)
		}
		d.Payload = nil
		if d.SrcMAC != want.SrcMAC || d.DstMAC != want.DstMAC || d.Src != want.Src || d.Dst != want.Dst {
			t.Errorf("got %v, want %v", d, want)
		}
	}
	for n := range b {
		if _, err := ParseUDPFrame(b[:n]); err != ErrShort {
			t.Errorf("cut to %d octets: %v", n, err)
		}
	}
}

// forge changes the frame and then makes the header's checksum right again.
func forge(frame []byte, change func(ip []byte)) []byte {
	b := bytes.Clone(frame)
	ip := b[HeaderSize:]
	change(ip)
	ip[10], ip[11] = 0, 0
	if n := int(ip[0]&15) * 4; n <= len(ip) {
		binary.BigEndian.PutUint16(ip[10:], Checksum(ip[:n]))
	}
	return b
}

func TestParseUDPFrame_Refused(t *testing.T) {
	good := unhex(t, discover)
	for _, c := range []struct {
		name   string
		change func(ip []byte)
		want   error
	}{
		{"nothing", func(ip []byte) {}, nil},
		{"IPv6", func(ip []byte) { ip[0] = 0x65 }, ErrHeader},
		{"header of 16 octets", func(ip []byte) { ip[0] = 0x44 }, ErrHeader},
		{"header longer than all", func(ip []byte) { ip[0] = 0x4f }, ErrHeader},
		{"total length within the header", func(ip []byte) { ip[3] = 19 }, ErrHeader},
		{"total length beyond the frame", func(ip []byte) { ip[3]++ }, ErrShort},
		{"first fragment", func(ip []byte) { ip[6] = 0x20 }, ErrFragment},
		{"later fragment", func(ip []byte) { ip[7] = 1 }, ErrFragment},
		{"last fragment, far out", func(ip []byte) { ip[6] = 0x1f }, ErrFragment},
		{"don't fragment", func(ip []byte) { ip[6] = 0x40 }, nil},
		{"TCP", func(ip []byte) { ip[9] = 6 }, ErrType},
		{"no room for a UDP header", func(ip []byte) { ip[3] = 27 }, ErrShort},
		{"UDP length under 8", func(ip []byte) { ip[25] = 7 }, ErrHeader},
		{"UDP length beyond the packet", func(ip []byte) { ip[25]++ }, ErrShort},
		{"UDP length within the packet, checksum of the whole", func(ip []byte) { ip[25]-- }, ErrChecksum},
		{"octet changed", func(ip []byte) { ip[28]++ }, ErrChecksum},
		{"port changed", func(ip []byte) { ip[21]++ }, ErrChecksum},
		{"address changed", func(ip []byte) { ip[12]++ }, ErrChecksum},
		{"checksum off by one", func(ip []byte) { ip[27]++ }, ErrChecksum},
	} {
		if _, err := ParseUDPFrame(forge(good, c.change)); err != c.want {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	bad := bytes.Clone(good)
	bad[HeaderSize+8]--
	if _, err := ParseUDPFrame(bad); err != ErrChecksum {
		t.Errorf("TTL changed: %v", err)
	}
	bad[13] = 6
	if _, err := ParseUDPFrame(bad); err != ErrType {
		t.Errorf("ARP: %v", err)
	}
}

// TestParseIPv4_Options: they are skipped, whatever they are.
func TestParseIPv4_Options(t *testing.T) {
	good := unhex(t, discover)
	for n := 4; n <= 40; n += 4 {
		b := append(bytes.Clone(good[:34]), bytes.Repeat([]byte{1}, n)...)
		b = append(b, good[34:]...)
		b = forge(b, func(ip []byte) { ip[0], ip[3] = 0x45+byte(n/4), byte(33+n) })
		if d, err := ParseUDPFrame(b); err != nil || string(d.Payload) != "hello" {
			t.Errorf("options of %d octets: %q %v", n, d.Payload, err)
		}
	}
}

// TestB10_Checksums: of 65,536 possible checksums exactly three are taken.
func TestB10_Checksums(t *testing.T) {
	ip := IPv4{Protocol: ProtocolUDP, Src: ipA, Dst: ipB}
	u := UDP{SrcPort: 67, DstPort: 68, Payload: []byte("some payload")}
	ip.Payload = u.Append(nil, ipA, ipB)
	right := binary.BigEndian.Uint16(ip.Payload[6:])
	// 10.1.0.10, 10.1.0.11, protocol 17, length 20, added up by hand.
	const unfinished = 0x0a01 + 0x000a + 0x0a01 + 0x000b + 17 + 20
	for c := range 1 << 16 {
		binary.BigEndian.PutUint16(ip.Payload[6:], uint16(c))
		_, err := ParseUDP(&ip)
		if want := c == 0 || c == int(right) || c == unfinished; (err == nil) != want {
			t.Errorf("checksum %#x: %v (right is %#x, unfinished %#x)", c, err, right, unfinished)
		}
	}
}

// TestUDP_ZeroSum: a checksum that comes out as zero is sent as 0xffff, since
// zero means none.
func TestUDP_ZeroSum(t *testing.T) {
	u := UDP{SrcPort: 67, DstPort: 68, Payload: []byte{0, 0}}
	b := u.Append(nil, ipA, ipB)
	copy(u.Payload, b[6:8]) // with this payload the sum is all ones
	b = u.Append(b[:0], ipA, ipB)
	if b[6] != 0xff || b[7] != 0xff {
		t.Fatalf("checksum %x", b[6:8])
	}
	if _, err := ParseUDP(&IPv4{Protocol: ProtocolUDP, Src: ipA, Dst: ipB, Payload: b}); err != nil {
		t.Error(err)
	}
}

func FuzzParseUDPFrame(f *testing.F) {
	f.Add(unhex(f, discover))
	f.Add(AppendUDPFrame(nil, macA, macB, ipA, ipB, 67, 68, make([]byte, 300)))
	f.Fuzz(func(t *testing.T, frame []byte) {
		d, err := ParseUDPFrame(frame)
		if err != nil {
			return
		}
		b := AppendUDPFrame(nil, d.SrcMAC, d.DstMAC, d.Src.Addr(), d.Dst.Addr(), d.Src.Port(), d.Dst.Port(), d.Payload)
		again, err := ParseUDPFrame(b)
		if err != nil || !bytes.Equal(again.Payload, d.Payload) {
			t.Fatalf("%x became %x: %v", frame, b, err)
		}
		if again.Src != d.Src || again.Dst != d.Dst || again.SrcMAC != d.SrcMAC || again.DstMAC != d.DstMAC {
			t.Errorf("%v became %v", d, again)
		}
	})
}

func TestICMP(t *testing.T) {
	m := Echo(0x1234, 7, []byte("odd"))
	b := m.Append(nil)
	if want := unhex(t, "0800126012340007"+"6f6464"); !bytes.Equal(b, want) {
		t.Errorf("got %x, want %x", b, want)
	}
	ip := IPv4{Protocol: ProtocolICMP, Payload: b}
	got, err := ParseICMP(&ip)
	if err != nil || got.Type != EchoRequest || got.Code != 0 || got.Rest != 0x12340007 || string(got.Payload) != "odd" {
		t.Errorf("got %v %v", got, err)
	}
	for n := range b {
		want := ErrShort
		if n >= icmpSize {
			want = ErrChecksum
		}
		if _, err := ParseICMP(&IPv4{Protocol: ProtocolICMP, Payload: b[:n]}); err != want {
			t.Errorf("cut to %d octets: %v", n, err)
		}
	}
	if _, err := ParseICMP(&IPv4{Protocol: ProtocolUDP, Payload: b}); err != ErrType {
		t.Errorf("UDP: %v", err)
	}
}

func FuzzParseICMP(f *testing.F) {
	m := Echo(1, 2, []byte("payload"))
	ip := IPv4{TTL: 1, Protocol: ProtocolICMP, Src: ipA, Dst: ipB}
	f.Add(m.Append(ip.Append(nil, 15)))
	f.Fuzz(func(t *testing.T, packet []byte) {
		ip, err := ParseIPv4(packet)
		if err != nil {
			return
		}
		if m, err := ParseICMP(&ip); err == nil && !bytes.Equal(m.Append(nil), ip.Payload) {
			t.Errorf("read %x as %v, which is %x", ip.Payload, m, m.Append(nil))
		}
	})
}

// TestAllocs: nothing in this room allocates.
func TestAllocs(t *testing.T) {
	payload, buf := make([]byte, 300), make([]byte, 0, 512)
	probe, icmp := Probe(macA, ipA), Echo(1, 2, payload)
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"UDP", func() {
			if _, err := ParseUDPFrame(AppendUDPFrame(buf, macA, macB, ipA, ipB, 67, 68, payload)); err != nil {
				t.Fatal(err)
			}
		}},
		{"refusal", func() {
			if _, err := ParseUDPFrame(payload[:20]); err == nil {
				t.Fatal("accepted")
			}
		}},
		{"ARP", func() {
			p, err := ParseARPFrame(probe.AppendFrame(buf))
			if answer := p.Reply(macB); err != nil || answer.TargetHW != macA {
				t.Fatal(err)
			}
		}},
		{"ICMP", func() {
			ip := IPv4{Protocol: ProtocolICMP, Src: ipA, Dst: ipB}
			p, err := ParseIPv4(icmp.Append(ip.Append(buf, icmpSize+len(payload))))
			if _, refused := ParseICMP(&p); err != nil || refused != nil {
				t.Fatal(err, refused)
			}
		}},
	} {
		if n := testing.AllocsPerRun(100, c.f); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

func BenchmarkAppendUDPFrame(b *testing.B) {
	payload, buf := make([]byte, 300), make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		AppendUDPFrame(buf, macA, macB, ipA, ipB, 67, 68, payload)
	}
}

func BenchmarkParseUDPFrame(b *testing.B) {
	frame := AppendUDPFrame(nil, macA, macB, ipA, ipB, 67, 68, make([]byte, 300))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseUDPFrame(frame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChecksum(b *testing.B) {
	block := make([]byte, 1500)
	b.SetBytes(int64(len(block)))
	for b.Loop() {
		Checksum(block)
	}
}
