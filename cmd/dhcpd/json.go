package main

import (
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf8"
)

// jsonText is a JSON object (RFC 8259) being written. A field without a name is
// an element of a list.
type jsonText struct {
	b    []byte
	next bool // a comma goes before the next field
}

// name begins a field.
func (j *jsonText) name(name string) {
	if j.next {
		j.b = append(j.b, ',')
	}
	j.next = true
	if name != "" {
		j.b = append(appendJSON(j.b, name), ':')
	}
}

// open begins an object or a list, which close ends with the other bracket.
func (j *jsonText) open(name string, bracket byte) {
	j.name(name)
	j.b, j.next = append(j.b, bracket), false
}

func (j *jsonText) close(bracket byte) { j.b, j.next = append(j.b, bracket), true }

// text writes a text; none if it is empty.
func (j *jsonText) text(name, v string) {
	if v != "" {
		j.name(name)
		j.b = appendJSON(j.b, v)
	}
}

// hex writes octets as hexadecimal digits; nothing if there are none.
func (j *jsonText) hex(name string, v []byte) { j.text(name, hex.EncodeToString(v)) }

func (j *jsonText) number(name string, n int64) {
	j.name(name)
	j.b = strconv.AppendInt(j.b, n, 10)
}

// time writes a moment, in seconds since 1970, as RFC 3339 has it.
func (j *jsonText) time(name string, at int64) {
	t := time.Unix(at, 0).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b := appendDigits(nil, year, 4)
	for i, n := range [...]int{int(month), day, hour, minute, second} {
		b = appendDigits(append(b, "--T::"[i]), n, 2)
	}
	j.text(name, string(append(b, 'Z')))
}

func appendDigits(b []byte, n, width int) []byte {
	s := strconv.Itoa(n)
	for range width - len(s) {
		b = append(b, '0')
	}
	return append(b, s...)
}

// appendJSON appends a string. What is no UTF-8 in it, since it came from the
// network, is replaced.
func appendJSON(b []byte, s string) []byte {
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c < ' ' || c == 0x7f:
			b = hex.AppendEncode(append(b, `\u00`...), []byte{byte(c)})
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return append(b, '"')
}
