// Package lock gives up what the program does not need once it runs: the
// capabilities for other work, the files of others, and the system calls by
// which one gets hold of another program. What a bug can be made to do is then
// hardly more than what a DHCP server, relay and client does anyway.
package lock

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Reach is what stays within reach.
type Reach struct {
	Read  []string // files; what is in their folders and below stays too
	Write []string // likewise; "" is none
	Admin bool     // addresses, routes and links may be changed

	Lacks func(line string) // is told of each lock that is not to be had
}

// locks are in the order in which they close: what comes later needs what was
// before, and takes away what that has needed.
var locks = [...]struct {
	name  string
	close func(*Reach) (did string, err error)
}{
	{"no-new-privs", noNewPrivs},
	{"capabilities", capabilities},
	{"Landlock", landlock},
	{"seccomp", seccomp},
}

// In locks the program in, with all its threads, for good, and returns what it
// did, in a few words.
func In(r *Reach) (did string) {
	for _, l := range locks {
		s, err := l.close(r)
		switch {
		case err == syscall.ENOTSUP && did == "": // built with cgo, which has threads that Go does not know
			return "nothing"
		case err != nil:
			r.Lacks("done without " + l.name + ": " + err.Error())
		default:
			did += "; " + l.name + s
		}
	}
	return strings.TrimPrefix(did, "; ")
}

func noNewPrivs(*Reach) (string, error) {
	return "", threads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0)
}

// threads makes a system call on every thread; those to come inherit what it
// does.
//
//go:uintptrescapes
func threads(call, a, b, c uintptr) error {
	if _, _, e := syscall.AllThreadsSyscall(call, a, b, c); e != 0 {
		return e
	}
	return nil
}
