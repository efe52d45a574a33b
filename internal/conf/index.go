package conf

import "slices"

// index finds the rules that a query may match without looking at the others.
// Every value that a condition asks for (a client ID, an address, a netblock,
// a text) is a bucket, and each rule lies in the bucket of the rarest of its
// conditions. So the bucket of a class that every netblock treats in its own
// way is not gone through for each query, nor that of a netblock with a
// hundred thousand clients.
type index struct {
	clients []uint32          // bucket by number of the client ID, 0 for none
	hosts   map[uint32]uint32 // by address
	nets    map[uint64]uint32 // by netKey
	bits    uint64            // a bit for each length that a netblock has
	texts   [3]textIndex      // of onClass, onCircuit, onRemote
	start   []uint32          // where in rules each bucket begins
	rules   []uint32          // numbers of rules, ascending within a bucket
}

// textIndex finds the texts that are prefixes of another.
type textIndex struct {
	buckets map[string]uint32
	lengths []uint32 // ascending
}

// always is the bucket of rules whose conditions have no bucket.
const always = 0

func netKey(addr uint32, bits uint8) uint64 { return uint64(bits)<<32 | uint64(addr) }

// indexer builds the index.
type indexer struct {
	c    *Config
	x    *index
	size []uint32 // rules that each bucket could get
}

// newIndex files all rules of c.
func newIndex(c *Config) *index {
	x := &index{
		clients: make([]uint32, len(c.ids)),
		hosts:   map[uint32]uint32{},
		nets:    map[uint64]uint32{},
	}
	for i := range x.texts {
		x.texts[i].buckets = map[string]uint32{}
	}
	b := indexer{c: c, x: x, size: []uint32{0}}
	for _, r := range c.rules {
		for n := r.cond; n >= 0; n = c.conds[n].up {
			for _, bucket := range b.buckets(c.conds[n].el) {
				b.size[bucket]++
			}
		}
	}
	b.file()
	for i := range x.texts {
		x.texts[i].lengths = unique(x.texts[i].lengths)
	}
	return x
}

// file puts each rule into its bucket.
func (b *indexer) file() {
	x := b.x
	chosen := make([][]uint32, len(b.c.rules))
	x.start = make([]uint32, len(b.size)+1)
	for i, r := range b.c.rules {
		chosen[i] = b.rarest(r.cond)
		for _, bucket := range chosen[i] {
			x.start[bucket+1]++
		}
	}
	for i := range b.size {
		x.start[i+1] += x.start[i]
	}
	x.rules = make([]uint32, x.start[len(b.size)])
	next := slices.Clone(x.start)
	for i, buckets := range chosen {
		for _, bucket := range buckets {
			x.rules[next[bucket]] = uint32(i)
			next[bucket]++
		}
	}
}

var inAlways = []uint32{always}

// rarest returns the buckets of that condition in the chain which the fewest
// rules have.
func (b *indexer) rarest(n int32) []uint32 {
	best, least := inAlways, ^uint32(0)
	for ; n >= 0; n = b.c.conds[n].up {
		size := uint32(0)
		buckets := b.buckets(b.c.conds[n].el)
		for _, bucket := range buckets {
			size = max(size, b.size[bucket])
		}
		if len(buckets) > 0 && size < least {
			best, least = buckets, size
		}
	}
	return best
}

// buckets returns the buckets of an element: one for each value that makes it
// match. An interface of our own has none.
func (b *indexer) buckets(el *element) []uint32 {
	if el.buckets != nil {
		return el.buckets
	}
	x := b.x
	switch el.kind {
	case onClient:
		if x.clients[el.who] == 0 {
			x.clients[el.who] = b.bucket()
		}
		el.buckets = []uint32{x.clients[el.who]}
	case onHost:
		for _, a := range el.addrs {
			el.buckets = append(el.buckets, find(b, x.hosts, a))
		}
	case onNet:
		x.bits |= 1 << el.net.bits
		el.buckets = []uint32{find(b, x.nets, netKey(el.net.addr, el.net.bits))}
	case onClass, onCircuit, onRemote:
		t := &x.texts[el.kind-onClass]
		for _, s := range el.texts {
			t.lengths = append(t.lengths, uint32(len(s)))
			el.buckets = append(el.buckets, find(b, t.buckets, s))
		}
		el.buckets = unique(el.buckets)
	}
	return el.buckets
}

// bucket makes a new bucket.
func (b *indexer) bucket() uint32 {
	b.size = append(b.size, 0)
	return uint32(len(b.size)) - 1
}

// find returns the bucket of a value, a new one if it has none yet.
func find[K comparable](b *indexer, buckets map[K]uint32, key K) uint32 {
	n, ok := buckets[key]
	if !ok {
		n = b.bucket()
		buckets[key] = n
	}
	return n
}
