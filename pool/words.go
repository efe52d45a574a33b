package pool

import (
	"bytes"

	"dhcpd/internal/netip"
)

// words takes a line apart at its spaces.
type words struct {
	rest []byte
	bad  bool // something was not as it should be
}

// isRecord tells whether the line is that of an address.
func (w *words) isRecord() bool {
	return len(w.rest) > 0 && '0' <= w.rest[0] && w.rest[0] <= '9'
}

// next returns the next word; an empty one can't be there.
func (w *words) next() []byte {
	word := w.rest
	if n := bytes.IndexByte(word, ' '); n >= 0 {
		word = word[:n]
	}
	w.pass(len(word))
	return word
}

// pass goes on behind the n octets of a word.
func (w *words) pass(n int) {
	switch rest := w.rest[n:]; {
	case n == 0 || len(rest) == 1 || len(rest) > 0 && rest[0] != ' ':
		w.bad, w.rest = true, nil
	case len(rest) == 0:
		w.rest = nil
	default:
		w.rest = rest[1:]
	}
}

// quoted returns the next word, in which a space within quotes parts nothing.
// Quotes within those are written as \042.
func (w *words) quoted() []byte {
	n := bytes.IndexByte(w.rest, ' ')
	if n < 0 {
		return w.next()
	}
	first := bytes.IndexByte(w.rest[:n], '"')
	if first < 0 {
		return w.next()
	}
	n = len(w.rest)
	if last := bytes.IndexByte(w.rest[first+1:], '"'); last >= 0 {
		from := first + 1 + last
		if space := bytes.IndexByte(w.rest[from:], ' '); space >= 0 {
			n = from + space
		}
	}
	word := w.rest[:n]
	w.pass(n)
	return word
}

// most bounds the numbers read, so that sums of some of them stay numbers.
const most = 1 << 44

func (w *words) number() int64 {
	n, size := leading(w.rest)
	w.pass(size)
	return n
}

// leading reads the number that b begins with. What is none has no size.
func leading(b []byte) (n int64, size int) {
	i := 0
	if len(b) > 0 && b[0] == '-' {
		i++
	}
	from := i
	for ; i < len(b) && '0' <= b[i] && b[i] <= '9'; i++ {
		if n >= most {
			return 0, 0
		}
		n = 10*n + int64(b[i]-'0')
	}
	switch {
	case i == from:
		return 0, 0
	case from > 0:
		return -n, i
	}
	return n, i
}

func (w *words) time() Time {
	at, size := leadingTime(w.rest)
	w.pass(size)
	return at
}

const infinite = "infinite"

func leadingTime(b []byte) (at Time, size int) {
	n, size := leading(b)
	switch {
	case size > 0 && n == 0:
		return 1, size // not never
	case size > 0 && n >= most/2:
		return Infinite, size // as appendTime has it
	case size > 0:
		return Time(n), size
	case len(b) > 0 && b[0] == '-':
		return 0, 1
	case len(b) >= len(infinite) && string(b[:len(infinite)]) == infinite:
		return Infinite, len(infinite)
	}
	return 0, 0
}

// addr reads an IPv4 address. netip.ParseAddr takes three times as long,
// which counts when there are a million of them.
func (w *words) addr() netip.Addr {
	var a [4]byte
	b, i := w.rest, 0
	for n := range a {
		if n > 0 {
			if i >= len(b) || b[i] != '.' {
				w.pass(0)
				return netip.Addr{}
			}
			i++
		}
		v, from := 0, i
		for ; i < len(b) && '0' <= b[i] && b[i] <= '9' && i < from+3; i++ {
			v = 10*v + int(b[i]-'0')
		}
		if i == from || v > 255 {
			w.pass(0)
			return netip.Addr{}
		}
		a[n] = byte(v)
	}
	w.pass(i)
	return netip.AddrFrom4(a)
}
