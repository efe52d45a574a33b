package oracle

import (
	"bytes"
	"math/rand/v2"
	"net"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/iana"
	"github.com/insomniacslk/dhcp/rfc1035label"
)

// random makes messages: the same ones in every run.
type random struct{ *rand.Rand }

func (r random) octets(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func (r random) addr() netip.Addr { return netip.AddrFrom4([4]byte(r.octets(4))) }

// message returns one of ours.
func (r random) message() *dhcp4.Message {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.Op(1 + r.IntN(2)))
	m.Htype, m.Hops, m.Xid = byte(r.Uint32()), byte(r.Uint32()), r.Uint32()
	m.Secs, m.Flags = uint16(r.Uint32()), uint16(r.Uint32())
	m.Ciaddr, m.Yiaddr, m.Siaddr, m.Giaddr = r.addr(), r.addr(), r.addr(), r.addr()
	m.Hlen = byte(r.IntN(17))
	copy(m.Chaddr[:], r.octets(int(m.Hlen)))
	if r.IntN(2) == 0 {
		copy(m.Sname[:], strings.Repeat("s", r.IntN(64)))
		copy(m.File[:], strings.Repeat("f", r.IntN(128)))
	}
	m.SetType(dhcp4.Type(1 + r.IntN(18)))
	for range r.IntN(12) {
		size := r.IntN(20)
		if r.IntN(8) == 0 {
			size = r.IntN(700)
		}
		if c := dhcp4.Code(r.Uint32()); c != dhcp4.MessageType {
			m.Options.Put(c, r.octets(size))
		}
	}
	return m
}

// mutate damages b a little.
func (r random) mutate(b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + r.IntN(4) {
		switch i := r.IntN(len(b)); r.IntN(6) {
		case 0:
			b[i] = byte(r.Uint32())
		case 1:
			b[r.IntN(4)] = byte(r.Uint32())
		case 2: // options, and what is special about them
			i = min(240+r.IntN(40), len(b)-1)
			b[i] = []byte{0, 52, 53, 82, 255, 1, 2, 3}[r.IntN(8)]
		case 3:
			b = b[:max(236, i)]
		case 4: // an overload that may hold
			b = append(b[:min(240, len(b))], append([]byte{52, 1, byte(r.IntN(5))}, b[min(240, len(b)):]...)...)
			copy(b[108:], []byte{12, 3, 'a', 'b', 'c', 255})
			copy(b[44:], []byte{12, 1, byte(r.Uint32()), 255})
		case 5:
			clear(b[236:])
		}
	}
	return b
}

// Both read the same out of random and damaged messages, but for the known
// differences; and each of those still shows.
func TestReadAlike(t *testing.T) {
	r := random{rand.New(rand.NewPCG(5, 6))}
	seen := map[string]int{}
	for i := range 60000 {
		b, _ := r.message().Append(nil, 300+r.IntN(3000))
		if i%2 == 1 {
			if b = r.mutate(b); len(b) < 236 {
				continue
			}
		}
		readAlike(t, b, seen)
		if t.Failed() {
			t.Fatalf("%x", b)
		}
	}
	for _, d := range known {
		if seen[d.name] == 0 {
			t.Errorf("%s: the difference is not seen any more", d.name)
		}
		t.Logf("%s (%d times): %s", d.name, seen[d.name], d.why)
	}
}

func readAlike(t *testing.T, b []byte, seen map[string]int) {
	var ours dhcp4.Message
	err := ours.Parse(b)
	theirs, theirErr := dhcpv4.FromBytes(b)
	w := look(b)
	excused := map[string]bool{}
	excuse := func(who string) bool {
		for _, d := range known {
			if d.refused == who && d.applies(w) {
				seen[d.name]++
				excused[d.name] = true
			}
		}
		return len(excused) > 0
	}
	switch {
	case err != nil && theirErr != nil:
	case err != nil:
		if !excuse("ours") {
			t.Errorf("we refuse it: %v", err)
		}
	case theirErr != nil:
		if !excuse("library") {
			t.Errorf("the library refuses it: %v", theirErr)
		}
	default:
		excuse("")
		compare(t, &ours, theirs, excused)
	}
}

// compare compares what both have read, but for what is excused.
func compare(t *testing.T, m *dhcp4.Message, l *dhcpv4.DHCPv4, excused map[string]bool) {
	fields := map[string]bool{
		"op":     byte(m.Op) == byte(l.OpCode),
		"htype":  m.Htype == uint8(l.HWType),
		"hops":   m.Hops == l.HopCount,
		"xid":    m.Xid == uint32(l.TransactionID[0])<<24|uint32(l.TransactionID[1])<<16|uint32(l.TransactionID[2])<<8|uint32(l.TransactionID[3]),
		"secs":   m.Secs == l.NumSeconds,
		"flags":  m.Flags == l.Flags,
		"ciaddr": m.Ciaddr.String() == l.ClientIPAddr.String(),
		"yiaddr": m.Yiaddr.String() == l.YourIPAddr.String(),
		"siaddr": m.Siaddr.String() == l.ServerIPAddr.String(),
		"giaddr": m.Giaddr.String() == l.GatewayIPAddr.String(),
		"chaddr": bytes.Equal(m.HW(), l.ClientHWAddr),
	}
	if !excused["overload"] {
		fields["sname"] = m.SnameText() == l.ServerHostName
		fields["file"] = m.FileText() == l.BootFileName
		fields["number of options"] = m.Options.Len() == len(l.Options)
		for c, v := range l.Options {
			fields["option "+dhcpv4.GenericOptionCode(c).String()] =
				m.Options.Has(dhcp4.Code(c)) && bytes.Equal(m.Options.Get(dhcp4.Code(c)), v)
		}
	}
	for name, ok := range fields {
		if !ok {
			t.Errorf("%s differs", name)
		}
	}
}

// What the library builds we read, and what we build it reads, as it was
// meant; lengths are the same, the order of options is not: the library sorts
// them by number, we keep RFC 2131's "53 first" and the client's order.
func TestBuildAlike(t *testing.T) {
	r := random{rand.New(rand.NewPCG(7, 8))}
	for range 20000 {
		m := r.message()
		l := library(m)
		theirs := l.ToBytes()
		var back dhcp4.Message
		if err := back.Parse(theirs); err != nil {
			t.Fatal(err)
		}
		compare(t, &back, l, nil)
		ours, out := m.Append(nil, 1<<16)
		want := len(theirs)
		if m.Options.Has(dhcp4.Authentication) { // a relay may take option 82 off, and the digest holds
			if n := len(m.Options.Get(dhcp4.RelayAgent)); n > 0 {
				want = max(want, dhcp4.MinSize+n+2*((n+254)/255))
			}
		}
		if len(ours) != want || !out.Empty() {
			t.Fatalf("%d octets, want %d; the library makes it %d", len(ours), want, len(theirs))
		}
		again, err := dhcpv4.FromBytes(ours)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, m, again, nil)
		if t.Failed() {
			t.FailNow()
		}
	}
}

// library returns m as a message of the library.
func library(m *dhcp4.Message) *dhcpv4.DHCPv4 {
	ip := func(a netip.Addr) net.IP { return a.AsSlice() }
	l := &dhcpv4.DHCPv4{
		OpCode: dhcpv4.OpcodeType(m.Op), HWType: iana.HWType(m.Htype), HopCount: m.Hops,
		TransactionID: dhcpv4.TransactionID{byte(m.Xid >> 24), byte(m.Xid >> 16), byte(m.Xid >> 8), byte(m.Xid)},
		NumSeconds:    m.Secs, Flags: m.Flags,
		ClientIPAddr: ip(m.Ciaddr), YourIPAddr: ip(m.Yiaddr), ServerIPAddr: ip(m.Siaddr), GatewayIPAddr: ip(m.Giaddr),
		ClientHWAddr: m.HW(), ServerHostName: m.SnameText(), BootFileName: m.FileText(),
		Options: dhcpv4.Options{},
	}
	for c, v := range m.Options.All() {
		l.Options[uint8(c)] = v
	}
	return l
}

// Values of several parts are the same on both sides. The library can't
// follow a pointer that leads to a pointer, as search lists over three levels
// have: those are left to our own tests.
func TestValuesAlike(t *testing.T) {
	r := random{rand.New(rand.NewPCG(9, 10))}
	for range 5000 {
		var o dhcp4.Options
		var routes []byte
		for range 1 + r.IntN(4) {
			p := netip.PrefixFrom(r.addr(), r.IntN(33)).Masked()
			routes = dhcp4.NetRoute{Dst: p, Gateway: r.addr()}.Append(routes)
		}
		o.Put(dhcp4.ClasslessRoute, routes)
		ours, err := o.Routes(nil)
		var theirs dhcpv4.Routes
		if e := theirs.FromBytes(routes); err != nil || e != nil || len(ours) != len(theirs) {
			t.Fatalf("%x: %v, %v; %v, %v", routes, ours, err, theirs, e)
		}
		for i, x := range theirs {
			if ours[i].Dst.String() != x.Dest.String() || ours[i].Gateway.String() != x.Router.String() {
				t.Fatalf("%x: %v, the library has %v", routes, ours[i], x)
			}
		}
		base := []string{"example.com", "example.org"}[r.IntN(2)]
		names := []string{base, "a." + base, "b." + base, strings.Repeat("c", 1+r.IntN(63)) + ".net"}
		v, err := dhcp4.AppendDomains(nil, names...)
		labels, e := rfc1035label.FromBytes(v)
		if err != nil || e != nil || strings.Join(labels.Labels, " ") != strings.Join(names, " ") {
			t.Fatalf("%q: %x, %v; the library has %v, %v", names, v, err, labels, e)
		}
	}
}
