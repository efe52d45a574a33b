package pool

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/simdisk"
)

const years = 365 * 24 * time.Hour

var in1970 = time.Unix(20, 0)

// left returns how long the lease on a address n runs on.
func (k *keeper) left(n int) Time {
	r, ok := k.table.ByAddr(ip(n))
	if !ok || r.State == Free {
		k.t.Errorf("%v: no lease", ip(n))
	}
	return r.Told - k.now()
}

// age returns how long ago that lease began.
func (k *keeper) age(n int) Time {
	r, _ := k.table.ByAddr(ip(n))
	return k.now() - r.Since
}

// reopen ends the daemon in order and starts it again.
func (k *keeper) reopen(c *simClock, meanwhile func()) *keeper {
	k.t.Helper()
	if err := k.file.Close(); err != nil {
		k.t.Fatal(err)
	}
	meanwhile()
	k, _ = mustOpen(k.t, k.disk, k.path, c)
	return k
}

func TestP4_ClockSteps(t *testing.T) {
	tests := []struct {
		name      string
		start     time.Time // the wall clock when the lease of 3600 s begins
		meanwhile func(c *simClock)
		want      Time // left after it
	}{
		{"nothing happens", Built.Add(9 * years), func(c *simClock) {}, 3600},
		{"ten minutes", Built.Add(9 * years), func(c *simClock) { c.pass(10 * time.Minute) }, 3000},
		{"wall clock set 10 years on", Built.Add(9 * years), func(c *simClock) {
			c.wall = c.wall.Add(10 * years)
			c.pass(10 * time.Minute)
		}, 3000},
		{"wall clock set 10 years back", Built.Add(20 * years), func(c *simClock) {
			c.wall = c.wall.Add(-10 * years)
			c.pass(10 * time.Minute)
		}, 3000},
		{"wall clock set back to 1970", Built.Add(9 * years), func(c *simClock) {
			c.wall = in1970
			c.pass(10 * time.Minute)
		}, 3000},
		{"set right, after a boot in 1970", in1970, func(c *simClock) {
			c.pass(10 * time.Minute)
			c.wall = Built.Add(years)
		}, 3000},
		{"another boot, clock right", Built.Add(9 * years), func(c *simClock) {
			c.reboot(c.wall.Add(10 * time.Minute))
		}, 3000},
		{"another boot, clock back by an hour", Built.Add(9 * years), func(c *simClock) {
			c.reboot(c.wall.Add(-time.Hour))
		}, 3600},
		{"another boot, clock back by 10 years", Built.Add(20 * years), func(c *simClock) {
			c.reboot(c.wall.Add(-10 * years))
		}, 3600},
		{"another boot, in 1970", Built.Add(9 * years), func(c *simClock) { c.reboot(in1970) }, 3600},
		{"from one 1970 to another", in1970, func(c *simClock) { c.reboot(in1970.Add(5 * time.Second)) }, 3600},
		{"from 1970 to a clock that is right", in1970, func(c *simClock) { c.reboot(Built.Add(years)) }, 3600},
		{"another boot, far in the future", Built.Add(9 * years), func(c *simClock) {
			c.reboot(c.wall.Add(10 * years))
		}, 3600 - Time(10*years/time.Second)},
		{"same boot ID, but the boot clock is back", Built.Add(9 * years), func(c *simClock) {
			c.up = time.Second // a container taken elsewhere
			c.wall = c.wall.Add(10 * time.Minute)
		}, 3000},
	}
	for _, tt := range tests {
		d, c := simdisk.New(), newSimClock()
		c.wall = tt.start
		mustEdit(t, d, simPath, Add, ip(1))
		k, _ := mustOpen(t, d, simPath, c)
		k.mustCommit(k.lease(ip(1), 1, 3600))
		k = k.reopen(c, func() { tt.meanwhile(c) })
		if got := k.left(1); got != tt.want {
			t.Errorf("%s: %d s left, want %d", tt.name, got, tt.want)
		}
		k.mustCommit() // and once more, from what that daemon wrote
		k = k.reopen(c, func() {})
		if got := k.left(1); got != tt.want {
			t.Errorf("%s, read again: %d s left, want %d", tt.name, got, tt.want)
		}
	}
}

// While the daemon runs its own clock does not step, and a pager sees today's
// dates.
func TestP4_StepWhileRunning(t *testing.T) {
	for _, step := range []time.Duration{10 * years, -10 * years, time.Minute, -time.Minute} {
		d, c := simdisk.New(), newSimClock()
		c.wall = Built.Add(20 * years)
		mustEdit(t, d, simPath, Add, ip(1), ip(2))
		k, _ := mustOpen(t, d, simPath, c)
		k.mustCommit(k.lease(ip(1), 1, 3600))
		before := k.now()
		c.pass(10 * time.Second)
		c.wall = c.wall.Add(step)
		if got := k.now(); got != before+10 {
			t.Errorf("step of %v: %d s passed, want 10", step, got-before)
		}
		k.mustCommit(k.lease(ip(2), 2, 3600))
		lines := strings.Split(strings.TrimSpace(k.text()), "\n")
		if last := lines[len(lines)-1]; !strings.Contains(last, fmt.Sprintf("10.0.0.2 bound %d ", c.wall.Unix())) {
			t.Errorf("step of %v: wall clock says %d, the line %s", step, c.wall.Unix(), last)
		}
		k = k.reopen(c, func() { c.pass(time.Minute) })
		if a, b := k.left(1), k.left(2); a != 3530 || b != 3540 {
			t.Errorf("step of %v: %d and %d s left, want 3530 and 3540", step, a, b)
		}
	}
}

func TestP4_SlowDriftIsNoStep(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	mustEdit(t, d, simPath, Add, ip(1))
	k, _ := mustOpen(t, d, simPath, c)
	for range 100 {
		c.pass(time.Second)
		c.wall = c.wall.Add(10 * time.Millisecond)
		k.mustCommit(k.lease(ip(1), 1, 3600))
	}
	if n := count(k.text(), " clock "); n != 1 {
		t.Errorf("%d clock lines for a drift of a second", n)
	}
}

// After a jump that was believed, but is long, what ended in it is checked on
// the wire before someone else gets it.
func TestP4_LongJumpIsChecked(t *testing.T) {
	for _, compact := range []bool{false, true} {
		d, c := simdisk.New(), newSimClock()
		mustEdit(t, d, simPath, Add, ip(1), ip(2), ip(3), ip(4))
		k, _ := mustOpen(t, d, simPath, c)
		k.mustCommit(k.lease(ip(1), 1, 60), k.lease(ip(2), 2, 3600), k.lease(ip(3), 3, 90*24*3600))
		k = k.reopen(c, func() {
			c.pass(10 * time.Minute)
			c.reboot(c.wall.Add(12 * time.Hour)) // believed, and not long
		})
		k.mustCommit(k.lease(ip(4), 4, 3600))
		k = k.reopen(c, func() { c.reboot(c.wall.Add(30 * 24 * time.Hour)) })
		if compact {
			k.compactNow()
			k = k.reopen(c, func() {})
		}
		for n, want := range []bool{1: false, 2: false, 3: false, 4: true} {
			if r, _ := k.table.ByAddr(ip(n)); n > 0 && r.Check != want {
				t.Errorf("compacted %v: %v to be checked: %v", compact, ip(n), r.Check)
			}
		}
		k.mustCommit(k.lease(ip(4), 5, 3600))
		k = k.reopen(c, func() {})
		if r, _ := k.table.ByAddr(ip(4)); r.Check {
			t.Error("checked and given to another, but still to be checked")
		}
	}
}

// compactNow has a compaction run, and take effect.
func (k *keeper) compactNow() {
	k.t.Helper()
	old := k.file.f
	k.file.floor, k.file.factor, k.file.patience = 0, 0, 0
	k.mustCommit(k.lease(ip(250), 250, 1)) // only a block with a record begins one
	k.settle()
	k.mustCommit()
	k.file.floor = 1 << 60
	if k.file.f == old {
		k.t.Fatalf("there was no compaction")
	}
}

// After an unclean end the promised end counts, until the client is heard.
func TestP5_UncleanEndCountsAsKept(t *testing.T) {
	for _, compact := range []bool{false, true} {
		d, c := simdisk.New(), newSimClock()
		mustEdit(t, d, simPath, Add, ip(1), ip(2), ip(3))
		k, _ := mustOpen(t, d, simPath, c)
		lease := func(n int) *Record {
			r := k.lease(ip(n), n, 100)
			r.Kept += 1000
			return r
		}
		k.mustCommit(lease(1), lease(2), &Record{Addr: ip(3), State: Released, Since: k.now(), Told: k.now(), Kept: k.now() + 1000})
		k = k.reopen(c, func() {})
		if a, b := k.left(1), k.left(2); a != 100 || b != 100 {
			t.Errorf("after a clean end: %d and %d s left, want 100", a, b)
		}
		k.mustCommit()
		d.Kill()
		k, _ = mustOpen(t, d, simPath, c)
		if a, b := k.left(1), k.left(2); a != 1100 || b != 1100 {
			t.Errorf("after an unclean end: %d and %d s left, want 1100", a, b)
		}
		if !k.table.At(ip(3)).Free(k.now()) {
			t.Error("a released address is not free")
		}
		k.mustCommit(lease(1)) // heard again
		if compact {
			k.compactNow()
		}
		k = k.reopen(c, func() {})
		if a, b := k.left(1), k.left(2); a != 100 || b != 1100 {
			t.Errorf("compacted %v, heard again: %d and %d s left, want 100 and 1100", compact, a, b)
		}
	}
}

// TestP4_NoLeaseEndsEarly goes through boots with clocks that are right, back
// or in 1970, with and without compactions: both come to the same, and no
// lease ever ends before its time.
func TestP4_NoLeaseEndsEarly(t *testing.T) {
	for seed := range uint64(60) {
		a, b := newLife(t, seed, false), newLife(t, seed, true)
		for range 40 {
			a.step()
			b.step()
			for n := range a.ends {
				x, y := a.k.left(n), b.k.left(n)
				real := Time(a.ends[n] - a.elapsed)
				if x != y || x < real-1 {
					t.Fatalf("seed %d: lease %d has %d s left in truth, %d without compaction, %d with", seed, n, real, x, y)
				}
				if x, y := a.k.age(n), b.k.age(n); x != y {
					t.Fatalf("seed %d: lease %d is %d s old without compaction, %d with", seed, n, x, y)
				}
			}
		}
	}
}

// life is a machine and what really passes.
type life struct {
	rnd     *rand.Rand
	c       *simClock
	k       *keeper
	compact bool
	elapsed int64 // seconds, really
	wall    time.Time
	ends    map[int]int64
}

func newLife(t *testing.T, seed uint64, compact bool) *life {
	d, c := simdisk.New(), newSimClock()
	mustEdit(t, d, simPath, Add, ip(0), ip(1), ip(2), ip(3), ip(4), ip(5))
	l := &life{rnd: newRand(seed), c: c, compact: compact, wall: c.wall, ends: map[int]int64{}}
	l.k, _ = mustOpen(t, d, simPath, c)
	return l
}

func (l *life) pass(seconds int64) {
	l.elapsed += seconds
	l.wall = l.wall.Add(time.Duration(seconds) * time.Second)
	l.c.pass(time.Duration(seconds) * time.Second)
}

// wrong returns what a wall clock may say that is not in the future.
func (l *life) wrong() time.Time {
	switch l.rnd.IntN(3) {
	case 0:
		return in1970.Add(time.Duration(l.rnd.IntN(1000)) * time.Second)
	case 1:
		return l.wall.Add(-time.Duration(l.rnd.IntN(1e9)) * time.Second)
	}
	return l.wall
}

func (l *life) step() {
	l.pass(int64(l.rnd.IntN(5000)))
	switch l.rnd.IntN(5) {
	case 0:
		l.c.wall = l.wrong()
	case 1:
		off := int64(l.rnd.IntN(100000))
		boot := l.wrong()
		if boot.Equal(l.wall) {
			boot = boot.Add(time.Duration(off) * time.Second)
		}
		l.k = l.k.reopen(l.c, func() {
			l.elapsed += off
			l.wall = l.wall.Add(time.Duration(off) * time.Second)
			l.c.reboot(boot)
		})
	default:
		n := l.rnd.IntN(6)
		seconds := int64(l.rnd.IntN(100000))
		l.ends[n] = l.elapsed + seconds
		l.k.mustCommit(l.k.lease(ip(n), n, Time(seconds)))
	}
	switch l.rnd.IntN(4) {
	case 0:
		l.k.mustCommit(l.k.lease(ip(250), 250, 1)) // which says when we last lived, as that of a compaction
	case 1:
		if l.compact {
			l.k.compactNow()
		} else {
			l.k.mustCommit(l.k.lease(ip(250), 250, 1))
			l.k.mustCommit()
		}
	}
}

func TestClock_MachinesOwn(t *testing.T) {
	c := NewClock(nil)
	r := c.read()
	if len(r.Boot) < 30 || r.Up < time.Second || r.Wall.Before(time.Unix(1e9, 0)) {
		t.Errorf("readings %+v", r)
	}
	if early := NewClock(func() Reading { return Reading{"x", in1970, time.Second} }); early.Now().Before(Built) {
		t.Errorf("in 1970 the daemon's clock says %v", early.Now())
	}
}

// The very second in which 1970 began is not never.
func TestP4_ZeroOfTheWallClock(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	c.wall = time.Unix(0, 0)
	mustEdit(t, d, simPath, Add, ip(1))
	k, _ := mustOpen(t, d, simPath, c)
	r := k.lease(ip(1), 1, 100)
	k.mustCommit(r)
	k = k.reopen(c, func() {})
	if got, _ := k.table.ByAddr(ip(1)); got.Since != r.Since+1 || got.Told != r.Told {
		t.Errorf("since %d until %d, want a second after %d until %d", got.Since, got.Told, r.Since, r.Told)
	}
}

// A boot in 1970 writes what was before it with times before 1970; they are
// times all the same, also when they are written once more.
func TestP4_BeforeThe1970s(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	mustEdit(t, d, simPath, Add, ip(1))
	k, _ := mustOpen(t, d, simPath, c)
	k.mustCommit(k.lease(ip(1), 1, 90*24*3600))
	c.pass(24 * time.Hour)
	k.mustCommit(k.lease(ip(2), 2, 100)) // so that it is known that a day passed
	k = k.reopen(c, func() { c.reboot(in1970) })
	k.mustCommit()
	k.compactNow()
	if !strings.Contains(k.text(), "10.0.0.1 bound -") {
		t.Errorf("no time before 1970 in\n%s", k.text())
	}
	k = k.reopen(c, func() { c.reboot(in1970.Add(5 * time.Second)) })
	renewed, _ := k.table.ByAddr(ip(1))
	k.mustCommit(&renewed)
	c.wall = Built.Add(years)
	k.mustCommit(k.lease(ip(2), 2, 100))
	k.compactNow()
	k = k.reopen(c, func() {})
	if k.age(1) != 24*3600 || k.left(1) != 89*24*3600 {
		t.Errorf("%d s old, %d s left", k.age(1), k.left(1))
	}
}
