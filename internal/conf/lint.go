package conf

import (
	"strconv"

	"dhcpd/internal/netip"
)

// A linter looks for what the file says, and the daemon does, and what will
// bite later all the same. What can't be done as the file says is told without
// being asked: it is among the problems anyway.
type linter struct {
	*compiler
	pool  []netip.Addr
	rule  int     // the one at work
	times [32]int // that each had something to say

	// A client that meets a condition, or that has an address of the pool.
	cond   int32 // -1 for none
	el     *element
	q      Query
	addr   uint32
	info   Info // what it gets
	masked bool // with a netmask,
	mask   uint32
}

// The rules: first those about what a client gets, which is made up for each
// condition and for each address of the pool.
var lints = [...]func(*linter){gateways, untimely, nowhere, overridden, enclosed, never,
	bootless, doubled, netless, flash, idle, unused}

const clientLints = 7

// A hundred thousand lines may have the same fault, and a client may gather as
// many.
const (
	several  = 10         // times that a rule says something
	lintWork = 10_000_000 // rules that all samples may gather
)

// lint does as all rules say.
func (k *compiler) lint(pool []netip.Addr) {
	l := &linter{compiler: k, pool: pool}
	for work := 0; int(l.cond) < len(k.c.conds) && work < lintWork; l.cond++ {
		l.el = k.c.conds[l.cond].el
		a, ok := k.sample(l.cond, &l.q)
		l.gather(&l.q, a)
		l.masked = l.masked && ok
		work += len(l.info.rules)
		l.all(0, clientLints)
	}
	l.cond, l.el = -1, &element{kind: onInterface}
	for _, a := range pool {
		l.gather(&unknown, a.Number())
		l.all(0, clientLints)
	}
	l.all(clientLints, len(lints))
}

func (l *linter) all(from, to int) {
	for l.rule = from; l.rule < to; l.rule++ {
		lints[l.rule](l)
	}
}

// gather makes a client up.
func (l *linter) gather(q *Query, a uint32) {
	l.addr = a
	l.masked = l.c.Gather(q, netip.AddrFrom(a), &l.info)
	l.mask = mask(l.info.bits)
}

// say notes what a rule has to say of a line, once.
func (l *linter) say(at place, text string) {
	key := l.c.message(at, string(rune(l.rule)))
	if !l.said[key] && l.times[l.rule] < several {
		l.said[key] = true
		l.times[l.rule]++
		l.problem(at, text)
	}
}

// sayOf notes something of the line that has set a tag for the client.
func (l *linter) sayOf(tag uint16, text string) {
	for i := len(l.info.rules) - 1; i >= 0; i-- {
		ops := l.c.rules[l.info.rules[i]].ops
		for n := ops.to - 1; n >= ops.from; n-- {
			if o := &l.c.ops[n]; o.do == opSet && o.tag == tag {
				l.say(o.at, text)
				return
			}
		}
	}
}

// within tells whether a condition, or one that encloses it, is an address.
func (l *linter) within(n int32) bool {
	for ; n >= 0; n = l.c.conds[n].up {
		if kind := l.c.conds[n].el.kind; kind == onHost || kind == onNet {
			return true
		}
	}
	return false
}

func dotted(a uint32) string { return netip.AddrFrom(a).String() }

func inLine(at place) string { return "line " + strconv.Itoa(int(at.line)) }
