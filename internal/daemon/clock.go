package daemon

import (
	"time"

	"dhcpd/internal/link"
	"dhcpd/pool"
)

// clock is the daemon's own clock, with the boot-time clock that drives it.
type clock struct {
	*pool.Clock
	boot   string
	anchor time.Time // what it read when the boot-time clock read zero
}

func newClock() (clock, error) {
	boot, err := link.BootID()
	if err != nil {
		return clock{}, err
	}
	c := pool.NewClock(func() pool.Reading {
		return pool.Reading{Boot: boot, Wall: link.Wall(), Up: link.Boottime()}
	})
	return clock{c, boot, c.Now().Add(-link.Boottime())}, nil
}

// boottime returns what the boot-time clock reads at t; zero for the zero time.
func (c *clock) boottime(t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return t.Sub(c.anchor)
}
