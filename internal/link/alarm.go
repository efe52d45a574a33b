package link

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Alarm rings on the boot-time clock, which neither steps nor stops in
// suspend: a timer of the runtime would sleep through a suspend.
type Alarm struct {
	C    <-chan struct{} // one value a ring
	file *os.File
	fd   int
}

// NewAlarm returns an Alarm that is not set.
func NewAlarm() (*Alarm, error) {
	fd, f, err := timerfd(unix.CLOCK_BOOTTIME)
	if err != nil {
		return nil, wrap(err, "make a timer on the boot-time clock")
	}
	c := make(chan struct{}, 1)
	go func() {
		for buf := make([]byte, 8); ; {
			if _, err := f.Read(buf); errors.Is(err, os.ErrClosed) {
				return
			}
			ring(c)
		}
	}()
	return &Alarm{C: c, file: f, fd: fd}, nil
}

// Set makes the alarm ring when the boot-time clock reads at, at once if that
// is past; not at all if at is zero or less.
func (a *Alarm) Set(at time.Duration) error {
	var spec unix.ItimerSpec
	if at > 0 {
		spec.Value = unix.NsecToTimespec(int64(at))
	}
	return wrap(unix.TimerfdSettime(a.fd, unix.TFD_TIMER_ABSTIME, &spec, nil), "set the timer")
}

// Close ends the alarm.
func (a *Alarm) Close() error { return a.file.Close() }

// ClockSteps returns a channel that gets a value each time that somebody sets
// the wall clock. It lives as long as the program.
func ClockSteps() (<-chan struct{}, error) {
	fd, f, err := timerfd(unix.CLOCK_REALTIME)
	if err == nil {
		err = awaitStep(fd)
	}
	if err != nil {
		return nil, wrap(err, "make a timer on the wall clock")
	}
	c := make(chan struct{}, 1)
	go func() {
		for buf := make([]byte, 8); ; {
			_, err := f.Read(buf)
			again := awaitStep(fd)
			if stepped(err) || stepped(again) {
				ring(c)
			} else if again != nil {
				return
			}
		}
	}()
	return c, nil
}

// awaitStep sets a timer for a year from now that setting the clock cancels:
// that is the news, or that it was cancelled before it could be set again.
func awaitStep(fd int) error {
	const flags = unix.TFD_TIMER_ABSTIME | unix.TFD_TIMER_CANCEL_ON_SET
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(Wall().Add(365 * 24 * time.Hour).UnixNano())}
	return unix.TimerfdSettime(fd, flags, &spec, nil)
}

func stepped(err error) bool { return errors.Is(err, unix.ECANCELED) }

// ring puts a value into c; one that was not heard yet says the same.
func ring(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func timerfd(clock int) (int, *os.File, error) {
	fd, err := unix.TimerfdCreate(clock, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return -1, nil, err
	}
	return fd, os.NewFile(uintptr(fd), "timer"), nil
}
