package conf

import (
	"encoding/hex"
	"strconv"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// Step is a line that was gathered, or one that it stands within: for dhcpd -e.
type Step struct {
	File  string
	Line  int
	Depth int    // of the elements and macros around it
	Text  []byte // as the config language has it
	Fate  string // why it does not count, "" if it does
}

// Entry is a `client` element, for one of its addresses.
type Entry struct {
	Step
	Addr netip.Addr
}

// tracer goes through what is gathered, in the order of the file.
type tracer struct {
	w     *Asker
	steps []Step
	inner []int32        // the conditions that the last rule stands within, the outermost first
	last  map[uint16]int // by tag, the step that counts so far
}

// Trace returns the lines that Gather gathers for address a, in the order of
// the file, each behind the elements that it stands within.
func (w Asker) Trace(a netip.Addr) []Step {
	addr, ok := toAddr(a)
	if !ok {
		return nil
	}
	w.at(addr)
	t := tracer{w: &w, last: map[uint16]int{}}
	for _, r := range w.rules(nil) {
		rule := &w.c.rules[r]
		ops := w.c.ops[rule.ops.from:rule.ops.to]
		if ops[0].do > opMask {
			continue
		}
		t.enter(rule.cond)
		for i := range ops {
			t.op(&ops[i])
		}
	}
	if name := w.c.hostNames[addr]; name != "" {
		t.steps = append(t.steps, Step{File: HostsFile, Text: []byte(a.String() + " " + name)})
	}
	return t.steps
}

// enter notes the elements around the next rule that were not around the last
// one.
func (t *tracer) enter(n int32) {
	var list []int32
	for ; n >= 0; n = t.w.c.conds[n].up {
		list = append(list, n)
	}
	same := 0
	for i := range list {
		if j := len(list) - 1 - i; i == same && i < len(t.inner) && t.inner[i] == list[j] {
			same++
		}
	}
	t.inner = t.inner[:same]
	for i := len(list) - 1 - same; i >= 0; i-- {
		el := t.w.c.conds[list[i]].el
		t.add(el.at, t.w.describe(el))
		t.inner = append(t.inner, list[i])
	}
}

func (t *tracer) add(at place, text []byte) int {
	t.steps = append(t.steps, Step{File: t.w.c.files[at.file], Line: int(at.line), Depth: len(t.inner), Text: text})
	return len(t.steps) - 1
}

// op notes an op, and what it does to those before it.
func (t *tracer) op(o *op) {
	c, number := t.w.c, o.tag
	if o.do == opMask {
		number = uint16(dhcp4.Netmask)
	}
	tag := c.tag(number)
	if o.do == opDrop {
		n := t.add(o.at, []byte("no "+tag.Name))
		if old, set := t.last[number]; set {
			t.fate(old, "removed by ", n)
		} else {
			t.steps[n].Fate = "nothing to remove"
		}
		delete(t.last, number)
		return
	}
	v := append([]byte(nil), c.data[o.value.from:o.value.to]...)
	v = patch(v, c.picks[o.picks.from:o.picks.to], t.w.addr)
	n := t.add(o.at, tag.AppendValue([]byte(tag.Name+" "), v))
	old, set := t.last[number]
	if set && o.do == opMask {
		t.fate(n, "set already by ", old)
		return
	}
	if set {
		t.fate(old, "overridden by ", n)
	}
	t.last[number] = n
}

// fate says that a step does not count because of another.
func (t *tracer) fate(n int, how string, by int) {
	s := &t.steps[by]
	t.steps[n].Fate = how + s.File + ":" + strconv.Itoa(s.Line)
}

// tag returns the tag of a number, of an option or a header field.
func (c *Config) tag(number uint16) dhcp4.Tag {
	if number > 255 {
		return fields[number-fieldSiaddr].tag
	}
	t, _ := c.dict.ByCode(dhcp4.Code(number))
	return t
}

// The words of the elements.
var elementWords = [...]string{"client", "host", "host", "class", "circuit", "remote", "interface", "macro"}

// describe returns an element in the words of the config language.
func (w *Asker) describe(el *element) []byte {
	b := elementWords[el.kind]
	switch el.kind {
	case onClient:
		id := w.q.ID
		if w.byHW {
			id = w.q.HW
		}
		b += " " + hex.EncodeToString(id)
	case onNet:
		b += " " + netip.PrefixFrom(netip.AddrFrom(el.net.addr), int(el.net.bits)).String()
	}
	if el.ifname != "" {
		b += " " + dhcp4.Quoted(el.ifname)
	}
	for _, a := range el.addrs {
		b += " " + netip.AddrFrom(a).String()
	}
	for _, s := range el.texts {
		b += " " + dhcp4.Quoted(s)
	}
	return []byte(b)
}

// Entries returns the `client` elements of the one who asks, the last of the file
// first. The fate of those that count on no network says why.
func (w Asker) Entries() (list []Entry) {
	for n := w.first(); n >= 0; n = w.c.entries[n].next {
		e := &w.c.entries[n]
		t := tracer{w: &w}
		el := w.c.conds[e.cond].el
		t.add(el.at, w.describe(el))
		x := Entry{t.steps[0], netip.AddrFrom(e.addr)}
		second := w
		second.at(e.addr)
		if _, ok, _ := second.glance(); !ok {
			x.Fate = "no netmask"
		}
		if !w.holds(e.cond) {
			x.Fate = "not all that it stands within matches"
		}
		list = append(list, x)
	}
	return list
}

// ParseClientID reads a client ID as a `client` element has it. Ether tells
// whether it is written as an Ethernet address.
func ParseClientID(s string) (id []byte, ether, ok bool) { return parseClientID(s) }
