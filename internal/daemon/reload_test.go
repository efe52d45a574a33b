package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dhcpd/internal/safe"
)

// configured returns a daemon whose config is in a file, and how to change it.
func configured(t *testing.T, text string) (*Daemon, *network, *fakeHost, *strings.Builder, func(string)) {
	d, n, h := newDaemon(t, "")
	var log strings.Builder
	d.say.err = &log
	d.opt.Conf = filepath.Join(t.TempDir(), "dhcp.conf")
	d.watch = safe.NewWatch(make(chan struct{}, 1), d.opt.Conf)
	t.Cleanup(func() { d.watch.Close() })
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(d.opt.Conf, []byte(text), 0600); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	d.reload()
	d.settle()
	return d, n, h, &log, write
}

const house = "host 10.0.0.0/24 { gateway 10.0.0.1; };\n"

func TestB8_BrokenFileLeavesTheOldInForce(t *testing.T) {
	d, n, h, log, write := configured(t, house+"client 2:0:0:0:0:1 10.0.0.7;")
	h.done = nil
	write(house + "clinet 2:0:0:0:0:1 10.0.0.8;")
	d.reload()
	d.settle()
	if n.addr.String() != "10.0.0.7/24" || len(h.done) > 0 {
		t.Errorf("address %s, did %q", n.addr, h.done)
	}
	if got := log.String(); !strings.Contains(got, `line 2: `) || !strings.Contains(got, "stays as it was") {
		t.Errorf("said %q", got)
	}
}

func TestB8_StaticAddressMoves(t *testing.T) {
	d, n, h, _, write := configured(t, house+"client 2:0:0:0:0:1 10.0.0.7;")
	for _, tt := range []struct {
		conf string
		want []string
		at   origin
	}{
		{"client 2:0:0:0:0:1 10.0.0.8;", []string{"del 10.0.0.7/24", "add 10.0.0.8/24 forever"}, static},
		{"client 2:0:0:0:0:1 10.0.0.8 { IPMTU 1400; };", []string{"add 10.0.0.8/24 forever", "mtu 1400"}, static},
		{"", []string{"delroute 10.0.0.1", "mtu 1500", "del 10.0.0.8/24"}, dynamic},
		{"client 2:0:0:0:0:1 10.0.0.9;", []string{"add 10.0.0.9/24 forever"}, static},
	} {
		h.done = nil
		write(house + tt.conf)
		d.reload()
		d.settle()
		got := slices.DeleteFunc(h.done, func(s string) bool { return strings.HasPrefix(s, "route") })
		if !slices.Equal(got, tt.want) || n.origin != tt.at {
			t.Errorf("%q: did %q, want %q; origin %d", tt.conf, got, tt.want, n.origin)
		}
	}
	if e := d.entry(n); e.Addr.String() != "10.0.0.9/24" {
		t.Errorf("the cache has %s", e.Addr)
	}
}
