// Soak has a server, a relay and a client of ours at work for a long time, with
// clients of every kind coming and going, and fails if one of the three takes
// more and more of anything: memory, file descriptors, threads, processes,
// goroutines.
//
//	soak [-for TIME | -rounds NUMBER] DHCPD
//
// Each minute it prints what they take. It needs root, and the peers.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"dhcpd/internal/netlab"
)

func main() {
	length := flag.Duration("for", 30*time.Minute, "how long")
	rounds := flag.Int("rounds", 0, "how many rounds, whatever the time")
	flag.Parse()
	dhcpd, err := filepath.Abs(flag.Arg(0))
	if flag.NArg() != 1 || err != nil {
		fmt.Fprintln(os.Stderr, "usage: soak [-for TIME | -rounds NUMBER] DHCPD")
		os.Exit(1)
	}
	stage := &netlab.Stage{Program: "soak"}
	s := &soak{t: stage, out: os.Stdout, dhcpd: dhcpd, every: time.Minute}
	end := time.Now().Add(*length)
	faults := s.run(func(n int) bool { return *rounds > 0 && n < *rounds || *rounds == 0 && time.Now().Before(end) })
	stage.End()
	for _, f := range faults {
		fmt.Println("FAIL:", f)
	}
	if len(faults) > 0 {
		os.Exit(1)
	}
	fmt.Println("ok: nothing grows")
}

// soak is one run.
type soak struct {
	t     netlab.TB
	out   io.Writer
	dhcpd string        // the program
	every time.Duration // between the lines of the table

	lab                     *netlab.Lab
	server, relay, resident *daemon
	daemons                 []*daemon // these three
	serverPort, ourPort     *netlab.Port
	guests                  []*guest
	mobs                    []*mob
	asker                   *netlab.Host

	n      int       // the round
	began  time.Time // the first round
	row    time.Time // when the last line of the table was printed
	pool   os.FileInfo
	fresh  int // compactions: how often the pool file was a new one
	leases int // that the mobs have had
}

// run goes on for as long as more says so, and returns what is wrong. The first
// round is for comparison: what a daemon takes that has done everything once.
func (s *soak) run(more func(round int) bool) (faults []string) {
	s.build()
	s.start()
	s.round()
	s.rest()
	for _, d := range s.daemons {
		d.samples, d.goroutines = nil, d.quit()
	}
	s.start()
	s.header()
	s.began = time.Now()
	s.row = s.began
	for s.n = 1; s.n == 1 || more(s.n); s.n++ {
		s.round()
		s.rest()
		s.look()
		if time.Since(s.row) >= s.every {
			s.print()
		}
	}
	s.print()
	for _, d := range s.daemons {
		faults = append(faults, d.judge()...)
		n := d.quit()
		fmt.Fprintf(s.out, "%s: %d goroutines, %d after the first round\n", d.name, n, d.goroutines)
		if n == 0 || n > d.goroutines+mayDiffer {
			faults = append(faults, d.name+": more goroutines than after the first round, or none")
		}
	}
	fmt.Fprintf(s.out, "%d rounds, %d scripted leases, %d compactions in %v\n",
		s.n, s.leases, s.fresh, time.Since(s.began).Round(time.Second))
	return faults
}

// mayDiffer is by how many goroutines two moments of rest may differ: one may
// be about to write the counts, or to end.
const mayDiffer = 2

// look counts the compactions of the pool file.
func (s *soak) look() {
	now, err := os.Stat(s.server.host.Dir + "/dhcp.pool")
	if err != nil {
		s.t.Fatalf("soak: %v", err)
	}
	if s.pool != nil && !os.SameFile(s.pool, now) {
		s.fresh++
	}
	s.pool = now
}
