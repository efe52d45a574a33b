package pool

import "dhcpd/internal/netip"

// Block is a block of records on the way to the file, in the file's own
// writing: what is added is copied. It belongs to the loop, except while
// Commit has it.
type Block struct {
	file  *File
	table *Table

	text   []byte
	addrs  []netip.Addr // whose records are in it
	lines  int
	synced bool  // by Commit
	sync   bool  // not all of it is lazy
	whole  bool  // it begins with all that the table knew,
	base   int   // which is so many octets
	stamp  stamp // under which the times in it count; zero if there are none
	live   int   // how many lines the table would take
}

// NewBlock returns an empty block for records of t.
func (f *File) NewBlock(t *Table) *Block { return &Block{file: f, table: t} }

// Add adds a record. A lazy one rests on the promise of an earlier one: alone
// it causes no sync.
func (b *Block) Add(r *Record, lazy bool) {
	if !r.Addr.Is4() {
		return // as the table does
	}
	if b.stamp == (stamp{}) {
		b.Stamp()
	}
	b.text = appendRecord(b.text, r, b.stamp.off)
	b.addrs = append(b.addrs, r.Addr)
	b.lines++
	b.sync = b.sync || !lazy
	b.live = b.table.members + b.table.bindings
}

// Whole makes the block one that says all that the table knows, members too,
// and nothing else so far. Commit writes it into a new file.
func (b *Block) Whole() {
	b.Reset()
	b.whole = true
	b.Stamp()
	for i := uint32(1); i < b.table.rows; i++ {
		w := b.table.row(i)
		if w.is(member) {
			b.text = appendChange(b.text, add, netip.AddrFrom(w.addr))
			b.lines++
		}
		if w.state != Free {
			r := b.table.record(w)
			b.Add(&r, false)
		}
		for v, f := range [...]flag{setFree: reset, wake: wakeful} {
			if w.flags&f != 0 {
				b.text = appendChange(b.text, verb(v), netip.AddrFrom(w.addr))
				b.lines++
			}
		}
	}
	if b.table.counter > 0 {
		b.Count()
	}
	b.base, b.addrs = len(b.text), b.addrs[:0]
}

// Count writes down the table's replay counter.
func (b *Block) Count() {
	b.Stamp()
	b.text = appendNumber(b.text, counter, int64(b.table.counter))
	b.lines++
	b.sync = true
}

// Wake writes down that the client on a is to be woken.
func (b *Block) Wake(a netip.Addr) {
	b.Stamp()
	b.text = appendChange(b.text, wake, a)
	b.lines++
	b.sync = true
}

// Stamp has the block write down what the clocks say, if it is time for that:
// at start, after a step of the wall clock, every 6 hours. Add does it too,
// once a block.
func (b *Block) Stamp() {
	if len(b.text) > 0 {
		return // its times count under the stamp that it has
	}
	s := b.file.clock.stamp()
	if s.differs(b.file.stamp) {
		b.file.stamp = s
	}
	b.stamp = b.file.stamp
}

// Addrs returns the addresses whose records were added. It is good until the
// block is reset.
func (b *Block) Addrs() []netip.Addr { return b.addrs }

// Records returns how many records were added.
func (b *Block) Records() int { return len(b.addrs) }

// Synced tells whether Commit has synced the file for the block.
func (b *Block) Synced() bool { return b.synced }

// Empty tells whether nothing was added.
func (b *Block) Empty() bool { return len(b.text) == 0 }

// Reset empties the block.
func (b *Block) Reset() {
	old := *b
	*b = Block{file: old.file, table: old.table}
	if cap(old.text) < roomy { // what a whole one took is given back
		b.text, b.addrs = old.text[:0], old.addrs[:0]
	}
}

const roomy = 1 << 20 // octets
