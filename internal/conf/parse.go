package conf

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
)

// Limits that no site meets. They keep a file that is wrong or hostile from
// taking all time or memory.
const (
	maxNesting  = 100  // braces, macros, files within each other
	maxIncludes = 1000 // times that one file is included
)

// item is a word, a string, or a list of lines in braces.
type item struct {
	text  string
	kind  token // tokenWord, tokenString or '{'
	at    place
	lines []line
}

// line is what stands before a semicolon: at least one item, the first of
// them no braces.
type line []item

func (i *item) atom() bool { return i.kind != '{' }

// failure is how an error travels up to Parse.
type failure struct {
	at   place
	text string
}

//go:noinline
func fail(at place, text string) {
	panic(failure{at, text})
}

// reject fails at an item that is not what has to stand there.
//
//go:noinline
func (i *item) reject(what string) {
	fail(i.at, quote(i.text)+" is not "+what)
}

// quote makes words from the file fit for a message.
func quote(s string) string { return string(dhcp4.AppendSaid(nil, []byte(s))) }

// parser reads files into lines.
type parser struct {
	lex     lexer
	include func(path string) (string, error)
	files   []string         // all files, by number
	numbers map[string]int32 // and the other way round
	open    []int32          // the files that we are within
	times   map[string]int   // how often each was included
	depth   int
	stack   []item // of lines not yet complete
}

// doubt returns what may be the cause of an error there: a line without its
// semicolon, which goes on, on a new line of text, with a word that begins
// lines. By itself that is no error: a host may be called domain.
func doubt(lines []line, at place) string {
	for _, l := range lines {
		for i := range l {
			it := &l[i]
			if s := doubt(it.lines, at); s != "" {
				return s
			}
			if i > 0 && !at.before(l[0].at) && !it.at.before(at) && l[i-1].at.before(it.at) && begins(it.text) {
				return mayLack(it.text)
			}
		}
	}
	return ""
}

func mayLack(word string) string { return " (is a ';' missing before " + quote(word) + "?)" }

// begins tells whether lines begin with a word.
func begins(word string) bool {
	_, tag := dhcp4.Builtin().ByName(word)
	return tag || usages[ascii.Lower(word)] != ""
}

// file reads a whole file.
func (p *parser) file(name, text string) []line {
	n, ok := p.numbers[name]
	if !ok {
		n = int32(len(p.files))
		p.numbers[name] = n
		p.files = append(p.files, name)
	}
	outer := p.lex
	p.lex = lexer{src: strings.TrimPrefix(text, "\uFEFF"), file: n, line: 1}
	p.open = append(p.open, n)
	p.lex.next()
	lines := p.lines()
	if p.lex.tok == '}' {
		fail(p.lex.at, "'}' without '{'")
	}
	p.open = p.open[:len(p.open)-1]
	p.lex = outer
	return lines
}

// lines reads lines up to a closing brace or the end of the file.
func (p *parser) lines() []line {
	if p.depth++; p.depth > maxNesting {
		fail(p.lex.at, "Nesting is too deep")
	}
	var lines []line
	for {
		l := p.line()
		if l == nil {
			break
		}
		if l[0].kind == tokenWord && ascii.Same(l[0].text, "include") {
			lines = append(lines, p.included(l)...)
		} else {
			lines = append(lines, l)
		}
	}
	p.depth--
	return lines
}

// line reads one line and its semicolon, which the last one of a list need
// not have. It returns nil at the end of the list.
func (p *parser) line() line {
	bottom := len(p.stack)
	for {
		it := item{text: p.lex.text, kind: p.lex.tok, at: p.lex.at}
		empty := len(p.stack) == bottom
		switch it.kind {
		case tokenEnd, '}':
			return p.complete(bottom)
		case ';':
			p.lex.next()
			if !empty {
				return p.complete(bottom)
			}
			continue
		case '{':
			if empty {
				fail(it.at, "Syntax error at '{'")
			}
			it.text, it.lines = "", p.braces(it.at)
		}
		if !empty && p.stack[len(p.stack)-1].kind == '{' {
			fail(it.at, "';' is missing behind '}'")
		}
		p.stack = append(p.stack, it)
		p.lex.next()
	}
}

// complete takes the finished line off the stack.
func (p *parser) complete(bottom int) line {
	var l line
	if bottom < len(p.stack) {
		l = slices.Clone(p.stack[bottom:])
	}
	p.stack = p.stack[:bottom]
	return l
}

func (p *parser) braces(open place) []line {
	p.lex.next()
	lines := p.lines()
	if p.lex.tok != '}' {
		fail(open, "'{' is not closed")
	}
	return lines
}

// included returns the lines of the file that an include line names.
func (p *parser) included(l line) []line {
	if len(l) != 2 || !l[1].atom() || l[1].text == "" {
		fail(l[0].at, `Usage: include "path"`)
	}
	name, at := l[1].text, l[0].at
	if !path.IsAbs(name) {
		name = path.Join(path.Dir(p.files[at.file]), name)
	}
	for _, n := range p.open {
		if p.files[n] == name {
			fail(at, "File "+quote(name)+" includes itself")
		}
	}
	if p.times[name]++; p.times[name] > maxIncludes {
		fail(at, "File "+quote(name)+" is included too often")
	}
	text, err := p.include(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		fail(at, "Can't include "+quote(name)+": "+err.Error())
	}
	return p.file(name, text)
}
