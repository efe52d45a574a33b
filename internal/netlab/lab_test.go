package netlab

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dhcpd/internal/netip"
)

// pair is a server and a client on one wire.
func pair(t *testing.T) (lab *Lab, server, client *Host) {
	t.Helper()
	lab = New(t)
	server, client = lab.Host("server"), lab.Host("client")
	lab.Wire(server, "eth0", client, "eth0")
	server.Addr("eth0", "10.0.0.1/24")
	return lab, server, client
}

// leased waits until the client's interface has an address of the range.
func leased(t *testing.T, client *Host, s Serving) {
	t.Helper()
	client.Until("an address from the server", func() bool {
		list := client.Addrs("eth0")
		return len(list) == 1 && !list[0].Addr().Less(s.Low) && !s.High.Less(list[0].Addr())
	})
}

// TestLab_Peers shows that each server can give each client its lease.
func TestLab_Peers(t *testing.T) {
	servers := map[string]func(*Host, Serving, ...string) *Proc{
		"dnsmasq": (*Host).Dnsmasq, "isc": (*Host).ISC, "udhcpd": (*Host).Udhcpd, "kea": (*Host).Kea,
	}
	clients := map[string]func(*Host, string, ...string) *Proc{
		"udhcpc": (*Host).Udhcpc, "dhclient": (*Host).Dhclient, "dhcpcd": (*Host).Dhcpcd,
	}
	machine, _ := os.ReadFile("/etc/resolv.conf")
	for sname, serve := range servers {
		for cname, ask := range clients {
			t.Run(sname+"-"+cname, func(t *testing.T) {
				_, server, client := pair(t)
				s := Serve("eth0", "10.0.0.1/24")
				s.T1 = 1000e9
				serve(server, s)
				ask(client, "eth0")
				leased(t, client, s)
			})
		}
	}
	if now, _ := os.ReadFile("/etc/resolv.conf"); string(now) != string(machine) {
		t.Errorf("the machine's resolv.conf was %q and is %q", machine, now)
	}
}

// TestLab_Private shows that what a client writes stays on its host.
func TestLab_Private(t *testing.T) {
	lab, server, client := pair(t)
	s := Serve("eth0", "10.0.0.1/24")
	server.Dnsmasq(s, "--dhcp-option=option:dns-server,192.0.2.53")
	client.Dhclient("eth0")
	lab.Until("a resolv.conf on the client", func() bool {
		return strings.Contains(client.ReadFile("/etc/resolv.conf"), "192.0.2.53")
	})
	if text := server.ReadFile("/etc/resolv.conf"); text != "" {
		t.Errorf("the server's resolv.conf holds %q", text)
	}
	if text, _ := os.ReadFile("/etc/resolv.conf"); strings.Contains(string(text), "192.0.2.53") {
		t.Errorf("the machine's resolv.conf holds %q", text)
	}
	client.Run("sh", "-c", "hostname elsewhere && touch /run/here && ! touch /etc/passwd 2>/dev/null")
	if name, _ := os.Hostname(); name == "elsewhere" {
		t.Error("the machine has the client's host name")
	}
	if _, err := os.Stat("/run/here"); err == nil {
		t.Error("the machine's /run has the client's file")
	}
}

func TestLab_SwitchAndCarrier(t *testing.T) {
	lab := New(t)
	sw := lab.Switch()
	var hosts []*Host
	var ports []*Port
	for i := range 3 {
		h := lab.Host(fmt.Sprint("h", i))
		ports = append(ports, sw.Plug(h, "eth0"))
		h.Addr("eth0", fmt.Sprintf("10.0.0.%d/24", i+1))
		hosts = append(hosts, h)
	}
	reaches := func(h *Host, a string) { // the first frames may find the switch deaf
		t.Helper()
		lab.Until("an answer of "+a, func() bool { _, code := h.Try("busybox", "ping", "-c1", "-W5", a); return code == 0 })
	}
	for _, h := range hosts[1:] {
		reaches(h, "10.0.0.1")
	}
	running := func() bool { return strings.Contains(hosts[0].Iface("eth0").Flags.String(), "running") }
	ports[0].Cut()
	hosts[0].Until("no carrier", func() bool { return !running() })
	ports[0].Mend()
	hosts[0].Until("a carrier", running)
	reaches(hosts[0], "10.0.0.3")
	hosts[0].DelAddr("eth0", "10.0.0.1/24")
	if list := hosts[0].Addrs("eth0"); len(list) != 0 {
		t.Errorf("addresses left: %v", list)
	}
}

func TestLab_Proc(t *testing.T) {
	h := New(t).Host("h")
	p := h.Start("sh", "-c", "trap 'echo bye; exit 7' TERM; echo one 1; echo two 2; echo one 3; while :; do sleep 60 & wait; done")
	if got := p.WaitLine(`^one (\d)$`)[1]; got != "1" {
		t.Errorf("the first one is %q", got)
	}
	if got := p.WaitLine(`^one (\d)$`)[1]; got != "3" {
		t.Errorf("the second one is %q", got)
	}
	if code := p.Stop(); code != 7 {
		t.Errorf("exit status %d, want 7", code)
	}
	p.WaitLine("bye")
	if _, code := h.Try("sh", "-c", "exit 3"); code != 3 {
		t.Errorf("exit status %d, want 3", code)
	}
	k := h.Start("sleep", "600")
	if k.Kill(); !k.Ended() || k.Wait() != 128+9 {
		t.Errorf("killed: exit status %d", k.Wait())
	}
}

// TestLab_LateReader: a program's output is whole, however late we are to read
// it, and though a child of its own holds the pipe.
func TestLab_LateReader(t *testing.T) {
	p := New(t).Host("h").Start("sh", "-c", "trap 'sleep 1000 & seq 10000; exit' TERM; echo ready; while :; do sleep 60 & wait; done")
	p.WaitLine("ready")
	p.mu.Lock()
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		t.Error("ended, and its output is not in")
	case <-time.After(2 * time.Second):
	}
	p.mu.Unlock()
	p.Wait()
	if got := strings.Count(p.Output(), "\n"); got != 1+10000 {
		t.Errorf("%d lines, want 10001", got)
	}
}

// TestLab_Capture shows that tshark finds what is wrong with a frame, and
// nothing wrong with what an honest client sends.
func TestLab_Capture(t *testing.T) {
	lab, server, client := pair(t)
	c := lab.Capture(client, "eth0")
	s := Serve("eth0", "10.0.0.1/24")
	server.Dnsmasq(s)
	client.Udhcpc("eth0", "-q").Wait()
	ack := c.Await("an ACK", func(f []byte) bool {
		return len(f) > 284 && f[23] == 17 && f[42] == 2 && f[284] == 5
	})
	if len(ack) < 14+20+8+240 {
		t.Fatalf("an ACK of %d octets", len(ack))
	}
	c.Check([][6]byte{client.MAC("eth0"), server.MAC("eth0")})

	broken := append([]byte(nil), ack...)
	broken[40] ^= 1 // the UDP checksum
	for name, frame := range map[string][]byte{"checksum": broken, "cut": ack[:14+20+8+100]} {
		c := lab.Capture(server, "eth0")
		client.Frames("eth0").Send(frame)
		c.Await("the frame", func(f []byte) bool { return len(f) == len(frame) })
		c.Close()
		rows, err := tshark(c.File)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.from([][6]byte{[6]byte(frame[6:12])}) && r.complaint(nil) == "" {
				t.Errorf("%s: nothing wrong with frame %+v", name, r)
			}
		}
		if len(rows) == 0 {
			t.Errorf("%s: no frame read", name)
		}
	}
}

// TestLab_NothingLeft kills a test with -9 in the middle and looks for
// remains: processes and namespaces at once, its folder with the next lab.
func TestLab_NothingLeft(t *testing.T) {
	if os.Getenv("NETLAB_VICTIM") != "" {
		victim(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestLab_NothingLeft$")
	cmd.Env = append(os.Environ(), "NETLAB_VICTIM=1")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var dir string
	var ns string
	lines := bufio.NewScanner(out)
	for ns == "" && lines.Scan() {
		fmt.Sscanf(lines.Text(), "victim %s %s", &dir, &ns)
	}
	if ns == "" {
		t.Fatal("the victim said nothing")
	}
	if len(residents(ns)) < 3 {
		t.Fatalf("the victim's client has processes %v", residents(ns))
	}
	cmd.Process.Kill()
	cmd.Wait()

	lab := New(t)
	lab.Until("no process in the victim's namespace", func() bool { return len(residents(ns)) == 0 })
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("before the sweep: %v", err)
	}
	other := filepath.Join(t.TempDir(), filepath.Base(lab.Dir))
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	sweep(filepath.Dir(dir))
	sweep(filepath.Dir(other))
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is still there", dir)
	}
	for _, living := range []string{lab.Dir, other} {
		if _, err := os.Stat(living); err != nil {
			t.Errorf("swept away the living: %v", err)
		}
	}
}

// victim is the test that gets killed: a client with children of its own.
func victim(t *testing.T) {
	lab, server, client := pair(t)
	s := Serve("eth0", "10.0.0.1/24")
	server.Dnsmasq(s)
	client.Dhcpcd("eth0")
	client.Start("setsid", "sh", "-c", "sleep 1000 & sleep 1001")
	leased(t, client, s)
	fmt.Println("victim", lab.Dir, client.namespace())
	select {}
}

// namespace returns the name of the host's network namespace.
func (h *Host) namespace() string {
	ns, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", h.first.Process.Pid))
	return ns
}

// residents returns the processes that live in a network namespace.
func residents(ns string) (list []string) {
	links, _ := filepath.Glob("/proc/[0-9]*/ns/net")
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && to == ns {
			list = append(list, link)
		}
	}
	return list
}

// TestLab_Close shows that the end of a test leaves nothing, not even of a
// program that hides in a session of its own.
func TestLab_Close(t *testing.T) {
	var dir, ns string
	t.Run("lab", func(t *testing.T) {
		lab, server, client := pair(t)
		server.Udhcpd(Serve("eth0", "10.0.0.1/24"))
		client.Run("sh", "-c", "setsid sleep 1000 </dev/null >/dev/null 2>&1 &")
		dir, ns = lab.Dir, client.namespace()
	})
	if left := residents(ns); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is still there", dir)
	}
}

func TestLab_Stale(t *testing.T) {
	start, err := startTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		fmt.Sprintf("netlab-%d-%s-1", os.Getpid(), start):  false,
		fmt.Sprintf("netlab-%d-%s0-1", os.Getpid(), start): true, // its number, another start
		"netlab-4194305-1-1":                               true, // more than the kernel has
		"netlab-x-1-1":                                     false,
		"netlab-1":                                         false,
	} {
		if got := stale(name); got != want {
			t.Errorf("stale(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestLab_Serve(t *testing.T) {
	s := Serve("eth0", "10.1.2.1/20")
	if s.mask() != "255.255.240.0" || s.Low != netip.MustParseAddr("10.1.2.100") {
		t.Errorf("mask %s, low %s", s.mask(), s.Low)
	}
	if got := broadcast(s.Net); string(got) != "\x0a\x01\x0f\xff" {
		t.Errorf("broadcast %v", got)
	}
	if got := colons([6]byte{2, 0xab, 0, 0, 0, 1}); got != "02:ab:00:00:00:01" {
		t.Errorf("colons: %s", got)
	}
}
