// Demo shows dhcpd at work: a server, a relay and a client, each in namespaces
// of its own, joined by two wires. The client gets its address from the server
// by way of the relay; then all three print what they know.
//
//	demo DHCPD
//
// It needs root, or a kernel that lets anyone make user namespaces.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"dhcpd/internal/netlab"
)

// serverConf is the whole configuration of the server: its own address, and
// what everyone is told who is behind the relay, which is the router to there.
// The pool says which addresses.
const serverConf = `
interface eth0 10.7.7.1;
option eth0 server;
host 10.7.7.0/24 { gateway 10.7.7.2; };
host 10.7.8.0/24 {
	gateway 10.7.8.1;
	DNSserver 10.7.7.1;
	domain example.org;
	DHCPlease 3600;
};
`

// relayConf is that of the relay.
const relayConf = `
interface eth0 10.7.7.2;	# towards the server
interface eth1 10.7.8.1;	# towards the client
host 10.7.7.0/24 { };
host 10.7.8.0/24 { };
option eth1 relay 10.7.7.1;
option eth1 agent { circuit interface; };
`

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: demo DHCPD")
		os.Exit(1)
	}
	if os.Geteuid() != 0 {
		os.Exit(asRoot())
	}
	dhcpd, err := filepath.Abs(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	t := &netlab.Stage{Program: "demo"}
	show(t, dhcpd)
	t.End()
}

// asRoot runs this program again, as root of a user namespace.
func asRoot() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	if err := cmd.Run(); cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, "demo: this kernel lets only root make namespaces: be root:", err)
		return 1
	}
	return cmd.ProcessState.ExitCode()
}

func show(t *netlab.Stage, dhcpd string) {
	lab := netlab.New(t)
	server, relay, client := lab.Host("server"), lab.Host("relay"), lab.Host("client")
	lab.Wire(server, "eth0", relay, "eth0")
	lab.Wire(relay, "eth1", client, "eth0")
	relay.Forward(true)

	files := func(h *netlab.Host, verb ...string) []string {
		return append([]string{"-f", h.Dir + "/dhcp.conf", "-c", h.Dir + "/dhcp.cache", "-p", h.Dir + "/dhcp.pool"}, verb...)
	}
	server.WriteFile("dhcp.conf", serverConf)
	relay.WriteFile("dhcp.conf", relayConf)
	say("The server's dhcp.conf, and its pool: dhcpd -a 10.7.8.100-10.7.8.109", serverConf)
	say("The relay's dhcp.conf", relayConf)
	server.Run(dhcpd, append([]string{"-a"}, files(server, "10.7.8.100-10.7.8.109")...)...)

	serving := server.Ready(server.Start(dhcpd, files(server, "-d1")...))
	relaying := relay.Ready(relay.Start(dhcpd, files(relay, "-d1")...))
	asking := client.Start(dhcpd, files(client, "-d1")...)
	client.Until("an address on the client", func() bool { return len(client.Addrs("eth0")) > 0 })
	holds := func(h *netlab.Host, name, what string) {
		lab.Until(what+" in "+name, func() bool {
			text, err := os.ReadFile(h.Dir + "/" + name)
			return err == nil && strings.Contains(string(text), what)
		})
	}
	holds(client, "dhcp.cache", "eth0")
	holds(relay, "dhcp.pool", "relayed")

	say("The client got its address", strings.Join(prefixes(client), "\n"))
	for _, h := range []*netlab.Host{client, relay, server} {
		say("dhcpd -q on the "+h.Name, h.Run(dhcpd, append([]string{"-q"}, files(h)...)...))
	}
	asking.Stop()
	relaying.Stop()
	serving.Stop()
	say("What the client said (dhcpd -d1)", asking.Output())
	say("What the relay said", relaying.Output())
	say("What the server said", serving.Output())
}

func prefixes(h *netlab.Host) (list []string) {
	for _, p := range h.Addrs("eth0") {
		list = append(list, "eth0 "+p.String())
	}
	return list
}

func say(title, text string) {
	fmt.Printf("\n== %s\n\n    %s\n", title, strings.ReplaceAll(strings.Trim(text, "\n"), "\n", "\n    "))
}
