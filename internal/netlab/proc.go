package netlab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Proc is a program running on a host. Its output, standard and error
// together, is kept line by line.
type Proc struct {
	host *Host
	cmd  *exec.Cmd
	said string // the command line

	ended chan struct{} // closed when it has ended and all its output is in
	mu    sync.Mutex
	out   bytes.Buffer
	seen  int           // octets of out that WaitLine has passed
	more  chan struct{} // closed when out has grown
}

// Start runs a program on the host, in the foreground. It is killed with the
// lab at the latest.
func (h *Host) Start(name string, args ...string) *Proc {
	h.lab.t.Helper()
	p := h.spawn(name, args)
	h.procs = append(h.procs, p)
	return p
}

func (h *Host) spawn(name string, args []string) *Proc {
	h.lab.t.Helper()
	p := &Proc{
		host:  h,
		said:  name + " " + strings.Join(args, " "),
		ended: make(chan struct{}),
		more:  make(chan struct{}),
	}
	out, in, err := os.Pipe()
	if err != nil {
		h.lab.t.Fatalf("netlab: %v", err)
	}
	h.onThread(func() {
		p.cmd = exec.Command(name, args...)
		p.cmd.Dir = h.Dir
		p.cmd.Stdout, p.cmd.Stderr = in, in
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		err = p.cmd.Start()
	})
	in.Close()
	if err != nil {
		out.Close()
		h.lab.t.Fatalf("netlab: host %s: %s: %v", h.Name, p.said, err)
	}
	gone := make(chan struct{})
	go p.read(out, gone)
	go func() {
		p.cmd.Wait()
		out.SetReadDeadline(time.Unix(1, 0)) // children of its own may keep the pipe open
		close(gone)
	}()
	return p
}

// read takes the program's output until it has ended, and then what it has left
// in the pipe, however late we are.
func (p *Proc) read(out *os.File, gone <-chan struct{}) {
	defer close(p.ended)
	defer out.Close()
	b := make([]byte, 1<<16)
	for n, err := 0, error(nil); err == nil; {
		n, err = out.Read(b)
		p.keep(b[:n])
	}
	<-gone // it may have closed its output before
	conn, err := out.SyscallConn()
	if err != nil {
		return
	}
	conn.Control(func(fd uintptr) {
		for n, err := 1, error(nil); n > 0 || err == syscall.EINTR; {
			if n, err = syscall.Read(int(fd), b); n > 0 {
				p.keep(b[:n])
			}
		}
	})
}

// keep adds to the program's output.
func (p *Proc) keep(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out.Write(b)
	close(p.more)
	p.more = make(chan struct{})
}

// Output returns all that the program has said so far.
func (p *Proc) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// WaitLine waits for a whole line that matches, beginning after the line that
// the last WaitLine found, and returns the match and its groups.
func (p *Proc) WaitLine(pattern string) []string {
	p.host.lab.t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.After(Patience)
	ended := false
	for {
		found, more := p.next(re, ended)
		if found != nil {
			return found
		}
		if ended {
			p.fail("ended (%v) without a line that matches %q", p.cmd.ProcessState, pattern)
		}
		select {
		case <-more:
		case <-p.ended:
			ended = true
		case <-late:
			p.fail("no line that matches %q in %v", pattern, Patience)
		}
	}
}

// next looks through the lines not yet seen. The channel closes when there
// are more. A last line without newline counts when the program has ended.
func (p *Proc) next(re *regexp.Regexp, ended bool) ([]string, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := p.out.Bytes()
	for at := p.seen; at < len(text); {
		n := bytes.IndexByte(text[at:], '\n')
		if n < 0 && !ended {
			break
		}
		if n < 0 {
			n = len(text) - at
		}
		line := string(text[at : at+n])
		at = min(at+n+1, len(text))
		if found := re.FindStringSubmatch(line); found != nil {
			p.seen = at
			return found, nil
		}
	}
	return nil, p.more
}

// Ended tells whether the program has ended.
func (p *Proc) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Wait waits for the program to end and returns its exit status; 128 + the
// number of the signal that ended it, as a shell has it.
func (p *Proc) Wait() int {
	p.host.lab.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(Patience):
		p.fail("still running after %v", Patience)
	}
	if ws := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return p.cmd.ProcessState.ExitCode()
}

// PID returns the program's process ID as the machine sees it, not the host.
func (p *Proc) PID() int { return p.cmd.Process.Pid }

// Signal sends the program a signal, if it is still there.
func (p *Proc) Signal(sig os.Signal) { p.cmd.Process.Signal(sig) }

// Stop asks the program to end, with SIGTERM, and returns its exit status.
func (p *Proc) Stop() int {
	p.host.lab.t.Helper()
	p.Signal(syscall.SIGTERM)
	return p.Wait()
}

// Kill ends the program and its process group without a word of farewell.
func (p *Proc) Kill() {
	if !p.Ended() {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
	p.Wait()
}

func (p *Proc) fail(format string, args ...any) {
	p.host.lab.t.Helper()
	p.host.lab.t.Fatalf("netlab: %s\n%s", fmt.Sprintf(format, args...), p.story())
}

func (p *Proc) story() string {
	return fmt.Sprintf("host %s: %s\n%s", p.host.Name, p.said, p.Output())
}
