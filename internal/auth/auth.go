// Package auth is the authentication of DHCP messages: option 90 as RFC 3118
// (delayed authentication) and RFC 6704 (the nonce of FORCERENEW) lay it down.
// A digest is made over a message as it goes over the wire, so the two that
// count, Sign and Check, work on octets. They allocate nothing.
package auth

import (
	"encoding/binary"

	"dhcpd/internal/dhcp4"
)

// Kind is what an option 90 holds.
type Kind uint8

// The kinds that are understood. All others, the configuration token of RFC
// 3118 section 4 among them, prove nothing and are None.
const (
	None  Kind = iota
	Asks       // protocol 1: that the reply be authenticated (RFC 3118 section 5.2)
	Keyed      // protocol 1: secret ID and digest
	Nonce      // protocol 3: the nonce, in an ACK (RFC 6704 section 3.1.2)
	Woken      // protocol 3: the digest by that nonce, in a FORCERENEW
)

const (
	algorithm = 1     // HMAC-MD5, of both protocols
	fixedLen  = 3 + 8 // protocol, algorithm, RDM, replay detection
	digestLen = 16    // and so is a nonce
	longest   = fixedLen + 4 + digestLen
)

// Option is an option 90, taken apart.
type Option struct {
	Kind   Kind
	Replay uint64
	ID     uint32 // Keyed: the secret ID
	Nonce  []byte // Nonce
}

// Read takes apart the value of option 90. RDM is 0 in all that we understand:
// a counter that grows.
func Read(v []byte) (o Option) {
	if len(v) < fixedLen || v[1] != algorithm || v[2] != 0 {
		return o
	}
	info := v[fixedLen:]
	o.Replay = binary.BigEndian.Uint64(v[3:])
	switch protocol, n := v[0], len(info); {
	case protocol == 1 && n == 0:
		o.Kind = Asks
	case protocol == 1 && n == 4+digestLen:
		o.Kind, o.ID = Keyed, binary.BigEndian.Uint32(info)
	case protocol == 3 && n == 1+digestLen && info[0] == 1:
		o.Kind, o.Nonce = Nonce, info[1:]
	case protocol == 3 && n == 1+digestLen && info[0] == 2:
		o.Kind = Woken
	}
	return o
}

// Of reads option 90 of a message.
func Of(m *dhcp4.Message) Option { return Read(m.Options.Get(dhcp4.Authentication)) }

// Put puts option 90 into a message, which has its other options not yet but
// for 53: where it stands nothing pushes it out. A digest is left for Sign.
func Put(m *dhcp4.Message, o Option) {
	var v [longest]byte
	v[0], v[1] = 1, algorithm
	binary.BigEndian.PutUint64(v[3:], o.Replay)
	n := fixedLen
	switch o.Kind {
	case Keyed:
		binary.BigEndian.PutUint32(v[n:], o.ID)
		n = longest
	case Nonce, Woken:
		v[0], v[n] = 3, byte(o.Kind-Nonce+1)
		copy(v[n+1:], o.Nonce)
		n += 1 + digestLen
	}
	m.Options.Put(dhcp4.Authentication, v[:n])
}

// Count sets the replay counter in the option 90 that a message has.
func Count(m *dhcp4.Message, replay uint64) {
	if v := m.Options.Get(dhcp4.Authentication); len(v) >= fixedLen {
		binary.BigEndian.PutUint64(v[3:], replay)
	}
}

// Able is the value of option 145 (RFC 6704 section 3.1.1) of who knows
// HMAC-MD5.
var Able = []byte{algorithm}

// IsAble tells whether a message comes from somebody who is.
func IsAble(m *dhcp4.Message) bool {
	for _, a := range m.Options.Get(dhcp4.ForceRenewNonce) {
		if a == algorithm {
			return true
		}
	}
	return false
}

// Sign fills in the digest of message b, of which Put left the place.
func Sign(b, key []byte) {
	if at, ok := place(b); ok {
		*(*[digestLen]byte)(b[at:]) = mac(b, key, at, 0)
	}
}

// Check tells whether the digest in message b, as it came, is right. What a
// relay added does not count (RFC 3118 section 3), but it may have taken room
// from the padding for it: so the message is also tried with the padding that
// it must have had.
func Check(b, key []byte) bool {
	at, ok := place(b)
	if !ok {
		return false
	}
	is := (*[digestLen]byte)(b[at:])
	if same(mac(b, key, at, 0), is) {
		return true
	}
	return same(mac(b, key, at, dhcp4.MinSize), is)
}

// same compares in a time that says nothing about where they differ.
func same(a [digestLen]byte, b *[digestLen]byte) bool {
	var d byte
	for i := range a {
		d |= a[i] ^ b[i]
	}
	return d == 0
}

// optionsAt is where the options of a message begin, behind the cookie.
const optionsAt = 240

// next returns the length of the option that is at i, and its code; ok is
// false at the end and where there is none.
func next(b []byte, i int) (c dhcp4.Code, n int, ok bool) {
	if i >= len(b) {
		return dhcp4.End, 0, false
	}
	switch c = dhcp4.Code(b[i]); {
	case c == dhcp4.Pad:
		return c, 1, true
	case c == dhcp4.End || i+2 > len(b) || i+2+int(b[i+1]) > len(b):
		return c, 0, false
	}
	return c, 2 + int(b[i+1]), true
}

// place finds the digest in message b: the end of the one option 90 that it
// has in its options field.
func place(b []byte) (at int, ok bool) {
	for i := optionsAt; ; {
		c, n, more := next(b, i)
		if !more {
			return at, at > 0
		}
		if i += n; c != dhcp4.Authentication {
			continue
		}
		k := Read(b[i-n+2 : i]).Kind
		if at > 0 || k != Keyed && k != Woken {
			return 0, false // of two, which one would it be
		}
		at = i - digestLen
	}
}

var zeros [64]byte

// mac makes the digest of message b, where it stands at at: over all of it,
// with the digest itself, hops and giaddr taken for zero (RFC 3118 sections 3
// and 5.3), but not option 82, and with padding up to size.
func mac(b, key []byte, at, size int) [digestLen]byte {
	var h hmac
	h.begin(key)
	h.write(b[:3])
	h.write(zeros[:1]) // hops
	h.write(b[4:24])
	h.write(zeros[:4]) // giaddr
	from := 28
	for i := optionsAt; ; {
		c, n, ok := next(b, i)
		if !ok {
			break
		}
		switch end := i + n; {
		case c == dhcp4.RelayAgent:
			h.write(b[from:i])
			from = end
		case i < at && at < end:
			h.write(b[from:at])
			h.write(zeros[:digestLen])
			from = end
		}
		i += n
	}
	h.write(b[from:])
	for left := size + 64 - h.size; left > 0; left -= min(left, len(zeros)) {
		h.write(zeros[:min(left, len(zeros))])
	}
	return h.sum()
}
