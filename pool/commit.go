package pool

import (
	"bytes"
	"slices"

	"dhcpd/internal/netip"
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
			if err := f.rewrite(b); err != nil {
				return f.lose(err) // still to be written anew
			}
			return nil
		}
		return f.write(b)
	})
	f.missed = err != nil || f.missed && !b.whole
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
	st, err := f.disk.Stat(f.path)
	return err == nil && st.Same(f.id) && st.Size == f.end
}

// due tells whether a clock line goes before the records of b.
func (f *File) due(b *Block) bool {
	return b.stamp != (stamp{}) && (b.stamp != f.written || !f.opened)
}

// write appends the block, and what has to stand before it.
func (f *File) write(b *Block) error {
	sync := b.sync || f.due(b)
	if b.Empty() && !sync {
		return nil
	}
	text, lines, err := f.compose(b, sync)
	if err != nil {
		return err
	}
	if cap(text) < roomy {
		f.buf = text[:0]
	}
	if err := f.append(text, lines, sync); err != nil {
		return err
	}
	b.synced = sync
	if b.stamp != (stamp{}) {
		f.written, f.opened = b.stamp, true
	}
	if b.whole {
		f.distrust = nil
	}
	return nil
}

// compose makes the text that is to be appended, of so many lines. A daemon's
// first sees to it that what it builds upon is stored.
func (f *File) compose(b *Block, sync bool) (text []byte, lines int, err error) {
	text, lines = f.buf[:0], b.lines
	if f.end == 0 {
		text = append(text, header...)
	} else if f.ragged {
		text = append(text, '\n')
	}
	if sync {
		text = appendNumber(text, synced, f.saved)
		lines++
	}
	if f.due(b) {
		if !f.opened {
			if err := saveAgain(f.f, f.saved, f.end); err != nil {
				return nil, 0, err
			}
		}
		text, lines = f.appendStart(text, b.stamp), lines+2
	}
	return append(text, b.text...), lines, nil
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
	b := make([]byte, max(0, min(readSize, end-from)))
	for from < end {
		b = b[:min(int64(len(b)), end-from)]
		if _, err := f.ReadAt(b, from); err != nil {
			return err
		}
		if _, err := f.WriteAt(b, from); err != nil {
			return err
		}
		from += int64(len(b))
	}
	return nil
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
		if err := f.f.Sync(); err != nil {
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
//
//go:noinline
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
	n, err := newDraft(f.disk, f.path+".new", b.stamp)
	if err != nil {
		return err
	}
	for _, text := range [...][]byte{b.text[:b.base], f.heard, b.text[b.base:]} {
		if err := n.write(text); err != nil {
			n.drop()
			return err
		}
	}
	n.lines += b.lines + bytes.Count(f.heard, []byte("\n"))
	b.synced = true
	return f.replace(n)
}
