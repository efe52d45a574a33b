package pool

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// simClock is a machine's clocks, to be set at will.
type simClock struct {
	boot string
	wall time.Time
	up   time.Duration
}

func newSimClock() *simClock {
	return &simClock{boot: "boot-1", wall: Built.Add(1000 * time.Hour), up: time.Hour}
}

func (c *simClock) read() Reading { return Reading{c.boot, c.wall, c.up} }

func (c *simClock) pass(d time.Duration) { c.wall, c.up = c.wall.Add(d), c.up+d }

// reboot starts the boot clock anew; the wall clock is what it is told.
func (c *simClock) reboot(wall time.Time) {
	c.boot += "x"
	c.wall, c.up = wall, 10*time.Second
}

// keeper is a daemon reduced to what it does with its pool file.
type keeper struct {
	t     testing.TB
	disk  disk
	path  string
	clock *Clock
	file  *File
	table *Table
	block *Block
}

func openKeeper(t testing.TB, d disk, path string, c *simClock) (*keeper, *Loaded, error) {
	k := &keeper{t: t, disk: d, path: path, clock: NewClock(c.read)}
	f, loaded, err := OpenOn(d, path, k.clock)
	if err != nil {
		return nil, nil, err
	}
	k.file, k.table = f, loaded.Table
	k.block = f.NewBlock(k.table)
	k.table.Regroup(by24)
	return k, loaded, nil
}

func mustOpen(t testing.TB, d disk, path string, c *simClock) (*keeper, *Loaded) {
	t.Helper()
	k, loaded, err := openKeeper(t, d, path, c)
	if err != nil {
		t.Fatal(err)
	}
	return k, loaded
}

func (k *keeper) now() Time { return Time(k.clock.Now().Unix()) }

// commit does with records what the daemon's loop does.
func (k *keeper) commit(lazy bool, records ...*Record) (Changes, error) {
	type undo struct {
		old Record
		had bool
	}
	var undos []undo
	k.block.Stamp()
	for _, r := range records {
		old, had := k.table.Apply(r)
		undos = append(undos, undo{old, had})
		k.block.Add(r, lazy)
	}
	c, err := k.file.Commit(k.block)
	if err != nil {
		for i := len(undos) - 1; i >= 0; i-- {
			k.table.Undo(&undos[i].old, undos[i].had)
		}
	}
	k.table.Take(&c)
	k.block.Reset()
	if errors.Is(err, ErrWhole) {
		k.block.Whole()
	}
	return c, err
}

func (k *keeper) mustCommit(records ...*Record) Changes {
	k.t.Helper()
	c, err := k.commit(false, records...)
	if err != nil {
		k.t.Fatal(err)
	}
	return c
}

// settle waits for a compaction under way.
func (k *keeper) settle() {
	for k.file.compacting && len(k.file.compacted) == 0 {
		<-k.file.look
	}
}

func (k *keeper) text() string { return readAll(k.t, k.disk, k.path) }

func readAll(t testing.TB, d disk, path string) string {
	t.Helper()
	f, err := d.Open(path, os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Status()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, st.Size)
	if _, err := f.ReadAt(b, 0); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return string(b)
}

func writeFile(t testing.TB, d disk, path, text string) {
	t.Helper()
	f, err := d.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), d.SyncFolder(path)); err != nil {
		t.Fatal(err)
	}
}

func poolPath(t testing.TB) string { return filepath.Join(t.TempDir(), "dhcp.pool") }

func count(text, part string) int { return strings.Count(text, part) }

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }
