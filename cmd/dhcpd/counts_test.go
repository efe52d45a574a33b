package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dhcpd/internal/safe"
	"dhcpd/pool"
)

// TestL2_Counts: what a daemon has counted is shown, and whether it lives.
func TestL2_Counts(t *testing.T) {
	old := runPath
	defer func() { runPath = old }()
	runPath = t.TempDir()
	s := newSite(t, "")
	s.expect("-a 10.0.0.1", "", "", 0)
	const addresses = "10.0.0.1         unused\n"
	s.expect("-q", addresses, "", 0)

	path := runPath + s.cache + ".counts"
	f, err := safe.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	s.write(path, "@0 start\n@3599 last turn of the loop\n@3600 now\n17 turns of the loop\n18446744073709551615 long way\nnonsense\n")
	const counts = `-3600       start
-1          last turn of the loop
-1          now
17          turns of the loop
18446744073709551615 long way
`
	s.expect("-q", addresses+"\ndhcpd has ended; it had counted:\n"+counts, "", 0)
	if err := safe.Lock(f, 0); err != nil {
		t.Fatal(err)
	}
	s.expect("-q", addresses+"\ndhcpd runs and has counted:\n"+counts, "", 0)
	f.Close()
	s.lease(s.record("10.0.0.1", pool.Abandoned, 0)).Close()
	if out, _, _ := s.dhcpd("-q"); !strings.HasSuffix(out, "long way\n1           addresses out of use now\n") {
		t.Errorf("an abandoned address is not counted:\n%s", out)
	}
	s.expect("-a 10.0.0.1", "", "", 0)

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(s.conf, path); err != nil {
		t.Fatal(err)
	}
	s.expect("-q", addresses, "dhcpd: open "+path+": is a symbolic link\n", 1)
	runPath = ""
	s.expect("-q", addresses, "", 0)
}

// TestL10_CountsPath: each cache file has counts of its own, by whatever name
// it is called.
func TestL10_CountsPath(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	for cache, want := range map[string]string{
		"/var/lib/dhcpd/dhcp.cache":     "/run/dhcpd/var/lib/dhcpd/dhcp.cache.counts",
		"/var//lib/../lib/x":            "/run/dhcpd/var/lib/x.counts",
		"x":                             "/run/dhcpd" + folder + "/x.counts",
		"../x":                          "/run/dhcpd" + filepath.Dir(folder) + "/x.counts",
		strings.Repeat("../", 99) + "x": "/run/dhcpd/x.counts",
	} {
		f := flags{cache: cache}
		if got := f.counts(); got != want {
			t.Errorf("%s: %s, want %s", cache, got, want)
		}
	}
}
