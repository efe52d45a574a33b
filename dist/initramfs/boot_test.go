// Package initramfs boots the images of make initramfs in a virtual machine,
// on networks of netlab.
package initramfs

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/netlab"
)

// kernel is where .ci/peers leaves Debian's kernel for virtual machines.
const kernel = "/usr/local/share/dhcpd-test/kernel"

// modules are those that a network card of such a machine needs, in the order
// in which they go in: u-root's init loads them as they are sorted.
var modules = []string{
	"net/core/failover", "drivers/net/net_failover", "drivers/virtio/virtio_ring", "drivers/virtio/virtio",
	"drivers/virtio/virtio_pci_modern_dev", "drivers/virtio/virtio_pci_legacy_dev", "drivers/virtio/virtio_pci",
	"drivers/net/virtio_net",
}

// images is where the images are, and the kernel's modules for them; dhcpd is
// what serves outside.
var images, dhcpd string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if images, err = os.MkdirTemp("", "initramfs-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(images)
	dhcpd, _ = filepath.Abs("../../build/dhcpd")
	for _, step := range []func() error{build, addModules} {
		if err := step(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

func build() error {
	for _, cmd := range []*exec.Cmd{exec.Command("make", "-C", "../..", "build/dhcpd"), exec.Command("./build", images)} {
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %v\n%s", cmd, err, out)
		}
	}
	return nil
}

// addModules appends another archive to the image, which the kernel unpacks
// over the first.
func addModules() error {
	root := filepath.Join(images, "root", "lib", "modules")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	for i, m := range modules {
		from, err := filepath.Glob(kernel + "/lib/modules/*/kernel/" + m + ".ko")
		if err != nil || len(from) != 1 {
			return fmt.Errorf("%s has no module %s: run .ci/peers", kernel, m)
		}
		data, err := os.ReadFile(from[0])
		if err != nil {
			return err
		}
		if err := os.WriteFile(fmt.Sprintf("%s/%02d-%s.ko", root, i, filepath.Base(m)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// A machine is a virtual one with two network cards, on a server's wires.
type machine struct {
	*testing.T
	*netlab.Lab
	outside *netlab.Host // with tap0 and tap1
	monitor string       // the socket of qemu's
	booted  time.Time
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	lab := netlab.New(t)
	m := &machine{T: t, Lab: lab, outside: lab.Host("outside")}
	for i := range 2 {
		tap := fmt.Sprint("tap", i)
		m.outside.Run("ip", "tuntap", "add", "dev", tap, "mode", "tap")
		m.outside.Up(tap)
		m.outside.Addr(tap, fmt.Sprintf("10.7%d.0.1/24", i))
	}
	return m
}

// serve starts our own server on some of the taps.
func (m *machine) serve(taps ...int) *netlab.Proc {
	m.Helper()
	config, pool := "", []string{}
	for _, tap := range taps {
		net := fmt.Sprintf("10.7%d.0", tap)
		config += fmt.Sprintf("option 'tap%d' server; host %s.0/24 { gateway %[2]s.1; DNSserver %[2]s.53; domain example.org; DHCPlease 3600; };\n", tap, net)
		pool = append(pool, net+".100-"+net+".109")
	}
	dir := m.outside.Dir
	m.outside.WriteFile("dhcp.conf", config)
	files := []string{"-f", dir + "/dhcp.conf", "-c", dir + "/dhcp.cache", "-p", dir + "/dhcp.pool"}
	m.outside.Run(dhcpd, append(append([]string{"-a"}, files...), pool...)...)
	return m.outside.Ready(m.outside.Start(dhcpd, append([]string{"-d1"}, files...)...))
}

// boot starts the machine with an image, a script of gosh for u-root's init,
// and what else stands on the kernel's command line.
func (m *machine) boot(image, script, kernelArgs string, qemu ...string) *netlab.Proc {
	m.Helper()
	m.monitor = filepath.Join(m.outside.Dir, "monitor")
	initrd := m.initrd(image, script)
	vmlinuz, _ := filepath.Glob(kernel + "/boot/vmlinuz-*")
	args := []string{"-machine", "q35,accel=tcg", "-cpu", "max", "-m", "256", "-smp", "1", "-nographic", "-no-reboot", "-nodefaults",
		"-serial", "stdio", "-monitor", "unix:" + m.monitor + ",server,nowait",
		"-kernel", vmlinuz[0], "-initrd", initrd, "-append", "console=ttyS0 panic=-1 quiet " + kernelArgs}
	for i := range 2 {
		args = append(args, "-netdev", fmt.Sprintf("tap,id=n%d,ifname=tap%[1]d,script=no,downscript=no", i),
			"-device", fmt.Sprintf("virtio-net-pci,netdev=n%d,id=card%[1]d,romfile=,mac=52:54:00:12:34:5%[1]d", i))
	}
	m.booted = time.Now()
	return m.outside.Start("qemu-system-x86_64", append(args, qemu...)...)
}

// uptimes are the lines that the script called once prints before and after
// dhcpd -o.
var uptimes = regexp.MustCompile(`(?m)^([0-9.]+) [0-9.]+\r?$`)

// leased waits until the script called once has its lease, and says when that
// was: by the clock here and by the guest's, and how long dhcpd -o took, which it
// returns.
func (m *machine) leased(p *netlab.Proc) (took float64) {
	m.Helper()
	p.WaitLine("STATUS 0")
	here := time.Since(m.booted).Seconds()
	p.WaitLine(uptimes.String())
	var guest [2]float64
	for i, line := range uptimes.FindAllStringSubmatch(p.Output(), 2) {
		guest[i], _ = strconv.ParseFloat(line[1], 64)
	}
	took = guest[1] - guest[0]
	m.Attr("lease", fmt.Sprintf("%.1f s after the start of qemu, %.1f s after the kernel's; dhcpd -o took %.1f s", here, guest[1], took))
	return took
}

// initrd makes the image that the machine boots.
func (m *machine) initrd(image, script string) string {
	m.Helper()
	root := filepath.Join(m.outside.Dir, "root")
	if out, err := exec.Command("cp", "-r", filepath.Join(images, "root"), root).CombinedOutput(); err != nil {
		m.Fatalf("%v: %s", err, out)
	}
	os.Mkdir(filepath.Join(root, "bin"), 0o755)
	if err := os.WriteFile(filepath.Join(root, "bin", "uinit.sh"), []byte("#!/bbin/gosh\n"+script), 0o755); err != nil {
		m.Fatal(err)
	}
	initrd := filepath.Join(m.outside.Dir, "initrd")
	cmd := exec.Command("sh", "-c", `(cat "$1" && cd "$2" && find . | cpio -o -H newc --quiet) >"$3"`,
		"sh", filepath.Join(images, image), root, initrd)
	if out, err := cmd.CombinedOutput(); err != nil {
		m.Fatalf("%v: %s", err, out)
	}
	return initrd
}

// cable plugs a network card's cable in or out.
func (m *machine) cable(card int, state string) {
	m.Helper()
	m.Until("qemu's monitor", func() bool {
		c, err := net.Dial("unix", m.monitor)
		if err != nil {
			return false
		}
		defer c.Close()
		fmt.Fprintf(c, "set_link card%d %s\n", card, state)
		reply := make([]byte, 1<<12)
		var said string
		for strings.Count(said, "(qemu)") < 2 {
			n, err := c.Read(reply)
			if err != nil {
				return false
			}
			said += string(reply[:n])
		}
		return true
	})
}

// once is a script: a lease, what came of it, and the end.
const once = `
cat /proc/uptime
dhcpd -d1 -o60
echo "STATUS $?"
cat /proc/uptime
ip addr
cat /etc/resolv.conf
echo "CACHE"
dhcpd -q
`

// ends is the end of each script.
const ends = "\necho THE END\nshutdown halt\n"

// addresses are those that the guest has, by what ip addr prints.
func addresses(output string) string {
	var list []string
	for _, m := range regexp.MustCompile(`inet (10\.7[0-9.]+/24)`).FindAllStringSubmatch(output, -1) {
		list = append(list, m[1])
	}
	return strings.Join(list, " ")
}

// TestN2_N4_L8_C17_Boot: the whole way of a machine whose clock says 1970: a
// lease with -o, what it has learned, and a daemon that goes on with it, locked in
// as with -o, for which this kernel has all that it takes.
func TestN2_N4_L8_C17_Boot(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	server := m.serve(0)
	p := m.boot("uroot.cpio", once+`
cat /run/net-eth0.conf
echo "GOING ON"
dhcpd -d1 &
until case "$(dhcpd -q)" in *"runs and has counted"*"DHCPACK received"*) true ;; *) false ;; esac; do sleep 1; done
ip addr
for t in /proc/[0-9]*/task/*; do
	read name <$t/comm
	if [[ $name == dhcpd ]]; then cat $t/status; fi
done
`+ends, "ip=dhcp", "-rtc", "base=1970-01-01")
	m.leased(p)
	for _, line := range []string{`search example\.org`, `nameserver 10\.70\.0\.53`, "CACHE", `eth0 `, "DEVICE='eth0'", `IPV4ADDR='10\.70\.0\.10[0-9]'`,
		"GOING ON", "sent to .*DHCPREQUEST", "received from .*DHCPACK", "THE END"} {
		p.WaitLine(line)
	}
	if got := strings.Fields(addresses(p.Output())); len(got) != 2 || got[0] != got[1] {
		t.Errorf("addresses %v:\n%s", got, p.Output())
	}
	if strings.Contains(p.Output(), "removed") || !strings.Contains(p.Output(), "1970") {
		t.Error(p.Output())
	}
	locked := regexp.MustCompile(`Locked in: no-new-privs; capabilities net_bind_service net_raw net_admin; Landlock [1-9] .*; seccomp of [0-9]+ calls`)
	if n := len(locked.FindAllString(p.Output(), -1)); n != 2 {
		t.Errorf("locked in %d times, want twice:\n%s", n, p.Output())
	}
	threads := strings.Split(p.Output(), "Name:\tdhcpd")[1:]
	for _, status := range threads {
		for _, want := range []string{`CapEff:\s0{12}3400\s`, `CapBnd:\s0{12}3400\s`, `NoNewPrivs:\s1\s`, `Seccomp:\s2\s`} {
			if !regexp.MustCompile(want).MatchString(status) {
				t.Errorf("a thread without %s:\n%s", want, status)
			}
		}
	}
	if len(threads) < 3 {
		t.Errorf("%d threads of dhcpd", len(threads))
	}
	server.Stop()
}

// TestN2_L8_DeadCard: one card has a carrier, and nobody there.
func TestN2_L8_DeadCard(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.serve(1)
	p := m.boot("uroot.cpio", once+ends, "")
	took := m.leased(p)
	p.WaitLine("THE END")
	if got := addresses(p.Output()); !strings.HasPrefix(got, "10.71.0.10") {
		t.Errorf("addresses %s", got)
	}
	// It is three seconds, and would be sixty for the dead one; a slow machine may
	// take longer.
	if took >= 30 {
		t.Errorf("it has waited %.1f s for the dead one:\n%s", took, p.Output())
	}
}

// TestN2_B7_L8_LateCable: both cables are plugged in when dhcpd runs already.
func TestN2_B7_L8_LateCable(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.serve(0)
	p := m.boot("uroot.cpio", once+ends, "")
	m.cable(0, "off")
	m.cable(1, "off")
	p.WaitLine("eth0: Ethernet address")
	m.cable(0, "on")
	m.leased(p)
	p.WaitLine("THE END")
}

// TestN2_C1_L8_LateServer: the server comes when the second DISCOVER has been
// in vain.
func TestN2_C1_L8_LateServer(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	p := m.boot("uroot.cpio", once+ends, "")
	p.WaitLine("eth0: sent to .*DHCPDISCOVER")
	p.WaitLine("eth0: sent to .*DHCPDISCOVER")
	m.serve(0)
	m.leased(p)
	p.WaitLine("THE END")
}

// TestN2_L8_KernelArguments: both networks are served; the kernel's command
// line says which one counts.
func TestN2_L8_KernelArguments(t *testing.T) {
	for _, tt := range []struct{ name, args, want string }{
		{"device", "ip=:::::eth1:dhcp", `10\.71\.0\.10[0-9]/24`},
		{"fixed", "ip=10.70.0.55::10.70.0.1:255.255.255.0:box:eth0:off", `10\.70\.0\.55/24`},
		{"bootif", "BOOTIF=01-52-54-00-12-34-51", `10\.71\.0\.10[0-9]/24`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.serve(0, 1)
			p := m.boot("uroot.cpio", once+ends, tt.args)
			m.leased(p)
			p.WaitLine("THE END")
			if got := addresses(p.Output()); !regexp.MustCompile("^" + tt.want + "$").MatchString(got) {
				t.Errorf("addresses %s, want %s", got, tt.want)
			}
		})
	}
}

// TestN2_Alone: dhcpd is all there is. Debian's kernel has no card without a
// module, and nobody here to load one: what can be seen is that it runs as the
// first process, with what it needs mounted, and says what it lacks.
func TestN2_Alone(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	p := m.boot("only.cpio", "", "ip=dhcp -- -o2")
	p.WaitLine("no Ethernet is there to be configured")
	p.WaitLine("exitcode=0x00000200")
	if strings.Contains(p.Output(), "/proc") {
		t.Error(p.Output())
	}
}
