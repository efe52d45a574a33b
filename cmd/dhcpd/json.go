package main

import (
	"encoding/hex"
	"strconv"
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
	at = max(at, 0)
	year, month, day := date(int(at / 86400))
	second := int(at % 86400)
	b := appendDigits(nil, year, 4)
	for i, n := range [...]int{month, day, second / 3600, second / 60 % 60, second % 60} {
		b = appendDigits(append(b, "--T::"[i]), n, 2)
	}
	j.text(name, string(append(b, 'Z')))
}

// date returns the date of a day, counted from the first of 1970. (Package time
// would look for the local time zone first, even for UTC, and brings all that
// reads one.) The leap day is the last one if years begin in March, and so do
// centuries and the four of them after which all repeats.
func date(day int) (year, month, dayOfMonth int) {
	day += 719468 // since 1 March 0000
	fours := day / 146097
	day %= 146097
	year = (day - day/1460 + day/36524 - day/146096) / 365
	day -= 365*year + year/4 - year/100
	year += 400 * fours
	month = (5*day + 2) / 153 // 31 30 31 30 31, 153 days, twice and a bit
	dayOfMonth = day - (153*month+2)/5 + 1
	if month += 3; month > 12 {
		month, year = month-12, year+1
	}
	return year, month, dayOfMonth
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
			b = append(b, string(c)...)
		}
	}
	return append(b, '"')
}
