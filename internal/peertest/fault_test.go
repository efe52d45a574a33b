package peertest

import (
	"strings"
	"testing"
	"time"

	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// mostAfterFault is how often clients have to ask at most, once a fault is over.
const mostAfterFault = 60

// A faulty is a served network on which things go wrong.
type faulty struct {
	*network
	p     *netlab.Proc
	port  *netlab.Port
	crowd *netlab.Host
	old   *lodgers          // they have leases
	next  int               // number of the next client
	says  map[string]string // what the server is to say of a fault
}

// newFaulty serves 10.0.0.0/24 and 10.7.0.0/24 on eth0, which anybody may have
// given its address; eth1 is there so that there is more to do.
func newFaulty(t *testing.T, config string) *faulty {
	n := &network{T: t, Lab: netlab.New(t)}
	n.sw = n.Switch()
	n.server = n.Host(ourServer)
	port := n.sw.Plug(n.server, "eth0")
	n.Wire(n.server, "eth1", n.Host("nobody"), "eth0")
	config += `
		host 10.0.0.0/24 { DHCPlease 3600; option eth0 server; };
		host 10.0.0.0/16 { DHCPlease 3600; option eth0 server; };
		host 10.7.0.0/24 { DHCPlease 3600; option eth0 server; };`
	n.server.WriteFile("dhcp.conf", config)
	if !strings.Contains(config, "interface") {
		n.server.Addr("eth0", "10.0.0.1/24")
	}
	n.command(n.server, "-a", "10.0.0.100-10.0.0.199", "10.7.0.100-10.7.0.199")
	f := &faulty{network: n, port: port, crowd: n.guest("crowd")}
	f.p = n.server.Ready(n.server.Start(dhcpd, files(n.server)...))
	f.old = n.lodgers(f.crowd, 0, 3)
	f.next = 3
	f.works("at first", "10.0.0.1")
	return f
}

// works has a new client get a lease from the server at an address, and those
// that have one renew.
func (f *faulty) works(when, at string) {
	f.Helper()
	fresh := f.lodgers(f.crowd, f.next, 1)
	f.next++
	us := netip.MustParseAddr(at)
	fresh.do(func() { fresh.us = us })
	fresh.play(when+": a new lease", mostAfterFault, fresh.discovery)
	fresh.each(func(l *lodger) {
		if netip.PrefixFrom(l.addr, 24).Masked() != netip.PrefixFrom(us, 24).Masked() {
			f.Errorf("%s: a new client got %v", when, l.addr)
		}
	})
	fresh.sock.Close()
	if at != "10.0.0.1" {
		return
	}
	joined := true
	f.old.each(func(l *lodger) { joined = joined && l.joined })
	if !joined {
		f.old.play(when+": leases", mostAfterFault, f.old.discovery)
	}
	f.Log(f.old.play(when+": renewals", mostAfterFault, f.old.renewal))
	f.Log(f.old.play(when+": rebindings", mostAfterFault, f.old.rebinding))
	if f.p.Ended() {
		f.Fatalf("%s: dhcpd has ended", when)
	}
}

// A fault is what somebody does to the server's machine, and then undoes, with
// ip(8), tc(8) or the like, in steps that a semicolon ends.
type fault struct{ what, do, undo string }

// suffer goes through faults: after each it works again, if it was over in no
// time, and if clients asked in vain meanwhile. The log is not filled by that.
func (f *faulty) suffer(list ...fault) {
	f.Helper()
	for _, c := range list {
		f.run(c.do)
		f.run(c.undo)
		f.works(c.what+" for a moment", "10.0.0.1")
		f.run(c.do)
		f.Until("the server to try, in a fault: "+c.what, func() bool {
			f.old.poke()
			return strings.Contains(f.p.Output(), f.says[c.what])
		})
		f.run(c.undo)
		f.works(c.what, "10.0.0.1")
	}
	if lines := strings.Count(f.p.Output(), "\n"); lines > 10*len(list) {
		f.Errorf("%d lines in the log:\n%.2000s", lines, f.p.Output())
	}
}

func (f *faulty) run(steps string) {
	f.Helper()
	for step := range strings.SplitSeq(steps, ";") {
		words := strings.Fields(step)
		f.server.Run(words[0], words[1:]...)
	}
}

// TestB1_S17_LinkFaults: whatever happens to the link of a served network, when
// it is there again it is served again, without a restart.
func TestB1_S17_LinkFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ config, again string }{
		"configured by us":     {"interface eth0 10.0.0.1;", ""},
		"configured by others": {"", "; ip addr replace 10.0.0.1/24 brd + dev eth0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFaulty(t, c.config)
			mac := f.server.Iface("eth0").HardwareAddr.String()
			f.run("ip link add br0 type bridge")
			f.suffer(
				fault{"down", "ip link set eth0 down", "ip link set eth0 up" + c.again},
				fault{"renamed", "ip link set eth0 down name lan0", "ip link set lan0 name eth0 up" + c.again},
				fault{"renamed while up", "ip link set eth0 name lan0", "ip link set lan0 name eth0" + c.again},
				fault{"a port of a bridge", "ip link set eth0 master br0", "ip link set eth0 nomaster" + c.again},
				fault{"short frames", "ip link set eth0 mtu 600", "ip link set eth0 mtu 1500"},
				fault{"another Ethernet address", "ip link set eth0 address 02:00:00:00:77:77", "ip link set eth0 address " + mac + c.again},
				fault{"no ARP", "ip link set eth0 arp off", "ip link set eth0 arp on" + c.again},
			)
		})
	}
}

// TestB7_S17_Cable: the cable of a served network is pulled and put in again.
func TestB7_S17_Cable(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "interface eth0 10.0.0.1;")
	for range 3 {
		f.port.Cut()
		f.old.poke()
		f.port.Mend()
		f.works("cable", "10.0.0.1")
	}
}

// TestB2_S20_AddressFaults: addresses of a served interface come and go.
func TestB2_S20_AddressFaults(t *testing.T) {
	t.Parallel()
	t.Run("configured by us", func(t *testing.T) {
		t.Parallel()
		f := newFaulty(t, "interface eth0 10.0.0.1;")
		f.suffer(
			fault{"removed", "ip addr del 10.0.0.1/24 dev eth0", "true"},
			fault{"all removed", "ip addr flush dev eth0", "true"},
			fault{"another one", "ip addr add 10.0.0.2/24 dev eth0", "ip addr del 10.0.0.2/24 dev eth0"},
			fault{"another network's", "ip addr add 10.7.0.1/24 dev eth0", "ip addr del 10.7.0.1/24 dev eth0"},
			fault{"with another netmask too", "ip addr add 10.0.0.1/16 dev eth0", "ip addr del 10.0.0.1/16 dev eth0"},
		)
	})
	t.Run("configured by others", func(t *testing.T) {
		t.Parallel()
		f := newFaulty(t, "")
		f.suffer(
			fault{"removed", "ip addr del 10.0.0.1/24 dev eth0", "ip addr add 10.0.0.1/24 dev eth0"},
			fault{"another one", "ip addr add 10.0.0.2/24 dev eth0", "ip addr del 10.0.0.2/24 dev eth0"},
			fault{"another one instead", "ip addr del 10.0.0.1/24 dev eth0; ip addr add 10.0.0.2/24 dev eth0",
				"ip addr del 10.0.0.2/24 dev eth0; ip addr add 10.0.0.1/24 dev eth0"},
			fault{"another netmask", "ip addr add 10.0.0.1/16 dev eth0; ip addr del 10.0.0.1/24 dev eth0",
				"ip addr add 10.0.0.1/24 dev eth0; ip addr del 10.0.0.1/16 dev eth0"},
		)
		f.run("ip addr add 10.7.0.1/24 dev eth0; ip addr del 10.0.0.1/24 dev eth0")
		f.works("another network", "10.7.0.1")
		f.run("ip addr add 10.0.0.1/16 dev eth0; ip addr del 10.7.0.1/24 dev eth0")
		f.works("a larger network", "10.0.0.1")
	})
}

// TestS4_S17_SendFaults: answers that the kernel refuses to send are lost, and
// the next ones are not.
func TestS4_S17_SendFaults(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "interface eth0 10.0.0.1;")
	f.says = map[string]string{"no buffer": "no buffer space available", "not allowed": "operation not permitted"}
	f.suffer(
		fault{"no buffer", "tc qdisc add dev eth0 root tbf rate 8bit burst 10 limit 10", "tc qdisc del dev eth0 root"},
		fault{"not allowed", "ip xfrm policy add dir out src 10.0.0.1/32 dst 0.0.0.0/0 action block",
			"ip xfrm policy del dir out src 10.0.0.1/32 dst 0.0.0.0/0"},
	)
}

// poke has everybody ask once, who may or may not be heard.
func (ts *lodgers) poke() {
	var frames [][]byte
	ts.each(func(l *lodger) { frames = append(frames, ts.renewal(l), ts.rebinding(l), ts.discovery(l)) })
	for _, f := range frames {
		ts.sock.Write(f)
	}
	time.Sleep(100 * time.Millisecond) // so that the server tries, in a fault
}
