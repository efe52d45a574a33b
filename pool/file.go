package pool

import (
	"bytes"
	"errors"
	"io/fs"
	"os"

	"dhcpd/internal/netip"
	"dhcpd/internal/safe"
)

// File is the pool file of a daemon: the keeper of its records.
//
// The daemon's loop fills Blocks. One other goroutine, the writer, hands them
// to Commit one at a time, which waits for the disk. What Commit returns the
// loop takes in: if there is an error it undoes the block and all that it
// applied since, then it has Table.Take apply the changes.
type File struct {
	// Look has a value when there may be something new: hand over a block
	// soon, even an empty one.
	Look <-chan struct{}

	// What never changes.
	path  string
	disk  disk
	clock *Clock
	look  chan struct{}
	watch *safe.Watch
	lock  file // POOL.lock

	// The loop's: under what the times of the next records count.
	stamp stamp

	// The writer's.
	f        file
	id       status // which file that is
	end      int64  // where the next line goes
	saved    int64  // so many octets are known to be on stable storage
	written  stamp  // the latest clock line
	opened   bool   // the file says that we live
	lines    int
	corrupt  error  // a *CorruptError or nil
	distrust error  // why the next block has to be a whole one; nil if it has not
	missed   bool   // a block was lost since the last whole one: lazy records, too, maybe
	ragged   bool   // it is corrupt to the very end: no newline is there
	tail     []byte // how the file ended when we last looked
	heard    []byte // the lines of others that were read in this turn
	buf      []byte

	compacting bool
	compacted  chan *compaction
	patience   int   // no compaction before there are so many lines
	floor      int64 // see worthwhile
	factor     int
	looked     int64 // how long the file was when the room on the disk was asked for
}

// ErrWhole is in the error of a Commit after which the next block must be a
// Whole one: the file was removed, replaced, or can't be trusted any more.
var ErrWhole = errors.New("the pool file is to be written anew")

// Changes is what others did: dhcpd -a, -r and -w, or someone who put another
// file in the place of the pool file. Replies under way that concern a Del
// are to be dropped.
type Changes struct {
	Reset    bool // another file: Add is the whole membership
	Add, Del []netip.Addr
	Free     []netip.Addr // abandoned addresses that are free again
	Wake     []netip.Addr // the clients there are to be woken
	Records  []Record     // of another file: good where we have none
	Corrupt  error        // with Reset: a *CorruptError or nil
	Mended   bool         // the file that was corrupt is gone
	Notice   string       // for the log; "" for nothing
}

// Open takes the daemon's lock, for life, and loads the pool file, or makes
// one. An error is one line that says what is wrong with which file;
// safe.ErrBusy is in it if another daemon has the lock.
func Open(path string, c *Clock) (*File, *Loaded, error) {
	f, loaded, err := OpenOn(safe.OS{}, path, c)
	if err != nil {
		return nil, nil, err
	}
	f.watch = safe.NewWatch(f.look, path)
	return f, loaded, nil
}

// OpenOn is Open on another disk, without the eye that is kept on the file: to
// hand over a block now and then is up to the caller.
func OpenOn(d safe.Disk, path string, c *Clock) (*File, *Loaded, error) {
	f := &File{path: path, disk: d, clock: c, floor: compactFloor, factor: compactFactor}
	f.look = make(chan struct{}, 1)
	f.Look = f.look
	f.compacted = make(chan *compaction, 1)
	lock, err := openLock(d, path)
	if err != nil {
		return nil, nil, err
	}
	f.lock = lock
	loaded, err := f.start()
	if err != nil {
		lock.Close()
		if f.f != nil {
			f.f.Close()
		}
		return nil, nil, err
	}
	return f, loaded, nil
}

func openLock(d disk, path string) (file, error) {
	return d.Open(path+".lock", os.O_RDWR|os.O_CREATE)
}

// start takes the locks and loads the file.
func (f *File) start() (*Loaded, error) {
	if err := f.lock.Lock(octetLives, false); err != nil {
		return nil, err
	}
	if err := f.lock.Lock(octetWrites, true); err != nil {
		return nil, err
	}
	defer f.lock.Unlock(octetWrites)
	if err := makeFile(f.disk, f.path); err != nil {
		return nil, err
	}
	f.disk.Remove(f.path + compactName) // of one who was killed at it
	l, err := f.load()
	if err != nil {
		return nil, err
	}
	l.tl.opened() // by us: what was not closed is unclean
	loaded := l.finish(f.clock)
	if l.torn {
		loaded.Torn, err = f.cut(f.id.Size)
	}
	return loaded, err
}

// makeFile makes an empty pool file if there is none.
func makeFile(d disk, path string) error {
	_, err := d.Stat(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	n, err := d.Create(path + ".new")
	if err != nil {
		return err
	}
	_, err = n.WriteAt([]byte(header), 0)
	if err == nil {
		err = n.Sync()
	}
	n.Close()
	if err == nil {
		err = d.Rename(path+".new", path)
	}
	if err != nil {
		d.Remove(path + ".new")
		return err
	}
	return d.SyncFolder(path)
}

// load loads the file that has the name now, and makes it ours.
func (f *File) load() (*loader, error) {
	// Whoever gave it the name may not have made that last.
	if err := f.disk.SyncFolder(f.path); err != nil {
		return nil, err
	}
	n, l, err := openLoaded(f.disk, f.path)
	if err != nil {
		return nil, err
	}
	st, err := n.Status()
	if err != nil {
		n.Close()
		return nil, err
	}
	f.adopt(n, st)
	f.end, f.saved, f.lines, f.tail = l.end, min(l.known, l.end), l.lines, l.tail
	if l.corrupt > 0 {
		f.corrupt = &CorruptError{f.path, l.corrupt}
		f.ragged = !bytes.HasSuffix(l.tail, []byte("\n"))
	}
	return l, nil
}

// adopt makes n, a file with the name of ours, the one that we write.
func (f *File) adopt(n file, st status) {
	if f.f != nil {
		f.f.Close()
	}
	f.f, f.id = n, st
	f.written, f.opened = stamp{}, false
	f.corrupt, f.ragged, f.distrust = nil, false, nil
	f.patience, f.looked = 0, 0
}

// Close writes that the daemon ended in order, and gives up the locks. All
// blocks must have been committed. If one was lost it writes nothing: what
// clients were told by lazy records in it only Kept tells the next daemon.
func (f *File) Close() error {
	if f.watch != nil {
		f.watch.Close()
	}
	if f.compacting {
		(<-f.compacted).drop()
	}
	var err error
	if f.opened && !f.missed {
		err = f.locked(func() error {
			var c Changes // nobody is there to take them in, but they are in the file
			err := f.catchUp(&c)
			if err == nil && f.distrust == nil {
				err = f.appendEnd()
			}
			return err
		})
	}
	return errors.Join(err, f.f.Close(), f.lock.Close())
}

// appendEnd appends that all of the file is stored and that the daemon ended,
// so that damage to it from here on can't be taken for a torn tail.
func (f *File) appendEnd() error {
	if f.saved < f.end {
		if err := f.f.Sync(); err != nil {
			return err
		}
		f.saved = f.end
	}
	return f.append(appendVerb(appendNumber(nil, synced, f.saved), closed), 2, true)
}

// locked runs do while nobody else writes.
func (f *File) locked(do func() error) error {
	if err := f.lock.Lock(octetWrites, true); err != nil {
		return err
	}
	defer f.lock.Unlock(octetWrites)
	return do()
}
