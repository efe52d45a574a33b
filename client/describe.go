package client

import (
	"math"
	"slices"

	"dhcpd/internal/auth"
	"dhcpd/internal/dhcp4"
)

// anonymousRequest is the parameter request list of RFC 7844 section 3.6: what
// it takes to use the network, in order of number. (A random order would need
// more of those who look at lists to be of use.)
var anonymousRequest = []dhcp4.Code{dhcp4.Netmask, dhcp4.Router, dhcp4.DNSServer, dhcp4.DomainName}

// describe says who we are and what we want: the same in DISCOVER and REQUEST
// (RFC 2131 section 3.5).
func (m *machine) describe(o *dhcp4.Options) {
	c := m.Config
	if !c.Anonymous {
		c.introduce(o)
	}
	codes := make([]byte, 0, 32)
	for _, list := range [][]dhcp4.Code{c.list(), c.More} {
		for _, code := range list {
			if slices.Index(codes, byte(code)) < 0 {
				codes = append(codes, byte(code))
			}
		}
	}
	if c.IPv6Only {
		codes = append(codes, byte(dhcp4.IPv6Only))
	}
	o.Put(dhcp4.ParameterList, codes)
	if c.able() {
		o.Put(dhcp4.ForceRenewNonce, auth.Able)
	}
	for _, s := range c.Send {
		o.Put(s.Code, s.Value)
	}
}

// introduce says what RFC 7844 section 3 would rather leave unsaid.
func (c *Config) introduce(o *dhcp4.Options) {
	class, mtu := c.ClassID, c.MTU
	if class == "" {
		class = ClassID
	}
	if mtu == 0 {
		mtu = 1500
	}
	// RFC 2132 section 9.10: 576 at least. It counts IP and UDP headers.
	o.PutUint16(dhcp4.MaxSize, uint16(min(max(mtu, 576), math.MaxUint16)))
	o.PutText(dhcp4.ClassID, class)
	switch {
	case c.FQDN != "": // RFC 4702 section 3.1: then no option 12
		o.Put(dhcp4.FQDN, fqdn(c.FQDN))
	case c.Hostname != "":
		o.PutText(dhcp4.HostName, c.Hostname)
	}
}

// fqdn returns option 81 (RFC 4702 section 2): the server shall update the
// name's A record, too, and the name is in the form of RFC 1035; one without a
// dot is not complete, and so has no root at its end.
func fqdn(name string) []byte {
	const s, e = 1, 4
	v, err := dhcp4.AppendDomains([]byte{s | e, 0, 0}, name)
	if err == nil && !slices.Contains([]byte(name), '.') {
		v = v[:len(v)-1]
	}
	return v
}

// list returns the parameter request list.
func (c *Config) list() []dhcp4.Code {
	switch {
	case c.Request != nil:
		return c.Request
	case c.Anonymous:
		return anonymousRequest
	}
	return defaultRequest
}

// identity returns the client identifier. RFC 7844 section 3.4: one that says
// no more than the Ethernet address does, which others see anyway.
func (c *Config) identity() []byte {
	if c.ClientID != nil && !c.Anonymous {
		return c.ClientID
	}
	return append([]byte{dhcp4.HtypeEther}, c.MAC[:]...)
}
