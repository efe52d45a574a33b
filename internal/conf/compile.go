package conf

import (
	"strings"

	"dhcpd/internal/ascii"
)

// problem is a line of Problems before the names of the files are known.
type problem struct {
	at   place
	text string
}

type compiler struct {
	c        *Config
	hosts    *hosts
	ifaces   []Ifname
	macros   map[string]*macro // by name in lower case
	inOrder  []*macro
	ownTags  map[string]bool // names that `tag` elements define, in lower case
	problems []problem
	said     map[string]bool    // problems of which one is enough
	idNames  []string           // client IDs by number
	longest  [fieldFile + 1]int // octets of the longest value of each tag
	relays   map[string]bool    // interfaces with `option relay`, "" for the one that asks
	agents   []problem          // where `option agent` stands, for which interface
	server   place              // where `option server` stands
	serves   bool               // it stands somewhere, perhaps with inform
	advise   bool               // Problems are to tell more: see lint
}

// problem notes a problem. They are kept in the order of the file, in which
// most of them come.
func (k *compiler) problem(at place, text string) {
	p := append(k.problems, problem{at, text})
	for i := len(p) - 1; i > 0 && p[i].at.before(p[i-1].at); i-- {
		p[i-1], p[i] = p[i], p[i-1]
	}
	k.problems = p
}

// once reports a problem unless the same text was reported before.
func (k *compiler) once(at place, text string) {
	if !k.said[text] {
		k.said[text] = true
		k.problem(at, text)
	}
}

// compile turns all lines of the file into bodies. Tags, keys and macros
// count from the first line to the last, wherever they stand.
func (k *compiler) compile(lines []line) *body {
	for _, l := range lines {
		if k.keyword(l) == "tag" {
			k.tag(l)
		}
	}
	for _, l := range lines {
		switch k.keyword(l) {
		case "key":
			k.key(l)
		case "macro":
			k.define(l)
		}
	}
	top := &body{}
	for _, l := range lines {
		switch k.keyword(l) {
		case "tag", "key":
		case "shared":
			k.shared(l)
		case "macro":
			if len(l) == 2 {
				k.use(top, &l[1])
			}
		default:
			k.statement(top, l)
		}
	}
	for _, m := range k.inOrder {
		k.lines(m.body, m.lines)
		m.lines = nil
	}
	return top
}

func (p place) before(q place) bool {
	return p.file < q.file || p.file == q.file && p.line < q.line
}

// keyword returns the word that says what the line is. The words that MINIX
// does not have give way to tags of that name.
func (k *compiler) keyword(l line) string {
	word := ascii.Lower(l[0].text)
	switch word {
	case "circuit", "remote", "shared", "key":
		if k.ownTags[word] {
			return ""
		}
	}
	return word
}

// lines compiles the lines of a body.
func (k *compiler) lines(b *body, lines []line) {
	for _, l := range lines {
		switch word := k.keyword(l); word {
		case "tag", "key", "shared":
			fail(l[0].at, "'"+word+"' can't stand within braces")
		case "macro":
			if len(l) == 3 && !l[2].atom() {
				fail(l[0].at, "A macro can't be defined within braces")
			}
			if len(l) != 2 || !l[1].atom() {
				fail(l[0].at, "Usage: macro name")
			}
			k.use(b, &l[1])
		default:
			k.statement(b, l)
		}
	}
}

// statement compiles a line that may stand anywhere.
func (k *compiler) statement(b *body, l line) {
	switch k.keyword(l) {
	case "client":
		k.client(b, l)
	case "host":
		k.host(b, l)
	case "interface":
		k.iface(b, l)
	case "class":
		k.match(b, l, onClass)
	case "circuit":
		k.match(b, l, onCircuit)
	case "remote":
		k.match(b, l, onRemote)
	case "option":
		k.option(b, l)
	case "no":
		k.drop(b, l)
	default:
		k.set(b, l)
	}
}

// define notes a macro; of two with one name the first one counts.
func (k *compiler) define(l line) {
	switch {
	case len(l) == 2 && l[1].atom():
		return // a use
	case len(l) != 3 || !l[1].atom() || l[2].atom():
		fail(l[0].at, "Usage: macro name {params}, or macro name")
	}
	name := ascii.Lower(l[1].text)
	if k.macros[name] != nil {
		k.problem(l[0].at, "Macro "+quote(l[1].text)+" is defined already")
		return
	}
	m := &macro{name: l[1].text, at: l[0].at, lines: l[2].lines, body: &body{}}
	k.macros[name] = m
	k.inOrder = append(k.inOrder, m)
}

// use adds the use of a macro to a body.
func (k *compiler) use(b *body, name *item) {
	m := k.macros[ascii.Lower(name.text)]
	if m == nil {
		k.once(name.at, "Macro "+quote(name.text)+" is not defined")
		return
	}
	m.used = true
	b.steps = append(b.steps, step{macro: m, at: name.at})
}

// follow adds what an element leads to, a macro or lines in braces.
func (k *compiler) follow(b *body, it *item) {
	if it.atom() {
		k.use(b, it)
	} else {
		k.lines(b, it.lines)
	}
}

// addrs returns the addresses that a host item stands for: none if the name
// is not known (yet).
func (k *compiler) addrs(it *item) []uint32 {
	if a, ok := parseAddr(it.text); ok {
		k.means(it, a, "")
		return []uint32{a}
	}
	if strings.Trim(it.text, "0123456789.") == "" || strings.ContainsAny(it.text, ":/") {
		it.reject("an IPv4 address")
	}
	addrs := k.hosts.lookup(it.text)
	if len(addrs) == 0 {
		why := "Can't find the address of " + quote(it.text)
		if begins(it.text) {
			why += mayLack(it.text)
		}
		k.once(it.at, why)
	}
	return addrs
}

// means tells what an item stands for, where that is not what it looks like:
// 10.0.0.010 is 10.0.0.8.
func (k *compiler) means(it *item, a uint32, length string) {
	if k.advise && it.text != dotted(a)+length {
		k.once(it.at, quote(it.text)+" means "+dotted(a)+length)
	}
}

// take notes that the pool may not lend these addresses.
func (k *compiler) take(at place, by string, addrs []uint32) {
	for _, a := range addrs {
		if t, ok := k.c.takenBy(a); !ok || t.by == byServer {
			k.c.taken[a] = taken{by, at}
		}
	}
}
