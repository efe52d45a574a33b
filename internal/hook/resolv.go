package hook

import (
	"slices"
	"strings"

	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// Resolver is a resolv.conf(5) in the making.
type Resolver struct {
	search  []string
	servers []netip.Addr
}

// Add takes in what a network's lease says. Names that no host can have, and
// addresses, are left out.
func (r *Resolver) Add(o *dhcp4.Options) {
	names, err := o.Domains(nil, dhcp4.DomainSearch)
	if err != nil { // RFC 3397 section 4: else the domain; some put several in there
		text, _ := o.Text(dhcp4.DomainName)
		names = ascii.Fields(text)
	}
	for _, name := range names {
		if dhcp4.IsHostName(name) && !slices.Contains(r.search, name) {
			r.search = append(r.search, name)
		}
	}
	servers, _ := o.Addrs(nil, dhcp4.DNSServer)
	for _, a := range servers {
		if a.As4()[0] != 0 && a.As4()[0] < 224 && !slices.Contains(r.servers, a) {
			r.servers = append(r.servers, a)
		}
	}
}

// Empty tells whether there is nothing to say.
func (r *Resolver) Empty() bool { return len(r.search)+len(r.servers) == 0 }

// Text returns the file.
func (r *Resolver) Text() string {
	s := "# made by dhcpd(8)\n"
	if len(r.search) > 0 {
		s += "search " + strings.Join(r.search, " ") + "\n"
	}
	for _, a := range r.servers {
		s += "nameserver " + a.String() + "\n"
	}
	return s
}
