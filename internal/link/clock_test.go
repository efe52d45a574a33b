package link

import (
	"regexp"
	"testing"
	"time"
)

// TestB9_Clocks: the boot clock runs as time does and never steps; the wall
// clock's reading shows steps.
func TestB9_Clocks(t *testing.T) {
	last, began := Boottime(), time.Now()
	if last <= 0 {
		t.Fatalf("boot time %v", last)
	}
	first := last
	for time.Since(began) < 5*time.Millisecond {
		now := Boottime()
		if now < last {
			t.Fatalf("%v after %v", now, last)
		}
		last = now
	}
	if ran := last - first; ran < 4*time.Millisecond || ran > time.Minute {
		t.Errorf("5 ms took %v", ran)
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
