package oracle

import (
	"bytes"
	"encoding/binary"
)

// difference is one way in which the library and we read the same octets
// differently, and why we mean to. It is judged by the octets alone, so that
// no mistake of ours can excuse itself.
type difference struct {
	name    string
	why     string
	applies func(w *wire) bool
	refused string // who refuses the message by that: "ours" or "library"; "" if both take it
}

var known = []difference{
	{"op", "RFC 2131 knows 1 and 2; anything else is not for us, and a reply to it would be a guess",
		func(w *wire) bool { return w.b[0] != 1 && w.b[0] != 2 }, "ours"},
	{"hlen", "over 16 the address does not fit its field: the library cuts it off, and would give it to another client's",
		func(w *wire) bool { return w.b[2] > 16 }, "ours"},
	{"BOOTP", "RFC 951: a vendor area of zeros, or none, is a BOOTP message without a cookie",
		func(w *wire) bool { return len(bytes.Trim(w.b[236:], "\x00")) == 0 }, "library"},
	{"missing END", "old BOOTP clients and boot ROMs leave it out; every option before it is whole",
		func(w *wire) bool { return w.cookie && !w.end && !w.torn }, "library"},
	{"message type", "option 53 must be one octet, 1 to 18: what we don't know we can't answer",
		func(w *wire) bool {
			v := w.value[53]
			return w.has[53] && (len(v) != 1 || v[0] < 1 || v[0] > 18)
		}, "ours"},
	{"bad overload", "an option 52 that is not 1, 2 or 3, or names a field without whole options in it: the message is damaged",
		func(w *wire) bool { return w.has[52] && w.badOverload }, "ours"},
	{"overload", "the library takes option 52 for an option like others, and options in file and sname for text",
		func(w *wire) bool { return w.has[52] }, ""},
	{"text fields", "the library keeps of sname and file what stands before the first NUL; a relay must pass on all",
		func(w *wire) bool { return beyondNUL(w.b[44:108]) || beyondNUL(w.b[108:236]) }, ""},
	{"chaddr", "the library keeps hlen octets of it; a relay must pass on all 16",
		func(w *wire) bool { return w.b[2] < 16 && len(bytes.Trim(w.b[28+int(w.b[2]):44], "\x00")) > 0 }, ""},
}

func beyondNUL(b []byte) bool {
	_, after, _ := bytes.Cut(b, []byte{0})
	return len(bytes.Trim(after, "\x00")) > 0
}

// wire is a message as a third and simplest reader sees it.
type wire struct {
	b           []byte
	cookie      bool
	value       map[byte][]byte
	has         map[byte]bool
	end, torn   bool
	badOverload bool
}

func look(b []byte) *wire {
	w := &wire{b: b, value: map[byte][]byte{}, has: map[byte]bool{}}
	w.cookie = len(b) >= 240 && binary.BigEndian.Uint32(b[236:]) == 0x63825363
	if !w.cookie {
		return w
	}
	var overload []byte
	w.end, w.torn = walk(b[240:], func(code byte, v []byte) {
		w.has[code] = true
		w.value[code] = append(w.value[code], v...)
		if code == 52 {
			overload = v
		}
	})
	w.badOverload = len(overload) != 1 || overload[0] < 1 || overload[0] > 3
	if w.badOverload {
		return w
	}
	for bit, field := range map[byte][]byte{1: b[108:236], 2: b[44:108]} {
		if overload[0]&bit != 0 {
			_, torn := walk(field, func(code byte, v []byte) {
				if code != 52 {
					w.has[code] = true
				}
				if code == 53 { // joined with the one before it, or of the wrong length
					w.value[code] = append(w.value[code], v...)
				}
			})
			w.badOverload = w.badOverload || torn
		}
	}
	return w
}

// walk calls f with each option of a field.
func walk(b []byte, f func(code byte, v []byte)) (end, torn bool) {
	for i := 0; i < len(b); {
		switch {
		case b[i] == 0:
			i++
		case b[i] == 255:
			return true, false
		case i+1 >= len(b) || i+2+int(b[i+1]) > len(b):
			return false, true
		default:
			n := int(b[i+1])
			f(b[i], b[i+2:i+2+n])
			i += 2 + n
		}
	}
	return false, false
}
