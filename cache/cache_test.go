package cache

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/internal/safe"
)

const bootA, bootB = "0d4dd3d1-7a01-4f1c-8a5e-2e5b4ddc7a9f", "f0e1d2c3-0000-4000-8000-000000000001"

var (
	noon  = time.Unix(1_800_000_000, 0)
	built = time.Unix(1_790_000_000, 0)
	clock = Clock{Now: noon, Boot: bootA, Wall: noon, Up: 500 * time.Second, Built: built}
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lease is a lease of an hour on eth0, taken ten minutes ago.
func lease() Entry {
	e := Entry{
		Name:   "eth0",
		MAC:    [6]byte{0, 1, 0x1b, 0x0a, 0x68, 0xce},
		Addr:   netip.MustParsePrefix("192.0.2.7/24"),
		Server: netip.MustParseAddr("192.0.2.1"),
		Start:  noon.Add(-10 * time.Minute),
		T1:     noon.Add(20 * time.Minute),
		T2:     noon.Add(42 * time.Minute),
		End:    noon.Add(50 * time.Minute),
		Siaddr: netip.MustParseAddr("192.0.2.3"),
		File:   "pxe/boot",
	}
	o := &e.Options
	o.PutUint32(dhcp4.LeaseTime, 3600)
	o.Put(dhcp4.Netmask, []byte{255, 255, 255, 0})
	o.Put(dhcp4.DNSServer, []byte{192, 0, 2, 1, 192, 0, 2, 2})
	o.PutText(dhcp4.DomainName, "it's `rm -rf`; $HOME\n\\n")
	return e
}

// same tells whether two entries are equal, times to the second.
func same(a, b *Entry) bool {
	times := func(e *Entry) []int64 {
		return []int64{e.Start.Unix(), e.T1.Unix(), e.T2.Unix(), e.End.Unix()}
	}
	return a.Name == b.Name && a.MAC == b.MAC && a.Addr == b.Addr && a.Server == b.Server &&
		a.Siaddr == b.Siaddr && a.Sname == b.Sname && a.File == b.File &&
		a.Infinite() == b.Infinite() && slices.Equal(times(a), times(b)) &&
		slices.Equal(options(a), options(b))
}

func options(e *Entry) (s []string) {
	for c, v := range e.Options.All() {
		s = append(s, numberTag(c).Name+"="+string(v))
	}
	return s
}

func TestP3_Format(t *testing.T) {
	const want = `#dhcp.cache 1
clock 0d4dd3d1-7a01-4f1c-8a5e-2e5b4ddc7a9f 1800000000 500
eth0 address '192.0.2.7/24'
eth0 mac '00:01:1b:0a:68:ce'
eth0 server '192.0.2.1'
eth0 start '1799999400'
eth0 renew '1800001200'
eth0 rebind '1800002520'
eth0 end '1800003000'
eth0 siaddr '192.0.2.3'
eth0 file 'pxe/boot'
eth0 DHCPlease '3600'
eth0 netmask '255.255.255.0'
eth0 DNSserver '192.0.2.1' '192.0.2.2'
eth0 domain 'it'\''s ` + "`rm -rf`" + `; $HOME\012\134n'
`
	if got := written([]Entry{lease()}, dhcp4.Builtin(), clock); string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestP3_WhatIsWrittenIsReadAgain(t *testing.T) {
	dict := dhcp4.Builtin().Clone()
	dict.Define(dhcp4.Tag{Code: 224, Name: "end", Kind: dhcp4.ASCII})
	dict.Define(dhcp4.Tag{Code: 225, Name: "T6", Kind: dhcp4.Number, Gran: 1})
	dict.Define(dhcp4.Tag{Code: 226, Name: "it's", Kind: dhcp4.ASCII})
	values := []struct {
		code dhcp4.Code
		v    string
		line string // what it looks like
	}{
		{3, "\x0a\x00\x00\x01", `gateway '10.0.0.1'`},
		{3, "\x0a\x00\x01", `T3 '0a0001'`}, // malformed: kept as it came
		{3, "", `T3 ''`},
		{19, "\x01", `IPforwarding 'true'`},
		{19, "\x02", `T19 '02'`},
		{25, "\x00\x44\x01\x28", `IPMTUplateau '68' '296'`},
		{33, "\x0a\x00\x00\x00\x0a\x00\x00\x01", `IPstaticroute '10.0.0.0' '10.0.0.1'`},
		{51, "\xff\xff\xff\xff", `DHCPlease '4294967295'`},
		{51, "\x10", `T51 '10'`}, // not taken for the number ten
		{17, "", `rootpath ''`},
		{17, "\x00\x7f\xc3\xa4", `rootpath '\000\177\303\244'`},
		{43, "\x01\x02", `VENDOR '0102'`},
		{80, "", `rapidcommit ''`},
		{114, "http://192.0.2.1/'", `captiveportal 'http://192.0.2.1/'\'''`},
		{119, "\x01a\x07example\x00\x01b\xc0\x02", `domainsearch 'a.example' 'b.example'`},
		{119, "\x03a.b\x00", `T119 '03612e6200'`}, // one label, not two
		{119, "\x40", `T119 '40'`},
		{121, "\x08\x0a\x0a\x00\x00\x01\x00\x0a\x00\x00\x02", `IProute '10.0.0.0/8' '10.0.0.1' '0.0.0.0/0' '10.0.0.2'`},
		{150, "\x0a\x00\x00\x01", `TFTPaddress '10.0.0.1'`},
		{223, "\x07", `T223 '07'`},
		{224, "x", `T224 '78'`}, // its name is one of ours
		{225, "\x05", `T225 '05'`},
		{226, "x", `T226 '78'`},
		{54, strings.Repeat("\x0a", 300), `T54 '` + strings.Repeat("0a", 300) + `'`},
	}
	for _, tt := range values {
		e := Entry{Name: "eth0", Addr: netip.MustParsePrefix("10.0.0.9/8")}
		e.Options.Put(tt.code, []byte(tt.v))
		text := written([]Entry{e}, dict, clock)
		if !strings.HasSuffix(string(text), "\neth0 "+tt.line+"\n") {
			t.Errorf("%d %q: written as\n%swant %s", tt.code, tt.v, text, tt.line)
		}
		back, notice := parsed("x", text, dict, clock)
		if len(back) != 1 || notice != "" {
			t.Fatalf("%d %q: %d entries, notice %q", tt.code, tt.v, len(back), notice)
		}
		// A compressed list of names comes back without, or with other, compression.
		if again := written(back, dict, clock); !bytes.Equal(again, text) {
			t.Errorf("%d %q: again\n%swant\n%s", tt.code, tt.v, again, text)
		}
		if v := back[0].Options.Get(tt.code); tt.code != dhcp4.DomainSearch && string(v) != tt.v {
			t.Errorf("%d: %q became %q", tt.code, tt.v, v)
		}
	}
}

func TestP3_NamesOfNetworks(t *testing.T) {
	for _, name := range []string{"eth0", "clock", "#x", "a'b", `a\b`, "a\x01b", "br-\xc3\xa4", `"$(x)"`} {
		in := lease()
		in.Name = name
		text := written([]Entry{in}, dhcp4.Builtin(), clock)
		out, notice := parsed("x", text, dhcp4.Builtin(), clock)
		if len(out) != 1 || notice != "" || !same(&in, &out[0]) {
			t.Errorf("%q: %d entries, notice %q", name, len(out), notice)
		}
	}
}

func TestP3_Notices(t *testing.T) {
	good := string(written([]Entry{lease()}, dhcp4.Builtin(), clock))
	const form = `Not of the form network tag 'value'; left out`
	const tag = `Not a known tag and a value for it; left out`
	tests := []struct {
		name, bad string // bad: a line put in after the third of a good file
		notice    string
	}{
		{"empty line", "", ""},
		{"comment", "# made by hand", ""},
		{"lone word", "eth0", form},
		{"no value", "eth0 gateway", form},
		{"no quotes", "eth0 gateway 10.0.0.1", form},
		{"open quote", "eth0 gateway '10.0.0.1", form},
		{"words that touch", "eth0 gateway '10.0.0.1''10.0.0.2'", form},
		{"bad escape", `eth0 domain 'a\n'`, form},
		{"escape too large", `eth0 domain '\777'`, form},
		{"escape cut short", `eth0 domain '\01'`, form},
		{"unknown tag", "eth0 gatway '10.0.0.1'", tag},
		{"wrong value", "eth0 gateway '10.0.0.256'", tag},
		{"IPv6", "eth0 gateway '::1'", tag},
		{"number too large", "eth0 IPMTU '65536'", tag},
		{"odd hexadecimal digits", "eth0 T150 '0'", tag},
		{"two texts", "eth0 domain 'a' 'b'", tag},
		{"half a route", "eth0 IProute '10.0.0.0/8'", tag},
		{"route to IPv6", "eth0 IProute '::/0' '10.0.0.1'", tag},
		{"bad name in list", "eth0 domainsearch 'a..b'", tag},
		{"no option", "eth0 T0 '00'", tag},
		{"option END", "eth0 T255 '00'", tag},
		{"two addresses", "eth0 address '10.0.0.1/8' '10.0.0.2/8'", tag},
		{"address without netmask", "eth0 address '10.0.0.1'", tag},
		{"time of text", "eth0 renew 'soon'", tag},
		{"time out of range", "eth0 renew '99999999999'", tag},
		{"bad clock", "clock x y z", `Not of the form clock boot-ID wall-time boot-time; left out`},
		{"long name", "abcdefghijklmnop gateway '10.0.0.1'", `Not the name of a network; left out`},
		{"binary", "\x00\xff \x80 \x01", form},
		{"network without address", "eth1 end 'infinite'", `Network "eth1" has no address; left out`},
		{"network without end", "eth1 address '10.0.0.1/8'", `Network "eth1" has no end of its lease; left out`},
	}
	for _, tt := range tests {
		line := strings.SplitAfterN(good, "\n", 4)
		line[2] += tt.bad + "\n"
		got, notice := parsed("dhcp.cache", []byte(strings.Join(line, "")), dhcp4.Builtin(), clock)
		want := tt.notice
		if want != "" {
			want = `"dhcp.cache", line 4: ` + want
		}
		if notice != want {
			t.Errorf("%s: notice\n%s\nwant\n%s", tt.name, notice, want)
		}
		if e := lease(); len(got) != 1 || !same(&e, &got[0]) {
			t.Errorf("%s: the rest was lost", tt.name)
		}
	}
}

func TestP3_OneNoticeForAll(t *testing.T) {
	_, notice := parsed("c", bytes.Repeat([]byte("rubbish\n"), 1000), dhcp4.Builtin(), clock)
	if want := `"c", line 1: Not of the form network tag 'value'; left out, and 999 more`; notice != want {
		t.Errorf("notice %q, want %q", notice, want)
	}
}

func TestP3_TimesOutOfOrder(t *testing.T) {
	e := lease()
	e.T1, e.T2 = e.T2, e.T1
	text := written([]Entry{e}, dhcp4.Builtin(), clock)
	got, notice := parsed("c", text, dhcp4.Builtin(), clock)
	if want := `"c", line 3: Network "eth0" has times that are out of order; left out`; len(got) != 0 || notice != want {
		t.Errorf("%d entries, notice %q", len(got), notice)
	}
}

func TestP3_TornAnywhere(t *testing.T) {
	b := lease()
	b.Name, b.End = "eth1", time.Time{}
	b.T1, b.T2 = b.End, b.End
	text := written([]Entry{lease(), b}, dhcp4.Builtin(), clock)
	whole := bytes.Index(text, []byte("eth1 "))
	for n := range text {
		got, _ := parsed("c", text[:n], dhcp4.Builtin(), clock)
		if e := lease(); n >= whole && (len(got) == 0 || !same(&e, &got[0])) {
			t.Errorf("cut at %d: what stands before was lost", n)
		}
	}
}

func TestB9_TimesCarriedOver(t *testing.T) {
	const hour = time.Hour
	const unknown = 2*hour - 10*time.Second // a server may still confirm it
	year := 365 * 24 * hour
	at := func(boot string, wall time.Time, up time.Duration) Clock {
		return Clock{Now: wall, Boot: boot, Wall: wall, Up: up, Built: built}
	}
	then := at(bootA, noon, 1000*time.Second)
	early := at(bootA, time.Unix(100, 0), 100*time.Second)
	tests := []struct {
		name          string
		written, read Clock
		passed        time.Duration
	}{
		{"same boot", then, at(bootA, noon.Add(hour), 4600*time.Second), hour},
		{"same boot, wall ten years back", then, at(bootA, noon.Add(-10*year), 4600*time.Second), hour},
		{"same boot, wall ten years on", then, at(bootA, noon.Add(10*year), 4600*time.Second), hour},
		{"same boot, suspended over night", then, at(bootA, noon.Add(9*hour), then.Up+9*hour), 9 * hour},
		{"another boot", then, at(bootB, noon.Add(hour), 10*time.Second), hour},
		{"another boot, wall in 1970", then, at(bootB, time.Unix(10, 0), 10*time.Second), unknown},
		{"another boot, wall gone back", then, at(bootB, noon.Add(-hour), 10*time.Second), unknown},
		{"written in 1970, right now", early, at(bootB, noon, 10*time.Second), unknown},
		{"written and read in 1970", early, at(bootB, time.Unix(50, 0), 50*time.Second), unknown},
		{"no boot ID", at("", noon, 0), at("", noon.Add(hour), 0), hour},
	}
	for _, tt := range tests {
		e := lease()
		e.Start, e.T1, e.T2 = tt.written.Now, tt.written.Now, tt.written.Now
		e.End = tt.written.Now.Add(2 * hour)
		text := written([]Entry{e}, dhcp4.Builtin(), tt.written)
		got, notice := parsed("c", text, dhcp4.Builtin(), tt.read)
		if len(got) != 1 || notice != "" {
			t.Fatalf("%s: %d entries, notice %q", tt.name, len(got), notice)
		}
		if left := got[0].End.Sub(tt.read.Now); left != 2*hour-tt.passed {
			t.Errorf("%s: %v left of two hours, want %v", tt.name, left, 2*hour-tt.passed)
		}
	}
}

func TestB9_WallClockSteppedBeforeWriting(t *testing.T) {
	// The daemon came up in 1970; then the wall clock was set.
	w := Clock{Now: time.Unix(700, 0), Boot: bootA, Wall: noon, Up: 700 * time.Second, Built: built}
	e := lease()
	e.Start, e.T1, e.T2, e.End = w.Now, w.Now, w.Now, w.Now.Add(time.Hour)
	text := written([]Entry{e}, dhcp4.Builtin(), w)
	if !strings.Contains(string(text), "eth0 end '1800003600'\n") {
		t.Errorf("end is not on the wall clock:\n%s", text)
	}
	r := Clock{Now: noon.Add(600 * time.Second), Boot: bootB, Wall: noon.Add(600 * time.Second), Built: built}
	got, _ := parsed("c", text, dhcp4.Builtin(), r)
	if left := got[0].End.Sub(r.Now); left != 50*time.Minute {
		t.Errorf("%v left, want 50m", left)
	}
}

// TestB9_BeforeTheEpoch: the wall clock was set to 1970 while a lease ran that
// had begun before, by that clock.
func TestB9_BeforeTheEpoch(t *testing.T) {
	at := clock
	at.Wall = time.Unix(5, 0)
	e := lease()
	e.Start, e.T1, e.T2, e.End = at.Now.Add(-time.Hour), at.Now.Add(-time.Minute), at.Now, at.Now.Add(time.Minute)
	got, notice := Parse("c", Append(nil, File{Entries: []Entry{e}}, dhcp4.Builtin(), at), dhcp4.Builtin(), at)
	if len(got.Entries) != 1 || notice != "" || !got.Entries[0].End.Equal(e.End) || !got.Entries[0].T2.Equal(e.T2) {
		t.Errorf("got %+v, notice %q", got, notice)
	}
}

func TestB9_WithoutClockLine(t *testing.T) {
	got, notice := parsed("c", []byte("eth0 address '10.0.0.1/8'\neth0 end '1800000100'\n"), dhcp4.Builtin(), clock)
	if len(got) != 1 || notice != "" || got[0].End != noon.Add(100*time.Second) {
		t.Errorf("got %v, notice %q", got, notice)
	}
}

// written and parsed are Append and Parse of files with nothing but entries.
func written(entries []Entry, d *dhcp4.Dict, at Clock) []byte {
	return Append(nil, File{Entries: entries}, d, at)
}

func parsed(name string, text []byte, d *dhcp4.Dict, at Clock) ([]Entry, string) {
	held, notice := Parse(name, text, d, at)
	return held.Entries, notice
}

// TestC16_DUIDKept: the machine's name is read again, whatever becomes of leases.
func TestC16_DUIDKept(t *testing.T) {
	duid := []byte{0, 3, 0, 1, 2, 0, 0, 0, 0, 1}
	in := lease()
	in.Name = "duid"
	text := Append(nil, File{Entries: []Entry{in}, DUID: duid}, dhcp4.Builtin(), clock)
	if held, notice := Parse("x", text, dhcp4.Builtin(), clock); !bytes.Equal(held.DUID, duid) || len(held.Entries) != 1 || notice != "" {
		t.Errorf("%x, %d entries, %q of\n%s", held.DUID, len(held.Entries), notice, text)
	}
	for _, line := range []string{"duid 0003000", "duid ", "duid", "duid 00 03", "duid '0003'", "duid " + strings.Repeat("00", 131)} {
		if held, notice := Parse("x", []byte(line+"\n"), dhcp4.Builtin(), clock); held.DUID != nil || notice == "" {
			t.Errorf("%q: %x, %q", line, held.DUID, notice)
		}
	}
}

func TestP3_FileReplacedWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "var", "dhcp.cache")
	if got, notice, err := Read(path, dhcp4.Builtin(), clock); len(got.Entries) != 0 || notice != "" || err != nil {
		t.Fatalf("no file: %v, %q, %v", got, notice, err)
	}
	in := lease()
	must(t, Write(path, File{Entries: []Entry{in}}, dhcp4.Builtin(), clock))
	in.File = "other"
	must(t, Write(path, File{Entries: []Entry{in}}, dhcp4.Builtin(), clock))
	got, notice, err := Read(path, dhcp4.Builtin(), clock)
	if err != nil || notice != "" || len(got.Entries) != 1 || !same(&in, &got.Entries[0]) {
		t.Errorf("read %v, %q, %v", got, notice, err)
	}
	if info, _ := os.Stat(path); info.Mode() != 0600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestP6_UnsafeCacheRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dhcp.cache")
	must(t, os.Symlink("/etc/passwd", path))
	if _, _, err := Read(path, dhcp4.Builtin(), clock); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("read through a link: %v", err)
	}
	must(t, os.Symlink("/etc/passwd", path+".lock"))
	if _, err := Lock(path); err == nil {
		t.Error("locked through a link")
	}
}

func TestP4_SecondClientRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dhcp.cache")
	first, err := Lock(path)
	must(t, err)
	if _, err := Lock(path); !errors.Is(err, safe.ErrBusy) || err.Error() != path+".lock is in use by another dhcpd" {
		t.Errorf("second lock: %v", err)
	}
	must(t, Write(path, File{}, dhcp4.Builtin(), clock))
	first.Close()
	again, err := Lock(path)
	must(t, err)
	again.Close()
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(""))
	f.Add(written([]Entry{lease()}, dhcp4.Builtin(), clock))
	f.Add([]byte("clock a 1 2\neth0 address '1.2.3.4/5'\neth0 end 'infinite'\neth0 IProute '1.0.0.0/8' '1.2.3.4'\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, notice := parsed("c", text, dhcp4.Builtin(), clock)
		if strings.Contains(notice, "\n") {
			t.Errorf("notice of several lines: %q", notice)
		}
		again := written(got, dhcp4.Builtin(), clock)
		back, notice := parsed("c", again, dhcp4.Builtin(), clock)
		if len(back) != len(got) || notice != "" {
			t.Fatalf("%d entries became %d, notice %q:\n%s", len(got), len(back), notice, again)
		}
		for i := range got {
			if third := written(back[i:i+1], dhcp4.Builtin(), clock); !bytes.Equal(third, written(got[i:i+1], dhcp4.Builtin(), clock)) {
				t.Errorf("changed on the way:\n%s\n%s", again, third)
			}
		}
	})
}

// The replay counter of RFC 3118 is for the whole machine; a file without it has
// none, and a network may bear its name.
func TestC18_Counter(t *testing.T) {
	in := lease()
	in.Name = "counter"
	text := Append(nil, File{Entries: []Entry{in}, Counter: 1 << 40}, dhcp4.Builtin(), clock)
	if held, notice := Parse("c", text, dhcp4.Builtin(), clock); held.Counter != 1<<40 || len(held.Entries) != 1 || notice != "" {
		t.Errorf("%+v, %q", held, notice)
	}
	for _, line := range []string{"counter x", "counter", "counter -1", "counter 1 2", "counter '1'"} {
		if held, notice := Parse("c", []byte(line+"\n"), dhcp4.Builtin(), clock); held.Counter != 0 || notice == "" {
			t.Errorf("%q: %+v, %q", line, held, notice)
		}
	}
}

// FuzzWords: any text comes back out of its quotes, in which no shell finds
// anything to do, and so does the name of any interface.
func FuzzWords(f *testing.F) {
	f.Add("a'b\\\n$(x)\xff", "'it'\\''s' 'b\\012'")
	f.Fuzz(func(t *testing.T, s, line string) {
		quoted := string(appendQuoted(nil, s))
		words, ok := unquote(quoted + " " + quoted)
		if !ok || len(words) != 2 || words[0] != s || words[1] != s {
			t.Errorf("%q, quoted %s, is read as %q", s, quoted, words)
		}
		if strings.Contains(strings.ReplaceAll(quoted[1:len(quoted)-1], `'\''`, ""), "'") {
			t.Errorf("%q is quoted as %s", s, quoted)
		}
		name := string(appendName(nil, s))
		if back, ok := unescape(name); !ok || back != s || strings.ContainsAny(name, " \t\n'#") {
			t.Errorf("%q is named %q, which is read as %q", s, name, back)
		}
		words, ok = unquote(line)
		if !ok {
			return
		}
		var again []byte
		for _, w := range words {
			again = append(appendQuoted(again, w), ' ')
		}
		if same, ok := unquote(string(again)); !ok || !slices.Equal(same, words) {
			t.Errorf("%s is read as %q, and then as %q", line, words, same)
		}
	})
}
