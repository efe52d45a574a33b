package peertest

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"dhcpd/client"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netlab"
)

// mutant returns what chance makes of answers to a client: noise, or a sound
// answer with some octets changed, cut off or copied to elsewhere. One that
// the client would be right to believe gets another xid.
func (l *liar) mutant(to *packet, r *rand.Rand) []byte {
	b := make([]byte, r.IntN(700))
	if r.IntN(4) == 0 {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if len(b) > 240 { // else it gets no further than the cookie
			copy(b, l.reply(to, dhcp4.ACK)[:240])
		}
	} else {
		typ := []dhcp4.Type{dhcp4.Offer, dhcp4.ACK, dhcp4.NAK}[r.IntN(3)]
		b = l.reply(to, typ, router, put(dhcp4.DNSServer, 10, 6, 6, 6), text(dhcp4.DomainName, "example.org"),
			put(dhcp4.ClasslessRoute, 24, 10, 9, 9, 10, 6, 6, 1), put(dhcp4.RenewalTime, 0, 0, 1, 0))
		for range 1 + r.IntN(8) {
			switch at := 4 + r.IntN(len(b)-4); r.IntN(3) {
			case 0:
				b[at] = byte(r.Uint32())
			case 1:
				b[at] ^= 1 << r.IntN(8)
			case 2:
				copy(b[at:], b[240:240+r.IntN(len(b)-240)])
			}
		}
		b = b[:len(b)-r.IntN(len(b))*r.IntN(2)]
	}
	m := new(dhcp4.Message)
	if m.Parse(b) != nil || m.Xid != to.Xid {
		return b
	}
	_, err := client.NewLease(m, time.Now())
	if err == nil || m.Type() == dhcp4.NAK || m.Type() == dhcp4.BOOTP {
		b[4] ^= 1
	}
	return b
}

// TestC10_RandomReplies: ten thousand answers that are wrong by chance, while
// a client looks for a server, and as many while it has a lease. It believes
// none, its log stays empty, its memory small, and an honest server is served
// as if nothing had been.
func TestC10_RandomReplies(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	l, r := newLiar(n), newSeed(t)
	p := n.client.Start(dhcpd, files(n.client)...)
	n.ran = append(n.ran, p)
	storm := func(to *packet, broadcast bool) {
		for range 10_000 {
			dst := dhcp4.Everyone
			if !broadcast && r.IntN(2) == 0 {
				dst = l.give
			}
			l.sock.Send(ether.AppendUDPFrame(nil, l.mac, to.SrcMAC, l.addr, dst, dhcp4.ServerPort, dhcp4.ClientPort, l.mutant(to, r)))
		}
	}
	discover := n.await(dhcp4.Discover)
	storm(discover, true)
	before := rss(t, p)
	n.Until("what was dropped in dhcpd -q", func() bool {
		storm(discover, true) // of which a slow client's socket has room for little
		q := n.command(n.client, "-q")
		return countIn(q, "dropped: message is malformed") > 1000 && countIn(q, "dropped: nothing that our client waits for") > 500
	})
	if list := n.client.Addrs("eth0"); len(list) != 0 {
		t.Errorf("configured %v", list)
	}
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
	request := n.await(dhcp4.Request)
	l.give = a
	storm(request, false)
	if got, left := bound(t, n.client, a.String(), a.String()), lifetime(t, n.client); got != a || left > 3600 {
		t.Errorf("%v for %d s", got, left)
	}
	if routes := n.client.Run("ip", "-4", "route"); strings.Contains(routes, "10.6.6") || strings.Contains(routes, "10.9.9") {
		t.Errorf("routes: %s", routes)
	}
	if now := rss(t, p); now > before+4096 {
		t.Errorf("memory has grown from %d kB to %d kB", before, now)
	}
	if text := p.Output(); text != "" {
		t.Errorf("it says %q", text)
	}
	p.Stop()
}

// TestC8_NAKLoop: a server that offers and then refuses, time and again, does
// not make the client spin; another server's lease ends it.
func TestC8_NAKLoop(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	l := newLiar(n)
	p := n.start(n.client)
	var last time.Time
	for i, least := range []time.Duration{0, 0, 3 * time.Second, 7 * time.Second} {
		discover := n.await(dhcp4.Discover, func(p *packet) bool { return p.Secs == 0 })
		if wait := time.Since(last); wait < least-100*time.Millisecond {
			t.Errorf("DISCOVER after NAK %d in %v", i, wait)
		}
		request := l.offer(discover)
		last = time.Now()
		l.insist(request, l.reply(request, dhcp4.NAK, text(dhcp4.MessageText, "no\nway")), func() {
			p.WaitLine(`eth0: Got a NAK from 10\.6\.6\.6 saying 'no\\012way'$`)
		})
	}
	if list := n.client.Addrs("eth0"); len(list) != 0 {
		t.Errorf("configured %v", list)
	}
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
}
