package pool

import (
	"hash/maphash"
	"math/bits"
)

// index finds things by a hash of their key, things being known by number.
// What has the same hash is in one chain; the caller compares keys. The index
// grows by splitting one chain at a time (linear hashing), so that no
// insertion ever takes long. The links of the chains lie close together, not
// in the things, so that a processor finds them sooner.
type index struct {
	heads []uint32
	links []link // by number of the thing
	n     int
	hash  func(uint32) uint32
}

// heads is how many chains there are for each thing. Two make it a rare case
// that a look-up meets another thing first, which with a million of them is
// far off in memory.
const heads = 2

// link is a thing's place in a chain; 0 is the end of it.
type link struct{ next, prev uint32 }

func newIndex(hash func(uint32) uint32) index {
	return index{heads: make([]uint32, 1, 16), hash: hash}
}

func (x *index) bucket(hash uint32) uint32 {
	n := uint32(len(x.heads))
	top := uint32(1) << bits.Len32(n-1)
	b := hash & (top - 1)
	if b >= n {
		b -= top / 2 // that chain has not been split off yet
	}
	return b
}

// first returns the first thing that may have a key of this hash.
func (x *index) first(hash uint32) uint32 { return x.heads[x.bucket(hash)] }

// next returns the next thing after i in its chain.
func (x *index) next(i uint32) uint32 { return x.links[i].next }

func (x *index) insert(i uint32) {
	for int(i) >= len(x.links) {
		x.links = append(x.links, link{})
	}
	x.n++
	for heads*x.n > len(x.heads) {
		x.split()
	}
	x.put(i, x.bucket(x.hash(i)))
}

// put makes i the first of the chain of bucket b.
func (x *index) put(i, b uint32) {
	head := x.heads[b]
	x.links[i] = link{next: head}
	if head != 0 {
		x.links[head].prev = i
	}
	x.heads[b] = i
}

// some things are inserted at once, so as to wait for memory only once.
const some = 64

// insertSome inserts no more than that many into an index that has room. It
// asks for the heads of all their chains in one go.
func (x *index) insertSome(list []uint32) {
	var buckets [some]uint32
	x.n += len(list)
	for k, i := range list {
		buckets[k] = x.bucket(x.hash(i))
	}
	for k, i := range list {
		x.put(i, buckets[k])
	}
}

// remove takes out i, whose key must be what it was when it was put in.
func (x *index) remove(i uint32) {
	x.n--
	l := x.links[i]
	if l.prev != 0 {
		x.links[l.prev].next = l.next
	} else {
		x.heads[x.bucket(x.hash(i))] = l.next
	}
	if l.next != 0 {
		x.links[l.next].prev = l.prev
	}
}

// split makes one more chain, out of the one that has its things so far. Both
// keep their order.
func (x *index) split() {
	added := uint32(len(x.heads))
	old := added - 1<<(bits.Len32(added)-1)
	x.heads = append(x.heads, 0)
	i := x.heads[old]
	x.heads[old] = 0
	var last [2]uint32
	for i != 0 {
		l := &x.links[i]
		next := l.next
		b, side := old, 0
		if x.bucket(x.hash(i)) == added {
			b, side = added, 1
		}
		*l = link{prev: last[side]}
		if last[side] == 0 {
			x.heads[b] = i
		} else {
			x.links[last[side]].next = i
		}
		last[side] = i
		i = next
	}
}

// hashID and hashHW have a secret seed: clients choose what they send.
func (t *Table) hashID(id []byte) uint32 { return uint32(maphash.Bytes(t.seed, id)) }

func (t *Table) hashHW(kind uint8, addr []byte) uint32 {
	return uint32(maphash.Bytes(t.seed, addr)) + uint32(kind)
}

// hashAddr has no secret, but keeps sixteen neighbours within one cache line
// of heads.
func hashAddr(a uint32) uint32 {
	return uint32(uint64(a>>4)*0x9E3779B97F4A7C15>>32) ^ a&15
}
