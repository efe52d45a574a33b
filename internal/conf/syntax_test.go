package conf

import (
	"fmt"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
)

// Words and strings of configfile(5), each as the value of an ascii tag.
func TestP1_Words(t *testing.T) {
	tests := []struct{ text, want string }{
		{`rootpath /export/a-b_c.d`, "/export/a-b_c.d"},
		{`rootpath !#$%&*+-./<=>?[]^_|~:`, "!#$%&*+-./<=>?[]^_|~:"},
		{`rootpath a#b`, "a#b"},
		{`rootpath gr\303\274n`, "grün"},
		{`rootpath grün`, "grün"},
		{`rootpath "two words; {no braces} # no comment"`, "two words; {no braces} # no comment"},
		{`rootpath 'a "quoted" word'`, `a "quoted" word`},
		{`rootpath "it's"`, "it's"},
		{`rootpath "a\"b\\c"`, `a"b\c`},
		{`rootpath ''`, ""},
		{`rootpath a\"b\;c\ d`, `a"b;cd`},
		{"rootpath a\\\n  # comment\n\tb", "ab"},
		{"rootpath \"a\\\n   b\"", "ab"},
		{`rootpath \a\b\e\f\n\r\s\t\v`, "\a\b\x1b\f\n\r \t\v"},
		{`rootpath \A\q\(`, "Aq("},
		{`rootpath \1\12\123\1234`, "\x01\nS" + "S4"},
		{`rootpath \x4\x4aX\X4a\x4aa\x4g`, "\x04JXJJa\x04g"},
		{`rootpath \777\8`, "\xff8"},
		{"rootpath\n#comment ; }\na", "a"},
		{"#rootpath b\nrootpath a#\n;#rootpath c;\n", "a#"},
		{"\t\r\v\frootpath\ta\r\n;", "a"},
		{"rootpath a;# the end", "a"},
		{`RootPath a`, "a"},
		{`"rootpath" a`, "a"},
		{`;;rootpath a;;`, "a"},
		{`rootpath b; rootpath a`, "a"},
		{`macro m { ; rootpath a ; }; macro M`, "a"},
		{`host 10.0.0.1{rootpath a}`, "a"},
		{`host 10.0.0.1"m";macro'm'{rootpath"a"}`, "a"},
	}
	for _, tt := range tests {
		c, err := Parse("dhcp.conf", "netmask /8; "+tt.text, Env{})
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		var info Info
		c.Gather(&Query{}, addr("10.0.0.1"), &info)
		if got := string(info.Options.Get(dhcp4.Code(17))); got != tt.want || !info.Options.Has(17) {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestP1_Include(t *testing.T) {
	env := Env{Include: files(map[string]string{
		"/etc/net/a.conf":     "gateway 10.0.0.1;\ninclude sub/b.conf;",
		"/etc/net/sub/b.conf": "include c.conf; include ../a2.conf; include \"/c.conf\"",
		"/etc/net/sub/c.conf": "DNSserver 10.0.0.2",
		"/etc/net/a2.conf":    "\n\nmacro none;",
		"/c.conf":             "DNSserver 10.0.0.3",
	})}
	text := "netmask /8; host 10.0.0.9 { DNSserver 10.0.0.9; Include a.conf; domain x };\ninclude a2.conf;"
	c, err := Parse("/etc/net/dhcp.conf", text, env)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := gather(t, c, Query{}, "10.0.0.9"), `DNSserver 10.0.0.3; domain "x"; gateway 10.0.0.1; netmask 255.0.0.0`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	wantFiles := "/etc/net/dhcp.conf /etc/net/a.conf /etc/net/sub/b.conf /etc/net/sub/c.conf /etc/net/a2.conf /c.conf"
	if got := strings.Join(c.Files(), " "); got != wantFiles {
		t.Errorf("files %s\nwant %s", got, wantFiles)
	}
	if got, want := strings.Join(c.Problems(), "\n"), `"/etc/net/a2.conf", line 3: Macro 'none' is not defined`; got != want {
		t.Errorf("problems %s\nwant %s", got, want)
	}
}

// Names of hosts are found by their first parts.
func TestP1_HostNames(t *testing.T) {
	const hosts = `10.0.0.1 alpha.example.com
10.0.0.2	alphabeta.example.com beta # gamma
10.0.0.3
604800 %ttl
::1 alpha
# 10.0.0.4 delta
127.0.1.1 alpha.example.com beta
10.0.0.1 alpha-x alpha
127.0.0.1 localhost
10.0.0.6 ALPHA.example.net`
	for name, want := range map[string]string{
		"alpha":               "[10.0.0.1 10.0.0.6]",
		"Alpha.Example":       "[10.0.0.1 10.0.0.6]",
		"alpha.example.com":   "[10.0.0.1]",
		"alpha.example.com.x": "[]",
		"alph":                "[]",
		"alphabeta":           "[10.0.0.2]",
		"beta":                "[10.0.0.2]",
		"gamma":               "[]",
		"delta":               "[]",
		"example":             "[]",
		"localhost":           "[127.0.0.1]",
		"%ttl":                "[]",
	} {
		if got := fmt.Sprint(Lookup(hosts, name)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// The values of each type of tag, as they go over the wire.
func TestP1_Values(t *testing.T) {
	hosts := "10.0.0.2 alpha.example.com beta\n10.9.0.2 alpha.example.com\n10.0.0.3 alphabeta.example.com\n"
	tests := []struct{ text, want string }{
		{"hostname a", "hostname 61"},
		{"IPforwarding TRUE", "IPforwarding 01"},
		{"IPforwarding false", "IPforwarding 00"},
		{"tag 224 bits boolean 2 4; bits true false true True", "bits 01000101"},
		{"gateway 10.0.0.1 10.2 10.0.513 0xa.010.0x10.1", "gateway 0a0000010a0000020a0002010a081001"},
		{"netmask /27", "netmask ffffffe0"},
		{"netmask 255.255.252.0", "netmask fffffc00"},
		{"swapserver /0", "swapserver 00000000"},
		{"DNSserver Alpha alphabeta BETA alpha.example", "DNSserver 0a0000020a0000030a0000020a000002"},
		{"DNSserver unknown alpha", "DNSserver 0a000002"},
		{"DNSserver 10.0.0.9; DNSserver unknown", "DNSserver 0a000009"},
		{"IPstaticroute 10.1.0.0 unknown 10.2.0.0 alpha", "IPstaticroute 0a0200000a000002"},
		{"IPTTL 64", "IPTTL 40"},
		{"IPTTL -1", "IPTTL ff"},
		{"IPMTUplateau 68 0x128 0450", "IPMTUplateau 004401280128"},
		{"DHCPlease 4294967295", "DHCPlease ffffffff"},
		{"zoneoffset -3600", "zoneoffset fffff1f0"},
		{"VENDOR 0102FFff", "VENDOR 0102ffff"},
		{`rapidcommit ""`, "rapidcommit "},
		{"domainsearch example.com eng.example.com.", "domainsearch 076578616d706c6503636f6d0003656e67c000"},
		{"IProute 0.0.0.0/0 alpha 10.17.0.99/16 0.0.0.0", "IProute 000a000002100a1100000000"},
		{"IProute 10.0.0.0/8 unknown 192.0.2.128/25 10.0.0.1", "IProute 19c00002800a000001"},
		{"captiveportal https://example.com/x?y", "captiveportal 68747470733a2f2f6578616d706c652e636f6d2f783f79"},
		{"T230 00ff", "T230 00ff"},
		{"tag 119 search ascii 1 0; search a", "search 61"},
		{"tag 3 router ip 1 0; tag 200 gateway octet 1 0; gateway 00; router 10.0.0.1", "gateway 00; router 0a000001"},
		{"tag 128 key octet 1 0; key 00ff", "key 00ff"},
		{"tag 128 remote octet 1 0; host 10.0.0.9 { remote 00ff; }", "remote 00ff"},
		{"siaddr alpha; sname \"\"; file boot; sname a", "siaddr 10.0.0.2; sname a; file boot"},
		{"file boot; no file; sname a; siaddr 10.0.0.1; no SNAME; no siaddr; gateway 10.0.0.1; no gateway", ""},
	}
	for _, tt := range tests {
		c, err := Parse("dhcp.conf", tt.text, Env{Hosts: hosts})
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		// As octets, whatever their type.
		d := c.dict
		for tag := range d.All() {
			d.Define(dhcp4.Tag{Code: tag.Code, Name: tag.Name, Gran: 1})
		}
		var info Info
		c.Gather(&Query{}, addr("10.0.0.9"), &info)
		if got := show(c, &info); got != sortTags(tt.want) {
			t.Errorf("%s:\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}
