package daemon

import (
	"io"
	"os"
	"strconv"
	"time"

	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/internal/safe"
)

// sayer is where the daemon talks to people: log lines to standard error,
// what the debug level asks for to standard output. It is written to by the
// loop only.
type sayer struct {
	out, err io.Writer
	level    int // debug level
	buf      []byte
	told     map[string]bool // what once has said
	valves   [kinds]valve
}

// kind is a kind of line that the network can cause as often as it likes.
type kind uint8

const (
	remark kind = iota // what a core has to say
	unsent             // what the kernel refused to send
	denied             // what else it refused: a route that a server names, say
	kinds
)

// valve lets out so many lines at once, and then one every so often.
type valve struct {
	used  int       // lines let out, less those whose time is over
	since time.Time // when that was reckoned
	lost  int       // lines kept back since the last one
}

const (
	mostTold    = 1000
	linesAtOnce = 20
	lineEvery   = 30 * time.Second
)

// log says one line that everyone should know.
//
//go:noinline
func (s *sayer) log(text string) { s.line(s.err, "dhcpd: ", text) }

// often says a line of a kind, unless there were too many of them: a flood must
// not fill the log.
func (s *sayer) often(now time.Time, k kind, text string) {
	v := &s.valves[k]
	if n := now.Sub(v.since) / lineEvery; n > 0 {
		v.used, v.since = v.used-min(int(n), v.used), now
	}
	if v.used == linesAtOnce {
		v.lost++
		return
	}
	v.used++
	if v.lost > 0 {
		s.log("lines like the next one left out: " + strconv.Itoa(v.lost))
		v.lost = 0
	}
	s.log(text)
}

// once says a line the first time only.
//
//go:noinline
func (s *sayer) once(text string) {
	if s.first(text) {
		s.log(text)
	}
}

// first tells whether what a key stands for is to be said for the first time.
// If there are many keys, as there are many interfaces that come and go, some
// are said again.
func (s *sayer) first(key string) bool {
	if s.told[key] {
		return false
	}
	if s.told == nil || len(s.told) == mostTold {
		s.told = map[string]bool{}
	}
	s.told[key] = true
	return true
}

// debug says a line from debug level level on.
//
//go:noinline
func (s *sayer) debug(level int, text string) {
	if s.level >= level {
		s.line(s.out, "", text)
	}
}

func (s *sayer) line(w io.Writer, lead, text string) {
	s.buf = append(append(append(s.buf[:0], lead...), text...), '\n')
	w.Write(s.buf)
}

// packet shows a message at one of the two doors, if anyone wants to see it:
// way is "received from" or "sent to".
func (s *sayer) packet(name, way string, peer netip.Addr, m *dhcp4.Message, d *dhcp4.Dict) {
	if s.level < 1 {
		return
	}
	b := append(append(append(s.buf[:0], name...), ": "...), way...)
	b = append(peer.AppendTo(append(b, ' ')), ": "...)
	b = append(m.Line(b), '\n')
	if s.level >= 2 {
		b = m.Dump(b, d)
	}
	s.buf = b
	s.out.Write(b)
}

// memory shows what the process takes, as the man page promises at level 1.
func (s *sayer) memory() {
	if s.level < 1 {
		return
	}
	pages, err := safe.ReadFile("/proc/self/statm")
	if f := ascii.Fields(string(pages)); err == nil && len(f) > 1 {
		n, _ := ascii.Uint(f[1], 10, 31)
		s.debug(1, "Memory use: "+strconv.Itoa(int(n)*os.Getpagesize()>>10)+" kB")
	}
}
