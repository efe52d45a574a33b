package peertest

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// mayAsk is what ISC's dhcpd has to be told.
const mayAsk = "allow leasequery;"

// TestL12_Peers: dhcpd -l asks ISC's server and ours for a lease by each kind of
// key, whether or not a daemon of ours has port 67 where it asks.
func TestL12_L7_Peers(t *testing.T) {
	t.Parallel()
	for _, s := range []struct {
		name  string
		serve func(n *network)
	}{
		{"isc", func(n *network) { n.server.ISC(netlab.Serve("eth0", "10.0.0.1/24"), mayAsk) }},
		{"own", func(n *network) {
			n.serve(conf("10.0.0.1/24", "DHCPlease 3600; option leasequery;"), "10.0.0.100-10.0.0.109")
		}},
	} {
		for _, busy := range []bool{false, true} {
			name := s.name
			if busy {
				name += " beside a daemon"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				n := newNetwork(t, ourServer)
				if s.name != "own" {
					n.server.Addr("eth0", "10.0.0.1/24")
					n.silent = true
				}
				s.serve(n)
				n.client.Udhcpc("eth0")
				a := bound(t, n.client, "10.0.0.100", "10.0.0.109").String()
				asker := n.guest("asker")
				asker.Addr("eth0", "10.0.0.2/24")
				if busy {
					asker.WriteFile("dhcp.conf", "option eth0 relay 10.0.0.1;\n")
					n.up(asker)
				}
				mac := ether.FormatMAC(n.client.MAC("eth0"))
				id := "01" + strings.ReplaceAll(mac, ":", "")
				out := n.command(asker, "-l", "10.0.0.1", a, mac, id, "10.0.0.109", "10.9.9.9")
				lines := strings.Split(out, "\n")
				if len(lines) != 6 {
					t.Fatal(out)
				}
				for _, line := range lines[:3] {
					f := strings.Fields(line)
					if len(f) < 6 || f[0] != a || f[1][0] != '+' || f[2] != "-" || f[3] != id || f[4] != "ether" || f[5] != mac {
						t.Errorf("got %q", line)
					}
				}
				for i, want := range []string{"10.0.0.109 - unassigned", "10.9.9.9 - unknown"} {
					if got := strings.Join(strings.Fields(lines[3+i]), " "); got != want {
						t.Errorf("got %q, want %q", got, want)
					}
				}
				var all struct {
					Server string
					Leases []struct {
						Key, Address, State, Client string
						Left                        int
						Ends                        time.Time
					}
				}
				out = n.command(asker, "-lj", "10.0.0.1", mac)
				if err := json.Unmarshal([]byte(out), &all); err != nil || all.Server != "10.0.0.1" || len(all.Leases) != 1 {
					t.Fatalf("%v: %s", err, out)
				}
				l := all.Leases[0]
				if l.Key != mac || l.Address != a || l.State != "active" || l.Client != id || l.Left < 3000 ||
					time.Until(l.Ends).Abs() < 50*time.Minute {
					t.Errorf("%+v", l)
				}
				q := n.await(dhcp4.LeaseQuery)
				if q.Src.String() != "10.0.0.2:67" || q.Giaddr.String() != "10.0.0.2" {
					t.Errorf("from %v with giaddr %v", q.Src, q.Giaddr)
				}
			})
		}
	}
}

// TestL12_Silent: what there is to say of servers that do not answer.
func TestL12_Silent(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.silent = true
	n.server.Addr("eth0", "10.0.0.1/24")
	n.client.Addr("eth0", "10.0.0.2/24")
	fails := func(want string, args ...string) {
		t.Helper()
		out, code := n.client.Try(dhcpd, append(append([]string{"-l"}, files(n.client)...), args...)...)
		if code != 1 || !strings.HasPrefix(out, "dhcpd: "+want) || strings.Count(out, "\n") != 1 {
			t.Errorf("%v: exit %d, %q", args, code, out)
		}
	}
	fails("ask 10.0.0.1: connection refused", "10.0.0.1", "10.0.0.7")
	fails("connect to TCP port 67 of 10.0.0.1: connection refused", "10.0.0.1", "all")
	fails("192.0.2.1: No way there", "192.0.2.1", "10.0.0.7")
	fails("nosuch.invalid: Unknown host", "nosuch.invalid", "10.0.0.7")
	fails("nosuch.invalid: Unknown host, nor an", "10.0.0.1", "nosuch.invalid")
	n.server.ISC(netlab.Serve("eth0", "10.0.0.1/24"), "deny leasequery;")
	began := time.Now()
	fails("10.0.0.1: No answer about 10.0.0.7; it may not answer leasequeries from 10.0.0.2", "10.0.0.1", "10.0.0.7")
	if d := time.Since(began); d < 7*time.Second {
		t.Errorf("given up after %v", d)
	}
	n.Until("one question, three times", func() bool {
		times := map[uint32]int{}
		for _, frame := range n.wire.Frames() {
			if p, ok := decode(frame); ok && p.Type() == dhcp4.LeaseQuery {
				times[p.Xid]++
			}
		}
		for _, count := range times {
			if count == 3 {
				return true
			}
		}
		return false
	})
}

// TestL12_More: the other addresses of a client are asked about, too (RFC 4388
// section 5), and its own not again.
func TestL12_More(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.silent = true
	n.server.Addr("eth0", "10.0.0.1/24")
	n.client.Addr("eth0", "10.0.0.2/24")
	var sock *net.UDPConn
	n.server.Do(func() {
		var err error
		if sock, err = net.ListenUDP("udp4", &net.UDPAddr{Port: dhcp4.ServerPort}); err != nil {
			t.Fatal(err)
		}
	})
	defer sock.Close()
	go func() {
		b, m := make([]byte, 1500), new(dhcp4.Message)
		for {
			size, from, err := sock.ReadFromUDP(b)
			if err != nil || m.Parse(b[:size]) != nil {
				return
			}
			m.Op = dhcp4.BootReply
			m.SetType(dhcp4.LeaseActive)
			if m.Ciaddr.IsUnspecified() {
				m.Ciaddr = netip.MustParseAddr("10.0.0.7")
				m.Options.Put(dhcp4.AssociatedIP, []byte{10, 0, 0, 7, 10, 0, 0, 8, 10, 0, 0, 9})
			}
			out, _ := m.Append(nil, dhcp4.MinLimit)
			sock.WriteToUDP(out, from)
		}
	}()
	out := n.command(n.client, "-l", "10.0.0.1", "2:0:0:0:0:1", "10.0.0.5")
	var got []string
	for line := range strings.Lines(out) {
		got = append(got, strings.Fields(line)[0])
	}
	if want := "10.0.0.7 10.0.0.5 10.0.0.8 10.0.0.9"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// queries are the addresses that leasequeries on a wire have asked about.
func (n *network) queries(wire *netlab.Capture) (list []netip.Addr) {
	for _, frame := range wire.Frames() {
		if p, ok := decode(frame); ok && p.Type() == dhcp4.LeaseQuery {
			list = append(list, p.Ciaddr)
		}
	}
	return list
}

// crowded is the number of clients on 10.0.4.0/22, behind our relay, that have
// a lease from before.
const crowded = 500

// subscriber is the address and the MAC of one of them.
func subscriber(i int) (netip.Addr, ether.MAC) {
	return netip.AddrFrom4([4]byte{10, 0, 4 + byte(i/200), 1 + byte(i%200)}), newScripted(uint16(i)).mac
}

// widen makes the clients' wire 10.0.4.0/22.
func (n *relaying) widen() {
	n.Helper()
	n.relay.DelAddr("eth1", "10.0.1.1/24")
	n.relay.Addr("eth1", "10.0.7.1/22")
}

// back waits until the relay knows where all are, and meanwhile does what they
// or others do.
func (n *relaying) back(meanwhile func()) {
	n.Helper()
	var done time.Time
	n.Until("all leases in dhcpd -q", func() bool {
		if time.Since(done) > 5*time.Second {
			meanwhile()
			done = time.Now()
		}
		return strings.Count(n.command(n.relay, "-q"), " relayed ") == crowded
	})
	out := n.command(n.relay, "-q")
	for i := range crowded {
		if _, mac := subscriber(i); !strings.Contains(out, "ether "+ether.FormatMAC(mac)) {
			n.Errorf("%v is not known", mac)
		}
	}
}

// TestR7_Restarted: a relay that has lost its table has it back, seconds after
// packets for its 500 clients came: each is asked about once, no more than a
// hundred at a time.
func TestR7_Restarted(t *testing.T) {
	t.Parallel()
	n := newRelaying(t)
	n.allow = []string{"Bad checksum"} // in what the router quotes, when it says that nobody is there
	n.widen()
	var leases strings.Builder
	for i := range crowded {
		a, mac := subscriber(i)
		fmt.Fprintf(&leases, "lease %v { starts 0 2020/01/05 00:00:00; ends never; cltt 0 2020/01/05 00:00:00;\n"+
			"binding state active; hardware ethernet %s; option agent.circuit-id \"eth1\"; }\n", a, ether.FormatMAC(mac))
	}
	config := n.server.WriteFile("far.conf", "authoritative; "+mayAsk+" subnet 10.0.0.0 netmask 255.255.255.0 { }\n"+
		"subnet 10.0.4.0 netmask 255.255.252.0 { range 10.0.4.1 10.0.6.200; }\n")
	n.server.Ready(n.server.Start("/usr/sbin/dhcpd", "-4", "-f", "-d", "--no-pid", "-cf", config,
		"-lf", n.server.WriteFile("far.leases", leases.String()), "eth0"))
	n.run(plainRelay + "option eth1 agent { circuit interface; ask; };\n")
	n.back(func() { // as hosts do
		n.server.Do(func() {
			for i := range crowded {
				a, _ := subscriber(i)
				if sock, err := net.Dial("udp4", a.String()+":9"); err == nil {
					sock.Write([]byte("x"))
					sock.Close()
				}
			}
		})
	})
	asked, open, most := map[netip.Addr]int{}, map[netip.Addr]bool{}, 0
	for _, frame := range n.upper.Frames() {
		p, ok := decode(frame)
		switch {
		case !ok:
		case p.Type() == dhcp4.LeaseQuery:
			asked[p.Ciaddr]++
			open[p.Ciaddr] = true // maybe once more
			most = max(most, len(open))
		case p.Type() == dhcp4.LeaseActive:
			delete(open, p.Ciaddr)
		}
	}
	for i := range crowded {
		if a, _ := subscriber(i); asked[a] < 1 || asked[a] > 2 { // a repeat is for what was lost
			t.Errorf("asked %d times about %v", asked[a], a)
		}
	}
	if len(asked) != crowded || most > 100 || most < 2 {
		t.Errorf("asked about %d addresses, up to %d at a time", len(asked), most)
	}
}
