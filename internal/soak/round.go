package main

import (
	"strconv"
	"strings"
	"syscall"
	"time"

	"dhcpd/internal/netlab"
)

// round has everything happen once.
func (s *soak) round() {
	for _, g := range s.guests {
		g.come()
	}
	s.flap()
	for _, m := range s.mobs {
		m.riot()
	}
	s.edit()
	s.query()
	s.reload()
	s.settled()
	for _, g := range s.guests {
		g.stay()
		g.leave()
	}
	for _, d := range s.daemons {
		if d.proc.Ended() {
			s.t.Fatalf("soak: the %s has ended\n%s", d.name, d.proc.Output())
		}
	}
}

// flap has the cable of our client come off, in some rounds the server's.
func (s *soak) flap() {
	port := s.ourPort
	if s.n%3 == 2 {
		port = s.serverPort
	}
	port.Cut()
	port.Mend()
}

// edit frees the addresses that were declined, adds others to the pool and, in
// the next round, removes them.
func (s *soak) edit() {
	for _, m := range s.mobs {
		for _, a := range m.declined {
			s.lab.Until("the DECLINE of "+a, func() bool {
				_, code := s.server.host.Try(s.dhcpd, s.files(s.server.host, "-a", a)...)
				return code == 0
			})
		}
		m.declined = nil
	}
	verb := "-a"
	if s.n%2 == 1 {
		verb = "-r"
	}
	s.server.host.Run(s.dhcpd, s.files(s.server.host, verb, "10.0.0.240-10.0.0.249")...)
}

// query asks the server for one lease and for all, and everybody for what dhcpd
// -q shows.
func (s *soak) query() {
	for _, key := range []string{"10.0.0.60", "all"} {
		s.lab.Until("an answer about "+key, func() bool {
			_, code := s.asker.Try(s.dhcpd, s.files(s.asker, "-l", "10.0.0.1", key)...)
			return code == 0
		})
	}
	for _, d := range s.daemons {
		d.host.Run(s.dhcpd, s.files(d.host, "-q")...)
	}
}

// reload has the daemons read their configuration again.
func (s *soak) reload() {
	for _, d := range s.daemons {
		d.host.WriteFile("dhcp.conf", d.conf(s.n))
		d.reloads++
		d.proc.Signal(syscall.SIGHUP)
	}
	for _, d := range s.daemons {
		s.lab.Until("a reload", func() bool {
			const what = "times the configuration file was read again"
			for _, line := range strings.Split(d.host.Run(s.dhcpd, s.files(d.host, "-q")...), "\n") {
				if number, ok := strings.CutSuffix(line, what); ok {
					n, _ := strconv.Atoi(strings.TrimSpace(number))
					return n >= d.reloads
				}
			}
			return false
		})
	}
}

// A guest is a host with a client, each time of another kind.
type guest struct {
	s      *soak
	host   *netlab.Host
	net    string // how its address begins
	period int    // rounds that it stays
	first  int
	visits int
	proc   *netlab.Proc
}

// kinds are the clients, and how each is told to release its lease.
var kinds = []struct {
	start   func(g *guest) *netlab.Proc
	release func(g *guest)
}{
	{func(g *guest) *netlab.Proc { return g.host.Udhcpc("eth0", "-R") }, (*guest).term},
	{func(g *guest) *netlab.Proc { return g.host.Dhclient("eth0") }, func(g *guest) {
		g.host.Try("dhclient", "-4", "-r", "-lf", g.host.Dir+"/dhclient.leases", "-pf", "/run/dhclient.pid", "eth0")
	}},
	{func(g *guest) *netlab.Proc { return g.host.Dhcpcd("eth0") }, func(g *guest) { g.host.Try("dhcpcd", "-k", "eth0") }},
	{func(g *guest) *netlab.Proc {
		g.host.WriteFile("dhcp.conf", "option eth0 release;\n")
		return g.host.Start(g.s.dhcpd, g.s.files(g.host)...)
	}, (*guest).term},
}

func (g *guest) term() { g.proc.Signal(syscall.SIGTERM) }

// come starts a client, if none is there.
func (g *guest) come() {
	if g.proc == nil {
		g.proc = kinds[(g.first+g.visits)%len(kinds)].start(g)
	}
}

// stay waits until it has an address.
func (g *guest) stay() {
	g.host.Until("an address of "+g.host.Name, func() bool {
		a := g.host.Addrs("eth0")
		return len(a) == 1 && strings.HasPrefix(a[0].String(), g.net)
	})
}

// farewell is how long a client may take to release its lease before it is killed
// like the others.
const farewell = 5 * time.Second

// leave ends the client when its time is over: it releases its lease, or is
// killed, or both.
func (g *guest) leave() {
	if g.s.n%g.period != 0 {
		return
	}
	kind := kinds[(g.first+g.visits)%len(kinds)]
	g.visits++
	if g.visits%2 == 1 {
		kind.release(g)
		for end := time.Now().Add(farewell); !g.proc.Ended() && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
	}
	g.proc.Kill()
	g.proc = nil
	g.host.Run("ip", "addr", "flush", "dev", "eth0")
}
