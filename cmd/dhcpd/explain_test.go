package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dhcpd/cache"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// loop serves a network on the one interface that every machine has.
const loop = `interface "lo" 10.99.0.1;
option "lo" server;
host 10.99.0.0/24 {
	DHCPlease 3600;
	macro dns;
	class "a \"b\"" { DHCPlease 60; };
};
macro dns { DNSserver 10.99.0.1; };
no DNSserver;
client 0:0:5e:0:53:9 10.99.0.9 { hostname nine; };
`

func TestL11_Text(t *testing.T) {
	s := newSite(t, loop)
	s.expect("-a 10.99.0.10-10.99.0.11", "", "", 0)
	s.lease(s.record("10.99.0.10", pool.Bound, 60)).Close()
	t.Chdir(filepath.Dir(s.conf))
	s.conf = "dhcp.conf"
	const want = `client        0100005e005308
class         a "bc"
address       10.99.0.10

interface     lo
rules
  client line       127.0.0.1   no information for the client's network
  client line       10.99.0.0/24      none
  current lease     10.99.0.0/24      none
  previous lease    10.99.0.0/24      none
  asked for         10.99.0.0/24      10.99.0.10  leased to 0100005e005307
  offered before    10.99.0.0/24      none
  free address      10.99.0.0/24      10.99.0.11
chosen        10.99.0.11
lines
  dhcp.conf:3       host 10.99.0.0/24
  dhcp.conf:3         netmask 255.255.255.0
  dhcp.conf:4         DHCPlease 3600  overridden by dhcp.conf:6
  dhcp.conf:5         macro "dns"
  dhcp.conf:8           DNSserver 10.99.0.1       removed by dhcp.conf:9
  dhcp.conf:6         class "a \"b"
  dhcp.conf:6           DHCPlease 60
  dhcp.conf:9       no DNSserver
answer
  type          DHCPOFFER
  address       10.99.0.11
  options
    DHCPserverID  10.99.0.1
    DHCPlease     60
    netmask       255.255.255.0
answer if it has that address already
  none          no record of the client
`
	s.write(s.conf, strings.Replace(loop, `"a \"b\""`, `'a \"b'`, 1))
	before := s.files()
	out, stderr, status := s.dhcpd("-e", "0:0:5e:0:53:8", "class", `a "bc"`, "10.99.0.10")
	if out != want || stderr != "" || status != 0 {
		t.Errorf("status %d, %s\n%swant\n%s", status, stderr, out, want)
	}
	if after := s.files(); after != before {
		t.Errorf("-e has changed files: %s, before %s", after, before)
	}
}

// TestL11_Plain: people see what is assumed, what a NAK says, and no more.
func TestL11_Plain(t *testing.T) {
	s := newSite(t, loop+`option "lo" probe;`)
	s.expect("-a 10.99.0.10", "", "", 0)
	out, stderr, status := s.dhcpd("-e", "0:0:5e:0:53:8", "10.99.0.10")
	if status != 0 || stderr != "" || !strings.Contains(out, "\nassumed       nobody answers for the address\nanswer\n") {
		t.Errorf("status %d, %s, %s", status, stderr, out)
	}
	out, _, _ = s.dhcpd("-e", "0:0:5e:0:53:8", "circuit", "port\x1b 7", "remote", "2:0:5e:0:ff:7f")
	if !strings.Contains(out, "\ncircuit       port\\033 7\nremote        \\002\\000^\\000\\377\\177\n") {
		t.Errorf("what a relay says is not to be recognised in %s", out)
	}
	out, stderr, status = s.dhcpd("-e", "0:0:5e:0:53:9", "10.99.0.10")
	if status != 0 || stderr != "" || !strings.HasSuffix(out, `answer if it has that address already
  type          DHCPNAK
  options
    DHCPserverID  127.0.0.1
    DHCPmessage   "address is not the client's"
  why           address is not the client's
`) || strings.Contains(out, "assumed") {
		t.Errorf("status %d, %s, %s", status, stderr, out)
	}
}

// files lists the files there, and how they are.
func (s *site) files() (list string) {
	entries, err := os.ReadDir(filepath.Dir(s.conf))
	if err != nil {
		s.Fatal(err)
	}
	for _, e := range entries {
		text, _ := os.ReadFile(filepath.Join(filepath.Dir(s.conf), e.Name()))
		list += e.Name() + " " + string(text) + "\n"
	}
	return list
}

// TestL11_Nothing: who can be given nothing hears why, and the exit status is 1.
func TestL11_Nothing(t *testing.T) {
	s := newSite(t, loop) // and no pool
	out, stderr, status := s.dhcpd("-e", "0:0:5e:0:53:8")
	if status != 1 || stderr != "" || !strings.Contains(out, "  free address      10.99.0.0/24      none\n") ||
		!strings.Contains(out, "none\nanswer\n  none          no address for the client on its network\n") {
		t.Errorf("status %d, %s, %s", status, stderr, out)
	}
	s.write(s.conf, "host 10.99.0.0/24 { };")
	s.expect("-e 0:0:5e:0:53:8", "client        0100005e005308\n",
		"dhcpd: No network is served: 'option server' is not there, or not for a network that is\n", 1)
	s.write(s.conf, "bla;")
	if _, stderr, status := s.dhcpd("-e", "01ff"); status != 1 || !strings.Contains(stderr, "line 1: ") {
		t.Errorf("a config that is none: %d, %s", status, stderr)
	}
}

// TestL11_Words: what can't be understood is one clear line.
func TestL11_Words(t *testing.T) {
	s := newSite(t, loop)
	for args, want := range map[string]string{
		"zz":                           "zz: Neither an Ethernet address nor a client ID",
		"01":                           "01: Neither an Ethernet address nor a client ID",
		"1:2:3":                        "1:2:3: Neither an Ethernet address nor a client ID",
		"01ff class":                   "Only one text can and must follow 'class'",
		"01ff circuit a circuit b":     "Only one text can and must follow 'circuit'",
		"01ff 10.0.0.1 10.0.0.2":       "10.0.0.2: Only one address can be asked for",
		"01ff 10.0.0.0/24":             "10.0.0.0/24: Only one address can be asked for",
		"01ff nobody.invalid":          "nobody.invalid: Unknown host, nor 'bootp', 'class', 'circuit' or 'remote'",
		strings.Repeat("ff", 256) + "": strings.Repeat("ff", 256) + ": Neither an Ethernet address nor a client ID",
	} {
		s.expect("-e "+args, "", "dhcpd: "+want+"\n", 1)
	}
	for _, id := range []string{"0:0:5e:0:53:9", "00:00:5E:00:53:09", "0100005e005309", "0100005E005309"} {
		if out, _, status := s.dhcpd("-e", id); status != 0 || !strings.HasPrefix(out, "client        0100005e005309\nclient lines\n  "+s.conf+":10 ") || !strings.Contains(out, "\nchosen        10.99.0.9\n") {
			t.Errorf("%s: status %d, %s", id, status, out)
		}
	}
}

// TestL11_BOOTP: such a client gets an address of its own only.
func TestL11_BOOTP(t *testing.T) {
	s := newSite(t, loop)
	s.expect("-a 10.99.0.10", "", "", 0)
	for client, want := range map[string]string{
		"9": "answer\n  type          BOOTP\n  address       10.99.0.9\n",
		"8": "answer\n  none          no address for the BOOTP client\n",
	} {
		if out, _, _ := s.dhcpd("-e", "0:0:5e:0:53:"+client, "bootp"); !strings.Contains(out, want) {
			t.Errorf("%s: %s", client, out)
		}
	}
}

// TestL11_BesideADaemon: no lock is taken, nor waited for.
func TestL11_BesideADaemon(t *testing.T) {
	s := newSite(t, loop)
	s.expect("-a 10.99.0.10", "", "", 0)
	defer s.lease(s.record("10.99.0.10", pool.Bound, 60)).Close()
	out, stderr, status := s.dhcpd("-e", "0:0:5e:0:53:7")
	if status != 0 || stderr != "" || !strings.Contains(out, "  current lease     10.99.0.0/24      10.99.0.10\n") {
		t.Errorf("status %d, %s, %s", status, stderr, out)
	}
}

// object reads what -j prints.
func object(t *testing.T, out string) (o map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(out), &o); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return o
}

// at walks down an object by names and numbers.
func at(t *testing.T, o any, way ...any) any {
	t.Helper()
	for _, w := range way {
		switch w := w.(type) {
		case string:
			m, ok := o.(map[string]any)
			if o = m[w]; !ok || o == nil {
				t.Fatalf("no %s in %v", w, m)
			}
		case int:
			l, ok := o.([]any)
			if !ok || w >= len(l) {
				t.Fatalf("no element %d in %v", w, o)
			}
			o = l[w]
		}
	}
	return o
}

// hostile is a text that quotes, controls, and is no UTF-8.
const hostile = "a\"\\b\x00\n\x1b[2J\x7f\xff\xc3(\u20ac</script>"

func TestL7_Explain(t *testing.T) {
	s := newSite(t, loop+`client 0:0:5e:0:53:8 10.99.0.8 { rootpath "a\"\x01\xff"; };`)
	out, stderr, status := s.dhcpd("-ej", "0:0:5e:0:53:8", "class", strings.ReplaceAll(hostile, `\`, `\\`), "remote", "\xff\xfe", "10.99.0.8")
	if status != 0 || stderr != "" {
		t.Fatal(status, stderr)
	}
	o := object(t, out)
	for _, tt := range []struct {
		want any
		way  []any
	}{
		{"0100005e005308", []any{"client"}},
		{"a\"\\b\x00\n\x1b[2J\x7f\ufffd\ufffd(\u20ac</script>", []any{"class"}},
		{"\ufffd\ufffd", []any{"remote"}},
		{"10.99.0.8", []any{"address"}},
		{s.conf, []any{"entries", 0, "file"}},
		{11.0, []any{"entries", 0, "line"}},
		{"lo", []any{"networks", 0, "interface"}},
		{"client line", []any{"networks", 0, "rules", 0, "rule"}},
		{"10.99.0.0/24", []any{"networks", 0, "rules", 1, "network"}},
		{"10.99.0.8", []any{"networks", 0, "chosen"}},
		{"host 10.99.0.0/24", []any{"networks", 0, "lines", 0, "text"}},
		{1.0, []any{"networks", 0, "lines", 1, "depth"}},
		{"removed by " + s.conf + ":9", []any{"networks", 0, "lines", 4, "fate"}},
		{`rootpath "a\"\001\377"`, []any{"networks", 0, "lines", 7, "text"}},
		{false, []any{"networks", 0, "secured"}},
		{false, []any{"networks", 0, "checked"}},
		{"DHCPOFFER", []any{"networks", 0, "answer", "type"}},
		{"10.99.0.8", []any{"networks", 0, "answer", "address"}},
		{"3600", []any{"networks", 0, "answer", "options", "DHCPlease"}},
		{`"a\"\001\377"`, []any{"networks", 0, "answer", "options", "rootpath"}},
		{"DHCPACK", []any{"networks", 0, "keep", "type"}},
	} {
		if got := at(t, o, tt.way...); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.way, got, tt.want)
		}
	}
}

// TestL7_Query: all that -q shows, as an object, and never a nonce.
func TestL7_Query(t *testing.T) {
	s := newSite(t, "")
	s.expect("-a 192.0.2.1-192.0.2.5", "", "", 0)
	bound := s.record("192.0.2.1", pool.Bound, 60)
	bound.Host, bound.Class, bound.Agent = hostile, []byte(hostile), append([]byte{1, byte(len(hostile))}, hostile...)
	bound.Nonce, bound.Asleep, bound.Last = []byte("0123456789abcdef"), true, bound.Since
	declined := s.record("192.0.2.2", pool.Abandoned, 60)
	declined.Decliner, declined.Holder = []byte{1, 2}, pool.HW{Type: 1, Len: 6, Addr: [16]byte{2}}
	relayed := s.record("192.0.2.9", pool.Relayed, 60)
	relayed.Via, relayed.Server = "eth\"0", netip.MustParseAddr("192.0.2.250")
	s.lease(bound, declined, s.record("192.0.2.3", pool.Bound, -10), s.record("192.0.2.4", pool.Fixed, pool.Infinite), relayed).Close()
	e := cache.Entry{Name: "we\"ird", Addr: netip.MustParsePrefix("10.0.0.7/8"), End: s.now.Wall.Add(3600e9), Sname: hostile}
	e.Options.Put(dhcp4.Authentication, []byte("0123456789abcdef"))
	e.Options.PutText(dhcp4.DomainName, hostile)
	e.Options.Put(dhcp4.DNSServer, []byte{192, 0, 2, 1, 192, 0, 2, 2})
	held := cache.File{Entries: []cache.Entry{e}}
	if err := cache.Write(s.cache, held, dhcp4.Builtin(), cache.Clock{Now: s.now.Wall, Boot: s.now.Boot, Wall: s.now.Wall, Up: s.now.Up, Built: pool.Built}); err != nil {
		t.Fatal(err)
	}
	out, stderr, status := s.dhcpd("-qj")
	if status != 0 || stderr != "" {
		t.Fatal(status, stderr)
	}
	o := object(t, out)
	const shown = "a\"\\b\x00\n\x1b[2J\x7f\ufffd\ufffd(\u20ac</script>"
	for _, tt := range []struct {
		want any
		way  []any
	}{
		{"we\"ird", []any{"networks", 0, "interface"}},
		{"10.0.0.7/8", []any{"networks", 0, "address"}},
		{3600.0, []any{"networks", 0, "left"}},
		{"2027-01-15T09:00:00Z", []any{"networks", 0, "ends"}},
		{"192.0.2.1 192.0.2.2", []any{"networks", 0, "options", "DNSserver"}},
		{"192.0.2.1", []any{"leases", 0, "address"}},
		{"active", []any{"leases", 0, "state"}},
		{60.0, []any{"leases", 0, "left"}},
		{"2027-01-15T08:01:00Z", []any{"leases", 0, "ends"}},
		{"2027-01-15T07:59:30Z", []any{"leases", 0, "since"}},
		{"2027-01-15T07:59:30Z", []any{"leases", 0, "last"}},
		{"0100005e005307", []any{"leases", 0, "client"}},
		{"00:00:5e:00:53:07", []any{"leases", 0, "ether"}},
		{shown, []any{"leases", 0, "host"}},
		{shown, []any{"leases", 0, "class"}},
		{shown, []any{"leases", 0, "circuit"}},
		{"unanswered", []any{"leases", 0, "wake"}},
		{"abandoned", []any{"leases", 1, "state"}},
		{"0102", []any{"leases", 1, "decliner"}},
		{"02:00:00:00:00:00", []any{"leases", 1, "holder"}},
		{"2027-01-15T08:09:30Z", []any{"leases", 1, "probe"}},
		{"expired", []any{"leases", 2, "state"}},
		{-10.0, []any{"leases", 2, "left"}},
		{"fixed", []any{"leases", 3, "state"}},
		{"infinite", []any{"leases", 3, "left"}},
		{"unused", []any{"leases", 4, "state"}},
		{"relayed", []any{"relayed", 0, "state"}},
		{"eth\"0", []any{"relayed", 0, "via"}},
		{"192.0.2.250", []any{"relayed", 0, "server"}},
	} {
		if got := at(t, o, tt.way...); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.way, got, tt.want)
		}
	}
	for _, not := range []string{"0123456789abcdef", "30313233343536", "nonce", "auth"} {
		if strings.Contains(out, not) {
			t.Errorf("%s is in %s", not, out)
		}
	}
}

// TestL7_Counts: what the daemon has counted, and when things were.
func TestL7_Counts(t *testing.T) {
	var j jsonText
	j.open("", '{')
	j.counts([]byte("@100 start\n7 DHCPDISCOVER received\n\nx\n18446744073709551615 a \"b\"\xff\n"), true, 160, 1_800_000_000)
	j.close('}')
	o := object(t, string(j.b))
	for _, tt := range []struct {
		want any
		way  []any
	}{
		{true, []any{"daemon", "running"}},
		{"start", []any{"daemon", "counts", 0, "what"}},
		{-60.0, []any{"daemon", "counts", 0, "left"}},
		{"2027-01-15T07:59:00Z", []any{"daemon", "counts", 0, "time"}},
		{"DHCPDISCOVER received", []any{"daemon", "counts", 1, "what"}},
		{7.0, []any{"daemon", "counts", 1, "count"}},
		{"a \"b\"\ufffd", []any{"daemon", "counts", 2, "what"}},
	} {
		if got := at(t, o, tt.way...); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.way, got, tt.want)
		}
	}
}

// TestL7_NothingThere: the lists are there even if nothing is in them.
func TestL7_NothingThere(t *testing.T) {
	s := newSite(t, "")
	s.expect("-qj", `{"networks":[],"leases":[],"relayed":[]}`+"\n", "", 0)
}
