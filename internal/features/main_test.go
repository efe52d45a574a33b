package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestIdsOf(t *testing.T) {
	for name, want := range map[string]string{
		"TestS7_DeclineAbandons":  "S7",
		"TestS7_C4_Decline/known": "S7 C4",
		"TestL10_Paths":           "L10",
		"FuzzP1_Parse":            "P1",
		"TestP5":                  "P5",
		"TestParse":               "",
		"TestLab_Peers":           "",
		"TestRFC2131_Table5":      "",
	} {
		if got := strings.Join(idsOf(name), " "); got != want {
			t.Errorf("idsOf(%s) = %q, want %q", name, got, want)
		}
	}
}

// TestIdsKnown shows that every id in a test's name is one of the list, and
// that the list is sound.
func TestIdsKnown(t *testing.T) {
	known := map[string]bool{}
	for _, f := range features() {
		if known[f.id] || f.title == "" {
			t.Errorf("ids.txt: %q twice, or without a title", f.id)
		}
		known[f.id] = true
	}
	if len(known) < 80 {
		t.Errorf("only %d ids", len(known))
	}
	tests := 0
	err := eachTest("../..", func(dir, test string) {
		tests++
		for _, id := range idsOf(test) {
			if !known[id] {
				t.Errorf("%s: %s bears an unknown id %s", dir, test, id)
			}
		}
	})
	if err != nil || tests == 0 {
		t.Errorf("%d tests, %v", tests, err)
	}
}

func TestPage(t *testing.T) {
	want, err := page("../..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../FEATURES.md")
	if err != nil || string(got) != want {
		t.Errorf("FEATURES.md is not up to date (%v): go run ./internal/features -page >FEATURES.md", err)
	}
}

const sample = `{"Action":"start","Package":"dhcpd/a"}
{"Action":"output","Package":"dhcpd/a","Test":"TestS1_Good","Output":"noise\n"}
{"Action":"pass","Package":"dhcpd/a","Test":"TestS1_Good/sub"}
{"Action":"attr","Package":"dhcpd/a","Test":"TestS1_Good","Key":"size","Value":"7 kB"}
{"Action":"pass","Package":"dhcpd/a","Test":"TestS1_Good"}
{"Action":"pass","Package":"dhcpd/a","Test":"TestS1_Good"}
{"Action":"output","Package":"dhcpd/a","Test":"TestS2_Bad","Output":"wrong\n"}
{"Action":"fail","Package":"dhcpd/a","Test":"TestS2_Bad"}
{"Action":"skip","Package":"dhcpd/a","Test":"TestS3_Lazy"}
{"Action":"output","Package":"dhcpd/a","Output":"FAIL\n"}
{"Action":"fail","Package":"dhcpd/a","Elapsed":1}
{"ImportPath":"dhcpd/b [dhcpd/b.test]","Action":"build-output","Output":"b.go:1: oops\n"}
{"ImportPath":"dhcpd/b [dhcpd/b.test]","Action":"build-fail"}
{"Action":"fail","Package":"dhcpd/b","FailedBuild":"dhcpd/b [dhcpd/b.test]"}
{"Action":"output","Package":"dhcpd/c","Output":"panic in TestMain\n"}
{"Action":"fail","Package":"dhcpd/c"}
{"Action":"pass","Package":"dhcpd/d","Elapsed":2}
not json
`

func TestTally(t *testing.T) {
	var out strings.Builder
	tl := newTally(&out)
	if err := tl.read(strings.NewReader(sample)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"TestS1_Good/sub", "TestS1_Good"}; !slices.Equal(tl.passed, want) {
		t.Errorf("passed %q, want %q", tl.passed, want)
	}
	if want := []string{"dhcpd/a TestS2_Bad", "dhcpd/b ", "dhcpd/c "}; !slices.Equal(tl.failed, want) {
		t.Errorf("failed %q, want %q", tl.failed, want)
	}
	if want := []string{"TestS3_Lazy"}; !slices.Equal(tl.skipped, want) {
		t.Errorf("skipped %q, want %q", tl.skipped, want)
	}
	tl.table()
	for _, want := range []string{"wrong\n", "oops\n", "panic in TestMain\n", "not json\n", "ok    dhcpd/d", "TestS1_Good: size 7 kB\n",
		"S1   whom the server answers\n       TestS1_Good\n", "\n1 features have tests"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in the output:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "noise") {
		t.Error("shows what a good test said")
	}
}
