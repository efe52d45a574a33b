package dhcp4

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"dhcpd/internal/ascii"
	"dhcpd/internal/netip"
)

// AppendValue appends a value of option t as the config language spells it:
// `10.0.0.1 10.0.0.2`, `3600`, `true`, `"text"`. Octets are hexadecimal digits,
// and so is any value that is malformed for the tag.
func (t Tag) AppendValue(dst, value []byte) []byte {
	dst, _ = t.appendValue(dst, value)
	return dst
}

// Fits tells whether a value is well formed for t.
func (t Tag) Fits(value []byte) bool {
	_, ok := t.appendValue(nil, value)
	return ok
}

// appendValue also tells whether the value is well formed.
func (t Tag) appendValue(dst, v []byte) ([]byte, bool) {
	start, items := len(dst), len(v)
	switch t.Kind {
	case Octet:
		dst = hex.AppendEncode(dst, v)
	case ASCII, URI:
		dst = AppendQuoted(dst, v)
	case Boolean:
		dst, items = appendItems(dst, v, 1, appendBool)
	case IP:
		dst, items = appendItems(dst, v, 4, appendAddr)
	case Number:
		dst, items = appendItems(dst, v, t.Gran, appendNumber)
	case Domain:
		dst, items = appendDomains(dst, v)
	case Route:
		dst, items = appendRoutes(dst, v)
	}
	if !t.fits(items) {
		return hex.AppendEncode(dst[:start], v), false
	}
	return dst, true
}

// malformed, in place of a number of items, says that a value is none.
const malformed = -1

// fits tells whether the tag may have that many items.
func (t Tag) fits(items int) bool {
	if items == malformed || t.Max > 0 && items > t.Max {
		return false
	}
	return t.Kind == Number || t.Gran == 0 || items%t.Gran == 0
}

// appendItems appends the items of size octets each, with spaces between, and
// returns their number.
func appendItems(dst, v []byte, size int, item func(dst, v []byte) ([]byte, bool)) ([]byte, int) {
	if size < 1 || len(v) == 0 || len(v)%size != 0 {
		return dst, malformed
	}
	for i := 0; i < len(v); i += size {
		if i > 0 {
			dst = append(dst, ' ')
		}
		var ok bool
		if dst, ok = item(dst, v[i:i+size]); !ok {
			return dst, malformed
		}
	}
	return dst, len(v) / size
}

func appendBool(dst, v []byte) ([]byte, bool) {
	return strconv.AppendBool(dst, v[0] == 1), v[0] <= 1
}

func appendAddr(dst, v []byte) ([]byte, bool) {
	return netip.AddrFrom4([4]byte(v)).AppendTo(dst), true
}

func appendNumber(dst, v []byte) ([]byte, bool) {
	var b [4]byte
	if len(v) > len(b) {
		return dst, false
	}
	copy(b[len(b)-len(v):], v)
	return strconv.AppendUint(dst, uint64(binary.BigEndian.Uint32(b[:])), 10), true
}

// AppendQuoted appends text from the wire so that it can't do harm in a log
// or on a terminal: in double quotes, with a backslash before those and
// itself, everything but printable ASCII as three octal digits, \ooo. The
// config language reads it back as it was.
func AppendQuoted(dst, s []byte) []byte { return appendQuoted(dst, s, '"') }

// Quoted is AppendQuoted for a message.
func Quoted(s string) string { return string(AppendQuoted(nil, []byte(s))) }

// AppendSaid does the same in single quotes, which is how the diagnostics
// repeat what a peer said: saying '...'.
func AppendSaid(dst, s []byte) []byte { return appendQuoted(dst, s, '\'') }

//go:noinline
func appendQuoted(dst, s []byte, quote byte) []byte {
	dst = append(dst, quote)
	for _, c := range s {
		switch {
		case c == quote || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ' || c > '~':
			dst = ascii.AppendOctal(dst, c)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, quote)
}

// ParseHex reads octets of two hexadecimal digits each. The errors of
// encoding/hex would bring fmt into the program.
func ParseHex(s string) ([]byte, bool) {
	b := make([]byte, len(s)/2)
	for i := range b {
		n, ok := ascii.Uint(s[2*i:2*i+2], 16, 8)
		if !ok {
			return nil, false
		}
		b[i] = byte(n)
	}
	return b, len(s)%2 == 0
}
