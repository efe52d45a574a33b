package dhcp4

import (
	"errors"
	"strings"

	"dhcpd/internal/ascii"
)

// ErrName says that a text is no domain name that can be encoded.
var ErrName = errors.New("not a domain name")

const (
	pointer  = 0xc0    // RFC 1035 section 4.1.4
	maxLabel = 63      // RFC 1035 section 2.3.4
	maxName  = 255     // with the length octets and the root
	maxList  = 1 << 14 // octets of text: pointers could make megabytes of 64 KB
)

// Domains appends the names of option c, as 119 is (RFC 3397), to dst. They
// have no final dot; what is not a letter, a digit, - or _ is escaped as \ooo,
// so that no name can be taken for two or for something else.
func (o *Options) Domains(dst []string, c Code) ([]string, error) {
	v, err := o.some(c, 1)
	if err != nil {
		return dst, err
	}
	var buf [4 * maxName]byte
	for at, total := 0, 0; at < len(v); {
		name, next, ok := appendName(buf[:0], v, at)
		if total += len(name) + 1; !ok || total > maxList {
			return dst, ErrMalformed
		}
		dst = append(dst, string(name))
		at = next
	}
	return dst, nil
}

// appendDomains appends the names of v with spaces between and returns their
// number.
func appendDomains(dst, v []byte) ([]byte, int) {
	start, n := len(dst), 0
	for at := 0; at < len(v); n++ {
		if n > 0 {
			dst = append(dst, ' ')
		}
		var ok bool
		dst, at, ok = appendName(dst, v, at)
		if !ok || len(dst)-start > maxList {
			return dst, malformed
		}
	}
	if n == 0 {
		return dst, malformed
	}
	return dst, n
}

// appendName appends the name that stands in v at the given place as text,
// and returns where the next one stands.
func appendName(dst, v []byte, at int) (text []byte, next int, ok bool) {
	start, size, low := len(dst), 1, at
	for at < len(v) {
		n := int(v[at])
		switch {
		case n == 0:
			if len(dst) == start {
				dst = append(dst, '.') // the root
			}
			return dst, max(next, at+1), true
		case n >= pointer && at+1 < len(v):
			next = max(next, at+2)
			at = n&^pointer<<8 | int(v[at+1])
			if at >= low {
				return dst, 0, false // each leads further back: no loop
			}
			low = at
		case n > maxLabel || at+1+n > len(v) || size+1+n > maxName:
			return dst, 0, false
		default:
			if len(dst) > start {
				dst = append(dst, '.')
			}
			dst = appendLabel(dst, v[at+1:at+1+n])
			at, size = at+1+n, size+1+n
		}
	}
	return dst, 0, false
}

func appendLabel(dst, label []byte) []byte {
	for _, c := range label {
		if lower := c | 0x20; lower >= 'a' && lower <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			dst = append(dst, c)
		} else {
			dst = ascii.AppendOctal(dst, c)
		}
	}
	return dst
}

// AppendDomains appends names in the form of option 119: RFC 1035 with
// compression (RFC 3397 section 2). A final dot may be there or not. The
// error is ErrName.
func AppendDomains(dst []byte, names ...string) ([]byte, error) {
	start := len(dst)
	for _, name := range names {
		var err error
		if dst, err = appendDomain(dst, start, name); err != nil {
			return dst[:start], err
		}
	}
	return dst, nil
}

// appendDomain appends one name to the list that begins at start.
func appendDomain(dst []byte, start int, name string) ([]byte, error) {
	short := strings.TrimSuffix(name, ".")
	if name == "" || len(short)+2 > maxName {
		return dst, ErrName
	}
	for name = short; name != ""; {
		if at := find(dst[start:], name); at >= 0 && at < 1<<14 {
			return append(dst, pointer|byte(at>>8), byte(at)), nil
		}
		label, rest, dot := strings.Cut(name, ".")
		if label == "" || len(label) > maxLabel || dot && rest == "" {
			return dst, ErrName
		}
		dst = append(append(dst, byte(len(label))), label...)
		name = rest
	}
	return append(dst, 0), nil
}

// find returns where in the list v a name ends that is equal to name, -1 if
// nowhere. Case counts, so that names come out as they were written.
func find(v []byte, name string) int {
	var buf [4 * maxName]byte
	for at := 0; at < len(v); {
		if v[at] >= pointer {
			at += 2
			continue
		}
		if text, _, ok := appendName(buf[:0], v, at); ok && v[at] != 0 && string(text) == name {
			return at
		}
		at += 1 + int(v[at])
	}
	return -1
}

// IsHostName tells whether a text is a host or domain name by RFC 1123 section
// 2.1: labels of letters, digits and hyphens, with dots between, and no hyphen
// at either end of a label.
func IsHostName(s string) bool {
	if len(s) > maxName-2 {
		return false
	}
	for label, rest, more := "", s, true; more; {
		label, rest, more = strings.Cut(rest, ".")
		if !isLabel(label) {
			return false
		}
	}
	return true
}

func isLabel(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if lower := c | 0x20; c != '-' && (c < '0' || c > '9') && (lower < 'a' || lower > 'z') {
			return false
		}
	}
	return true
}
