package safe

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Create makes the file path, which nobody else has had in his hands: what is
// there under that name, as an earlier run may have left it, is removed.
func Create(path string) (*os.File, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return Open(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

// Rename gives the file at from the name to, in the same folder, and does not
// return before the folder is on stable storage.
func Rename(from, to string) error {
	if err := Move(from, to); err != nil {
		return err
	}
	return SyncFolder(to)
}

// Move does the same and leaves it to the kernel when that is stored. (It is
// os.Rename without a look at the new name first.)
func Move(from, to string) error {
	if err := syscall.Rename(from, to); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// SyncFolder puts the folder of path on stable storage: only then is a name
// in it there after a power cut.
func SyncFolder(path string) error {
	d, err := os.Open(folderOf(path))
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) { // a file system that has no such thing
		return nil
	}
	return err
}

// Replace puts a new file in the place of path, whole or not at all, whenever
// the power may go: what write writes goes to path.new, which takes the name
// when all of it is on stable storage. After an error the old file is still
// there, unless it is the folder's sync that failed.
func Replace(path string, write func(io.Writer) error) error {
	return replace(path, 0600, write)
}

// Publish does the same with a text that everybody may read. A file that can't
// be replaced, since it is mounted over another or its folder is read-only, is
// rewritten where it is, and why says what is in the way. A link is replaced, or
// else followed.
func Publish(path, text string) (why, err error) {
	err = replace(path, 0644, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
	for _, fixed := range []error{syscall.EBUSY, syscall.EROFS, syscall.EACCES, syscall.EPERM} {
		switch {
		case !errors.Is(err, fixed):
		case rewrite(path, text) == nil:
			return err, nil
		case leadsTo(path) != "": // on a read-only root, to where it can be written
			return Publish(leadsTo(path), text)
		default: // in terms of the file that people know
			err = &os.PathError{Op: "write", Path: path, Err: fixed}
		}
	}
	return nil, err
}

// leadsTo returns where a symbolic link leads to, "" if path is none. One step
// only, so that circles are no danger: a link to a link counts as none.
func leadsTo(path string) string {
	to := ReadLink(path)
	if ReadLink(to) != "" {
		return ""
	}
	return to
}

// ReadLink returns what a symbolic link leads to, "" if path is none.
func ReadLink(path string) string {
	buf := make([]byte, 4096)
	n, err := syscall.Readlink(path, buf)
	switch {
	case err != nil:
		return ""
	case buf[0] == '/':
		return string(buf[:n])
	}
	return folderOf(path) + "/" + string(buf[:n])
}

// rewrite changes a file in place. Nobody finds it empty.
func rewrite(path, text string) error {
	f, err := Open(path, os.O_WRONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return syscall.Ftruncate(int(f.Fd()), int64(len(text)))
}

func replace(path string, mode uint32, write func(io.Writer) error) error {
	fresh := path + ".new"
	f, err := Create(fresh)
	if err != nil {
		return err
	}
	err = syscall.Fchmod(int(f.Fd()), mode)
	if err == nil {
		err = write(f)
	}
	if err == nil {
		err = Sync(f)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = Rename(fresh, path)
	}
	if err != nil {
		os.Remove(fresh)
	}
	return err
}

// Sync puts what was written to f on stable storage (fdatasync).
func Sync(f *os.File) error {
	for {
		switch err := syscall.Fdatasync(int(f.Fd())); err {
		case nil:
			return nil
		case syscall.EINTR:
		default:
			return &fs.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
	}
}
