// Package ascii does with ASCII what the packages strings and strconv do with
// all of Unicode and with all that can be said about a number that is none.
package ascii

// Uint reads a number of so many bits, four at least, to a base of up to 16.
func Uint(s string, base uint64, bits int) (n uint64, ok bool) {
	most := ^uint64(0) >> (64 - bits)
	for i := range len(s) {
		d := uint64(Digit(s[i]))
		if d >= base || n > (most-d)/base {
			return 0, false
		}
		n = n*base + d
	}
	return n, s != ""
}

// Digit returns the value of a hexadecimal digit, 255 if c is none.
func Digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return (c | 0x20) - 'a' + 10
	}
	return 255
}

// Lower returns s with small letters in place of capital ones.
func Lower(s string) string {
	var b []byte
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			if b == nil {
				b = []byte(s)
			}
			b[i] |= 0x20
		}
	}
	if b == nil {
		return s
	}
	return string(b)
}

// Same tells whether a and b are the same but for the case of letters.
func Same(a, b string) bool { return len(a) == len(b) && Lower(a) == Lower(b) }

// IsSpace tells whether c is white space.
func IsSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// Trim returns s without the white space around it.
func Trim(s string) string {
	for s != "" && IsSpace(s[0]) {
		s = s[1:]
	}
	for s != "" && IsSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// TrimRight returns s without any of c at its end.
func TrimRight(s []byte, c byte) []byte {
	for len(s) > 0 && s[len(s)-1] == c {
		s = s[:len(s)-1]
	}
	return s
}

// Fields returns the words of s, which white space parts.
func Fields(s string) (words []string) {
	for s = Trim(s); s != ""; s = Trim(s) {
		n := 0
		for n < len(s) && !IsSpace(s[n]) {
			n++
		}
		words, s = append(words, s[:n]), s[n:]
	}
	return words
}

// AppendOctets appends octets as hardware addresses are written: 00:01:02:0a:0b:0c.
func AppendOctets(dst, octets []byte) []byte {
	const digits = "0123456789abcdef"
	for i, b := range octets {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, digits[b>>4], digits[b&15])
	}
	return dst
}

// AppendOctal appends an octet as \ooo, which is how those are shown that a
// reader could take for something else.
//
//go:noinline
func AppendOctal(dst []byte, c byte) []byte {
	return append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
}
