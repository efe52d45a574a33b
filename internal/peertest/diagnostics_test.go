package peertest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// nasty is what a peer may say, and how the log has it.
const (
	nasty = "it's\n\x1b[2Jdhcpd: eth0: \x00all \\fine\xff"
	tamed = `'it\'s\012\033[2Jdhcpd: eth0: \000all \\fine\377'`
)

// line is a line of the log as a whole, word for word.
func line(words ...string) string {
	return "^" + regexp.QuoteMeta("dhcpd: "+strings.Join(words, "")) + "$"
}

// TestS7_S10_P1_P2_DiagnosticsServer: the texts of dhcpd(8), which people search for.
func TestS7_S10_P1_P2_DiagnosticsServer(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.silent = true
	file := func(name string) string { return filepath.Join(n.server.Dir, name) }

	n.server.WriteFile("dhcp.conf", "\noption eth0 sever;\n")
	p := n.start(n.server)
	p.WaitLine(`^dhcpd: "` + regexp.QuoteMeta(file("dhcp.conf")) + `", line 2: .*\bsever\b`)
	if code := p.Wait(); code != 1 {
		t.Errorf("exit status %d", code)
	}

	p = n.serve(conf("10.0.0.1/24"), "10.0.0.100")
	p.WaitLine(line("No lease set for address 10.0.0.100"))
	p.Stop()

	p = n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"))
	c, sock := newScripted(1), n.client.Frames("eth0")
	c.addr = n.insist(sock, c.discover(), dhcp4.Offer).Yiaddr
	n.insist(sock, c.request(netip.MustParseAddr("10.0.0.1")), dhcp4.ACK)
	m := c.message(dhcp4.Decline)
	m.Options.PutAddr(dhcp4.RequestedAddress, c.addr)
	m.Options.PutAddr(dhcp4.ServerID, netip.MustParseAddr("10.0.0.1"))
	m.Options.Put(dhcp4.MessageText, []byte(nasty))
	sock.Send(c.frame(m))
	p.WaitLine(line("eth0: 0102cc00000001 declines 10.0.0.100 saying ", tamed))
	p.Stop()

	text, err := os.ReadFile(file("dhcp.pool"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	lines[1] = "x" + lines[1]
	n.server.WriteFile("dhcp.pool", strings.Join(lines, ""))
	p = n.start(n.server)
	p.WaitLine(line(`Pool table is corrupt: "`, file("dhcp.pool"), `", line 2`))
	p.Stop()
}

// TestC4_C8_DiagnosticsClient: those of a client.
func TestC4_C8_DiagnosticsClient(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.allow = []string{"."} // the liar's
	l := newLiar(n)
	p := n.start(n.client)
	request := l.offer(n.await(dhcp4.Discover))
	claim := ether.Announcement(l.mac, l.give)
	l.sock.Send(claim.AppendFrame(nil))
	p.WaitLine(line("eth0: 10.6.6.100 offered by 10.6.6.6 is already in use by ", ether.FormatMAC(l.mac)))
	no := l.reply(request, dhcp4.NAK, put(dhcp4.MessageText, []byte(nasty)...))
	l.sock.Send(ether.AppendUDPFrame(nil, l.mac, request.SrcMAC, netip.MustParseAddr("10.6.6.7"), dhcp4.Everyone,
		dhcp4.ServerPort, dhcp4.ClientPort, no))
	p.WaitLine(line("eth0: Got a NAK from 10.6.6.6 through 10.6.6.7 saying ", tamed))
	serving := netlab.Serve("eth0", "10.0.0.1/24")
	n.server.Udhcpd(serving)
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
}
