package main

import (
	"strconv"
	"strings"
	"testing"

	"dhcpd/internal/conf"
	"dhcpd/internal/netip"
)

func TestL3_Hosts(t *testing.T) {
	lookup := func(name string) []netip.Addr {
		if name == "printer-2" {
			return []netip.Addr{netip.MustParseAddr("10.0.0.2")}
		}
		return nil
	}
	tests := []struct{ host, want string }{ // want: addresses, or an error after a !
		{"10.0.0.1", "10.0.0.1"},
		{"printer-2", "10.0.0.2"},
		{"10.0.0.8-10.0.0.10", "10.0.0.8 10.0.0.9 10.0.0.10"},
		{"10.0.0.255-10.0.1.1", "10.0.0.255 10.0.1.0 10.0.1.1"},
		{"10.0.0.8-10.0.0.8", "10.0.0.8"},
		{"10.0.0.0/30", "10.0.0.1 10.0.0.2"},
		{"10.0.0.4/31", "10.0.0.4 10.0.0.5"},
		{"10.0.0.4/32", "10.0.0.4"},
		{"printer", "!printer: Unknown host"},
		{"10.0.0", "!10.0.0: Unknown host"},
		{"10.0.0.256", "!10.0.0.256: Unknown host"},
		{"::1", "!::1: Unknown host"},
		{"::/64", "!::/64: Unknown host"},
		{"10.0.0.0/33", "!10.0.0.0/33: Unknown host"},
		{"10.0.0.1-", "!10.0.0.1-: Unknown host"},
		{"10.0.0.1-::1", "!10.0.0.1-::1: Unknown host"},
		{"10.0.0.9-10.0.0.8", "!10.0.0.9-10.0.0.8: The range ends before it begins"},
		{"10.0.0.9/24", "!10.0.0.9/24: Not a netblock (did you mean 10.0.0.0/24?)"},
		{"10.0.0.0/8", "!10.0.0.1-10.255.255.254: More than 4194304 addresses"},
		{"0.0.0.0-255.255.255.255", "!0.0.0.0-255.255.255.255: More than 4194304 addresses"},
		{"0.0.0.0", "!0.0.0.0: Not an address for a host"},
		{"0.255.255.255-1.0.0.1", "!0.255.255.255: Not an address for a host"},
		{"127.0.0.1", "!127.0.0.1: Not an address for a host"},
		{"224.0.0.1", "!224.0.0.1: Not an address for a host"},
		{"255.255.255.255", "!255.255.255.255: Not an address for a host"},
		{"223.255.255.254-224.0.0.0", "!224.0.0.0: Not an address for a host"},
	}
	for _, tt := range tests {
		list, err := expand(tt.host, lookup)
		words := make([]string, len(list))
		for i, a := range list {
			words[i] = a.String()
		}
		got := strings.Join(words, " ")
		if err != nil {
			got = "!" + err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.host, got, tt.want)
		}
	}
}

func TestL3_NetblockWithoutItsEnds(t *testing.T) {
	for bits := 10; bits <= 30; bits++ {
		list, err := expand("10.64.0.0/"+strconv.Itoa(bits), nil)
		if err != nil {
			t.Fatal(err)
		}
		p := netip.PrefixFrom(list[0], bits).Masked()
		if len(list) != 1<<(32-bits)-2 || list[0] != p.Addr().Next() || p.Contains(list[len(list)-1].Next().Next()) {
			t.Errorf("/%d: %d addresses, %v to %v", bits, len(list), list[0], list[len(list)-1])
		}
	}
}

func TestL3_NamesByTheHostsFile(t *testing.T) {
	const hosts = "127.0.0.1 localhost\n10.0.0.1 Flotsam.example.com f # alpha\n::1 alpha\n" +
		"10.0.0.2 alphabeta\n10.0.1.1 flotsam.example.org\n"
	for name, want := range map[string]string{
		"flotsam": "10.0.0.1 10.0.1.1", "FLOTSAM.example.com": "10.0.0.1", "f": "10.0.0.1",
		"alpha": "", "alphabeta": "10.0.0.2", "flot": "",
	} {
		var got []string
		for _, a := range conf.Lookup(hosts, name) {
			got = append(got, a.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
}
