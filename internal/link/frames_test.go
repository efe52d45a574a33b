package link

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

func (m *machine) frames(name string, kind Kind) Frames {
	m.t.Helper()
	var f Frames
	on := m.find(name).ID
	m.Do(func() {
		var err error
		if f, err = OpenFrames(on, kind); err != nil {
			m.t.Fatal(err)
		}
	})
	m.t.Cleanup(f.Close)
	return f
}

// heard reads n frames.
func heard(t *testing.T, f Frames, n int) (list [][]byte) {
	t.Helper()
	for range n {
		b := make([]byte, 2048)
		n, err := f.Read(b)
		check(t, err)
		list = append(list, b[:n])
	}
	return list
}

// sent is a frame on the wire, and whether it is to be heard.
type sent struct {
	name  string
	frame []byte
	heard bool
}

// compare sends all of list from a machine's eth0 and reads those that are to
// be heard. The last of them must be one, so that an end is seen.
func compare(t *testing.T, from *netlab.Socket, f Frames, list []sent) {
	t.Helper()
	var want []sent
	for _, s := range list {
		from.Send(s.frame)
		if s.heard {
			want = append(want, s)
		}
	}
	for i, b := range heard(t, f, len(want)) {
		if !bytes.Equal(b, want[i].frame) {
			t.Fatalf("heard %x, not %s: %x", b, want[i].name, want[i].frame)
		}
	}
}

// offer is a frame to a client, changed a little.
func offer(src, dst ether.MAC, change func(ip []byte)) []byte {
	b := ether.AppendUDPFrame(nil, src, dst, addr("10.0.0.1"), addr("255.255.255.255"), 67, 68, make([]byte, 300))
	change(b[ether.HeaderSize:])
	return b
}

// vlan puts a tag into a frame.
func vlan(frame []byte) []byte {
	return append(append(bytes.Clone(frame[:12]), 0x81, 0, 0, 5), frame[12:]...)
}

func plain([]byte) {}

// TestFrames_DHCP: what is for a client comes up, all else does not wake us.
func TestFrames_DHCP(t *testing.T) {
	a, b := pair(t)
	me, you := a.MAC("eth0"), b.MAC("eth0")
	other := ether.MAC{2, 9, 9, 9, 9, 9}
	probe := ether.Probe(you, addr("10.0.0.5"))
	a.Run("ip", "link", "set", "eth0", "promisc", "on")
	f := a.frames("eth0", DHCP)
	options := bytes.Clone(offer(you, me, plain))
	options = append(options[:34:34], append([]byte{1, 1, 1, 1}, options[34:]...)...)
	options[14], options[17] = 0x46, options[17]+4
	compare(t, b.Frames("eth0"), f, []sent{
		{"broadcast", offer(you, ether.Broadcast, plain), true},
		{"to us", offer(you, me, plain), true},
		{"to another host", offer(you, other, plain), false},
		{"multicast", offer(you, ether.MAC{1, 0, 0x5e, 0, 0, 1}, plain), true},
		{"to port 67", offer(you, me, func(ip []byte) { ip[23] = 67 }), false},
		{"to port 68 + 256", offer(you, me, func(ip []byte) { ip[22] = 1 }), false},
		{"TCP", offer(you, me, func(ip []byte) { ip[9] = 6 }), false},
		{"first fragment", offer(you, me, func(ip []byte) { ip[6] = 0x20 }), false},
		{"later fragment", offer(you, me, func(ip []byte) { ip[7] = 1 }), false},
		{"with IP options", options, true},
		{"in a VLAN", vlan(offer(you, me, plain)), false},
		{"ARP", probe.AppendFrame(nil), false},
		{"the end", offer(you, me, func(ip []byte) { ip[8] = 1 }), true},
	})
}

// TestI2_FramesOfRouters: router discovery comes up, and no other ICMP, nor
// anything else, wakes us; and all routers' multicast group comes up once it is joined.
func TestI2_FramesOfRouters(t *testing.T) {
	a, b := pair(t)
	me, you := a.MAC("eth0"), b.MAC("eth0")
	f := a.frames("eth0", Routers)
	icmp := func(typ uint8, dst ether.MAC, change func(ip []byte)) []byte {
		m := ether.ICMP{Type: typ, Payload: []byte("a payload")}
		p := ether.AppendICMPFrame(nil, you, dst, addr("10.0.0.1"), addr("224.0.0.1"), &m)
		change(p[ether.HeaderSize:])
		return p
	}
	options := icmp(9, me, plain)
	options = append(options[:34:34], append([]byte{9, 9, 9, 9}, options[34:]...)...)
	options[14], options[17] = 0x46, options[17]+4
	hidden := icmp(8, me, plain)
	hidden = append(hidden[:34:34], append([]byte{9, 9, 9, 9}, hidden[34:]...)...)
	hidden[14], hidden[17] = 0x46, hidden[17]+4
	compare(t, b.Frames("eth0"), f, []sent{
		{"advertisement", icmp(9, ether.MAC{1, 0, 0x5e, 0, 0, 1}, plain), true},
		{"solicitation", icmp(10, ether.Broadcast, plain), true},
		{"to us", icmp(9, me, plain), true},
		{"to another host", icmp(9, ether.MAC{2, 9, 9, 9, 9, 9}, plain), false},
		{"echo", icmp(8, me, plain), false},
		{"time exceeded", icmp(11, me, plain), false},
		{"UDP", icmp(9, me, func(ip []byte) { ip[9] = 17 }), false},
		{"first fragment", icmp(9, me, func(ip []byte) { ip[6] = 0x20 }), false},
		{"later fragment", icmp(9, me, func(ip []byte) { ip[7] = 1 }), false},
		{"with IP options", options, true},
		{"echo with IP options", hidden, false},
		{"in a VLAN", vlan(icmp(9, me, plain)), false},
		{"DHCP", offer(you, me, plain), false},
		{"the end", icmp(9, me, plain), true},
	})
	groups := func() string { return a.Run("ip", "maddr", "show", "dev", "eth0") }
	if strings.Contains(groups(), "224.0.0.2") {
		t.Fatalf("in the group already: %s", groups())
	}
	var group *os.File
	a.Do(func() {
		var err error
		group, err = JoinRouters(a.find("eth0").ID)
		check(t, err)
	})
	if text := groups(); !strings.Contains(text, "224.0.0.2") || !strings.Contains(text, "01:00:5e:00:00:02") {
		t.Errorf("not in the group: %s", text)
	}
	group.Close()
	if strings.Contains(groups(), "224.0.0.2") {
		t.Errorf("still in the group: %s", groups())
	}
	if _, err := JoinRouters(ID{Index: 1 << 30, Name: "none"}); err == nil || !strings.Contains(err.Error(), "join 224.0.0.2 on none") {
		t.Errorf("on no interface: %v", err)
	}
}

// TestFrames_ARP: everybody's, and then only about some addresses.
func TestFrames_ARP(t *testing.T) {
	a, b := pair(t)
	me, you := a.MAC("eth0"), b.MAC("eth0")
	f := a.frames("eth0", ARP)
	wire := b.Frames("eth0")
	five, six, seven := addr("10.0.0.5"), addr("10.0.0.6"), addr("10.0.0.7")
	arp := func(op uint16, sender, target netip.Addr) []byte {
		p := ether.ARP{Op: op, SenderHW: you, SenderIP: sender, TargetHW: me, TargetIP: target}
		return p.AppendFrame(nil)
	}
	infiniband := arp(ether.ARPRequest, five, six)
	infiniband[15] = 32
	compare(t, wire, f, []sent{
		{"probe", arp(ether.ARPRequest, netip.Addr{}, five), true},
		{"request", arp(ether.ARPRequest, seven, six), true},
		{"reply to us", arp(ether.ARPReply, five, six), true},
		{"of another hardware type", infiniband, false},
		{"in a VLAN", vlan(arp(ether.ARPReply, five, six)), false},
		{"DHCP", offer(you, me, plain), false},
		{"the end", arp(ether.ARPRequest, six, six), true},
	})
	check(t, f.About(five, six))
	compare(t, wire, f, []sent{
		{"about another", arp(ether.ARPRequest, seven, addr("10.0.0.8")), false},
		{"probe for the first", arp(ether.ARPRequest, netip.Addr{}, five), true},
		{"from the first", arp(ether.ARPReply, five, seven), true},
		{"from the second", arp(ether.ARPRequest, six, seven), true},
		{"probe for another", arp(ether.ARPRequest, netip.Addr{}, seven), false},
		{"for the second", arp(ether.ARPRequest, seven, six), true},
	})
	check(t, f.About())
	compare(t, wire, f, []sent{{"about another", arp(ether.ARPRequest, seven, seven), true}})
}

// TestFrames_Write: what we send arrives as it is, and we don't hear it.
func TestFrames_Write(t *testing.T) {
	a, b := pair(t)
	fa, fb := a.frames("eth0", DHCP), b.frames("eth0", DHCP)
	out := offer(a.MAC("eth0"), ether.Broadcast, plain)
	check(t, fa.Write(out))
	if got := heard(t, fb, 1)[0]; !bytes.Equal(got, out) {
		t.Errorf("sent %x, came %x", out, got)
	}
	back := offer(b.MAC("eth0"), ether.Broadcast, plain)
	check(t, fb.Write(back))
	if got := heard(t, fa, 1)[0]; !bytes.Equal(got, back) {
		t.Errorf("we heard %x", got)
	}
	if err := fa.About(); err == nil || err.Error() != "filter ARP on eth0: invalid argument" {
		t.Errorf("DHCP frames about ARP: %v", err)
	}
	if err := fa.Write(out[:13]); err == nil || err.Error() != "write a frame on eth0: invalid argument" {
		t.Errorf("half a header: %v", err)
	}
}

// TestB10_UnfinishedChecksum: the kernel on the other end of a veth leaves the
// checksum to hardware that is not there.
func TestB10_UnfinishedChecksum(t *testing.T) {
	a, b := pair(t)
	f := a.frames("eth0", DHCP)
	on := b.find("eth0").ID
	check(t, b.Kernel.SetAddress(on, Address{Prefix: prefix("10.0.0.1/24"), Valid: Forever, Preferred: Forever}))
	c := b.listen(67, on)
	out := NewBatch(1, 2048)
	m := out.Add()
	m.To, m.Index = netip.MustParseAddrPort("255.255.255.255:68"), on.Index
	m.Data = append(m.Data, "a reply"...)
	if lost, err := c.Send(out); lost != 0 || err != nil {
		t.Fatal(lost, err)
	}
	frame := heard(t, f, 1)[0]
	d, err := ether.ParseUDPFrame(frame)
	if err != nil || string(d.Payload) != "a reply" || d.Src.String() != "10.0.0.1:67" || d.SrcMAC != b.MAC("eth0") {
		t.Errorf("%v %v", d, err)
	}
	// The test is worth something only if the checksum was left undone: then
	// anything but the pseudo-header may be changed unnoticed.
	frame[len(frame)-1]++
	if _, err := ether.ParseUDPFrame(frame); err != nil {
		t.Errorf("this kernel does finish its checksums: %v", err)
	}
}

// TestFrames_Close ends a Read that waits, and one that comes later.
func TestFrames_Close(t *testing.T) {
	a, _ := pair(t)
	f := a.frames("eth0", DHCP)
	ended := make(chan error)
	go func() {
		for range 2 {
			_, err := f.Read(make([]byte, 2048))
			ended <- err
		}
	}()
	f.Close()
	for range 2 {
		if err := <-ended; err != os.ErrClosed {
			t.Errorf("got %v", err)
		}
	}
}

// TestFrames_LinkGone: a link that goes down or away, or was down to begin
// with, is an error, once and plainly.
func TestFrames_LinkGone(t *testing.T) {
	for _, how := range [][]string{{"set", "eth0", "down"}, {"del", "eth0"}} {
		a, _ := pair(t)
		f := a.frames("eth0", ARP)
		ended := make(chan error)
		go func() {
			_, err := f.Read(make([]byte, 2048))
			ended <- err
		}()
		a.Run("ip", append([]string{"link"}, how...)...)
		if err := <-ended; !errors.Is(err, unix.ENETDOWN) || err.Error() != "read a frame on eth0: network is down" {
			t.Errorf("%v: %v", how, err)
		}
		if err := f.Write(offer(ether.MAC{}, ether.Broadcast, plain)); err == nil {
			t.Errorf("%v: wrote a frame all the same", how)
		}
	}
	lab := netlab.New(t)
	a := newMachine(t, lab, "a")
	lab.Switch().PlugDown(a.Host, "eth0")
	if _, err := a.frames("eth0", DHCP).Read(make([]byte, 2048)); !errors.Is(err, unix.ENETDOWN) {
		t.Errorf("opened on a link that is down: %v", err)
	}
	a.Do(func() {
		if _, err := OpenFrames(ID{9999, "eth9"}, DHCP); err == nil || err.Error() != "open frames on eth9: no such device" {
			t.Errorf("opened on a link that is not there: %v", err)
		}
	})
}

// TestFrames_Stuck: a device that takes nothing any more does not hold up the
// loop for ever, and says so.
func TestFrames_Stuck(t *testing.T) {
	a, _ := pair(t)
	a.Run("tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "8bit", "burst", "2000", "limit", "100000000")
	f := a.frames("eth0", DHCP)
	frame := offer(a.MAC("eth0"), ether.Broadcast, plain)
	for n := 0; ; n++ {
		if err := f.Write(frame); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, unix.ENOBUFS) {
				t.Errorf("after %d frames: %v", n, err)
			}
			return
		}
		if n > 100000 {
			t.Fatal("the socket never fills")
		}
	}
}

// BenchmarkOpenFrames: what it costs the loop to open a packet socket and to
// give it up again.
func BenchmarkOpenFrames(b *testing.B) {
	m, _ := pair(b)
	on := m.find("eth0").ID
	m.Do(func() {
		for b.Loop() {
			f, err := OpenFrames(on, ARP)
			check(b, err)
			f.Close()
		}
	})
}
