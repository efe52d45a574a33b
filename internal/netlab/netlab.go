// Package netlab builds small networks for integration tests: hosts joined by
// wires and switches, with real DHCP programs running on them.
//
// A host is a set of namespaces of its own: network, mounts, processes and
// host name. It sees the machine's programs, but a private /etc, /run and
// /var/lib/dhcp, so that a DHCP client may write its resolv.conf and a server
// its leases, and the machine never notices.
//
// Nothing is left behind, whatever happens. The processes of a host live in
// its process namespace and die with its first process; that one dies with
// the thread that made it, so even when the test is killed with -9. All else
// is a folder named netlab-PID-START-…; the next Lab clears away those whose
// owner, by process ID and start time, is gone.
package netlab

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Patience is how long netlab waits for what must come before it gives up
// and fails the test. It is generous: a slow machine is no bug, and dnsmasq
// leases for two minutes at least.
const Patience = 150 * time.Second

// TB is the part of testing.TB that netlab uses; the demo brings its own.
type TB interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Fatalf(format string, args ...any) // must not return
	Failed() bool
	Cleanup(func())
}

// A Lab is one network under test. It goes away with its test.
type Lab struct {
	t     TB
	Dir   string // a folder for this lab's files, removed at the end
	hosts []*Host
	macs  byte
}

// New makes an empty lab, after clearing away what killed tests left.
func New(t TB) *Lab {
	t.Helper()
	sweepOnce.Do(func() { sweep(os.TempDir()) })
	start, err := startTime(os.Getpid())
	if err != nil {
		t.Fatalf("netlab: %v", err)
	}
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-%s-", prefix, os.Getpid(), start))
	if err != nil {
		t.Fatalf("netlab: %v", err)
	}
	l := &Lab{t: t, Dir: dir}
	t.Cleanup(l.close)
	return l
}

// close ends all hosts, and with them every process and interface.
func (l *Lab) close() {
	for _, h := range l.hosts {
		h.close()
	}
	if l.t.Failed() {
		for _, h := range l.hosts {
			h.tell()
		}
	}
	if err := os.RemoveAll(l.Dir); err != nil {
		l.t.Logf("netlab: %v", err)
	}
}

// Until waits for something that no event tells of, by asking again and
// again. Where there is an event, wait for that: Proc.WaitLine, Host.Until,
// Capture.Await.
func (l *Lab) Until(what string, done func() bool) {
	l.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(Patience); !done(); <-tick.C {
		if time.Now().After(end) {
			l.t.Fatalf("netlab: waited %v in vain for: %s", Patience, what)
		}
	}
}

const prefix = "netlab-"

var sweepOnce sync.Once

// sweep removes the folders of labs whose owner is gone. Their processes and
// namespaces went with it.
func sweep(tmp string) {
	dirs, _ := filepath.Glob(filepath.Join(tmp, prefix+"*-*-*"))
	for _, dir := range dirs {
		if stale(filepath.Base(dir)) {
			os.RemoveAll(dir) // someone else's: not ours to remove, nor to complain about
		}
	}
}

// stale tells whether name is that of a lab whose owner is gone. A process
// that only has the owner's number has another start time.
func stale(name string) bool {
	pid, rest, _ := strings.Cut(strings.TrimPrefix(name, prefix), "-")
	start, _, ok := strings.Cut(rest, "-")
	n, err := strconv.Atoi(pid)
	if !ok || err != nil {
		return false
	}
	now, err := startTime(n)
	return err != nil || now != start
}

// startTime returns when a process started, in clock ticks since boot, as
// /proc/PID/stat has it in its 22nd field (see proc(5)).
func startTime(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	// The second field is the program's name in parentheses, and may hold both.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const after = 22 - 2 - 1
	if len(fields) <= after {
		return "", fmt.Errorf("/proc/%d/stat: too short", pid)
	}
	return string(fields[after]), nil
}
