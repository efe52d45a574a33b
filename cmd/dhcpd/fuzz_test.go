package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"dhcpd/cache"
	"dhcpd/internal/ask"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// wantLines checks that text is so many lines that a terminal can be shown.
func wantLines(t *testing.T, text []byte, n int) {
	t.Helper()
	lines := bytes.Count(text, []byte("\n"))
	odd := bytes.ContainsFunc(text, func(c rune) bool { return c != '\n' && (c < ' ' || c > '~') })
	if odd || n >= 0 && lines != n || len(text) > 0 && text[len(text)-1] != '\n' {
		t.Fatalf("%d lines, want %d: %q", lines, n, text)
	}
}

// FuzzCommandLine: what is accepted makes sense, and all that is no flag is a
// host.
func FuzzCommandLine(f *testing.F) {
	for _, s := range []string{"-qd2", "-t -d3 -f x -fy", "-a -- -x 10.0.0.1", "-o30 -i eth* -ieth[", "-jl 10.0.0.1 all", "-nV", "-r"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, " ")
		c, err := parseFlags(args)
		if err != nil {
			if err != errUsage {
				t.Errorf("%v", err)
			}
			return
		}
		if !slices.Equal(c.hosts, args[len(args)-len(c.hosts):]) || c.test < 0 || c.debug < 0 || c.once < 0 || c.verb != 0 && c.once != 0 {
			t.Errorf("%q: %+v", args, c)
		}
	})
}

// FuzzHosts: what -a and -r are given is an error, or unicast addresses, one
// after the other.
func FuzzHosts(f *testing.F) {
	for _, s := range []string{"10.0.0.10-10.0.0.99", "10.0.0.0/24", "10.0.0.1/24", "0.0.0.0/0", "10.0.0.1", "255.255.255.254/31", "a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "/8") || strings.Contains(s, "/9") || strings.Contains(s, "/1") || strings.Count(s, ".") > 3 {
			return // millions take too long
		}
		list, err := expand(s, func(string) []netip.Addr { return nil })
		if (err == nil) == (len(list) == 0) || len(list) > most {
			t.Fatalf("%q: %d addresses, %v", s, len(list), err)
		}
		for i, a := range list {
			if !dhcp4.IsUnicast(a) || a != netip.AddrFrom(list[0].Number()+uint32(i)) {
				t.Fatalf("%q: %v", s, a)
			}
		}
	})
}

// FuzzKeys: a remote ID is read as it is printed.
func FuzzKeys(f *testing.F) {
	f.Add([]byte("a\x01\\\"b"), "remote x")
	f.Add([]byte{0, 1, 2, 3, 4, 5}, "all 0:1:1b:a:68:ce 0102 10.0.0.1 watch")
	f.Fuzz(func(t *testing.T, id []byte, words string) {
		text := dhcp4.Quoted(string(id))
		if got := remoteID(text[1 : len(text)-1]); len(id) < 250 && !bytes.Equal(got, id) {
			if _, isHW := ethernet(text[1 : len(text)-1]); !isHW {
				t.Errorf("%s is read as %q", text, got)
			}
		}
		if strings.ContainsAny(words, "/-") {
			return // see FuzzHosts
		}
		keys, err := new(command).keys(strings.Fields(words))
		if err != nil {
			return
		}
		for _, k := range keys {
			var m dhcp4.Message
			k.Query(&m, 7, netip.MustParseAddr("10.0.0.1"))
			b, left := m.Append(nil, dhcp4.MinLimit)
			if err := m.Parse(b); err != nil || !left.Empty() {
				t.Errorf("%q: %v", k.word, err)
			}
		}
	})
}

// FuzzCounts: whatever has become of the file, -q can be shown to a terminal.
func FuzzCounts(f *testing.F) {
	f.Add([]byte("@5 start\n17 DHCPDISCOVER received\n@x\n\n9"), true, int64(50))
	f.Fuzz(func(t *testing.T, text []byte, alive bool, now int64) {
		b := appendCounts(nil, text, alive, max(now, 0))
		wantLines(t, b, -1)
		if lines := bytes.Count(text, []byte("\n")); bytes.Count(b, []byte("\n")) > lines+2 || len(b) > len(text)*16+100 {
			t.Errorf("%q has become %q", text, b)
		}
	})
}

// FuzzJSON: any text and any time comes back.
func FuzzJSON(f *testing.F) {
	f.Add("a\"\\\n\x7f\xff\u2028", int64(951827696))
	f.Fuzz(func(t *testing.T, s string, at int64) {
		at = max(0, min(at, 1<<38))
		var j jsonText
		j.open("", '{')
		j.text("s"+s, s)
		j.time("at", at)
		j.hex("hex", []byte(s))
		j.close('}')
		var got map[string]string
		if err := json.Unmarshal(j.b, &got); err != nil {
			t.Fatalf("%v: %s", err, j.b)
		}
		if want := string([]rune(s)); got["s"+want] != want {
			t.Errorf("%q is %q", s, got["s"+want])
		}
		if want := time.Unix(at, 0).UTC(); want.Year() < 10000 && got["at"] != want.Format(time.RFC3339) {
			t.Errorf("%d is %s, want %v", at, got["at"], want)
		}
	})
}

// FuzzTold: what a server tells is shown by -l, as a line and as JSON.
func FuzzTold(f *testing.F) {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootReply)
	m.SetType(dhcp4.LeaseActive)
	m.Ciaddr, m.Htype, m.Hlen = netip.MustParseAddr("10.0.0.1"), 1, 6
	m.Options.PutUint32(dhcp4.LeaseTime, 60)
	m.Options.PutText(dhcp4.HostName, "a\nb")
	m.Options.PutText(dhcp4.RelayAgent, "\x01\x02\x1b[\x02\x01r")
	b, _ := m.Append(nil, 1500)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		const now = 1_800_000_000
		if m.Parse(b) != nil {
			return
		}
		var a ask.Answer
		if !a.Read(m, now) {
			return
		}
		k := &key{word: "10.0.0.1"}
		k.Addr = netip.MustParseAddr(k.word)
		wantLines(t, appendAnswer(nil, k, &a, now), 1)
		var j jsonText
		j.answer(k, &a, now)
		if !json.Valid(j.b) {
			t.Errorf("%s", j.b)
		}
		r := a.Record // the pool keeps it as it is
		for r.State = pool.Free; r.State <= pool.Relayed; r.State++ {
			r.Decliner, r.Holder, r.Via = r.ID, r.HW, r.Host
			wantLines(t, appendRecord(nil, &r, now%2 == 0, false, now), 1)
		}
	})
}

// FuzzNetworks: what the cache holds is shown by -q.
func FuzzNetworks(f *testing.F) {
	f.Add([]byte("eth0 address '10.0.0.7/24'\neth0 end '1800003600'\neth0 domain 'a b\\012'\ne\\033 address '10.0.0.8/24'\ne\\033 end 'infinite'\n"))
	at := cache.Clock{Now: time.Unix(1_800_000_000, 0), Wall: time.Unix(1_800_000_000, 0), Built: pool.Built}
	f.Fuzz(func(t *testing.T, text []byte) {
		held, notice := cache.Parse("cache", text, dhcp4.Builtin(), at)
		wantLines(t, append([]byte(notice), '\n'), 1)
		wantLines(t, appendNetworks(nil, held.Entries, dhcp4.Builtin(), at), -1)
		for i := range held.Entries {
			wantLines(t, []byte(cache.NetConf(&held.Entries[i], "dhcp", time.Hour, time.Hour)), -1)
		}
	})
}
