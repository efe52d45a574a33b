package conf

import "strconv"

// maxUnfolded is how many uses of macros, and elements and runs within them, a
// file may come to. It stops macros that use two macros that use two macros.
const maxUnfolded = 1_000_000

// rule is a run of ops and the condition under which it is gathered. Rules
// stand in the order of the file.
type rule struct {
	cond int32 // -1 for none
	ops  span
}

// cond is an element within other elements: it holds if all of them match.
type cond struct {
	up      int32 // the enclosing one, -1 for none
	inMacro bool  // and elsewhere there may be others around it
	el      *element
}

// entry is an address that a `client` element gives.
type entry struct {
	addr uint32
	cond int32 // of the element
	next int32 // entry of the same client ID, -1 for none
}

// visit is how far the search for circles among macros has come.
type visit uint8

const (
	unseen visit = iota
	within
	seen
)

// unfolder lays down rules, conditions and entries.
type unfolder struct {
	c        *Config
	trace    bool // the uses of macros are kept as elements
	depth    int
	unfolded int
}

// body lays down the rules of a body under condition up.
func (u *unfolder) body(b *body, up int32, at place, inMacro bool) {
	if u.depth++; u.depth > maxNesting {
		fail(at, "Nesting is too deep")
	}
	for i := range b.steps {
		s := &b.steps[i]
		if inMacro {
			if u.unfolded++; u.unfolded > maxUnfolded {
				fail(at, "Macros unfold to more than "+strconv.Itoa(maxUnfolded)+" elements")
			}
		}
		switch {
		case s.macro != nil:
			n := up
			if u.trace {
				n = int32(len(u.c.conds))
				u.c.conds = append(u.c.conds, cond{up, inMacro, &element{kind: onMacro, at: s.at, texts: []string{s.macro.name}}})
			}
			u.body(s.macro.body, n, s.at, true)
		case s.el != nil:
			u.element(s.el, up, inMacro)
		default:
			u.c.rules = append(u.c.rules, rule{up, s.ops})
		}
	}
	u.depth--
}

func (u *unfolder) element(el *element, up int32, inMacro bool) {
	c := u.c
	n := int32(len(c.conds))
	c.conds = append(c.conds, cond{up, inMacro, el})
	if el.kind == onClient {
		for _, a := range el.addrs {
			c.entries = append(c.entries, entry{a, n, c.firstEntry[el.who]})
			c.firstEntry[el.who] = int32(len(c.entries)) - 1
		}
	}
	if el.body != nil && el.possible() {
		u.body(el.body, n, el.at, inMacro)
	}
}

// possible tells whether the element can match at all. One whose host is not
// known can't.
func (el *element) possible() bool {
	return len(el.addrs) > 0 || el.kind != onClient && el.kind != onHost && el.kind != onInterface
}

// circles finds macros that gather themselves, whether they are used or not.
func (m *macro) circles() {
	m.mark = within
	m.body.circles()
	m.mark = seen
}

func (b *body) circles() {
	for _, s := range b.steps {
		switch {
		case s.el != nil && s.el.body != nil:
			s.el.body.circles()
		case s.macro != nil && s.macro.mark == within:
			fail(s.at, "Macro "+quote(s.macro.name)+" gathers itself")
		case s.macro != nil && s.macro.mark == unseen:
			s.macro.circles()
		}
	}
}
