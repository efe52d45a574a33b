package safe

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// await fails unless w tells of a change.
func await(t *testing.T, told <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-told:
	case <-time.After(time.Minute):
		t.Fatal("not told: " + what)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0600); err != nil {
		t.Fatal(err)
	}
}

func TestB8_WatchTellsOfEveryChange(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	one, two := filepath.Join(a, "one"), filepath.Join(b, "two")
	told := make(chan struct{}, 1)
	w := NewWatch(told, one, two)
	defer w.Close()
	write(t, one, "made")
	await(t, told, "a file is made")
	write(t, two, "made")
	await(t, told, "a file is made in another folder")
	write(t, one+".new", "new")
	if err := os.Rename(one+".new", one); err != nil {
		t.Fatal(err)
	}
	await(t, told, "a file is replaced")
	if err := os.Remove(two); err != nil {
		t.Fatal(err)
	}
	await(t, told, "a file is removed")
}

func TestB8_WatchIsSilentAboutOtherFiles(t *testing.T) {
	dir := t.TempDir()
	told := make(chan struct{}, 1)
	w := NewWatch(told, filepath.Join(dir, "ours"))
	defer w.Close()
	write(t, filepath.Join(dir, "other"), "x")
	write(t, filepath.Join(dir, "ours"), "x")
	await(t, told, "ours is made")
	write(t, filepath.Join(dir, "other"), "y")
	write(t, filepath.Join(dir, "last"), "x")
	// Events come in order: had "other" been told, it would be here when a
	// later change of ours is.
	select {
	case <-told:
		t.Error("told of a file that is not watched")
	default:
	}
}

func TestB8_WatchWithoutFolderLooksEverySecond(t *testing.T) {
	path := filepath.Join(t.TempDir(), "later", "file")
	told := make(chan struct{}, 1)
	w := NewWatch(told, path)
	defer w.Close()
	if err := os.Mkdir(filepath.Dir(path), 0700); err != nil {
		t.Fatal(err)
	}
	write(t, path, "x")
	await(t, told, "a file in a folder that was not there at first")
}

func TestL5_WatchGoesOnWithoutInotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "x")
	told := make(chan struct{}, 1)
	w := NewWatch(told, path)
	defer w.Close()
	w.notify.Close()
	await(t, told, "the first look, which always finds something new")
	write(t, path, "changed")
	await(t, told, "a change that only looking shows")
}
