// Package hook passes on what was learned to the rest of the machine: to the
// scripts of people, and to resolv.conf(5).
package hook

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"dhcpd/internal/ascii"
)

// LoopFlag is the first argument of the process of ours that runs scripts;
// the scripts are the others. It is started before the daemon gives up what it
// may do, and believes no more than it must: which of its scripts, one of the
// words of a script, and variables.
const LoopFlag = "--scripts"

// Words that a script is called with.
const (
	Deconfig  = "deconfig"
	Bound     = "bound"
	Renew     = "renew"
	Nak       = "nak"
	LeaseFail = "leasefail"
)

var scriptWords = []string{Deconfig, Bound, Renew, Nak, LeaseFail}

const (
	scriptTime = time.Minute     // a script that takes longer is killed
	lastTime   = 5 * time.Second // what those still to be run have when the daemon ends
	mostCall   = 1 << 17         // octets of a call; what comes from one message is far less
	mostCalls  = 100             // that wait
)

// Runner is that process, seen from the daemon.
type Runner struct {
	paths []string
	pid   int
	calls chan []byte
	done  chan struct{} // all calls are written
}

// Start starts the process for these scripts.
func Start(paths []string) (*Runner, error) {
	var p [2]int
	if err := syscall.Pipe2(p[:], syscall.O_CLOEXEC); err != nil {
		return nil, err
	}
	// A ^C is for the daemon, which may have more to say.
	pid, err := spawn("/proc/self/exe", append([]string{os.Args[0], LoopFlag}, paths...), os.Environ(), p[0], true)
	syscall.Close(p[0])
	if err != nil {
		syscall.Close(p[1])
		return nil, err
	}
	r := &Runner{paths, pid, make(chan []byte, mostCalls), make(chan struct{})}
	go r.write(os.NewFile(uintptr(p[1]), "pipe"))
	return r, nil
}

// write writes the calls to the process: the loop never waits for a script.
func (r *Runner) write(w io.WriteCloser) {
	defer close(r.done)
	defer w.Close()
	for c := range r.calls {
		if _, err := w.Write(c); err != nil {
			return
		}
	}
}

// spawn starts a program with our standard output and error.
func spawn(path string, argv, env []string, stdin int, apart bool) (pid int, err error) {
	pid, _, err = syscall.StartProcess(path, argv, &syscall.ProcAttr{Env: env, Files: []uintptr{uintptr(stdin), 1, 2},
		Sys: &syscall.SysProcAttr{Setpgid: apart}})
	if err != nil {
		err = errors.New("start " + path + ": " + err.Error())
	}
	return pid, err
}

// await waits until a process has ended.
func await(pid int) (status syscall.WaitStatus) {
	for {
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
			return status
		}
	}
}

// Call has a script run; the error says why it can't be.
func (r *Runner) Call(path, word string, env []string) error {
	i := -1
	if r != nil {
		i = slices.Index(r.paths, path)
	}
	if i < 0 {
		return errors.New("script " + path + " was not named when dhcpd started, and is not run")
	}
	body := strings.Join(append([]string{strconv.Itoa(i), word}, env...), "\x00")
	c := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
	select {
	case r.calls <- c:
		return nil
	default:
		return errors.New("script " + path + " is too slow; a call of it is left out")
	}
}

// Close waits for what is still to be run.
func (r *Runner) Close() {
	if r == nil {
		return
	}
	close(r.calls)
	ended := make(chan struct{}, 2)
	go func() {
		<-r.done
		await(r.pid)
		ended <- struct{}{}
	}()
	defer time.AfterFunc(lastTime, func() { ended <- struct{}{} }).Stop()
	<-ended
}

// Loop is what that process does: it runs scripts, one after the other,
// as its standard input says, and ends with it.
func Loop(paths []string, in io.Reader, said io.Writer) int {
	// To be sent to it by a supervisor, who means the daemon.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM, syscall.SIGINT)
	for {
		var size [4]byte
		if _, err := io.ReadFull(in, size[:]); err != nil {
			return 0
		}
		body := make([]byte, min(binary.BigEndian.Uint32(size[:]), mostCall))
		if _, err := io.ReadFull(in, body); err != nil {
			return 1
		}
		path, word, env, ok := parseCall(string(body), paths)
		if !ok {
			return 1
		}
		if why := runScript(path, word, env); why != "" {
			io.WriteString(said, "dhcpd: "+path+" "+word+": "+why+"\n")
		}
	}
}

// parseCall takes a call apart, and checks it.
func parseCall(body string, paths []string) (path, word string, env []string, ok bool) {
	index, rest, _ := strings.Cut(body, "\x00")
	word, rest, more := strings.Cut(rest, "\x00")
	i, isIndex := ascii.Uint(index, 10, 16)
	if !isIndex || int(i) >= len(paths) || !slices.Contains(scriptWords, word) {
		return "", "", nil, false
	}
	for more {
		var v string
		v, rest, more = strings.Cut(rest, "\x00")
		if name, _, found := strings.Cut(v, "="); !found || !isVariable(name) {
			return "", "", nil, false
		}
		env = append(env, v)
	}
	return paths[i], word, env, true
}

// isVariable tells whether a name can be one of ours. Those that mean something
// to the system, as PATH and LD_PRELOAD, are in capitals.
func isVariable(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return name != ""
}

// runScript runs a script to its end and returns what went wrong, "" for nothing.
func runScript(path, word string, env []string) (why string) {
	env = append(env, os.Environ()...)
	if os.Getenv("PATH") == "" {
		env = append(env, "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
	}
	null, err := syscall.Open("/dev/null", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "open /dev/null: " + err.Error()
	}
	defer syscall.Close(null)
	pid, err := spawn(path, []string{path, word}, env, null, false)
	if err != nil {
		return err.Error()
	}
	slow := time.AfterFunc(scriptTime, func() { syscall.Kill(pid, syscall.SIGKILL) })
	defer slow.Stop()
	switch s := await(pid); {
	case s.Signaled():
		return "ended by signal " + strconv.Itoa(int(s.Signal()))
	case s != 0:
		return "exit status " + strconv.Itoa(s.ExitStatus())
	}
	return ""
}
