package peertest

import (
	"path/filepath"
	"testing"

	"dhcpd/internal/netlab"
)

// TestN2_FirstProcess: where nothing is mounted, as for the first process of a
// machine, dhcpd mounts what it needs, and does not end when there is nothing more
// to do, since the kernel would. What went wrong still shows.
func TestN2_FirstProcess(t *testing.T) {
	t.Parallel()
	lab := netlab.New(t)
	server, client := lab.Host("server"), lab.Host("client")
	lab.Wire(server, "eth0", client, "eth0")
	root := filepath.Join(client.Dir, "root")
	client.Run("mkdir", "-p", root+"/etc", root+"/dev")
	client.Run("cp", dhcpd, root+"/dhcpd")
	client.Run("cp", client.WriteFile("fixed", "interface eth0 10.0.0.7 { netmask /24; };"), root+"/etc/dhcp.conf")
	start := func(args ...string) *netlab.Proc {
		return client.Start("unshare", append([]string{"--pid", "--fork", "--kill-child", "--mount", "chroot", root, "/dhcpd"}, args...)...)
	}
	p := start("-d1")
	p.WaitLine("Nothing more to do")
	p.WaitLine("done, and waits")
	if got := client.Addrs("eth0"); len(got) != 1 || got[0].String() != "10.0.0.7/24" {
		t.Errorf("addresses %v", got)
	}
	if p.Ended() {
		t.Error("it has ended")
	}
	p.Kill()
	if p := start("-o1", "-i", "wlan0"); p.Wait() != 2 {
		t.Errorf("without an Ethernet: exit status %d: %s", p.Wait(), p.Output())
	}
}
