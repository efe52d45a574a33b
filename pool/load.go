package pool

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"dhcpd/internal/ascii"
	"dhcpd/internal/netip"
	"dhcpd/internal/safe"
)

// Loaded is what was found in a pool file.
type Loaded struct {
	Table   *Table
	Torn    string       // what was cut off at the end, for the log; "" for nothing
	Corrupt error        // a *CorruptError or nil; with one the table is shut
	Wake    []netip.Addr // the clients there are to be woken still (dhcpd -w)
}

// CorruptError is damage where there should be none: not at the end, where a
// power cut leaves it.
type CorruptError struct {
	Path string
	Line int
}

func (e *CorruptError) Error() string {
	return "Pool table is corrupt: " + quoted(e.Path) + ", line " + strconv.Itoa(e.Line)
}

// loader reads a pool file into a table.
type loader struct {
	path  string
	table *Table
	tl    timeline
	entry entry

	known   int64 // so many octets are known to have been on stable storage
	looked  bool  // known is right for the whole file, not only for what was read
	end     int64 // where the good lines end
	tail    []byte
	torn    bool // there is more, but it is no line
	lines   int  // not counting the header
	corrupt int  // the number of the first bad line that is not a torn tail
}

// load reads the first size octets of f.
func load(path string, f file, size int64) (*loader, error) {
	l := &loader{path: path, table: NewTable(), tl: newTimeline()}
	l.table.load(size)
	defer l.table.loaded()
	return l, l.read(f, size)
}

// read reads on up to size, from where the good lines ended so far.
func (l *loader) read(f file, size int64) error {
	s := newScanner(f, l.end, size)
	l.looked, l.torn = false, false
	if l.end == 0 {
		if err := l.header(s); err != nil || l.torn {
			return err
		}
	}
	for {
		line, at := s.next()
		if line == nil {
			l.end = s.at
			return s.err
		}
		if l.entry.read(line) {
			l.lines++
			if !l.take(at) {
				l.damaged()
			}
			continue
		}
		if err := l.lookAhead(f, at, size); err != nil {
			return err
		}
		if l.corrupt == 0 && at >= l.known { // of a corrupt file nothing is cut
			l.end, l.torn = at, true
			return nil
		}
		l.lines++
		l.damaged()
	}
}

// header reads the first line. A file that holds less than that, as one whose
// very first write was cut short, holds nothing.
func (l *loader) header(s *scanner) error {
	line, _ := s.next()
	first := string(line) + "\n"
	switch {
	case s.err != nil:
		return s.err
	case first == header:
		return nil
	case s.limit < int64(len(header)) && isStart(s):
		l.torn = s.limit > 0
		return nil
	}
	what := "is not a pool file"
	if version, ok := strings.CutPrefix(first, "#dhcp.pool "); ok && len(version) < 10 {
		what = "is of version " + ascii.Trim(version) + ", which this dhcpd does not know"
	}
	return &fs.PathError{Op: "read", Path: l.path, Err: errors.New(what)}
}

// isStart tells whether what s has read is the beginning of a header, or
// nothing but zeros, as some file systems leave it.
func isStart(s *scanner) bool {
	b := string(s.buf[:s.limit])
	return strings.HasPrefix(header, b) || strings.Trim(b, "\x00") == ""
}

// damaged notes that the line just read is bad, the header being line 1.
func (l *loader) damaged() {
	if l.corrupt == 0 {
		l.corrupt = 1 + l.lines
	}
}

// lookAhead finds out how much is known to have been on stable storage, from
// the lines at and after a bad one.
func (l *loader) lookAhead(f file, from, size int64) error {
	if l.looked {
		return nil
	}
	l.looked = true
	s := newScanner(f, from, size)
	var e entry
	for {
		line, at := s.next()
		if line == nil {
			return s.err
		}
		if e.read(line) && e.verb == synced {
			l.known = max(l.known, knownBy(e.n, at))
		}
	}
}

// take applies the line just read, which is at at; false if it can't be
// understood.
func (l *loader) take(at int64) bool {
	e := &l.entry
	switch e.verb {
	case bad:
		return false
	case record:
		l.tl.seen(&e.rec)
		l.table.apply(&e.rec, l.tl.segment())
	case add:
		l.table.Add(e.rec.Addr)
	case del:
		l.table.Remove(e.rec.Addr)
	case setFree:
		l.table.SetFree(e.rec.Addr)
	case wake:
		l.table.Wake(e.rec.Addr)
	case counter:
		l.table.counter = uint64(e.n)
	case clock:
		l.tl.clock(e.stamp)
	case opened:
		l.tl.opened()
	case closed:
		l.tl.open = false
	case synced:
		l.known = max(l.known, knownBy(e.n, at))
	}
	return true
}

// knownBy returns how many octets a line at at proves to have been on stable
// storage, if it says n. It can't have meant more than what is before it: then
// someone has since taken lines out by hand, as when a corrupt file is mended,
// and all of what is left was stored.
func knownBy(n, at int64) int64 { return min(n, at) }

// finish lays all times onto the daemon's clock.
func (l *loader) finish(c *Clock) *Loaded {
	now := c.stamp()
	shift := now.wall + now.off - l.tl.moment(now)
	l.table.settle(&l.tl, shift)
	loaded := &Loaded{Table: l.table, Wake: l.table.woken()}
	if l.corrupt > 0 {
		loaded.Corrupt = &CorruptError{l.path, l.corrupt}
		l.table.SetShut(true)
	}
	return loaded
}

// apply is Apply for a record from the file, whose times count in a segment of
// the timeline.
func (t *Table) apply(r *Record, segment int) {
	if i := t.change(t.find(r.Addr), r); i != 0 {
		t.row(i).pos = uint32(segment)
	}
}

// settle lays the times of a table that was just loaded onto one clock.
func (t *Table) settle(tl *timeline, shift Time) {
	var r Record
	for i := uint32(1); i < t.rows; i++ {
		w := t.row(i)
		if !w.is(live) {
			continue
		}
		r.State, r.Since, r.Told, r.Kept = w.state, w.since, w.told, w.kept
		r.Last, r.Check = w.last, w.is(check)
		tl.settle(&r, int(w.pos), shift)
		w.since, w.told, w.kept, w.last = r.Since, r.Told, r.Kept, r.Last
		w.set(check, r.Check)
	}
}

// Snapshot loads the pool file for reading, without a lock; times are laid
// onto c. It makes nothing, and is silent about a torn last line. Whatever is
// wrong with the file as a whole is an error; a missing one is fs.ErrNotExist.
func Snapshot(path string, c *Clock) (*Loaded, error) {
	return SnapshotOn(safe.OS{}, path, c)
}

// SnapshotOn is Snapshot on another disk.
func SnapshotOn(d safe.Disk, path string, c *Clock) (*Loaded, error) {
	f, err := d.Open(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return snapshot(path, f, c)
}

func snapshot(path string, f file, c *Clock) (*Loaded, error) {
	st, err := f.Status()
	if err != nil {
		return nil, err
	}
	l, err := load(path, f, st.Size)
	if err != nil {
		return nil, err
	}
	return l.finish(c), nil
}
