package main

import (
	"errors"

	"dhcpd/internal/ask"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/safe"
	"dhcpd/pool"
)

// key is what a server is asked about, and the words for it.
type key struct {
	ask.Key
	word  string
	watch bool // what changes from now on
}

// keys reads those of -l: "all", "watch", "remote T", an Ethernet address, a client ID,
// and hosts as those of -a.
func (c *command) keys(words []string) (list []*key, err error) {
	for len(words) > 0 {
		k := &key{word: words[0]}
		words = words[1:]
		switch hw, isHW := ethernet(k.word); {
		case k.word == "all":
		case k.word == "watch":
			k.watch = true
		case isHW:
			k.HW = hw
		case k.word == "remote" && len(words) > 0:
			k.word, k.Remote = k.word+" "+words[0], remoteID(words[0])
			words = words[1:]
		default:
			if id, ok := dhcp4.ParseHex(k.word); ok && len(id) > 1 && len(id) < 256 {
				k.ID = id
				break
			}
			hosts, err := c.expand(k.word)
			if err != nil {
				return nil, errors.New(err.Error() + ", nor an Ethernet address, a client ID, 'remote' and a remote ID, 'all', or 'watch'")
			}
			list = appendKeys(list, hosts)
			continue
		}
		list = append(list, k)
	}
	return list, nil
}

// appendKeys appends keys that are addresses.
func appendKeys(list []*key, addrs []netip.Addr) []*key {
	for _, a := range addrs {
		list = append(list, &key{Key: ask.Key{Addr: a}, word: a.String()})
	}
	return list
}

// expand is expand with the names of the hosts file.
func (c *command) expand(host string) ([]netip.Addr, error) {
	text, _ := safe.ReadFile(conf.HostsFile) // without it there are no names
	return expand(host, func(name string) []netip.Addr { return conf.Lookup(string(text), name) })
}

// server reads an address, or a name that is in the hosts file or in the DNS.
func (c *command) server(word string) (a netip.Addr, err error) {
	if a, ok := netip.ParseAddr(word); ok {
		return a, nil
	}
	list, err := c.expand(word)
	if err != nil {
		list = c.look(word)
	}
	if len(list) == 0 {
		return a, err
	}
	return list[0], nil
}

// ethernet reads six octets with colons between.
func ethernet(s string) (hw pool.HW, ok bool) {
	mac, ok := ether.ParseMAC(s)
	return pool.HWOf(dhcp4.HtypeEther, mac[:]), ok
}

// remoteID reads a remote ID: an Ethernet address, or text as -q prints it.
func remoteID(s string) []byte {
	if hw, ok := ethernet(s); ok {
		return hw.Addr[:hw.Len]
	}
	return octets(s)
}

// octets reads text as -q prints it.
func octets(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) {
			i++
			c = s[i]
			if i+2 < len(s) && octal(c) && octal(s[i+1]) && octal(s[i+2]) {
				c = (c-'0')<<6 | (s[i+1]-'0')<<3 | (s[i+2] - '0')
				i += 2
			}
		}
		b = append(b, c)
	}
	return b[:min(len(b), 253)]
}

func octal(c byte) bool { return c >= '0' && c <= '7' }
