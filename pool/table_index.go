package pool

import (
	"hash/maphash"
	"math/bits"
)

// index finds things by a hash of their key, things being known by number.
// What has the same hash is in one chain, whose links lie in the things
// themselves; the caller compares keys. The index grows by splitting one
// chain at a time (linear hashing), so that no insertion ever takes long.
type index struct {
	heads []uint32
	n     int
	link  func(uint32) *link
	hash  func(uint32) uint32
}

// link is a thing's place in a chain; 0 is the end of it.
type link struct{ next, prev uint32 }

func newIndex(linkOf func(uint32) *link, hash func(uint32) uint32) index {
	return index{heads: make([]uint32, 1, 16), link: linkOf, hash: hash}
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

func (x *index) insert(i uint32) {
	x.n++
	if x.n > len(x.heads) {
		x.split()
	}
	head := &x.heads[x.bucket(x.hash(i))]
	*x.link(i) = link{next: *head}
	if *head != 0 {
		x.link(*head).prev = i
	}
	*head = i
}

// remove takes out i, whose key must be what it was when it was put in.
func (x *index) remove(i uint32) {
	x.n--
	l := *x.link(i)
	if l.prev != 0 {
		x.link(l.prev).next = l.next
	} else {
		x.heads[x.bucket(x.hash(i))] = l.next
	}
	if l.next != 0 {
		x.link(l.next).prev = l.prev
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
		l := x.link(i)
		next := l.next
		b, side := old, 0
		if x.bucket(x.hash(i)) == added {
			b, side = added, 1
		}
		*l = link{prev: last[side]}
		if last[side] == 0 {
			x.heads[b] = i
		} else {
			x.link(last[side]).next = i
		}
		last[side] = i
		i = next
	}
}

// hashID and hashHW have a secret seed: clients choose what they send.
func (t *Table) hashID(id []byte) uint32 { return uint32(maphash.Bytes(t.seed, id)) }

func (t *Table) hashHW(hw *HW) uint32 {
	var b [18]byte
	b[0], b[1] = hw.Type, hw.Len
	n := 2 + copy(b[2:], hw.Addr[:min(int(hw.Len), len(hw.Addr))])
	return uint32(maphash.Bytes(t.seed, b[:n]))
}

// hashAddr has no secret, but keeps sixteen neighbours within one cache line
// of heads.
func hashAddr(a uint32) uint32 {
	return uint32(uint64(a>>4)*0x9E3779B97F4A7C15>>32) ^ a&15
}
