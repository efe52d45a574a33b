package conf

import (
	"strconv"
	"strings"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// gateways: classless routes without a default route hide the gateway (RFC
// 3442), and a gateway must be within reach. A netmask of 32 bits says that all
// are out of it, and is meant so.
func gateways(l *linter) {
	o := &l.info.Options
	routers, _ := o.Addrs(nil, dhcp4.Router)
	routes, _ := o.Routes(nil)
	hidden := o.Has(dhcp4.ClasslessRoute)
	for _, r := range routes {
		hidden = hidden && r.Dst.Bits() > 0
		l.reach(dhcp4.ClasslessRoute, r.Gateway)
	}
	for _, g := range routers {
		if hidden {
			l.sayOf(uint16(dhcp4.ClasslessRoute), "These routes hide the gateway; add 0.0.0.0/0 "+g.String())
		} else if len(routes) == 0 {
			l.reach(dhcp4.Router, g)
		}
	}
}

func (l *linter) reach(tag dhcp4.Code, g netip.Addr) {
	n := g.Number()
	if l.masked && l.mask != mask(32) && n != 0 && (n^l.addr)&l.mask != 0 {
		l.sayOf(uint16(tag), "Gateway "+g.String()+" is not on the network of "+dotted(l.addr))
	}
}

// untimely: times that don't ascend. The client goes by its own then.
func untimely(l *linter) {
	o := &l.info.Options
	end, err := o.Uint32(dhcp4.LeaseTime)
	if err != nil {
		end = 1<<32 - 1
	}
	tag := dhcp4.RenewalTime
	t1, no1 := o.Uint32(tag)
	t2, no2 := o.Uint32(dhcp4.RebindingTime)
	if no1 != nil {
		t1, tag = end/2, dhcp4.RebindingTime
	}
	if no2 != nil {
		t2 = end - end/8
	}
	if t1 >= t2 || t2 >= end {
		l.sayOf(uint16(tag), "DHCPrenewal, DHCPrebinding and DHCPlease must ascend")
	}
}

const unmasked = " gets nothing: no netmask is set for it"

// nowhere: a client line with an address that no host can have, or with a second
// one for a network.
func nowhere(l *linter) {
	if l.el.kind != onClient || !l.el.possible() {
		return
	}
	why := unmasked
	if l.masked {
		why = edge(l.addr, l.mask)
		other, _ := l.c.Ask(&l.q).Fixed(netip.AddrFrom(l.addr ^ ^l.mask)) // the farthest from it
		if n := other.Number(); n != l.addr && n != 0 && l.el.ifname == "" {
			why = " and " + other.String() + " are both the client's: it gets only one of them"
		}
	}
	if why != "" {
		l.say(l.el.at, dotted(l.addr)+why)
	}
}

// overridden: what is set for few, and further down for all of a network, which
// counts. A macro may be of use elsewhere, and an included file may be meant to
// be overridden.
func overridden(l *linter) {
	c := l.c
	var last [fieldFile + 1]place // where a tag is set for all
	for i := len(l.info.rules) - 1; i >= 0 && l.cond >= 0; i-- {
		r := &c.rules[l.info.rules[i]]
		mine := r.cond == l.cond
		if !mine && !l.wider(r.cond) {
			continue
		}
		for n := r.ops.from; n < r.ops.to; n++ {
			o := &c.ops[n]
			at := &last[o.tag]
			switch {
			case o.do > opDrop:
			case !mine:
				*at = o.at
			case at.file == o.at.file && !o.at.before(l.el.at) && o.at.before(*at):
				l.say(o.at, "This has no effect, since "+inLine(*at)+" comes later")
			}
		}
	}
}

// wider tells whether the clients that meet a condition, as this one does, are
// those of a network around all that meet its own.
func (l *linter) wider(n int32) bool {
	conds, bits := l.c.conds, uint8(0)
	for up := l.cond; up >= 0; up = conds[up].up {
		bits = max(bits, conds[up].el.block().bits)
	}
	for ; n >= 0; n = conds[n].up {
		if el := conds[n].el; el.kind != onNet || el.net.bits > bits {
			return false
		}
	}
	return true
}

// enclosed: a client line within a host element, where nobody looks before the
// client has an address.
func enclosed(l *linter) {
	c := l.c
	if l.el.kind != onClient || !l.within(l.cond) {
		return
	}
	for n := c.firstEntry[l.el.who]; n >= 0; n = c.entries[n].next {
		if e := &c.entries[n]; e.addr == l.addr && !l.within(e.cond) {
			return
		}
	}
	l.say(l.el.at, "A client line within a host element gives no address; put it outside")
}

// never: an element within one that keeps it from matching.
func never(l *linter) {
	conds := l.c.conds
	if l.cond < 0 || conds[l.cond].inMacro {
		return
	}
	for up := conds[l.cond].up; up >= 0; up = conds[up].up {
		if l.el.excludes(conds[up].el) {
			l.say(l.el.at, "This never matches what is in "+inLine(conds[up].el.at))
		}
	}
}

// excludes tells whether two elements can't match together.
func (el *element) excludes(o *element) bool {
	switch {
	case el.kind == onClient && o.kind == onClient:
		return el.who != o.who
	case el.kind == o.kind && len(el.texts) == 1 && len(o.texts) == 1:
		return !strings.HasPrefix(el.texts[0], o.texts[0]) && !strings.HasPrefix(o.texts[0], el.texts[0])
	}
	a, b := el.block(), o.block()
	return !a.has(b.addr) && !b.has(a.addr)
}

// block returns where an element matches: anywhere if it is not one place.
func (el *element) block() block {
	switch {
	case el.kind == onNet:
		return el.net
	case el.kind <= onHost && len(el.addrs) == 1:
		return block{el.addrs[0], 32}
	}
	return block{}
}

// netless: an Ethernet of ours with an address on no network. What is none, as a
// tunnel, can do without.
func netless(l *linter) {
	for _, el := range l.c.interfaces {
		l.gather(&Query{If: el.ifname, Class: []byte(ownClass)}, el.addrs[0])
		for _, i := range l.ifaces {
			if i.Ether && i.Name == el.ifname && !l.masked {
				l.say(el.at, dotted(l.addr)+unmasked)
			}
		}
	}
}

// bootless: a file to boot from, and nobody who has it.
func bootless(l *linter) {
	i := &l.info
	o := &i.Options
	if !l.masked || !i.Siaddr.IsUnspecified() || len(i.Sname) > 0 || o.Has(dhcp4.TFTPServer) || o.Has(dhcp4.TFTPAddress) {
		return
	}
	file, name := uint16(fieldFile), i.File
	if len(name) == 0 {
		file, name = uint16(dhcp4.BootFile), o.Get(dhcp4.BootFile)
	}
	if len(name) > 0 && !strings.Contains(string(name), "://") {
		l.sayOf(file, "Neither siaddr nor TFTPserver says from where this is loaded")
	}
}

// doubled: one address for two clients. A host's name with several addresses is
// one machine, and so is an interface of ours.
func doubled(l *linter) {
	c := l.c
	for i := range c.entries {
		e := &c.entries[i]
		el, t := c.conds[e.cond].el, c.taken[e.addr]
		if t.by != byClient || t.at == el.at || el.ifname != "" || len(el.addrs) > 1 {
			continue
		}
		n := e.next
		for n >= 0 && c.conds[c.entries[n].cond].el.at != t.at {
			n = c.entries[n].next
		}
		if n < 0 {
			l.say(el.at, dotted(e.addr)+" is the client's in "+inLine(t.at)+", too: only one of them can have it")
		}
	}
}

// flash: leases that are renewed so often that the pool file wears out a flash
// memory: when all are leased by more than a record a second, which some
// megabytes endure for ten years, and by more than one in five minutes for each
// address: a pool so large that it comes to a record a second otherwise is on
// no such machine.
func flash(l *linter) {
	var hourly, least uint64
	worst, soonest := uint32(0), ^uint32(0)
	for _, a := range l.pool {
		l.gather(&unknown, a.Number())
		t1, err := l.info.Options.Uint32(dhcp4.RenewalTime)
		if err != nil {
			t1, err = l.info.Options.Uint32(dhcp4.LeaseTime)
			t1 /= 2
		}
		if err == nil {
			hourly += 3600 / uint64(max(1, t1))
			least += 12
			if t1 < soonest {
				soonest, worst = t1, l.addr
			}
		}
	}
	if hourly > max(3600, least) {
		l.gather(&unknown, worst)
		l.sayOf(uint16(dhcp4.LeaseTime), "Leases too short for flash: those of the pool come to "+strconv.FormatUint(hourly, 10)+" records an hour")
	}
}

// idle: a server with nothing to give, and something to give without a server.
func idle(l *linter) {
	if len(l.pool) > 0 && !l.serves && len(l.relays) == 0 {
		l.say(place{line: 1}, "The pool has addresses, and no line says option server")
	}
	if l.server != (place{}) && len(l.pool)+len(l.c.ids) == 0 {
		l.say(l.server, "There is neither a client line nor an address in the pool (see dhcpd -a)")
	}
}

// unused: a macro that nothing uses. Those in included files may be for others.
func unused(l *linter) {
	for _, m := range l.inOrder {
		if !m.used && m.at.file == 0 {
			l.say(m.at, "Macro "+quote(m.name)+" is never used")
		}
	}
}
