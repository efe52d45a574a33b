package ether

import (
	"bytes"
	"testing"

	"dhcpd/internal/netip"
)

func TestARP_Frames(t *testing.T) {
	asked := ARP{Op: ARPRequest, SenderHW: macB, SenderIP: ipB, TargetIP: ipA}
	for _, c := range []struct {
		name string
		p    ARP
		want string
	}{
		// RFC 5227 section 2.1.1: sender address zero, target hardware address zero.
		{"probe", Probe(macA, ipA), "ffffffffffff02000000000a0806" +
			"0001080006040001" + "02000000000a00000000" + "0000000000000a01000a"},
		// Section 2.3: as a probe, but both addresses are ours.
		{"announcement", Announcement(macA, ipA), "ffffffffffff02000000000a0806" +
			"0001080006040001" + "02000000000a0a01000a" + "0000000000000a01000a"},
		{"reply", asked.Reply(macA), "02000000000b02000000000a0806" +
			"0001080006040002" + "02000000000a0a01000a" + "02000000000b0a01000b"},
	} {
		b := c.p.AppendFrame(nil)
		if !bytes.Equal(b, unhex(t, c.want)) {
			t.Errorf("%s: got %x, want %s", c.name, b, c.want)
		}
		got, err := ParseARPFrame(append(b, make([]byte, 18)...)) // padded to 60 octets
		if err != nil || got.Op != c.p.Op || got.SenderHW != c.p.SenderHW || got.SenderIP.As4() != c.p.SenderIP.As4() ||
			got.TargetHW != c.p.TargetHW || got.TargetIP != c.p.TargetIP {
			t.Errorf("%s: got %v %v", c.name, got, err)
		}
		if got.IsProbe() != (c.name == "probe") {
			t.Errorf("%s: IsProbe %v", c.name, got.IsProbe())
		}
		for n := range b {
			if _, err := ParseARPFrame(b[:n]); err != ErrShort {
				t.Errorf("%s cut to %d octets: %v", c.name, n, err)
			}
		}
	}
}

func TestARP_Refused(t *testing.T) {
	p := Probe(macA, ipA)
	good := p.AppendFrame(nil)
	for _, c := range []struct {
		name string
		at   int
		to   byte
		want error
	}{
		{"another Ethernet type", 13, 0x00, ErrType},
		{"another hardware type", 15, 6, ErrHeader},
		{"another protocol", 16, 0x86, ErrHeader},
		{"long hardware addresses", 18, 8, ErrHeader},
		{"long protocol addresses", 19, 16, ErrHeader},
		{"an operation that we don't know", 21, 9, nil},
	} {
		b := bytes.Clone(good)
		b[c.at] = c.to
		if _, err := ParseARPFrame(b); err != c.want {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func FuzzParseARP(f *testing.F) {
	p := Probe(macA, ipA)
	f.Add(p.AppendFrame(nil))
	f.Fuzz(func(t *testing.T, frame []byte) {
		p, err := ParseARPFrame(frame)
		if err != nil {
			return
		}
		b := p.Append(nil)
		if !bytes.Equal(b, frame[HeaderSize:HeaderSize+len(b)]) {
			t.Errorf("read %x as %v, which is %x", frame, p, b)
		}
		if again, err := ParseARPFrame(p.AppendFrame(nil)); err != nil || again != p {
			t.Errorf("%v became %v, %v", p, again, err)
		}
	})
}

// TestZeroAddr: an address that is not there goes out as 0.0.0.0.
func TestZeroAddr(t *testing.T) {
	for _, a := range []netip.Addr{{}, netip.IPv4Unspecified()} {
		if b := a.As4(); b != [4]byte{} {
			t.Errorf("%v: %v", a, b)
		}
	}
}
