package safe

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// await fails unless w tells of a change.
func await(t *testing.T, w *Watch, what string) {
	t.Helper()
	select {
	case <-w.C:
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
	w := NewWatch(one, two)
	defer w.Close()
	write(t, one, "made")
	await(t, w, "a file is made")
	write(t, two, "made")
	await(t, w, "a file is made in another folder")
	write(t, one+".new", "new")
	if err := os.Rename(one+".new", one); err != nil {
		t.Fatal(err)
	}
	await(t, w, "a file is replaced")
	if err := os.Remove(two); err != nil {
		t.Fatal(err)
	}
	await(t, w, "a file is removed")
}

func TestB8_WatchIsSilentAboutOtherFiles(t *testing.T) {
	dir := t.TempDir()
	w := NewWatch(filepath.Join(dir, "ours"))
	defer w.Close()
	write(t, filepath.Join(dir, "other"), "x")
	write(t, filepath.Join(dir, "ours"), "x")
	await(t, w, "ours is made")
	write(t, filepath.Join(dir, "other"), "y")
	write(t, filepath.Join(dir, "last"), "x")
	// Events come in order: had "other" been told, it would be here when a
	// later change of ours is.
	select {
	case <-w.C:
		t.Error("told of a file that is not watched")
	default:
	}
}

func TestB8_WatchWithoutFolderLooksEverySecond(t *testing.T) {
	path := filepath.Join(t.TempDir(), "later", "file")
	w := NewWatch(path)
	defer w.Close()
	if err := os.Mkdir(filepath.Dir(path), 0700); err != nil {
		t.Fatal(err)
	}
	write(t, path, "x")
	await(t, w, "a file in a folder that was not there at first")
}
