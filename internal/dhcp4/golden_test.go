package dhcp4

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dhcpd/internal/netip"
)

var update = flag.Bool("update", false, "write the golden files anew")

// datagram is a UDP datagram out of a capture.
type datagram struct {
	src, dst netip.AddrPort
	payload  []byte
}

// readPcap returns the UDP datagrams of a capture file: little-endian pcap,
// Ethernet, IPv4, not fragmented.
func readPcap(t *testing.T, name string) (list []datagram) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	const magic, ethernet = 0xa1b2c3d4, 1
	u32 := binary.LittleEndian.Uint32
	if len(b) < 24 || u32(b) != magic || u32(b[20:]) != ethernet {
		t.Fatalf("%s is no capture of an Ethernet", name)
	}
	for b = b[24:]; len(b) > 0; {
		n := 16 + u32(b[8:])
		ip := b[16+14 : n]
		udp := ip[int(ip[0]&15)*4:]
		src, dst := netip.AddrFrom4([4]byte(ip[12:])), netip.AddrFrom4([4]byte(ip[16:]))
		list = append(list, datagram{
			netip.AddrPortFrom(src, binary.BigEndian.Uint16(udp)),
			netip.AddrPortFrom(dst, binary.BigEndian.Uint16(udp[2:])),
			udp[8:binary.BigEndian.Uint16(udp[4:])],
		})
		b = b[n:]
	}
	return list
}

// What real peers say is read as it was when a person last looked at it, and
// goes back over the wire with nothing lost.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/captures/*.pcap")
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	var m, again Message
	for _, name := range files {
		var text []byte
		for _, d := range readPcap(t, name) {
			if err := m.Parse(d.payload); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			text = fmt.Appendf(text, "%s > %s, %d octets\n", d.src, d.dst, len(d.payload))
			text = m.Dump(append(m.Line(text), '\n'), Builtin())
			wire, out := m.Append(nil, 1472)
			if err := again.Parse(wire); err != nil || !out.Empty() {
				t.Errorf("%s: appended: %v", name, err)
			}
			same(t, &again, &m)
		}
		golden := strings.TrimSuffix(name, ".pcap") + ".txt"
		if *update {
			if err := os.WriteFile(golden, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text, want) {
			t.Errorf("%s: %s", golden, firstDifference(text, want))
		}
	}
}

func firstDifference(got, want []byte) string {
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			return fmt.Sprintf("line %d is %q, want %q", i+1, g[i], append(w, "the end")[i])
		}
	}
	return fmt.Sprintf("ends in line %d, want %d lines", len(g), len(w))
}
