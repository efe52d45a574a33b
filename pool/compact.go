package pool

import "errors"

// compaction copies what still counts of a pool file into a new one. A helper
// copies, without a lock, what is there when it begins; then the writer copies
// the rest, and the new file gets the name.
type compaction struct {
	disk  disk
	name  string // of the new file
	src   file
	upto  int64
	stamp stamp // the latest clock line of src before upto

	dst *draft // the new file, once there is one
	err error

	entry entry
	tl    timeline
	marks map[uint32]mark
	buf   []byte
}

// compactName is what comes after the name of the pool file in that of the new
// one: not .new, which whoever has octetWrites may take.
const compactName = ".compact"

// mark is what counts for an address: where its last record begins, and flags.
type mark uint64

const (
	markMember    mark = 1 << iota // its last add has no del after it
	markWake                       // its last wake has no record after it
	markAbandoned                  // so says its last record: a free takes it back
	markShift     = 3
)

func (m mark) at() int64 { return int64(m >> markShift) }

// startCompaction has a helper begin when the dead lines outweigh the live.
func (f *File) startCompaction(live int) {
	if f.compacting || live == 0 || f.lines < 2*live+f.few || f.lines < f.patience ||
		f.corrupt != nil || f.distrust != nil || !f.opened {
		return
	}
	f.compacting = true
	c := &compaction{disk: f.disk, name: f.path + compactName, src: f.f, upto: f.end, stamp: f.written}
	go func() {
		c.err = c.run()
		f.compacted <- c
		select {
		case f.look <- struct{}{}:
		default: // it will look anyway
		}
	}()
}

// finishCompaction does the last part, if the helper is done with the first.
// An error means that we no longer know which file we have; that there is no
// smaller one is only worth a notice.
func (f *File) finishCompaction(changes *Changes) error {
	if len(f.compacted) == 0 {
		return nil
	}
	c := <-f.compacted
	f.compacting = false
	if c.src != f.f || f.distrust != nil { // another file has taken its place, or is to do so
		c.drop()
		return nil
	}
	err := c.err
	if err == nil {
		err = c.rest(f.end)
	}
	if err != nil {
		c.drop()
	} else {
		c.dst.stamp = f.written
		err = f.replace(c.dst)
	}
	if err != nil && f.distrust == nil {
		changes.note("can't compact: " + err.Error())
		f.patience = 2 * f.lines
	}
	return f.distrust
}

// drop throws away the new file.
func (c *compaction) drop() {
	if c.dst != nil {
		c.dst.drop()
	}
}

// run is what the helper does.
func (c *compaction) run() (err error) {
	c.marks = map[uint32]mark{}
	c.tl = newTimeline()
	if err := c.each(c.mark); err != nil {
		return err
	}
	if c.dst, err = newDraft(c.disk, c.name, c.stamp); err != nil {
		return err
	}
	segment := 0
	err = c.each(func(line []byte, at int64) error {
		if c.entry.verb == clock {
			segment++
		}
		return c.copy(line, at, segment)
	})
	if err == nil {
		err = c.flush(0)
	}
	c.marks = nil
	if err == nil {
		err = c.dst.f.sync() // now, without the lock, so that little is left for the end
	}
	return err
}

var errUnsound = errors.New("a line is not as it was")

// each reads the source line by line.
func (c *compaction) each(do func(line []byte, at int64) error) error {
	s := newScanner(c.src, int64(len(header)), c.upto)
	for {
		line, at := s.next()
		if line == nil {
			return s.err
		}
		if !c.entry.read(line) || c.entry.verb == bad {
			return errUnsound
		}
		if err := do(line, at); err != nil {
			return err
		}
	}
}

// mark notes what counts.
func (c *compaction) mark(_ []byte, at int64) error {
	e := &c.entry
	switch e.verb {
	case clock:
		c.tl.clock(e.stamp)
	case opened:
		c.tl.opened()
	case closed:
		c.tl.open = false
	case synced:
	default:
		n := number(e.rec.Addr)
		c.marks[n] = c.marks[n].after(e, at)
		if e.verb == record {
			c.tl.seen(&e.rec)
		}
	}
	return nil
}

// after returns what counts for an address after one more line about it.
func (m mark) after(e *entry, at int64) mark {
	switch e.verb {
	case add:
		return m | markMember
	case del:
		return m &^ markMember
	case wake:
		return m | markWake
	case setFree:
		if m&markAbandoned != 0 {
			return m & (markMember | markWake)
		}
		return m
	}
	m &= markMember
	switch e.rec.State {
	case Free:
		return m
	case Abandoned:
		m |= markAbandoned
	}
	return m | mark(at)<<markShift
}

// copy copies a line if it counts.
func (c *compaction) copy(line []byte, at int64, segment int) error {
	e := &c.entry
	if e.verb != add && e.verb != wake && e.verb != record {
		return nil
	}
	n := number(e.rec.Addr)
	m := c.marks[n]
	switch {
	case e.verb == add && m&markMember != 0:
		c.marks[n] = m &^ markMember // once is enough
	case e.verb == wake && m&markWake != 0 && at > m.at():
		c.marks[n] = m &^ markWake
	case e.verb == record && at == m.at():
		c.record(line, segment)
		return c.flush(readSize)
	default:
		return nil
	}
	c.verbatim(line)
	return c.flush(readSize)
}

func (c *compaction) verbatim(line []byte) {
	c.buf = append(append(c.buf, line...), '\n')
	c.dst.lines++
}

// record copies a record. All times in the new file count under one clock
// line, so that one from another segment may have to be written differently.
func (c *compaction) record(line []byte, segment int) {
	off := c.tl.segments[c.tl.segment()]
	if c.tl.segments[segment] == off && segment >= c.tl.unclean && len(c.tl.jumps) == 0 {
		c.verbatim(line)
		return
	}
	c.tl.settle(&c.entry.rec, segment, 0)
	c.buf = appendRecord(c.buf, &c.entry.rec, off)
	c.dst.lines++
}

// flush writes what has gathered, if it is more than so many octets.
func (c *compaction) flush(limit int) (err error) {
	if len(c.buf) > limit {
		err = c.dst.write(c.buf)
		c.buf = c.buf[:0]
	}
	return err
}

// rest copies what was written since the helper began. What was known to be
// on stable storage in the old file is not so in the new one.
func (c *compaction) rest(end int64) error {
	s := newScanner(c.src, c.upto, end)
	for {
		line, _ := s.next()
		if line == nil {
			return errors.Join(s.err, c.flush(0))
		}
		if !c.entry.read(line) {
			return errUnsound
		}
		if c.entry.verb != synced {
			c.verbatim(line)
		}
		if err := c.flush(readSize); err != nil {
			return err
		}
	}
}
