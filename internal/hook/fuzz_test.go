package hook

import (
	"slices"
	"strings"
	"testing"

	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

func plain(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' })
}

// FuzzEnvironment: nothing from the wire reaches a script, or resolv.conf, that
// is not one line of plain text, and names are names.
func FuzzEnvironment(f *testing.F) {
	for _, m := range []*dhcp4.Message{
		message(12, "a;b", 15, "x\ny", 17, "/a\x1b", 119, "\x01a\x00\x01b\xc0\x00", 6, "\x0a\x00\x00\x01"),
		message(121, "\x18\x0a\x00\x00\x0a\x00\x00\x01", 120, "\x00\x01a\x00", 212, string(make([]byte, 22)), 249, "\x00\x0a\x00\x00\x01"),
		message(2, "\xff\xff\xf1\xf0", 132, "\x00\x00\x00\x07", 90, "secret", 200, "\x00\n", 33, "\x0a\x00\x00\x00\x0a\x00\x00\x01"),
	} {
		b, _ := m.Append(nil, 1500)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := new(dhcp4.Message)
		if m.Parse(b) != nil {
			return
		}
		seen := map[string]bool{}
		for _, v := range Environment("eth0", netip.MustParsePrefix("10.0.0.5/24"), m) {
			name, value, ok := strings.Cut(v, "=")
			if !ok || !isVariable(name) || !plain(value) || name == "opt90" || seen[name] && name != "subnet" {
				t.Errorf("%q", v)
			}
			seen[name] = true
			if slices.Contains([]string{"hostname", "domain", "tftp", "nisdomain"}, name) && !dhcp4.IsHostName(value) {
				t.Errorf("%s is no name", v)
			}
		}
		var r Resolver
		r.Add(&m.Options)
		r.Add(&m.Options)
		for line := range strings.Lines(r.Text()) {
			w := ascii.Fields(line)
			if !plain(strings.TrimSuffix(line, "\n")) || w[0] != "#" && w[0] != "search" && w[0] != "nameserver" {
				t.Errorf("resolv.conf has %q", line)
			}
			for i, name := range w[1:] {
				if w[0] == "search" && (!dhcp4.IsHostName(name) || slices.Contains(w[1:1+i], name)) {
					t.Errorf("resolv.conf has %q", line)
				}
			}
		}
	})
}

// FuzzCall: the process that runs scripts believes nobody.
func FuzzCall(f *testing.F) {
	f.Add("0\x00bound\x00ip=10.0.0.1\x00opt82=00")
	f.Add("1\x00leasefail")
	f.Add("0\x00bound\x00PATH=/tmp")
	paths := []string{"/a", "/b"}
	f.Fuzz(func(t *testing.T, body string) {
		path, word, env, ok := parseCall(body, paths)
		if !ok {
			return
		}
		if !slices.Contains(paths, path) || !slices.Contains(scriptWords, word) {
			t.Errorf("%q %q", path, word)
		}
		for _, v := range env {
			if name, _, _ := strings.Cut(v, "="); !isVariable(name) || strings.Contains(v, "\x00") {
				t.Errorf("%q", v)
			}
		}
		if _, rest, _ := strings.Cut(body, "\x00"); rest != strings.Join(append([]string{word}, env...), "\x00") {
			t.Errorf("%q is read as %q %q", body, word, env)
		}
	})
}
