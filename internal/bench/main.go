// Bench measures dhcpd where no peer is needed, each part in turns with the
// least that anyone could do in its place, and prints both and their ratio.
// What else the machine does at that time hits both alike.
//
//	bench [-only PART] [-d FOLDER] DHCPD
//
// Each line has ours, the baseline, ours divided by that, and how often ours
// allocates memory each time, where that can be told. It never fails for
// slowness. It needs root: the loops run in namespaces, as the demo's hosts do.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"dhcpd/internal/netlab"
)

// scale says how much is measured. The test of this package has a smaller one.
type scale struct {
	turn      time.Duration // of a part without system calls, at least
	rounds    int           // turns of each, of which the median counts
	lines     int           // of a large config
	leases    int           // of a large pool
	few       int           // and of a small one
	commits   int           // blocks in a turn of the journal
	exchanges int           // in a turn of a loop
	paced     int           // in a turn at 200 a second
	networks  int           // of a large relay
	rest      time.Duration // before a client renews again
}

var full = scale{
	turn: 10 * time.Millisecond, rounds: 7, lines: 100_000, leases: 1_000_000, few: 10_000,
	commits: 100, exchanges: 10_000, paced: 100, networks: 1000, rest: time.Second,
}

// bench is one run.
type bench struct {
	scale
	*table
	dhcpd string       // the program
	dir   string       // a folder on the disk in question
	only  string       // a part of the names of the parts wanted
	lab   *netlab.Lab  // nil until a part needs it
	t     netlab.TB    // who owns the lab
	ring  []*contender // in the lab
}

// parts are all that there is to measure, in order.
var parts = []struct {
	name string
	do   func(*bench)
}{
	{"codec", (*bench).codec},
	{"config", (*bench).config},
	{"decide", (*bench).decide},
	{"journal", (*bench).journal},
	{"load", (*bench).load},
	{"loop: lo", (*bench).overLoopback},
	{"loop: veth", (*bench).overVeth},
	{"loop: leasequeries", (*bench).leaseQueries},
	{"loop: flood", (*bench).flooded},
	{"loop: leases", (*bench).manyLeases},
	{"bulk", (*bench).bulk},
	{"latency", (*bench).latency},
	{"relay", (*bench).relays},
}

func main() {
	runServant()
	only := flag.String("only", "", "only the parts with this in their name")
	dir := flag.String("d", "/var/tmp", "a folder on the disk to measure")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: bench [-only PART] [-d FOLDER] DHCPD")
		os.Exit(1)
	}
	os.Setenv("TMPDIR", *dir)
	dhcpd, err := filepath.Abs(flag.Arg(0))
	stage := &netlab.Stage{Program: "bench"}
	if err != nil {
		stage.Fatalf("bench: %v", err)
	}
	b := &bench{scale: full, table: &table{out: os.Stdout}, dhcpd: dhcpd, dir: *dir, only: *only, t: stage}
	b.run()
	stage.End()
}

// runServant ends the process as one of those that dhcpd is measured against,
// if that is what it was started for.
func runServant() {
	if len(os.Args) < 2 {
		return
	}
	switch os.Args[1] {
	case "echo":
		echo(os.Args[2:])
	case "pass":
		pass(os.Args[2:])
	}
}

// run measures the parts that are wanted.
func (b *bench) run() {
	for _, p := range parts {
		if strings.Contains(p.name, b.only) {
			p.do(b)
			debug.FreeOSMemory()
		}
	}
}

// check ends the run if something does not work.
func (b *bench) check(err error) {
	if err != nil {
		b.t.Fatalf("bench: %v", err)
	}
}
