package conf

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/netip"

	"golang.org/x/sys/unix"
)

// many is a file that relays n networks, one of the ways that people write it,
// and those networks.
func many(t *testing.T, n int) (*Config, []Net) {
	t.Helper()
	text := new(strings.Builder)
	nets := make([]Net, n)
	for i := range nets {
		name := fmt.Sprintf("vlan%d", i)
		fmt.Fprintf(text, "option %q relay 192.0.2.1;\noption %[1]q agent { circuit text %[1]q; };\n", name)
		nets[i] = Net{Name: name, Index: i + 2, Ether: true, MAC: [6]byte{2, 0, 0, 0, byte(i >> 8), byte(i)},
			Addr: netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1})}
	}
	text.WriteString("netmask /24; DHCPlease 600;\n")
	c, err := Parse("dhcp.conf", text.String(), Env{})
	if err != nil {
		t.Fatal(err)
	}
	return c, nets
}

// spent is the processor's time that the test has taken, however busy the
// machine is with others.
func spent(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestR1_ManyNetworks: with many networks each gets what is meant for it, a
// client is not made to go through the options of all of them, and a start does
// not look for each option's network among all of them, for each of them.
func TestR1_ManyNetworks(t *testing.T) {
	c, nets := many(t, 1000)
	for i, p := range c.Own(nets) {
		if len(p.Relay) != 1 || p.Agent == nil || p.Agent.Circuit.Text != nets[i].Name {
			t.Fatalf("%s: %v, %+v", nets[i].Name, p.Relay, p.Agent)
		}
	}
	ops := 0
	w := c.Ask(&Query{})
	w.at(10<<24 | 1)
	for _, r := range w.rules(nil) {
		ops += int(c.rules[r].ops.to - c.rules[r].ops.from)
	}
	if ops != 2 {
		t.Errorf("a client goes through %d ops, want netmask and lease time", ops)
	}
	// This takes a tenth of a second, and 4,000,000,000 comparisons of names
	// take half a minute.
	c, nets = many(t, 2000)
	start := spent(t)
	c.Own(nets)
	if took := spent(t) - start; took > 10*time.Second {
		t.Errorf("2,000 networks take %v", took)
	}
}

// TestR1_Nearest: of several addresses of a server each network gets the one
// closest to it, whoever reads the option.
func TestR1_Nearest(t *testing.T) {
	c, err := Parse("dhcp.conf", `option "eth1" relay srv; option "eth2" relay srv; option relay srv;`, Env{Hosts: "10.1.0.9 srv\n10.2.0.9 srv\n"})
	if err != nil {
		t.Fatal(err)
	}
	nets := []Net{ether("eth0", 1, "10.2.0.3"), ether("eth1", 2, "10.1.0.1"), ether("eth2", 3, "10.2.0.1"), ether("eth3", 4, "10.1.0.2")}
	for i, want := range []string{"10.2.0.9", "10.1.0.9", "10.2.0.9", "10.1.0.9"} {
		if p := c.Own(nets)[i]; fmt.Sprint(p.Relay) != "["+want+"]" {
			t.Errorf("%s: %v, want %s", nets[i].Name, p.Relay, want)
		}
	}
}
