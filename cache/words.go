package cache

import (
	"strings"
	"time"

	"dhcpd/internal/ascii"
)

// maxName is the size of an interface's name with its final NUL (IFNAMSIZ).
const maxName = 16

// maxDUID is how long a DUID can be, in octets (RFC 8415 section 11.1).
const maxDUID = 130

// appendName writes an interface's name as one word. The kernel allows nearly
// anything in it.
func appendName(dst []byte, name string) []byte {
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c > '~' || c == '\\' || c == '\'' || c == '#' {
			dst = ascii.AppendOctal(dst, c)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// appendQuoted writes a value in single quotes, as a shell takes it: within
// them nothing is special but the quote. Octets that are not printable ASCII
// become \ooo, and so does the backslash, to tell it from one of ours.
func appendQuoted(dst []byte, v string) []byte {
	dst = append(dst, '\'')
	for i := range len(v) {
		switch c := v[i]; {
		case c == '\'':
			dst = append(dst, `'\''`...)
		case c < ' ' || c > '~' || c == '\\':
			dst = ascii.AppendOctal(dst, c)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '\'')
}

// unquote takes the words out of their quotes: 'one' 'that'\”s two'.
func unquote(s string) (words []string, ok bool) {
	for s = strings.TrimLeft(s, " "); s != ""; s = strings.TrimLeft(s, " ") {
		var raw []byte
		if raw, s, ok = cutWord(s); !ok {
			return nil, false
		}
		word, ok := unescape(string(raw))
		if !ok {
			return nil, false
		}
		words = append(words, word)
	}
	return words, true
}

// cutWord takes the first word off s: quoted pieces, with \' between them.
func cutWord(s string) (word []byte, rest string, ok bool) {
	for strings.HasPrefix(s, "'") {
		piece, rest, closed := strings.Cut(s[1:], "'")
		if !closed {
			break
		}
		word = append(word, piece...)
		if !strings.HasPrefix(rest, `\''`) {
			return word, rest, rest == "" || rest[0] == ' '
		}
		word = append(word, '\'')
		s = rest[2:]
	}
	return nil, "", false
}

// unescape turns every \ooo into its octet. No other backslash is known.
func unescape(s string) (string, bool) {
	if !strings.Contains(s, `\`) {
		return s, true
	}
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b = append(b, s[i])
			continue
		}
		if len(s)-i < 4 {
			return "", false
		}
		c, ok := ascii.Uint(s[i+1:i+4], 8, 8)
		if !ok {
			return "", false
		}
		b = append(b, byte(c))
		i += 3
	}
	return string(b), true
}

func macText(m [6]byte) string { return string(ascii.AppendOctets(nil, m[:])) }

func parseMAC(s string) (m [6]byte, ok bool) {
	b, err := hexValue(strings.ReplaceAll(s, ":", ""))
	if err != nil || len(b) != len(m) {
		return m, false
	}
	copy(m[:], b)
	return m, macText(m) == s
}

// parseTime reads seconds since 1970, up to the year 2242: beyond that no
// lease ends, and a time.Duration soon could not hold the difference.
func parseTime(s string) (time.Time, bool) {
	n, ok := ascii.Uint(s, 10, 33)
	return time.Unix(int64(n), 0), ok
}

// parseEnd reads the end of a lease: the zero time if it has none.
func parseEnd(s string) (time.Time, bool) {
	if s == forever {
		return time.Time{}, true
	}
	return parseTime(s)
}
