package main

import (
	"encoding/hex"
	"strconv"

	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

// The columns of -q's pool: address, time left, state, owner. What comes after
// them has a word before it that says what it is.
const (
	addrColumn  = len("255.255.255.255") + 2
	leftColumn  = len("+4294967295") + 2
	stateColumn = len("abandoned") + 2
)

// appendRecord appends the line of one address of the pool. Member is false
// for a binding of an address that is not, or no longer, in the pool; wakeful
// is true while the client is to be woken.
func appendRecord(b []byte, r *pool.Record, member, wakeful bool, now pool.Time) []byte {
	line := len(b)
	b = r.Addr.AppendTo(b)
	b = column(b, line+addrColumn)
	b = appendLeft(b, r, now)
	b = column(b, line+addrColumn+leftColumn)
	if s := stateOf(r, member); s != "" || len(r.ID) > 0 {
		b = append(b, word(s)...)
		b = column(b, line+addrColumn+leftColumn+stateColumn)
		b = appendOwner(b, r)
	}
	switch {
	case wakeful:
		b = append(b, "  wake pending"...)
	case r.Asleep:
		b = append(b, "  wake unanswered"...)
	}
	if r.State == pool.Abandoned {
		b = appendAbandoned(b, r, member, now)
	}
	return append(ascii.TrimRight(b, ' '), '\n')
}

// column pads b with spaces up to length n.
func column(b []byte, n int) []byte {
	for len(b) < n {
		b = append(b, ' ')
	}
	return b
}

// word stands for itself, or a dash for nothing, so that fields can be counted.
func word(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// appendLeft appends the time that is left of the lease, in seconds, or the
// time since it ended. A + says that it runs, so that an address that was given
// back or abandoned this very second is a second away from that.
func appendLeft(b []byte, r *pool.Record, now pool.Time) []byte {
	end := r.Told
	switch r.State {
	case pool.Free:
		return append(b, "unused"...)
	case pool.Released, pool.Abandoned:
		return appendSeconds(b, min(int64(r.Since-now), -1))
	}
	if end == pool.Infinite {
		return append(b, "infinite"...)
	}
	return appendSeconds(b, int64(end-now))
}

// appendSeconds appends seconds with their sign: +3600 are to come, -120 past.
func appendSeconds(b []byte, n int64) []byte {
	if n >= 0 {
		b = append(b, '+')
	}
	return strconv.AppendInt(b, n, 10)
}

// stateOf returns what -q says of a state: nothing of a plain lease.
func stateOf(r *pool.Record, member bool) string {
	switch {
	case r.State == pool.Bound && !member:
		return "removed"
	case r.State == pool.Free || r.State == pool.Bound:
		return ""
	}
	return r.State.String()
}

// appendOwner appends the client ID as MINIX does, and what else is known.
// There is more than that in a record, a nonce for one: that is nobody's
// business.
func appendOwner(b []byte, r *pool.Record) []byte {
	b = append(b, word(hex.EncodeToString(r.ID))...)
	if r.Host != "" {
		b = dhcp4.AppendQuoted(append(b, "  host "...), []byte(r.Host))
	}
	if c, err := dhcp4.SubOption(r.Agent, dhcp4.CircuitID); err == nil {
		b = dhcp4.AppendQuoted(append(b, "  circuit "...), c)
	}
	if r.State == pool.Relayed {
		b = appendNamedHW(b, "  ether ", r.HW)
		if r.Via != "" {
			b = append(append(b, "  via "...), printable(r.Via)...)
		}
		if r.Server.IsValid() {
			b = r.Server.AppendTo(append(b, "  server "...))
		}
	}
	return b
}

func appendNamedHW(b []byte, name string, hw pool.HW) []byte {
	if hw.Len == 0 {
		return b
	}
	return ascii.AppendOctets(append(b, name...), hw.Addr[:min(int(hw.Len), len(hw.Addr))])
}

// appendAbandoned appends who declined an address, who has it, and in how many
// seconds the wire is asked next whether anybody does.
func appendAbandoned(b []byte, r *pool.Record, member bool, now pool.Time) []byte {
	if len(r.Decliner) > 0 {
		b = hex.AppendEncode(append(b, "  decliner "...), r.Decliner)
	}
	b = appendNamedHW(b, "  holder ", r.Holder)
	if member {
		b = append(b, "  probe "...)
		b = appendSeconds(b, int64(pool.NextProbe(r.Since, now)-now))
	}
	return b
}
