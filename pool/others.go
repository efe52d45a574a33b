package pool

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strconv"

	"dhcpd/internal/netip"
)

// catchUp finds out what others did to the file since the last time.
func (f *File) catchUp(c *Changes) error {
	f.heard = f.heard[:0]
	st, err := f.disk.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f.gone(c, "was removed")
	case err != nil:
		return err
	case !st.Same(f.id):
		return f.reload(c, "was replaced by another file")
	case st.Exposed && !f.id.Exposed: // the next start will refuse it
		c.note(quoted(f.path) + " can be written by others")
	}
	f.id.Exposed = st.Exposed
	switch {
	case st.Size == f.end:
		return nil
	case st.Size == 0: // nobody's pool: as good as removed
		f.end, f.saved, f.lines, f.tail = 0, 0, 0, nil
		return f.gone(c, "was emptied")
	case st.Size < f.end:
		return f.reload(c, overwritten)
	}
	// Longer: did somebody append, or put something else into the file?
	tail, err := tailOf(f.f, f.end)
	switch {
	case err != nil:
		return err
	case !bytes.HasSuffix(tail, f.tail):
		return f.reload(c, overwritten)
	}
	return f.listen(c, st.Size)
}

const overwritten = "was overwritten"

// gone makes the best of a file that was removed: what a command wrote into
// it before that still counts.
func (f *File) gone(c *Changes, why string) error {
	c.Mended = f.corrupt != nil
	f.corrupt = nil
	f.lose(&fs.PathError{Op: "read", Path: f.path, Err: errors.New(why)})
	st, err := f.f.Status()
	if err != nil || st.Size <= f.end {
		return err
	}
	return f.listen(c, st.Size)
}

// listen reads what was appended to the file.
func (f *File) listen(c *Changes, size int64) error {
	s := newScanner(f.f, f.end, size)
	if f.end == 0 {
		if line, _ := s.next(); string(line)+"\n" != header {
			return f.reload(c, overwritten)
		}
		f.end = s.at
	}
	var e entry
	for {
		line, at := s.next()
		if line == nil {
			break
		}
		if !e.read(line) {
			notice, err := f.cut(size)
			if err != nil {
				return err
			}
			c.note(notice)
			break
		}
		f.end = at + int64(len(line)) + 1
		f.lines++
		if c.hear(&e) {
			f.heard = append(append(f.heard, line...), '\n')
		} else if f.distrust == nil { // else it is what we failed to write
			return f.reload(c, "has records that are not ours")
		}
	}
	var err error
	f.tail, err = tailOf(f.f, f.end)
	return errors.Join(s.err, err)
}

// hear takes in a line that a command wrote; false if it is not one.
func (c *Changes) hear(e *entry) bool {
	a := e.rec.Addr
	switch e.verb {
	case add:
		c.Add = append(c.Add, a)
		c.Del = slices.DeleteFunc(c.Del, func(d netip.Addr) bool { return d == a })
	case del:
		c.Del = append(c.Del, a)
	case setFree:
		c.Free = append(c.Free, a)
	case wake:
		c.Wake = append(c.Wake, a)
	default:
		return false
	}
	return true
}

// cut takes off the torn tail of the file, which is size octets long, and
// returns what to say about it.
func (f *File) cut(size int64) (string, error) {
	return quoted(f.path) + ": the last " + strconv.FormatInt(size-f.end, 10) +
		" octets are torn and were cut off", f.f.Truncate(f.end)
}

func (c *Changes) note(notice string) {
	if c.Notice != "" {
		c.Notice += "; "
	}
	c.Notice += notice
}

// reload reads a file that someone put in the place of ours. What it lacks is
// written when the loop hands over the whole table.
func (f *File) reload(c *Changes, why string) error {
	l, err := f.load()
	if err != nil {
		return err
	}
	l.tl.opened()
	loaded := l.finish(f.clock)
	*c = Changes{Reset: true, Corrupt: loaded.Corrupt, Wake: loaded.Wake}
	for r := range loaded.Table.All() {
		if loaded.Table.Member(r.Addr) {
			c.Add = append(c.Add, r.Addr)
		}
		if r.State != Free {
			c.Records = append(c.Records, r)
		}
	}
	f.lose(&fs.PathError{Op: "read", Path: f.path, Err: errors.New(why)})
	return nil
}

const tailLen = 64

// tailOf returns how a file ends, as far as it is good.
func tailOf(f file, end int64) ([]byte, error) {
	tail := make([]byte, min(tailLen, end))
	if _, err := f.ReadAt(tail, end-int64(len(tail))); err != nil {
		return nil, err
	}
	return tail, nil
}
