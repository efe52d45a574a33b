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
	lines uint32
	count uint32                  // the last line of the replay counter
	marks map[uint32]*[group]mark // by address/group
	keep  []uint64                // a bit for each line
	buf   []byte
}

// compactName is what comes after the name of the pool file in that of the new
// one: not .new, which whoever has octetWrites may take.
const compactName = ".compact"

// mark is what counts for an address, by the numbers of lines; 0 is none.
type mark struct {
	member    uint32 // an add that has no del after it
	wake      uint32 // a wake that has no record after it
	record    uint32 // the last record, or the free that took it back
	abandoned bool   // so says that: a free takes it back
}

const group = 16

// run is what the helper does: it finds out which lines count, and then copies
// just those. Nothing is taken for a line unless its checksum is right.
func (c *compaction) run() (err error) {
	c.marks = map[uint32]*[group]mark{}
	c.tl = newTimeline()
	c.keep = []uint64{0}
	if err := c.markAll(); err != nil {
		return err
	}
	if c.dst, err = newDraft(c.disk, c.name, c.stamp); err != nil {
		return err
	}
	if err := c.copyAll(); err != nil {
		return err
	}
	c.marks, c.keep = nil, nil
	return c.dst.f.Sync() // now, without the lock, so that little is left for the end
}

var errUnsound = errors.New("a line is not as it was")

// markAll reads all lines and marks those that count.
func (c *compaction) markAll() error {
	s := newScanner(c.src, int64(len(header)), c.upto)
	for line, _ := s.next(); line != nil; line, _ = s.next() {
		if !c.entry.skim(line) || c.entry.verb == bad {
			return errUnsound
		}
		if c.lines++; c.lines%64 == 0 {
			c.keep = append(c.keep, 0)
		}
		c.mark()
	}
	if s.at != c.upto {
		return errors.Join(s.err, errUnsound)
	}
	for _, g := range c.marks {
		for _, m := range g {
			c.keepLine(m.member)
			c.keepLine(m.wake)
			c.keepLine(m.record)
		}
	}
	c.keepLine(c.count)
	return nil
}

func (c *compaction) keepLine(n uint32) { c.keep[n/64] |= 1 << (n % 64) }

// mark marks the line just read.
func (c *compaction) mark() {
	e := &c.entry
	switch e.verb {
	case clock:
		c.tl.clock(e.stamp)
		c.keepLine(c.lines) // copyAll has to know
	case opened:
		c.tl.opened()
	case closed:
		c.tl.open = false
	case counter:
		c.count = c.lines
	case synced:
	default:
		n := e.rec.Addr.Number()
		g := c.marks[n/group]
		if g == nil {
			g = new([group]mark)
			c.marks[n/group] = g
		}
		g[n%group].take(e, c.lines)
		if e.verb == record {
			c.tl.seen(&e.rec)
		}
	}
}

// take takes in line n about the address.
func (m *mark) take(e *entry, n uint32) {
	switch e.verb {
	case add:
		if m.member == 0 { // once is enough
			m.member = n
		}
	case del:
		m.member = 0
	case wake:
		m.wake = n
	case setFree:
		if m.abandoned || m.record == 0 {
			m.record, m.abandoned = n, false
		}
	case record:
		m.record, m.wake, m.abandoned = n, 0, e.rec.State == Abandoned
		if e.rec.State == Free {
			m.record = 0
		}
	}
}

// copyAll copies the lines that count. All others are not even looked at.
func (c *compaction) copyAll() error {
	s := newScanner(c.src, int64(len(header)), c.upto)
	segment := 0
	for n := uint32(1); n <= c.lines; n++ {
		line, _ := s.next()
		if c.keep[n/64]&(1<<(n%64)) == 0 {
			continue
		}
		if line == nil || !c.entry.read(line) {
			return errors.Join(s.err, errUnsound)
		}
		switch c.entry.verb {
		case clock:
			segment++
		case record:
			c.record(line, segment)
		case add, setFree, wake, counter:
			c.verbatim(line)
		default:
			return errUnsound
		}
		if err := c.flush(readSize); err != nil {
			return err
		}
	}
	return errors.Join(s.err, c.flush(0))
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
