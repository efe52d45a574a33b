package pool

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"slices"

	"dhcpd/internal/netip"
	"dhcpd/internal/safe"
)

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
	Absent                // Del: not in the pool; Wake: nobody ever had it; nothing changed
	Mute                  // Wake: nobody could prove anything to the client there; nothing changed
)

// Edit changes the pool file for a command, whether or not a daemon runs,
// and returns when stable storage has the change. Add makes a missing file.
// The results stand in the order of addrs. After an error nothing is changed,
// as far as the disk still does what it is told.
func Edit(path string, v Verb, addrs []netip.Addr) ([]Result, error) {
	return EditOn(safe.OS{}, path, v, addrs)
}

// EditOn is Edit on another disk.
func EditOn(d safe.Disk, path string, v Verb, addrs []netip.Addr) ([]Result, error) {
	// To read it all may take a second, which is too long for a daemon to wait:
	// under the lock we only read what was added meanwhile.
	f, l, err := openLoaded(d, path)
	switch {
	case err == nil:
		defer f.Close()
	case v != Add && errors.Is(err, fs.ErrNotExist):
		return slices.Repeat([]Result{Absent}, len(addrs)), nil
	}
	lock, err := openLock(d, path)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if err := lock.Lock(octetWrites, true); err != nil {
		return nil, err
	}
	defer lock.Unlock(octetWrites)
	if v == Add {
		if err := makeFile(d, path); err != nil {
			return nil, err
		}
	}
	if f == nil || !readOn(d, path, f, l) {
		if f, l, err = openLoaded(d, path); err != nil {
			return nil, err
		}
		defer f.Close()
	}
	if err := d.SyncFolder(path); err != nil { // or the name may go, and the file with it
		return nil, err
	}
	return editFile(path, f, l, v, addrs)
}

// openLoaded opens a pool file and reads it.
func openLoaded(d disk, path string) (file, *loader, error) {
	f, err := d.Open(path, os.O_RDWR)
	if err != nil {
		return nil, nil, err
	}
	st, err := f.Status()
	var l *loader
	if err == nil {
		l, err = load(path, f, st.Size)
	}
	if err == nil {
		l.tail, err = tailOf(f, l.end)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, l, nil
}

// readOn reads what was added to the file; false if that is no longer the
// one at path, or if what we read may not have been what it says: a daemon
// whose write failed takes back what it wrote.
func readOn(d disk, path string, f file, l *loader) bool {
	now, err := d.Stat(path)
	if err != nil {
		return false
	}
	was, err := f.Status()
	if err != nil || !now.Same(was) || l.corrupt > 0 {
		return false
	}
	tail, err := tailOf(f, l.end)
	return err == nil && bytes.Equal(tail, l.tail) && l.read(f, now.Size) == nil
}

// editFile finds in what was loaded what there is to do, and appends it.
func editFile(path string, f file, l *loader, v Verb, addrs []netip.Addr) ([]Result, error) {
	if l.corrupt > 0 {
		return nil, &CorruptError{path, l.corrupt}
	}
	var text []byte
	results := make([]Result, len(addrs))
	for i, a := range addrs {
		text, results[i] = editOne(text, l.table, v, a)
	}
	if len(text) == 0 {
		return results, nil
	}
	if l.end == 0 {
		text = append([]byte(header), text...)
	}
	if l.torn { // cut first: what we write must not end in the middle of it
		if err := f.Truncate(l.end); err != nil {
			return nil, err
		}
	}
	err := saveAgain(f, l.known, l.end)
	if err == nil {
		_, err = f.WriteAt(text, l.end)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		f.Truncate(l.end)
		return nil, err
	}
	return results, nil
}

// editOne appends the lines that do v to a, and does it in t.
func editOne(text []byte, t *Table, v Verb, a netip.Addr) ([]byte, Result) {
	r, _ := t.ByAddr(a)
	switch {
	case v == Del && !t.Member(a), v == Wake && r.State == Free:
		return text, Absent
	case v == Del:
		t.Remove(a)
		return appendChange(text, del, a), Done
	case v == Wake && !t.At(a).Rousable():
		return text, Mute
	case v == Wake:
		return appendChange(text, wake, a), Done
	case t.Member(a) && r.State != Abandoned:
		return text, Present
	}
	if !t.Member(a) {
		t.Add(a)
		text = appendChange(text, add, a)
	}
	if r.State != Abandoned {
		return text, Done
	}
	t.SetFree(a)
	return appendChange(text, setFree, a), Freed
}
