package conf

import (
	"math/bits"
	"slices"
	"strings"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// Asker is a query with what the conditions want to know of it: of use where
// several questions are asked by one client.
type Asker struct {
	c    *Config
	q    *Query
	who  int32 // number of the client ID, -1 for one that no entry names
	byHW bool  // who was found by hardware address

	// In the first pass there is no address: then hosts and netblocks do not
	// match, and client elements do, whatever their address.
	addr    uint32
	hasAddr bool
}

// Ask makes an Asker, which is good until q changes.
func (c *Config) Ask(q *Query) Asker {
	w := Asker{c: c, q: q, who: -1}
	if n, ok := c.ids[string(q.ID)]; ok {
		w.who = n
	} else if n, ok := c.ids[string(q.HW)]; ok {
		w.who, w.byHW = n, true
	}
	return w
}

// Key returns the key of the client that asks, if `option authenticate` stands
// among what it gathers whatever its address, as in a client's body. Nil: it
// has none of its own. List is scratch memory.
func (w Asker) Key(list []uint32) (key *Key) {
	w.hasAddr = false
	for _, r := range w.rules(list) {
		for _, o := range w.c.ops[w.c.rules[r].ops.from:w.c.rules[r].ops.to] {
			if o.do == opKey {
				key = w.c.settings[o.index].key
			}
		}
	}
	return key
}

// nobody makes the Asker of whom nothing is known.
func (c *Config) nobody() Asker { return Asker{c: c, q: &unknown, who: -1} }

// unknown is the Query of all of those; nothing is ever written into it.
var unknown Query

// at makes it the Asker of the second pass.
func (w *Asker) at(a uint32) {
	w.addr, w.hasAddr = a, true
}

// holds tells whether a condition and all that enclose it match.
func (w *Asker) holds(n int32) bool {
	for ; n >= 0; n = w.c.conds[n].up {
		if !w.matches(w.c.conds[n].el) {
			return false
		}
	}
	return true
}

// matches tells whether one element matches. A host with several addresses
// matches each: the one closest to the client's address is that address.
func (w *Asker) matches(el *element) bool {
	switch el.kind {
	case onClient:
		return w.named(el) && (!w.hasAddr || slices.Contains(el.addrs, w.addr))
	case onHost:
		return w.hasAddr && slices.Contains(el.addrs, w.addr)
	case onNet:
		return w.hasAddr && el.net.has(w.addr)
	case onInterface:
		return w.q.If != "" && w.q.If == el.ifname
	case onMacro:
		return true
	}
	return hasPrefix(w.text(el.kind), el.texts)
}

// named tells whether a client element means the one who asks. Its interface
// counts only for our own.
func (w *Asker) named(el *element) bool {
	return el.who == w.who && (el.ether || !w.byHW) &&
		(el.ifname == "" || w.q.If == "" || el.ifname == w.q.If)
}

// text returns what the texts of an element are compared with.
func (w *Asker) text(k kind) []byte {
	switch k {
	case onClass:
		return w.q.Class
	case onCircuit:
		return w.q.Circuit
	}
	return w.q.Remote
}

func hasPrefix(text []byte, prefixes []string) bool {
	for _, p := range prefixes {
		if len(text) > 0 && len(p) <= len(text) && string(text[:len(p)]) == p {
			return true
		}
	}
	return false
}

// rules appends the numbers of all rules that hold, in the order of the file.
func (w *Asker) rules(dst []uint32) []uint32 {
	x := w.c.index
	dst = w.bucket(dst[:0], always, true)
	if w.who >= 0 {
		dst = w.bucket(dst, x.clients[w.who], x.clients[w.who] != 0)
	}
	if w.hasAddr {
		n, ok := x.hosts[w.addr]
		dst = w.bucket(dst, n, ok)
		for left := x.bits; left != 0; left &= left - 1 {
			length := bits.TrailingZeros64(left)
			n, ok := x.nets[netKey(w.addr&mask(length), uint8(length))]
			dst = w.bucket(dst, n, ok)
		}
	}
	for i := range x.texts {
		t, text := &x.texts[i], w.text(onClass+kind(i))
		for _, n := range t.lengths {
			if int(n) > len(text) {
				break
			}
			n, ok := t.buckets[string(text[:n])]
			dst = w.bucket(dst, n, ok)
		}
	}
	return unique(dst) // a rule may lie in two buckets
}

// bucket appends those rules of a bucket that hold.
func (w *Asker) bucket(dst []uint32, n uint32, ok bool) []uint32 {
	if !ok {
		return dst
	}
	x := w.c.index
	for _, r := range x.rules[x.start[n]:x.start[n+1]] {
		rule := &w.c.rules[r]
		if (w.q.If != "" || !w.c.ops[rule.ops.from].ours()) && w.holds(rule.cond) {
			dst = append(dst, r)
		}
	}
	return dst
}

// Gather is the second pass: all that the file says for this client at
// address a. False: there is no information, since no netmask is set.
// Whether a is on the client's network is for the caller to see by Info.Net.
func (c *Config) Gather(q *Query, a netip.Addr, info *Info) bool { return c.Ask(q).Gather(a, info) }

// Gather is Config.Gather for the one who asks.
func (w Asker) Gather(a netip.Addr, info *Info) bool {
	addr, ok := toAddr(a)
	if !ok {
		info.Reset()
		return false
	}
	c := w.c
	w.at(addr)
	info.next = w.rules(info.next)
	name := c.hostNames[addr]
	if info.of != c || info.here || name != "" || !slices.Equal(info.next, info.rules) {
		info.Reset()
		info.rules, info.next = info.next, info.rules
		info.of, info.here = c, name != ""
		for _, r := range info.rules {
			ops := c.rules[r].ops
			for i := range c.ops[ops.from:ops.to] {
				c.apply(&c.ops[int(ops.from)+i], addr, info)
			}
		}
		info.nameHost(name)
		info.measure()
	}
	return info.masked
}

// apply does one op for a client at address a.
func (c *Config) apply(o *op, a uint32, info *Info) {
	v := c.data[o.value.from:o.value.to:o.value.to]
	switch {
	case o.do == opDrop:
		info.drop(o.tag)
	case o.do == opMask && !info.Options.Has(dhcp4.Netmask):
		info.Options.Put(dhcp4.Netmask, v)
	case o.do == opSet && o.picks.from == o.picks.to:
		info.set(o.tag, v)
	case o.do == opSet:
		info.here = true
		info.value = patch(append(info.value[:0], v...), c.picks[o.picks.from:o.picks.to], a)
		info.set(o.tag, info.value)
	}
}

// patch puts the closest to a of several addresses where there is a choice.
func patch(v []byte, picks []pick, a uint32) []byte {
	for _, p := range picks {
		appendAddr(v[:p.off], nearest(p.addrs, a))
	}
	return v
}

func (i *Info) set(tag uint16, v []byte) {
	switch tag {
	case fieldSiaddr:
		i.Siaddr = netip.AddrFrom4([4]byte(v))
	case fieldSname:
		i.Sname = v
	case fieldFile:
		i.File = v
	default:
		i.Options.Put(dhcp4.Code(tag), v)
	}
}

func (i *Info) drop(tag uint16) {
	switch tag {
	case fieldSiaddr:
		i.Siaddr = netip.IPv4Unspecified()
	case fieldSname:
		i.Sname = nil
	case fieldFile:
		i.File = nil
	default:
		i.Options.Del(dhcp4.Code(tag))
	}
}

// nameHost fills in host name and domain from the hosts file.
func (i *Info) nameHost(name string) {
	host, domain, _ := strings.Cut(name, ".")
	if host != "" && !i.Options.Has(dhcp4.HostName) {
		i.Options.PutText(dhcp4.HostName, host)
	}
	if domain != "" && !i.Options.Has(dhcp4.DomainName) {
		i.Options.PutText(dhcp4.DomainName, domain)
	}
}

// measure reads the netmask that was gathered.
func (i *Info) measure() {
	if m, err := i.Options.Uint32(dhcp4.Netmask); err == nil {
		i.bits, i.masked = netip.MaskBits(m)
	}
}

// Net returns address a with the netmask that was gathered, the zero Prefix
// if there is none.
func (i *Info) Net(a netip.Addr) netip.Prefix {
	if !i.masked {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(a, i.bits)
}
