package main

import (
	"encoding/hex"
	"strconv"

	"dhcpd/internal/ascii"
)

// jsonText is a JSON object (RFC 8259) being written. A field without a name is
// an element of a list. Plain, it is the same for people: a field on a line, and
// a line for each object of a list, of which only the values are shown.
type jsonText struct {
	b     []byte
	next  bool // a comma goes before the next field
	plain bool
	depth int // plain: of lists and objects with a name
	row   int // plain: where the line of an object begins; 0 if we are not within one
}

// name begins a field.
func (j *jsonText) name(name string) {
	if j.plain {
		j.indent(name)
		return
	}
	if j.next {
		j.b = append(j.b, ',')
	}
	j.next = true
	if name != "" {
		j.b = append(appendJSON(j.b, name), ':')
	}
}

// indent makes room for a value: behind its name, or in the next column of a
// row.
func (j *jsonText) indent(name string) {
	if j.row > 0 {
		if n := len(j.b) - j.row; n > 0 {
			j.b = column(j.b, j.row+max(18, (n+7)/6*6))
		}
		return
	}
	line := len(j.b) + 2*j.depth
	j.b = column(append(column(j.b, line), name...), line+14)
	if j.b[len(j.b)-1] != ' ' {
		j.b = append(j.b, ' ')
	}
}

// open begins an object or a list, which close ends with the other bracket.
func (j *jsonText) open(name string, bracket byte) {
	switch {
	case !j.plain:
		j.name(name)
		j.b, j.next = append(j.b, bracket), false
	case name != "":
		j.b = append(append(column(j.b, len(j.b)+2*j.depth), name...), '\n')
		j.depth++
	default:
		j.b = column(j.b, len(j.b)+2*j.depth)
		j.row = len(j.b)
	}
}

func (j *jsonText) close(bracket byte) {
	switch {
	case !j.plain:
		j.b, j.next = append(j.b, bracket), true
	case j.row > 0:
		j.b, j.row = append(j.b, '\n'), 0
	default:
		j.depth--
	}
}

// text writes a text; none if it is empty.
func (j *jsonText) text(name, v string) {
	if v != "" {
		j.name(name)
		j.value(v)
	}
}

// value writes the value of a field whose name stands there.
func (j *jsonText) value(v string) {
	if !j.plain {
		j.b = appendJSON(j.b, v)
		return
	}
	for i := range len(v) {
		if c := v[i]; c < ' ' || c >= 0x7f {
			j.b = ascii.AppendOctal(j.b, c)
		} else {
			j.b = append(j.b, c)
		}
	}
	j.end()
}

// end ends the line of a field that is not in a row.
func (j *jsonText) end() {
	if j.plain && j.row == 0 {
		j.b = append(j.b, '\n')
	}
}

// hex writes octets as hexadecimal digits; nothing if there are none.
func (j *jsonText) hex(name string, v []byte) { j.text(name, hex.EncodeToString(v)) }

func (j *jsonText) number(name string, n int64) {
	j.name(name)
	j.b = strconv.AppendInt(j.b, n, 10)
	j.end()
}

// flag writes a boolean; for people, what is assumed if it is true.
func (j *jsonText) flag(name, assumed string, v bool) {
	switch {
	case !j.plain:
		j.name(name)
		j.b = strconv.AppendBool(j.b, v)
	case v:
		j.text("assumed", assumed)
	}
}

// words chooses between the name of a field and what people read in its place.
func (j *jsonText) words(name, plain string) string {
	if j.plain {
		return plain
	}
	return name
}

// left writes how long a lease still runs, and when it ends.
func (j *jsonText) left(end, now int64, infinite bool) {
	if infinite {
		j.text("left", "infinite")
		return
	}
	j.number("left", end-now)
	j.time("ends", end)
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
