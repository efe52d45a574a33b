package dhcp4

import (
	"iter"
	"strconv"
	"strings"

	"dhcpd/internal/ascii"
)

// Kind is the type of an option's value, as a `tag` element of the config
// language names it.
type Kind uint8

// The kinds. Octet is also what an option is that nobody has defined.
const (
	Octet   Kind = iota // any octets: hexadecimal digits
	ASCII               // text: one string
	Boolean             // octets 0 and 1: false and true
	IP                  // IPv4 addresses
	Number              // numbers of Gran octets each
	Domain              // domain names, RFC 1035 with compression (RFC 3397)
	Route               // destination and gateway (RFC 3442)
	URI                 // text: one URI
)

var kindNames = [...]string{"octet", "ascii", "boolean", "ip", "number", "domain", "route", "uri"}

// String returns the kind as a `tag` element spells it.
func (k Kind) String() string { return kindNames[k] }

// KindOf returns the kind of that name; case does not matter.
func KindOf(name string) (Kind, bool) {
	for i, s := range kindNames {
		if ascii.Same(s, name) {
			return Kind(i), true
		}
	}
	return 0, false
}

// Tag is what is known about one option: the name and the values it takes.
type Tag struct {
	Code Code
	Name string
	Kind Kind
	Gran int // items come in multiples of it; of a Number its size: 1, 2 or 4
	Max  int // most items, 0 for no limit
}

// Dict knows options by number and by name. A config file may change one of
// its own; what Builtin returns is shared and never changes.
type Dict struct {
	tags  [256]Tag // a tag without a name is not defined
	names map[string]Code
}

// Builtin returns the names that are there before any config file is read.
func Builtin() *Dict { return builtin }

var builtin = func() *Dict {
	d := &Dict{names: make(map[string]Code, len(standard))}
	for _, t := range standard {
		d.Define(t)
	}
	return d
}()

// Clone returns a copy that may be changed.
func (d *Dict) Clone() *Dict {
	c := &Dict{tags: d.tags, names: make(map[string]Code, len(d.names))}
	for name, code := range d.names {
		c.names[name] = code
	}
	return c
}

// ByCode returns the tag of option c. One that is not defined is named after
// its number, as T150, and made of octets.
func (d *Dict) ByCode(c Code) (Tag, bool) {
	if t := d.tags[c]; t.Name != "" {
		return t, true
	}
	return Tag{c, "T" + strconv.Itoa(int(c)), Octet, 1, 0}, false
}

// ByName returns the tag of that name; case does not matter. An option that
// is not defined is known by the name that ByCode gives it.
func (d *Dict) ByName(name string) (Tag, bool) {
	name = ascii.Lower(name)
	if c, ok := d.names[name]; ok {
		return d.tags[c], true
	}
	if n, ok := strings.CutPrefix(name, "t"); ok {
		c, ok := ascii.Uint(n, 10, 8)
		if ok && Code(c) != Pad && Code(c) != End && n[0] != '0' && d.tags[c].Name == "" {
			t, _ := d.ByCode(Code(c))
			return t, true
		}
	}
	return Tag{}, false
}

// Define sets what is known about option t.Code, 1 to 254. If another option
// has that name, it loses it.
func (d *Dict) Define(t Tag) {
	name := ascii.Lower(t.Name)
	if c, ok := d.names[name]; ok {
		d.tags[c] = Tag{}
	}
	delete(d.names, ascii.Lower(d.tags[t.Code].Name))
	d.tags[t.Code] = t
	d.names[name] = t.Code
}

// All walks the defined tags by number.
func (d *Dict) All() iter.Seq[Tag] {
	return func(yield func(Tag) bool) {
		for _, t := range d.tags {
			if t.Name != "" && !yield(t) {
				return
			}
		}
	}
}

// Nearest returns the one of names that name is probably a slip of: at most a
// third of its characters away, case apart. "" if there is none.
func Nearest(name string, names iter.Seq[string]) string {
	best, least := "", len(name)/3+1
	name = ascii.Lower(name)
	for s := range names {
		if max(len(s)-len(name), len(name)-len(s)) >= least {
			continue
		}
		if n := distance(name, ascii.Lower(s)); n < least {
			best, least = s, n
		}
	}
	return best
}

// distance counts the characters to insert, leave out, change or swap with
// their neighbour to make b of a.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
