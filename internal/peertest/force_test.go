package peertest

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/auth"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// forced counts the FORCERENEWs on the wire, by the address that they went to.
func (n *network) forced() map[netip.Addr]int {
	count := map[netip.Addr]int{}
	for _, frame := range n.wire.Frames() {
		if p, ok := decode(frame); ok && p.Type() == dhcp4.ForceRenew {
			count[p.Dst.Addr()]++
		}
	}
	return count
}

func to(a netip.Addr) func(*packet) bool {
	return func(p *packet) bool { return p.Dst.Addr() == a }
}

// TestF1_F4_ThreeHostsMove: the config file gives three hosts other addresses.
// They are on them in seconds, and two hundred others hear nothing of it.
func TestF1_F4_ThreeHostsMove(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	file := conf("10.0.0.1/24", "DHCPlease 86400;")
	n.serve(file, "10.0.0.20-10.0.0.249")
	others := n.lodgers(n.guest("lodge"), 1, 200)
	others.able = true
	others.play("to join", mostJoining, func(l *lodger) []byte {
		l.joined = false
		m := l.message(dhcp4.Discover)
		m.Options.Put(dhcp4.ForceRenewNonce, auth.Able)
		return others.frame(l, m)
	})
	hosts := []*netlab.Host{n.client, n.guest("two"), n.guest("three")}
	for i, h := range hosts {
		n.start(h)
		bound(t, h, "10.0.0.20", "10.0.0.249")
		file += fmt.Sprintf("client %s 10.0.0.%d;\n", ether.FormatMAC(h.MAC("eth0")), 11+i)
	}
	nonces := strings.Count(n.file(n.server, "dhcp.pool", "nonce="), "nonce=")
	start := time.Now()
	n.server.WriteFile("dhcp.conf", file)
	for i, h := range hosts {
		a := fmt.Sprintf("10.0.0.%d", 11+i)
		bound(t, h, a, a)
	}
	t.Attr("woken", "after "+time.Since(start).Round(time.Millisecond).String()) // and not after half a day
	n.Until("nobody to be woken", func() bool { return !strings.Contains(n.command(n.server, "-q"), "wake") })
	if got := n.forced(); len(got) != 3 {
		t.Errorf("FORCERENEWs to %v", got)
	}
	if nonces < 203 {
		t.Errorf("only %d clients have had a nonce", nonces)
	}
	// A changed option does as much, and for a stranger's line nobody is woken.
	before := len(n.forced())
	n.server.WriteFile("dhcp.conf", file+"host 10.0.0.12 { domain moved.example; };\nclient 2:0:0:0:99:99 10.0.0.19;\n")
	a := netip.MustParseAddr("10.0.0.12")
	n.await(dhcp4.ForceRenew, to(a))
	n.await(dhcp4.Request, renewing(a))
	n.file(hosts[1], "dhcp.cache", "moved.example")
	if got := n.forced(); len(got) != before+1 {
		t.Errorf("FORCERENEWs to %v", got)
	}
}

// TestL6_C18_Wake: dhcpd -w wakes our client, and what anybody else sends does
// not: the same message again, or to all, or without the nonce.
func TestL6_C18_Wake(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.allow = append(n.allow, "Duplicate")
	n.serve(conf("10.0.0.1/24", "DHCPlease 86400;"), "10.0.0.100-10.0.0.109")
	n.start(n.client)
	a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
	n.file(n.client, "dhcp.cache", "authentication")
	for range 2 { // the second time by the same nonce
		n.command(n.server, "-w", a.String())
		n.await(dhcp4.ForceRenew, to(a))
		n.await(dhcp4.Request, renewing(a))
		n.await(dhcp4.ACK, to(a))
	}
	n.Until("an answer in the pool", func() bool { return !strings.Contains(n.command(n.server, "-q"), "wake") })

	m := n.last(dhcp4.ForceRenew)
	const dropped = "dropped: a DHCPFORCERENEW that our client must not obey"
	sock := n.server.Frames("eth0")
	forge := func(to netip.Addr, hw ether.MAC, change func([]byte)) {
		t.Helper()
		payload := append([]byte(nil), m.Payload...)
		change(payload)
		before := countIn(n.command(n.client, "-q"), dropped)
		insisting(sock, ether.AppendUDPFrame(nil, n.server.MAC("eth0"), hw, m.Src.Addr(), to,
			dhcp4.ServerPort, dhcp4.ClientPort, payload), func() {
			n.Until("it dropped", func() bool { return countIn(n.command(n.client, "-q"), dropped) > before })
		})
	}
	requests := n.count(dhcp4.Request)
	forge(a, n.client.MAC("eth0"), func([]byte) {})
	forge(dhcp4.Everyone, ether.Broadcast, func([]byte) {})
	forge(a, n.client.MAC("eth0"), func(b []byte) { b[4] ^= 1 }) // another xid
	if got := n.count(dhcp4.Request); got != requests {
		t.Errorf("%d DHCPREQUESTs were sent for that", got-requests)
	}
	for _, h := range []*netlab.Host{n.server, n.client} {
		for _, name := range []string{"dhcp.pool", "dhcp.cache"} {
			if st, err := os.Stat(h.Dir + "/" + name); err == nil && st.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v", name, st.Mode())
			}
		}
	}
	// A client without a nonce can't be woken, and who never was, neither.
	mute := n.guest("mute")
	mute.Udhcpc("eth0")
	b := bound(t, mute, "10.0.0.100", "10.0.0.109")
	out, status := n.server.Try(dhcpd, append(append([]string{"-w"}, files(n.server)...), b.String(), "10.0.0.109")...)
	if status != 1 || !strings.Contains(out, b.String()+" can't be woken") || !strings.Contains(out, "10.0.0.109 was never leased") {
		t.Errorf("status %d: %s", status, out)
	}
}

// count returns how many messages of a type were on the wire.
func (n *network) count(typ dhcp4.Type) (count int) {
	for _, frame := range n.wire.Frames() {
		if p, ok := decode(frame); ok && p.Type() == typ {
			count++
		}
	}
	return count
}

// TestF2_RestartWithPending: a client that is to be woken is so by the next run
// too, whether that was told before or while no server ran, with counters that
// have grown.
func TestF2_F3_RestartWithPending(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	server := n.serve(conf("10.0.0.1/24", "DHCPlease 86400;"), "10.0.0.100-10.0.0.109")
	client := n.start(n.client)
	a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
	n.file(n.client, "dhcp.cache", "authentication")
	client.Kill() // the address stays
	n.command(n.server, "-w", a.String())
	first := n.await(dhcp4.ForceRenew, to(a))
	if q := n.command(n.server, "-q"); !strings.Contains(q, "wake pending") {
		t.Errorf("dhcpd -q:\n%s", q)
	}
	server.Kill()
	first = n.last(dhcp4.ForceRenew) // it may have said it again
	server = n.up(n.server)
	second := n.await(dhcp4.ForceRenew, to(a), func(p *packet) bool {
		return auth.Of(&p.Message).Replay > auth.Of(&first.Message).Replay
	})
	if x, y := auth.Of(&first.Message).Replay, auth.Of(&second.Message).Replay; y < x+1<<32 {
		t.Errorf("replay counter %d, and after a restart %d", x, y)
	}
	client = n.start(n.client) // it asks by itself
	n.Until("an answer in the pool", func() bool { return !strings.Contains(n.command(n.server, "-q"), "wake") })
	server.Stop()
	n.command(n.server, "-w", a.String())
	requests := n.count(dhcp4.Request)
	n.up(n.server)
	n.Until("a renewal", func() bool { return n.count(dhcp4.Request) > requests })
	n.Until("an answer in the pool", func() bool { return !strings.Contains(n.command(n.server, "-q"), "wake") })
	if !strings.Contains(client.Output(), "DHCPFORCERENEW: renewing") {
		t.Error("the client was not woken by what its cache has")
	}
}

// TestF5_Authenticated: all messages by a shared key, through restarts of both;
// a client without it, or with another, gets no answer.
func TestF5_Authenticated(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	keyed := func(secret string) string { return "key 7 \"" + secret + "\";\noption eth0 authenticate 7;\n" }
	write := func(h *netlab.Host, text string) {
		h.WriteFile("dhcp.conf", text)
		if err := os.Chmod(h.Dir+"/dhcp.conf", 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(n.server, conf("10.0.0.1/24", "DHCPlease 86400;")+keyed("between us"))
	write(n.client, keyed("between us"))
	n.command(n.server, "-a", "10.0.0.100-10.0.0.109")
	server := n.up(n.server)
	client := n.start(n.client)
	a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
	for _, typ := range []dhcp4.Type{dhcp4.Offer, dhcp4.Request, dhcp4.ACK} {
		p := n.await(typ)
		if o := auth.Of(&p.Message); o.Kind != auth.Keyed || o.ID != 7 || !auth.Check(p.Payload, []byte("between us")) {
			t.Errorf("%v: %+v", typ, o)
		}
	}
	n.command(n.server, "-w", a.String())
	n.await(dhcp4.Request, renewing(a))
	n.Until("an answer in the pool", func() bool { return !strings.Contains(n.command(n.server, "-q"), "wake") })
	for range 2 {
		acks := n.count(dhcp4.ACK)
		server.Kill()
		client.Kill()
		server = n.up(n.server)
		client = n.start(n.client)
		client.WaitLine(`REBOOTING -> BOUND`)
		n.Until("a DHCPACK", func() bool { return n.count(dhcp4.ACK) > acks })
	}
	stranger, wrong := n.guest("stranger"), n.guest("wrong")
	write(wrong, keyed("not it"))
	n.start(stranger)
	n.start(wrong)
	n.Until("both dropped", func() bool {
		return countIn(n.command(n.server, "-q"), "dropped: not authenticated with the client's key") > 1 &&
			countIn(n.command(wrong, "-q"), "dropped: nothing that our client waits for") > 0
	})
	for _, h := range []*netlab.Host{stranger, wrong} {
		if list := h.Addrs("eth0"); len(list) > 0 {
			t.Errorf("without the key: %v", list)
		}
	}
	// Who may read the key?
	if err := os.Chmod(n.client.Dir+"/dhcp.conf", 0o644); err != nil {
		t.Fatal(err)
	}
	client.Stop()
	if p := n.start(n.client); p.Wait() != 1 || !strings.Contains(p.Output(), "Others can read this file, and it holds a key") {
		t.Errorf("status %d: %s", p.Wait(), p.Output())
	}
}

// TestF1_F5_ThroughRelay: a client behind a relay that adds option 82 is woken,
// by nonce and by key, past the relay: the router passes it on.
func TestF1_F5_ThroughRelay(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"nonce": "", "key": "key 7 \"between us\";\noption eth0 authenticate 7;\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newRelaying(t)
			n.run(agentRelay)
			for _, h := range []*netlab.Host{n.server, n.client} {
				h.WriteFile("dhcp.conf", "")
				if err := os.Chmod(h.Dir+"/dhcp.conf", 0o600); err != nil {
					t.Fatal(err)
				}
			}
			n.client.WriteFile("dhcp.conf", key)
			n.serve(conf("10.0.0.1/24")+"host 10.0.1.0/24 { gateway 10.0.1.1; DHCPlease 86400; };\n"+key, "10.0.1.100-10.0.1.109")
			n.start(n.client)
			a := bound(t, n.client, "10.0.1.100", "10.0.1.109")
			n.command(n.server, "-w", a.String())
			n.await(dhcp4.ForceRenew, to(a))
			n.above(dhcp4.Request, renewing(a))
			n.Until("an answer in the pool", func() bool { return !strings.Contains(n.command(n.server, "-q"), "wake") })
		})
	}
}
