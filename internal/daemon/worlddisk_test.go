package daemon

import (
	"slices"
	"sync/atomic"
	"time"

	"dhcpd/internal/safe"
	"dhcpd/internal/simdisk"
)

// slowDisk is the disk as a daemon has it: to sync takes its time, in which
// anything may happen.
type slowDisk struct {
	*simdisk.Disk
	b      *box
	begins atomic.Bool    // the pool file is open
	ends   atomic.Bool    // the daemon does not do anything else meanwhile
	asked  chan chan bool // who waits, and is told when it is done
	under  []chan bool    // way
}

// slowFile is a file on it.
type slowFile struct {
	safe.File
	d *slowDisk
}

func (d *slowDisk) Open(path string, flags int) (safe.File, error) {
	f, err := d.Disk.Open(path, flags)
	return slowFile{f, d}, err
}

func (d *slowDisk) Create(path string) (safe.File, error) {
	f, err := d.Disk.Create(path)
	return slowFile{f, d}, err
}

func (f slowFile) Sync() error {
	if d := f.d; d.begins.Load() && !d.ends.Load() {
		done := make(chan bool)
		d.asked <- done
		<-done
	}
	return f.File.Sync()
}

// sync begins one. In a crowded world it is not seldom the last.
func (d *slowDisk) sync(done chan bool) {
	b := d.b
	d.under = append(d.under, done)
	b.w.after(b.latency, func() { d.synced(done) })
	if b.w.crowded && b.w.oneOf(16) {
		b.w.after(b.w.upTo(b.latency), b.dieNow)
	}
}

// synced ends it. One who sleeps hears of that later.
func (d *slowDisk) synced(done chan bool) {
	i := slices.Index(d.under, done)
	switch {
	case i < 0:
	case d.b.asleep:
		d.b.w.after(time.Second, func() { d.synced(done) })
	default:
		d.under = slices.Delete(d.under, i, i+1)
		close(done)
		d.b.pump()
	}
}

func (d *slowDisk) busy() bool { return len(d.under)+len(d.asked) > 0 }

// hurry has all that wait go on: somebody waits for them.
func (d *slowDisk) hurry() {
	d.ends.Store(true)
	for len(d.asked) > 0 {
		close(<-d.asked)
	}
	for _, done := range d.under {
		close(done)
	}
	d.under = nil
}
