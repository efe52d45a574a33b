// Package dns asks the name servers of this machine for the addresses of names:
// as much of RFC 1035 as the hosts in a config file need.
package dns

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"

	"dhcpd/internal/ascii"
	"dhcpd/internal/netip"
	"dhcpd/internal/safe"

	"golang.org/x/sys/unix"
)

// ResolvConf is where Resolve finds the name servers.
const ResolvConf = "/etc/resolv.conf"

// How long one name server has for an answer, in nanoseconds, and how often it
// is asked.
const (
	dnsPatience = 2e9
	dnsTries    = 2
)

var errDNS = errors.New("no answer from a name server")

// Resolve asks the name servers of this machine for the IPv4 addresses of a
// name, in ascending order, and waits for them. A name without a dot is looked
// for in the domains that are to be searched. That there is no such name is an
// answer: no address, and no error.
func Resolve(name string) (list []netip.Addr, err error) {
	text, err := safe.ReadFile(ResolvConf)
	if err != nil {
		return nil, err
	}
	servers, domains := parseResolvConf(string(text))
	names := []string{name}
	if !strings.Contains(name, ".") && len(domains) > 0 {
		names = names[:0]
		for _, d := range domains {
			names = append(names, name+"."+d)
		}
	}
	for _, full := range names {
		if list, err = askServers(servers, full); err != nil || len(list) > 0 {
			break
		}
	}
	return list, err
}

// parseResolvConf reads resolv.conf(5), as far as it concerns us.
func parseResolvConf(text string) (servers []netip.Addr, domains []string) {
	for line := range strings.Lines(text) {
		f := ascii.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch f[0] {
		case "nameserver":
			if a, ok := netip.ParseAddr(f[1]); ok {
				servers = append(servers, a)
			}
		case "domain", "search": // the last one counts
			domains = f[1:]
		}
	}
	return servers, domains
}

// askServers asks one after the other until one answers.
func askServers(servers []netip.Addr, name string) ([]netip.Addr, error) {
	q := appendQuery(nil, uint16(rand.Uint32()), name)
	if q == nil {
		return nil, nil // there can't be such a name
	}
	for range dnsTries {
		for _, s := range servers {
			if list, err := askServer(s, q); err == nil {
				return list, nil
			}
		}
	}
	return nil, errDNS
}

func askServer(server netip.Addr, query []byte) ([]netip.Addr, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	tv := unix.NsecToTimeval(dnsPatience)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		return nil, err
	}
	// Connected: the kernel lets in nothing from elsewhere.
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: 53, Addr: server.As4()}); err != nil {
		return nil, err
	}
	if _, err := unix.Write(fd, query); err != nil {
		return nil, err
	}
	var buf [512]byte // the most that comes over UDP unless asked for: RFC 1035 section 2.3.4
	for range 16 {    // late answers to others may come between
		n, err := unix.Read(fd, buf[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		if list, err := parseAnswer(buf[:n], query); err != errNotOurs {
			return list, err
		}
	}
	return nil, errDNS
}

// The header of a DNS message and of a record after its name: RFC 1035 sections
// 4.1.1 and 4.1.3.
const (
	dnsHeader = 12
	dnsRecord = 10
)

// appendQuery appends a query for the addresses of a name, with recursion
// desired. It returns nil for what is not a name.
func appendQuery(b []byte, id uint16, name string) []byte {
	b = binary.BigEndian.AppendUint16(b, id)
	b = append(b, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	name = strings.TrimSuffix(name, ".")
	for more := true; more; {
		var label string
		label, name, more = strings.Cut(name, ".")
		if len(label) == 0 || len(label) > 63 {
			return nil
		}
		b = append(append(b, byte(len(label))), label...)
	}
	if len(b) > dnsHeader+254 {
		return nil
	}
	return append(b, 0, 0, 1, 0, 1) // type A, class IN
}

var errNotOurs = errors.New("an answer to something else")

// parseAnswer returns the addresses of an answer to query. Those of an alias
// come with it, so that names need not be looked at.
func parseAnswer(b, query []byte) (list []netip.Addr, err error) {
	if len(b) < len(query) || !bytes.Equal(b[:2], query[:2]) || b[2]&0x80 == 0 ||
		!bytes.Equal(b[4:6], query[4:6]) || !bytes.Equal(b[dnsHeader:len(query)], query[dnsHeader:]) {
		return nil, errNotOurs
	}
	if rcode := b[3] & 15; rcode == 3 {
		return nil, nil
	} else if rcode != 0 {
		return nil, errDNS
	}
	at := len(query)
	for range binary.BigEndian.Uint16(b[6:]) {
		if at = skipName(b, at); at+dnsRecord > len(b) {
			break // it was cut
		}
		r := b[at : at+dnsRecord]
		at += dnsRecord
		n := int(binary.BigEndian.Uint16(r[8:]))
		if at+n > len(b) {
			break
		}
		if n == 4 && [4]byte(r) == [4]byte{0, 1, 0, 1} {
			list = insert(list, netip.AddrFrom4([4]byte(b[at:])))
		}
		at += n
	}
	return list, nil
}

// insert puts a in order. They are few: a sort would be longer than its work.
func insert(list []netip.Addr, a netip.Addr) []netip.Addr {
	list = append(list, a)
	for i := len(list) - 1; i > 0 && a.Less(list[i-1]); i-- {
		list[i], list[i-1] = list[i-1], a
	}
	return list
}

// skipName returns where the name at at ends, past the end of b for one that
// is broken.
func skipName(b []byte, at int) int {
	for at < len(b) {
		switch n := int(b[at]); {
		case n == 0:
			return at + 1
		case n >= 0xc0: // the rest stands elsewhere
			return at + 2
		default:
			at += 1 + n
		}
	}
	return len(b) + 1
}
