package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/conf"
	"dhcpd/pool"
)

// TestN3_EveryExampleIsRun: an example that somebody writes into a page must be
// run by a test. Those of dhcp.conf(5), dhcp.cache(5) and dhcp.pool(5) are
// counted where they are run; for those of dhcpd(8), which take a network, the
// test that plays them must know how they begin. What is shown elsewhere in the
// pages than under EXAMPLES is known here.
func TestN3_EveryExampleIsRun(t *testing.T) {
	player, err := os.ReadFile("../../internal/peertest/manpage_test.go")
	if err != nil {
		t.Fatal(err)
	}
	begins := regexp.MustCompile(`(?m)^\t\{"(dhcpd .*)", \(\*manpage\)`).FindAllStringSubmatch(string(player), -1)
	for _, text := range examples(t, "dhcpd.8") {
		played := false
		for _, b := range begins {
			played = played || strings.HasPrefix(text, strings.ReplaceAll(b[1], `\\`, `\`))
		}
		if !played {
			t.Errorf("internal/peertest/manpage_test.go does not play\n%s", text)
		}
	}
	elsewhere := map[string]int{"dhcp.conf.5": 1} // what an error looks like: TestP1_ErrorOfTheManPage
	for _, name := range []string{"dhcpd.8", "dhcp.conf.5", "dhcp.cache.5", "dhcp.pool.5"} {
		shown := strings.Count(page(t, name), "\n.Bd ")
		if n := len(examples(t, name)); shown != n+elsewhere[name] {
			t.Errorf("%s shows %d things, of which %d are examples", name, shown, n)
		}
	}
}

// TestP1_ErrorOfTheManPage: the error that dhcp.conf(5) shows is one.
func TestP1_ErrorOfTheManPage(t *testing.T) {
	_, err := conf.Parse("/etc/dhcp.conf", strings.Repeat("\n", 11)+"DSNserver 192.0.2.1;", conf.Env{})
	if err == nil || !strings.Contains(page(t, "dhcp.conf.5"), "\n.Bd -literal -offset indent\n"+err.Error()+"\n.Ed\n") {
		t.Errorf("dhcp.conf(5) does not show %v", err)
	}
}

// TestN3_ExamplesAreClean: dhcpd -n has nothing to say of dist/examples, with
// the pools that they speak of.
func TestN3_ExamplesAreClean(t *testing.T) {
	files, err := filepath.Glob("../../dist/examples/*.conf")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	fill := regexp.MustCompile(`dhcpd -a (\S+)`)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		pool := ""
		for _, m := range fill.FindAllStringSubmatch(string(text), -1) {
			pool += m[1] + " "
		}
		example(t, string(text), pool, conf.Env{})
	}
}

// TestP2_P3_FilesAsShown: dhcpd -q makes of the files that dhcp.pool(5) and
// dhcp.cache(5) show what they say next, ten minutes after the files' clock.
func TestP2_P3_FilesAsShown(t *testing.T) {
	for _, name := range []string{"dhcp.pool.5", "dhcp.cache.5"} {
		s := newSite(t, "")
		list := examples(t, name)
		path := map[string]string{"#dhcp.pool 1": s.pool, "#dhcp.cache 1": s.cache}[strings.SplitN(list[0], "\n", 2)[0]]
		if path == "" {
			t.Fatalf("%s: no file begins as\n%s", name, list[0])
		}
		s.write(path, list[0]+"\n")
		clock := regexp.MustCompile(`clock (\S+) (\d+) (\d+)`).FindStringSubmatch(list[0])
		wall, _ := strconv.ParseInt(clock[2], 10, 64)
		up, _ := strconv.ParseInt(clock[3], 10, 64)
		s.now = pool.Reading{Boot: clock[1], Wall: time.Unix(wall+600, 0), Up: time.Duration(up+600) * time.Second}
		s.expect("-q", list[1]+"\n", "", 0)
	}
}
