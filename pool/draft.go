package pool

import "os"

// draft is a new file on its way to the name of the pool file.
type draft struct {
	disk  disk
	name  string
	f     file
	size  int64
	lines int
	stamp stamp // the clock line under which what is appended next counts
}

// newDraft makes a file that begins as one of a daemon that lives.
func newDraft(d disk, name string, s stamp) (*draft, error) {
	f, err := d.Create(name)
	if err != nil {
		return nil, err
	}
	n := &draft{disk: d, name: name, f: f, lines: 2, stamp: s}
	if err := n.write(appendClock(appendVerb([]byte(header), opened), s)); err != nil {
		n.drop()
		return nil, err
	}
	return n, nil
}

// write appends; who writes lines counts them.
func (n *draft) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	_, err := n.f.WriteAt(b, n.size)
	if err == nil {
		n.size += int64(len(b))
	}
	return err
}

// drop throws the file away.
func (n *draft) drop() {
	n.f.Close()
	n.disk.Remove(n.name)
}

// rename gives the file its name. It is then opened once more, if possible,
// by that name, which is the one that errors should tell.
func (n *draft) rename(to string) error {
	if err := n.disk.Rename(n.name, to); err != nil {
		n.drop()
		return err
	}
	if named, err := n.disk.Open(to, os.O_RDWR); err == nil {
		n.f.Close()
		n.f = named
	}
	return nil
}

// replace puts a finished draft in the place of our file. After an error we
// have the old file still, or none that can be trusted.
func (f *File) replace(n *draft) error {
	err := n.f.Sync()
	var tail []byte
	if err == nil {
		tail, err = tailOf(n.f, n.size)
	}
	var st status
	if err == nil {
		st, err = n.f.Status()
	}
	if err != nil {
		n.drop()
		return err
	}
	if err := n.rename(f.path); err != nil {
		return err
	}
	f.adopt(n.f, st)
	f.end, f.saved, f.lines, f.tail = n.size, n.size, n.lines, tail
	f.written, f.opened = n.stamp, true
	if err := f.disk.SyncFolder(f.path); err != nil { // which file has the name after a power cut?
		return f.lose(err)
	}
	return nil
}
