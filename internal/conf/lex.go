package conf

import (
	"strings"

	"dhcpd/internal/ascii"
)

// place is where something stands: a file, by its number in Config.files, and
// a line.
type place struct{ file, line int32 }

// token is the kind of a token: a character that stands for itself, or one of
// these.
type token byte

const (
	tokenEnd    token = 0
	tokenWord   token = 'w'
	tokenString token = '"'
)

// lexer cuts the text of one file into tokens, as configfile(5) has them.
type lexer struct {
	src  string
	pos  int
	line int32 // of pos
	file int32

	tok  token  // the current token,
	text string // of a word or string its text,
	at   place  // and where it begins
}

// wordChar tells which characters may stand in a word: letters, digits and
// these. Octets beyond ASCII count as letters.
var wordChar = func() (is [256]bool) {
	const others = "!#$%&*+-./:<=>?[\\]^_|~"
	for c := range is {
		b := byte(c)
		lower := b | 0x20
		is[c] = lower >= 'a' && lower <= 'z' || b >= '0' && b <= '9' || b >= 0x80 || strings.IndexByte(others, b) >= 0
	}
	return is
}()

// next reads the next token.
func (l *lexer) next() {
	l.skip()
	l.at = place{l.file, l.line}
	if l.pos == len(l.src) {
		l.tok = tokenEnd
		return
	}
	switch c := l.src[l.pos]; {
	case c == '{' || c == '}' || c == ';':
		l.tok = token(c)
		l.pos++
	case c == '"' || c == '\'':
		l.pos++
		l.tok, l.text = tokenString, l.read(c)
		if l.pos == len(l.src) || l.src[l.pos] != c {
			fail(l.at, "String is not closed")
		}
		l.pos++
	case wordChar[c]:
		l.tok, l.text = tokenWord, l.read(0)
		if l.text == "" { // nothing but an escaped space
			l.fail()
		}
	default:
		l.fail()
	}
}

// skip skips white space and comments.
func (l *lexer) skip() {
	for ; l.pos < len(l.src); l.pos++ {
		switch c := l.src[l.pos]; {
		case c == '\n':
			l.line++
		case c == '#':
			end := strings.IndexByte(l.src[l.pos:], '\n')
			if end < 0 {
				end = len(l.src) - l.pos
			}
			l.pos += end - 1
		case !ascii.IsSpace(c):
			return
		}
	}
}

// read reads the text of a word, if quote is 0, or of a string up to the
// quote that ends it.
func (l *lexer) read(quote byte) string {
	start := l.pos
	for l.within(quote) && l.src[l.pos] != '\\' {
		l.pos++
	}
	if !l.within(quote) {
		return l.src[start:l.pos]
	}
	text := []byte(l.src[start:l.pos])
	for l.within(quote) {
		c := l.src[l.pos]
		l.pos++
		if c == '\\' {
			text = l.escape(text)
		} else {
			text = append(text, c)
		}
	}
	return string(text)
}

func (l *lexer) within(quote byte) bool {
	if l.pos == len(l.src) {
		return false
	}
	c := l.src[l.pos]
	if quote == 0 {
		return wordChar[c]
	}
	return c != quote && c != '\n'
}

// Letters that stand for a control character or a space after a backslash.
const (
	escapes = "abefnrstv"
	escaped = "\a\b\x1b\f\n\r \t\v"
)

// escape appends the character that stands behind a backslash, nothing if it
// is white space.
func (l *lexer) escape(text []byte) []byte {
	if l.pos == len(l.src) {
		l.fail()
	}
	c := l.src[l.pos]
	switch {
	case ascii.IsSpace(c):
		l.skip()
		return text
	case c >= '0' && c <= '7':
		return append(text, l.digits(8, 3))
	case c == 'x' || c == 'X':
		l.pos++
		if l.pos == len(l.src) || ascii.Digit(l.src[l.pos]) > 15 {
			fail(place{l.file, l.line}, "No hexadecimal digit after \\x")
		}
		return append(text, l.digits(16, 2))
	}
	l.pos++
	if i := strings.IndexByte(escapes, c); i >= 0 {
		c = escaped[i]
	}
	return append(text, c)
}

// digits reads at most most digits. What is over 255 is cut, as C does.
func (l *lexer) digits(base byte, most int) (n byte) {
	for ; most > 0 && l.pos < len(l.src); most-- {
		d := ascii.Digit(l.src[l.pos])
		if d >= base {
			break
		}
		n = n*base + d
		l.pos++
	}
	return n
}

// fail says that the text can't be read beyond this point.
func (l *lexer) fail() {
	if l.pos == len(l.src) {
		fail(place{l.file, l.line}, "Syntax error at the end of the file")
	}
	fail(place{l.file, l.line}, "Syntax error at "+quote(l.src[l.pos:l.pos+1]))
}
