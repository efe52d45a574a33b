package pool

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"dhcpd/internal/simdisk"
)

// TestP4_DiskOfTheTests: the simulated disk is as bad as disks are. Of what was
// not synced any part may be there after a power cut, whatever came first.
func TestP4_DiskOfTheTests(t *testing.T) {
	var seen []string
	for seed := range uint64(400) {
		d := simdisk.New()
		writeFile(t, d, "/pool", "old, synced")
		f, _ := d.Create("/pool.new")
		f.WriteAt([]byte("synced;"), 0)
		f.Sync()
		f.WriteAt([]byte(strings.Repeat("1", simdisk.Sector)), simdisk.Sector)
		f.WriteAt([]byte(strings.Repeat("2", simdisk.Sector)), 2*simdisk.Sector)
		d.Rename("/pool.new", "/pool")
		d.CutPower(newRand(seed))
		text := readAll(t, d, "/pool")
		switch {
		case text == "old, synced":
		case !strings.HasPrefix(text, "synced;"):
			t.Fatalf("what was synced is lost: %q", text)
		default:
			text = fmt.Sprint(strings.Contains(text, "1"), strings.Contains(text, "2"))
		}
		if !slices.Contains(seen, text) {
			seen = append(seen, text)
		}
	}
	slices.Sort(seen)
	if want := []string{"false false", "false true", "old, synced", "true false", "true true"}; !slices.Equal(seen, want) {
		t.Errorf("after a power cut there is one of %q, want %q", seen, want)
	}
}

// compactSoon has the next commits begin a compaction, and finish it.
func (k *keeper) compactSoon() (notice string) {
	k.file.floor, k.file.factor, k.file.patience = 0, 0, 0
	for range 2 {
		c, _ := k.commit(false, k.lease(ip(250), 250, 1))
		k.settle()
		notice += c.Notice
	}
	k.file.floor = 1 << 60
	return notice
}

// TestP4_NewFileCutAtEveryOctet: the disk fills up, or the world ends, at each
// octet of a file that is to take the place of the pool file, in a compaction
// and when it is written anew.
func TestP4_NewFileCutAtEveryOctet(t *testing.T) {
	ways := map[string]func(k *keeper) error{
		"compaction": func(k *keeper) error {
			if notice := k.compactSoon(); strings.Contains(notice, "\n") {
				t.Errorf("notice %q", notice)
			}
			return nil
		},
		"written anew": func(k *keeper) error {
			k.file.lose(simdisk.ErrFault)
			k.commit(false)
			_, err := k.commit(false, k.lease(ip(250), 250, 1))
			return err
		},
	}
	for name, way := range ways {
		for end := 0; end < 3; end++ { // full, kill -9, power cut
			for room := 0; room < 900; room += 1 + end {
				d, c := simdisk.New(), newSimClock()
				mustEdit(t, d, simPath, Add, ip(1), ip(2), ip(3))
				k, _ := mustOpen(t, d, simPath, c)
				first, second := k.lease(ip(1), 1, 1000), k.lease(ip(2), 2, 1000)
				k.mustCommit(first, k.lease(ip(2), 9, 500))
				k.mustCommit(second)
				d.Limit(room)
				err := way(k)
				switch {
				case end == 0 && err != nil && (!errors.Is(err, syscall.ENOSPC) || !errors.Is(err, ErrWhole) || strings.Contains(err.Error(), "\n")):
					t.Fatalf("%s, room for %d: %v", name, room, err)
				case end == 0:
					d.Limit(-1)
					k.mustCommit(k.lease(ip(3), 3, 1000))
					d.Kill()
				case end == 1:
					d.Kill()
				default:
					d.CutPower(newRand(uint64(room)))
				}
				k, loaded := mustOpen(t, d, simPath, c)
				if loaded.Corrupt != nil || !k.table.Member(ip(1)) || !k.table.Member(ip(3)) {
					t.Fatalf("%s, room for %d: corrupt %v, file\n%s", name, room, loaded.Corrupt, k.text())
				}
				k.want(fmt.Sprintf("%s, room for %d, first", name, room), first)
				k.want(fmt.Sprintf("%s, room for %d, second", name, room), second)
				if t.Failed() {
					return
				}
			}
		}
	}
}

// TestP4_ClockStepsAndCrashes: the wall clock steps by ten years, or to 1970,
// before, while or between the daemon runs, which ends in order, by kill -9 or
// by a power cut, compacted or not. Ten minutes pass in truth: no lease of an
// hour is over, but by a jump over a reboot that has to be believed; and then
// its address is checked before someone else gets it.
func TestP4_ClockStepsAndCrashes(t *testing.T) {
	steps := map[string]func(c *simClock){
		"no step":  func(*simClock) {},
		"10 y on":  func(c *simClock) { c.wall = c.wall.Add(10 * years) },
		"10 y off": func(c *simClock) { c.wall = c.wall.Add(-10 * years) },
		"1970":     func(c *simClock) { c.wall = in1970 },
	}
	whens := []string{"before", "during", "between"}
	for name, step := range steps {
		for _, when := range whens {
			for _, end := range []string{"close", "kill", "power cut", "reboot"} {
				for _, compact := range []bool{false, true} {
					what := fmt.Sprintf("%s, %s, %s, compacted %v", name, when, end, compact)
					left, check := stepAndCrash(t, step, when, end, compact)
					jumped := name == "10 y on" && when == "between" && (end == "reboot" || end == "power cut")
					switch {
					case jumped && (left > 0 || !check):
						t.Errorf("%s: %d s left, check %v; the clock was right to be believed", what, left, check)
					case !jumped && (left < 3000 || left > 3600+3600):
						t.Errorf("%s: %d s left of what was 3000", what, left)
					}
				}
			}
		}
	}
}

// stepAndCrash gives a lease of an hour, has ten minutes pass and the daemon
// end, and returns what is left of the lease after the next start.
func stepAndCrash(t *testing.T, step func(*simClock), when, end string, compact bool) (left Time, check bool) {
	t.Helper()
	d, c := simdisk.New(), newSimClock()
	c.wall = Built.Add(20 * years)
	mustEdit(t, d, simPath, Add, ip(1), ip(2))
	at := func(moment string) {
		if moment == when {
			step(c)
		}
	}
	at("before")
	k, _ := mustOpen(t, d, simPath, c)
	k.mustCommit(k.lease(ip(1), 1, 3600))
	c.pass(5 * time.Minute)
	at("during")
	k.mustCommit(k.lease(ip(2), 2, 60))
	if compact {
		k.compactNow()
	}
	c.pass(5 * time.Minute)
	switch end {
	case "close", "reboot":
		if err := k.file.Close(); err != nil {
			t.Fatal(err)
		}
	case "kill":
		d.Kill()
	case "power cut":
		d.CutPower(newRand(1))
	}
	if end == "reboot" || end == "power cut" {
		c.reboot(c.wall)
	}
	at("between")
	k, _ = mustOpen(t, d, simPath, c)
	k.mustCommit()
	r, _ := k.table.ByAddr(ip(1))
	if k.table.At(ip(1)).Free(k.now()) != (k.left(1) <= 0) {
		t.Errorf("%d s left, free %v", k.left(1), k.left(1) > 0)
	}
	return k.left(1), r.Check
}
