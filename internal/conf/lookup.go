package conf

import "net/netip"

// Lookup returns the addresses that a name has in the text of a hosts file, by
// the rule for names in a config file: flotsam finds flotsam.example.com.
func Lookup(hostsText, name string) []netip.Addr {
	h := hosts{text: hostsText}
	var list []netip.Addr
	for _, a := range h.lookup(name) {
		list = append(list, fromAddr(a))
	}
	return list
}
