package daemon

import (
	"time"

	"dhcpd/internal/link"
	"dhcpd/pool"
)

// clock is the daemon's own clock, with the boot-time clock that drives it.
type clock struct {
	*pool.Clock
	read   func() pool.Reading // of the machine's clocks
	anchor time.Time           // what it read when the boot-time clock read zero
}

func newClock() (clock, error) {
	boot, err := link.BootID()
	if err != nil {
		return clock{}, err
	}
	return clockOf(func() pool.Reading {
		return pool.Reading{Boot: boot, Wall: link.Wall(), Up: link.Boottime()}
	}), nil
}

func clockOf(read func() pool.Reading) clock {
	c := pool.NewClock(read)
	return clock{c, read, c.Now().Add(-read().Up)}
}

// boottime returns what the boot-time clock reads at t; zero for the zero time.
func (c *clock) boottime(t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return t.Sub(c.anchor)
}
