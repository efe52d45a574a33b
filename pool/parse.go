package pool

import (
	"bytes"
	"hash/crc32"

	"dhcpd/internal/ascii"
)

// entry is a line that was read. What it holds is good until the next one.
type entry struct {
	verb  verb
	rec   Record // record; with add, del, setFree and wake only its Addr
	stamp stamp  // clock
	n     int64  // synced, counter

	mem []byte // where the record's octets lie
}

// read takes a line apart, without its newline. intact tells whether its
// checksum is right; if so, verb is bad where the line can't be understood.
func (e *entry) read(line []byte) (intact bool) {
	body, intact := unsealed(line)
	if e.verb = bad; intact {
		e.verb = e.parse(&words{rest: body})
	}
	return intact
}

// unsealed returns what stands behind the checksum of a line, and whether that
// is right.
func unsealed(line []byte) (body []byte, intact bool) {
	if len(line) < crcLen || line[crcLen-1] != ' ' {
		return nil, false
	}
	var sum uint32
	var wrong byte
	for _, c := range line[:crcLen-1] {
		d := digit(c)
		wrong |= d
		sum = sum<<4 | uint32(d&15)
	}
	body = line[crcLen:]
	return body, wrong <= 15 && crc32.Checksum(body, castagnoli) == sum
}

// skim is read for who knows that the line was understood before: of a record
// it reads no more than the address, the state, since and last.
func (e *entry) skim(line []byte) (intact bool) {
	body, intact := unsealed(line)
	if e.verb = bad; !intact {
		return false
	}
	w := words{rest: body}
	if w.isRecord() {
		r := &e.rec
		r.Addr, r.State, r.Since, r.Last = w.addr(), stateOf(w.next()), w.time(), 0
		for range 4 { // told, kept, client ID, hardware address
			w.next()
		}
		e.last(&w)
		if e.verb = record; len(w.rest) == 0 && !w.bad {
			return true
		}
		w = words{rest: body} // last may stand behind others: read it all
	}
	e.verb = e.parse(&w)
	return true
}

func (e *entry) parse(w *words) (v verb) {
	if w.isRecord() {
		v = record
		e.record(w)
	} else if v = verbOf(w.next()); v != bad {
		e.behind(w, v)
	}
	if w.bad || len(w.rest) > 0 {
		return bad
	}
	return v
}

func verbOf(word []byte) verb {
	for v := add; v <= synced; v++ {
		if string(word) == verbs[v] {
			return v
		}
	}
	return bad
}

// behind reads what follows a verb.
func (e *entry) behind(w *words, v verb) {
	switch v {
	case add, del, setFree, wake:
		e.rec.Addr = w.addr()
	case clock:
		e.stamp = stamp{boot: string(w.next())}
		if e.stamp.boot == "-" {
			e.stamp.boot = ""
		}
		e.stamp.wall, e.stamp.up = Time(w.number()), Time(w.number())
	case synced:
		e.n = w.number()
	case counter:
		n, ok := ascii.Uint(text(w.next()), 10, 63)
		w.bad = w.bad || !ok
		e.n = int64(n)
	}
}

func (e *entry) record(w *words) {
	e.mem = e.mem[:0]
	r := &e.rec
	*r = Record{}
	r.Addr = w.addr()
	r.State = stateOf(w.next())
	w.bad = w.bad || r.State == stateCount
	r.Since, r.Told, r.Kept = w.time(), w.time(), w.time()
	r.ID = e.hex(w, w.next())
	r.HW = e.hw(w, w.next())
	for len(w.rest) > 0 && !w.bad {
		if !e.last(w) {
			e.extra(w, w.quoted())
		}
	}
}

// last reads last=, which nearly all records have, if it is next.
func (e *entry) last(w *words) bool {
	const name = "last="
	if len(w.rest) <= len(name) || string(w.rest[:len(name)]) != name {
		return false
	}
	w.rest = w.rest[len(name):]
	e.rec.Last = w.time()
	return true
}

const stateCount = State(len(stateNames))

func stateOf(word []byte) State {
	for s := range stateCount {
		if string(word) == stateNames[s] {
			return s
		}
	}
	return stateCount
}

// extra reads name=value. One with a name that this version does not know is
// kept as it is.
func (e *entry) extra(w *words, word []byte) {
	name, value, ok := bytes.Cut(word, []byte("="))
	w.bad = w.bad || !ok
	r := &e.rec
	switch string(name) {
	case "last":
		w.bad = true // where it has a value, last read it
	case "host":
		r.Host = text(e.quoted(w, value))
	case "class":
		r.Class = e.quoted(w, value)
	case "agent":
		r.Agent = e.hex(w, value)
	case "decliner":
		r.Decliner = e.hex(w, value)
	case "holder":
		r.Holder = e.hw(w, value)
	case "nonce":
		r.Nonce = e.hex(w, value)
	case "counter":
		n, ok := ascii.Uint(text(value), 10, 64)
		w.bad = w.bad || !ok
		r.Counter = n
	case "check":
		r.Check = string(value) == "yes"
	case "asleep":
		r.Asleep = string(value) == "yes"
	case "via":
		r.Via = text(e.quoted(w, value))
	case "server":
		v := words{rest: value}
		r.Server = v.addr()
		w.bad = w.bad || v.bad || len(v.rest) > 0
	default:
		if r.Unknown != "" {
			r.Unknown += " "
		}
		r.Unknown += string(word)
	}
}
