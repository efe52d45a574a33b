package conf

import (
	"strings"

	"dhcpd/internal/ascii"
	"dhcpd/internal/netip"
)

// hosts is the hosts file, and behind it the names that someone else resolved.
type hosts struct {
	text    string
	resolve func(name string) []netip.Addr
	list    []hostName          // from number 1 on
	labels  map[string]int32    // one of those that begin with a label; nil before the first look-up
	others  map[string][]uint32 // names that the hosts file does not have
	asked   []string            // the same, in the order of the config file
}

type hostName struct {
	name string // in lower case
	addr uint32
	next int32 // another one with the same first label, 0 for none
}

// Lookup returns the addresses that a name has in the text of a hosts file, by
// the rule for names in a config file: flotsam finds flotsam.example.com.
func Lookup(hostsText, name string) []netip.Addr {
	h := hosts{text: hostsText}
	var list []netip.Addr
	for _, a := range h.lookup(name) {
		list = append(list, netip.AddrFrom(a))
	}
	return list
}

// entries calls f with each line's address and the names that follow it. What
// is not an IPv4 address is no entry.
func (h *hosts) entries(f func(addr uint32, names string)) {
	for line := range strings.Lines(h.text) {
		line, _, _ = strings.Cut(line, "#")
		line = ascii.Trim(line)
		i := strings.IndexAny(line, " \t")
		if i < 0 {
			continue
		}
		if addr, ok := netip.ParseAddr(line[:i]); ok {
			a, _ := toAddr(addr)
			f(a, line[i:])
		}
	}
}

// names returns the first name of each address.
func (h *hosts) names() map[uint32]string {
	m := make(map[uint32]string, strings.Count(h.text, "\n"))
	h.entries(func(a uint32, names string) {
		if _, ok := m[a]; !ok {
			for _, name := range ascii.Fields(names) {
				m[a] = name
				break
			}
		}
	})
	return m
}

// longest returns the length of the longest name.
func (h *hosts) longest() int {
	most := 0
	h.entries(func(_ uint32, names string) { most = max(most, len(names)) })
	return most
}

// lookup returns all addresses of a name, none if it is not known.
func (h *hosts) lookup(name string) []uint32 {
	if h.labels == nil {
		h.read()
	}
	name = ascii.Lower(name)
	if addrs := h.search(name); len(addrs) > 0 {
		return addrs
	}
	addrs, ok := h.others[name]
	if !ok {
		addrs = h.ask(name)
		h.others[name] = addrs
		h.asked = append(h.asked, name)
	}
	return addrs
}

func (h *hosts) read() {
	lines := strings.Count(h.text, "\n")
	h.others = map[string][]uint32{}
	h.labels = make(map[string]int32, lines)
	h.list = make([]hostName, 1, 2*lines+2)
	h.entries(func(a uint32, names string) {
		for _, name := range ascii.Fields(names) {
			name = ascii.Lower(name)
			label, _, _ := strings.Cut(name, ".")
			h.list = append(h.list, hostName{name, a, h.labels[label]})
			h.labels[label] = int32(len(h.list) - 1)
		}
	})
}

// search finds name itself and names of which it is the first part: flotsam
// finds flotsam.example.com, but alpha does not find alphabeta.
func (h *hosts) search(name string) []uint32 {
	var addrs []uint32
	label, _, _ := strings.Cut(name, ".")
	for i := h.labels[label]; i != 0; i = h.list[i].next {
		rest, ok := strings.CutPrefix(h.list[i].name, name)
		if ok && (rest == "" || rest[0] == '.') {
			addrs = append(addrs, h.list[i].addr)
		}
	}
	return tidy(addrs)
}

func (h *hosts) ask(name string) []uint32 {
	var addrs []uint32
	if h.resolve != nil {
		for _, a := range h.resolve(name) {
			if n, ok := toAddr(a); ok {
				addrs = append(addrs, n)
			}
		}
	}
	return tidy(addrs)
}

// tidy sorts addresses and leaves out loopback ones if there are others: many
// a hosts file has the machine's own name at 127.0.1.1 too.
func tidy(addrs []uint32) []uint32 {
	addrs = unique(addrs)
	var others []uint32
	for _, a := range addrs {
		if a>>24 != 127 {
			others = append(others, a)
		}
	}
	if others == nil {
		return addrs
	}
	return others
}
