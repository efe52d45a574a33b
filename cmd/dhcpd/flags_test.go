package main

import (
	"slices"
	"strings"
	"testing"
)

// line is a command line in one string: a comma stands for an empty argument.
func line(s string) []string {
	args := strings.Fields(s)
	for i, a := range args {
		if a == "," {
			args[i] = ""
		}
	}
	return args
}

func TestL1_Flags(t *testing.T) {
	base := func(change func(*flags)) *flags {
		f := &flags{conf: confPath, cache: cachePath, pool: poolPath}
		change(f)
		return f
	}
	tests := []struct {
		args string
		want *flags // nil: the usage error
	}{
		{"", base(func(f *flags) {})},
		{"-q", base(func(f *flags) { f.verb = 'q' })},
		{"-qq", base(func(f *flags) { f.verb = 'q' })},
		{"-qd2", base(func(f *flags) { f.verb, f.debug = 'q', 2 })},
		{"-d2q", base(func(f *flags) { f.verb, f.debug = 'q', 2 })},
		{"-d", base(func(f *flags) { f.debug = 1 })},
		{"-t", base(func(f *flags) { f.test = 1 })},
		{"-t5 -d3", base(func(f *flags) { f.test, f.debug = 5, 3 })},
		{"-td", base(func(f *flags) { f.test, f.debug = 1, 1 })},
		{"-t2d12", base(func(f *flags) { f.test, f.debug = 2, 12 })},
		{"-d3 -d0", base(func(f *flags) {})},
		{"-f x", base(func(f *flags) { f.conf = "x" })},
		{"-fx", base(func(f *flags) { f.conf = "x" })},
		{"-f -q", base(func(f *flags) { f.conf = "-q" })},
		{"-qdfx", base(func(f *flags) { f.verb, f.debug, f.conf = 'q', 1, "x" })},
		{"-c a -pb -f c", base(func(f *flags) { f.cache, f.pool, f.conf = "a", "b", "c" })},
		{"-i eth0 -iwlan*", base(func(f *flags) { f.interfaces = []string{"eth0", "wlan*"} })},
		{"-a h", base(func(f *flags) { f.verb, f.hosts = 'a', []string{"h"} })},
		{"-r h 10.0.0.0/24", base(func(f *flags) { f.verb, f.hosts = 'r', []string{"h", "10.0.0.0/24"} })},
		{"-a -- -h", base(func(f *flags) { f.verb, f.hosts = 'a', []string{"-h"} })},
		{"-q --", base(func(f *flags) { f.verb = 'q' })},
		{"-n -fx", base(func(f *flags) { f.verb, f.conf = 'n', "x" })},
		{"-l s k", base(func(f *flags) { f.verb, f.hosts = 'l', []string{"s", "k"} })},
		{"-ljd2 s remote k", base(func(f *flags) { f.verb, f.json, f.debug, f.hosts = 'l', true, 2, []string{"s", "remote", "k"} })},
		{"-e i", base(func(f *flags) { f.verb, f.hosts = 'e', []string{"i"} })},
		{"-ej i class c", base(func(f *flags) { f.verb, f.json, f.hosts = 'e', true, []string{"i", "class", "c"} })},
		{"-qj", base(func(f *flags) { f.verb, f.json = 'q', true })},
		{"-V", base(func(f *flags) { f.verb = 'V' })},
		{"-x", nil},
		{"-l", nil},
		{"-e", nil},
		{"-eq i", nil},
		{"-nj", nil},
		{"-aj h", nil},
		{"-l s", nil},
		{"-j", nil},
		{"-lq s k", nil},
		{"-", nil},
		{"-q -", nil},
		{"-q2", nil},
		{"--help", nil},
		{"-f", nil},
		{"-f ,", nil},
		{"-d99999999999999999999", nil},
		{"-d-1", nil},
		{"-i [", nil},
		{"host", nil},
		{"-q host", nil},
		{"-n host", nil},
		{"-q -- host", nil},
		{"-a", nil},
		{"-r --", nil},
		{"-a ,", nil},
		{"-a h -p x", nil}, // or h would go into another pool than x
	}
	for _, tt := range tests {
		got, err := parseFlags(line(tt.args))
		switch {
		case tt.want == nil:
			if err != errUsage {
				t.Errorf("%q: error %v, want the usage", tt.args, err)
			}
		case err != nil:
			t.Errorf("%q: %v", tt.args, err)
		case !equal(got, tt.want):
			t.Errorf("%q: %+v, want %+v", tt.args, *got, *tt.want)
		}
	}
}

func equal(a, b *flags) bool {
	return a.verb == b.verb && a.json == b.json && a.test == b.test && a.debug == b.debug &&
		a.conf == b.conf && a.cache == b.cache && a.pool == b.pool &&
		slices.Equal(a.interfaces, b.interfaces) && slices.Equal(a.hosts, b.hosts)
}

func TestL5_VerbsExclude(t *testing.T) {
	for _, a := range "qarwenV" {
		for _, b := range "qarwenV" {
			hosts := ""
			if strings.ContainsRune("arwe", a) {
				hosts = " host"
			}
			together, err1 := parseFlags(line("-" + string(a) + string(b) + hosts))
			apart, err2 := parseFlags(line("-" + string(a) + " -" + string(b) + hosts))
			ok := a == b
			if ok != (err1 == nil) || ok != (err2 == nil) || ok && (together.verb != byte(a) || apart.verb != byte(a)) {
				t.Errorf("-%c with -%c: %v, %v", a, b, err1, err2)
			}
		}
	}
}

func TestL10_DefaultPaths(t *testing.T) {
	f, err := parseFlags(nil)
	if err != nil || f.conf != "/etc/dhcp.conf" || f.cache != "/var/lib/dhcpd/dhcp.cache" || f.pool != "/var/lib/dhcpd/dhcp.pool" {
		t.Errorf("%+v, %v", f, err)
	}
}
