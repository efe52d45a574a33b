package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dhcpd/cache"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

const manFolder = "../../man"

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(manFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// examples returns the literal displays in the EXAMPLES section of a page.
func examples(t *testing.T, name string) (list []string) {
	t.Helper()
	_, rest, _ := strings.Cut(page(t, name), "\n.Sh EXAMPLES\n")
	section, _, _ := strings.Cut(rest, "\n.Sh ")
	for {
		_, rest, ok := strings.Cut(section, "\n.Bd -literal -offset indent\n")
		if !ok {
			break
		}
		text, after, _ := strings.Cut(rest, "\n.Ed")
		list = append(list, strings.NewReplacer(`\e`, `\`, `\&`, ``).Replace(text))
		section = after
	}
	if len(list) == 0 {
		t.Fatalf("%s has no examples", name)
	}
	return list
}

func TestN3_PagesAreClean(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(manFolder, "*.[58]"))
	if err != nil || len(pages) != 4 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, p := range pages {
		out, err := exec.Command("mandoc", "-T", "lint", "-W", "style", p).Output()
		if _, ran := err.(*exec.ExitError); err != nil && !ran {
			t.Fatalf("mandoc, of the package of that name: %v", err)
		}
		for line := range strings.Lines(string(out)) {
			if !strings.Contains(line, "referenced manual not found") {
				t.Error(strings.TrimSpace(line))
			}
		}
	}
}

// TestN3_DiagnosticsAreReal looks for the texts that the pages explain in the
// sources of the program.
func TestN3_DiagnosticsAreReal(t *testing.T) {
	sources := sources(t)
	variable := regexp.MustCompile(`\.\.\.|#[#.:]*#|[\[\]'"]|\\\(dq`)
	for _, name := range []string{"dhcpd.8", "dhcp.conf.5"} {
		_, rest, _ := strings.Cut(page(t, name), "\n.Sh DIAGNOSTICS\n")
		section, _, _ := strings.Cut(rest, "\n.Sh ")
		n := 0
		for line := range strings.Lines(section) {
			text, ok := strings.CutPrefix(line, ".It ")
			if !ok {
				continue
			}
			for _, part := range variable.Split(strings.ReplaceAll(text, `" , "`, "..."), -1) {
				n++
				if part = strings.TrimSpace(part); !strings.Contains(sources, part) {
					t.Errorf("%s: nothing says %q", name, part)
				}
			}
		}
		if n < 10 {
			t.Errorf("%s: only %d texts found", name, n)
		}
	}
}

// TestL2_CountsOfTheManPage: dhcpd(8) has all that -q may say was counted, and
// why the server dropped a message. The daemon itself drops what is not for a
// server at all, so that two reasons never occur.
func TestL2_CountsOfTheManPage(t *testing.T) {
	_, rest, _ := strings.Cut(page(t, "dhcpd.8"), "\n.Ss Counts\n")
	section, _, _ := strings.Cut(rest, "\n.Ss ")
	found := 0
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+): +"(.+)",$`).FindAllStringSubmatch(sources(t, "internal/daemon/count.go", "server/reason.go"), -1) {
		if m[1] == "notServed" || m[1] == "notRequest" {
			continue
		}
		found++
		if !strings.Contains(strings.ReplaceAll(section, "\n", " "), m[2]) {
			t.Errorf("dhcpd(8) does not tell of %q", m[2])
		}
	}
	if found < 40 {
		t.Errorf("only %d found", found)
	}
}

// sources returns the program's sources in one piece, or some of them.
func sources(t *testing.T, only ...string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if len(only) > 0 && !slices.Contains(only, strings.TrimPrefix(path, "../../")) {
			return nil
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestN3_UsageIsSynopsis(t *testing.T) {
	text := page(t, "dhcpd.8")
	synopsis, _, _ := strings.Cut(text, "\n.Sh DESCRIPTION\n")
	inUsage := map[string]bool{}
	for _, m := range regexp.MustCompile(`\[-([a-zA-Z]+)`).FindAllStringSubmatch(usage, -1) {
		for flag := range strings.SplitSeq(m[1], "") {
			inUsage[flag] = true
			if !strings.Contains(text, "\n.It Fl "+flag) || !regexp.MustCompile(`Fl (. \| )*`+flag+`\b`).MatchString(synopsis) {
				t.Errorf("dhcpd(8) does not explain -%s", flag)
			}
		}
	}
	for _, m := range regexp.MustCompile(`\n\.It Fl (.)`).FindAllStringSubmatch(text, -1) {
		if !inUsage[m[1]] {
			t.Errorf("the usage line lacks -%s", m[1])
		}
	}
	if len(inUsage) < 14 {
		t.Errorf("only %d flags found in %s", len(inUsage), usage)
	}
}

func TestN3_TagsAreListed(t *testing.T) {
	text := page(t, "dhcp.conf.5")
	for tag := range dhcp4.Builtin().All() {
		line := "\n.It " + strconv.Itoa(int(tag.Code)) + " Ta Cm " + tag.Name + " Ta " + tag.Kind.String() + "\n"
		if !strings.Contains(text, line) {
			t.Errorf("dhcp.conf(5) lacks%s", line)
		}
	}
}

func TestP1_ExamplesOfTheManPage(t *testing.T) {
	const hosts = "198.51.100.1 north.example.com\n198.51.100.2 south.example.com\n198.51.100.3 plotter.example.com\n"
	ether := func(last byte) []byte { return []byte{1, 0, 0, 0x5e, 0, 0x53, last} }
	tests := []struct {
		client byte
		addr   string
		class  string
		pool   string
		want   string // tags that the client gets
	}{
		{0x0b, "192.0.2.11", "", "192.0.2.100-192.0.2.199", "netmask 255.255.255.0 gateway 192.0.2.1 DNSserver 192.0.2.1 domain \"home.example\" DHCPlease 3600"},
		{0x30, "198.51.100.3", "PXEClient:Arch", "198.51.100.65-198.51.100.126", "netmask 255.255.255.128 gateway 198.51.100.2 " +
			"DNSserver 198.51.100.1 198.51.100.2 hostname \"plotter\" domain \"example.com\" NTPserver 198.51.100.1 DHCPlease 604800"},
	}
	list := examples(t, "dhcp.conf.5")
	if len(list) != len(tests)+5 {
		t.Fatalf("%d examples, %d tests", len(list), len(tests)+5)
	}
	accessNetwork(t, list[len(tests)])
	branch(t, list[len(tests)+1])
	concentrator(t, list[len(tests)+2])
	moved(t, list[len(tests)+3])
	keys(t, list[len(tests)+4])
	for i, tt := range tests {
		cfg := example(t, list[i], tt.pool, conf.Env{Hosts: hosts})
		q := conf.Query{ID: ether(tt.client), Class: []byte(tt.class)}
		a, ok := cfg.Ask(&q).Fixed(addr(tt.addr))
		var info conf.Info
		if !ok || a != addr(tt.addr) || !cfg.Gather(&q, a, &info) {
			t.Errorf("example %d: client %x has no information", i, q.ID)
			continue
		}
		if got := tags(&info.Options); !sameWords(got, tt.want) {
			t.Errorf("example %d: got %s, want %s", i, got, tt.want)
		}
		if boots := tt.class != ""; boots != (string(info.File) == "pxelinux.0") {
			t.Errorf("example %d: class %q gets file %q", i, tt.class, info.File)
		}
	}
}

// example reads an example of dhcp.conf(5), which leaves dhcpd -n nothing to say
// with the pool that the page speaks of.
func example(t *testing.T, text, pool string, env conf.Env) *conf.Config {
	t.Helper()
	env.Pool = []netip.Addr{}
	for span := range strings.FieldsSeq(pool) {
		list, err := expand(span, nil)
		if err != nil {
			t.Fatal(err)
		}
		env.Pool = append(env.Pool, list...)
	}
	cfg, err := conf.Parse("example", text, env)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for _, p := range cfg.Problems() {
		t.Errorf("%s in\n%s", p, text)
	}
	for _, a := range env.Pool {
		if why, ok := cfg.Lendable(a); !ok {
			t.Errorf("%s, by\n%s", why, text)
		}
	}
	return cfg
}

// accessNetwork asks the example of an access network for clients behind relays.
func accessNetwork(t *testing.T, text string) {
	t.Helper()
	cfg := example(t, text, "203.0.113.2-203.0.113.254 198.51.100.2-198.51.100.254", conf.Env{})
	for circuit, want := range map[string]string{
		"":                         "DHCPlease 3600",
		"ge-0/0/7:12":              "DHCPlease 3600 domain \"staff.example\"",
		"ge-0/0/77":                "DHCPlease 3600",
		"\x00\x04\x00\x64\x00\x01": "DHCPlease 600",
	} {
		for _, a := range []string{"203.0.113.9", "198.51.100.9"} {
			gateway := strings.TrimSuffix(a, "9") + "1"
			want := want + " netmask 255.255.255.0 DNSserver 192.0.2.53 gateway " + gateway
			var info conf.Info
			cfg.Gather(&conf.Query{Circuit: []byte(circuit)}, addr(a), &info)
			if got := tags(&info.Options); !sameWords(got, want) {
				t.Errorf("%q at %s gets %s, want %s", circuit, a, got, want)
			}
			if why, ok := cfg.Lendable(addr(a)); !ok || !cfg.Joined(addr(a), addr("203.0.113.1")) {
				t.Errorf("%s can't be given to a client of 203.0.113.1: %s", a, why)
			}
		}
	}
	p := cfg.Own([]conf.Net{{Name: "eth0", Index: 2, Ether: true, Addr: addr("192.0.2.2")}})[0]
	if !p.Server || !p.Probe || p.CircuitLimit != 2 || p.Limit != 400 || p.LeaseQuery == nil ||
		!slices.Equal(p.LeaseQuery.From, []netip.Addr{addr("203.0.113.1"), addr("198.51.100.1")}) || !p.LeaseQuery.Show.Has(dhcp4.HostName) {
		t.Errorf("eth0: %+v", p.Settings)
	}
}

// branch asks the example of a branch office what its router does.
func branch(t *testing.T, text string) {
	t.Helper()
	cfg := example(t, text, "192.0.2.200-192.0.2.229", conf.Env{})
	p := cfg.Own([]conf.Net{{Name: "lan0", Index: 2, Ether: true}})[0]
	if p.Addr.String() != "192.0.2.1/24" || !p.Server || len(p.Relay) != 2 || p.RelayFallback != 30 ||
		p.Agent == nil || p.Agent.Circuit.Text != "branch 7" || !p.Agent.Override {
		t.Errorf("lan0: %v %+v", p.Addr, p.Settings)
	}
}

// concentrator asks the example of an access concentrator what it does with its
// lines.
func concentrator(t *testing.T, text string) {
	t.Helper()
	cfg := example(t, text, "", conf.Env{})
	for _, p := range cfg.Own([]conf.Net{{Name: "line1", Index: 2, Ether: true}, {Name: "line2", Index: 3, Ether: true}}) {
		a := p.Agent
		if p.Addr.String() != "203.0.113.1/32" || len(p.Relay) != 2 || a == nil || !a.Circuit.Auto || a.Relay.Text != "north-7" ||
			!a.Override || !a.Routes || !a.Ask {
			t.Errorf("%v %+v", p.Addr, p.Settings)
		}
	}
}

// TestR1_CountsOfTheManPage: dhcpd(8) has all that -q may say was not relayed,
// and why.
func TestR1_R4_CountsOfTheManPage(t *testing.T) {
	_, rest, _ := strings.Cut(page(t, "dhcpd.8"), "\n.Ss Counts\n")
	section, _, _ := strings.Cut(rest, "\n.Ss ")
	list := regexp.MustCompile(`(?m)^\t(\w+): +"(.+)",$`).FindAllStringSubmatch(sources(t, "relay/reason.go"), -1)
	for _, m := range list {
		if !strings.Contains(section, m[2]+"\"\n") {
			t.Errorf("dhcpd(8) does not tell of %q", m[2])
		}
	}
	if len(list) < 10 {
		t.Errorf("only %d found", len(list))
	}
}

// TestP1_FirstConfiguration: README.md's file serves eth0, whether that is
// there from the start or comes later.
func TestP1_FirstConfiguration(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(readme), "/etc/dhcp.conf, for a machine")
	_, text, _ = strings.Cut(text, "\n\n")
	text, _, ok := strings.Cut(text, "\n\n")
	if !ok {
		t.Fatal("README.md has no configuration")
	}
	eth0 := conf.Ifname{Name: "eth0", Index: 2, Ether: true}
	for _, c := range []struct {
		there    []conf.Ifname
		problems int
	}{{[]conf.Ifname{eth0}, 0}, {[]conf.Ifname{{Name: "lo", Index: 1}}, 1}} {
		cfg, err := conf.Parse("README.md", text, conf.Env{Interfaces: c.there})
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.Problems(); len(got) != c.problems {
			t.Errorf("problems: %q", got)
		}
		p := cfg.Own([]conf.Net{{Name: "eth0", Index: 2, Ether: true, MAC: [6]byte{2}}})[0]
		if !p.Server || p.Addr != netip.MustParsePrefix("10.0.0.1/24") {
			t.Errorf("eth0 has %v, served: %v", p.Addr, p.Server)
		}
		if why, ok := cfg.Lendable(addr("10.0.0.100")); !ok {
			t.Error(why)
		}
	}
}

func tags(o *dhcp4.Options) string {
	var b []byte
	for c, v := range o.All() {
		tag, _ := dhcp4.Builtin().ByCode(c)
		b = append(append(b, tag.Name...), ' ')
		b = append(tag.AppendValue(b, v), ' ')
	}
	return string(b)
}

// sameWords compares two lists of words, whatever their order.
func sameWords(a, b string) bool {
	count := map[string]int{}
	for w := range strings.FieldsSeq(a) {
		count[w]++
	}
	for w := range strings.FieldsSeq(b) {
		count[w]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// TestP3_ExamplesOfTheManPage runs the scripts of dhcp.cache(5) with every
// shell that is there.
func TestP3_ExamplesOfTheManPage(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "dhcp.cache")
	var e, clock cache.Entry
	e.Name, e.Addr = "eth0", netip.MustParsePrefix("192.0.2.7/24")
	e.Options.Put(dhcp4.Router, []byte{192, 0, 2, 1})
	e.Options.Put(dhcp4.DNSServer, []byte{192, 0, 2, 1, 192, 0, 2, 2})
	e.Options.PutText(dhcp4.DomainName, "it's \\0 `touch hacked` $(touch hacked)\nnameserver 6.6.6.6")
	clock.Name, clock.Addr = "#", netip.MustParsePrefix("10.0.0.1/8")
	clock.Options.Put(dhcp4.DNSServer, []byte{10, 0, 0, 2})
	at := cache.Clock{Now: time.Now(), Wall: time.Now(), Boot: "boot"}
	if err := cache.Write(path, cache.File{Entries: []cache.Entry{e, clock}}, dhcp4.Builtin(), at); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"nameserver 192.0.2.1\nnameserver 192.0.2.2\n" +
			`search it's \1340 ` + "`touch hacked` $(touch hacked)" + `\012nameserver 6.6.6.6` + "\n" +
			"nameserver 10.0.0.2\n",
		"192.0.2.1\n",
	}
	scripts := examples(t, "dhcp.cache.5")[2:]
	for i, script := range scripts {
		script = strings.ReplaceAll(script, "/var/lib/dhcpd/dhcp.cache", path)
		script = strings.ReplaceAll(script, " >/run/resolv.conf", "")
		for _, sh := range []string{"sh", "dash", "bash", "busybox"} {
			bin, err := exec.LookPath(sh)
			if err != nil && sh != "sh" {
				continue // one is enough
			}
			args := []string{"-euc", script}
			if sh == "busybox" {
				args = append([]string{"sh"}, args...)
			}
			cmd := exec.Command(bin, args...)
			cmd.Dir = folder
			out, err := cmd.CombinedOutput()
			if err != nil || string(out) != want[i] {
				t.Errorf("%s: %v\n%s\nof script\n%s", sh, err, out, script)
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "hacked")); left != nil || len(scripts) != len(want) {
		t.Errorf("%d scripts; they left %v", len(scripts), left)
	}
}

// TestP2_FilesOfTheManPage: dhcp.pool(5) has a name for each file that the
// program makes beside the pool.
func TestP2_FilesOfTheManPage(t *testing.T) {
	text := page(t, "dhcp.pool.5")
	suffix := regexp.MustCompile(`(?:path ?\+ ?|compactName = )"(\.[a-z]+)"`)
	found := map[string]bool{}
	for _, m := range suffix.FindAllStringSubmatch(sources(t), -1) {
		found[m[1]] = true
		if !strings.Contains(text, "\n.It Pa /var/lib/dhcpd/dhcp.pool"+m[1]+"\n") {
			t.Errorf("dhcp.pool(5) does not tell of dhcp.pool%s", m[1])
		}
	}
	if len(found) < 3 {
		t.Errorf("found only %v", found)
	}
}

// TestL2_ExamplesOfTheManPage lets awk, as dhcpd(8) says, find the addresses in
// use and those abandoned.
func TestL2_ExamplesOfTheManPage(t *testing.T) {
	s := newSite(t, "")
	s.expect("-a 192.0.2.1-192.0.2.6", "", "", 0)
	fresh := func(a string, state pool.State) pool.Record {
		r := s.record(a, state, 60)
		r.Since = pool.Time(s.now.Wall.Unix())
		return r
	}
	s.lease(s.record("192.0.2.1", pool.Bound, 60), s.record("192.0.2.2", pool.Bound, -10), s.record("192.0.2.3", pool.Bound, pool.Infinite),
		fresh("192.0.2.4", pool.Released), fresh("192.0.2.5", pool.Abandoned), s.record("192.0.2.9", pool.Fixed, 60)).Close()
	out, stderr, status := s.dhcpd("-q")
	if status != 0 {
		t.Fatal(stderr)
	}
	const want = "192.0.2.1 192.0.2.3 192.0.2.9 192.0.2.5 "
	for _, script := range examples(t, "dhcpd.8") {
		if !strings.Contains(script, "awk") {
			continue
		}
		cmd := exec.Command("sh", "-euc", "dhcpd() { printf %s \"$LIST\"; }\n"+script)
		cmd.Env = append(os.Environ(), "LIST="+out)
		got, err := cmd.Output()
		var found strings.Builder
		for line := range strings.Lines(string(got)) {
			found.WriteString(strings.Fields(line)[0] + " ")
		}
		if err != nil || found.String() != want {
			t.Errorf("%v: found %s, want %s, of\n%s", err, found.String(), want, out)
		}
		return
	}
	t.Error("dhcpd(8) has no such example")
}

// TestP2_ExamplesOfTheManPage damages line 12 of a pool and mends it as
// dhcp.pool(5) says.
func TestP2_ExamplesOfTheManPage(t *testing.T) {
	s := newSite(t, "")
	s.expect("-a 192.0.2.91-192.0.2.100", "", "", 0)
	s.lease(s.record("192.0.2.91", pool.Bound, 60), s.record("192.0.2.100", pool.Bound, 60)).Close()
	text, err := os.ReadFile(s.pool)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	lines[11] = strings.Replace(lines[11], " ", " x", 1)
	s.write(s.pool, strings.Join(lines, ""))
	if _, err, status := s.dhcpd("-q"); status != 1 || !strings.Contains(err, "Pool table is corrupt") || !strings.Contains(err, "line 12") {
		t.Fatalf("status %d: %s", status, err)
	}
	scripts := examples(t, "dhcp.pool.5")[2:]
	if len(scripts) != 2 {
		t.Fatalf("%d scripts", len(scripts))
	}
	run := func(script string) string {
		script = strings.ReplaceAll(script, "/var/lib/dhcpd", filepath.Dir(s.pool))
		out, err := exec.Command("sh", "-euc", script).CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s\nof script\n%s", err, out, script)
		}
		return string(out)
	}
	if got := run(scripts[0]); strings.Count(got, "\n") != 2 || !strings.Contains(got, " 192.0.2.100 bound ") {
		t.Errorf("history of an address:\n%s", got)
	}
	run(scripts[1])
	out, stderr, status := s.dhcpd("-q")
	if stderr != "" || status != 0 || !strings.Contains(out, "192.0.2.100      +60          -          0100005e005307\n") {
		t.Errorf("after mending: status %d\n%s%s", status, out, stderr)
	}
}
