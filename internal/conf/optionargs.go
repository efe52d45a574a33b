package conf

import (
	"strings"

	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
)

// flag makes the parse of an option without arguments.
//
//go:noinline
func flag(field func(*Settings) *bool) func(*compiler, line) apply {
	return func(_ *compiler, args line) apply {
		if len(args) > 0 {
			return nil
		}
		return func(s *Settings, _ uint32) { *field(s) = true }
	}
}

// text makes the parse of an option with one word or string.
//
//go:noinline
func text(field func(*Settings) *string) func(*compiler, line) apply {
	return func(_ *compiler, args line) apply {
		if len(args) != 1 || !args[0].atom() || args[0].text == "" {
			return nil
		}
		v := strings.Clone(args[0].text)
		return func(s *Settings, _ uint32) { *field(s) = v }
	}
}

// is tells whether an item is the given word, which in quotes it is not.
func (i *item) is(word string) bool {
	return i.kind == tokenWord && ascii.Same(i.text, word)
}

func parseServer(_ *compiler, args line) apply {
	inform := len(args) == 1 && args[0].atom() && ascii.Same(args[0].text, "inform")
	if len(args) > 0 && !inform {
		return nil
	}
	return func(s *Settings, _ uint32) {
		s.Server = true
		s.Inform = s.Inform || inform
	}
}

// codes reads a list of tags.
func (k *compiler) codes(args line) []dhcp4.Code {
	var list []dhcp4.Code
	for i := range args {
		c, _ := k.code(&args[i])
		list = append(list, c)
	}
	return list
}

func parseAlways(k *compiler, args line) apply {
	list := k.codes(args)
	if len(list) == 0 {
		return nil
	}
	return func(s *Settings, _ uint32) {
		for _, c := range list {
			s.Always.Add(c)
		}
	}
}

func parseRequest(k *compiler, args line) apply {
	list := k.codes(args)
	if len(list) == 0 {
		return nil
	}
	return func(s *Settings, _ uint32) {
		for _, c := range list {
			s.Request = append(without(s.Request, c), c)
		}
	}
}

func without(list []dhcp4.Code, c dhcp4.Code) []dhcp4.Code {
	var rest []dhcp4.Code
	for _, x := range list {
		if x != c {
			rest = append(rest, x)
		}
	}
	return rest
}

func parseSend(k *compiler, args line) apply {
	if len(args) < 2 {
		return nil
	}
	c, t := k.code(&args[0])
	v := k.value(t, int(c), args)
	return func(s *Settings, near uint32) {
		if v.none {
			return
		}
		data := patch(append([]byte(nil), v.data...), v.picks, near)
		for i := range s.Send {
			if s.Send[i].Code == c {
				s.Send[i].Value = data
				return
			}
		}
		s.Send = append(s.Send, Option{c, data})
	}
}

func parseLimit(k *compiler, args line) apply {
	perCircuit := len(args) == 3 && args[1].is("per") && args[2].is("circuit")
	if len(args) != 1 && !perCircuit {
		return nil
	}
	n := k.decimal(&args[0], "limit", 1, 1<<31-1)
	return func(s *Settings, _ uint32) {
		if perCircuit {
			s.CircuitLimit = n
		} else {
			s.Limit = n
		}
	}
}

// parseRouter reads what RFC 1256 section 4.1 wants to be configurable.
func parseRouter(k *compiler, args line) apply {
	var preference int32
	interval := 600
	for ; len(args) >= 2; args = args[2:] {
		switch {
		case args[0].is("preference"):
			preference = parsePreference(&args[1])
		case args[0].is("interval"):
			interval = k.decimal(&args[1], "number of seconds", 4, 1800)
		default:
			return nil
		}
	}
	if len(args) > 0 {
		return nil
	}
	return func(s *Settings, _ uint32) {
		s.Router, s.RouterInterval, s.RouterPreference = true, interval, preference
	}
}

func parsePreference(it *item) int32 {
	digits, negative := strings.CutPrefix(it.text, "-")
	n, ok := ascii.Uint(digits, 10, 32)
	if negative {
		n = -n
	}
	if !ok || !it.atom() || int64(n) != int64(int32(n)) {
		it.reject("a preference (-2147483648 to 2147483647)")
	}
	return int32(n)
}

func parseRogue(_ *compiler, args line) apply {
	if len(args) != 1 || !args[0].is("pause") {
		return nil
	}
	return func(s *Settings, _ uint32) { s.RoguePause = true }
}

func parseAuthenticate(k *compiler, args line) apply {
	if len(args) != 1 || !args[0].atom() {
		return nil
	}
	id, ok := parseNumber(args[0].text)
	key := k.c.keys[uint32(id)]
	if !ok || id > 1<<32-1 || key == nil {
		fail(args[0].at, "Key "+quote(args[0].text)+" is not defined")
	}
	return func(s *Settings, _ uint32) { s.Key = key }
}

func parseID(_ *compiler, args line) apply {
	if len(args) != 1 || !args[0].atom() {
		return nil
	}
	id, _, ok := parseClientID(args[0].text)
	if !ok {
		args[0].reject("a client ID (as 0:1:1b:a:68:ce)")
	}
	return func(s *Settings, _ uint32) { s.ClientID = id }
}

func parseFQDN(_ *compiler, args line) apply {
	if len(args) != 1 || !args[0].atom() || args[0].text == "" {
		return nil
	}
	name := strings.Clone(args[0].text)
	if _, err := dhcp4.AppendDomains(nil, name); err != nil {
		args[0].reject("a domain name")
	}
	return func(s *Settings, _ uint32) { s.FQDN = name }
}
