package daemon

import (
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/auth"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/pool"
	"dhcpd/server"
)

// Inquiry is what dhcpd -e asks: what would this client be given? Explain fills
// in the rest.
type Inquiry struct {
	ID                     []byte // client ID
	Ether                  bool   // it was typed as an Ethernet address: the client may have sent another one
	BOOTP                  bool   // it speaks no DHCP
	Class, Circuit, Remote []byte
	Addr                   netip.Addr // that it asks for; not valid for none

	Conf     *conf.Config
	Entries  []conf.Entry   // of the client
	Networks []*Explanation // none: no network is served
}

// Explanation is what the server would do on one network, and why.
type Explanation struct {
	If      string
	Relay   netip.Addr // that the client is behind; not valid if it is on the interface's own network
	Tried   []server.Tried
	Chosen  netip.Addr  // not valid for none
	Lines   []conf.Step // of the config, for that address
	Secured bool        // the client has to prove who it is: taken as done
	Wire    bool        // the address would be looked for on the network first: taken as nobody's
	Answer              // to the DISCOVER
	Keep    Answer      // to a client that comes back with the address that it asks for
}

// Answer is a reply, or why there is none.
type Answer struct {
	Reply *dhcp4.Message // nil for none
	Why   string         // there is none, or it is a NAK, or not all has room in it
}

// explainer is a daemon that serves nobody, with the pool that another one may
// have.
type explainer struct {
	*Daemon
	*Inquiry
	table *pool.Table
	hw    pool.HW // the client's

	*Explanation // of the network that it is at
	core         *server.Server
	site         *server.Site
	wire         []netip.Addr // that the server wants to have looked for first
}

// Explain is dhcpd -e. It asks the kernel for the interfaces, and changes
// nothing.
func Explain(o *Options, env *conf.Env, t *pool.Table, now time.Time, ask *Inquiry) error {
	host, err := link.Open()
	if err == nil {
		err = explain(host, o, env, t, now, ask)
		host.Close()
	}
	return err
}

func explain(host link.Host, o *Options, env *conf.Env, t *pool.Table, now time.Time, ask *Inquiry) error {
	links, err := host.Interfaces()
	if err != nil {
		return err
	}
	d := &Daemon{opt: *o, doors: linux, now: now, nets: map[int]*network{}, addrs: map[netip.Addr]bool{}, ifSet: map[string]bool{}}
	d.service = &service{d: d}
	d.number(links)
	env.Interfaces, env.Trace = d.ifs, true
	if d.cfg, err = conf.Load(o.Conf, *env); err != nil {
		return err
	}
	d.suppose(links)
	t.Tick(pool.Time(now.Unix()))
	t.Regroup(func(a netip.Addr) (netip.Prefix, bool) {
		on, _, ok := d.lendable(a)
		return on, ok
	})
	ask.Conf = d.cfg
	x := &explainer{Daemon: d, Inquiry: ask, table: t}
	x.recall()
	x.networks()
	return nil
}

// recall fills in what the pool knows of the client from when it was last heard:
// many send an ID of their own making, and then have two names.
func (x *explainer) recall() {
	k := pool.Key{ID: x.ID}
	if len(x.ID) == 7 && x.ID[0] == dhcp4.HtypeEther {
		if x.hw = pool.HWOf(dhcp4.HtypeEther, x.ID[1:]); x.Ether {
			k = pool.Key{HW: x.hw}
		}
	}
	if x.BOOTP {
		return // that has no such ID
	}
	var last pool.Time
	s := x.table.Search(k)
	for e := s.Next(); e.Known(); e = s.Next() {
		if r := e.Record(); r.State != pool.Relayed && r.Last >= last && len(r.ID) > 0 {
			if x.ID, last = r.ID, r.Last; r.HW.Len > 0 {
				x.hw = r.HW
			}
		}
	}
}

// suppose fills in the networks as they are or, where the config file gives
// them an address, will be when the daemon runs.
func (d *Daemon) suppose(links []link.Interface) {
	for i := range links {
		links[i].Up = true // or it would be brought up
	}
	d.look(links)
	asked, plans := d.plans()
	for i, n := range asked {
		for _, a := range global(&n.link) {
			if !n.addr.IsValid() || a.Valid == link.Forever {
				n.addr = a.Prefix
			}
			if a.Valid == link.Forever {
				break
			}
		}
		if p := &plans[i]; p.Static {
			n.addr = p.Addr
		}
	}
	asked, plans = d.plans()
	for i, n := range asked {
		n.plan = plans[i]
		n.site.Settings = n.plan.Settings
		if a := n.addr.Addr(); a.IsValid() && !d.addrs[a] {
			d.addrs[a] = true
			n.site.Addrs = append(n.site.Addrs, n.addr)
		}
		if n.relays() {
			d.service.prepareRelay(n, map[netip.Addr]way{})
		}
	}
}

// networks explains on the network of the address that is asked for; if there
// is none, on those of the interfaces, and on those behind relays where the
// client has something.
func (x *explainer) networks() {
	hw := append([]byte{x.hw.Type}, x.hw.Addr[:x.hw.Len]...)
	q := conf.Query{ID: x.ID, HW: hw, Class: x.Class, Circuit: x.Circuit, Remote: x.Remote}
	x.Entries = x.cfg.Ask(&q).Entries()
	var served *network
	for _, n := range x.order {
		if n.plan.Server {
			if served = n; !x.Addr.IsValid() {
				x.explain(n, netip.Addr{})
			}
		}
	}
	if served == nil {
		return
	}
	for _, a := range x.places() {
		n, relay := x.home(a), netip.Addr{}
		if n == nil { // what comes through a relay may come in on any network
			n, relay = served, a
			if net, ok := x.cfg.Network(a); ok {
				relay = net.Addr() // no client can have that address of the relay's
			}
		}
		if !x.explained(n, relay) {
			x.explain(n, relay)
		}
	}
}

// places returns addresses of the networks where the client may be, besides
// those of the interfaces.
func (x *explainer) places() (list []netip.Addr) {
	if x.Addr.IsValid() {
		return []netip.Addr{x.Addr}
	}
	for i := range x.Entries {
		list = append(list, x.Entries[i].Addr)
	}
	s := x.table.Search(pool.Key{ID: x.ID})
	for e := s.Next(); e.Known(); e = s.Next() {
		if e.State() != pool.Relayed {
			list = append(list, e.Addr())
		}
	}
	return list
}

// explained tells whether that network was explained already.
func (x *explainer) explained(n *network, relay netip.Addr) bool {
	for _, e := range x.Networks {
		if e.If == n.name() && e.Relay == relay {
			return true
		}
	}
	return false
}

// explain has the server decide what it would say on n to a DISCOVER, and to an
// INIT-REBOOT with the address that is asked for.
func (x *explainer) explain(n *network, relay netip.Addr) {
	e := &Explanation{If: n.name(), Relay: relay}
	x.Networks = append(x.Networks, e)
	x.Explanation, x.site, x.core = e, &n.site, new(server.Server)
	x.service.fallBack(n)
	n.site.To, n.site.From = dhcp4.Everyone, netip.IPv4Unspecified()
	if relay.IsValid() {
		n.site.To, n.site.From = n.addr.Addr(), relay
	}
	x.core.Trace = &e.Tried
	x.decide(dhcp4.Discover, &e.Answer)
	if e.Secured = x.core.Secured(); e.Secured {
		x.core.CountFrom(1, 9)
		x.decide(dhcp4.Discover, &e.Answer)
	}
	if e.Wire = e.Reply == nil && len(x.wire) > 0; e.Wire {
		for _, a := range x.wire {
			x.core.Checked(x.now, x.cfg, x.site, x.table, server.Outcome{Addr: a})
		}
		x.decide(dhcp4.Discover, &e.Answer)
	}
	if last := len(e.Tried) - 1; last >= 0 && e.Tried[last].Why == "" {
		e.Chosen = e.Tried[last].Addr
		e.Lines = x.cfg.Ask(x.core.Query()).Trace(e.Chosen)
	}
	if x.core.Trace = nil; x.Addr.IsValid() && !e.Secured {
		x.decide(dhcp4.Request, &e.Keep)
	}
}

// decide has the server answer a message of the client. It notes the reply as
// it would go over the wire, and the addresses that are to be looked for first.
func (x *explainer) decide(t dhcp4.Type, a *Answer) {
	if x.wire, *a = nil, (Answer{}); t == dhcp4.Discover {
		x.Tried = nil
	}
	actions := x.core.Decide(x.now, x.cfg, x.site, x.table, x.message(t))
	for i := range actions {
		switch v := &actions[i]; v.Verb {
		case act.Send:
			a.Reply = new(dhcp4.Message)
			b, left := v.Msg.Append(nil, v.Limit)
			if !left.Empty() {
				a.Why = server.TooBig(v.Msg, left, x.cfg.Dict())
			}
			if err := a.Reply.Parse(b); err != nil {
				a.Why = err.Error() // never
			}
		case act.Check:
			x.wire = append(x.wire, v.Addr)
		case act.Note:
			a.Why = v.Text
		}
	}
}

// message is the client's.
func (x *explainer) message(t dhcp4.Type) *dhcp4.Message {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootRequest)
	if !x.BOOTP {
		m.SetType(t)
	}
	m.Htype, m.Hlen, m.Chaddr = x.hw.Type, x.hw.Len, x.hw.Addr
	if id := x.ID; id[0] != m.Htype || string(id[1:]) != string(m.HW()) {
		m.Options.Put(dhcp4.ClientID, id)
	}
	if x.Relay.IsValid() {
		m.Giaddr = x.Relay
	}
	if x.Addr.IsValid() {
		m.Options.PutAddr(dhcp4.RequestedAddress, x.Addr)
	}
	if len(x.Class) > 0 {
		m.Options.Put(dhcp4.ClassID, x.Class)
	}
	var agent []byte
	if len(x.Circuit) > 0 {
		agent = dhcp4.AppendSub(agent, dhcp4.CircuitID, x.Circuit)
	}
	if len(x.Remote) > 0 {
		agent = dhcp4.AppendSub(agent, dhcp4.RemoteID, x.Remote)
	}
	if len(agent) > 0 {
		m.Options.Put(dhcp4.RelayAgent, agent)
	}
	if x.Secured {
		auth.Put(m, auth.Option{Kind: auth.Asks})
	}
	return m
}
