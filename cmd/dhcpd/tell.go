package main

import (
	"time"

	"dhcpd/internal/ascii"
	"dhcpd/internal/ask"
	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

// tell prints an answer, in the form of -q.
func (q *inquiry) tell(k *key, now time.Time) {
	at := pool.Time(now.Unix())
	if q.flags.json {
		q.json.answer(k, &q.answer, at)
	} else {
		q.text = appendAnswer(q.text, k, &q.answer, at)
	}
	if len(q.text)+len(q.json.b) > 1<<16 {
		q.flush("")
	}
}

// flush prints what has gathered.
func (q *inquiry) flush(end string) {
	if q.flags.json {
		q.print(append(q.json.b, end...))
	} else {
		q.print(q.text)
	}
	q.text, q.json.b = q.text[:0], q.json.b[:0]
}

// leaseState is the word for what a server says of an address.
func leaseState(a *ask.Answer) string {
	switch s := a.Lease.String(); {
	case a.Type == dhcp4.LeaseUnknown:
		return "unknown"
	case s == "":
		return "unassigned"
	default:
		return ascii.Lower(s)
	}
}

// appendAnswer appends a line. Of what the server does not know there is no
// more than the key.
func appendAnswer(b []byte, k *key, a *ask.Answer, now pool.Time) []byte {
	line := len(b)
	state := leaseState(a)
	if a.Type == dhcp4.LeaseUnknown {
		b = column(append(append(b, k.word...), "  "...), line+addrColumn)
		b = column(append(b, '-'), len(b)+leftColumn)
		return append(append(b, state...), '\n')
	}
	b = column(a.Addr.AppendTo(b), line+addrColumn)
	active := a.Type == dhcp4.LeaseActive
	switch {
	case active && a.Told == 0, !active && a.Since == 0:
		b = append(b, '-')
	case active:
		b = appendLeft(b, &a.Record, now)
		state = "-"
	default:
		b = appendSeconds(b, min(int64(a.Since-now), -1))
	}
	b = column(b, line+addrColumn+leftColumn)
	b = column(append(b, state...), line+addrColumn+leftColumn+stateColumn)
	if len(a.ID) > 0 {
		b = appendNamedHW(appendOwner(b, &a.Record), "  ether ", a.HW)
		b = appendNamed(b, "  remote ", dhcp4.Sub(a.Agent, dhcp4.RemoteID))
		b = appendNamed(b, "  class ", a.Class)
		if a.Last != 0 {
			b = appendSeconds(append(b, "  last "...), min(int64(a.Last-now), -1))
		}
	}
	return append(ascii.TrimRight(b, ' '), '\n')
}

func appendNamed(b []byte, name string, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	return dhcp4.AppendQuoted(append(b, name...), v)
}

// answer writes an answer as an element of a list.
func (j *jsonText) answer(k *key, a *ask.Answer, now pool.Time) {
	j.open("", '{')
	if !k.All() {
		j.text("key", k.word)
	}
	if a.Type != dhcp4.LeaseUnknown {
		j.text("address", a.Addr.String())
	}
	j.text("state", leaseState(a))
	if a.Told != 0 {
		j.left(int64(a.Told), int64(now), a.Told == pool.Infinite)
	}
	j.owner(&a.Record)
	j.close('}')
}

// owner writes what is known of a lease beside its end.
func (j *jsonText) owner(r *pool.Record) {
	if r.Since != 0 {
		j.time("since", int64(r.Since))
	}
	if r.Last != 0 {
		j.time("last", int64(r.Last))
	}
	j.hex("client", r.ID)
	j.text("ether", string(appendNamedHW(nil, "", r.HW)))
	j.text("host", r.Host)
	j.text("class", string(r.Class))
	j.text("circuit", string(dhcp4.Sub(r.Agent, dhcp4.CircuitID)))
	j.text("remote", string(dhcp4.Sub(r.Agent, dhcp4.RemoteID)))
	j.hex("agent", r.Agent)
}
