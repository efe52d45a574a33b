package daemon

import (
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/pool"
	"dhcpd/server"
)

// simServer is a server on a wire. What it commits is safe at once.
type simServer struct {
	x     *wire
	addr  netip.Addr
	mac   ether.MAC
	cfg   *conf.Config
	core  *server.Server
	site  server.Site
	table *pool.Table
	file  map[netip.Addr]pool.Record // what is on its disk
	low   byte                       // its pool: ten addresses from this one on
	down  bool
	rude  bool // it has nothing to give, and says no to everybody
	bait  bool // and yet it is the first to make an OFFER, always
}

// addServer adds one with the address low-1 and a configuration for the
// network.
func (x *wire) addServer(low byte, inside string, settings func(*conf.Settings)) *simServer {
	return x.addServerOf(x.net, low, inside, settings)
}

// addTwin adds one that has the same addresses to give as another, and knows
// nothing of it.
func (x *wire) addTwin(of *simServer, settings func(*conf.Settings)) {
	x.addServer(of.low, "", settings)
	twin := x.servers[len(x.servers)-1]
	twin.cfg, twin.mac[4] = of.cfg, 1
	twin.addr = x.net.Addr().Next()
	twin.site.Addrs = []netip.Prefix{netip.PrefixFrom(twin.addr, x.net.Bits())}
	twin.site.Ours = func(b netip.Addr) bool { return b == twin.addr }
	twin.restart()
}

// addServerOf adds one that takes the wire for another network.
func (x *wire) addServerOf(net netip.Prefix, low byte, inside string, settings func(*conf.Settings)) *simServer {
	a := net.Addr().As4()
	a[3] = low - 1
	s := &simServer{x: x, addr: netip.AddrFrom4(a), mac: ether.MAC{6, 5: low}, low: low, file: map[netip.Addr]pool.Record{}}
	var err error
	s.cfg, err = conf.Parse("dhcp.conf", "host "+net.String()+" { gateway "+s.addr.String()+"; "+inside+" };", conf.Env{})
	if err != nil {
		x.w.Fatal(err)
	}
	s.site = server.Site{If: "eth0", Index: 2, MTU: 1500, Addrs: []netip.Prefix{netip.PrefixFrom(s.addr, net.Bits())},
		Ours: func(b netip.Addr) bool { return b == s.addr }}
	s.site.Settings.Server = true
	settings(&s.site.Settings)
	s.restart()
	x.servers = append(x.servers, s)
	return s
}

// restart forgets what is not on the disk.
func (s *simServer) restart() {
	s.core, s.table = &server.Server{}, pool.NewTable()
	a := s.addr.As4()
	for n := range byte(10) {
		a[3] = s.low + n
		s.table.Add(netip.AddrFrom4(a))
	}
	for _, r := range s.file {
		s.table.Apply(&r)
	}
	s.table.Regroup(func(a netip.Addr) (netip.Prefix, bool) {
		net, known := s.cfg.Network(a)
		_, ok := s.cfg.Lendable(a)
		return net, known && ok
	})
}

func (s *simServer) hear(u *ether.Datagram) {
	m := new(dhcp4.Message)
	if s.down {
		return
	}
	if err := m.Parse(u.Payload); err != nil {
		s.x.w.Fatalf("a message that can't be read: %v", err)
	}
	if s.rude {
		s.refuse(m)
		return
	}
	s.site.To, s.site.From = u.Dst.Addr(), u.Src.Addr()
	for _, a := range s.core.Decide(s.x.w.wall(), s.cfg, &s.site, s.table, m) {
		s.obey(&a)
	}
}

// refuse answers any REQUEST by a NAK.
func (s *simServer) refuse(m *dhcp4.Message) {
	no := new(dhcp4.Message)
	no.Reset(dhcp4.BootReply)
	no.Htype, no.Hlen, no.Xid, no.Chaddr = m.Htype, m.Hlen, m.Xid, m.Chaddr
	no.Options.PutAddr(dhcp4.ServerID, s.addr)
	switch {
	case m.Type() == dhcp4.Request:
		no.SetType(dhcp4.NAK)
	case m.Type() == dhcp4.Discover && s.bait:
		no.SetType(dhcp4.Offer)
		no.Yiaddr = s.addr.Next()
		no.Options.PutUint32(dhcp4.LeaseTime, 3600)
		payload, _ := no.Append(nil, 0)
		s.x.deliver(ether.AppendUDPFrame(nil, s.mac, ether.Broadcast, s.addr, dhcp4.Everyone, dhcp4.ServerPort, dhcp4.ClientPort, payload), s.mac)
		return
	default:
		return
	}
	s.send(&act.Action{Msg: no, To: act.Dest{Addr: dhcp4.Everyone, Port: dhcp4.ClientPort, Source: s.addr, Raw: true, HW: ether.Broadcast}})
}

func (s *simServer) obey(a *act.Action) {
	w := s.x.w
	switch a.Verb {
	case act.Hold:
		s.table.Hold(a.Addr, a.Client, a.Agent, a.Until)
	case act.Unhold:
		s.table.Unhold(a.Addr)
	case act.Commit:
		r := *a.Record
		r.ID = append([]byte(nil), r.ID...)
		s.file[r.Addr] = r
		s.table.Apply(&r)
		if r.State == pool.Released || r.State == pool.Abandoned {
			delete(w.promises, promised{ether.MAC(r.HW.Addr[:6]), r.Addr})
		}
	case act.Send:
		if a.Msg.Type() == dhcp4.ACK {
			s.promise(a.Msg)
		}
		s.send(a)
	}
}

// promise writes down what an ACK says. Nobody else may have been told so.
func (s *simServer) promise(m *dhcp4.Message) {
	w := s.x.w
	term, _ := m.Options.Uint32(dhcp4.LeaseTime)
	p := promised{ether.MAC(m.Chaddr[:6]), m.Yiaddr}
	for other, end := range w.promises {
		if other.addr == p.addr && other.mac != p.mac && end > w.now && !w.rivals {
			w.Fatalf("%v: %v promised to two: %x has it until %v, now %x", w.now, p.addr, other.mac, end, p.mac)
		}
	}
	w.acks++
	w.promises[p] = max(w.promises[p], w.now+time.Duration(term)*time.Second)
}

func (s *simServer) send(a *act.Action) {
	payload, _ := a.Msg.Append(nil, a.Limit)
	to := a.To.HW
	if !a.To.Raw {
		if to = ether.Broadcast; a.To.Addr != dhcp4.Everyone && !s.resolve(a.To.Addr, &to) {
			return // nobody answers ARP
		}
	}
	s.x.carry(ether.AppendUDPFrame(nil, s.mac, to, a.To.Source, a.To.Addr, dhcp4.ServerPort, a.To.Port, payload), s.mac)
}

// resolve finds out who has an address.
func (s *simServer) resolve(a netip.Addr, to *ether.MAC) bool {
	for _, m := range s.x.w.machines {
		if m.wire == s.x && !m.asleep && m.uses(a) {
			*to = m.mac
			return true
		}
	}
	return false
}
