package pool

import (
	"bytes"
	"io"
)

const (
	readSize = 64 << 10 // octets read at once
	lineMost = 1 << 20  // a longer line is no line of ours
)

// scanner reads the lines of a file from one place up to another.
type scanner struct {
	f     io.ReaderAt
	at    int64 // where the next line begins
	limit int64
	buf   []byte // what was read and not returned yet is buf[lo:hi]
	lo    int
	hi    int
	err   error
}

func newScanner(f io.ReaderAt, from, limit int64) *scanner {
	return &scanner{f: f, at: from, limit: limit}
}

// next returns the next line without its newline, and where it begins. At the
// end, and after an error, line is nil. A last line without a newline, or one
// that is far too long, comes out as the empty line, which is never intact.
// A line is good until the next one.
func (s *scanner) next() (line []byte, start int64) {
	start = s.at
	for seen := 0; ; {
		if n := bytes.IndexByte(s.buf[s.lo+seen:s.hi], '\n'); n >= 0 {
			return s.take(seen + n + 1)[:seen+n], start
		}
		seen = s.hi - s.lo
		if seen > lineMost {
			s.skip()
			return []byte{}, start
		}
		if s.fill() {
			continue
		}
		if seen == 0 || s.err != nil {
			return nil, start
		}
		s.take(seen)
		return []byte{}, start
	}
}

// take returns the next n octets.
func (s *scanner) take(n int) []byte {
	b := s.buf[s.lo : s.lo+n]
	s.lo += n
	s.at += int64(n)
	return b
}

// skip goes to the end of a line that is too long to be one.
func (s *scanner) skip() {
	for {
		if n := bytes.IndexByte(s.buf[s.lo:s.hi], '\n'); n >= 0 {
			s.take(n + 1)
			return
		}
		s.take(s.hi - s.lo)
		if !s.fill() {
			return
		}
	}
}

// fill reads more; false if there is no more, or after an error.
func (s *scanner) fill() bool {
	rest := s.hi - s.lo
	want := int(min(readSize, s.limit-s.at-int64(rest)))
	if want <= 0 || s.err != nil {
		return false
	}
	if len(s.buf) < rest+want {
		old := s.buf
		s.buf = make([]byte, 2*rest+readSize)
		copy(s.buf, old[s.lo:s.hi])
	} else {
		copy(s.buf, s.buf[s.lo:s.hi])
	}
	n, err := s.f.ReadAt(s.buf[rest:rest+want], s.at+int64(rest))
	s.lo, s.hi = 0, rest+n
	if err != nil && err != io.EOF { // at its end: it is shorter than it was
		s.err = err
	}
	return n > 0
}
