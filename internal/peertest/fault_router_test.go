package peertest

import (
	"encoding/binary"
	"net"
	"testing"
	"time"

	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// through sends numbered datagrams from one host to another until it is told to
// stop, and then says how many did not arrive.
func through(t *testing.T, from, to *netlab.Host, a netip.Addr) (stop func() (sent, lost int)) {
	t.Helper()
	var in, out *net.UDPConn
	open := func(h *netlab.Host, f func() (*net.UDPConn, error)) (c *net.UDPConn) {
		h.Do(func() {
			var err error
			if c, err = f(); err != nil {
				t.Fatal(err)
			}
		})
		t.Cleanup(func() { c.Close() })
		return c
	}
	at := &net.UDPAddr{IP: a.AsSlice(), Port: 5000}
	in = open(to, func() (*net.UDPConn, error) { return net.ListenUDP("udp4", at) })
	in.SetReadBuffer(4 << 20) // the test may be slow to read
	out = open(from, func() (*net.UDPConn, error) { return net.DialUDP("udp4", nil, at) })
	over, sent, came := make(chan bool), make(chan int, 1), make(chan int)
	go func() {
		n := 0
		for tick := time.NewTicker(2 * time.Millisecond); ; n++ {
			select {
			case <-over:
				tick.Stop()
				sent <- n
				return
			case <-tick.C:
				out.Write(binary.BigEndian.AppendUint32(nil, uint32(n)))
			}
		}
	}()
	go func() {
		seen, all := map[uint32]bool{}, -1
		for b := make([]byte, 5); len(seen) != all; {
			n, err := in.Read(b)
			if err != nil {
				break
			}
			if k := binary.BigEndian.Uint32(b); n == 4 {
				seen[k] = true
			} else {
				all = int(k)
			}
		}
		came <- len(seen)
	}()
	return func() (int, int) {
		close(over)
		n := <-sent
		in.SetReadDeadline(time.Now().Add(netlab.Patience))
		out.Write(append(binary.BigEndian.AppendUint32(nil, uint32(n)), 0)) // how many there are; it may overtake some
		return n, n - <-came
	}
}

// TestS17_RouterGoesOn: what a router passes on between other networks is not
// touched while the network that it serves suffers, nor is any setting of the
// kernel.
func TestS17_RouterGoesOn(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "interface eth0 10.0.0.1;")
	a, b := f.Host("a"), f.Host("b")
	for i, h := range []*netlab.Host{a, b} {
		ours := []string{"eth2", "eth3"}[i]
		net := []string{"10.20.0.", "10.21.0."}[i]
		f.Wire(f.server, ours, h, "eth0")
		f.server.Addr(ours, net+"1/24")
		h.Addr("eth0", net+"2/24")
		h.Run("ip", "route", "add", "default", "via", net+"1")
	}
	f.server.Run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
	settings := func() string {
		return f.server.Run("sh", "-c", "cd /proc/sys/net/ipv4; head conf/all/* conf/default/* conf/eth2/* ip_* icmp_*") +
			f.server.Run("ip", "route", "show", "dev", "eth2")
	}
	before := settings()
	stop := through(t, a, b, netip.MustParseAddr("10.21.0.2"))
	f.suffer(
		fault{"down", "ip link set eth0 down", "ip link set eth0 up"},
		fault{"renamed", "ip link set eth0 name lan0", "ip link set lan0 name eth0"},
		fault{"without address", "ip addr flush dev eth0", "true"},
	)
	if sent, lost := stop(); lost > 0 || sent == 0 {
		t.Errorf("%d of %d datagrams between other networks were lost", lost, sent)
	}
	if after := settings(); after != before {
		t.Errorf("settings were:\n%s\nand are now:\n%s", before, after)
	}
	if f.p.Ended() {
		t.Error("dhcpd has ended")
	}
}
