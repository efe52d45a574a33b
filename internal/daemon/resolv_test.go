package daemon

import (
	"os"
	"path/filepath"
	"testing"

	"dhcpd/internal/conf"
	"dhcpd/internal/link"
)

// TestC12_Merged: networks that name the same file are put together, in their
// order; what has changed is written, and what never was anything is not.
func TestC12_Merged(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "resolv.conf"), filepath.Join(dir, "other.conf")
	d, first, _ := newDaemon(t, `
		host 10.0.0.0/24 { DNSserver 10.0.0.1; domain one.example; };
		host 10.1.0.0/24 { DNSserver 10.1.0.1 10.0.0.1; domain two.example; };
		client 2:0:0:0:0:1 10.0.0.7;
		client 2:0:0:0:0:2 10.1.0.7;
		option resolvconf "`+path+`";
		option "eth2" resolvconf "`+other+`";`)
	d.appear(&link.Interface{ID: link.ID{Index: noIndex + 1, Name: "eth1"}, MAC: [6]byte{2, 0, 0, 0, 0, 2}, Ether: true, Up: true})
	d.appear(&link.Interface{ID: link.ID{Index: noIndex + 2, Name: "eth2"}, MAC: [6]byte{2, 0, 0, 0, 0, 3}, Ether: true, Up: true})
	d.settle()
	wrote := func(want string) {
		t.Helper()
		d.resolve()
		p := d.pass.files[path]
		if p == nil {
			t.Fatal("nothing is written")
		}
		if p.text != want {
			t.Errorf("%q, want %q", p.text, want)
		}
	}
	const head = "# made by dhcpd(8)\n"
	wrote(head + "search one.example two.example\nnameserver 10.0.0.1\nnameserver 10.1.0.1\n")
	first.origin = none
	const last = head + "search two.example\nnameserver 10.1.0.1\nnameserver 10.0.0.1\n"
	wrote(last)
	if d.pass.files[other] != nil {
		t.Error("a file is written for a network that has nothing to say")
	}
	d.closePass()
	if text, err := os.ReadFile(path); string(text) != last {
		t.Errorf("the file is %q, %v", text, err)
	}
	if _, err := os.Stat(other); err == nil {
		t.Error("it is there")
	}
}

// TestC12_ScriptConfigures: where there is a script, nothing is configured by us.
func TestC12_ScriptConfigures(t *testing.T) {
	d, n, h := newDaemon(t, "host 10.0.0.0/24 { gateway 10.0.0.1; IPMTU 1400; }; client 2:0:0:0:0:1 10.0.0.7; option script \"/nonexistent\";")
	d.settle()
	if len(h.done) > 0 || n.addr.String() != "10.0.0.7/24" {
		t.Errorf("did %q; address %s", h.done, n.addr)
	}
	d.unconfigure(n, n.static)
	if len(h.done) > 0 {
		t.Errorf("did %q", h.done)
	}
}

// TestB3_Ignore: a network that is to be ignored runs no client, and one that
// does stops.
func TestB3_Ignore(t *testing.T) {
	d, n, _ := newDaemon(t, "option ignore;")
	d.settle()
	if n.client.Running || !d.nothingToDo() {
		t.Errorf("origin %d, %s", n.origin, n.client.Phase)
	}
	d, n, h := bound(t)
	d.cfg, _ = conf.Parse("test", "option ignore;", conf.Env{})
	d.settle()
	d.settle()
	if n.client.Running || n.addr.IsValid() || len(h.done) == 0 {
		t.Errorf("origin %d, %s, did %q", n.origin, n.client.Phase, h.done)
	}
}
