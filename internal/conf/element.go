package conf

import (
	"slices"
	"strconv"
	"strings"

	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
)

// element is a line with a condition: what it needs to match.
type element struct {
	kind    kind
	at      place
	who     int32    // onClient: number of the client ID
	ether   bool     // onClient: the ID is written as an Ethernet address
	ifname  string   // onClient: only for this interface of our own, if not ""; onInterface
	addrs   []uint32 // onClient, onHost, onInterface
	net     block    // onNet
	texts   []string // onClass, onCircuit, onRemote: prefixes
	body    *body    // nil for none
	buckets []uint32 // see index
}

type kind uint8

const (
	onClient kind = iota
	onHost
	onNet
	onClass
	onCircuit
	onRemote
	onInterface
	onMacro // always; only for Asker.Trace
)

var usages = map[string]string{
	"client":    "client ID [if] host [macro|{params}]",
	"host":      "host address|name|netblock macro|{params}",
	"interface": "interface if host [macro|{params}]",
	"class":     "class name ... macro|{params}",
	"circuit":   "circuit text ... macro|{params}",
	"remote":    "remote text ... macro|{params}",
	"tag":       "tag number name type granularity max",
	"no":        "no tag-name",
	"option":    "option [if] name ...",
	"shared":    "shared netblock netblock ...",
	"key":       `key ID "text"|hexdigits`,
}

// usage ends the reading with how the line should have been.
//
//go:noinline
func usage(l line) {
	fail(l[0].at, "Usage: "+usages[ascii.Lower(l[0].text)])
}

// enter adds an element and what it leads to, if it has that.
func (k *compiler) enter(b *body, el *element, follow line) {
	if len(follow) > 0 {
		if el.body == nil {
			el.body = &body{}
		}
		k.follow(el.body, &follow[0])
	}
	b.steps = append(b.steps, step{el: el})
}

func (k *compiler) client(b *body, l line) {
	if len(l) < 3 || !l[1].atom() {
		usage(l)
	}
	id, ether, ok := parseClientID(l[1].text)
	if !ok {
		l[1].reject("a client ID (as 0:1:1b:a:68:ce)")
	}
	if k.advise && !ether && len(id) == 6 {
		k.problem(l[1].at, quote(l[1].text)+" is no Ethernet address: that has colons")
	}
	el := &element{kind: onClient, at: l[0].at, ether: ether}
	rest := l[2:]
	// A bare word is the host, but for ipN. In quotes it is the host only if
	// no other word can be.
	if it := &rest[0]; isIPn(it) || it.kind == tokenString && len(rest) > 1 && rest[1].atom() {
		el.ifname = k.ifname(it)
		rest = rest[1:]
	}
	if len(rest) < 1 || len(rest) > 2 || !rest[0].atom() {
		usage(l)
	}
	el.who = k.number(id)
	el.addrs = k.addrs(&rest[0])
	k.take(el.at, byClient, el.addrs)
	k.enter(b, el, rest[1:])
}

// number returns the number of a client ID.
func (k *compiler) number(id []byte) int32 {
	n, ok := k.c.ids[string(id)]
	if !ok {
		n = int32(len(k.c.ids))
		k.idNames = append(k.idNames, string(id))
		k.c.ids[k.idNames[n]] = n
	}
	return n
}

func (k *compiler) host(b *body, l line) {
	if len(l) != 3 || !l[1].atom() {
		usage(l)
	}
	el := &element{kind: onHost, at: l[0].at}
	if !strings.Contains(l[1].text, "/") {
		el.addrs = k.addrs(&l[1])
		k.enter(b, el, l[2:])
		return
	}
	el.kind, el.net = onNet, k.block(&l[1])
	el.body = &body{}
	netmask := appendAddr(nil, mask(int(el.net.bits)))
	k.add(el.body, op{do: opMask, at: el.at, value: k.data(netmask)})
	k.enter(b, el, l[2:])
}

func (k *compiler) block(it *item) block {
	b, ok := parseBlock(it.text)
	if !ok {
		it.reject("a netblock")
	}
	_, length, _ := strings.Cut(it.text, "/")
	k.means(it, b.addr, "/"+length)
	return b
}

// iface compiles an `interface` element: the op that gives the address, and
// the element if it has a body, which is gathered for that interface only.
func (k *compiler) iface(b *body, l line) {
	if len(l) < 3 || len(l) > 4 || !l[1].atom() || !l[2].atom() || l[1].text == "" {
		usage(l)
	}
	el := &element{kind: onInterface, at: l[0].at, ifname: k.ifname(&l[1]), addrs: k.addrs(&l[2])}
	k.take(el.at, "an interface", el.addrs)
	if len(el.addrs) > 0 {
		n := int32(len(k.c.interfaces))
		k.c.interfaces = append(k.c.interfaces, el)
		k.add(b, op{do: opInterface, at: el.at, index: n})
	}
	if len(l) > 3 {
		k.enter(b, el, l[3:])
	}
}

// match compiles class, circuit and remote.
func (k *compiler) match(b *body, l line, on kind) {
	if len(l) < 3 {
		usage(l)
	}
	el := &element{kind: on, at: l[0].at}
	for _, it := range l[1 : len(l)-1] {
		if !it.atom() {
			usage(l)
		}
		el.texts = append(el.texts, strings.Clone(it.text))
	}
	k.enter(b, el, l[len(l)-1:])
}

// isIPn tells whether an item is an interface as MINIX names it: ip and a
// number.
func isIPn(it *item) bool {
	if it.kind != tokenWord || len(it.text) < 3 || len(it.text) > 6 || !ascii.Same(it.text[:2], "ip") {
		return false
	}
	return strings.Trim(it.text[2:], "0123456789") == ""
}

// ifname returns the name of the interface that an item means. One that is
// not there is waited for under its name.
func (k *compiler) ifname(it *item) string {
	name := strings.Clone(it.text)
	if k.hasIface(name) || k.ifaces == nil {
		return name
	}
	awaited := name
	if isIPn(it) {
		if n, ok := k.nthEther(it.text[2:]); ok {
			return n
		}
		awaited = "" // which one that will be is not known
	}
	k.c.awaited = append(k.c.awaited, awaited)
	k.once(it.at, "Interface "+quote(name)+" is not there")
	return name
}

func (k *compiler) hasIface(name string) bool {
	return slices.ContainsFunc(k.ifaces, func(i Ifname) bool { return i.Name == name })
}

// nthEther returns the name of Ethernet n, digits, from 0 by kernel index.
func (k *compiler) nthEther(n string) (string, bool) {
	want, _ := ascii.Uint(n, 10, 31)
	for _, i := range k.ifaces {
		if i.Ether && k.ethersBefore(i.Index) == int(want) {
			return i.Name, true
		}
	}
	return "", false
}

func (k *compiler) ethersBefore(index int) (n int) {
	for _, i := range k.ifaces {
		if i.Ether && i.Index < index {
			n++
		}
	}
	return n
}

// key compiles `key ID "text"|hexdigits`: a secret of RFC 3118.
func (k *compiler) key(l line) {
	if len(l) != 3 || !l[1].atom() || !l[2].atom() || l[2].text == "" {
		usage(l)
	}
	id, ok := parseNumber(l[1].text)
	if !ok || id > 1<<32-1 {
		l[1].reject("a key ID")
	}
	secret := []byte(l[2].text)
	if l[2].kind == tokenWord {
		if secret, ok = dhcp4.ParseHex(l[2].text); !ok {
			usage(l) // without the words: they may be the secret
		}
	}
	if k.c.keys[uint32(id)] != nil {
		fail(l[0].at, "Key "+strconv.FormatUint(id, 10)+" is defined already")
	}
	k.c.keys[uint32(id)] = &Key{uint32(id), secret}
	k.c.keyPlaces = append(k.c.keyPlaces, l[0].at)
}

// shared compiles a list of netblocks that are on one wire.
func (k *compiler) shared(l line) {
	if len(l) < 3 {
		usage(l)
	}
	var wire []block
	for i := range l[1:] {
		it := &l[1+i]
		if !it.atom() {
			usage(l)
		}
		wire = append(wire, k.block(it))
	}
	k.c.wires.add(wire)
}
