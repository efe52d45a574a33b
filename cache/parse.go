package cache

import (
	"strconv"
	"strings"
	"time"

	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// Parse reads the text of a cache file, whose name is for the notice only: it
// says where the first thing is that could not be understood, and how many
// more there are. The rest counts. A network without an address or an end of
// its lease is left out as a whole.
func Parse(name string, text []byte, d *dhcp4.Dict, at Clock) (held File, notice string) {
	r := reader{dict: d, byName: make(map[string]*draft)}
	rest := string(text)
	for n := 1; rest != ""; n++ {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		if why := r.line(n, line); why != "" {
			r.complain(n, why)
		}
	}
	held = File{Entries: r.finish(at), DUID: r.duid, Counter: r.counter}
	return held, r.notice(name)
}

// reader gathers the lines of a file.
type reader struct {
	dict    *dhcp4.Dict
	drafts  []*draft
	byName  map[string]*draft
	written Clock // what the clock's line says; zero if there was none
	duid    []byte
	counter uint64

	bad   int // lines that were not understood
	first int // number of the first of them
	why   string
}

// draft is an entry of which not all lines may have been seen.
type draft struct {
	Entry
	line  int  // where it begins
	ended bool // there was a line that says when the lease ends
}

func (r *reader) complain(n int, why string) {
	if r.bad++; r.bad == 1 {
		r.first, r.why = n, why
	}
}

// notice makes one line of all complaints.
func (r *reader) notice(name string) string {
	if r.bad == 0 {
		return ""
	}
	s := dhcp4.Quoted(name) + ", line " + strconv.Itoa(r.first) + ": " + r.why + "; left out"
	if r.bad > 1 {
		s += ", and " + strconv.Itoa(r.bad-1) + " more"
	}
	return s
}

// line reads line n and tells what is wrong with it, "" for nothing.
func (r *reader) line(n int, line string) (why string) {
	if line == "" || line[0] == '#' {
		return ""
	}
	name, rest, _ := strings.Cut(line, " ")
	tag, rest, _ := strings.Cut(rest, " ")
	if name == clockName && rest != "" && rest[0] != '\'' {
		return r.clock(tag, rest)
	}
	if v, ok := dhcp4.ParseHex(tag); name == duidName && rest == "" && ok && len(v) > 2 && len(v) <= maxDUID {
		r.duid = v
		return ""
	}
	if n, ok := ascii.Uint(tag, 10, 64); name == counterName && rest == "" && ok {
		r.counter = n
		return ""
	}
	name, ok := unescape(name)
	if !ok || name == "" || len(name) >= maxName {
		return "Not the name of a network"
	}
	values, ok := unquote(rest)
	if !ok || len(values) == 0 {
		return "Not of the form network tag 'value'"
	}
	e := r.byName[name]
	if e == nil {
		e = &draft{Entry: Entry{Name: name}, line: n}
	}
	if !e.set(r.dict, tag, values) {
		return "Not a known tag and a value for it"
	}
	if r.byName[name] == nil { // only now: rubbish makes no networks
		r.byName[name] = e
		r.drafts = append(r.drafts, e)
	}
	return ""
}

// clock reads the rest of `clock BOOT-ID WALL BOOTTIME`.
func (r *reader) clock(boot, rest string) (why string) {
	wall, up, _ := strings.Cut(rest, " ")
	w, ok1 := parseTime(wall)
	u, ok2 := ascii.Uint(up, 10, 32)
	if !ok1 || !ok2 {
		return "Not of the form clock boot-ID wall-time boot-time"
	}
	r.written = Clock{Boot: boot, Wall: w, Up: time.Duration(u) * time.Second}
	return ""
}

// set takes one line into the draft; false if it makes no sense.
func (e *draft) set(d *dhcp4.Dict, tag string, w []string) bool {
	if !reserved(tag) {
		return e.setOption(d, tag, w)
	}
	if len(w) != 1 {
		return false
	}
	switch v := w[0]; tag {
	case nameAddress:
		return take(&e.Addr, v, netip.ParsePrefix)
	case nameMAC:
		return take(&e.MAC, v, parseMAC)
	case nameServer:
		return take(&e.Server, v, netip.ParseAddr)
	case nameStart:
		return takeTime(&e.Start, v, parseTime)
	case nameT1:
		return takeTime(&e.T1, v, parseTime)
	case nameT2:
		return takeTime(&e.T2, v, parseTime)
	case nameEnd:
		ok := takeTime(&e.End, v, parseEnd)
		e.ended = e.ended || ok
		return ok
	case nameSiaddr:
		return take(&e.Siaddr, v, netip.ParseAddr)
	case nameSname:
		e.Sname = v
	case nameFile:
		e.File = v
	}
	return true
}

// take sets what a line says, or leaves it as it is if it says nonsense.
func take[T any](to *T, s string, parse func(string) (T, bool)) bool {
	v, ok := parse(s)
	if ok {
		*to = v
	}
	return ok
}

// takeTime does the same. A generic one for times would bring all that the
// library can do with them into the program.
func takeTime(to *time.Time, s string, parse func(string) (time.Time, bool)) bool {
	v, ok := parse(s)
	if ok {
		*to = v
	}
	return ok
}

func (e *draft) setOption(d *dhcp4.Dict, name string, w []string) bool {
	t, ok := d.ByName(name)
	if c, numbered := byNumber(name); numbered {
		t, ok = numberTag(c), true
	}
	if !ok {
		return false
	}
	v, err := value(t, w)
	if err == nil {
		e.Options.Put(t.Code, v)
	}
	return err == nil
}

// finish returns what is a lease, with its times on the clock of at.
func (r *reader) finish(at Clock) (entries []Entry) {
	shift, sure := r.written.carry(at)
	limit := at.Now.Add(unsure)
	for _, e := range r.drafts {
		if why := e.lacks(); why != "" {
			r.complain(e.line, "Network "+dhcp4.Quoted(e.Name)+" "+why)
			continue
		}
		for _, t := range []*time.Time{&e.Start, &e.T1, &e.T2, &e.End} {
			if !t.IsZero() {
				*t = t.Add(shift)
				if !sure && t.After(limit) {
					*t = limit
				}
			}
		}
		entries = append(entries, e.Entry)
	}
	return entries
}

// lacks says why a draft is no lease. One whose end is damaged must not pass
// for one that never ends.
func (e *draft) lacks() string {
	switch {
	case !e.Addr.IsValid():
		return "has no address"
	case !e.ended:
		return "has no end of its lease"
	case !e.Infinite() && (e.End.Before(e.T2) || e.T2.Before(e.T1) || e.T1.Before(e.Start)):
		return "has times that are out of order"
	}
	return ""
}
