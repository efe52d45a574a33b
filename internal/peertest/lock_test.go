package peertest

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"dhcpd/internal/netlab"
)

var making sync.Mutex

// product returns the program as it is shipped: the race detector's has cgo, and
// no locks.
func product(t *testing.T) string {
	t.Helper()
	making.Lock() // else one runs it while another writes it
	defer making.Unlock()
	dist(t, "make", "build/dhcpd")
	bin, err := filepath.Abs("../../build/dhcpd")
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// threads returns what the kernel says of each thread of a process, as far as
// that is about locks: as many times as there are threads that say it.
func threads(t *testing.T, pid int) map[string]int {
	t.Helper()
	all, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/status")
	said := map[string]int{}
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a thread that has ended
		}
		lines := regexp.MustCompile(`(?m)^(Cap...|NoNewPrivs|Seccomp):\s.*$`).FindAllString(string(text), -1)
		said[strings.ReplaceAll(strings.Join(lines, " "), "\t", " ")]++
	}
	return said
}

// TestN4_EveryThread: a server that has served is locked in with all its threads;
// the process that runs scripts may do what it could before.
func TestN4_EveryThread(t *testing.T) {
	t.Parallel()
	bin := product(t)
	n := newNetwork(t, ourServer)
	script := n.server.WriteFile("script", "#!/bin/sh\n")
	n.server.WriteFile("dhcp.conf", conf("10.0.0.1/24", "DHCPlease 3600;")+`option "eth1" notify "`+script+"\";\n")
	n.command(n.server, "-a", "10.0.0.100-10.0.0.109")
	p := n.server.Ready(n.server.Start(bin, append(files(n.server), "-d1")...))
	n.client.Udhcpc("eth0")
	bound(t, n.client, "10.0.0.100", "10.0.0.109")

	locked := p.WaitLine(`Locked in: (.*)`)[1]
	if want := `^no-new-privs; capabilities net_bind_service net_raw net_admin; Landlock [0-9]+ reading ` + n.server.Dir +
		` .* /proc, writing .*; seccomp of [0-9]+ calls$`; !regexp.MustCompile(want).MatchString(locked) {
		t.Errorf("it says %q, want %q", locked, want)
	}
	const want = "CapInh: 0000000000000000 CapPrm: 0000000000003400 CapEff: 0000000000003400 CapBnd: 0000000000003400 " +
		"CapAmb: 0000000000000000 NoNewPrivs: 1 Seccomp: 2"
	said := threads(t, p.PID())
	if len(said) != 1 || said[want] < 4 {
		t.Errorf("threads: %v", said)
	}
	children, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID()) + "/task/" + strconv.Itoa(p.PID()) + "/children")
	ours, free := threads(t, os.Getpid()), 0
	for _, word := range strings.Fields(string(children)) {
		pid, _ := strconv.Atoi(word)
		for status := range threads(t, pid) {
			if free++; ours[status] == 0 {
				t.Errorf("the scripts' runner has %q, want what we have, %v", status, ours)
			}
		}
	}
	if free != 1 {
		t.Errorf("%d kinds of threads of a scripts' runner, %v", free, err)
	}
}

// TestN4_B8_Reload: a client that becomes a server, with all that a server does,
// and more interfaces, when it is locked in; and what it can't have any more.
func TestN4_B8_Reload(t *testing.T) {
	t.Parallel()
	bin := product(t)
	n := newNetwork(t, ourServer)
	n.Wire(n.server, "eth1", n.Host("nobody"), "eth0") // so that there is something to do
	dir := n.server.Dir
	n.server.Run("mkdir", dir+"/config", dir+"/state", dir+"/elsewhere")
	for _, name := range []string{"config/included", "elsewhere/included"} {
		n.server.WriteFile(name, "domain example.org;\n")
	}
	n.server.Run("cp", "/bin/true", dir+"/config/script")
	flags := []string{"-f", dir + "/config/dhcp.conf", "-c", dir + "/state/dhcp.cache", "-p", dir + "/pool/dhcp.pool"}
	begin := func(text string) { n.server.WriteFile("config/dhcp.conf", text) }
	begin("")
	p := n.server.Start(bin, append([]string{"-d1"}, flags...)...)
	p.WaitLine("Locked in: .*seccomp")
	p.WaitLine("eth0: sent to .*DHCPDISCOVER")

	n.server.Run(bin, append(append([]string{"-a"}, flags...), "10.0.0.100-10.0.0.109")...)
	serving := conf("10.0.0.1/24", "DHCPlease 3600;", `include "`+dir+`/config/included";`, "option leasequery;") +
		"interface 'eth2' 10.2.0.1; host 10.2.0.0/24 { DHCPlease 60; };\n"
	begin(serving)
	n.client.Udhcpc("eth0")
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	n.Until("bulk leasequery", func() bool {
		out, _ := n.client.Try(bin, "-l", "10.0.0.1", "all")
		return strings.Contains(out, "10.0.0.10")
	})
	n.Wire(n.server, "eth2", n.Host("later"), "eth0")
	n.server.Until("an address on eth2", func() bool { return len(n.server.Addrs("eth2")) == 1 })

	const again = `permission denied; if its folder is new, start dhcpd again`
	begin(serving + `include "` + dir + `/elsewhere/included";` + "\n")
	p.WaitLine(`elsewhere/included.* ` + again + `; the configuration stays as it was`)
	begin(serving + `option "eth3" notify "` + dir + `/config/script"; option "eth3" resolvconf "` + dir + `/elsewhere/resolv.conf";` + "\n")
	far := n.Host("far")
	n.Wire(n.server, "eth3", far, "eth0")
	far.Addr("eth0", "10.3.0.1/24")
	far.Dnsmasq(netlab.Serve("eth0", "10.3.0.1/24"), "--dhcp-option=6,10.3.0.1")
	for _, line := range []string{`eth3: script .*/config/script was not named when dhcpd started, and is not run`, `/elsewhere/resolv\.conf.*` + again} {
		n.Until(line, func() bool { return regexp.MustCompile(line).MatchString(p.Output()) })
	}
	if p.Ended() {
		t.Error("dhcpd has ended")
	}
}
