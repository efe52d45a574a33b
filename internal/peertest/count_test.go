package peertest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// countIn returns how often something was counted by what dhcpd -q prints, 0
// if there is no such line.
func countIn(q, what string) uint64 {
	m := regexp.MustCompile(`(?m)^(\d+) +` + regexp.QuoteMeta(what) + `$`).FindStringSubmatch(q)
	if m == nil {
		return 0
	}
	count, _ := strconv.ParseUint(m[1], 10, 64)
	return count
}

// TestL2_S16_S18_Counts: dhcpd -q tells what a running server has heard, said,
// dropped and stored, and why; and that it has ended.
func TestL2_S16_S18_Counts(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.silent = true
	p := n.serve(conf("10.0.0.1/24", "DHCPlease 3600; option eth0 limit 1;"), "10.0.0.100-10.0.0.110")
	host := n.guest("crowd")
	sock := host.Frames("eth0")
	us := netip.MustParseAddr("10.0.0.1")

	first, second := newScripted(1), newScripted(2)
	first.addr = n.insist(sock, first.discover(), dhcp4.Offer).Yiaddr
	n.insist(sock, first.request(us), dhcp4.ACK)
	second.addr = netip.MustParseAddr("172.16.0.1")
	n.insist(sock, second.frame(requestOnly(second)), dhcp4.NAK)
	rogue := second.message(dhcp4.Offer)
	rogue.Op = dhcp4.BootReply
	rogue.Options.PutAddr(dhcp4.ServerID, netip.MustParseAddr("10.0.0.7"))
	payload, _ := rogue.Append(nil, dhcp4.MinLimit)
	overheard := ether.AppendUDPFrame(nil, second.mac, ether.Broadcast, netip.MustParseAddr("10.0.0.7"),
		netip.MustParseAddr("255.255.255.255"), dhcp4.ServerPort, dhcp4.ClientPort, payload)

	n.Until("all of it in dhcpd -q", func() bool {
		for range 10 {
			sock.Send(second.discover()) // one more than the limit allows
			sock.Send(second.datagram([]byte("rubbish")))
			sock.Send(overheard)
		}
		q := n.command(n.server, "-q")
		for _, what := range []string{
			"turns of the loop", "DHCPDISCOVER received", "DHCPREQUEST received", "DHCPOFFER sent", "DHCPACK sent",
			"DHCPNAK sent", "dropped: message is malformed", "dropped: as many on the network as the limit allows",
			"refused: address is not on the client's network", "records written to the pool file",
			"syncs of the pool file", "times another DHCP server was heard",
		} {
			if countIn(q, what) == 0 {
				return false
			}
		}
		return regexp.MustCompile(`(?m)^-\d+ +another DHCP server last heard: 10\.0\.0\.7 on eth0 from \S+$`).MatchString(q) &&
			strings.Contains(q, "\ndhcpd runs and has counted:\n")
	})
	// In the end all is exact.
	p.Stop()
	said := p.Output()
	q := n.command(n.server, "-q")
	if !strings.Contains(q, "\ndhcpd has ended; it had counted:\n") {
		t.Errorf("it has ended:\n%s", q)
	}
	for _, typ := range []dhcp4.Type{dhcp4.Offer, dhcp4.ACK, dhcp4.NAK} {
		shown := regexp.MustCompile(`(?m)sent to [\d.]+: `+typ.String()+` `).FindAllString(said, -1)
		if got := countIn(q, typ.String()+" sent"); got != uint64(len(shown)) {
			t.Errorf("%d times %s, but %d shown\n%s", got, typ, len(shown), q)
		}
	}
	if a, b := countIn(q, "DHCPACK sent"), countIn(q, "records written to the pool file"); b == 0 || b > a {
		t.Errorf("%d records for %d leases", b, a)
	}
}

// requestOnly is a REQUEST of a client that comes from elsewhere (INIT-REBOOT).
func requestOnly(c *scripted) *dhcp4.Message {
	m := c.message(dhcp4.Request)
	m.Options.PutAddr(dhcp4.RequestedAddress, c.addr)
	return m
}

// TestL2_S17_Idle: a server with leases and nothing due does nothing. That is
// seen without waiting: no timer of the process rings within a minute, and
// between reloads of its configuration the loop takes no turns but theirs.
// All that it then costs is little memory.
func TestL2_S17_Idle(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.silent = true
	p := n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.2-10.0.0.254")
	w := newCrowd(n.guest("crowd"), 200)
	w.run(t)
	var soonest time.Duration
	n.Until("quiet", func() bool {
		soonest = nextRing(t, p.PID())
		return soonest > time.Minute
	})
	turns := func(reloads uint64) (turns uint64) {
		p.Signal(syscall.SIGHUP)
		n.Until("a reload in dhcpd -q, and quiet", func() bool {
			quiet := nextRing(t, p.PID()) > time.Minute
			q := n.command(n.server, "-q")
			turns = countIn(q, "turns of the loop")
			return quiet && countIn(q, "times the configuration file was read again") == reloads
		})
		return turns
	}
	// A reload takes a few, since it looks at all clients whether to wake them,
	// some at a time; the last of them may be counted with the next reload.
	const each = 4
	first := turns(1)
	turns(2)
	if third := turns(3); third-first > 2*each {
		t.Errorf("%d turns, then %d: more than two reloads", first, third)
	}
	if soonest = nextRing(t, p.PID()); soonest <= time.Minute {
		t.Errorf("an alarm is set, in %v", soonest)
	}
	size := resident(t, p.PID())
	t.Logf("next timer in %v; %d kB resident, with 200 leases", soonest, size)
	if len(buildFlags) == 0 && size > 6<<10 { // the race detector has its price
		t.Errorf("%d kB resident, want at most 6 MB", size)
	}
}

// nextRing returns how long it is until a timer of a process rings.
func nextRing(t *testing.T, pid int) time.Duration {
	t.Helper()
	list, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil || len(list) == 0 {
		t.Fatalf("no open files of process %d (%v)", pid, err)
	}
	value := regexp.MustCompile(`(?m)^it_value: \((\d+), (\d+)\)$`)
	timers, next := 0, time.Duration(1<<63-1)
	for _, name := range list {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // closed meanwhile
		}
		m := value.FindSubmatch(text)
		if m == nil {
			continue
		}
		timers++
		sec, _ := strconv.ParseInt(string(m[1]), 10, 64)
		nsec, _ := strconv.ParseInt(string(m[2]), 10, 64)
		if sec|nsec != 0 && sec < int64(next/time.Second) {
			next = time.Duration(sec)*time.Second + time.Duration(nsec)
		}
	}
	if timers == 0 {
		t.Fatalf("process %d has no timers at all", pid)
	}
	return next
}

// resident returns how much memory a process takes, in kB.
func resident(t *testing.T, pid int) int { return memory(t, pid, "VmRSS") }

// memory returns a size of a process, in kB, by its name in proc(5).
func memory(t *testing.T, pid int, what string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	m := regexp.MustCompile(what + `:\s+(\d+) kB`).FindSubmatch(text)
	if err != nil || m == nil {
		t.Fatalf("status of process %d: %v\n%s", pid, err, text)
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}
