package netlab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// RunWith is what a TestMain does that needs the program: it builds dhcpd with
// these flags of go build, sets *dhcpd to its path, runs the tests, and returns
// their exit status.
func RunWith(dhcpd *string, m *testing.M, flags ...string) int {
	dir, err := os.MkdirTemp("", "dhcpd-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	*dhcpd = filepath.Join(dir, "dhcpd")
	args := append([]string{"build", "-buildvcs=false", "-o", *dhcpd}, flags...)
	build := exec.Command("go", append(args, "dhcpd/cmd/dhcpd")...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if slices.Contains(flags, "-race") {
		build.Env = append(os.Environ(), "CGO_ENABLED=1")
	}
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}
