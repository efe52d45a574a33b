package pool

import (
	"bytes"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strconv"
)

// Commit writes the block and returns when stable storage has it; if all of
// it is lazy, when it is written. After an error nothing of the block counts,
// and with ErrWhole in it the next block must be a Whole one. The changes
// that others made are good with and without an error.
func (f *File) Commit(b *Block) (c Changes, err error) {
	if f.idle(b) {
		return c, nil
	}
	err = f.locked(func() error {
		if err := f.catchUp(&c); err != nil {
			return err
		}
		if err := f.finishCompaction(&c); err != nil {
			return err
		}
		switch {
		case f.distrust != nil && (!b.whole || c.Reset):
			return f.distrust // all that the block was made from does not count
		case b.whole && f.corrupt == nil:
			return f.rewrite(b)
		}
		return f.write(b)
	})
	if err == nil {
		// What was freed before the block was written, and abandoned again by it.
		c.Free = slices.DeleteFunc(c.Free, func(a netip.Addr) bool { return slices.Contains(b.addrs, a) })
		f.startCompaction(b.live)
	}
	return c, err
}

// idle tells whether there is nothing to write and nothing to read.
func (f *File) idle(b *Block) bool {
	if !b.Empty() || b.whole || f.due(b) || f.distrust != nil || len(f.compacted) > 0 {
		return false
	}
	st, err := f.disk.stat(f.path)
	return err == nil && st.same(f.id) && st.size == f.end
}

// due tells whether a clock line goes before the records of b.
func (f *File) due(b *Block) bool {
	return b.stamp != (stamp{}) && (b.stamp != f.written || !f.opened)
}

// write appends the block, and what has to stand before it.
func (f *File) write(b *Block) error {
	text, lines, sync := f.buf[:0], b.lines, b.sync
	if f.due(b) {
		sync = true
	}
	if b.Empty() && !sync {
		return nil
	}
	if f.end == 0 {
		text = append(text, header...)
	} else if f.ragged {
		text = append(text, '\n')
	}
	if sync {
		text = appendSynced(text, f.saved)
		lines++
	}
	if f.due(b) {
		if !f.opened {
			if err := saveAgain(f.f, f.saved, f.end); err != nil {
				return err
			}
		}
		text, lines = f.appendStart(text, b.stamp), lines+2
	}
	text = append(text, b.text...)
	f.buf = text[:0]
	if err := f.append(text, lines, sync); err != nil {
		return err
	}
	if b.stamp != (stamp{}) {
		f.written, f.opened = b.stamp, true
	}
	if b.whole {
		f.distrust = nil
	}
	return nil
}

// appendStart appends what stands before the first record of a daemon, or,
// once that is there, before the first one under another stamp.
func (f *File) appendStart(text []byte, s stamp) []byte {
	if !f.opened {
		text = appendVerb(text, opened)
	}
	return appendClock(text, s)
}

// saveAgain writes once more what somebody may have written without seeing it
// synced. After a failed sync Linux takes such pages for clean and may forget
// them, and does not tell those who open the file later.
func saveAgain(f file, from, end int64) error {
	if from >= end {
		return nil
	}
	b := make([]byte, end-from)
	if _, err := f.ReadAt(b, from); err != nil {
		return err
	}
	_, err := f.WriteAt(b, from)
	return err
}

// append writes text, in one piece, to the end of the file.
func (f *File) append(text []byte, lines int, sync bool) error {
	if _, err := f.f.WriteAt(text, f.end); err != nil {
		if f.f.Truncate(f.end) != nil {
			return f.lose(err)
		}
		return err
	}
	end := f.end + int64(len(text))
	if sync {
		if err := f.f.sync(); err != nil {
			f.f.Truncate(f.end) // nobody shall read what may not be there after a power cut
			return f.lose(err)
		}
		f.saved = end
	}
	f.end, f.ragged = end, false
	f.lines += lines
	f.tail = append(f.tail[:0], text[max(0, len(text)-tailLen):]...)
	return nil
}

// lose gives up trust in the file. The next block is written into a new one.
func (f *File) lose(err error) error {
	f.distrust = &wholeError{err}
	return f.distrust
}

type wholeError struct{ why error }

func (e *wholeError) Error() string   { return e.why.Error() + "; " + ErrWhole.Error() }
func (e *wholeError) Unwrap() []error { return []error{e.why, ErrWhole} }

// rewrite writes a whole block into a new file, which takes the place of what
// is there. What was heard in the same turn stands before what was added to
// the block since it became whole.
func (f *File) rewrite(b *Block) error {
	name := f.path + ".new"
	n, err := f.disk.create(name)
	if err != nil {
		return err
	}
	text := appendVerb([]byte(header), opened)
	text = appendClock(text, b.stamp)
	end, err := writeAll(n, 0, text, b.text[:b.base], f.heard, b.text[b.base:])
	return f.replace(name, n, end, err, b.stamp, b.lines+2+bytes.Count(f.heard, []byte("\n")))
}

// writeAll writes pieces one after the other and returns where they end.
func writeAll(n file, at int64, pieces ...[]byte) (int64, error) {
	for _, b := range pieces {
		if len(b) == 0 {
			continue
		}
		if _, err := n.WriteAt(b, at); err != nil {
			return at, err
		}
		at += int64(len(b))
	}
	return at, nil
}

// replace puts n, a new file of this name, which is good up to end unless
// there is an error, in the place of ours.
func (f *File) replace(name string, n file, end int64, err error, s stamp, lines int) error {
	var st status
	var tail []byte
	if err == nil {
		err = n.sync()
	}
	if err == nil {
		tail, err = tailOf(n, end)
	}
	if err == nil {
		st, err = n.stat()
	}
	if err != nil {
		n.Close()
		f.disk.remove(name)
		return err
	}
	if n, err = rename(f.disk, n, name, f.path); err != nil {
		return err
	}
	f.adopt(n, st)
	f.end, f.saved, f.lines, f.written, f.opened = end, end, lines, s, true
	f.tail, f.corrupt = tail, nil
	if err := f.disk.syncFolder(f.path); err != nil { // who knows which file has the name after a power cut
		return f.lose(err)
	}
	return nil
}

// rename gives n the name to. What it returns is the same file, if possible
// opened by its new name, which is the one that errors should tell.
func rename(d disk, n file, from, to string) (file, error) {
	if err := d.rename(from, to); err != nil {
		n.Close()
		d.remove(from)
		return nil, err
	}
	named, err := d.open(to, os.O_RDWR)
	if err != nil {
		return n, nil
	}
	n.Close()
	return named, nil
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

// catchUp finds out what others did to the file since the last time.
func (f *File) catchUp(c *Changes) error {
	f.heard = f.heard[:0]
	st, err := f.disk.stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f.gone(c)
	case err != nil:
		return err
	case !st.same(f.id):
		return f.reload(c, "was replaced by another file")
	case st.size == f.end:
		return nil
	case st.size < f.end:
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
	return f.listen(c, st.size)
}

const overwritten = "was overwritten"

// gone makes the best of a file that was removed: what a command wrote into
// it before that still counts.
func (f *File) gone(c *Changes) error {
	c.Mended = f.corrupt != nil
	f.corrupt = nil
	f.lose(&fs.PathError{Op: "read", Path: f.path, Err: errors.New("was removed")})
	st, err := f.f.stat()
	if err != nil || st.size <= f.end {
		return err
	}
	return f.listen(c, st.size)
}

// listen reads what was appended to the file.
func (f *File) listen(c *Changes, size int64) error {
	s := newScanner(f.f, f.end, size)
	var e entry
	for {
		line, at := s.next()
		if line == nil {
			break
		}
		if !e.read(line) {
			c.note(f.cut(size))
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

// cut takes off the torn tail of the file, which is size octets long.
func (f *File) cut(size int64) string {
	if err := f.f.Truncate(f.end); err != nil {
		return err.Error()
	}
	return strconv.Quote(f.path) + ": the last " + strconv.FormatInt(size-f.end, 10) +
		" octets are torn and were cut off"
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
	f.lose(&os.PathError{Op: "read", Path: f.path, Err: errors.New(why)})
	return nil
}
