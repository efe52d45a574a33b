package pool

import (
	"encoding/hex"
	"hash/crc32"
	"strconv"

	"dhcpd/internal/ascii"
	"dhcpd/internal/netip"
)

// The pool file is text. After the first line each one is
//
//	<crc> <address> <state> <since> <told> <kept> <client ID> <hardware address> [name=value ...]
//	<crc> add|del|free|wake <address>        what commands write
//	<crc> clock <boot ID> <wall> <boottime>  see timeline
//	<crc> open, <crc> close                  a daemon began and ended in order
//	<crc> counter <n>                        no replay counter from n on has been used
//	<crc> = <octets>                         so much before this line is known to be on stable storage
//
// with the CRC-32C of what follows it in 8 hexadecimal digits. Times are
// seconds since 1970, "-" for never, "infinite". A line with a good checksum
// that says something else than this is from a version that should have
// written another first line: it makes the file corrupt, and is never cut off.
const header = "#dhcp.pool 1\n"

// verb is the word that says what a line is.
type verb uint8

const (
	bad verb = iota
	record
	add
	del
	setFree
	wake
	clock
	opened
	closed
	counter
	synced
)

var verbs = [...]string{add: "add", del: "del", setFree: "free", wake: "wake",
	clock: "clock", opened: "open", closed: "close", counter: "counter", synced: "="}

// crcLen is how long the checksum and the space after it are.
const crcLen = 9

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// begin makes room for a checksum; end fills it in and ends the line.
//
//go:noinline
func begin(b []byte) (line []byte, start int) {
	return append(b, "........ "...), len(b)
}

func end(b []byte, start int) []byte {
	sum := crc32.Checksum(b[start+crcLen:], castagnoli)
	for i := range 8 {
		b[start+i] = "0123456789abcdef"[sum>>(28-4*i)&15]
	}
	return append(b, '\n')
}

// appendVerb appends a line of one word.
func appendVerb(b []byte, v verb) []byte {
	b, start := begin(b)
	return end(append(b, verbs[v]...), start)
}

// appendChange appends a line of a verb and an address.
func appendChange(b []byte, v verb, a netip.Addr) []byte {
	b, start := begin(b)
	b = append(append(b, verbs[v]...), ' ')
	return end(a.AppendTo(b), start)
}

// appendNumber appends a line of a verb and a number.
func appendNumber(b []byte, v verb, n int64) []byte {
	b, start := begin(b)
	b = append(append(b, verbs[v]...), ' ')
	return end(strconv.AppendInt(b, n, 10), start)
}

func appendClock(b []byte, s stamp) []byte {
	b, start := begin(b)
	b = append(b, "clock "...)
	if s.boot == "" {
		s.boot = "-"
	}
	b = append(append(b, s.boot...), ' ')
	b = append(strconv.AppendInt(b, int64(s.wall), 10), ' ')
	return end(strconv.AppendInt(b, int64(s.up), 10), start)
}

// appendRecord appends the line of a record whose times lie off after those
// of the wall clock.
func appendRecord(b []byte, r *Record, off Time) []byte {
	b, start := begin(b)
	b = append(r.Addr.AppendTo(b), ' ')
	b = append(b, r.State.String()...)
	for _, at := range [...]Time{r.Since, r.Told, r.Kept} {
		b = appendTime(append(b, ' '), at, off)
	}
	b = appendHex(append(b, ' '), r.ID)
	b = appendHW(append(b, ' '), r.HW)
	return end(appendExtra(b, &r.Extra, off), start)
}

func appendExtra(b []byte, x *Extra, off Time) []byte {
	if x.Last != 0 {
		b = appendTime(append(b, " last="...), x.Last, off)
	}
	if len(x.Host) > 0 {
		b = appendQuoted(append(b, " host="...), x.Host)
	}
	if len(x.Class) > 0 {
		b = appendQuoted(append(b, " class="...), text(x.Class))
	}
	if len(x.Agent) > 0 {
		b = appendHex(append(b, " agent="...), x.Agent)
	}
	if len(x.Decliner) > 0 {
		b = appendHex(append(b, " decliner="...), x.Decliner)
	}
	if x.Holder != (HW{}) {
		b = appendHW(append(b, " holder="...), x.Holder)
	}
	if len(x.Nonce) > 0 {
		b = appendHex(append(b, " nonce="...), x.Nonce)
	}
	if x.Counter != 0 {
		b = strconv.AppendUint(append(b, " counter="...), x.Counter, 10)
	}
	if x.Check {
		b = append(b, " check=yes"...)
	}
	if x.Asleep {
		b = append(b, " asleep=yes"...)
	}
	if len(x.Via) > 0 {
		b = appendQuoted(append(b, " via="...), x.Via)
	}
	if x.Server.Is4() {
		b = x.Server.AppendTo(append(b, " server="...))
	}
	if x.Unknown != "" {
		b = append(append(b, ' '), x.Unknown...)
	}
	return b
}

func appendTime(b []byte, at, off Time) []byte {
	switch {
	case at == 0:
		return append(b, '-')
	case at >= most/2:
		return append(b, "infinite"...)
	}
	return strconv.AppendInt(b, int64(at-off), 10)
}

func appendHex(b, octets []byte) []byte {
	if len(octets) == 0 {
		return append(b, '-')
	}
	return hex.AppendEncode(b, octets)
}

// appendHW writes an Ethernet address as people do, any other as type/octets.
func appendHW(b []byte, hw HW) []byte {
	if hw == (HW{}) {
		return append(b, '-')
	}
	addr := hw.octets()
	if hw.Type != 1 || len(addr) != 6 {
		b = append(strconv.AppendUint(b, uint64(hw.Type), 10), '/')
		return hex.AppendEncode(b, addr)
	}
	return ascii.AppendOctets(b, addr)
}

func quoted(path string) string { return string(appendQuoted(nil, path)) }

// appendQuoted writes what a client sent: printable ASCII as it is, anything
// else as \ooo, so that a line stays a line and a pager is safe.
//
//go:noinline
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c > '~' || c == '"' || c == '\\':
			b = ascii.AppendOctal(b, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
