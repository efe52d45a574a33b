package peertest

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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

// TestP4_S4_DiskFull: nobody gets a lease that can't be stored, one line says
// so, and when there is room again everybody gets one.
func TestP4_S4_DiskFull(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	d.server.Try("dd", "if=/dev/zero", "of="+d.dir+"/filler", "bs=4k")
	ts := d.lodgers(d.guest("crowd"), 0, 200)
	for range 3 { // there is some room left in the file's last page
		var frames [][]byte
		ts.each(func(l *lodger) {
			if !l.done {
				frames = append(frames, ts.discovery(l))
			}
		})
		for _, f := range frames {
			ts.sock.Write(f)
		}
		ts.settle()
	}
	d.p.WaitLine("no space left on device; nobody gets a lease until this is mended")
	joined := 0
	ts.each(func(l *lodger) {
		if l.done {
			joined++
		}
	})
	if joined == len(ts.list) {
		t.Error("all have a lease, on a full disk")
	}
	if stored := len(d.leases()); stored < joined {
		t.Errorf("%d of %d leases stored", stored, joined)
	}
	if lines := strings.Count(d.p.Output(), "\n"); lines > 5 {
		t.Errorf("%d lines:\n%.2000s", lines, d.p.Output())
	}
	if err := os.Remove(d.server.Path(d.dir + "/filler")); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d had one on the full disk", joined)
	t.Log(ts.play("leases", mostAfterFault, ts.discovery))
	owners := map[netip.Addr]bool{}
	ts.each(func(l *lodger) { owners[l.addr] = true })
	if stored := len(d.leases()); len(owners) != len(ts.list) || stored < len(owners) {
		t.Errorf("%d clients, %d addresses, %d stored", len(ts.list), len(owners), stored)
	}
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
