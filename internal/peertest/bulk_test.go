package peertest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netlab"
)

// A bulkLine is a TCP connection to our server.
type bulkLine struct {
	*network
	net.Conn
	rest []byte
}

// dial opens one from a host.
func (n *network) dial(h *netlab.Host) *bulkLine {
	n.Helper()
	l := &bulkLine{network: n}
	n.allow = append(n.allow, "D-SACK Sequence") // TCP on a busy machine
	h.Do(func() {
		var err error
		if l.Conn, err = net.Dial("tcp4", "10.0.0.1:67"); err != nil {
			n.Fatal(err)
		}
	})
	n.Cleanup(func() { l.Close() })
	return l
}

// bulkQuery is a bulk query for all addresses, framed.
func bulkQuery(xid uint32) []byte {
	var m dhcp4.Message
	m.Reset(dhcp4.BootRequest)
	m.Xid = xid
	m.SetType(dhcp4.BulkLeaseQuery)
	m.Options.Put(dhcp4.ParameterList, []byte{51, 91, 152, 153, 156})
	return m.AppendFrame(nil)
}

func (l *bulkLine) send(b []byte) {
	l.Helper()
	if _, err := l.Write(b); err != nil {
		l.Fatal(err)
	}
}

// next returns the next message, nil at the end of the stream.
func (l *bulkLine) next() *dhcp4.Message {
	l.Helper()
	for {
		b, rest, err := dhcp4.CutFrame(l.rest)
		if err != nil {
			l.Fatal(err)
		}
		if b != nil {
			l.rest = rest
			m := new(dhcp4.Message)
			if err := m.Parse(b); err != nil {
				l.Fatal(err)
			}
			return m
		}
		buf := make([]byte, 1<<16)
		l.SetDeadline(time.Now().Add(netlab.Patience))
		got, err := l.Read(buf)
		l.rest = append(l.rest, buf[:got]...)
		switch {
		case got > 0:
		case errors.Is(err, io.EOF), err != nil && strings.Contains(err.Error(), "reset"):
			return nil
		case err != nil:
			l.Fatal(err)
		}
	}
}

// answer reads the answer to one query and counts its addresses; -1 if the
// connection ends.
func (l *bulkLine) answer(xid uint32) (addresses int) {
	l.Helper()
	for {
		m := l.next()
		if m == nil {
			return -1
		}
		if m.Xid != xid {
			l.Errorf("xid %x, want %x", m.Xid, xid)
		}
		if m.Type() == dhcp4.LeaseQueryDone {
			return addresses
		}
		addresses++
	}
}

// TestQ5_Stream: several queries on one connection, each answered to its end
// before the next one; and octet by octet.
func TestQ5_Stream(t *testing.T) {
	t.Parallel()
	n, asker := newAnswerer(t, `option eth0 leasequery;`)
	l := n.dial(asker)
	l.send(append(append(bulkQuery(1), bulkQuery(2)...), bulkQuery(3)[:100]...))
	for xid := uint32(1); xid <= 3; xid++ {
		if xid == 3 {
			for _, b := range bulkQuery(3)[100:] {
				l.send([]byte{b})
			}
		}
		if got := l.answer(xid); got != 5 {
			t.Errorf("query %d: %d addresses, want 5", xid, got)
		}
	}
	// A query that takes 60,000 octets.
	var m dhcp4.Message
	m.Reset(dhcp4.BootRequest)
	m.Xid = 4
	m.SetType(dhcp4.BulkLeaseQuery)
	m.Options.Put(dhcp4.ClassID, bytes.Repeat([]byte("x"), 60_000))
	l.send(m.AppendFrame(nil))
	if got := l.answer(4); got != 5 {
		t.Errorf("large query: %d addresses, want 5", got)
	}
	// One that has a fault: its end says so, and the next one is answered.
	m.Options.Del(dhcp4.ClassID)
	m.Xid, m.Ciaddr = 5, n.client.Addrs("eth0")[0].Addr()
	l.send(m.AppendFrame(nil))
	done := l.next()
	if s, why := done.Options.Status(); done.Type() != dhcp4.LeaseQueryDone || s != dhcp4.MalformedQuery || len(why) == 0 {
		t.Errorf("with ciaddr: %s", done.Dump(nil, dhcp4.Builtin()))
	}
	l.send(bulkQuery(6))
	if got := l.answer(6); got != 5 {
		t.Errorf("after that: %d addresses", got)
	}
}

// TestQ5_Broken: what is no sequence of queries ends the connection, and is
// counted and said; the server goes on.
func TestQ5_Broken(t *testing.T) {
	t.Parallel()
	n, asker := newAnswerer(t, `option eth0 leasequery;`)
	n.allow = []string{"Connection reset (RST)"}
	discover := new(dhcp4.Message)
	discover.Reset(dhcp4.BootRequest)
	discover.SetType(dhcp4.Discover)
	for what, octets := range map[string][]byte{
		"a size that no message has": {0, 5, 1, 2, 3, 4, 5},
		"a size of zero":             make([]byte, 100),
		"another protocol":           []byte("\x00\x10GET / HTTP/1.1\r\n\r\n"),
		"a DHCPDISCOVER":             discover.AppendFrame(nil),
	} {
		l := n.dial(asker)
		l.send(octets)
		if m := l.next(); m != nil {
			t.Errorf("%s: answered by %v", what, m.Type())
		}
	}
	half := n.dial(asker)
	half.send(bulkQuery(1)[:200])
	half.Close() // in the middle of a query: nothing to talk about
	n.Until("four broken off", func() bool {
		return countIn(n.command(n.server, "-q"), "connections for bulk leasequeries broken off") == 4
	})
	l := n.dial(asker)
	l.send(bulkQuery(7))
	if got := l.answer(7); got != 5 {
		t.Errorf("then: %d addresses", got)
	}
}

// TestQ5_Connections: ten at a time; the next one is closed at once, until one
// of them goes.
func TestQ5_Connections(t *testing.T) {
	t.Parallel()
	n, asker := newAnswerer(t, `option eth0 leasequery;`)
	n.allow = []string{"Connection reset (RST)"}
	var lines []*bulkLine
	for i := range uint32(10) {
		l := n.dial(asker)
		l.send(bulkQuery(i))
		if got := l.answer(i); got != 5 {
			t.Fatalf("connection %d: %d addresses", i, got)
		}
		lines = append(lines, l)
	}
	if m := n.dial(asker).next(); m != nil {
		t.Errorf("the eleventh: %v", m.Type())
	}
	n.counts(n.server, "connections for bulk leasequeries refused")
	lines[3].Close()
	n.Until("a place for one more", func() bool {
		l := n.dial(asker)
		if _, err := l.Write(bulkQuery(99)); err != nil {
			return false
		}
		return l.answer(99) == 5
	})
	for i, l := range lines {
		if i != 3 {
			l.send(bulkQuery(50))
			if got := l.answer(50); got != 5 {
				t.Errorf("connection %d: %d addresses", i, got)
			}
		}
	}
}

// TestQ5_Stalled: askers that read nothing of a large answer keep nobody from
// a lease, nor other askers from theirs; and the walk goes on when they do.
func TestQ5_Stalled(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.server.WriteFile("dhcp.conf", strings.ReplaceAll(conf("10.0.0.1/8", "DHCPlease 3600;", "option eth0 leasequery;"), "10.0.0.0/24", "10.0.0.0/8"))
	n.command(n.server, "-a", "10.1.0.0-10.2.255.255")
	n.silent = true // tshark makes of a full window what it can
	n.server.Ready(n.start(n.server, "-d0"))
	asker := n.guest("asker")
	asker.Addr("eth0", "10.0.0.9/8")
	var stalled []*bulkLine
	for i := range uint32(5) {
		l := n.dial(asker)
		l.send(bulkQuery(i))
		if m := l.next(); m.Type() != dhcp4.LeaseUnassigned {
			t.Fatalf("%v", m.Type())
		}
		stalled = append(stalled, l)
	}
	n.client.Udhcpc("eth0")
	bound(t, n.client, "10.1.0.0", "10.2.255.255")
	n.command(n.server, "-r", "10.1.0.5-10.1.0.9") // while walks are under way
	n.Until("the server to see it", func() bool {
		said, _ := asker.Try(dhcpd, "-l", "10.0.0.1", "10.1.0.9")
		return strings.Contains(said, "unknown")
	})
	l := n.dial(asker)
	l.send(bulkQuery(9))
	if got := l.answer(9); got != 2*65536-5 {
		t.Errorf("%d addresses, want %d", got, 2*65536-5)
	}
	for i, l := range stalled {
		if got := 1 + l.answer(uint32(i)); got < 2*65536-5 || got > 2*65536 {
			t.Errorf("stalled asker %d: %d addresses", i, got)
		}
	}
}

// TestQ4_Reload: the option is put in, and taken out again, while the daemon
// runs.
func TestQ4_Reload(t *testing.T) {
	t.Parallel()
	n, asker := newAnswerer(t)
	n.allow = []string{"Connection reset (RST)"}
	with := conf("10.0.0.1/24", "DHCPlease 3600;", "option eth0 leasequery;")
	without := conf("10.0.0.1/24", "DHCPlease 3600;")
	n.server.WriteFile("dhcp.conf", with)
	n.Until("an answer", func() bool {
		_, code := asker.Try(dhcpd, "-l", "10.0.0.1", "all")
		return code == 0
	})
	l := n.dial(asker)
	l.send(bulkQuery(1))
	if got := l.answer(1); got != 5 {
		t.Errorf("%d addresses", got)
	}
	n.server.WriteFile("dhcp.conf", without)
	n.Until("no answer", func() bool {
		_, code := asker.Try(dhcpd, "-l", "10.0.0.1", "all")
		return code != 0
	})
	l.send(bulkQuery(2)) // on the connection that is still there
	if m := l.next(); m != nil {
		t.Errorf("answered by %v", m.Type())
	}
}
