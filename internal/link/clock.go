package link

import (
	"time"

	"dhcpd/internal/ascii"
	"dhcpd/internal/safe"

	"golang.org/x/sys/unix"
)

// Boottime is the time since the machine booted, that of its sleep included.
// It never steps.
func Boottime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		return 0 // cannot happen: Linux has had this clock since 2.6.39
	}
	return time.Duration(t.Nano())
}

// Wall is what the wall clock says. Comparing it with an earlier reading
// shows the clock's steps: it carries no monotonic reading.
func Wall() time.Time {
	now := time.Now()
	return time.Unix(now.Unix(), int64(now.Nanosecond()))
}

// BootID names this boot of the machine.
func BootID() (string, error) {
	b, err := safe.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", wrap(err, "read boot ID")
	}
	return ascii.Trim(string(b)), nil
}
