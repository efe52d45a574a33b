package safe

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestP6_OpenRefuses(t *testing.T) {
	tests := []struct {
		name string
		lay  func(path string) error
		want string // part of the error; "" for none
	}{
		{"ours", func(p string) error { return os.WriteFile(p, nil, 0600) }, ""},
		{"readable by all", func(p string) error { return os.WriteFile(p, nil, 0644) }, ""},
		{"symbolic link", func(p string) error {
			return errors.Join(os.WriteFile(p+".x", nil, 0600), os.Symlink(p+".x", p))
		}, "is a symbolic link"},
		{"dangling link", func(p string) error { return os.Symlink(p+".x", p) }, "is a symbolic link"},
		{"hard link", func(p string) error {
			return errors.Join(os.WriteFile(p+".x", nil, 0600), os.Link(p+".x", p))
		}, "hard link"},
		{"folder", func(p string) error { return os.Mkdir(p, 0700) }, "is a"},
		{"pipe", func(p string) error { return syscall.Mkfifo(p, 0600) }, "is not a plain file"},
		{"writable by the group", func(p string) error {
			return errors.Join(os.WriteFile(p, nil, 0600), os.Chmod(p, 0620))
		}, "can be written by others"},
		{"writable by all", func(p string) error {
			return errors.Join(os.WriteFile(p, nil, 0600), os.Chmod(p, 0602))
		}, "can be written by others"},
		{"another's", func(p string) error {
			return errors.Join(os.WriteFile(p, nil, 0600), os.Chown(p, 4711, 4711))
		}, "belongs to another user, number 4711"},
		{"open folder", func(p string) error {
			return errors.Join(os.WriteFile(p, nil, 0600), os.Chmod(filepath.Dir(p), 0777))
		}, "not sticky"},
		{"sticky folder", func(p string) error {
			return errors.Join(os.WriteFile(p, nil, 0600), os.Chmod(filepath.Dir(p), 0777|os.ModeSticky))
		}, ""},
		{"another's folder", func(p string) error {
			return errors.Join(os.WriteFile(p, nil, 0600), os.Chown(filepath.Dir(p), 4711, 4711))
		}, "not sticky"},
	}
	for _, tt := range tests {
		for _, flags := range []int{os.O_RDONLY, os.O_RDWR, os.O_RDWR | os.O_CREATE} {
			path := filepath.Join(t.TempDir(), "file")
			must(t, tt.lay(path))
			f, err := Open(path, flags)
			if err == nil {
				f.Close()
			}
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("%s, flags %#x: %v", tt.name, flags, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%s, flags %#x: error %v, want %q", tt.name, flags, err, tt.want)
			case err != nil && strings.Contains(err.Error(), "\n"):
				t.Errorf("%s: more than one line: %v", tt.name, err)
			}
		}
	}
}

func TestP6_MadePrivateWithItsFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "var", "lib", "file")
	if _, err := Open(path, os.O_RDONLY); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("missing file: %v", err)
	}
	f, err := Open(path, os.O_RDWR|os.O_CREATE)
	must(t, err)
	defer f.Close()
	info, err := f.Stat()
	must(t, err)
	if info.Mode() != 0600 {
		t.Errorf("made with mode %v", info.Mode())
	}
}

func TestP3_ReplaceWholeOrNotAtAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	must(t, os.WriteFile(path+".new", []byte("left by a run that was killed"), 0400))
	must(t, Replace(path, text("one")))
	must(t, Replace(path, text("two")))

	broken := errors.New("no space left")
	err := Replace(path, func(w io.Writer) error { io.WriteString(w, "thr"); return broken })
	if err != broken {
		t.Errorf("error %v, want the writer's", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "two" {
		t.Errorf("file holds %q, want what it held before the failure", got)
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	must(t, os.Symlink("/etc/passwd", path+".new"))
	must(t, Replace(path, text("three")))
	if info, _ := os.Lstat(path); info.Mode() != 0600 {
		t.Errorf("mode %v after a link lay in the way", info.Mode())
	}
}

func TestP4_LockKeepsOthersOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.lock")
	open := func() *os.File {
		f, err := Open(path, os.O_RDWR|os.O_CREATE)
		must(t, err)
		return f
	}
	a, b := open(), open()
	defer b.Close()
	must(t, Lock(a, 0))
	must(t, Lock(a, 0)) // again by the same: still ours
	must(t, Lock(b, 1)) // another octet is another lock
	if Locked(a, 0) || !Locked(b, 0) || !Locked(a, 1) || Locked(b, 2) {
		t.Errorf("who asks sees the locks of others: %v %v %v %v", Locked(a, 0), Locked(b, 0), Locked(a, 1), Locked(b, 2))
	}
	if err := Lock(b, 0); !errors.Is(err, ErrBusy) || err.Error() != path+" is in use by another dhcpd" {
		t.Errorf("second lock: %v", err)
	}
	must(t, Unlock(a, 0))
	must(t, Lock(b, 0))
	must(t, Unlock(b, 0))
	must(t, Lock(a, 0))
	open().Close() // unlike a POSIX lock, ours outlives another file's closing
	if err := Lock(b, 0); !errors.Is(err, ErrBusy) {
		t.Errorf("lock lost by closing another file: %v", err)
	}
	a.Close()
	must(t, Lock(b, 0))
}

func TestP4_WaitForLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.lock")
	a, err := Open(path, os.O_RDWR|os.O_CREATE)
	must(t, err)
	defer a.Close()
	b, err := Open(path, os.O_RDWR)
	must(t, err)
	defer b.Close()
	must(t, Wait(a, 1))
	got := make(chan error, 1)
	go func() { got <- Wait(b, 1) }()
	if err := Lock(b, 1); !errors.Is(err, ErrBusy) {
		t.Errorf("lock that another has: %v", err)
	}
	must(t, Unlock(a, 1))
	must(t, <-got)
	if err := Lock(a, 1); !errors.Is(err, ErrBusy) {
		t.Errorf("the one that waited does not have the lock: %v", err)
	}
}
