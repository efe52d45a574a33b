package conf

import "math/bits"

// wires are the netblocks of `shared` elements. Those of one element are one
// network, which goes by the name of its first block.
type wires struct {
	first map[uint64]block // by netKey of each block
	bits  uint64           // a bit for each length of a block
}

// add adds a wire. A block that is on another wire already makes them one.
func (w *wires) add(wire []block) {
	if w.first == nil {
		w.first = map[uint64]block{}
	}
	name := wire[0]
	for _, b := range wire {
		if first, known := w.first[netKey(b.addr, b.bits)]; known {
			name = first
			break
		}
	}
	for _, b := range wire {
		key := netKey(b.addr, b.bits)
		if old, known := w.first[key]; known && old != name {
			w.rename(old, name)
		}
		w.first[key] = name
		w.bits |= 1 << b.bits
	}
}

func (w *wires) rename(old, name block) {
	for key, first := range w.first {
		if first == old {
			w.first[key] = name
		}
	}
}

// of returns the first block of the wire that a is on.
func (w *wires) of(a uint32) (block, bool) {
	for left := w.bits; left != 0; {
		longest := bits.Len64(left) - 1
		if first, ok := w.first[netKey(a&mask(longest), uint8(longest))]; ok {
			return first, true
		}
		left &^= 1 << longest
	}
	return block{}, false
}

// same tells whether two addresses are on one wire.
func (w *wires) same(a, b uint32) bool {
	x, ok := w.of(a)
	y, okToo := w.of(b)
	return ok && okToo && x == y
}
