package pool

// timeline follows the clock lines of a pool file and finds out how the times
// of its records lie to each other: on a line of its own, which begins with
// the first wall time read, moved far up from 1970, and never steps.
//
// Within one boot the boot clock tells how much time passed, whatever the
// wall clock says. From one boot to another the wall clock is believed if it
// can have been right at both ends and has not gone backwards; else no time
// has passed, and a lease ends late rather than early.
type timeline struct {
	segments []Time // what to add to times in the file, for each clock line; [0] is before the first
	at       stamp  // the latest clock line
	last     Time   // the last moment known
	open     bool   // a daemon has written, and has not closed the file since
	unclean  int    // the segments before this one were left by a daemon that did not close
	jumps    []span // believed, and longer than a day
}

type span struct{ from, to Time }

const (
	longJump = 24 * 60 * 60 // seconds
	farUp    = 1 << 34      // seconds: what came long before a boot in 1970 is after zero, too
)

func newTimeline() timeline { return timeline{segments: []Time{farUp}} }

// segment returns the number of the current one.
func (tl *timeline) segment() int { return len(tl.segments) - 1 }

// clock takes in a clock line.
func (tl *timeline) clock(s stamp) {
	at := tl.moment(s)
	tl.last = max(tl.last, at)
	tl.at = s
	tl.segments = append(tl.segments, at-s.wall)
	tl.open = true
}

// moment returns where the reading s is on the line.
func (tl *timeline) moment(s stamp) Time {
	off := tl.segments[tl.segment()]
	wall := tl.last - off // what the wall clock said at the last moment known
	switch {
	case tl.segment() == 0:
		return max(s.wall+farUp, tl.last)
	case s.boot == tl.at.boot && s.boot != "" && s.up >= tl.at.up:
		return tl.at.wall + off + s.up - tl.at.up // even if it was written late
	case !believable(wall) || !believable(s.wall) || s.wall < wall:
		return tl.last
	}
	if s.wall-wall > longJump {
		tl.jumps = append(tl.jumps, span{tl.last, s.wall + off})
	}
	return s.wall + off
}

func believable(wall Time) bool { return wall > Time(Built.Unix()) }

// seen takes in the times of a record just read: the daemon lived then.
func (tl *timeline) seen(r *Record) {
	tl.open = true
	off := tl.segments[tl.segment()]
	for _, at := range [...]Time{r.Since, r.Last} {
		if at != 0 && at != Infinite {
			tl.last = max(tl.last, at+off)
		}
	}
}

// opened takes in that a daemon started. If the one before it did not close
// the file, its last renewals may be missing.
func (tl *timeline) opened() {
	if tl.open {
		tl.unclean = len(tl.segments)
	}
	tl.open = true
}

// settle lays a record that was read in a segment onto the line, moved by
// shift. When the file was not closed, the client may have been told a later
// end than the record says, but never one after Kept: that is taken for its
// end until it is heard again.
func (tl *timeline) settle(r *Record, segment int, shift Time) {
	off := tl.segments[segment]
	leased := r.State == Bound || r.State == Fixed
	if leased && segment < tl.unclean && r.Kept > r.Told {
		r.Told = r.Kept
	}
	for _, jump := range tl.jumps {
		if end := move(r.Told, off); leased && jump.from < end && end <= jump.to {
			r.Check = true
		}
	}
	for _, at := range [...]*Time{&r.Since, &r.Told, &r.Kept, &r.Last} {
		*at = move(*at, off+shift)
	}
}

// move adds to a time; never and infinite stay what they are.
func move(at, by Time) Time {
	if at == 0 || at == Infinite || by == 0 {
		return at
	}
	return max(1, at+by)
}
