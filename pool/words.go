package pool

import "bytes"

// words takes a line apart at its spaces. A space within quotes parts nothing.
type words struct {
	rest []byte
	bad  bool // something was not as it should be
}

// next returns the next word; an empty one can't be there.
func (w *words) next() []byte {
	end := bytes.IndexByte(w.rest, ' ')
	if end >= 0 {
		if quote := bytes.IndexByte(w.rest[:end], '"'); quote >= 0 {
			end = closing(w.rest, quote)
		}
	}
	word := w.rest
	if end < 0 {
		w.rest = nil
	} else {
		word, w.rest = w.rest[:end], w.rest[end+1:]
		w.bad = w.bad || len(w.rest) == 0
	}
	w.bad = w.bad || len(word) == 0
	return word
}

// closing returns where the space is that ends the word in which a quotation
// begins, or -1. Quotes within are written as \042.
func closing(b []byte, quote int) int {
	end := bytes.IndexByte(b[quote+1:], '"')
	if end < 0 {
		return -1
	}
	from := quote + 1 + end
	space := bytes.IndexByte(b[from:], ' ')
	if space < 0 {
		return -1
	}
	return from + space
}

// most bounds the numbers read, so that sums of some of them stay numbers.
const most = 1 << 44

func (w *words) number() int64 { return w.numberOf(w.next()) }

func (w *words) numberOf(word []byte) (n int64) {
	digits := bytes.TrimPrefix(word, []byte("-"))
	for _, c := range digits {
		if c < '0' || c > '9' || n >= most {
			w.bad = true
			return 0
		}
		n = 10*n + int64(c-'0')
	}
	w.bad = w.bad || len(digits) == 0
	if len(digits) < len(word) {
		return -n
	}
	return n
}

func (w *words) time() Time { return w.timeOf(w.next()) }

func (w *words) timeOf(word []byte) Time {
	switch string(word) {
	case "-":
		return 0
	case "infinite":
		return Infinite
	}
	switch at := Time(w.numberOf(word)); {
	case at == 0:
		return 1 // not never
	case at >= most/2:
		return Infinite // as appendTime has it
	default:
		return at
	}
}
