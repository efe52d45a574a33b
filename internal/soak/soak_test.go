package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/netlab"
)

// dhcpd is the program, built for the tests.
var dhcpd string

func TestMain(m *testing.M) { os.Exit(netlab.RunWith(&dhcpd, m)) }

// TestS17_Soak: three rounds in which everything happens leave nothing behind.
func TestS17_Soak(t *testing.T) {
	out := new(strings.Builder)
	s := &soak{t: t, out: out, dhcpd: dhcpd, every: time.Hour}
	for _, f := range s.run(func(n int) bool { return n < 3 }) {
		t.Error(f)
	}
	t.Log("\n" + out.String())
	if s.leases != 3*40 {
		t.Errorf("%d scripted leases", s.leases)
	}
}

// TestS17_SoakJudges: what it calls growth, and what not.
func TestS17_SoakJudges(t *testing.T) {
	steady := sample{rss: 5000, peak: 6000, anon: 2000, fds: 20, threads: 8, children: 1}
	for _, tt := range []struct {
		name  string
		n     int
		grown func(i int, m *sample)
		want  string // part of the only fault, "" for none
	}{
		{"steady", 90, func(int, *sample) {}, ""},
		{"a descriptor for a moment", 3, func(i int, m *sample) { m.fds += i & 1 }, "file descriptors went from 20 to 21"},
		{"fewer descriptors", 90, func(i int, m *sample) { m.fds -= i / 80 }, ""},
		{"a process that stays", 90, func(i int, m *sample) { m.children += i / 89 }, "child processes went from 1 to 2"},
		{"memory at first", 90, func(i int, m *sample) { m.rss += 100 * min(i, 30) }, ""},
		{"memory that breathes", 90, func(i int, m *sample) { m.rss += 100 * (i % 10); m.anon += 90 * (i % 10) }, ""},
		{"memory again and again", 90, func(i int, m *sample) { m.rss += 20 * i }, "memory (kB) went from 5900 to 6500"},
		{"in a small part", 90, func(i int, m *sample) { m.anon += 20 * i }, "anonymous memory (kB)"},
		{"not to be told", 20, func(i int, m *sample) { m.rss += 100 * i }, ""},
		{"but too much", 20, func(i int, m *sample) { m.peak += 1000 * i }, "the most memory (kB)"},
		{"threads", 90, func(i int, m *sample) { m.threads += i / 10 }, "threads went from 12 to 15"},
	} {
		d := &daemon{name: "x"}
		for i := range tt.n {
			m := steady
			tt.grown(i, &m)
			d.samples = append(d.samples, m)
		}
		got := d.judge()
		if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestS17_SoakTakes: what a process takes is read off right.
func TestS17_SoakTakes(t *testing.T) {
	before, err := take(os.Getpid())
	if err != nil || before.rss < 1000 || before.peak < before.rss || before.anon < 100 || before.anon > before.rss || before.threads < 2 {
		t.Fatalf("%+v (%v)", before, err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	p, err := os.StartProcess("/bin/cat", []string{"cat"}, &os.ProcAttr{Files: []*os.File{r}})
	if err != nil {
		t.Fatal(err)
	}
	after, err := take(os.Getpid())
	w.Close()
	p.Wait()
	if err != nil || after.fds < before.fds+2 || after.children != before.children+1 {
		t.Errorf("%+v, then %+v (%v)", before, after, err)
	}
	if _, err := take(1 << 30); err == nil {
		t.Error("a process that is not there takes something")
	}
}
