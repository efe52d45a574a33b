package peertest

import (
	"os"
	"strings"
	"testing"
	"time"
)

// small has the pool file lie on a disk of 64 kB, which only the server sees.
func (w *herd) small() (folder string) {
	w.Helper()
	folder = w.server.Dir + "/disk"
	if err := os.Mkdir(folder, 0o700); err != nil {
		w.Fatal(err)
	}
	size := "64k"
	if len(buildFlags) > 0 { // so slow that it may be killed again and again before it has compacted anything
		size = "512k"
	}
	w.server.Run("mount", "-t", "tmpfs", "-o", "size="+size+",mode=700", "none", folder)
	w.flags[len(w.flags)-1] = folder + "/dhcp.pool"
	w.pool = w.server.Path(folder + "/dhcp.pool")
	return folder
}

// TestP4_S4_FullDisk: while the disk is full nobody gets a lease, and the log
// says so, but not each time; when there is room again they all do. A lease
// that was promised before is never lost. With a disk that can't be written at
// all the server does not start.
func TestP4_S4_FullDisk(t *testing.T) {
	w := newHerd(t, newSeed(t), 40)
	folder := w.small()
	w.fill("10.0.1.0-10.0.1.63")
	p := w.server.Ready(w.start())
	w.play(func() bool { return len(w.owner) > 20 })

	w.server.Try("dd", "if=/dev/zero", "of="+folder+"/fill", "bs=1k")
	acks, since, said := 0, 0, ""
	w.play(func() bool { // a last record may fit still, and then the log says it again
		if w.acks > acks {
			acks, since, said = w.acks, w.asks, ""
		}
		if said == "" && w.asks-since > 100 {
			said = p.Output()
		}
		return said != "" && w.asks-since > 500
	})
	if p.Output() != said {
		t.Errorf("it says again: %s", strings.TrimPrefix(p.Output(), said))
	}
	const want = "no space left on device; nobody gets a lease until this is mended\n"
	for line := range strings.Lines(said) {
		if !strings.HasSuffix(line, want) {
			t.Errorf("it says %s", line)
		}
	}
	w.stored()

	w.server.Run("rm", folder+"/fill")
	w.crowdIn()
	w.everyone()
	w.stored()
	p.Kill()
	w.hear()

	w.server.Run("mount", "-o", "remount,ro", folder)
	p = w.start()
	if code := p.Wait(); code != 1 || strings.Count(p.Output(), "\n") != 1 || !strings.Contains(p.Output(), "read-only") {
		t.Errorf("on a read-only disk: exit %d, it says %s", code, p.Output())
	}
	if said, code := w.verb("-q"); code != 0 || strings.Count(said, " +") < len(w.owner) {
		t.Errorf("-q: exit %d, %s", code, said)
	}
	w.server.Run("mount", "-o", "remount,rw", folder)
	w.start()
	w.crowdIn()
	w.everyone()
}

// TestP5_TinyDisk: on a disk that is smaller than the file may else become, it
// is compacted in time. Nobody has to wait for that.
func TestP5_TinyDisk(t *testing.T) {
	w := newHerd(t, newSeed(t), 40)
	w.small()
	w.fill("10.0.1.0-10.0.1.63")
	p := w.server.Ready(w.start())
	w.play(func() bool { return w.acks > 5000 || p.Output() != "" })
	if said := p.Output(); said != "" {
		t.Fatalf("after %d ACKs it says %s", w.acks, said)
	}
	w.everyone()
	w.stored()
}

// TestP4_S4_FullNowAndThen: a small disk is full now and then, under load, and the
// server is killed at any moment of that.
func TestP4_S4_FullNowAndThen(t *testing.T) {
	w := newHerd(t, newSeed(t), 40)
	folder := w.small()
	w.fill("10.0.1.0-10.0.1.63")
	for range 40 {
		p := w.start()
		w.crowdIn()
		w.everyone()
		for range w.rnd.IntN(5) {
			w.server.Try("dd", "if=/dev/zero", "of="+folder+"/fill", "bs=1k")
			w.playFor(20 * time.Millisecond)
			w.server.Run("rm", folder+"/fill")
			w.playFor(10 * time.Millisecond)
		}
		if w.rnd.IntN(2) == 0 {
			w.server.Try("dd", "if=/dev/zero", "of="+folder+"/fill", "bs=1k")
			w.playFor(30 * time.Millisecond)
		}
		p.Kill()
		w.hear()
		w.stored()
		w.server.Run("rm", "-f", folder+"/fill")
	}
}

// TestP4_FileTaken: under load the pool file is removed, emptied, or replaced by
// what it was before. Once it is there again nothing that was promised is lost.
func TestP4_FileTaken(t *testing.T) {
	w := newHerd(t, newSeed(t), 64)
	w.fill("10.0.1.0-10.0.1.95")
	p := w.server.Ready(w.start()) // else it takes away what nobody has opened yet
	w.crowdIn()
	for round := range 60 {
		before := inode(t, w.pool)
		switch round % 3 {
		case 0:
			w.server.Run("rm", w.pool)
		case 1:
			w.server.Run("truncate", "-s", "0", w.pool)
		case 2:
			w.server.Run("cp", "-p", w.pool, w.pool+".old")
			w.playFor(10 * time.Millisecond)
			before = inode(t, w.pool+".old") // which may be replaced as soon as it is there
			w.server.Run("mv", w.pool+".old", w.pool)
		}
		w.play(func() bool {
			info, err := os.Stat(w.pool)
			return err == nil && info.Size() > 0 && number(info) != before
		})
		w.playFor(20 * time.Millisecond)
		w.everyone()
		w.stored()
		if round%5 == 0 {
			p.Kill()
			w.hear()
			w.stored()
			p = w.server.Ready(w.start())
			w.crowdIn()
		}
	}
}
