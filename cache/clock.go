package cache

import "time"

// Clock is one reading of all clocks.
type Clock struct {
	Now   time.Time     // the daemon's own clock, in which the times of entries count
	Boot  string        // boot ID; "" if not known
	Wall  time.Time     // CLOCK_REALTIME
	Up    time.Duration // CLOCK_BOOTTIME
	Built time.Time     // the program's build date: no wall clock before it is believed
}

// carry returns what to add to a time in a file that was written at w, on its
// wall clock, to have it on the clock of now.
func (w Clock) carry(now Clock) time.Duration {
	if w.Wall.IsZero() { // no clock line: take the times as they stand
		return now.Now.Sub(now.Wall)
	}
	return now.Now.Sub(w.Wall.Add(w.passed(now)))
}

// passed returns how much time is between two readings. Within one boot the
// boot clock tells, whatever the wall clock says. Otherwise the wall clock is
// believed if it can be right at both, and has not gone backwards; else no
// time has passed.
func (w Clock) passed(now Clock) time.Duration {
	switch {
	case w.Boot != "" && w.Boot == now.Boot:
		return max(0, now.Up-w.Up)
	case w.Wall.After(now.Built) && now.Wall.After(w.Wall):
		return now.Wall.Sub(w.Wall)
	}
	return 0
}
