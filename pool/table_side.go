package pool

import (
	"encoding/binary"
	"unsafe"

	"dhcpd/internal/netip"
)

// What few records have is folded into one piece of memory on the side: for
// each field that is set a letter, a length and its octets.
const (
	sideID       = 'i' // with sideHW, where they are too long for the row
	sideHW       = 'h'
	sideAgent    = 'a'
	sideClass    = 'c'
	sideHost     = 'n'
	sideDecliner = 'd'
	sideHolder   = 'o'
	sideNonce    = 'x'
	sideCounter  = '#'
	sideVia      = 'v'
	sideServer   = 's'
	sideUnknown  = '?'
)

// fold appends to b what of r does not fit a row.
func fold(b []byte, r *Record, isLong bool) []byte {
	if isLong {
		b = foldField(b, sideID, r.ID)
		b = foldField(b, sideHW, r.HW.octets())
	}
	b = foldField(b, sideAgent, r.Agent)
	b = foldField(b, sideClass, r.Class)
	b = foldField(b, sideHost, octets(r.Host))
	b = foldField(b, sideDecliner, r.Decliner)
	if r.Holder != (HW{}) {
		b = append(b, sideHolder, 18, r.Holder.Type, r.Holder.Len)
		b = append(b, r.Holder.Addr[:]...)
	}
	b = foldField(b, sideNonce, r.Nonce)
	if r.Counter != 0 {
		b = append(b, sideCounter, 8)
		b = binary.BigEndian.AppendUint64(b, r.Counter)
	}
	b = foldField(b, sideVia, octets(r.Via))
	if r.Server.Is4() {
		a := r.Server.As4()
		b = foldField(b, sideServer, a[:])
	}
	return foldField(b, sideUnknown, octets(r.Unknown))
}

//go:noinline
func foldField(b []byte, name byte, value []byte) []byte {
	if len(value) == 0 {
		return b
	}
	b = binary.AppendUvarint(append(b, name), uint64(len(value)))
	return append(b, value...)
}

// nextField takes the first field off b.
func nextField(b []byte) (name byte, value, rest []byte) {
	size, n := binary.Uvarint(b[1:])
	end := 1 + n + int(size)
	return b[0], b[1+n : end : end], b[end:]
}

// field returns one field, nil if it is not set.
func field(b []byte, want byte) []byte {
	for len(b) > 0 {
		name, value, rest := nextField(b)
		if name == want {
			return value
		}
		b = rest
	}
	return nil
}

// unfold puts into r what fold took out of it. r then holds slices of b.
func unfold(b []byte, r *Record) {
	for len(b) > 0 {
		name, v, rest := nextField(b)
		switch name {
		case sideID:
			r.ID = v
		case sideHW:
			copy(r.HW.Addr[:], v)
		case sideAgent:
			r.Agent = v
		case sideClass:
			r.Class = v
		case sideHost:
			r.Host = text(v)
		case sideDecliner:
			r.Decliner = v
		case sideHolder:
			r.Holder = HW{Type: v[0], Len: v[1], Addr: [16]byte(v[2:])}
		case sideNonce:
			r.Nonce = v
		case sideCounter:
			r.Counter = binary.BigEndian.Uint64(v)
		case sideVia:
			r.Via = text(v)
		case sideServer:
			r.Server = netip.AddrFrom4([4]byte(v))
		case sideUnknown:
			r.Unknown = text(v)
		}
		b = rest
	}
}

// setSide puts b on the side of w.
func (t *Table) setSide(w *row, b []byte) {
	switch {
	case len(b) == 0 && w.side != 0:
		t.sides[w.side] = nil
		t.spareSides = append(t.spareSides, w.side)
		w.side = 0
	case len(b) > 0:
		if w.side == 0 {
			w.side = t.newSide()
		}
		t.sides[w.side] = fit(t.sides[w.side], b)
	}
}

func (t *Table) newSide() uint32 {
	if n := len(t.spareSides); n > 0 {
		i := t.spareSides[n-1]
		t.spareSides = t.spareSides[:n-1]
		return i
	}
	t.sides = append(t.sides, nil)
	return uint32(len(t.sides) - 1)
}

// fit copies b over old, or into memory of its own where old is too small or
// much too large.
func fit(old, b []byte) []byte {
	if cap(old) < len(b) || cap(old) > 2*len(b)+32 {
		old = make([]byte, 0, len(b))
	}
	return append(old[:0], b...)
}

// keep makes a copy of r that stays good when the table changes. Many copies
// share one allocation.
func (t *Table) keep(r *Record) {
	r.ID = t.keepOctets(r.ID)
	r.Agent = t.keepOctets(r.Agent)
	r.Class = t.keepOctets(r.Class)
	r.Host = text(t.keepOctets(octets(r.Host)))
	r.Decliner = t.keepOctets(r.Decliner)
	r.Nonce = t.keepOctets(r.Nonce)
	r.Via = text(t.keepOctets(octets(r.Via)))
	r.Unknown = text(t.keepOctets(octets(r.Unknown)))
}

//go:noinline
func (t *Table) keepOctets(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	if cap(t.kept)-len(t.kept) < len(b) {
		t.kept = make([]byte, 0, max(4096, len(b)))
	}
	n := len(t.kept)
	t.kept = append(t.kept, b...)
	return t.kept[n:len(t.kept):len(t.kept)]
}

// text and octets see memory as the other type, without a copy. Whoever has
// a Record knows how long its memory is good.
func text(b []byte) string   { return unsafe.String(unsafe.SliceData(b), len(b)) }
func octets(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
