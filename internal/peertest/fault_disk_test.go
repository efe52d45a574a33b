package peertest

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"dhcpd/internal/netlab"
)

// A disk of the server's own holds the pool file.
type disk struct {
	*network
	dir string
	p   *netlab.Proc
}

func newDisk(t *testing.T) *disk {
	n := newQuiet(t)
	d := &disk{network: n, dir: filepath.Join(n.server.Dir, "disk")}
	if err := os.Mkdir(d.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d.mount()
	n.server.WriteFile("dhcp.conf", conf("10.0.0.1/16", "DHCPlease 3600;"))
	n.server.Run(dhcpd, d.flags("-a", "10.0.1.0-10.0.4.255")...)
	d.p = n.server.Ready(n.server.Start(dhcpd, d.flags("-f", n.server.Dir+"/dhcp.conf", "-c", n.server.Dir+"/dhcp.cache")...))
	return d
}

func (d *disk) mount() {
	d.Helper()
	d.server.Run("mount", "-t", "tmpfs", "-o", "size=256k", "none", d.dir)
}

func (d *disk) flags(more ...string) []string {
	return append([]string{"-p", d.dir + "/dhcp.pool"}, more...)
}

// leases returns who has which address as dhcpd -q sees it.
func (d *disk) leases() (all []string) {
	d.Helper()
	return regexp.MustCompile(`(?m)^10\.0\.\S+ +\+\d+ .*$`).FindAllString(d.server.Run(dhcpd, d.flags("-q")...), -1)
}

// TestP4_DiskGone: the disk under the pool file goes away under load, and comes
// back empty. What memory knows is written anew before the next ACK.
func TestP4_DiskGone(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	ts := d.lodgers(d.guest("crowd"), 0, 50)
	ts.play("leases", mostJoining, ts.discovery)
	for i, change := range []func(){
		func() { d.server.Run("umount", "-l", d.dir) },
		d.mount,
	} {
		change()
		fresh := d.lodgers(d.guest([]string{"first", "second"}[i]), 100*(i+1), 20)
		t.Log(fresh.play("new leases", mostAfterFault, fresh.discovery))
		t.Log(ts.play("renewals", mostAfterFault, ts.renewal))
		if got, want := len(d.leases()), 50+20*(i+1); got != want {
			t.Errorf("%d leases in the file, not %d", got, want)
		}
	}
	if d.p.Ended() {
		t.Error("dhcpd has ended")
	}
}
