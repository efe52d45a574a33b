package peertest

import (
	"os/exec"
	"path/filepath"
	"testing"

	"dhcpd/internal/netlab"
)

// foreign are the machines that dhcpd is built for besides this one, and what
// qemu calls them. On a big-endian one it can't be tried as a server: qemu hands
// over the number of the interface that a datagram came in by (IP_PKTINFO) as
// it is on this machine.
var foreign = []struct {
	target, qemu string
	client       bool // only
}{
	{"arm5", "arm", false}, {"arm7", "arm", false}, {"arm64", "aarch64", false}, {"mips", "mips", true},
	{"mipsle", "mipsel", false}, {"riscv64", "riscv64", false},
}

// TestN1_Foreign: a lease with the program for each machine, as client and as
// server, as qemu understands its system calls.
func TestN1_Foreign(t *testing.T) {
	t.Parallel()
	for _, f := range foreign {
		t.Run(f.target, func(t *testing.T) {
			t.Parallel()
			dist(t, "make", "build/dhcpd-"+f.target)
			bin, err := filepath.Abs("../../build/dhcpd-" + f.target)
			if err != nil {
				t.Fatal(err)
			}
			qemu, err := exec.LookPath("qemu-" + f.qemu + "-static")
			if err != nil {
				t.Fatalf("%v: run .ci/peers", err)
			}
			lab := netlab.New(t)
			server, client := lab.Host("server"), lab.Host("client")
			lab.Wire(server, "eth0", client, "eth0")
			server.WriteFile("dhcp.conf", conf("10.0.0.1/24", "DHCPlease 3600;"))
			run := func(h *netlab.Host, flag string, hosts ...string) *netlab.Proc {
				args := append(append([]string{flag}, files(h)...), hosts...)
				if f.client && h == server {
					return h.Start(dhcpd, args...)
				}
				return h.Start(qemu, append([]string{bin}, args...)...)
			}
			if p := run(server, "-a", "10.0.0.100-10.0.0.109"); p.Wait() != 0 {
				t.Fatalf("dhcpd -a: %s", p.Output())
			}
			server.Ready(run(server, "-d1"))
			run(client, "-d1")
			a := bound(t, client, "10.0.0.100", "10.0.0.109")
			q := run(server, "-q")
			q.Wait()
			if !owned(q.Output(), a, client) {
				t.Errorf("dhcpd -q does not show %v:\n%s", a, q.Output())
			}
		})
	}
}
