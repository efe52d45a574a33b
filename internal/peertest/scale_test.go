package peertest

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// TestS1_S4_Perfdhcp: Kea's load client, which plays relay and clients both,
// on our own wire and from behind a router. Nothing is lost at a modest rate,
// and no address is given twice; some of the clients renew and release.
func TestS1_S4_S17_Perfdhcp(t *testing.T) {
	t.Parallel()
	for name, from := range map[string]string{"direct": "10.0.0.2", "relay": "10.1.0.1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, ourServer)
			n.client.Addr("eth0", "10.0.0.2/16")
			n.client.Addr("eth0", "10.1.0.1/16")
			n.serve(conf("10.0.0.1/16", "DHCPlease 3600;")+"host 10.1.0.0/16 { DHCPlease 3600; };\n",
				"10.0.1.0-10.0.4.255", "10.1.1.0-10.1.4.255")
			n.route("10.1.0.0/16")
			n.insist(n.client.Frames("eth0"), newScripted(1).discover(), dhcp4.Offer) // from now on it serves
			// What it counts as lost may only be late: the wire knows better. It ends with
			// its last DISCOVER; where many OFFERs are later, it has more to do.
			for asked := 0; asked < 1200; {
				out, _ := n.client.Try("perfdhcp", "-4", "-l", from, "-r", "200", "-f", "20", "-F", "20",
					"-R", "1000", "-n", "600", "-d", "60", "-u", "10.0.0.1")
				if strings.Count(out, "non unique addresses: 0\n") < 2 || strings.Count(out, "rejected leases: 0\n") < 2 {
					t.Fatal(out)
				}
				n.Until("an answer to each message", func() bool {
					var open map[exchange]bool
					asked, open = n.unanswered()
					return len(open) == 0
				})
			}
			n.Until("released addresses", func() bool { return strings.Contains(n.command(n.server, "-q"), " released ") })
		})
	}
}

// An exchange is DISCOVER and OFFER, or REQUEST and ACK.
type exchange struct {
	xid   uint32
	reply dhcp4.Type
}

// unanswered returns how many DISCOVERs and REQUESTs were on the wire, and those
// without an answer.
func (n *network) unanswered() (asked int, open map[exchange]bool) {
	open = map[exchange]bool{}
	for _, frame := range n.wire.Frames() {
		p, ok := decode(frame)
		if !ok {
			continue
		}
		switch typ := p.Type(); typ {
		case dhcp4.Discover:
			open[exchange{p.Xid, dhcp4.Offer}] = true
			asked++
		case dhcp4.Request:
			open[exchange{p.Xid, dhcp4.ACK}] = true
			asked++
		default:
			delete(open, exchange{p.Xid, typ})
		}
	}
	return asked, open
}

// TestS17_ThousandRelays: a thousand networks behind as many relays, all of
// them one host here, and one process of ours. Each reply goes to its relay.
func TestS17_S5_S20_ThousandRelays(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	relays := n.guest("relays")
	relays.Addr("eth0", "10.0.0.2/24")
	relays.Run("ip", "route", "add", "local", "10.128.0.0/9", "dev", "lo")
	var config strings.Builder
	at := func(i int, last byte) netip.Addr {
		return netip.AddrFrom4([4]byte{10, 128 + byte(i>>8), byte(i), last})
	}
	pool := []string{}
	const all = 1000
	for i := range all + 1 {
		fmt.Fprintf(&config, "host %v/24 { gateway %v; DHCPlease 600; };\n", at(i, 0), at(i, 1))
		pool = append(pool, at(i, 100).String())
	}
	n.serve(conf("10.0.0.1/24")+config.String(), pool...)
	n.route("10.128.0.0/9")
	sock := relays.Frames("eth0")
	frame := func(i int, m *dhcp4.Message) []byte {
		m.Giaddr, m.Hops, m.Xid = at(i, 1), 1, uint32(i)
		payload, _ := m.Append(nil, dhcp4.MinLimit)
		return ether.AppendUDPFrame(nil, relays.MAC("eth0"), n.server.MAC("eth0"), m.Giaddr, netip.MustParseAddr("10.0.0.1"),
			dhcp4.ServerPort, dhcp4.ServerPort, payload)
	}
	// The last relay is for the start: from its first OFFER on we serve.
	n.insist(sock, frame(all, newScripted(all).message(dhcp4.Discover)), dhcp4.Offer)
	const batch = 50 // on the way at a time
	for first := 0; first < all; first += batch {
		n.answered(first, batch, dhcp4.Offer, at, func(i int) {
			sock.Send(frame(i, newScripted(uint16(i)).message(dhcp4.Discover)))
		})
		n.answered(first, batch, dhcp4.ACK, at, func(i int) {
			m := newScripted(uint16(i)).message(dhcp4.Request)
			m.Options.PutAddr(dhcp4.RequestedAddress, at(i, 100))
			m.Options.PutAddr(dhcp4.ServerID, netip.MustParseAddr("10.0.0.1"))
			sock.Send(frame(i, m))
		})
	}
}

// answered has some relays, which are known by xid, ask, again if they must, and
// waits until each has had its reply: one, if it has asked once.
func (n *network) answered(first, count int, typ dhcp4.Type, at func(i int, last byte) netip.Addr, ask func(i int)) {
	n.Helper()
	asked, had := map[int]int{}, map[int]int{}
	before, next := len(n.wire.Frames()), time.Now()
	n.Until("replies to all relays", func() bool {
		if now := time.Now(); !now.Before(next) {
			next = now.Add(4 * time.Second)
			for i := first; i < first+count; i++ {
				if had[i] == 0 {
					ask(i)
					asked[i]++
				}
			}
		}
		frames := n.wire.Frames()
		for _, frame := range frames[before:] {
			p, ok := decode(frame)
			if !ok || p.Type() != typ || int(p.Xid) < first || int(p.Xid) >= first+count {
				continue
			}
			i := int(p.Xid)
			had[i]++
			to := netip.AddrPortFrom(at(i, 1), dhcp4.ServerPort)
			if had[i] > asked[i] || p.Dst != to || p.Yiaddr != at(i, 100) || addr(n.T, p, dhcp4.Router) != at(i, 1) {
				n.Fatalf("relay %v: %v of %v to %v; reply %d to %d messages", at(i, 1), typ, p.Yiaddr, p.Dst, had[i], asked[i])
			}
		}
		before = len(frames)
		return len(had) == count
	})
}

// TestS1_S12_ClientIDs: identifiers of every length that the option can have,
// alike but for their ends. Each comes back as it was, in dhcpd -q it is whole,
// and after a kill -9 each has its address yet.
func TestS1_S12_P4_ClientIDs(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	server := n.serve(conf("10.0.0.1/16", "DHCPlease 3600;"), "10.0.1.1-10.0.1.255")
	sock := n.client.Frames("eth0")
	all := make([]byte, 255)
	ask := func(length int, typ dhcp4.Type, reply dhcp4.Type, a netip.Addr, selected bool) netip.Addr {
		c := newScripted(1)
		c.xid = uint32(typ)<<16 | uint32(length)
		m := c.message(typ)
		m.Options.Put(dhcp4.ClientID, all[:length])
		if a.IsValid() {
			m.Options.PutAddr(dhcp4.RequestedAddress, a)
		}
		if selected {
			m.Options.PutAddr(dhcp4.ServerID, netip.MustParseAddr("10.0.0.1"))
		}
		p := n.replied(sock, c.frame(m), c.xid, reply)
		if !bytes.Equal(p.Options.Get(dhcp4.ClientID), all[:length]) {
			t.Errorf("client identifier of %d octets came back as %x", length, p.Options.Get(dhcp4.ClientID))
		}
		return p.Yiaddr
	}
	owner := map[netip.Addr]int{}
	n.insist(sock, newScripted(0).discover(), dhcp4.Offer) // from now on it serves
	for length := 2; length <= 255; length++ {
		a := ask(length, dhcp4.Discover, dhcp4.Offer, netip.Addr{}, false)
		if got := ask(length, dhcp4.Request, dhcp4.ACK, a, true); got != a || owner[a] != 0 {
			t.Fatalf("%d octets: offered %v, ACK for %v, of %d", length, a, got, owner[a])
		}
		owner[a] = length
	}
	q := n.command(n.server, "-q")
	server.Kill()
	n.up(n.server)
	n.insist(sock, newScripted(0).discover(), dhcp4.Offer)
	for a, length := range owner {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^%s .* -\s+(00){%d}$`, regexp.QuoteMeta(a.String()), length)).MatchString(q) {
			t.Errorf("dhcpd -q has %v otherwise than with %d octets", a, length)
		}
		if got := ask(length, dhcp4.Request, dhcp4.ACK, a, false); got != a {
			t.Errorf("%d octets: %v has become %v", length, a, got)
		}
	}
}
