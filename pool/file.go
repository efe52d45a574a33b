package pool

import (
	"errors"
	"net/netip"
)

// Loaded is what was found in a pool file.
type Loaded struct {
	Table   *Table
	Torn    string       // what was cut off at the end, for the log; "" for nothing
	Corrupt error        // "Pool table is corrupt" with the line; then Table is shut
	Wake    []netip.Addr // what is still to be woken (dhcpd -w)
}

// File is the pool file of a daemon: the keeper of the records.
//
// The loop of the daemon fills Blocks. One goroutine, the writer, hands them
// one at a time to Commit, which may wait for the disk.
type File struct {
	// Look has a value when there may be something new: hand over a block
	// soon, even an empty one.
	Look <-chan struct{}
}

// ErrWhole is what Commit returns when the file was removed, replaced or
// can't be trusted any more: nothing of the block counts, and the next one
// must be Whole.
var ErrWhole = errors.New("pool file is to be written anew")

// Changes is what others did: dhcpd -a, -r, -w, or someone who put another
// file in the place of the pool file. Table.Take applies them; replies under
// way that concern a Del are to be dropped.
type Changes struct {
	Reset    bool // Add is the whole membership
	Add, Del []netip.Addr
	Free     []netip.Addr // abandoned addresses that are free again
	Wake     []netip.Addr // clients on these addresses are to be woken
	Records  []Record     // of a file put in place of ours: good where we have none
	Shut     bool         // with Reset: the file is corrupt
	Notice   string       // for the log: what was found, "" for nothing
}

// Take applies what others did.
func (t *Table) Take(c *Changes) {
	for _, a := range c.Add {
		t.Add(a)
	}
	for _, a := range c.Del {
		t.Remove(a)
	}
	for _, a := range c.Free {
		t.SetFree(a)
	}
}

// Open takes the daemon's lock, for life, and loads the pool file. A missing
// file is made by the first Commit.
func Open(path string, clock *Clock) (*File, *Loaded, error) {
	return nil, nil, errors.ErrUnsupported
}

// Snapshot loads the pool file for reading, without a lock. It makes nothing,
// and is silent about a torn last line.
func Snapshot(path string, clock *Clock) (*Loaded, error) {
	return nil, errors.ErrUnsupported
}

// NewBlock returns an empty block for records of t. Blocks belong to the loop
// except while Commit has them.
func (f *File) NewBlock(t *Table) *Block { return &Block{t: t} }

// Commit writes the block and returns when stable storage has it, unless all
// of it is lazy. After an error nothing of the block counts; changes are good
// nevertheless.
func (f *File) Commit(b *Block) (Changes, error) { return Changes{}, errors.ErrUnsupported }

// Close writes that the daemon ended in order, and gives up the lock. All
// blocks must have been committed.
func (f *File) Close() error { return nil }

// Block is a block of records on the way to the file, in the file's own
// writing: what is added is copied.
type Block struct {
	t    *Table
	text []byte
}

// Add adds a record. A lazy one rests on the promise of an earlier one: alone
// it causes no sync.
func (b *Block) Add(r *Record, lazy bool) {}

// Whole fills the block with all that the table knows, members too.
func (b *Block) Whole() {}

// Stamp has the block write down what the clocks say, if it is time for that:
// at start, after a step of the wall clock, every 6 hours. Add does it too.
func (b *Block) Stamp() {}

// Empty tells whether nothing was added.
func (b *Block) Empty() bool { return len(b.text) == 0 }

// Reset empties the block.
func (b *Block) Reset() { b.text = b.text[:0] }

// Verb is what Edit does to each address.
type Verb uint8

// The verbs of Edit.
const (
	Add  Verb = iota + 1 // dhcpd -a: into the pool; an abandoned address is free again
	Del                  // dhcpd -r: out of the pool
	Wake                 // dhcpd -w: the client there is to be woken
)

// Result is what became of one address.
type Result uint8

// The results of Edit.
const (
	Done    Result = iota // as asked
	Freed                 // Add: it was abandoned, and is free again
	Present               // Add: already in the pool, nothing changed
	Absent                // Del, Wake: not there, nothing changed
)

// Edit changes the pool file for a command, whether or not a daemon runs. The
// results stand in the order of addrs.
func Edit(path string, verb Verb, addrs []netip.Addr) ([]Result, error) {
	return nil, errors.ErrUnsupported
}
