package hook

import (
	"encoding/hex"
	"strconv"
	"strings"

	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// form is how a script wants to see the value of an option.
type form uint8

const (
	asTag   form = iota // as the config language writes it, lists with spaces
	asText              // one line of text
	asName              // a host or domain name
	asNames             // several
	asPairs             // pairs of addresses with a slash between
	asZone              // seconds east of Greenwich
	asVLAN              // a number of four octets
	asSIP               // addresses or names
	as6RD               // RFC 5969
)

// variables are the options that have a name in the environment of a script.
// The names are those of udhcpc, so that its scripts serve unchanged.
var variables = map[dhcp4.Code]struct {
	name string
	form form
}{
	dhcp4.Netmask:  {"subnet", asTag},
	2:              {"timezone", asZone},
	dhcp4.Router:   {"router", asTag},
	4:              {"timesvr", asTag},
	5:              {"namesvr", asTag},
	6:              {"dns", asTag},
	7:              {"logsvr", asTag},
	8:              {"cookiesvr", asTag},
	9:              {"lprsvr", asTag},
	12:             {"hostname", asName},
	13:             {"bootsize", asTag},
	15:             {"domain", asName},
	16:             {"swapsvr", asTag},
	17:             {"rootpath", asText},
	23:             {"ipttl", asTag},
	26:             {"mtu", asTag},
	28:             {"broadcast", asTag},
	33:             {"routes", asPairs},
	40:             {"nisdomain", asName},
	41:             {"nissrv", asTag},
	42:             {"ntpsrv", asTag},
	44:             {"wins", asTag},
	51:             {"lease", asTag},
	dhcp4.ServerID: {"serverid", asTag},
	56:             {"message", asText},
	66:             {"tftp", asName},
	67:             {"bootfile", asText},
	100:            {"tzstr", asText},
	101:            {"tzdbstr", asText},
	119:            {"search", asNames},
	120:            {"sipsrv", asSIP},
	121:            {"staticroutes", asTag},
	132:            {"vlanid", asVLAN},
	133:            {"vlanpriority", asVLAN},
	209:            {"pxeconffile", asText},
	210:            {"pxepathprefix", asText},
	211:            {"reboottime", asTag},
	212:            {"ip6rd", as6RD},
	249:            {"msstaticroutes", asTag},
	252:            {"wpad", asText},
}

// Environment returns what a script is told: the interface, and what is in a
// message, nil for none. If net is valid, it is the address that came of it.
func Environment(name string, net netip.Prefix, m *dhcp4.Message) []string {
	env := []string{"interface=" + name}
	set := func(name, value string) { env = append(env, name+"="+value) }
	if m != nil {
		for c, v := range m.Options.All() {
			known, ok := variables[c]
			switch {
			case c == dhcp4.Authentication: // it may hold a nonce, which scripts tell others
			case !ok:
				set("opt"+strconv.Itoa(int(c)), hex.EncodeToString(v))
			default:
				text, ok := known.form.spell(c, v)
				if ok && (c != dhcp4.Netmask || !net.IsValid()) {
					set(known.name, text)
				}
			}
		}
		setFields(set, m)
	}
	if net.IsValid() { // the netmask that counts, should the server have sent none
		set("ip", net.Addr().String())
		set("subnet", net.Netmask().String())
		set("mask", strconv.Itoa(net.Bits()))
	}
	return env
}

// setFields sets the variables of the fields of the header.
func setFields(set func(name, value string), m *dhcp4.Message) {
	if !m.Siaddr.IsUnspecified() {
		set("siaddr", m.Siaddr.String())
	}
	if !m.Giaddr.IsUnspecified() {
		set("giaddr", m.Giaddr.String())
	}
	if s := m.FileText(); s != "" {
		set("boot_file", harmless(s))
	}
	if s := m.SnameText(); s != "" {
		set("sname", harmless(s))
	}
}

// spell writes a value; false if it is malformed.
func (f form) spell(c dhcp4.Code, v []byte) (string, bool) {
	t, _ := dhcp4.Builtin().ByCode(c)
	switch f {
	case asText:
		return harmless(string(v)), true
	case asName:
		return goodName(string(ascii.TrimRight(v, 0))), true
	case asZone, asVLAN:
		t = dhcp4.Tag{Kind: dhcp4.Number, Gran: 4, Max: 1}
	case asSIP:
		return spellSIP(v)
	case as6RD:
		return spell6RD(v)
	}
	if !t.Fits(v) {
		return "", false
	}
	text := string(t.AppendValue(nil, v))
	switch f {
	case asZone:
		n, _ := ascii.Uint(text, 10, 32)
		return strconv.Itoa(int(int32(n))), true
	case asNames:
		return goodNames(text), true
	case asPairs:
		w := ascii.Fields(text)
		for i := range w {
			w[i] += [2]string{"/", " "}[i&1]
		}
		return strings.TrimRight(strings.Join(w, ""), " /"), true
	}
	return text, true
}

// spellSIP writes option 120: RFC 3361 section 3.
func spellSIP(v []byte) (string, bool) {
	if len(v) < 2 || v[0] > 1 {
		return "", false
	}
	t := dhcp4.Tag{Kind: dhcp4.Domain}
	if v[0] == 1 {
		t.Kind = dhcp4.IP
	}
	if !t.Fits(v[1:]) {
		return "", false
	}
	text := string(t.AppendValue(nil, v[1:]))
	if v[0] == 0 {
		text = goodNames(text)
	}
	return text, true
}

// spell6RD writes option 212: the length of the IPv4 prefix and of the 6rd
// prefix, that prefix, and relays (RFC 5969 section 7.1.1).
func spell6RD(v []byte) (string, bool) {
	t := dhcp4.Tag{Kind: dhcp4.IP}
	if len(v) < 22 || !t.Fits(v[18:]) {
		return "", false
	}
	text := strconv.Itoa(int(v[0])) + " " + strconv.Itoa(int(v[1]))
	for i, mark := 2, " "; i < 18; i, mark = i+2, ":" {
		text += mark + hex.EncodeToString(v[i:i+2])
	}
	return text + " " + string(t.AppendValue(nil, v[18:])), true
}

// harmless makes text from the wire one line of ASCII: other octets become
// question marks.
func harmless(s string) string {
	b := ascii.TrimRight([]byte(s), 0)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}

// goodName returns a name as it is, or "bad" if RFC 1123 allows no such name.
func goodName(s string) string {
	if !dhcp4.IsHostName(s) {
		return "bad"
	}
	return s
}

func goodNames(s string) string {
	list := ascii.Fields(s)
	for i, name := range list {
		list[i] = goodName(name)
	}
	return strings.Join(list, " ")
}
