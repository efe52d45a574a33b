package main

import (
	"net/netip"
	"strings"
)

// lookup returns the addresses of a name in the text of a hosts file, by the
// rule of the config language: flotsam finds flotsam.example.com.
func lookup(hosts, name string) (list []netip.Addr) {
	for line := range strings.Lines(hosts) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		a, err := netip.ParseAddr(f[0])
		for _, n := range f[1:] {
			if err == nil && a.Is4() && hasPrefixFold(n+".", name+".") {
				list = append(list, a)
				break
			}
		}
	}
	return list
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
