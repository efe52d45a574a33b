package pool

import (
	"bytes"

	"dhcpd/internal/ascii"
)

// How octets, hardware addresses and texts are read; line.go writes them.

// since returns what was appended to e.mem since start. Should e.mem grow
// later, the slice keeps the old memory.
func (e *entry) since(start int) []byte {
	if start == len(e.mem) {
		return nil
	}
	return e.mem[start:len(e.mem):len(e.mem)]
}

func (e *entry) hex(w *words, word []byte) []byte {
	if string(word) == "-" {
		return nil
	}
	start := len(e.mem)
	w.bad = w.bad || len(word) == 0 || len(word)%2 != 0
	for ; len(word) > 1; word = word[2:] {
		hi, lo := digit(word[0]), digit(word[1])
		w.bad = w.bad || hi > 15 || lo > 15
		e.mem = append(e.mem, hi<<4|lo&15)
	}
	return e.since(start)
}

func (e *entry) hw(w *words, word []byte) (hw HW) {
	if string(word) == "-" {
		return HW{}
	}
	if kind, octets, ok := bytes.Cut(word, []byte("/")); ok {
		n, ok := ascii.Uint(text(kind), 10, 8)
		b := []byte(nil)
		if len(octets) > 0 {
			b = e.hex(w, octets)
		}
		w.bad = w.bad || !ok || len(b) > len(hw.Addr)
		hw.Type, hw.Len = uint8(n), uint8(copy(hw.Addr[:], b))
		return hw
	}
	hw = HW{Type: 1, Len: 6}
	if len(word) != 17 {
		w.bad = true
		return HW{}
	}
	for i := range 6 {
		hi, lo := digit(word[3*i]), digit(word[3*i+1])
		w.bad = w.bad || hi > 15 || lo > 15 || i < 5 && word[3*i+2] != ':'
		hw.Addr[i] = hi<<4 | lo&15
	}
	return hw
}

// quoted reads what appendQuoted wrote.
func (e *entry) quoted(w *words, word []byte) []byte {
	n := len(word)
	if n < 2 || word[0] != '"' || word[n-1] != '"' {
		w.bad = true
		return nil
	}
	word = word[1 : n-1]
	start := len(e.mem)
	for i := 0; i < len(word); i++ {
		c := word[i]
		if c == '\\' {
			if i+3 >= len(word) {
				w.bad = true
				return nil
			}
			c = (word[i+1]-'0')<<6 | (word[i+2]-'0')<<3 | (word[i+3] - '0')
			i += 3
		}
		e.mem = append(e.mem, c)
	}
	return e.since(start)
}

// digit returns the value of a hexadecimal digit, small or capital; 255 if it
// is none. It is a table because random digits are what a processor can't
// foresee.
func digit(c byte) byte { return digits[c] - 1 }

var digits = [256]byte{
	'0': 1, '1': 2, '2': 3, '3': 4, '4': 5, '5': 6, '6': 7, '7': 8, '8': 9, '9': 10,
	'a': 11, 'b': 12, 'c': 13, 'd': 14, 'e': 15, 'f': 16,
	'A': 11, 'B': 12, 'C': 13, 'D': 14, 'E': 15, 'F': 16,
}
