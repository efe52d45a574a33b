package netlab

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
)

// A Host is a machine of a lab.
type Host struct {
	Name string
	Dir  string // a folder for the files of its programs, as seen from everywhere

	lab   *Lab
	first *exec.Cmd // the first process of its process namespace
	spaces
	jobs  chan func()
	procs []*Proc
}

// spaces are file descriptors of the namespaces of a host.
type spaces struct{ net, mnt, uts, pid int }

// furnish is what the first process of a host does: mounts of its own, then
// sleep, with SIGCHLD ignored so that orphans leave no zombies.
//
// /etc becomes a tmpfs of links to the machine's files, read-only below, with
// a real and empty resolv.conf: programs replace that by rename(2), which a
// file mounted over would not allow. What fails softly is what an ordinary
// user's namespace may be denied.
const furnish = `
mount --make-rprivate /
mount -t proc proc /proc || :
mount -t sysfs sysfs /sys || :
mkdir "$NETLAB_DIR/etc"
mount --rbind /etc "$NETLAB_DIR/etc"
mount -o remount,bind,ro "$NETLAB_DIR/etc" || :
mount -t tmpfs -o mode=755 netlab /etc
ln -s "$NETLAB_DIR"/etc/* /etc
rm -f /etc/resolv.conf
: >/etc/resolv.conf
mount -t tmpfs -o mode=755 netlab /run
mkdir -p /run/lock
for d in /var/lib/dhcp /var/lib/dhcpcd /var/lib/dhcpd /var/lib/misc; do
	if [ -d $d ]; then mount -t tmpfs -o mode=755 netlab $d; fi
done
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6 || :
echo ready
exec env --ignore-signal=CHLD sleep infinity
`

// Host adds a machine with nothing but a loopback interface.
func (l *Lab) Host(name string) *Host {
	l.t.Helper()
	h := &Host{Name: name, Dir: filepath.Join(l.Dir, name), lab: l, jobs: make(chan func())}
	if err := os.Mkdir(h.Dir, 0o755); err != nil {
		l.t.Fatalf("netlab: %v", err)
	}
	born := make(chan error)
	go h.live(born)
	if err := <-born; err != nil {
		l.t.Fatalf("netlab: host %s: %v", name, err)
	}
	l.hosts = append(l.hosts, h)
	h.Up("lo")
	return h
}

// live is the thread that owns the host: its processes are started here, and
// the first one dies when this thread does.
func (h *Host) live(born chan<- error) {
	runtime.LockOSThread() // and never unlocked: the thread ends with us
	err := h.begin()
	if err == nil {
		err = h.enter(unix.CLONE_NEWPID)
	}
	if err == nil { // once: a DHCP client may give it another name
		err = unix.Sethostname([]byte(h.Name))
	}
	born <- err
	if err != nil {
		return
	}
	for f := range h.jobs {
		f()
	}
}

// begin starts the host's first process and opens its namespaces.
func (h *Host) begin() error {
	h.first = exec.Command("/bin/sh", "-ec", furnish)
	h.first.Env = append(os.Environ(), "NETLAB_DIR="+h.Dir)
	h.first.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWPID,
		Pdeathsig:  unix.SIGKILL,
	}
	out, err := h.first.StdoutPipe()
	if err != nil {
		return err
	}
	var said strings.Builder
	h.first.Stderr = &said
	if err := h.first.Start(); err != nil {
		return fmt.Errorf("can't make namespaces (be root, or in a user namespace: unshare -Urnm): %w", err)
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		h.first.Wait()
		return fmt.Errorf("can't mount: %s", said.String())
	}
	for _, ns := range []struct {
		name string
		fd   *int
	}{{"net", &h.net}, {"mnt", &h.mnt}, {"uts", &h.uts}, {"pid", &h.pid}} {
		path := fmt.Sprintf("/proc/%d/ns/%s", h.first.Process.Pid, ns.name)
		if *ns.fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// enter moves the calling thread into the host. With CLONE_NEWPID its
// children join the host's processes; such a thread can't make threads.
func (h *Host) enter(also int) error {
	// A thread that shares its working folder with others can't change mounts.
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	for _, ns := range []struct{ fd, kind int }{
		{h.net, unix.CLONE_NEWNET}, {h.uts, unix.CLONE_NEWUTS}, {h.mnt, unix.CLONE_NEWNS}, {h.pid, also},
	} {
		if ns.kind == 0 {
			continue
		}
		if err := unix.Setns(ns.fd, ns.kind); err != nil {
			return fmt.Errorf("setns: %w", err)
		}
	}
	return nil
}

// Do runs f on a thread inside the host, for sockets and files of its own:
// what f opens stays there when f has returned. Goroutines that f starts are
// outside again. f may fail the test.
func (h *Host) Do(f func()) {
	h.lab.t.Helper()
	var err error
	whole, done := false, make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread is spoilt for others
		if err = h.enter(0); err == nil {
			f()
		}
		whole = true
	}()
	<-done
	if err != nil {
		h.lab.t.Fatalf("netlab: host %s: %v", h.Name, err)
	}
	if !whole {
		runtime.Goexit() // f has failed the test, and so ended its goroutine
	}
}

// onThread runs f on the host's own thread, where processes are started.
func (h *Host) onThread(f func()) {
	done := make(chan struct{})
	h.jobs <- func() { f(); close(done) }
	<-done
}

// Path returns where the test finds the host's own file of that absolute
// name, say /etc/resolv.conf.
func (h *Host) Path(name string) string {
	return filepath.Join(fmt.Sprintf("/proc/%d/root", h.first.Process.Pid), name)
}

// ReadFile returns the content of one of the host's own files, "" if there
// is none.
func (h *Host) ReadFile(name string) string {
	text, _ := os.ReadFile(h.Path(name))
	return string(text)
}

// WriteFile writes a file into the host's Dir and returns its path.
func (h *Host) WriteFile(name, text string) string {
	h.lab.t.Helper()
	path := filepath.Join(h.Dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		h.lab.t.Fatalf("netlab: %v", err)
	}
	return path
}

// Iface returns what the kernel tells about one of the host's interfaces.
func (h *Host) Iface(name string) *net.Interface {
	h.lab.t.Helper()
	ifi := h.iface(name)
	if ifi == nil {
		h.lab.t.Fatalf("netlab: host %s: there is no interface %s", h.Name, name)
	}
	return ifi
}

// iface is Iface, with nil for none.
func (h *Host) iface(name string) (ifi *net.Interface) {
	h.lab.t.Helper()
	h.Do(func() { ifi, _ = net.InterfaceByName(name) })
	return ifi
}

// Addrs returns the IPv4 addresses of an interface, in the kernel's order;
// none if there is no such interface.
func (h *Host) Addrs(name string) (list []netip.Prefix) {
	h.lab.t.Helper()
	h.Do(func() {
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			return
		}
		addrs, _ := ifi.Addrs()
		for _, a := range addrs {
			if p, ok := netip.ParsePrefix(a.String()); ok {
				list = append(list, p)
			}
		}
	})
	return list
}

// close kills the first process, and the kernel with it all the others; they
// are gone when Wait returns.
func (h *Host) close() {
	h.first.Process.Kill()
	h.first.Wait()
	for _, p := range h.procs {
		<-p.ended
	}
	close(h.jobs)
	for _, fd := range []int{h.net, h.mnt, h.uts, h.pid} {
		unix.Close(fd)
	}
}

// tell logs what the host's programs said, for a test that failed.
func (h *Host) tell() {
	for _, p := range h.procs {
		h.lab.t.Logf("%s", p.story())
	}
}

// Run runs a program to its end and returns its output; failure fails the
// test.
func (h *Host) Run(name string, args ...string) string {
	h.lab.t.Helper()
	out, code := h.Try(name, args...)
	if code != 0 {
		h.lab.t.Fatalf("netlab: host %s: %s %s: exit %d\n%s", h.Name, name, strings.Join(args, " "), code, out)
	}
	return out
}

// Try runs a program to its end and returns its output and exit status.
func (h *Host) Try(name string, args ...string) (string, int) {
	h.lab.t.Helper()
	p := h.spawn(name, args)
	code := p.Wait()
	return p.Output(), code
}
