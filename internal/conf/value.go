package conf

import (
	"strconv"
	"strings"

	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// value is the value of a tag as it goes over the wire.
type value struct {
	data  []byte
	picks []pick
	items int
	none  bool // no value at all, since the names in it are not known
}

// value compiles the items of a line behind the tag's name, and checks type
// and number.
func (k *compiler) value(t dhcp4.Tag, number int, l line) value {
	name, args := l[0], l[1:]
	for i := range args {
		if !args[i].atom() {
			valueUsage(t, &name)
		}
	}
	if n := len(args); n == 0 || n > 1 && (t.Kind == dhcp4.ASCII || t.Kind == dhcp4.URI || t.Kind == dhcp4.Octet) {
		valueUsage(t, &name)
	}
	var v value
	switch t.Kind {
	case dhcp4.ASCII, dhcp4.URI:
		v = k.text(t, number, args)
	case dhcp4.Octet:
		v = octets(args)
	case dhcp4.Boolean:
		v = booleans(t, &name, args)
	case dhcp4.IP:
		v = k.hostList(t, args)
	case dhcp4.Number:
		v = numbers(t, args)
	case dhcp4.Domain:
		v = domains(args)
	case dhcp4.Route:
		v = k.routes(t, &name, args)
	}
	count(t, &name, v.items)
	if !v.none {
		checkKnown(t, number, &name, v.data)
	}
	return v
}

var valueUsages = [...]string{
	dhcp4.Octet: "hexdigits", dhcp4.ASCII: "string", dhcp4.Boolean: "true|false ...",
	dhcp4.IP: "host ...", dhcp4.Number: "number ...", dhcp4.Domain: "name ...",
	dhcp4.Route: "destination/length gateway ...", dhcp4.URI: "uri",
}

func valueUsage(t dhcp4.Tag, name *item) {
	fail(name.at, "Usage: "+t.Name+" "+valueUsages[t.Kind])
}

// count checks the number of items.
func count(t dhcp4.Tag, name *item, n int) {
	what := "items"
	switch t.Kind {
	case dhcp4.ASCII, dhcp4.URI:
		what = "characters"
	case dhcp4.Octet:
		what = "octets"
	}
	if t.Kind != dhcp4.Number && n%max(t.Gran, 1) != 0 {
		fail(name.at, t.Name+" takes a multiple of "+strconv.Itoa(t.Gran)+" "+what+", not "+strconv.Itoa(n))
	}
	if t.Max != 0 && n > t.Max {
		if t.Max == 1 {
			what = what[:len(what)-1]
		}
		fail(name.at, t.Name+" takes at most "+strconv.Itoa(t.Max)+" "+what+", not "+strconv.Itoa(n))
	}
}

// checkKnown checks the tags that the program itself reads, since a `tag`
// element may have given them any type, and 0 s is no lease (S10).
func checkKnown(t dhcp4.Tag, number int, name *item, data []byte) {
	if number > 255 {
		return
	}
	switch t.Code {
	case dhcp4.Netmask, dhcp4.LeaseTime, dhcp4.RenewalTime, dhcp4.RebindingTime:
		if len(data) != 4 {
			fail(name.at, t.Name+" must be 4 octets, not "+strconv.Itoa(len(data)))
		}
	}
	if t.Code == dhcp4.LeaseTime && [4]byte(data) == [4]byte{} {
		fail(name.at, t.Name+" must be at least 1")
	}
	if t.Code == dhcp4.Netmask {
		a, _ := toAddr(netip.AddrFrom4([4]byte(data)))
		if _, ok := netip.MaskBits(a); !ok {
			fail(name.at, netip.AddrFrom(a).String()+" is not a netmask")
		}
	}
}

func (k *compiler) text(t dhcp4.Tag, number int, args line) value {
	s := args[0].text
	switch {
	case t.Kind == dhcp4.URI && (!strings.Contains(s, ":") || strings.ContainsFunc(s, notURI)):
		args[0].reject("a URI")
	case s == "" && number < 256: // RFC 2132 section 2: at least one octet
		k.problem(args[0].at, "Nothing is not a good value for "+t.Name)
	}
	return value{data: []byte(s), items: len(s)}
}

// notURI tells whether r can't stand in a URI (RFC 3986 section 2).
func notURI(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}", r) }

func octets(args line) value {
	data, ok := dhcp4.ParseHex(args[0].text)
	if !ok {
		args[0].reject("a string of hexadecimal digits")
	}
	return value{data: data, items: len(data)}
}

func booleans(t dhcp4.Tag, name *item, args line) (v value) {
	for i := range args {
		switch {
		case ascii.Same(args[i].text, "true"):
			v.data = append(v.data, 1)
		case ascii.Same(args[i].text, "false"):
			v.data = append(v.data, 0)
		default:
			valueUsage(t, name)
		}
	}
	v.items = len(args)
	return v
}

func numbers(t dhcp4.Tag, args line) (v value) {
	bits := 8 * t.Gran
	for i := range args {
		digits, negative := strings.CutPrefix(args[i].text, "-")
		n, ok := parseNumber(digits)
		if !ok || args[i].kind != tokenWord {
			args[i].reject("a number")
		}
		// Signed or not is for the reader of the option to know.
		if n > 1<<bits-1 || negative && n > 1<<(bits-1) {
			fail(args[i].at, quote(args[i].text)+" is too large: "+t.Name+" has "+strconv.Itoa(bits)+" bits")
		}
		if negative {
			n = -n
		}
		for shift := bits - 8; shift >= 0; shift -= 8 {
			v.data = append(v.data, byte(n>>shift))
		}
	}
	v.items = len(args)
	return v
}

// hostList compiles addresses, names, and netmasks written as /27. A group of
// items with a name that is not known is left out.
func (k *compiler) hostList(t dhcp4.Tag, args line) (v value) {
	var group value
	known := true
	for i := range args {
		if i%max(t.Gran, 1) == 0 {
			group, known = v, true
		}
		if !k.addHost(&v, t, &args[i]) {
			known = false
		}
		if !known {
			v = group
		}
	}
	v.items, v.none = len(args), len(v.data) == 0
	return v
}

// addHost adds one address to a value.
func (k *compiler) addHost(v *value, t dhcp4.Tag, it *item) bool {
	if length, ok := strings.CutPrefix(it.text, "/"); ok {
		bits, ok := parseBits(length)
		if !ok {
			it.reject("a netmask")
		}
		v.data = appendAddr(v.data, mask(bits))
		return true
	}
	addrs := k.addrs(it)
	if len(addrs) == 0 {
		return false
	}
	if t.Code == dhcp4.Router {
		k.take(it.at, "a gateway", addrs)
	}
	if k.advise && t.Kind == dhcp4.IP {
		if a := addrs[0]; t.Code-dhcp4.Router <= 8 && (a == 0 || a>>24 == 127) { // gateway to resource
			k.problem(it.at, dotted(a)+" is no host; leave it out")
		}
		k.take(it.at, byServer, addrs)
	}
	if len(addrs) > 1 {
		v.picks = append(v.picks, pick{int32(len(v.data)), addrs})
	}
	v.data = appendAddr(v.data, addrs[0])
	return true
}

func domains(args line) value {
	var names []string
	for i := range args {
		if _, err := dhcp4.AppendDomains(nil, args[i].text); err != nil || strings.ContainsAny(args[i].text, " ,") {
			args[i].reject("a domain name")
		}
		names = append(names, args[i].text)
	}
	data, _ := dhcp4.AppendDomains(nil, names...) // each one is good
	return value{data: data, items: len(names)}
}

// routes compiles pairs of a destination and a gateway (RFC 3442).
func (k *compiler) routes(t dhcp4.Tag, name *item, args line) (v value) {
	if len(args)%2 != 0 {
		valueUsage(t, name)
	}
	for i := 0; i < len(args); i += 2 {
		dst := k.block(&args[i])
		before := v
		r := dhcp4.NetRoute{Dst: netip.PrefixFrom(netip.AddrFrom(dst.addr), int(dst.bits)), Gateway: netip.IPv4Unspecified()}
		v.data = r.Append(v.data)
		v.data = v.data[:len(v.data)-4] // the gateway may be one of several
		if !k.addHost(&v, t, &args[i+1]) {
			v = before
		}
	}
	v.items, v.none = len(args)/2, len(v.data) == 0
	return v
}
