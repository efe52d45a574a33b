package peertest

import (
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// activeQuery is an active leasequery, framed: since a time, or from now on.
func activeQuery(xid, since uint32) []byte {
	var m dhcp4.Message
	m.Reset(dhcp4.BootRequest)
	m.Xid = xid
	m.SetType(dhcp4.ActiveLeaseQuery)
	m.Options.Put(dhcp4.ParameterList, []byte{51, 61, 91, 153, 156})
	if since != 0 {
		m.Options.PutUint32(dhcp4.QueryStart, since)
	}
	return m.AppendFrame(nil)
}

// status returns what kind of DHCPLEASEQUERYSTATUS comes next, and its time.
func (l *bulkLine) status() (s dhcp4.Status, base uint32) {
	l.Helper()
	m := l.next()
	if m == nil || m.Type() != dhcp4.LeaseQueryStatus {
		l.Fatalf("no status: %v", m)
	}
	s, _ = m.Options.Status()
	base, _ = m.Options.Uint32(dhcp4.BaseTime)
	return s, base
}

// tells wants word of an address in a state next.
func (l *bulkLine) tells(a string, state dhcp4.LeaseState) {
	l.Helper()
	m := l.next()
	if m == nil {
		l.Fatalf("the end of the stream, want %s %v", a, state)
	}
	got, _ := m.Options.Uint8(dhcp4.DHCPState)
	if m.Ciaddr.String() != a || dhcp4.LeaseState(got) != state || (m.Type() == dhcp4.LeaseActive) != (state == dhcp4.Active) {
		l.Errorf("%v %v %v, want %s %v", m.Type(), m.Ciaddr, dhcp4.LeaseState(got), a, state)
	}
}

// lone gives a lease to a scripted client on a host.
func lone(t *testing.T, h *netlab.Host) (*scripted, *netlab.Socket) {
	t.Helper()
	w := newCrowd(h, 1)
	w.run(t)
	return w.clients[newScripted(0).xid], w.sock
}

// TestQ6_Watch: what changes is told as it changes, by dhcpd -l and on the wire;
// after a break what was missed comes first.
func TestQ6_Watch(t *testing.T) {
	t.Parallel()
	n, asker := newAnswerer(t, `option eth0 leasequery active insecure;`)
	n.allow = []string{"Connection reset (RST)"}
	first := n.client.Addrs("eth0")[0].Addr().String()
	show := asker.Start(dhcpd, "-l", "10.0.0.1", "all", "watch")
	show.WaitLine(`10\.0\.0\.104 .*available`) // the last of all
	l := n.dial(asker)
	l.send(activeQuery(7, 1))
	l.tells(first, dhcp4.Active)
	s, base := l.status()
	if s != dhcp4.CatchUpComplete || base == 0 {
		t.Errorf("status %v at %d", s, base)
	}

	guest := n.guest("second")
	guest.Udhcpc("eth0")
	second := bound(t, guest, "10.0.0.100", "10.0.0.104").String()
	l.tells(second, dhcp4.Active)
	show.WaitLine(strings.ReplaceAll(second, ".", `\.`) + ` +\+\d+ +- +01`)
	away := n.dial(asker)
	away.send(activeQuery(8, 0)) // only what is to come
	away.send(activeQuery(9, 0)) // which is one too many
	if m := away.next(); m != nil {
		t.Errorf("two queries: %v", m.Type())
	}
	l.Close()

	c, sock := lone(t, n.guest("third"))
	third := c.addr.String()
	show.WaitLine(strings.ReplaceAll(third, ".", `\.`) + ` +\+`)
	renewal := c.message(dhcp4.Request)
	renewal.Ciaddr = c.addr
	n.Until("the renewal is told", func() bool {
		sock.Send(c.frame(renewal))
		return strings.Count(show.Output(), "\n"+third+" ") > 2 // with that of all
	})
	n.command(n.server, "-r", third)
	l = n.dial(asker)
	l.send(activeQuery(10, base))
	seen := map[string]bool{}
	for m := l.next(); m.Type() != dhcp4.LeaseQueryStatus; m = l.next() {
		seen[m.Ciaddr.String()] = true
	}
	if !seen[third] {
		t.Errorf("after the break: %v, want %s", seen, third)
	}
	m := c.message(dhcp4.Release)
	m.Ciaddr = c.addr
	m.Options.PutAddr(dhcp4.ServerID, netip.MustParseAddr("10.0.0.1"))
	sock.Send(c.frame(m))
	show.WaitLine(strings.ReplaceAll(third, ".", `\.`) + ` +-\d+ +released`)
	for m := l.next(); m.Type() != dhcp4.LeaseUnassigned; m = l.next() {
		if m.Type() != dhcp4.LeaseActive || m.Ciaddr != c.addr { // of the last renewal
			t.Errorf("%v %v", m.Type(), m.Ciaddr)
		}
	}
}

// TestQ6_Quiet: who hears nothing for a minute is told that the connection
// lives; and that a lease has ended, which nobody writes down, within one.
func TestQ6_Quiet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(n *network, l *bulkLine)
	}{
		{"nothing", func(n *network, l *bulkLine) {
			if s, base := l.status(); s != dhcp4.ConnectionActive || base == 0 {
				t.Errorf("status %v at %d", s, base)
			}
		}},
		{"a lease ends", func(n *network, l *bulkLine) {
			c, _ := lone(t, n.client)
			l.tells(c.addr.String(), dhcp4.Active)
			for m := l.next(); m.Type() != dhcp4.LeaseUnassigned; m = l.next() {
				if m.Type() != dhcp4.LeaseActive { // of a REQUEST that came twice
					t.Fatalf("%v", m.Type())
				}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, ourServer)
			n.serve(conf("10.0.0.1/24", "DHCPlease 10;", "option eth0 leasequery active insecure;"), "10.0.0.100-10.0.0.104")
			asker := n.guest("asker")
			asker.Addr("eth0", "10.0.0.9/24")
			l := n.dial(asker)
			l.send(activeQuery(1, 0))
			n.Until("the query is heard", func() bool {
				return countIn(n.command(n.server, "-q"), "DHCPACTIVELEASEQUERY received") == 1
			})
			c.do(n, l)
		})
	}
}

// TestQ6_Insecure: without its two words in the config file nobody is told
// anything, nor when they go.
func TestQ6_Insecure(t *testing.T) {
	t.Parallel()
	n, asker := newAnswerer(t, `option eth0 leasequery;`)
	n.allow = []string{"Connection reset (RST)"}
	l := n.dial(asker)
	l.send(activeQuery(1, 1))
	if m := l.next(); m != nil {
		t.Errorf("answered by %v", m.Type())
	}
	with := conf("10.0.0.1/24", "option eth0 leasequery active insecure;", "DHCPlease 3600;")
	n.server.WriteFile("dhcp.conf", with)
	n.Until("an answer", func() bool {
		l = n.dial(asker)
		l.send(activeQuery(2, 1))
		return l.next() != nil
	})
	if s, _ := l.status(); s != dhcp4.CatchUpComplete {
		t.Errorf("status %v", s)
	}
	n.server.WriteFile("dhcp.conf", strings.Replace(with, "active insecure", "", 1))
	n.await(dhcp4.ACK)
	n.client.Udhcpc("eth0") // something changes
	var last *dhcp4.Message
	for m := l.next(); m != nil; m = l.next() {
		last = m
	}
	if s, _ := last.Options.Status(); s != dhcp4.QueryTerminated {
		t.Errorf("the last word is %v %v", last.Type(), s)
	}
}

// TestQ6_End: when the server ends in order, who watches is told that, at once,
// and so is the user of dhcpd -l.
func TestQ6_End(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	p := n.serve(conf("10.0.0.1/24", "DHCPlease 3600;", "option eth0 leasequery active insecure;"), "10.0.0.100-10.0.0.104")
	asker := n.guest("asker")
	asker.Addr("eth0", "10.0.0.9/24")
	show := asker.Start(dhcpd, "-l", "10.0.0.1", "all", "watch")
	l := n.dial(asker)
	l.send(activeQuery(7, 1))
	if s, _ := l.status(); s != dhcp4.CatchUpComplete {
		t.Errorf("status %v", s)
	}
	n.Until("both watch", func() bool {
		return countIn(n.command(n.server, "-q"), "DHCPACTIVELEASEQUERY received") == 2
	})
	if code := p.Stop(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if s, base := l.status(); s != dhcp4.QueryTerminated || base == 0 {
		t.Errorf("status %v at %d", s, base)
	}
	if m := l.next(); m != nil {
		t.Errorf("%v after that", m.Type())
	}
	show.WaitLine(`10\.0\.0\.1: QueryTerminated saying 'the server shuts down'`)
	if code := show.Wait(); code != 1 {
		t.Errorf("exit status %d of -l", code)
	}
}
