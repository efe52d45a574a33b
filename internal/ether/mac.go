package ether

const hexDigits = "0123456789abcdef"

// AppendMAC writes m as `0:1:2:a:b:c` is usually written: 00:01:02:0a:0b:0c.
func AppendMAC(dst []byte, m MAC) []byte {
	for i, b := range m {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, hexDigits[b>>4], hexDigits[b&15])
	}
	return dst
}

// FormatMAC returns m as AppendMAC writes it.
func FormatMAC(m MAC) string { return string(AppendMAC(make([]byte, 0, 17), m)) }

// ParseMAC reads six hexadecimal numbers of one or two digits with colons
// between them, as MINIX wrote them (8:0:20:1:2:3) and as everybody does.
func ParseMAC(s string) (m MAC, ok bool) {
	for i := range m {
		n := 0
		for n < len(s) && n < 2 {
			d, hex := hexDigit(s[n])
			if !hex {
				break
			}
			m[i] = m[i]<<4 | d
			n++
		}
		if n == 0 {
			return MAC{}, false
		}
		if s = s[n:]; i < len(m)-1 {
			if s == "" || s[0] != ':' {
				return MAC{}, false
			}
			s = s[1:]
		}
	}
	return m, s == ""
}

func hexDigit(c byte) (d byte, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
