package daemon

import (
	"bytes"
	"io"
	"net/netip"
	"os"
	"strconv"

	"dhcpd/internal/dhcp4"
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
}

// log says one line that everyone should know.
func (s *sayer) log(text string) { s.line(s.err, "dhcpd: ", text) }

// once says a line the first time only.
func (s *sayer) once(text string) {
	if !s.told[text] {
		if s.told == nil {
			s.told = map[string]bool{}
		}
		s.told[text] = true
		s.log(text)
	}
}

// debug says a line from debug level level on.
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
	if f := bytes.Fields(pages); err == nil && len(f) > 1 {
		n, _ := strconv.Atoi(string(f[1]))
		s.debug(1, "Memory use: "+strconv.Itoa(n*os.Getpagesize()>>10)+" kB")
	}
}
