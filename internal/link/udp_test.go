package link

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

func (m *machine) listen(port uint16, on ID) *UDP {
	m.t.Helper()
	var c *UDP
	m.Do(func() {
		var err error
		if c, err = ListenUDP(port, on); err != nil {
			m.t.Fatal(err)
		}
	})
	m.t.Cleanup(func() { c.Close() })
	return c
}

func port(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// send sends one datagram.
func (c *UDP) send(t testing.TB, from, to string, index int, text string) {
	t.Helper()
	b := NewBatch(1, 2048)
	m := b.Add()
	if from != "" {
		m.From = netip.AddrPortFrom(addr(from), 0)
	}
	m.To, m.Index, m.Data = port(to), index, append(m.Data, text...)
	if lost, err := c.Send(b); lost != 0 || err != nil {
		t.Fatalf("send %q: %d lost, %v", text, lost, err)
	}
}

// receive reads one datagram.
func (c *UDP) receive1(t testing.TB) *Msg {
	t.Helper()
	b := NewBatch(1, 2048)
	check(t, c.Receive(b))
	return b.At(0)
}

// expect compares what came with `text from to interface`.
func (c *UDP) expect(t testing.TB, want string) {
	t.Helper()
	m := c.receive1(t)
	if got := fmt.Sprintf("%s %v %v %d", m.Data, m.From, m.To, m.Index); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// multihomed is a server with two networks, two addresses on the first, and a
// host on each.
func multihomed(t testing.TB) (s, x, y *machine, one, two ID) {
	t.Helper()
	lab := netlab.New(t)
	s, x, y = newMachine(t, lab, "s"), newMachine(t, lab, "x"), newMachine(t, lab, "y")
	wire(lab, s, "one", x, "eth0")
	wire(lab, s, "two", y, "eth0")
	s.Addr("one", "10.1.0.1/24")
	s.Addr("one", "10.1.0.2/24")
	s.Addr("two", "10.2.0.1/24")
	x.Addr("eth0", "10.1.0.9/24")
	y.Addr("eth0", "10.2.0.9/24")
	x.Run("ip", "route", "add", "default", "via", "10.1.0.1")
	y.Run("ip", "route", "add", "default", "via", "10.2.0.1")
	return s, x, y, s.find("one").ID, s.find("two").ID
}

// TestB10_UDP: one socket for two networks knows where a request came in and
// which address it was sent to, and answers from there.
func TestB10_UDP(t *testing.T) {
	s, x, y, one, two := multihomed(t)
	server, cx, cy := s.listen(67, ID{}), x.listen(68, x.find("eth0").ID), y.listen(68, ID{})
	for _, c := range []struct {
		client   *UDP
		from, to string
		in       ID
	}{
		{cx, "10.1.0.9", "255.255.255.255", one},
		{cy, "10.2.0.9", "255.255.255.255", two},
		{cx, "0.0.0.0", "255.255.255.255", one}, // the kernel fills in the address
		{cx, "10.1.0.9", "10.1.0.255", one},
		{cx, "10.1.0.9", "10.1.0.1", one},
		{cx, "10.1.0.9", "10.1.0.2", one},
		{cy, "10.2.0.9", "10.1.0.2", two}, // our address on the other side
	} {
		from := strings.Replace(c.from, "0.0.0.0", "10.1.0.9", 1)
		c.client.send(t, c.from, c.to+":67", 0, "ask")
		server.expect(t, fmt.Sprintf("ask %s:68 %s:67 %d", from, c.to, c.in.Index))
	}
	eth0 := x.find("eth0").Index
	for _, c := range []struct{ from, to string }{
		{"10.1.0.1", "255.255.255.255"}, {"10.1.0.2", "255.255.255.255"},
		{"10.1.0.2", "10.1.0.9"}, {"10.2.0.1", "10.1.0.9"}, {"", "10.1.0.9"},
	} {
		from := c.from
		if from == "" {
			from = "10.1.0.1"
		}
		server.send(t, c.from, c.to+":68", one.Index, "answer")
		cx.expect(t, fmt.Sprintf("answer %s:67 %s:68 %d", from, c.to, eth0))
	}
	// None of these broadcasts left by the other interface.
	server.send(t, "10.2.0.1", "255.255.255.255:68", two.Index, "the end")
	cy.expect(t, fmt.Sprintf("the end 10.2.0.1:67 255.255.255.255:68 %d", y.find("eth0").Index))
}

// TestB10_Unaddressed: a client that has no address yet is heard, on an
// interface that has none either, and its raw frame is told from its UDP.
func TestB10_Unaddressed(t *testing.T) {
	a, b := pair(t)
	server := a.listen(67, ID{})
	discover := ether.AppendUDPFrame(nil, b.MAC("eth0"), ether.Broadcast, netip.Addr{}, addr("255.255.255.255"), 68, 67, []byte("discover"))
	check(t, b.frames("eth0", DHCP).Write(discover))
	server.expect(t, fmt.Sprintf("discover 0.0.0.0:68 255.255.255.255:67 %d", a.find("eth0").Index))
}

// TestUDP_InUse: a second server on this machine is noticed, whichever
// interface it is bound to; clients on two interfaces are not in each other's
// way.
func TestUDP_InUse(t *testing.T) {
	s, _, _, one, two := multihomed(t)
	s.listen(67, ID{})
	s.Do(func() {
		for want, on := range map[string]ID{
			"listen on UDP port 67: address already in use":        {},
			"listen on UDP port 67 of one: address already in use": one,
		} {
			if _, err := ListenUDP(67, on); !errors.Is(err, unix.EADDRINUSE) || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		if _, err := ListenUDP(68, ID{9999, "eth9"}); err == nil || err.Error() != "listen on UDP port 68 of eth9: no such device" {
			t.Errorf("on a link that is not there: %v", err)
		}
	})
	s.listen(68, one)
	s.listen(68, two)
}

// TestS17_Only: networks that are not served cost nothing, until they are.
func TestS17_Only(t *testing.T) {
	s, x, y, one, two := multihomed(t)
	server, cx, cy := s.listen(67, ID{}), x.listen(68, ID{}), y.listen(68, ID{})
	check(t, server.Only(two.Index))
	cx.send(t, "", "10.1.0.1:67", 0, "from one")
	cy.send(t, "", "10.2.0.1:67", 0, "from two")
	server.expect(t, fmt.Sprintf("from two 10.2.0.9:68 10.2.0.1:67 %d", two.Index))
	check(t, server.Only(9999, one.Index, two.Index))
	cx.send(t, "", "10.1.0.1:67", 0, "from one")
	server.expect(t, fmt.Sprintf("from one 10.1.0.9:68 10.1.0.1:67 %d", one.Index))
	check(t, server.Only(two.Index, two.Index+1, two.Index+2, 9999)) // a row of them is one test
	if one.Index >= two.Index {
		t.Fatalf("one is %d, two %d", one.Index, two.Index)
	}
	cx.send(t, "", "10.1.0.1:67", 0, "from below the row")
	cy.send(t, "", "10.2.0.1:67", 0, "from its first")
	server.expect(t, fmt.Sprintf("from its first 10.2.0.9:68 10.2.0.1:67 %d", two.Index))
	check(t, server.Only(one.Index-1, one.Index))
	cy.send(t, "", "10.2.0.1:67", 0, "from above the row")
	cx.send(t, "", "10.1.0.1:67", 0, "from its last")
	server.expect(t, fmt.Sprintf("from its last 10.1.0.9:68 10.1.0.1:67 %d", one.Index))
	check(t, server.Only())
	cx.send(t, "", "10.1.0.1:67", 0, "to a shut door")
	check(t, server.Only(make([]int, 3000)...)) // too many to tell apart
	cy.send(t, "", "10.2.0.1:67", 0, "to an open one")
	server.expect(t, fmt.Sprintf("to an open one 10.2.0.9:68 10.2.0.1:67 %d", two.Index))
}

// TestR2_OnlyAnd: replies to a relay come in from anywhere, requests only from
// where they are served.
func TestR2_OnlyAnd(t *testing.T) {
	s, x, y, one, two := multihomed(t)
	server, cx, cy := s.listen(67, ID{}), x.listen(67, ID{}), y.listen(67, ID{})
	check(t, server.OnlyAnd(two.Index))
	cx.send(t, "", "10.1.0.1:67", 0, "\x01 a request")
	cx.send(t, "", "10.1.0.1:67", 0, "\x02 a reply")
	server.expect(t, fmt.Sprintf("\x02 a reply 10.1.0.9:67 10.1.0.1:67 %d", one.Index))
	cy.send(t, "", "10.2.0.1:67", 0, "\x01 another")
	server.expect(t, fmt.Sprintf("\x01 another 10.2.0.9:67 10.2.0.1:67 %d", two.Index))
	check(t, server.Only(one.Index))
	cy.send(t, "", "10.2.0.1:67", 0, "\x02 a reply that nobody waits for")
	cx.send(t, "", "10.1.0.1:67", 0, "\x01 a third")
	server.expect(t, fmt.Sprintf("\x01 a third 10.1.0.9:67 10.1.0.1:67 %d", one.Index))
}

// TestR4_SourceTo: the address by which we reach another.
func TestR4_SourceTo(t *testing.T) {
	s, _, _, _, _ := multihomed(t)
	s.Do(func() {
		for to, want := range map[string]string{"10.1.0.9": "10.1.0.1", "10.2.0.200": "10.2.0.1"} {
			if a, ok := SourceTo(netip.MustParseAddr(to)); !ok || a.String() != want {
				t.Errorf("to %s: %v, %v", to, a, ok)
			}
		}
		if a, ok := SourceTo(netip.MustParseAddr("203.0.113.1")); ok {
			t.Errorf("from %v to where no route leads", a)
		}
	})
}

// TestL2_Dropped: what the kernel throws away is counted: what is kept out, and
// what there is no room for.
func TestL2_Dropped(t *testing.T) {
	s, x, _, one, two := multihomed(t)
	c, client := s.listen(67, ID{}), x.listen(68, ID{})
	dropped := func(atLeast uint64) {
		t.Helper()
		s.Until("datagrams dropped", func() bool { return c.Dropped() >= atLeast })
	}
	check(t, c.Only(two.Index))
	client.send(t, "", "10.1.0.1:67", 0, "kept out")
	dropped(1)
	check(t, c.Only(one.Index))
	for n := c.Dropped(); c.Dropped() < n+10; {
		client.send(t, "", "10.1.0.1:67", 0, "no room")
	}
	check(t, c.Close())
	if n := c.Dropped(); n != 0 {
		t.Errorf("%d after the end", n)
	}
}

// TestUDP_Batch: what waits comes in one turn, whole and in order; what is too
// long for the buffer is marked.
func TestUDP_Batch(t *testing.T) {
	s, x, _, one, _ := multihomed(t)
	server, client, other := s.listen(67, ID{}), x.listen(68, ID{}), s.listen(68, one)
	out := NewBatch(40, 2048)
	for i := 0; !out.Full(); i++ {
		m := out.Add()
		m.To, m.Data = port("10.1.0.1:67"), append(m.Data, strings.Repeat("x", 20*i)...)
	}
	if lost, err := client.Send(out); lost != 0 || err != nil {
		t.Fatal(lost, err)
	}
	arrived(t, client, other, "10.1.0.1:68")
	in := NewBatch(32, 500)
	got := 0
	for _, n := range []int{32, 8} {
		check(t, server.Receive(in))
		if in.Len() != n {
			t.Fatalf("a batch of %d, not %d", in.Len(), n)
		}
		for i := range n {
			m, size := in.At(i), min(20*got, 500)
			if len(m.Data) != size || m.Cut != (20*got > 500) || m.Index != one.Index || m.From != port("10.1.0.9:68") {
				t.Errorf("datagram %d: %d octets, %+v", got, len(m.Data), m)
			}
			got++
		}
	}
}

// TestUDP_Lost: of a batch, what can't be sent is told, and the rest is sent.
func TestUDP_Lost(t *testing.T) {
	s, x, _, one, _ := multihomed(t)
	server, client, other := s.listen(67, ID{}), x.listen(68, ID{}), x.listen(1068, ID{})
	out := NewBatch(5, 2048)
	for _, to := range []string{"10.1.0.9:68", "10.77.0.1:67", "10.1.0.9:68", "10.77.0.2:67", "10.1.0.9:68"} {
		m := out.Add()
		m.To, m.Data = port(to), append(m.Data, "hello"...)
	}
	lost, err := server.Send(out)
	if want := "send 5 octets to 10.77.0.1:67 by interface 0: network is unreachable"; lost != 2 || err == nil || err.Error() != want {
		t.Errorf("%d lost, %v", lost, err)
	}
	arrived(t, server, other, "10.1.0.9:1068")
	in := NewBatch(5, 2048)
	if err := client.Receive(in); err != nil || in.Len() != 3 {
		t.Errorf("%d came, %v", in.Len(), err)
	}
	out.Reset()
	if lost, err := server.Send(out); lost != 0 || err != nil {
		t.Errorf("an empty batch: %d lost, %v", lost, err)
	}
	m := out.Add()
	m.From, m.To, m.Index = port("10.99.0.1:0"), port("255.255.255.255:68"), one.Index
	if lost, err := server.Send(out); lost != 1 || err == nil {
		t.Errorf("from an address that is not ours: %d lost, %v", lost, err)
	}
}

func TestUDP_Close(t *testing.T) {
	a, _ := pair(t)
	c := a.listen(67, ID{})
	ended := make(chan error)
	go func() {
		for range 2 {
			ended <- c.Receive(NewBatch(1, 2048))
		}
	}()
	c.Close()
	for range 2 {
		if err := <-ended; err != os.ErrClosed {
			t.Errorf("got %v", err)
		}
	}
	if _, err := c.Send(NewBatch(1, 2048)); err != os.ErrClosed {
		t.Errorf("Send: %v", err)
	}
	if err := c.Only(1); err != os.ErrClosed {
		t.Errorf("Only: %v", err)
	}
}

// TestS5_Sender: a host that has no address is sent to by its Ethernet
// address, out of the right one of two interfaces, in one batch with ARP.
func TestS5_Sender(t *testing.T) {
	s, x, y, one, two := multihomed(t)
	fx, fy, ay := x.frames("eth0", DHCP), y.frames("eth0", DHCP), y.frames("eth0", ARP)
	r := s.sender()
	out := NewBatch(4, 2048)
	for _, c := range []struct {
		on ID
		to *machine
		ip string
	}{{one, x, "10.1.0.77"}, {two, y, "10.2.0.77"}} {
		m := out.Add()
		m.Index = c.on.Index
		m.Data = ether.AppendUDPFrame(m.Data, s.MAC(c.on.Name), c.to.MAC("eth0"), addr("10.1.0.1"), addr(c.ip), 67, 68, []byte(c.ip))
	}
	probe := ether.Probe(s.MAC("two"), addr("10.2.0.78"))
	m := out.Add()
	m.Index, m.Data = two.Index, probe.AppendFrame(m.Data)
	m = out.Add()
	m.Index, m.Data = 9999, append(m.Data, out.At(0).Data...)
	lost, err := r.Send(out)
	if want := fmt.Sprintf("send a frame of %d octets by interface 9999: no such device or address", len(m.Data)); lost != 1 || err == nil || err.Error() != want {
		t.Errorf("%d lost, %v", lost, err)
	}
	for text, f := range map[string]Frames{"10.1.0.77": fx, "10.2.0.77": fy} {
		d, err := ether.ParseUDPFrame(heard(t, f, 1)[0])
		if err != nil || string(d.Payload) != text || d.Dst != port(text+":68") || d.Src != port("10.1.0.1:67") {
			t.Errorf("%s: %v %v", text, d, err)
		}
	}
	if p, err := ether.ParseARPFrame(heard(t, ay, 1)[0]); err != nil || p.TargetIP != probe.TargetIP {
		t.Errorf("ARP: %v %v", p, err)
	}
	r.Close()
	if _, err := r.Send(out); err != os.ErrClosed {
		t.Errorf("after Close: %v", err)
	}
}

func (m *machine) sender() *Sender {
	m.t.Helper()
	var s *Sender
	m.Do(func() {
		var err error
		if s, err = OpenSender(); err != nil {
			m.t.Fatal(err)
		}
	})
	m.t.Cleanup(func() { s.Close() })
	return s
}

// TestAllocs: no batch allocates, coming or going.
func TestAllocs(t *testing.T) {
	a, b := pair(t)
	on, to := a.find("eth0").Index, port("127.0.0.1:67")
	c, s := a.listen(67, ID{}), a.sender()
	in, out, raw := NewBatch(16, 2048), NewBatch(16, 2048), NewBatch(16, 2048)
	payload := make([]byte, 300)
	me, you := a.MAC("eth0"), b.MAC("eth0")
	got := 0
	n := testing.AllocsPerRun(50, func() {
		out.Reset()
		raw.Reset()
		for !out.Full() {
			m := out.Add()
			m.From, m.To, m.Data = to, to, append(m.Data, payload...)
			m = raw.Add()
			m.Index, m.Data = on, ether.AppendUDPFrame(m.Data, me, you, to.Addr(), to.Addr(), 67, 68, payload)
		}
		if lost, err := c.Send(out); lost != 0 || err != nil {
			t.Fatal(err)
		}
		if lost, err := s.Send(raw); lost != 0 || err != nil {
			t.Fatal(err)
		}
		for came := 0; came < 16; came += in.Len() {
			check(t, c.Receive(in))
			got += in.Len()
		}
	})
	if n != 0 || got != 51*16 {
		t.Errorf("%v allocations for %d datagrams", n, got)
	}
}

func TestLayout(t *testing.T) {
	if got, want := sizeofPktinfo, unix.CmsgSpace(unix.SizeofInet4Pktinfo); got != want {
		t.Errorf("a control message of %d octets, the kernel's is of %d", got, want)
	}
}

// TestR1_Among: the filter lets in just the interfaces that it is for, be they
// in a row or not, in order or not, and with a thousand of them it comes to its
// end after a few steps.
func TestR1_Among(t *testing.T) {
	for _, n := range []int{0, 1, 10, 11, 100, 1000} {
		for _, gap := range []int{1, 2, 3} {
			want, list := map[uint32]bool{}, []int{}
			for i := range n {
				want[uint32(7+i*gap)] = true
				list = append([]int{7 + i*gap}, list...)
			}
			p := onlyInterfaces(list, true)
			for index := range uint32(7 + n*gap + 3) {
				kept, steps := among(p[3:], index)
				if kept != want[index] || steps > 40 {
					t.Fatalf("%d with gaps of %d: index %d kept %v after %d steps", n, gap, index, kept, steps)
				}
			}
		}
	}
}

// among runs the part of a filter behind its first lines with the index of an
// interface loaded.
func among(p program, index uint32) (kept bool, steps int) {
	for at := 0; ; at++ {
		switch o := p[at]; o.Code {
		case end:
			return o.K == keep, steps
		case ifEqual, ifAtLeast, ifGreater:
			hit := o.Code == ifEqual && index == o.K || o.Code == ifAtLeast && index >= o.K || o.Code == ifGreater && index > o.K
			if hit {
				at += int(o.Jt)
			} else {
				at += int(o.Jf)
			}
		case unix.BPF_JMP | unix.BPF_JA:
			at += int(o.K)
		}
		steps++
	}
}
