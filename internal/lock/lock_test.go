//go:build !race

// The race detector comes with cgo, with which nothing is locked.

package lock

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A lock never opens again: each test has a process of its own, this program
// with the name of what is to be done.
func TestMain(m *testing.M) {
	if inside := insides[os.Getenv("INSIDE")]; inside != nil {
		inside()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var insides = map[string]func(){
	"calls": insideCalls, "files": insideFiles, "denied": insideDenied, "off": insideOff, "another's": insideAnothers, "nobody": insideNobody,
}

// inside runs one of them with a folder as its own, and returns what it says.
func inside(t *testing.T, name, dir string) string {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "INSIDE="+name, "DIR="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// want compares line by line.
func want(t *testing.T, got string, lines ...string) {
	t.Helper()
	if want := strings.Join(lines, "\n") + "\n"; got != want {
		t.Errorf("it says\n%swant\n%s", got, want)
	}
}

// onThreads calls lock, and f on threads that were there before it and on one
// that is new. What f says is said once for all that say the same.
func onThreads(lock func(), f func() string) {
	const old = 4
	begin, ready, said := make(chan bool), make(chan bool), make(chan string)
	thread := func() {
		runtime.LockOSThread()
		ready <- true
		<-begin
		said <- f()
	}
	for range old {
		go thread()
	}
	for range old {
		<-ready
	}
	lock()
	go thread()
	<-ready
	begin <- true
	first := <-said
	os.Stdout.WriteString(first)
	for range old {
		begin <- true
		if s := <-said; s != first {
			fmt.Printf("another thread:\n%s", s)
		}
	}
}

// try makes a system call with the worst of arguments, and says how it ended.
// One that is not refused must not have a process too many for us.
func try(call uint32, args ...uintptr) syscall.Errno {
	const none = ^uintptr(0)
	args = append(args, none, none, none, none)
	r, _, e := syscall.RawSyscall6(uintptr(call), args[0], args[1], args[2], args[3], none, none)
	if e == 0 && r == 0 && (call == unix.SYS_CLONE || call == calls()[0] && runtime.GOARCH == "amd64") {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	return e
}

func lacks(line string) { fmt.Println(line) }

func insideCalls() {
	page, err := syscall.Mmap(-1, 0, os.Getpagesize(), syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	f, e := os.Create(filepath.Join(os.Getenv("DIR"), "file"))
	if err = errors.Join(err, e); err != nil {
		panic(err)
	}
	lock := func() {
		for _, close := range []func(*Reach) (string, error){noNewPrivs, seccomp} {
			if _, err := close(nil); err != nil {
				panic(err)
			}
		}
	}
	onThreads(lock, func() string {
		var b bytes.Buffer
		say := func(what string, e syscall.Errno) { fmt.Fprintf(&b, "%s: %v\n", what, e) }
		conditional := map[uint32]bool{}
		for _, v := range verdicts {
			conditional[v.call] = true
		}
		for _, call := range calls() {
			if e := try(call); e != syscall.EPERM && !conditional[call] {
				say(fmt.Sprint("call ", call), e)
			}
		}
		say("fork", try(unix.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0))
		for _, family := range []uintptr{unix.AF_INET, unix.AF_NETLINK, unix.AF_PACKET, unix.AF_UNIX, unix.AF_INET6, unix.AF_ALG} {
			fd, _, e := syscall.RawSyscall(unix.SYS_SOCKET, family, unix.SOCK_DGRAM, 0)
			if e == 0 {
				syscall.Close(int(fd))
			}
			say(fmt.Sprint("family ", family), e)
		}
		at, size := uintptr(unsafe.Pointer(&page[0])), uintptr(len(page))
		say("mprotect to write", try(unix.SYS_MPROTECT, at, size, unix.PROT_WRITE))
		say("mprotect to run", try(unix.SYS_MPROTECT, at, size, unix.PROT_READ|unix.PROT_EXEC))
		say("mmap to run", try(sysMmap, 0, size, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE))
		say("fchmod 0640", try(unix.SYS_FCHMOD, f.Fd(), 0640))
		say("fchmod 04755", try(unix.SYS_FCHMOD, f.Fd(), 04755))
		say("fchmod 02755", try(unix.SYS_FCHMOD, f.Fd(), 02755))
		say("signal 0 to a thread", try(unix.SYS_TGKILL, uintptr(os.Getpid()), uintptr(syscall.Gettid()), 0))
		say("signal 0 to another's", try(unix.SYS_TGKILL, uintptr(os.Getppid()), uintptr(os.Getppid()), 0))
		if arch == unix.AUDIT_ARCH_X86_64 {
			say("x32", try(1<<30|unix.SYS_GETPID))
		}
		return b.String()
	})
}

// TestN4_Calls: seccomp refuses every call of the list, on all threads, to one
// who may do everything, and lets through what is asked of the others.
func TestN4_Calls(t *testing.T) {
	const ok, no = "errno 0", "operation not permitted"
	lines := []string{"fork: " + no, "family 2: " + ok, "family 16: " + ok, "family 17: " + ok, "family 1: " + no, "family 10: " + no,
		"family 38: " + no, "mprotect to write: " + ok, "mprotect to run: " + no, "mmap to run: " + no, "fchmod 0640: " + ok,
		"fchmod 04755: " + no, "fchmod 02755: " + no, "signal 0 to a thread: " + ok, "signal 0 to another's: " + no}
	if arch == unix.AUDIT_ARCH_X86_64 {
		lines = append(lines, "x32: "+no)
	}
	want(t, inside(t, "calls", t.TempDir()), lines...)
}

// run is what the kernel makes of a filter's program.
func run(p program, arch, call uint32) uint32 {
	for pc, a := 0, uint32(0); ; pc++ {
		switch i := p[pc]; i.Code {
		case load:
			a = map[uint32]uint32{atArch: arch, atNumber: call}[i.K]
		case end:
			return i.K
		default:
			holds := map[uint16]bool{isEqual: a == i.K, isLeast: a >= i.K, hasBits: a&i.K != 0}[i.Code]
			if pc += int(i.Jf); holds {
				pc += int(i.Jt) - int(i.Jf)
			}
		}
	}
}

// TestN4_Filter: of all numbers those of the list are refused, and few steps are
// enough for any. Arguments are all 0 here.
func TestN4_Filter(t *testing.T) {
	list := calls()
	verdicts[0].body[1].K = 0 // the process that we are
	p := search(door, list)
	in := map[uint32]bool{}
	for i, call := range list {
		if i > 0 && call <= list[i-1] {
			t.Errorf("call %d stands there twice, or out of order", call)
		}
		in[call] = true
	}
	for _, call := range []uint32{unix.SYS_TGKILL, sysMmap, unix.SYS_MPROTECT, unix.SYS_PKEY_MPROTECT, unix.SYS_FCHMOD} {
		in[call] = false // nothing is asked for that is refused
	}
	for call := range uint32(8000) {
		if got := run(p, arch, call) == refused; got != in[call] {
			t.Errorf("call %d: refused %v, want %v", call, got, in[call])
		}
		if run(p, arch^1, call) != refused || run(p, arch, 1<<30+call) != refused {
			t.Fatalf("call %d of another architecture is let through", call)
		}
	}
}

// TestN4_FilterElsewhere: the same on the other machines, whose calls have other
// numbers, as qemu runs the test above.
func TestN4_FilterElsewhere(t *testing.T) {
	for arch, qemu := range map[string]string{"arm": "arm", "arm64": "aarch64", "mips": "mips", "mipsle": "mipsel", "riscv64": "riscv64"} {
		bin := filepath.Join(t.TempDir(), "test")
		build := exec.Command("go", "test", "-c", "-o", bin, ".")
		build.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "GOMIPS=softfloat", "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", arch, err, out)
		}
		out, err := exec.Command("qemu-"+qemu+"-static", bin, "-test.run=^TestN4_Filter$", "-test.v").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestN4_Filter") {
			t.Errorf("%s: %v (if qemu is missing, run .ci/peers)\n%s", arch, err, out)
		}
	}
}

func insideFiles() {
	dir := os.Getenv("DIR")
	path := func(name string) string { return filepath.Join(dir, name) }
	// Somebody else, for whom a folder is made anew.
	other := exec.Command("sh", "-c", "read x; rm -r gone && mkdir gone")
	other.Dir = dir
	pipe, err := other.StdinPipe()
	if err = errors.Join(err, other.Start()); err != nil {
		panic(err)
	}
	lock := func() {
		did := In(&Reach{Lacks: lacks,
			Read:  []string{path("read/file"), path("links/link"), path("later/or/never/file"), "/no/such/folder", "/proc/self"},
			Write: []string{path("write/file"), path("made/here/file"), path("gone/file"), ""}})
		fmt.Println(strings.Count(did, ";"), "locks more")
		pipe.Close()
		if err := other.Wait(); err != nil {
			panic(err)
		}
	}
	onThreads(lock, func() string {
		var b bytes.Buffer
		say := func(what string, err error) {
			for _, e := range []syscall.Errno{syscall.EACCES, syscall.EPERM} {
				if errors.Is(err, e) {
					err = e
				}
			}
			fmt.Fprintf(&b, "%s: %v\n", what, err)
		}
		open := func(name string, flags int) error {
			f, err := os.OpenFile(path(name), flags, 0600)
			f.Close()
			return err
		}
		say("read", open("read/file", os.O_RDONLY))
		say("read by a link", open("links/link", os.O_RDONLY))
		say("read what is not named", open("other/file", os.O_RDONLY))
		say("write what is to be read", open("read/file", os.O_WRONLY))
		say("truncate it", open("read/file", os.O_RDONLY|os.O_TRUNC))
		say("make a file beside it", open("read/more", os.O_RDWR|os.O_CREATE))
		say("remove it", os.Remove(path("read/file")))
		say("write", open("write/file", os.O_RDWR|os.O_CREATE|os.O_TRUNC))
		say("replace", errors.Join(open("write/new", os.O_RDWR|os.O_CREATE), syscall.Rename(path("write/new"), path("write/file"))))
		say("sync", open("write/", os.O_RDONLY))
		say("make a file where the folder was not", open("made/here/file", os.O_RDWR|os.O_CREATE))
		say("rename it away", syscall.Rename(path("made/here/file"), path("other/file")))
		say("remove", errors.Join(os.Remove(path("made/here/file")), os.Remove(path("write/file"))))
		say("make a folder", os.Mkdir(path("write/folder"), 0700))
		say("make a link", os.Symlink("/etc/passwd", path("write/link")))
		say("make a pipe", syscall.Mkfifo(path("write/pipe"), 0600))
		say("make a file where the folder is another", open("gone/file", os.O_RDWR|os.O_CREATE))
		say("run", syscall.Exec("/bin/true", []string{"true"}, nil))
		text, err := os.ReadFile("/proc/thread-self/status")
		say("status", err)
		for _, line := range strings.Split(string(text), "\n") {
			if name, value, _ := strings.Cut(line, ":\t"); strings.HasPrefix(name, "Cap") || name == "NoNewPrivs" || name == "Seccomp" {
				fmt.Fprintln(&b, name, value)
			}
		}
		return b.String()
	})
}

// TestN4_Files: what is within reach, and what is not, on all threads.
func TestN4_Files(t *testing.T) {
	const no = "permission denied"
	dir := t.TempDir()
	for _, name := range []string{"read/file", "linked/file", "other/file", "write/file", "gone/file", "links/x", "later/x"} {
		err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0700), os.WriteFile(filepath.Join(dir, name), nil, 0600))
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../linked/file", filepath.Join(dir, "links/link")); err != nil {
		t.Fatal(err)
	}
	want(t, strings.ReplaceAll(inside(t, "files", dir), "<nil>", "ok"),
		"3 locks more",
		"read: ok", "read by a link: ok", "read what is not named: "+no, "write what is to be read: "+no, "truncate it: "+no,
		"make a file beside it: "+no, "remove it: "+no, "write: ok", "replace: ok", "sync: ok",
		"make a file where the folder was not: ok", "rename it away: "+no, "remove: ok",
		"make a folder: "+no, "make a link: "+no, "make a pipe: "+no, "make a file where the folder is another: "+no,
		"run: operation not permitted", "status: ok",
		"CapInh 0000000000000000", "CapPrm 0000000000002400", "CapEff 0000000000002400", "CapBnd 0000000000002400",
		"CapAmb 0000000000000000", "NoNewPrivs 1", "Seccomp 2")
}

// insideDenied stands for a kernel that lacks what it refuses.
func insideDenied() {
	lack(syscall.EPERM, unix.SYS_CAPGET, unix.SYS_SECCOMP, unix.SYS_LANDLOCK_CREATE_RULESET) // sorted, on any machine
	fmt.Println(In(&Reach{Lacks: lacks}))
}

// insideOff is for a kernel that has Landlock and was started without.
func insideOff() {
	lack(syscall.EOPNOTSUPP, unix.SYS_LANDLOCK_CREATE_RULESET)
	did := In(&Reach{Lacks: lacks})
	fmt.Println(strings.HasPrefix(did, "no-new-privs; capabilities"), strings.Contains(did, "; seccomp of "))
}

// lack has these calls end with an error.
func lack(with syscall.Errno, calls ...uint32) {
	p := search(door, calls)
	for i := range p {
		if p[i].K == refused {
			p[i].K = unix.SECCOMP_RET_ERRNO | uint32(with)
		}
	}
	f := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	noNewPrivs(nil)
	if _, _, e := syscall.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&f))); e != 0 {
		panic(e)
	}
}

// TestN4_Degraded: one line for each lock that the kernel does not have; the
// rest is locked.
func TestN4_Degraded(t *testing.T) {
	want(t, inside(t, "denied", t.TempDir()), "done without capabilities: operation not permitted",
		"done without Landlock: operation not permitted", "done without seccomp: operation not permitted", "no-new-privs")
	want(t, inside(t, "off", t.TempDir()), "done without Landlock: operation not supported", "true true")
}

func insideAnothers() {
	conf := filepath.Join(os.Getenv("DIR"), "dhcp.conf")
	did := In(&Reach{Lacks: lacks, Read: []string{conf}, Admin: true})
	_, err := os.ReadFile(conf)
	_, caps, _ := strings.Cut(did, "; ")
	caps, _, _ = strings.Cut(caps, ";")
	fmt.Println(caps, err)
}

// TestN4_AnothersConfig: a configuration that is another user's can be read later,
// too; where none is, the capability that it takes goes.
func TestN4_AnothersConfig(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "dhcp.conf")
	if err := os.WriteFile(conf, nil, 0600); err != nil {
		t.Fatal(err)
	}
	want(t, inside(t, "another's", dir), "capabilities net_bind_service net_raw net_admin <nil>")
	if err := os.Chown(conf, 4711, 4711); err != nil {
		t.Fatal(err)
	}
	want(t, inside(t, "another's", dir), "capabilities net_bind_service net_raw net_admin dac_read_search <nil>")
}

func insideNobody() {
	if err := syscall.Setuid(65534); err != nil {
		panic(err)
	}
	did := In(&Reach{Lacks: lacks, Admin: true})
	fmt.Println(strings.Contains(did, "capabilities;"), strings.Count(did, ";"))
}

// TestN4_Unprivileged: who may do nothing can still lock himself in.
func TestN4_Unprivileged(t *testing.T) {
	want(t, inside(t, "nobody", t.TempDir()), "true 3")
}
