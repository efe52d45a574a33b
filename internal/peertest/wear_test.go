package peertest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// wear is what our program does to its files on a host, as strace sees it.
type wear struct {
	lines         string // what the pool file has more, by the first letters: b is bound
	octets        int    // in the pool file; in what is wanted -1 for any number
	cache         int    // how often the cache was written
	syncs, folder int    // of all files; of the folder that they are in
}

// A gauge shows the wear of each step.
type gauge struct {
	*network
	host *netlab.Host
	past wear
}

// traced starts our daemon or a command on a host, and strace beside it.
func (g *gauge) traced(flag string, hosts ...string) *netlab.Proc {
	g.Helper()
	args := []string{"-D", "-ff", "-qq", "-y", "-s", "0", "-e", "trace=write,pwrite64,fdatasync,fsync", "-o", g.host.Dir + "/strace", dhcpd, flag}
	p := g.host.Start("strace", append(append(args, files(g.host)...), hosts...)...)
	g.ran = append(g.ran, p)
	return p
}

var (
	verbs  = regexp.MustCompile(`(?m)^[0-9a-f]{8} (?:[0-9.]+ )?(.)`)
	tracer = regexp.MustCompile(`(?m)^(write|pwrite64|fdatasync|fsync)\(\d+<(.*?)>.* = \d+$`)
)

// worn returns the wear until now.
func (g *gauge) worn() (w wear) {
	g.Helper()
	pool, _ := os.ReadFile(g.host.Dir + "/dhcp.pool")
	w.octets = len(pool)
	for _, m := range verbs.FindAllSubmatch(pool, -1) {
		w.lines += string(m[1])
	}
	traces, _ := filepath.Glob(g.host.Dir + "/strace.*")
	for _, trace := range traces {
		text, err := os.ReadFile(trace)
		if err != nil {
			g.Fatal(err)
		}
		for _, m := range tracer.FindAllStringSubmatch(string(text), -1) {
			switch {
			case m[2] == g.host.Dir:
				w.folder++
			case !strings.HasPrefix(m[2], g.host.Dir):
			case strings.HasSuffix(m[1], "sync"):
				w.syncs++
			case strings.HasSuffix(m[2], "cache.new"):
				w.cache++
			}
		}
	}
	return w
}

// step waits for what is to be worn since the last step, and that is all.
func (g *gauge) step(what string, want wear) {
	g.Helper()
	var got wear
	g.Until(what, func() bool {
		w := g.worn()
		got = wear{strings.TrimPrefix(w.lines, g.past.lines), w.octets - g.past.octets, w.cache - g.past.cache,
			w.syncs - g.past.syncs, w.folder - g.past.folder}
		done := len(got.lines) >= len(want.lines) && got.cache >= want.cache && got.syncs >= want.syncs && got.folder >= want.folder
		if done {
			g.past = w
		}
		return done
	})
	if want.octets < 0 {
		got.octets = want.octets // it has times in it that are not always as long
	}
	if got != want {
		g.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

// TestP5_Wear: what is written and synced for each kind of event, as the
// tables of dhcp.pool(5) and dhcp.cache(5) have it.
func TestP5_Wear(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.silent = true
	n.server.WriteFile("dhcp.conf", conf("10.0.0.1/24", "DHCPlease 3600;"))
	g := &gauge{network: n, host: n.server}
	g.traced("-a", "10.0.0.100-10.0.0.199").Wait()
	g.step("a pool is made", wear{strings.Repeat("a", 100), 2413, 0, 2, 2})
	g.traced("-r", "10.0.0.101").Wait()
	g.step("a command", wear{"d", 24, 0, 1, 1})

	p := n.server.Ready(g.traced("-d2"))
	g.step("a start", wear{"=occ", -1, 1, 2, 2})
	g.lease(p)
	p.Stop()
	g.step("an end", wear{"=c", 31, 0, 1, 0})
}

// lease plays the life of a lease.
func (g *gauge) lease(p *netlab.Proc) {
	g.Helper()
	c, us, sock := newScripted(1), netip.MustParseAddr("10.0.0.1"), g.client.Frames("eth0")
	acked := func(m *dhcp4.Message) {
		second := time.Now().Unix()
		g.Until("the next second", func() bool { return time.Now().Unix() > second+1 }) // or there is no line
		sock.Send(c.frame(m))
		p.WaitLine("sent to .*DHCPACK")
	}
	mine := func(typ dhcp4.Type) *dhcp4.Message {
		m := c.message(typ)
		m.Options.PutAddr(dhcp4.ServerID, us)
		m.Options.PutAddr(dhcp4.RequestedAddress, c.addr)
		return m
	}
	offered := func() { c.addr = g.replied(sock, c.discover(), c.xid, dhcp4.Offer).Yiaddr }
	renewal, release := c.message(dhcp4.Request), c.message(dhcp4.Release)

	offered()
	g.step("an offer", wear{})
	acked(mine(dhcp4.Request))
	g.step("a lease", wear{"=b", 124, 0, 1, 0})
	renewal.Ciaddr, release.Ciaddr = c.addr, c.addr
	for range 2 {
		acked(renewal)
		g.step("a renewal", wear{"b", 108, 0, 0, 0})
	}
	renewal.Options.Put(dhcp4.HostName, []byte("name"))
	acked(renewal)
	g.step("a renewal with news", wear{"b", 120, 0, 0, 0})
	release.Options.PutAddr(dhcp4.ServerID, us)
	sock.Send(c.frame(release))
	g.step("a release", wear{"=r", 139, 0, 1, 0})
	offered()
	acked(mine(dhcp4.Request))
	g.step("a lease again", wear{"=b", 124, 0, 1, 0})
	sock.Send(c.frame(mine(dhcp4.Decline)))
	g.step("a decline", wear{"=a", 152, 0, 1, 0})
}
