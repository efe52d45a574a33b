package conf

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dhcpd/internal/netip"
)

// TestR4_AgentWithoutRelay: what is to be added to requests of a network whose
// requests are not relayed is worth a line, unless some other line may relay
// them.
func TestR4_AgentWithoutRelay(t *testing.T) {
	const agent, silent = "option \"a\" agent { trusted; };\n", ""
	const says = `"dhcp.conf", line 1: Option agent does nothing without option relay`
	for text, want := range map[string]string{
		agent:                                says,
		agent + `option "b" relay 10.0.0.1;`: says,
		agent + `option "a" relay 10.0.0.1;`: silent,
		agent + `host 10.0.0.0/8 { option relay 10.0.0.1; };`:     silent,
		agent + `option "a" relay nobody;`:                        `"dhcp.conf", line 2: Can't find the address of 'nobody'`,
		"option agent { trusted; };":                              says,
		"option agent { trusted; }; option \"a\" relay 10.0.0.1;": silent,
	} {
		c, err := Parse("dhcp.conf", text, Env{})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.Problems(), "\n"); got != want {
			t.Errorf("%s\nproblems: %s\nwant: %s", text, got, want)
		}
	}
}

// What can be lived with: one line each, in the order of the file.
// TestP1_N2_KernelsLines: what the kernel's command line says counts like the end
// of the file, and what is wrong with either is looked for where it stands.
func TestP1_N2_KernelsLines(t *testing.T) {
	env := Env{More: "interface 'eth9' 10.0.0.9;\nclient 01 10.0.0.5 { netmask /24; };\n", Interfaces: []Ifname{{"eth0", 1, true}}}
	c, err := Parse("dhcp.conf", "client 02 nobody", env)
	if err != nil {
		t.Fatal(err)
	}
	want := `"dhcp.conf", line 1: Can't find the address of 'nobody'
"/proc/cmdline", line 1: Interface 'eth9' is not there`
	if got := strings.Join(c.Problems(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := gather(t, c, Query{ID: []byte{1}}, "10.0.0.5"); got != "netmask 255.255.255.0" {
		t.Errorf("gathered %q", got)
	}
	if _, err := Parse("dhcp.conf", "client 02 {", env); err == nil || err.Error() != `"dhcp.conf", line 1: '{' is not closed` {
		t.Errorf("of an open brace: %v", err)
	}
}

func TestP1_Problems(t *testing.T) {
	text := `macro none; macro none;
macro m { };
macro M { };
client 00 nobody;
client 01 nobody;
DNSserver nobody somebody;
interface ip3 10.0.0.1;
option ip3 server;
rootpath "";
sname "";
host nothere { macro other; };
option nodiscovery;
option eth0 router;
circuit a { };
host 10.0.0.0/8 { remote a { }; };
shared 10.0.0.0/8 11.0.0.0/8;
include more.conf;
key 7 00;
client 02 "eth9" 10.0.0.2;
`
	env := Env{
		Include:    files(map[string]string{"more.conf": "\nmacro third;"}),
		Interfaces: []Ifname{{"eth0", 1, true}},
		Resolve: func(name string) []netip.Addr {
			if name == "somebody" {
				return []netip.Addr{addr("10.0.0.5")}
			}
			return nil
		},
	}
	c, err := Parse("dhcp.conf", text, env)
	if err != nil {
		t.Fatal(err)
	}
	want := `"dhcp.conf", line 1: Macro 'none' is not defined
"dhcp.conf", line 3: Macro 'M' is defined already
"dhcp.conf", line 4: Can't find the address of 'nobody'
"dhcp.conf", line 7: Interface 'ip3' is not there
"dhcp.conf", line 9: Nothing is not a good value for rootpath
"dhcp.conf", line 11: Can't find the address of 'nothere'
"dhcp.conf", line 11: Macro 'other' is not defined
"dhcp.conf", line 19: Interface 'eth9' is not there
"more.conf", line 2: Macro 'third' is not defined`
	if got := strings.Join(c.Problems(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := c.Names(), []string{"nobody", "somebody", "nothere"}; !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
	if got, want := gather(t, c, Query{}, "10.0.0.9"), `DNSserver 10.0.0.5; netmask 255.0.0.0; rootpath ""; sname `; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestS11_ReplyTooBig(t *testing.T) {
	long := strings.Repeat("x", 250)
	tests := []struct {
		name, text, want string
	}{
		{"as much as fits with file and sname", "netmask /8; host 10.0.0.0/8 { rootpath " + long + "; file f; };", ""},
		{"file in use", "netmask /8; tag 224 a ascii 1 0; tag 225 b ascii 1 0; file f; sname s;\nhost 10.0.0.0/8 { a " + long + ";\nhost 10.0.0.2 { b " + long + "; };};",
			`"dhcp.conf", line 3: Reply does not fit 576 octets, left out: b`},
		{"only with a class", "netmask /8; tag 224 a ascii 1 0; tag 225 b ascii 1 0; file f; sname s;\nhost 10.0.0.0/8 { a " + long + ";\nclass x y { b " + long + "; };\nclass x { b " + long + "; };\n };",
			`"dhcp.conf", line 3: Reply does not fit 576 octets, left out: b`},
		{"for a client, behind a circuit and a remote", "netmask /8; tag 224 a ascii 1 0; tag 225 b ascii 1 0; file f; sname s;\na " + long + "; circuit c { remote r {\nclient 00 10.0.0.1 { b " + long + "; };};};",
			`"dhcp.conf", line 3: Reply does not fit 576 octets, left out: b`},
		{"never together", "netmask /8; tag 224 a ascii 1 0; file f; sname s; host 10.0.0.1 { a " + long + long + "; };\n host 10.0.0.1 { no a; };", ""},
		{"no netmask, so no reply", "tag 224 a ascii 1 0; host 10.0.0.1 { a " + strings.Repeat(long, 4) + "; };", ""},
	}
	for _, tt := range tests {
		c, err := Parse("dhcp.conf", tt.text, Env{})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.Problems(), "\n"); got != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestP1_Load(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "dhcp.conf")
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
	}

	c, err := Load(path, Env{})
	if err != nil || len(c.Problems()) != 0 || gather(t, c, Query{}, "10.0.0.1") != "nothing" {
		t.Errorf("a file that does not exist: %v", err)
	}

	write("dhcp.conf", "include keys.conf; netmask /8;", 0o644)
	write("keys.conf", "\nkey 1 00;", 0o600)
	if c, err = Load(path, Env{}); err != nil || gather(t, c, Query{}, "10.0.0.1") != "netmask 255.0.0.0" {
		t.Errorf("a key that others can't read: %v", err)
	}

	write("keys.conf", "\nkey 1 00;", 0o644)
	want := fmt.Sprintf(`"%s/keys.conf", line 2: Others can read this file, and it holds a key`, dir)
	if _, err = Load(path, Env{}); err == nil || err.Error() != want {
		t.Errorf("a key that others can read: %v", err)
	}

	want = "can't read the configuration: read " + dir + ": is a directory"
	if _, err = Load(dir, Env{}); err == nil || err.Error() != want {
		t.Errorf("a folder: %v", err)
	}
	write("dhcp.conf", "include .;", 0o644)
	want = fmt.Sprintf(`"%s", line 1: Can't include '%s': read %s: is a directory`, path, dir, dir)
	if _, err = Load(path, Env{}); err == nil || err.Error() != want {
		t.Errorf("a folder as include: %v", err)
	}
}
