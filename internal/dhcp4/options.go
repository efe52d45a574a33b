package dhcp4

import (
	"encoding/binary"
	"iter"
	"math/bits"
	"slices"

	"dhcpd/internal/netip"
)

// Set is a set of option codes.
type Set [4]uint64

// Add puts c into the set.
func (s *Set) Add(c Code) { s[c>>6] |= 1 << (c & 63) }

// Remove takes c out of the set.
func (s *Set) Remove(c Code) { s[c>>6] &^= 1 << (c & 63) }

// Has tells whether c is in the set.
func (s *Set) Has(c Code) bool { return s[c>>6]&(1<<(c&63)) != 0 }

// RemoveAll takes those of t out of the set.
func (s *Set) RemoveAll(t *Set) {
	for i := range s {
		s[i] &^= t[i]
	}
}

// Empty tells whether the set has no member.
func (s *Set) Empty() bool { return *s == Set{} }

// All walks the set in numerical order.
func (s Set) All() iter.Seq[Code] {
	return func(yield func(Code) bool) {
		for i, word := range s {
			for ; word != 0; word &= word - 1 {
				if !yield(Code(64*i + bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}

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

// span is where in buf a value stands, and how far it may grow there.
type span struct{ off, len, cap int32 }

// Reset empties o.
//
//go:noinline
func (o *Options) Reset() {
	o.buf, o.has, o.n = o.buf[:0], Set{}, 0
}

// Len returns how many options there are.
func (o *Options) Len() int { return o.n }

// Set returns the codes as a set.
func (o *Options) Set() Set { return o.has }

// Codes returns the codes in order. They are good until the next change.
func (o *Options) Codes() []Code { return o.list[:o.n:o.n] }

// Has tells whether option c is present, even if its value is empty.
func (o *Options) Has(c Code) bool { return o.has.Has(c) }

// Get returns the value of option c, nil if it is absent.
func (o *Options) Get(c Code) []byte {
	if !o.has.Has(c) {
		return nil
	}
	return o.value(c)
}

// value returns the value of option c, which is present.
func (o *Options) value(c Code) []byte {
	s := &o.span[c]
	return o.buf[s.off : s.off+s.len : s.off+s.len]
}

// All walks the options in order.
func (o *Options) All() iter.Seq2[Code, []byte] {
	return func(yield func(Code, []byte) bool) {
		for _, c := range o.list[:o.n] {
			if !yield(c, o.value(c)) {
				return
			}
		}
	}
}

// Put sets option c to a copy of v, which may be a value of o itself. A code
// that is present keeps its place in the order. Pad, End and Overload are
// ignored: they belong to the build of a message, which Append sees to.
func (o *Options) Put(c Code, v []byte) {
	if o.has.Has(c) || c == Pad || c == End || c == Overload {
		copy(o.room(c, len(v)), v)
		return
	}
	o.add(c, len(o.buf), len(v))
	o.buf = append(o.buf, v...)
}

// PutText sets an option of text. No NUL is added (RFC 2132 section 2).
func (o *Options) PutText(c Code, s string) { copy(o.room(c, len(s)), s) }

// PutUint8 sets an option of one octet.
func (o *Options) PutUint8(c Code, v uint8) { o.Put(c, []byte{v}) }

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

// PutAddr sets an option of one address, which must be IPv4.
func (o *Options) PutAddr(c Code, a netip.Addr) {
	b := a.As4()
	o.Put(c, b[:])
}

// Del removes option c.
func (o *Options) Del(c Code) {
	if !o.has.Has(c) {
		return
	}
	o.has.Remove(c)
	i := slices.Index(o.list[:o.n], c)
	copy(o.list[i:], o.list[i+1:o.n])
	o.n--
}

// add appends an absent option whose value stands in the buffer.
func (o *Options) add(c Code, off, size int) {
	o.has.Add(c)
	o.list[o.n] = c
	o.n++
	o.span[c] = span{int32(off), int32(size), int32(size)}
}

// room makes option c size octets long, adding it if it is absent, and
// returns the octets to be filled; nil for what is no option.
func (o *Options) room(c Code, size int) []byte {
	if c == Pad || c == End || c == Overload {
		return nil
	}
	s := &o.span[c]
	if !o.has.Has(c) {
		o.add(c, o.extend(size), size)
	} else if size > int(s.cap) {
		s.off, s.cap = int32(o.extend(size)), int32(size)
	}
	s.len = int32(size)
	return o.buf[s.off : s.off+s.len]
}

// extend makes the buffer size octets longer and returns where they are.
func (o *Options) extend(size int) (off int) {
	off = len(o.buf)
	o.buf = slices.Grow(o.buf, size)[:off+size]
	return off
}

// join appends v to the value of option c, which is present: RFC 3396 section
// 7. A value that is not the last of the buffer moves to its end, into twice
// the room that it needs: many small pieces of two options in turn, in a
// message of 64 KB, must not cost their square.
func (o *Options) join(c Code, v []byte) {
	s := &o.span[c]
	size := int(s.len) + len(v)
	if size > int(s.cap) {
		if int(s.off+s.cap) == len(o.buf) {
			o.extend(size - int(s.cap))
			s.cap = int32(size)
		} else {
			off := o.extend(2 * size)
			copy(o.buf[off:], o.value(c))
			s.off, s.cap = int32(off), int32(2*size)
		}
	}
	copy(o.buf[s.off+s.len:], v)
	s.len = int32(size)
}
