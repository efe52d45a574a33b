package conf

import (
	"slices"

	"dhcpd/internal/netip"
)

// Net is one of the daemon's own networks.
type Net struct {
	Name  string
	Index int
	MAC   [6]byte
	Ether bool
	Addr  netip.Addr // what DHCP or an admin gave it, the zero Addr for none
}

// Plan is what the config says about one of the daemon's own networks.
type Plan struct {
	Net    Net
	Static bool         // the config names its address
	Addr   netip.Prefix // if Static: address and netmask
	Info   *Info        // if Static: all that goes with the address
	Settings
}

// own is one of our networks while it asks.
type own struct {
	plan   *Plan
	query  Query
	client netip.Addr // from a client entry
	iface  netip.Addr // from an interface element
	asked  bool
	with   netip.Addr // the address that it last asked with
}

// ownIndex is all of our networks, found by name. Each of them gathers the
// options of all.
type ownIndex struct {
	all        []own
	byName     map[string]int32
	rules, was []uint32 // that the network that asks gathers, and what the last one gathered
}

// Own asks about the daemon's own networks, as if it were a client of itself.
// There is one plan for each net, in the same order.
func (c *Config) Own(nets []Net) []Plan {
	plans := make([]Plan, len(nets))
	owns := make([]own, len(nets))
	x := ownIndex{all: owns, byName: make(map[string]int32, len(nets))}
	for i, n := range nets {
		plans[i].Net = n
		owns[i] = c.newOwn(&plans[i])
		x.byName[n.Name] = int32(i)
	}
	// An interface element that one network gathers gives another one its
	// address, which then asks again. Two that contradict each other must
	// not go on for ever.
	for range len(nets) + 1 {
		quiet := true
		for i := range owns {
			if owns[i].due() {
				c.act(&owns[i], &x)
				quiet = false
			}
		}
		if quiet {
			break
		}
	}
	for i := range owns {
		c.settle(&owns[i])
	}
	return plans
}

func (c *Config) newOwn(p *Plan) own {
	o := own{plan: p, query: Query{Class: []byte(ownClass), If: p.Net.Name}}
	if p.Net.Ether {
		o.query.ID = append([]byte{1}, p.Net.MAC[:]...)
		o.query.HW = o.query.ID
		o.client = c.ownEntry(&o.query, p.Net.Addr)
	}
	return o
}

// ownEntry returns the address of our client entry: of several with a netmask
// the one closest to the address we have.
func (c *Config) ownEntry(q *Query, have netip.Addr) netip.Addr {
	near, _ := toAddr(have)
	w := c.Ask(q)
	a, ok := w.closest(near, func(uint32, uint32) bool { return true })
	if !ok {
		return netip.Addr{}
	}
	return netip.AddrFrom(a)
}

// addr returns the address that the network asks with. A client entry hides
// an interface element.
func (o *own) addr() netip.Addr {
	for _, a := range []netip.Addr{o.client, o.iface} {
		if a.IsValid() {
			return a
		}
	}
	return o.plan.Net.Addr
}

// due tells whether the network has something to ask: an Ethernet always has,
// once, and then when its address changes.
func (o *own) due() bool {
	if !o.asked {
		return o.plan.Net.Ether || o.addr().IsValid()
	}
	return o.with != o.addr()
}

// act lets a network ask: in the first pass, if it is an Ethernet without a
// client entry, since options may stand where no address is needed; then with
// the address it has.
func (c *Config) act(o *own, x *ownIndex) {
	w := c.Ask(&o.query)
	if !o.asked && o.plan.Net.Ether && !o.client.IsValid() {
		c.pass(&w, o, x)
	}
	o.asked, o.with = true, o.addr()
	if a, ok := toAddr(o.with); ok {
		w.at(a)
		c.pass(&w, o, x)
	}
}

// pass does what the options and interface elements say that a network
// gathers. What they say of others need not be done again if the last one has
// gathered the same: a thousand networks come with a thousand options.
func (c *Config) pass(w *Asker, o *own, x *ownIndex) {
	x.rules = w.rules(x.rules)
	done := slices.Equal(x.rules, x.was)
	for _, r := range x.rules {
		ops := c.rules[r].ops
		for i := range c.ops[ops.from:ops.to] {
			p, name := &c.ops[int(ops.from)+i], o.plan.Net.Name
			switch {
			case !p.ours():
				continue
			case p.do == opInterface:
				name = c.interfaces[p.index].ifname
			case c.settings[p.index].ifname != "":
				name = c.settings[p.index].ifname
			}
			if done && name != o.plan.Net.Name {
				continue
			}
			if n, known := x.byName[name]; known {
				c.tell(&x.all[n], p)
			}
		}
	}
	x.rules, x.was = x.was, x.rules
}

// tell does what one op says about a network.
func (c *Config) tell(t *own, p *op) {
	if p.do == opInterface {
		t.iface = netip.AddrFrom(nearest(c.interfaces[p.index].addrs, 0))
		return
	}
	near, _ := toAddr(t.addr())
	c.settings[p.index].apply(&t.plan.Settings, near)
}

// settle finds what goes with an address that the config names. Only what is
// no Ethernet, as a tunnel, may do without a netmask.
func (c *Config) settle(o *own) {
	a := o.addr()
	if !o.client.IsValid() && !o.iface.IsValid() {
		return
	}
	info := new(Info)
	known := c.Gather(&o.query, a, info)
	if !known && o.plan.Net.Ether {
		return
	}
	o.plan.Static, o.plan.Addr, o.plan.Info = true, info.Net(a), info
	if !known {
		o.plan.Addr = netip.PrefixFrom(a, 32)
	}
}
