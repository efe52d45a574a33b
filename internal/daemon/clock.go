package daemon

import (
	"time"

	"dhcpd/internal/link"
)

// Built is a moment before which nobody can run this version: a wall clock
// that reads less was never set.
var Built = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

// clock is the daemon's own clock: the boot-time clock, laid onto what the wall
// clock said when the daemon started. It neither steps nor stops in suspend,
// so a lease ends when it should whatever happens to the wall clock (B9). It
// never reads less than Built, so that no time of a lease is zero or negative on a
// machine that boots in 1970.
type clock struct {
	boot   string
	anchor time.Time // what the clock read when the boot-time clock read zero
}

func newClock() (clock, error) {
	boot, err := link.BootID()
	now := link.Wall()
	if now.Before(Built) {
		now = Built
	}
	return clock{boot, now.Add(-link.Boottime())}, err
}

// now reads the clock.
func (c *clock) now() time.Time { return c.anchor.Add(link.Boottime()) }

// boottime returns what the boot-time clock reads at t; zero for the zero time.
func (c *clock) boottime(t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return t.Sub(c.anchor)
}
