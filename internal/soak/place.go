package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"dhcpd/internal/netlab"
)

// serverConf is the server's; it has a new domain in each round, so that the
// clients who can be woken are.
const serverConf = `
interface eth0 10.0.0.1;
interface eth1 10.1.0.1;
option eth0 server;
option eth1 server;
option eth0 leasequery;
option eth1 leasequery;
domain round%d.example;
DHCPlease 60;
host 10.0.0.0/24 { gateway 10.0.0.1; DNSserver 10.0.0.1; };
host 10.1.0.0/24 { };
host 10.2.0.0/24 { gateway 10.2.0.1; DNSserver 10.1.0.1; };
`

// relayConf is the relay's, which also is the router between the two.
const relayConf = `
interface eth0 10.1.0.2;
interface eth1 10.2.0.1;
host 10.1.0.0/24 { };
host 10.2.0.0/24 { };
option eth1 relay 10.1.0.1;
option eth1 agent { circuit interface; remote text "round %d"; ask; };
`

// residentConf is that of the client of ours which stays, with a script.
const residentConf = "option eth0 notify \"%s\";\n# round %d\n"

// build makes the networks: clients beside the server on 10.0.0.0/24, and others
// behind the relay on 10.2.0.0/24.
func (s *soak) build() {
	s.lab = netlab.New(s.t)
	near, far := s.lab.Switch(), s.lab.Switch()
	server, relay, resident := s.lab.Host("server"), s.lab.Host("relay"), s.lab.Host("resident")
	s.serverPort = near.Plug(server, "eth0")
	s.lab.Wire(server, "eth1", relay, "eth0")
	far.Plug(relay, "eth1")
	s.ourPort = near.Plug(resident, "eth0")
	relay.Forward(true)
	script := resident.WriteFile("notify", "#!/bin/sh\nexit 0\n")
	if err := os.Chmod(script, 0o755); err != nil {
		s.t.Fatalf("soak: %v", err)
	}
	s.server = &daemon{name: "server", host: server, conf: func(n int) string { return fmt.Sprintf(serverConf, n) }}
	s.relay = &daemon{name: "relay", host: relay, conf: func(n int) string { return fmt.Sprintf(relayConf, n) }}
	s.resident = &daemon{name: "client", host: resident, conf: func(n int) string { return fmt.Sprintf(residentConf, script, n) }}
	s.daemons = []*daemon{s.server, s.relay, s.resident}

	for i, period := range []int{1, 2, 5, 13, 1, 3, 8, 21} {
		sw, net := near, "10.0.0."
		if i >= 4 {
			sw, net = far, "10.2.0."
		}
		h := s.lab.Host(fmt.Sprintf("guest%d", i))
		sw.Plug(h, "eth0")
		s.guests = append(s.guests, &guest{s: s, host: h, net: net, period: period, first: i})
	}
	s.asker = s.lab.Host("mob0")
	farMob := s.lab.Host("mob1")
	near.Plug(s.asker, "eth0")
	far.Plug(farMob, "eth0")
	s.asker.Addr("eth0", "10.0.0.9/24")
	s.mobs = []*mob{
		{s: s, sock: s.asker.Frames("eth0"), size: 32, router: server.MAC("eth0")},
		{s: s, sock: farMob.Frames("eth0"), size: 8, router: relay.MAC("eth1"), id: 1 << 31},
	}
}

// start starts the three daemons, with their files as they are. A memory limit
// that can't be kept has the collector at work all the time: what a daemon takes
// then is what it needs, and a leak shows long before it is larger than what a
// heap breathes.
func (s *soak) start() {
	for _, d := range s.daemons {
		d.host.WriteFile("dhcp.conf", d.conf(s.n))
	}
	if s.n == 0 && s.server.proc == nil {
		s.server.host.Run(s.dhcpd, s.files(s.server.host, "-a", "10.0.0.50-10.0.0.239", "10.2.0.50-10.2.0.239")...)
	}
	for _, d := range s.daemons {
		d.reloads = 0
		d.proc = d.host.Start("env", append([]string{"GOMEMLIMIT=1", s.dhcpd}, s.files(d.host)...)...)
	}
	s.server.host.Ready(s.server.proc)
	s.relay.host.Ready(s.relay.proc)
	s.server.host.Until("the server's addresses", func() bool { return len(s.server.host.Addrs("eth1")) > 0 })
	s.server.host.Run("ip", "route", "replace", "10.2.0.0/24", "via", "10.1.0.2")
	s.settled()
}

// files are the arguments of dhcpd on a host: a verb, its files, and hosts.
func (s *soak) files(h *netlab.Host, args ...string) []string {
	list := []string{"-f", h.Dir + "/dhcp.conf", "-c", h.Dir + "/dhcp.cache", "-p", h.Dir + "/dhcp.pool"}
	if len(args) == 0 {
		return list
	}
	return append(append(args[:1:1], list...), args[1:]...)
}

// settled waits until our client has its address.
func (s *soak) settled() {
	h := s.resident.host
	h.Until("an address of our client", func() bool {
		a := h.Addrs("eth0")
		return len(a) == 1 && strings.HasPrefix(a[0].String(), "10.0.0.")
	})
}

// A daemon is one of those that are watched.
type daemon struct {
	name       string
	host       *netlab.Host
	conf       func(round int) string
	proc       *netlab.Proc
	reloads    int
	samples    []sample
	goroutines int // after the first round
}

// quit ends the daemon by SIGQUIT, which has the Go runtime list all goroutines,
// and counts those that are not the runtime's own.
func (d *daemon) quit() (goroutines int) {
	d.proc.Signal(syscall.SIGQUIT)
	d.proc.Wait()
	list := strings.Split(d.proc.Output(), "\ngoroutine ")
	for _, g := range list[1:] {
		if strings.Contains(g, "dhcpd/") {
			goroutines++
		}
	}
	return goroutines
}
