package peertest

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dhcpd/internal/netlab"
)

// A manpage is the network that the examples of dhcpd(8) are played on: the server
// has 192.0.2.1, and the client's address is 192.0.2.117.
type manpage struct{ *network }

// played says how each example of dhcpd(8) is played, by how it begins.
var played = []struct {
	begins string
	play   func(p *manpage, text string)
}{
	{"dhcpd -a 192.0.2.100-192.0.2.199", (*manpage).fill},
	{"dhcpd -t2 -d2 -i eth0", (*manpage).look},
	{"dhcpd -q | awk '$2 ~ /^[+]/", (*manpage).list},
	{"dhcpd -l 192.0.2.1 192.0.2.117", (*manpage).ask},
	{"dhcpd -q | grep -E 'dropped:", (*manpage).why},
	{"dhcpd -e 0:0:5e:0:53:7", (*manpage).explain},
	{"dhcpd -w 192.0.2.117", (*manpage).wake},
}

const manpageConf = `interface "eth0" 192.0.2.1;
host 192.0.2.0/24 { DHCPlease 3600; };
option "eth0" server;
option "eth0" leasequery;
`

// TestN3_ExamplesOfDhcpd8 plays them, in the order in which they stand there.
func TestN3_ExamplesOfDhcpd8(t *testing.T) {
	t.Parallel()
	p := &manpage{newNetwork(t, ourServer)}
	p.server.WriteFile("dhcp.conf", manpageConf)
	text, err := os.ReadFile("../../man/dhcpd.8")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n.Sh EXAMPLES\n")
	section, _, _ := strings.Cut(rest, "\n.Sh ")
	list := strings.Split(section, ".Bd -literal -offset indent\n")[1:]
	for i, text := range list {
		text, _, _ = strings.Cut(text, "\n.Ed")
		text = strings.NewReplacer(`\e`, `\`, `\&`, ``).Replace(text)
		if i >= len(played) || !strings.HasPrefix(text, played[i].begins) {
			t.Fatalf("nothing plays the example\n%s", text)
		}
		played[i].play(p, text)
	}
	if len(list) != len(played) {
		t.Errorf("%d examples, of %d", len(list), len(played))
	}
}

// play runs an example on a host. Its dhcpd is the one under test, with the
// host's files; a daemon is only said to be started.
func (p *manpage) play(h *netlab.Host, text string) string {
	p.Helper()
	return h.Run("bash", "-euc", `dhcpd() {
	if [ $# = 0 ]; then echo dhcpd is started; else "`+dhcpd+`" `+strings.Join(files(h), " ")+` "$@"; fi
}
`+text)
}

func (p *manpage) fill(text string) {
	if got := p.play(p.server, text); got != "dhcpd is started\n" {
		p.Errorf("%s:\n%s", text, got)
	}
	if got := p.command(p.server, "-q"); strings.Count(got, " unused\n") != 100 {
		p.Errorf("the pool:\n%s", got)
	}
	// The client is to have the address that the others speak of.
	p.command(p.server, "-r", "192.0.2.117")
	mac := p.client.MAC("eth0")
	p.server.WriteFile("dhcp.conf", manpageConf+"client "+net.HardwareAddr(mac[:]).String()+" 192.0.2.117;\n")
	p.up(p.server)
}

// look is what a stranger sees, who takes nothing.
func (p *manpage) look(text string) {
	daemon := p.client.Start(dhcpd, append(strings.Fields(text)[1:], files(p.client)...)...)
	daemon.WaitLine(`received .* DHCPACK`)
	daemon.WaitLine(`DHCPlease = 3600`)
	daemon.Stop()
	left, _ := filepath.Glob(filepath.Join(p.client.Dir, "dhcp.cache"))
	if list := p.client.Addrs("eth0"); len(list) > 0 || left != nil {
		p.Errorf("%s leaves %v and %q", text, list, left)
	}
}

// list has a client whose lease runs.
func (p *manpage) list(text string) {
	p.start(p.client)
	bound(p.T, p.client, "192.0.2.117", "192.0.2.117")
	if got := p.play(p.server, text); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "192.0.2.117 ") {
		p.Errorf("%s:\n%s", text, got)
	}
}

// ask has two questions: about a host, and about all.
func (p *manpage) ask(text string) {
	line, object, _ := strings.Cut(p.play(p.client, text), "\n")
	var all struct {
		Leases []struct{ Address, State string }
	}
	if err := json.Unmarshal([]byte(object), &all); err != nil || len(all.Leases) < 100 {
		p.Errorf("%v, %d leases: %s", err, len(all.Leases), object)
	}
	if !strings.HasPrefix(line, "192.0.2.117 ") || !strings.Contains(line, " +3") {
		p.Errorf("%s:\n%s", text, line)
	}
}

// why has a message that was dropped.
func (p *manpage) why(text string) {
	var c net.Conn
	p.client.Do(func() {
		var err error
		if c, err = net.Dial("udp", "192.0.2.1:67"); err != nil {
			p.Fatal(err)
		}
	})
	defer c.Close()
	p.Until("the reason in -q", func() bool {
		c.Write([]byte("no such thing"))
		return strings.Contains(p.command(p.server, "-q"), "dropped: message is malformed\n")
	})
	if got := p.play(p.server, text); !strings.HasSuffix(got, " dropped: message is malformed\n") {
		p.Errorf("%s:\n%s", text, got)
	}
}

// explain is about a stranger, who gets an address of the pool.
func (p *manpage) explain(text string) {
	got := p.play(p.server, text)
	if strings.Count(got, "\nchosen ") != 2 || !strings.Contains(got, " 192.0.2.150\n") || !strings.Contains(got, "dhcp.conf:2") {
		p.Errorf("%s:\n%s", text, got)
	}
}

func (p *manpage) wake(text string) {
	if got := p.play(p.server, text); !strings.HasPrefix(got, "192.0.2.117 ") || strings.Contains(got, "unanswered") {
		p.Errorf("%s:\n%s", text, got)
	}
}
