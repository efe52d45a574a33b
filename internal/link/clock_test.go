package link

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestB9_Clocks: the boot clock runs as time does and never steps back; the
// wall clock's reading shows steps.
func TestB9_Clocks(t *testing.T) {
	before, began := Boottime(), time.Now()
	first := Boottime()
	last := first
	for time.Since(began) < 5*time.Millisecond {
		now := Boottime()
		if now < last {
			t.Fatalf("%v after %v", now, last)
		}
		last = now
	}
	ran := time.Since(began)
	if after := Boottime(); before <= 0 || after-before < ran || last-first > ran {
		t.Errorf("within %v it ran from %v, %v to %v, %v", ran, before, first, last, after)
	}
	if w := Wall(); w != w.Round(0) {
		t.Errorf("%v has a monotonic reading", w)
	}
	if n := testing.AllocsPerRun(100, func() { Boottime() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestBootID(t *testing.T) {
	id, err := BootID()
	if err != nil || !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("%q, %v", id, err)
	}
	if again, _ := BootID(); again != id {
		t.Errorf("%q and then %q", id, again)
	}
}

// TestB9_Alarm rings when it is due, at once if that is past, never if it is
// not set.
func TestB9_Alarm(t *testing.T) {
	a, err := NewAlarm()
	check(t, err)
	defer a.Close()
	check(t, a.Set(1))
	<-a.C
	due := Boottime() + 20*time.Millisecond
	check(t, a.Set(due))
	<-a.C
	if now := Boottime(); now < due {
		t.Errorf("rang %v early", due-now)
	}
	for at, armed := range map[time.Duration]bool{Boottime() + time.Hour: true, 0: false} {
		check(t, a.Set(at))
		var left unix.ItimerSpec
		check(t, unix.TimerfdGettime(a.fd, &left))
		if left.Value != (unix.Timespec{}) != armed {
			t.Errorf("set to %v: %v left", at, left.Value)
		}
	}
}

// TestB9_ClockSteps: the kernel will tell of a step of the wall clock. No test
// sets the machine's clock, so this looks at what the kernel was asked for.
func TestB9_ClockSteps(t *testing.T) {
	_, err := ClockSteps()
	check(t, err)
	files, err := filepath.Glob("/proc/self/fdinfo/*")
	check(t, err)
	for _, name := range files {
		text, _ := os.ReadFile(name) // some are closed by now
		if bytes.Contains(text, []byte("clockid: 0\n")) && bytes.Contains(text, []byte("settime flags: 03\n")) {
			return // on the wall clock: absolute, and cancelled when that is set
		}
	}
	t.Error("no timer waits for a step of the wall clock")
}
