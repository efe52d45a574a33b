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

// unsure is how long a lease counts as good where nobody can tell how much time
// has passed: until a server had its time to confirm it (RFC 2131 section 3.2).
const unsure = 10 * time.Second

// carry returns what to add to a time in a file that was written at w, on its
// wall clock, to have it on the clock of now. It is not sure if that rests on
// a clock that nobody can believe.
func (w Clock) carry(now Clock) (shift time.Duration, sure bool) {
	if w.Wall.IsZero() { // no clock line: take the times as they stand
		return now.Now.Sub(now.Wall), now.Wall.After(now.Built)
	}
	passed, sure := w.passed(now)
	return now.Now.Sub(w.Wall.Add(passed)), sure
}

// passed returns how much time is between two readings. Within one boot the
// boot clock tells, whatever the wall clock says. Otherwise the wall clock is
// believed if it can be right at both, and has not gone backwards.
func (w Clock) passed(now Clock) (d time.Duration, sure bool) {
	switch {
	case w.Boot != "" && w.Boot == now.Boot:
		return max(0, now.Up-w.Up), true
	case w.Wall.After(now.Built) && now.Wall.After(w.Wall):
		return now.Wall.Sub(w.Wall), true
	}
	return 0, false
}
