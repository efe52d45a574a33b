package conf

import (
	"dhcpd/internal/ascii"
)

// setting is an `option` element.
type setting struct {
	ifname string // the interface that it names, "" for the one that asks
	apply  apply
	key    *Key // authenticate
}

// apply does to s what an option says. Of hosts with several addresses the
// closest to near is taken.
type apply func(s *Settings, near uint32)

// optionKind is an option of the language. Its parse returns nil if the
// arguments are not as in usage.
type optionKind struct {
	name  string
	usage string
	parse func(k *compiler, args line) apply
}

var optionKinds = []optionKind{
	{"server", "[inform]", parseServer},
	{"always", "tag ...", parseAlways},
	{"authoritative", "", flag(func(s *Settings) *bool { return &s.Authoritative })},
	{"bootp", "", flag(func(s *Settings) *bool { return &s.BOOTP })},
	{"limit", "number [per circuit]", parseLimit},
	{"leasequery", "[from host ...] [show tag ...] [limit number] [active insecure]", parseLeaseQuery},
	{"rogue", "pause", parseRogue},
	{"wait", "", flag(func(s *Settings) *bool { return &s.Wait })},

	{"relay", "host ... [hops number] [fallback seconds]", parseRelay},
	{"agent", "{ circuit interface|text T; remote mac|text T; relay mac|text T; trusted; select; override; flags; routes; ask; }", parseAgent},

	{"possessive", "", flag(func(s *Settings) *bool { return &s.Possessive })},
	{"hostname", "name", text(func(s *Settings) *string { return &s.Hostname })},
	{"ignore", "", flag(func(s *Settings) *bool { return &s.Ignore })},
	{"inform", "", flag(func(s *Settings) *bool { return &s.AskInform })},
	{"release", "", flag(func(s *Settings) *bool { return &s.Release })},
	{"nodiscovery", "", flag(func(s *Settings) *bool { return &s.NoDiscovery })},
	{"router", "[preference number] [interval seconds]", parseRouter},
	{"class", "name", text(func(s *Settings) *string { return &s.Class })},
	{"clientid", "hexdigits", parseID},
	{"duid", "", flag(func(s *Settings) *bool { return &s.DUID })},
	{"fqdn", "name", parseFQDN},
	{"linklocal", "", flag(func(s *Settings) *bool { return &s.LinkLocal })},
	{"anonymous", "", flag(func(s *Settings) *bool { return &s.Anonymous })},
	{"ipv6only", "", flag(func(s *Settings) *bool { return &s.IPv6Only })},
	{"send", "tag value ...", parseSend},
	{"request", "tag ...", parseRequest},
	{"resolvconf", "path", text(func(s *Settings) *string { return &s.ResolvConf })},
	{"script", "path", text(func(s *Settings) *string { return &s.Script })},
	{"notify", "path", text(func(s *Settings) *string { return &s.Notify })},

	{"probe", "", flag(func(s *Settings) *bool { return &s.Probe })},
	{"rapid", "", flag(func(s *Settings) *bool { return &s.Rapid })},
	{"noforce", "", flag(func(s *Settings) *bool { return &s.NoForce })},
	{"authenticate", "ID", parseAuthenticate},
}

func optionNamed(it *item) *optionKind {
	for i := range optionKinds {
		if it.atom() && ascii.Same(optionKinds[i].name, it.text) {
			return &optionKinds[i]
		}
	}
	return nil
}

// option compiles `option [if] name …`.
func (k *compiler) option(b *body, l line) {
	args := l[1:]
	if len(args) == 0 || !args[0].atom() {
		usage(l)
	}
	var s setting
	if k.namesIface(args) {
		s.ifname = k.ifname(&args[0])
		args = args[1:]
	}
	if len(args) == 0 || !args[0].atom() {
		usage(l)
	}
	o := optionNamed(&args[0])
	if o == nil {
		k.unknownOption(args)
	}
	if s.apply = o.parse(k, args[1:]); s.apply == nil {
		fail(l[0].at, ascii.Trim("Usage: option [if] "+o.name+" "+o.usage))
	}
	switch o.name {
	case "server":
		k.serves = true
		if len(args) == 1 { // not inform, which needs nobody to have an address from here
			k.server = l[0].at
		}
	case "relay":
		k.relays[s.ifname] = true
	case "agent":
		k.agents = append(k.agents, problem{l[0].at, s.ifname})
	}
	n := int32(len(k.c.settings))
	k.c.settings = append(k.c.settings, s)
	k.add(b, op{do: opOption, at: l[0].at, index: n})
	if o.name == "authenticate" && s.ifname == "" { // it may be a client's: see Asker.Key
		var does Settings
		s.apply(&does, 0)
		k.c.settings[n].key = does.Key
		k.add(b, op{do: opKey, at: l[0].at, index: n})
	}
}

// namesIface tells whether an option begins with an interface: ipN, one that
// is there, or any name in quotes. The words of the language come first.
func (k *compiler) namesIface(args line) bool {
	first := &args[0]
	before := len(args) > 1 && optionNamed(&args[1]) != nil
	switch {
	case first.kind == tokenString && before:
		return true
	case optionNamed(first) != nil:
		return false
	case first.kind == tokenString || isIPn(first) || k.hasIface(first.text):
		return true
	}
	return k.ifaces == nil && before
}

func (k *compiler) unknownOption(args line) {
	what, but := "option ", ""
	if len(args) > 1 && optionNamed(&args[1]) != nil {
		what, but = "interface ", "; in quotes it may come later"
	}
	var known []string
	for _, o := range optionKinds {
		known = append(known, o.name)
	}
	for _, i := range k.ifaces {
		known = append(known, i.Name)
	}
	fail(args[0].at, "Unknown "+what+suggest(args[0].text, known...)+but)
}
