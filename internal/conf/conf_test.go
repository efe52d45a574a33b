package conf

import (
	"encoding/hex"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"dhcpd/internal/netip"
)

func addr(s string) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(s)
}

// files makes an Env.Include of texts by path.
func files(m map[string]string) func(string) (string, error) {
	return func(path string) (string, error) {
		text, ok := m[path]
		if !ok {
			return "", fs.ErrNotExist
		}
		return text, nil
	}
}

// id makes a client ID of its hexadecimal form.
func id(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// show prints what was gathered: one tag a line, sorted by name, values as in
// the config language.
func show(c *Config, info *Info) string {
	var lines []string
	for code, v := range info.Options.All() {
		t, _ := c.Dict().ByCode(code)
		lines = append(lines, t.Name+" "+string(t.AppendValue(nil, v)))
	}
	if info.Siaddr != netip.IPv4Unspecified() {
		lines = append(lines, "siaddr "+info.Siaddr.String())
	}
	if info.Sname != nil {
		lines = append(lines, "sname "+string(info.Sname))
	}
	if info.File != nil {
		lines = append(lines, "file "+string(info.File))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return strings.Join(lines, "; ")
}

// gather shows what a client without any ID is given at an address.
func gather(t *testing.T, c *Config, q Query, a string) string {
	t.Helper()
	var info Info
	if !c.Gather(&q, addr(a), &info) {
		return "nothing"
	}
	return show(c, &info)
}

// house reads the example of a house: all features of the language.
func house(t *testing.T) *Config {
	t.Helper()
	hosts, err := os.ReadFile("testdata/house.hosts")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load("testdata/house.conf", Env{Hosts: string(hosts), Interfaces: []Ifname{
		{"lo", 1, false}, {"eth1", 7, true}, {"eth0", 4, true}, {"ip2", 9, false},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestP1_House(t *testing.T) {
	c := house(t)
	if got, want := strings.Join(c.Problems(), "\n"), `"testdata/house.conf", line 44: Can't find the address of 'birke'`; got != want {
		t.Errorf("problems:\n%s\nwant:\n%s", got, want)
	}
	if got, want := strings.Join(c.Files(), " "), "testdata/house.conf testdata/tags.conf testdata/not-there.conf"; got != want {
		t.Errorf("files %s, want %s", got, want)
	}
	common := "DNSserver 10.11.12.2 10.11.12.3; domain \"home.example\"; gateway 10.11.12.1; "
	colours := "color 1 2 255; "
	tests := []struct {
		name, id, hw, class string
		on, fixed           string // first pass
		at, want            string // second pass, at fixed if "", and what it gathers
	}{
		{name: "no entry, pool address", id: "0102000000aa01", on: "10.11.12.1", at: "10.11.12.97",
			want: "DHCPlease 259200; " + common + "netmask 255.255.255.128"},
		{name: "beyond the pool", id: "0102000000aa01", on: "10.11.12.1", at: "10.11.12.95",
			want: common + "netmask 255.255.255.128"},
		{name: "network without data, hosts has its name", on: "10.11.12.252", at: "10.11.12.253",
			want: "domain \"lab.example\"; hostname \"linde\"; netmask 255.255.255.252; DNSserver 192.0.2.53 192.0.2.54"},
		{name: "no network", id: "01020000000001", on: "192.168.1.1", at: "192.168.1.7", want: "nothing"},
		{name: "server", id: "01020000000001", on: "10.11.12.1", fixed: "10.11.12.2",
			want: "DNSserver 192.0.2.53 192.0.2.54; domain \"home.example\"; hostname \"linde\"; netmask 255.255.255.128"},
		{name: "server on the other wire", id: "01020000000001", on: "10.11.12.254", fixed: "10.11.12.253",
			want: "DNSserver 192.0.2.53 192.0.2.54; domain \"lab.example\"; hostname \"linde\"; netmask 255.255.255.252"},
		{name: "body of the client line", id: "01020000000002", on: "10.11.12.1", fixed: "10.11.12.3",
			want: "DNSserver 10.11.12.2; domain \"home.example\"; gateway 10.11.12.1; hostname \"oak \\\"2\\\"\"; netmask 255.255.255.128"},
		{name: "its body goes with its address only", id: "01020000000002", on: "10.11.12.1", fixed: "10.11.12.3", at: "10.11.12.9",
			want: common + "netmask 255.255.255.128"},
		{name: "class within host", id: "01020000000002", class: "MSFT 5.0", on: "10.11.12.1", fixed: "10.11.12.3",
			want: "DNSserver 10.11.12.2; domain \"home.example\"; file pxe/linux.0; gateway 10.11.12.1; hostname \"oak \\\"2\\\"\"; NetBIOSnodetype 8; NetBIOSNS 10.11.12.2 10.11.12.3; netmask 255.255.255.128; siaddr 10.11.12.2; sname linde"},
		{name: "class after the line that it overrides", id: "01020000000002", class: "Minix", on: "10.11.12.1", fixed: "10.11.12.3",
			want: "DNSserver 10.11.12.3 10.11.12.2; domain \"home.example\"; gateway 10.11.12.1; hostname \"oak \\\"2\\\"\"; netmask 255.255.255.128"},
		{name: "class of another case", id: "01020000000002", class: "msft 5.0", on: "10.11.12.1", fixed: "10.11.12.3",
			want: "DNSserver 10.11.12.2; domain \"home.example\"; gateway 10.11.12.1; hostname \"oak \\\"2\\\"\"; netmask 255.255.255.128"},
		{name: "macro that stands further down", id: "01020000000003", on: "10.11.12.1", fixed: "10.11.12.4",
			want: colours + common + "hostname \"buche\"; IPforwarding false; IPTTL 32; NetBIOSscope 00ff; netmask 255.255.255.128; zoneoffset 4294963696"},
		{name: "other ID, macro in braces, retyped tag", id: "ff00000001", on: "10.11.12.1", fixed: "10.11.12.5",
			want: colours + common + "hostname \"ahorn\"; IPforwarding false; IPTTL 32; NetBIOSscope 00ff; netmask 255.255.255.128; printerURI \"ipp://ahorn/\"; rootpath \"/export/ahorn\"; zoneoffset 4294963696"},
		{name: "interface names are for our own only", id: "01020000000004", on: "10.11.12.1", fixed: "10.11.12.6",
			want: colours + common + "hostname \"kiefer\"; IPforwarding false; IPTTL 32; NetBIOSscope 00ff; netmask 255.255.255.128; zoneoffset 4294963696"},
		{name: "name that is not known", id: "01020000000005", on: "10.11.12.1", at: "10.11.12.9",
			want: common + "netmask 255.255.255.128"},
		{name: "ID that is not known, but the Ethernet address is", id: "ff11", hw: "01020000000003", on: "10.11.12.1", fixed: "10.11.12.4",
			want: colours + common + "hostname \"buche\"; IPforwarding false; IPTTL 32; NetBIOSscope 00ff; netmask 255.255.255.128; zoneoffset 4294963696"},
		{name: "ID that is known, and so is the Ethernet address", id: "ff00000001", hw: "01020000000003", on: "10.11.12.1", fixed: "10.11.12.5", at: "10.11.12.9",
			want: common + "netmask 255.255.255.128"},
		{name: "Ethernet address of an entry that is an ID", id: "ff11", hw: "ff00000001", on: "10.11.12.1", at: "10.11.12.9",
			want: common + "netmask 255.255.255.128"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := Query{ID: id(t, tt.id), HW: id(t, tt.hw), Class: []byte(tt.class)}
			got, ok := c.Ask(&q).Fixed(addr(tt.on))
			if ok != (tt.fixed != "") || got != addr(tt.fixed) {
				t.Errorf("first pass: %v %v, want %q", got, ok, tt.fixed)
			}
			at := tt.at
			if at == "" {
				at = tt.fixed
			}
			got2, want := gather(t, c, q, at), sortTags(tt.want)
			if got2 != want {
				t.Errorf("second pass:\n got %s\nwant %s", got2, want)
			}
		})
	}
}

func sortTags(s string) string {
	lines := strings.Split(s, "; ")
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return strings.Join(lines, "; ")
}
