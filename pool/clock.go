package pool

import (
	"bytes"
	"time"

	"dhcpd/internal/ascii"
	"dhcpd/internal/safe"
)

// Built is a moment before which nobody can run this version: a wall clock
// that reads less was never set.
var Built = time.Unix(1793491200, 0) // 2026-11-01

// Reading is what the clocks of the machine say at one moment.
type Reading struct {
	Boot string        // the kernel's boot ID
	Wall time.Time     // the wall clock, which may be years off and step
	Up   time.Duration // since that boot, suspend included
}

// Clock is the daemon's own: the boot clock, laid onto what the wall clock
// said when the Clock was made, or onto Built if the wall clock was not set
// then. It neither steps nor stops in suspend, and any lease that anybody
// remembers began after its zero.
type Clock struct {
	read func() Reading
	base time.Time // when the machine was booted, on this clock, in whole seconds
}

// NewClock makes a clock from the readings that read returns; nil stands for
// this machine's own, to a hundredth of a second.
func NewClock(read func() Reading) *Clock {
	if read == nil {
		read = system
	}
	r := read()
	if r.Wall.Before(Built) {
		r.Wall = Built
	}
	base := r.Wall.Add(-r.Up).Unix()
	return &Clock{read: read, base: time.Unix(base, 0)}
}

// Now returns the time on the daemon's own clock; Unix() of it is a Time.
func (c *Clock) Now() time.Time { return c.base.Add(c.read().Up) }

// stamp reads the clocks, as a clock line in the pool file has them.
func (c *Clock) stamp() stamp {
	r := c.read()
	up := int64(r.Up / time.Second)
	s := stamp{boot: r.Boot, wall: Time(r.Wall.Unix()), up: Time(up)}
	s.off = Time(c.base.Unix()+up) - s.wall
	return s
}

// stamp is a clock line: it says how the times in the records after it, which
// are the wall clock's, lie on a clock that does not step.
type stamp struct {
	boot string
	wall Time
	up   Time // seconds since boot
	off  Time // what to add to a time in the file; not written, since it depends on who reads
}

const (
	stampEvery = 6 * 60 * 60 // seconds between clock lines, at least
	slack      = 2           // seconds that the wall clock may be off before it counts as a step
)

// differs tells whether the times of records are to be written under s
// instead of under old, which may be none.
func (s stamp) differs(old stamp) bool {
	step := s.off - old.off
	return old == (stamp{}) || step >= slack || step <= -slack || s.up-old.up >= stampEvery
}

// system reads the clocks of this machine. A boot ID that can't be read is
// one like no other.
func system() Reading {
	r := Reading{Wall: time.Now()}
	boot, _ := safe.ReadFile("/proc/sys/kernel/random/boot_id")
	r.Boot = ascii.Trim(string(boot))
	uptime, _ := safe.ReadFile("/proc/uptime") // 350735.47 234388.90
	seconds, rest, _ := bytes.Cut(uptime, []byte("."))
	n, _ := leading(seconds)
	hundredths, _ := leading(rest)
	r.Up = time.Duration(n)*time.Second + time.Duration(hundredths)*10*time.Millisecond
	return r
}
