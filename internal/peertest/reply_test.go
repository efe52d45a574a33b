package peertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netlab"
)

// lists are options with many addresses: MINIX's name of each, dhclient's and
// udhcpc's, which does not know all of them by name.
var lists = []struct{ ours, dhclient, udhcpc string }{
	{"DNSserver", "domain-name-servers", "dns"},
	{"timeserver", "time-servers", "4"},
	{"nameserver", "ien116-name-servers", "5"},
	{"logserver", "log-servers", "7"},
	{"LPR", "lpr-servers", "lprsrv"},
	{"NISserver", "nis-servers", "nissrv"},
	{"NTPserver", "ntp-servers", "ntpsrv"},
	{"NetBIOSNS", "netbios-name-servers", "wins"},
}

// addresses are n of them, the same for every list but for the third octet.
func addresses(list, n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("10.9.%d.%d", list, 1+i))
	}
	return all
}

// full is a config that gives n addresses for each of the lists.
func full(n int) string {
	var b strings.Builder
	for i, l := range lists {
		fmt.Fprintf(&b, "%s %s;\n", l.ours, strings.Join(addresses(i, n), " "))
	}
	return conf("10.0.0.1/24", "DHCPlease 3600;", b.String())
}

// askAll makes dhclient ask for all the lists.
func askAll() string {
	ask := "request subnet-mask"
	for _, l := range lists {
		ask += ", " + l.dhclient
	}
	return ask + ";"
}

// tell makes a hook script that writes its environment into a file named after
// the event, and goes on.
func tell(h *netlab.Host, event, then string) string {
	script := h.WriteFile("script", "#!/bin/sh\nenv >"+h.Dir+"/env."+event+"\n"+then+"\n")
	os.Chmod(script, 0o755)
	return script
}

// TestS11_Overload: more options than the options field of 576 octets holds go
// into file and sname, and real clients find them there.
func TestS11_Overload(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.serve(full(12), "10.0.0.100-10.0.0.109")
	n.client.Dhclient("eth0", askAll())
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	ack := n.await(dhcp4.ACK)
	if sname, file := ack.Payload[44], ack.Payload[108]; codes(ack)[len(codes(ack))-1] != dhcp4.Overload || sname == 0 || file == 0 {
		t.Errorf("options %v, sname begins with %d, file with %d", codes(ack), sname, file)
	}
	for i, l := range lists {
		n.file(n.client, "dhclient.leases", "option "+l.dhclient+" "+strings.Join(addresses(i, 12), ",")+";")
	}

	second := n.guest("second")
	script := tell(second, "$1", "exec /etc/udhcpc/default.script \"$@\"")
	flags := []string{"-s", script, "-o"} // nothing but the subnet, unless it is asked for
	for _, l := range lists {
		flags = append(flags, "-O", l.udhcpc)
	}
	second.Udhcpc("eth0", flags...)
	bound(t, second, "10.0.0.100", "10.0.0.109")
	for i, l := range lists {
		want := l.udhcpc + "=" + strings.Join(addresses(i, 12), " ")
		if len(l.udhcpc) == 1 {
			want = "opt" + l.udhcpc + "="
			for k := range 12 {
				want += fmt.Sprintf("0a09%02x%02x", i, 1+k)
			}
		}
		n.file(second, "env.bound", want+"\n")
	}
}

// TestS11_Split: an option of more than 255 octets in pieces (RFC 3396), in
// the least that all clients take and in as much as a client says it takes.
func TestS11_Split(t *testing.T) {
	t.Parallel()
	long := addresses(9, 100)
	n := newNetwork(t, ourServer)
	n.allow = []string{"Option length isn't a multiple of 4"} // tshark looks at each piece for itself
	n.serve(conf("10.0.0.1/24", "DHCPlease 3600; NTPserver "+strings.Join(long, " ")+";"), "10.0.0.100-10.0.0.109")
	n.client.Dhclient("eth0", "request subnet-mask, ntp-servers;")
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	n.file(n.client, "dhclient.leases", "option ntp-servers "+strings.Join(long, ",")+";")

	roomy := n.guest("roomy")
	roomy.Dhclient("eth0", "send dhcp-max-message-size 1500;", "request subnet-mask, ntp-servers;")
	bound(t, roomy, "10.0.0.100", "10.0.0.109")
	n.file(roomy, "dhclient.leases", "option ntp-servers "+strings.Join(long, ",")+";")
	if ack := n.await(dhcp4.ACK, of(roomy)); ack.Options.Has(dhcp4.Overload) || len(ack.Payload) < 640 {
		t.Errorf("ACK of %d octets with options %v", len(ack.Payload), codes(ack))
	}
	third := n.guest("third")
	third.Dhcpcd("eth0", "option ntp_servers", "script "+tell(third, "$reason", ""))
	bound(t, third, "10.0.0.100", "10.0.0.109")
	n.file(third, "env.BOUND", "new_ntp_servers="+strings.Join(long, " ")+"\n")
}

// TestS11_TooBig: what has no room at all is the end of the client's list, and
// the log says so, once. The client is served all the same.
func TestS11_TooBig(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	p := n.serve(full(14), "10.0.0.100-10.0.0.109")
	n.client.Dhclient("eth0", askAll())
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	p.WaitLine(`eth0: DHCP packet too big, no room in the DHCPOFFER for NetBIOSNS$`)
	n.file(n.client, "dhclient.leases", "option ntp-servers "+strings.Join(addresses(6, 14), ",")+";")
	text, _ := os.ReadFile(filepath.Join(n.client.Dir, "dhclient.leases"))
	if strings.Contains(string(text), "netbios") {
		t.Errorf("dhclient got what was left out:\n%s", text)
	}
}
