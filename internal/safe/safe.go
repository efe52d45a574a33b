// Package safe opens and replaces the files that the program keeps (the pool,
// the cache and their locks), so that nobody else can lead it astray: the
// files are ours, not writable by others, made 0600, and never reached through
// a link. It is as suspicious as a program that runs as root should be, and no
// more: what lies above the folder of a file is the administrator's.
package safe

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strconv"
	"syscall"
)

// Open opens path as os.OpenFile does, if it is a plain file of ours that
// others can't write, in a folder where others can't put another in its place.
// With os.O_CREATE a file that isn't there is made with mode 0600, and so is
// its folder, with 0755. An error names the file and what is wrong with it;
// one for a missing file is an fs.ErrNotExist.
func Open(path string, flags int) (*os.File, error) {
	folder := folderOf(path)
	if flags&os.O_CREATE != 0 {
		if err := MakeFolder(folder); err != nil {
			return nil, err
		}
	}
	if err := checkFolder(folder); err != nil {
		return nil, err
	}
	// O_NONBLOCK: a pipe in place of the file must not make us wait.
	f, err := os.OpenFile(path, flags|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0600)
	if errors.Is(err, syscall.ELOOP) {
		return nil, bad(path, "is a symbolic link")
	}
	if err != nil {
		return nil, err
	}
	if err := checkFile(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// checkFolder refuses a folder in which others could replace our files. In a
// sticky one, as /tmp is, they can't touch what is ours.
func checkFolder(path string) error {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	others := st.Mode&0022 != 0 || !ours(&st) && st.Mode&0200 != 0
	if others && st.Mode&syscall.S_ISVTX == 0 {
		return bad(path, "is a folder that others can write, and not sticky")
	}
	return nil
}

func checkFile(f *os.File) error {
	var st syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &st); err != nil {
		return &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	switch kind := st.Mode & syscall.S_IFMT; {
	case kind == syscall.S_IFDIR:
		return bad(f.Name(), "is a folder")
	case kind != syscall.S_IFREG:
		return bad(f.Name(), "is not a plain file")
	case !ours(&st):
		return bad(f.Name(), "belongs to another user, number "+strconv.Itoa(int(st.Uid)))
	case st.Mode&0022 != 0:
		return bad(f.Name(), "can be written by others")
	case st.Nlink > 1:
		return bad(f.Name(), "has a second name (a hard link)")
	}
	return nil
}

// ours tells whether a file belongs to us, or to root, who may do as he likes.
func ours(st *syscall.Stat_t) bool {
	return st.Uid == 0 || int(st.Uid) == os.Geteuid()
}

// bad makes an error in the form that those of package os have.
func bad(path, what string) error {
	return &fs.PathError{Op: "open", Path: path, Err: errors.New(what)}
}

func folderOf(file string) string { return path.Dir(file) }

// MakeFolder makes a folder, and those above it, if they aren't there.
func MakeFolder(path string) error {
	err := syscall.Mkdir(path, 0755)
	if err == syscall.ENOENT && folderOf(path) != path {
		if err := MakeFolder(folderOf(path)); err != nil {
			return err
		}
		err = syscall.Mkdir(path, 0755)
	}
	if err == nil || err == syscall.EEXIST || err == syscall.EISDIR {
		return nil // one that is no folder is found out by who opens what is in it
	}
	return &fs.PathError{Op: "mkdir", Path: path, Err: err}
}
