package dhcp4

import (
	"encoding/binary"
	"errors"
	"iter"
	"net/netip"
)

// Errors of the typed readers of Options. Malformed means that the option is
// there but its length is wrong for the type: to be treated as the RFC at
// hand says, never as a value.
var (
	ErrAbsent    = errors.New("option is absent")
	ErrMalformed = errors.New("option is malformed")
)

// Set is a set of option codes.
type Set [4]uint64

// Add puts c into the set.
func (s *Set) Add(c Code) { s[c>>6] |= 1 << (c & 63) }

// Remove takes c out of the set.
func (s *Set) Remove(c Code) { s[c>>6] &^= 1 << (c & 63) }

// Has tells whether c is in the set.
func (s *Set) Has(c Code) bool { return s[c>>6]&(1<<(c&63)) != 0 }

// Empty tells whether the set has no member.
func (s *Set) Empty() bool { return *s == Set{} }

// Options holds at most one value for each code, in the order in which the
// codes came or were put. The zero Options is empty and ready; Reset empties
// it and keeps its memory. Values are copied in, and those handed out are
// good until the next change.
type Options struct {
	buf  []byte
	has  Set
	span [256]span
	list [256]Code // list[:n], in order
	n    int
}

type span struct{ off, len int32 }

// Reset empties o.
func (o *Options) Reset() {
	o.buf, o.has, o.n = o.buf[:0], Set{}, 0
}

// Len returns how many options there are.
func (o *Options) Len() int { return o.n }

// Has tells whether option c is present, even if its value is empty.
func (o *Options) Has(c Code) bool { return o.has.Has(c) }

// Get returns the value of option c, nil if it is absent.
func (o *Options) Get(c Code) []byte {
	if !o.has.Has(c) {
		return nil
	}
	s := o.span[c]
	return o.buf[s.off : s.off+s.len : s.off+s.len]
}

// All walks the options in order.
func (o *Options) All() iter.Seq2[Code, []byte] {
	return func(yield func(Code, []byte) bool) {
		for _, c := range o.list[:o.n] {
			if !yield(c, o.Get(c)) {
				return
			}
		}
	}
}

// Put sets option c to a copy of v. A code that is present keeps its place in
// the order. Pad and End are no options: they are ignored.
func (o *Options) Put(c Code, v []byte) {
	if c == Pad || c == End {
		return
	}
	if !o.has.Has(c) {
		o.has.Add(c)
		o.list[o.n] = c
		o.n++
	} else if s := o.span[c]; len(v) <= int(s.len) {
		copy(o.buf[s.off:], v)
		o.span[c].len = int32(len(v))
		return
	}
	o.span[c] = span{int32(len(o.buf)), int32(len(v))}
	o.buf = append(o.buf, v...)
}

// join appends v to what is there of option c: RFC 3396 section 7.
func (o *Options) join(c Code, v []byte) {
	if !o.has.Has(c) {
		o.Put(c, v)
		return
	}
	s := &o.span[c]
	if int(s.off+s.len) != len(o.buf) { // not the last one: move it there
		old := o.buf[s.off : s.off+s.len]
		s.off = int32(len(o.buf))
		o.buf = append(o.buf, old...)
	}
	s.len += int32(len(v))
	o.buf = append(o.buf, v...)
}

// Del removes option c.
func (o *Options) Del(c Code) {
	if !o.has.Has(c) {
		return
	}
	o.has.Remove(c)
	for i, x := range o.list[:o.n] {
		if x == c {
			copy(o.list[i:], o.list[i+1:o.n])
			o.n--
			return
		}
	}
}

// PutUint8 sets an option of one octet.
func (o *Options) PutUint8(c Code, v uint8) { b := [1]byte{v}; o.Put(c, b[:]) }

// PutUint16 sets an option of two octets.
func (o *Options) PutUint16(c Code, v uint16) {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], v)
	o.Put(c, b[:])
}

// PutUint32 sets an option of four octets, as the times are.
func (o *Options) PutUint32(c Code, v uint32) {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], v)
	o.Put(c, b[:])
}

// PutAddr sets an option of one IPv4 address.
func (o *Options) PutAddr(c Code, a netip.Addr) { b := a.As4(); o.Put(c, b[:]) }

// PutText sets an option of text. No NUL is added (RFC 2132 section 2).
func (o *Options) PutText(c Code, s string) {
	var b [256]byte
	o.Put(c, append(b[:0], s...))
}

// fixed returns the value of option c if it is exactly size octets long.
func (o *Options) fixed(c Code, size int) ([]byte, error) {
	v := o.Get(c)
	switch {
	case len(v) == size:
		return v, nil
	case !o.has.Has(c):
		return nil, ErrAbsent
	}
	return nil, ErrMalformed
}

// Uint8 reads an option of one octet.
func (o *Options) Uint8(c Code) (uint8, error) {
	v, err := o.fixed(c, 1)
	if err != nil {
		return 0, err
	}
	return v[0], nil
}

// Uint16 reads an option of two octets.
func (o *Options) Uint16(c Code) (uint16, error) {
	v, err := o.fixed(c, 2)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint16(v), nil
}

// Uint32 reads an option of four octets. Times are in seconds.
func (o *Options) Uint32(c Code) (uint32, error) {
	v, err := o.fixed(c, 4)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(v), nil
}

// Addr reads an option of one IPv4 address.
func (o *Options) Addr(c Code) (netip.Addr, error) {
	v, err := o.fixed(c, 4)
	if err != nil {
		return netip.Addr{}, err
	}
	return netip.AddrFrom4([4]byte(v)), nil
}

// Addrs appends the IPv4 addresses of option c, one or more, to dst.
func (o *Options) Addrs(dst []netip.Addr, c Code) ([]netip.Addr, error) {
	v := o.Get(c)
	switch {
	case !o.has.Has(c):
		return dst, ErrAbsent
	case len(v) == 0 || len(v)%4 != 0:
		return dst, ErrMalformed
	}
	for ; len(v) > 0; v = v[4:] {
		dst = append(dst, netip.AddrFrom4([4]byte(v)))
	}
	return dst, nil
}

// Text reads an option of text. Trailing NULs are taken off, since some
// senders add them; an empty text is malformed (RFC 2132 section 2).
func (o *Options) Text(c Code) (string, error) {
	v := trimNUL(o.Get(c))
	switch {
	case !o.has.Has(c):
		return "", ErrAbsent
	case len(v) == 0:
		return "", ErrMalformed
	}
	return string(v), nil
}

func trimNUL(v []byte) []byte {
	for len(v) > 0 && v[len(v)-1] == 0 {
		v = v[:len(v)-1]
	}
	return v
}

// some returns the value of option c if it has at least one octet.
func (o *Options) some(c Code) ([]byte, error) {
	v := o.Get(c)
	switch {
	case !o.has.Has(c):
		return nil, ErrAbsent
	case len(v) == 0:
		return nil, ErrMalformed
	}
	return v, nil
}
