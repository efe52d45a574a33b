package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sample is what a process takes.
type sample struct {
	rss, peak, anon int // kB
	fds             int
	threads         int
	children        int
}

// take reads it off.
func take(pid int) (m sample, err error) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	text, err := os.ReadFile(dir + "status")
	if err != nil {
		return m, err
	}
	for name, to := range map[string]*int{"VmRSS:": &m.rss, "VmHWM:": &m.peak, "RssAnon:": &m.anon, "Threads:": &m.threads} {
		_, rest, ok := strings.Cut(string(text), "\n"+name)
		number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		number, _, _ = strings.Cut(number, "\n")
		if *to, err = strconv.Atoi(number); !ok || err != nil {
			return m, fmt.Errorf("%sstatus: no %s", dir, name)
		}
	}
	fds, err := os.ReadDir(dir + "fd")
	if err != nil {
		return m, err
	}
	m.fds = len(fds)
	tasks, _ := filepath.Glob(dir + "task/*/children")
	for _, name := range tasks {
		list, _ := os.ReadFile(name) // a thread may just have ended
		m.children += len(strings.Fields(string(list)))
	}
	return m, nil
}

// What was opened for a moment, to ask the wire say, may take so long to be
// closed again. The first time nobody knows what there is to wait for.
const (
	calm      = 20 * time.Second
	firstCalm = 3 * time.Second
)

// rest waits until the daemons have no more open than at the first rest, and
// notes what they take then.
func (s *soak) rest() {
	for _, d := range s.daemons {
		if len(d.samples) == 0 {
			d.samples = append(d.samples, s.least(d, firstCalm, 0, 0))
		} else {
			d.samples = append(d.samples, s.least(d, calm, d.samples[0].fds, d.samples[0].children))
		}
	}
}

// least returns what a daemon takes when it has the least open, in that time or
// until it has no more than so many descriptors and children.
func (s *soak) least(d *daemon, within time.Duration, fds, children int) (least sample) {
	for end := time.Now().Add(within); ; time.Sleep(20 * time.Millisecond) {
		m, err := take(d.proc.PID())
		if err != nil {
			s.t.Fatalf("soak: the %s: %v\n%s", d.name, err, d.proc.Output())
		}
		if least.fds == 0 || m.fds+m.children <= least.fds+least.children {
			least = m
		}
		if m.fds <= fds && m.children <= children || time.Now().After(end) {
			return least
		}
	}
}

func (s *soak) header() {
	fmt.Fprintf(s.out, "%9s", "")
	for _, d := range s.daemons {
		fmt.Fprintf(s.out, " | %-32s", d.name+" (kB)")
	}
	fmt.Fprintf(s.out, "\n%4s %4s", "min", "rnd")
	for range s.daemons {
		fmt.Fprintf(s.out, " | %6s %6s %6s %3s %3s %3s", "rss", "peak", "anon", "fds", "thr", "chd")
	}
	fmt.Fprintln(s.out)
}

// print prints a line of the table.
func (s *soak) print() {
	s.row = time.Now()
	fmt.Fprintf(s.out, "%4.0f %4d", time.Since(s.began).Minutes(), s.n)
	for _, d := range s.daemons {
		m := d.samples[len(d.samples)-1]
		fmt.Fprintf(s.out, " | %6d %6d %6d %3d %3d %3d", m.rss, m.peak, m.anon, m.fds, m.threads, m.children)
	}
	fmt.Fprintln(s.out)
}

// What is no growth. What is free goes back to the kernel when there is time, and
// a part of the stacks and of the runtime's own books never.
const (
	mostPeak    = 24 << 10 // kB, at any time
	mostMemory  = 256      // kB, by which the last third may be over the middle one
	mostThreads = 1        // likewise
	fewSamples  = 30       // of fewer no trend can be told
)

// judge says what grows: file descriptors and processes must be the same at every
// rest; of what breathes, the median of the last third is compared with that of
// the middle one, when all that is made once has been made.
func (d *daemon) judge() (faults []string) {
	fault := func(what string, from, to int) {
		faults = append(faults, fmt.Sprintf("%s: %s went from %d to %d", d.name, what, from, to))
	}
	first, last := d.samples[0], d.samples[len(d.samples)-1]
	for _, m := range d.samples {
		if m.fds > first.fds {
			fault("file descriptors", first.fds, m.fds)
			break
		}
		if m.children > first.children {
			fault("child processes", first.children, m.children)
			break
		}
	}
	if last.peak > mostPeak {
		fault("the most memory (kB)", first.peak, last.peak)
	}
	n := len(d.samples) / 3
	if len(d.samples) < fewSamples {
		return faults
	}
	for _, x := range []struct {
		what string
		of   func(sample) int
		most int
	}{
		{"memory (kB)", func(m sample) int { return m.rss }, mostMemory},
		{"anonymous memory (kB)", func(m sample) int { return m.anon }, mostMemory},
		{"threads", func(m sample) int { return m.threads }, mostThreads},
	} {
		middle, end := median(d.samples[n:2*n], x.of), median(d.samples[2*n:], x.of)
		if end > middle+x.most {
			fault(x.what, middle, end)
		}
	}
	return faults
}

func median(list []sample, of func(sample) int) int {
	var v []int
	for _, m := range list {
		v = append(v, of(m))
	}
	slices.Sort(v)
	return v[len(v)/2]
}
