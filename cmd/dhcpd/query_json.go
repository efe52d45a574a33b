package main

import (
	"dhcpd/cache"
	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

// networks writes what is known of each network.
func (j *jsonText) networks(entries []cache.Entry, d *dhcp4.Dict, at cache.Clock) {
	j.open("networks", '[')
	for i := range entries {
		e := &entries[i]
		j.open("", '{')
		j.text("interface", e.Name)
		j.text("address", e.Addr.String())
		j.left(e.End.Unix(), at.Now.Unix(), e.Infinite())
		j.fields(e.Siaddr, e.Sname, e.File, &e.Options, d)
		j.close('}')
	}
	j.close(']')
}

// lease writes an address of the pool as an element of a list.
func (j *jsonText) lease(r *pool.Record, member, wakeful bool, now pool.Time) {
	j.open("", '{')
	j.text("address", r.Addr.String())
	j.text("state", jsonState(r, member, now))
	switch r.State {
	case pool.Free, pool.Released, pool.Abandoned: // no lease runs, or ends
	default:
		j.left(int64(r.Told), int64(now), r.Told == pool.Infinite)
	}
	j.owner(r)
	j.hex("decliner", r.Decliner)
	j.text("holder", string(appendNamedHW(nil, "", r.Holder)))
	if r.State == pool.Abandoned && member {
		j.time("probe", int64(pool.NextProbe(r.Since, now)))
	}
	switch {
	case wakeful:
		j.text("wake", "pending")
	case r.Asleep:
		j.text("wake", "unanswered")
	}
	j.text("via", r.Via)
	j.address("server", r.Server)
	j.close('}')
}

// jsonState is one word for the state of an address.
func jsonState(r *pool.Record, member bool, now pool.Time) string {
	switch s := stateOf(r, member); {
	case s != "":
		return s
	case r.State == pool.Free:
		return "unused"
	case r.Told <= now:
		return "expired"
	}
	return "active"
}

// counts writes what the daemon has counted.
func (j *jsonText) counts(text []byte, alive bool, up, wall int64) {
	j.open("daemon", '{')
	j.flag("running", "", alive)
	j.open("counts", '[')
	for len(text) > 0 {
		number, ago, what, rest, ok := cutCount(text, up)
		if text = rest; !ok {
			continue
		}
		j.open("", '{')
		j.text("what", string(what))
		if ago < 0 {
			j.number("left", ago)
			j.time("time", wall+ago)
		} else {
			n, _ := ascii.Uint(string(number), 10, 63)
			j.number("count", int64(n))
		}
		j.close('}')
	}
	j.close(']')
	j.close('}')
}
