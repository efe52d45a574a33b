// Features reads what `go test -json` says, shows what failed and the figures
// that tests give as attributes, and counts.
// With -table it also lists the features of dhcpd, by the ids that tests
// carry in their names, with the tests of each that ran and passed.
//
//	go test -json ./... | features [-table] [-strict]
//	features -page >FEATURES.md
//
// It exits 1 if a test failed or did not build, or, with -strict, was skipped.
package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

//go:embed ids.txt
var idsText string

// A feature is a line of ids.txt.
type feature struct{ id, title string }

func features() (list []feature) {
	for line := range strings.Lines(idsText) {
		id, title, _ := strings.Cut(strings.TrimSpace(line), " ")
		list = append(list, feature{id, strings.TrimSpace(title)})
	}
	return list
}

// event is a line of go test -json (see go doc test2json).
type event struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string
	Output      string
	Elapsed     float64
	FailedBuild string
	Key, Value  string // of an attribute, Action attr
}

// A tally is what became of all tests.
type tally struct {
	out     io.Writer
	passed  []string // tests by name, with their subtests
	failed  []string // the same, and packages that did not build or crashed
	skipped []string
	seen    map[string]bool   // who is among passed
	said    map[string]string // what a test has printed so far
}

func newTally(out io.Writer) *tally {
	return &tally{out: out, seen: map[string]bool{}, said: map[string]string{}}
}

func (t *tally) read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintf(t.out, "%s\n", lines.Bytes()) // not of go test: show it
			continue
		}
		t.take(e)
	}
	return lines.Err()
}

func (t *tally) take(e event) {
	key := e.Package + e.ImportPath + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		t.said[key] += e.Output
	case "attr":
		fmt.Fprintf(t.out, "      %s: %s %s\n", e.Test, e.Key, e.Value)
	case "pass":
		if e.Test != "" {
			if !t.seen[key] { // else one of go test -count
				t.passed = append(t.passed, e.Test)
			}
			t.seen[key] = true
		} else {
			fmt.Fprintf(t.out, "ok    %-28s %6.1f s\n", e.Package, e.Elapsed)
		}
		delete(t.said, key)
	case "skip":
		if e.Test != "" {
			t.skipped = append(t.skipped, e.Test)
			fmt.Fprintf(t.out, "SKIP  %s\n%s", e.Test, t.said[key])
		}
		delete(t.said, key)
	case "fail", "build-fail":
		t.fail(e, key)
	case "exit":
		if t.failed == nil { // else the reason is known
			t.failed = append(t.failed, "go test itself")
		}
	}
}

// fail shows all that the failed one has said. A package fails with any of
// its tests; it only counts by itself if none did.
func (t *tally) fail(e event, key string) {
	name := e.Test
	if name == "" {
		name = e.Package + e.ImportPath
	}
	fmt.Fprintf(t.out, "FAIL  %s\n%s", name, t.said[key])
	delete(t.said, key)
	if e.Test != "" || e.FailedBuild != "" || !slices.ContainsFunc(t.failed, ofPackage(e.Package)) {
		if e.Action != "build-fail" {
			t.failed = append(t.failed, e.Package+" "+e.Test)
		}
	}
}

func ofPackage(p string) func(string) bool {
	return func(failed string) bool { return strings.HasPrefix(failed, p+" ") }
}

var idsOfName = regexp.MustCompile(`^(?:Test|Fuzz)((?:[A-Z][0-9]+_)*[A-Z][0-9]+)(?:_|$)`)

// idsOf returns the ids that a test bears: TestS7_C4_Decline has two.
func idsOf(test string) []string {
	m := idsOfName.FindStringSubmatch(test)
	if m == nil {
		return nil
	}
	return strings.Split(m[1], "_")
}

// table prints each feature with its tests that passed, and then those
// without any.
func (t *tally) table() {
	proof := map[string][]string{}
	for _, test := range t.passed {
		if strings.Contains(test, "/") {
			continue // a subtest: its parent stands for it
		}
		for _, id := range idsOf(test) {
			proof[id] = append(proof[id], test)
		}
	}
	var without []feature
	for _, f := range features() {
		tests := proof[f.id]
		if tests == nil {
			without = append(without, f)
			continue
		}
		slices.Sort(tests)
		fmt.Fprintf(t.out, "%-4s %s\n", f.id, f.title)
		for _, test := range slices.Compact(tests) {
			fmt.Fprintf(t.out, "       %s\n", test)
		}
	}
	fmt.Fprintf(t.out, "\n%d features have tests that passed, %d have none:\n", len(features())-len(without), len(without))
	for _, f := range without {
		fmt.Fprintf(t.out, "%-4s %s\n", f.id, f.title)
	}
	fmt.Fprintln(t.out)
}

func main() {
	table := flag.Bool("table", false, "list the features with their tests")
	strict := flag.Bool("strict", false, "a skipped test is a failure")
	asPage := flag.Bool("page", false, "write FEATURES.md, from the names of the tests below this folder")
	flag.Parse()
	if *asPage {
		text, err := page(".")
		if err != nil {
			fmt.Fprintln(os.Stderr, "features:", err)
			os.Exit(1)
		}
		fmt.Print(text)
		return
	}
	t := newTally(os.Stdout)
	if err := t.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "features:", err)
		os.Exit(1)
	}
	if *table {
		t.table()
	}
	if n := len(t.skipped); n > 0 {
		fmt.Printf("%d skipped: %s\n", n, strings.Join(t.skipped, " "))
	}
	for _, name := range t.failed {
		fmt.Println("failed:", name)
	}
	fmt.Printf("%d passed, %d failed\n", len(t.passed), len(t.failed))
	if len(t.failed) > 0 || len(t.passed) == 0 || *strict && len(t.skipped) > 0 {
		os.Exit(1)
	}
}
