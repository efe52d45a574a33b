package peertest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// dist runs a program from the top of the tree, and returns what it says.
func dist(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = "../.."
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// TestN3_DebianPackage: what make deb makes is whole, without a complaint of
// lintian's; it can be installed, upgraded and removed, and the program in it runs.
// Leases outlive all but a purge.
func TestN3_DebianPackage(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	deb := strings.TrimSpace(dist(t, "dist/debian/build", runtime.GOARCH, out))
	if said := dist(t, "lintian", "--allow-root", "--fail-on", "error,warning", deb); said != "" {
		t.Errorf("lintian: %s", said)
	}
	root := t.TempDir()
	for _, folder := range []string{"info", "updates"} {
		if err := os.MkdirAll(filepath.Join(root, "var/lib/dpkg", folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	dpkg := func(args ...string) {
		t.Helper()
		dist(t, "dpkg", append([]string{"--root=" + root, "--force-script-chrootless"}, args...)...)
	}
	dpkg("--install", deb)
	program := filepath.Join(root, "usr/sbin/dhcpd")
	if said := dist(t, program, "-V"); !strings.HasPrefix(said, "dhcpd ") {
		t.Errorf("dhcpd -V says %q", said)
	}
	for _, f := range []string{"share/man/man8/dhcpd.8.gz", "share/man/man5/dhcp.conf.5.gz", "lib/systemd/system/dhcpd.service",
		"share/doc/dhcpd/examples/home-router.conf"} {
		if list, _ := filepath.Glob(filepath.Join(root, "usr", f)); len(list) == 0 {
			t.Errorf("%s is not in it", f)
		}
	}
	kept := []string{filepath.Join(root, "etc/dhcp.conf"), filepath.Join(root, "var/lib/dhcpd/dhcp.pool")}
	for _, f := range kept {
		if err := errors.Join(os.MkdirAll(filepath.Dir(f), 0o755), os.WriteFile(f, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	dpkg("--install", newer(t, deb))
	dpkg("--remove", "dhcpd")
	for _, f := range kept {
		if _, err := os.Stat(f); err != nil {
			t.Errorf("after an upgrade and a removal: %v", err)
		}
	}
	dpkg("--purge", "dhcpd")
	for _, gone := range []string{"usr", "var/lib/dhcpd"} {
		if _, err := os.Stat(filepath.Join(root, gone)); err == nil {
			t.Errorf("it leaves /%s behind when it is purged", gone)
		}
	}
	if _, err := os.Stat(kept[0]); err != nil {
		t.Errorf("after a purge: %v", err)
	}
}

// newer makes a package into the next one.
func newer(t *testing.T, deb string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "next")
	dist(t, "dpkg-deb", "--raw-extract", deb, dir)
	dist(t, "sed", "-i", "s/^Version: .*/&.1/", filepath.Join(dir, "DEBIAN", "control"))
	dist(t, "dpkg-deb", "--build", dir, dir+".deb")
	return dir + ".deb"
}

// TestN3_SystemdUnit: systemd understands all of it, and finds it well locked.
func TestN3_SystemdUnit(t *testing.T) {
	t.Parallel()
	const unit = "dist/systemd/dhcpd.service"
	said := dist(t, "systemd-analyze", "security", "--offline=true", "--no-pager", unit)
	level := regexp.MustCompile(`Overall exposure level for dhcpd\.service: ([0-9.]+)`).FindStringSubmatch(said)
	if level == nil {
		t.Fatal(said)
	}
	if n, err := strconv.ParseFloat(level[1], 64); err != nil || n > 3 {
		t.Errorf("exposure level %s", level[1])
	}
	if strings.Contains(said, "ignoring") {
		t.Error(said)
	}
}

// TestN3_InitFiles: the shell can read them. There is no procd here to run one.
func TestN3_InitFiles(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"openwrt/files/dhcpd.init", "debian/postinst", "debian/prerm", "debian/postrm"} {
		dist(t, "sh", "-n", "dist/"+script)
		dist(t, "busybox", "sh", "-n", "dist/"+script)
	}
	dist(t, "bash", "-n", "dist/completion/dhcpd")
}

// TestN3_Completion: what bash offers.
func TestN3_Completion(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"dhcpd -":    "-q -a -r -w -e -l -n -j -o -t -d -f -c -p -i -V",
		"dhcpd -i l": "lo",
		"dhcpd -f R": "README.md",
	} {
		said := dist(t, "bash", "-c", `. dist/completion/dhcpd; COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _dhcpd; echo "${COMPREPLY[*]}"`, "bash", line)
		if strings.TrimSpace(said) != want {
			t.Errorf("%s: %q, want %q", line, said, want)
		}
	}
}
