package peertest

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"dhcpd/internal/netlab"
)

// TestN1_SmallRouter: client, server of 250 leases and relay together, under
// load, in half of the memory of the smallest routers.
func TestN1_SmallRouter(t *testing.T) {
	t.Parallel()
	e := newExample(t)
	provider := e.attach("eth0", "provider")
	provider.Addr("eth0", "198.51.100.1/24")
	provider.Run("ip", "route", "add", "10.2.0.0/24", "via", "198.51.100.200")
	provider.ISC(netlab.Serve("eth0", "198.51.100.1/24"), "subnet 10.2.0.0 netmask 255.255.255.0 { range 10.2.0.100 10.2.0.109; }")
	home, office := e.attach("eth1", "home"), e.attach("eth2", "office")
	e.host.WriteFile("dhcp.conf", `
		interface "eth1" 10.1.0.1; interface "eth2" 10.2.0.1;
		host 10.1.0.0/16 { option "eth1" server; DHCPlease 3600; };
		host 10.2.0.0/24 { };
		option "eth2" relay 198.51.100.1;`)
	e.command(e.host, "-a", "10.1.1.0-10.1.1.249")
	p := e.up(e.host)
	bound(t, e.host, "198.51.100.100", "198.51.100.109")
	e.host.Addr("eth0", "198.51.100.200/24")

	w := newCrowd(home, 250)
	w.run(t)
	office.Udhcpc("eth0")
	bound(t, office, "10.2.0.100", "10.2.0.109")
	size := memory(t, p.PID(), "VmHWM")
	if t.Attr("VmHWM", fmt.Sprint(size, " kB")); len(buildFlags) == 0 && size > 8<<10 {
		t.Errorf("%d kB at the most: too much", size)
	}
}

// TestN1_ReadOnlyRoot: as in firmware, with paths that make has built in:
// nothing can be written but in a tmpfs, and no flag says where that is.
func TestN1_ReadOnlyRoot(t *testing.T) {
	t.Parallel()
	dist(t, "make", "-s", "build/dhcpd-firmware", "GOARCH="+runtime.GOARCH, "CONF=/run/overlay/dhcp.conf", "STATE=/run/overlay", "RUN=/run/overlay/counts")
	bin, err := filepath.Abs("../../build/dhcpd-firmware")
	if err != nil {
		t.Fatal(err)
	}
	e := newExample(t)
	provider, home := e.attach("eth0", "provider"), e.attach("eth1", "home")
	provider.Addr("eth0", "198.51.100.1/24")
	provider.ISC(netlab.Serve("eth0", "198.51.100.1/24"))
	router := e.host
	router.Run("mkdir", "-p", "/run/overlay/counts")
	router.Run("cp", router.WriteFile("dhcp.conf", `
		interface "eth1" 10.1.0.1;
		option resolvconf /run/overlay/resolv.conf;
		host 10.1.0.0/24 { option "eth1" server; DHCPlease 3600; };`), "/run/overlay/dhcp.conf")
	for _, mount := range []string{"/", "/etc"} {
		router.Run("mount", "-o", "remount,bind,ro", mount)
	}

	router.Run(bin, "-o")
	if learned := router.ReadFile("/run/overlay/net-eth0.conf"); !strings.Contains(learned, "IPV4ADDR='198.51.100.10") {
		t.Errorf("/run/overlay/net-eth0.conf:\n%s", learned)
	}
	router.Run(bin, "-a", "10.1.0.100-10.1.0.109")
	p := router.Ready(router.Start(bin, "-d1"))
	bound(t, router, "198.51.100.100", "198.51.100.109")
	home.Udhcpc("eth0")
	a := bound(t, home, "10.1.0.100", "10.1.0.109")
	q := router.Run(bin, "-q")
	for _, want := range []string{"eth0  address       198.51.100.10", a.String(), "dhcpd runs and has counted:"} {
		if !strings.Contains(q, want) {
			t.Errorf("dhcpd -q does not show %q:\n%s", want, q)
		}
	}
	if strings.Contains(p.Output(), "read-only") {
		t.Errorf("it has tried to write elsewhere:\n%s", p.Output())
	}
	if status := p.Stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}
