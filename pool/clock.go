package pool

import "time"

// Reading is what the clocks of the machine say at one moment.
type Reading struct {
	Boot string        // the kernel's boot ID
	Wall time.Time     // the wall clock, which may be years off and step
	Up   time.Duration // since that boot, suspend included
}

// Clock is the daemon's own: the boot clock, laid onto what the wall clock
// said when the Clock was made. It neither steps nor stops in suspend.
type Clock struct {
	read func() Reading
	base time.Time // when the machine was booted, on this clock
}

// NewClock makes a clock from the readings that read returns; nil for the
// machine's own.
func NewClock(read func() Reading) *Clock {
	if read == nil {
		read = system
	}
	r := read()
	return &Clock{read: read, base: r.Wall.Add(-r.Up)}
}

// Now returns the time on the daemon's own clock; Unix() of it is a Time.
func (c *Clock) Now() time.Time { return c.base.Add(c.read().Up) }

var started = time.Now()

func system() Reading {
	now := time.Now()
	return Reading{Wall: now, Up: now.Sub(started)}
}
