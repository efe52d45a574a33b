package daemon

import (
	"bytes"

	"dhcpd/client"
	"dhcpd/internal/act"
	"dhcpd/internal/auth"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
)

// step gives a network's client an event and does what it asks for. Sockets
// are opened before, since there may be something to send, and closed after.
func (d *Daemon) step(n *network, e client.Event) {
	d.stepped = true
	e.Rand = d.random()
	if d.counters > 0 {
		e.Counter = d.counter
		d.counter += client.Counters
	}
	before := n.client.Phase
	var acts []act.Action
	n.client, acts = client.Step(d.now, n.client, e)
	if n.client.Phase != before {
		d.say.debug(2, n.name()+": "+before.String()+" -> "+n.client.Phase.String())
	}
	d.open(n)
	for i := range acts {
		d.clientAction(n, &acts[i])
	}
	if n.host.On() && !(n.client.Running && n.client.Held) {
		d.lookForRouters(n, nil)
	}
	d.shut(n)
}

// clientAction does one thing that a client asked for.
func (d *Daemon) clientAction(n *network, a *act.Action) {
	switch a.Verb {
	case act.Send:
		d.clientSend(n, a)
	case act.Configure:
		if n.origin == dynamic {
			d.configure(n, a.Lease, a.Old)
		} else {
			d.configureRest(n, a.Lease)
		}
	case act.Unconfigure:
		d.unconfigure(n, a.Lease)
	case act.Save:
		d.remember(n, a.Lease)
	case act.Forget:
		d.forget(n)
	case act.LinkLocal:
		d.check(d.host.SetAddress(n.link.ID, linkLocal(a.Addr)))
	case act.NoLinkLocal:
		d.check(d.host.DeleteAddress(n.link.ID, linkLocal(a.Addr).Prefix))
	case act.Probe:
		p := ether.Probe(n.link.MAC, a.Addr)
		d.sendARP(n, &p)
	case act.Announce:
		p := ether.Announcement(n.link.MAC, a.Addr)
		d.sendARP(n, &p)
	case act.Tell:
		d.callScripts(n, a.Text, netip.Prefix{}, a.Msg)
	case act.Note:
		d.count.note(a)
		d.note(n.name(), a)
	}
}

// note says what a core had to say. Most of it nobody wants to hear: that
// costs nothing.
func (d *Daemon) note(name string, a *act.Action) {
	switch a.Level {
	case act.Log:
		d.say.often(d.now, remark, name+": "+a.Text)
	case act.Debug1, act.Suspect:
		if d.say.level >= 1 {
			d.say.debug(1, name+": "+a.Text)
		}
	case act.Drop, act.Refusal:
		if d.say.level < 2 {
			return
		}
		how := ": dropped: "
		if a.Level == act.Refusal {
			how = ": refused: "
		}
		d.say.debug(2, name+how+a.Text)
	}
}

// clientSend sends a client's message: by a frame while there is no address
// to send from, or none that the kernel knows.
func (d *Daemon) clientSend(n *network, a *act.Action) {
	d.count.sent.count(a.Msg)
	d.say.packet(n.name(), "sent to", a.To.Addr, a.Msg, d.cfg.Dict())
	d.payload, _ = a.Msg.Append(d.payload[:0], a.Limit)
	if a.Key != nil {
		auth.Sign(d.payload, a.Key)
	}
	if !a.To.Raw && n.asIf == nil && n.ears.udp != nil {
		d.clientDatagram(n, a)
		return
	}
	if n.ears.dhcp == nil {
		return // the link went away: to DHCP, the network lost it
	}
	hw := a.To.HW
	if !a.To.Raw {
		hw = n.asIf.nextHop()
	}
	d.frame = ether.AppendUDPFrame(d.frame[:0], n.link.MAC, hw, a.To.Source, a.To.Addr,
		dhcp4.ClientPort, a.To.Port, d.payload)
	d.check(n.ears.dhcp.Write(d.frame))
}

func (d *Daemon) clientDatagram(n *network, a *act.Action) {
	d.out1.Reset()
	m := d.out1.Add()
	m.Data = append(m.Data, d.payload...)
	m.From = netip.AddrPortFrom(a.To.Source, dhcp4.ClientPort)
	m.To = netip.AddrPortFrom(a.To.Addr, a.To.Port)
	m.Index = n.link.Index
	_, err := n.ears.udp.Send(d.out1)
	d.check(err)
}

func (d *Daemon) sendARP(n *network, p *ether.ARP) {
	if n.ears.arp == nil {
		return
	}
	d.frame = p.AppendFrame(d.frame[:0])
	d.check(n.ears.arp.Write(d.frame))
}

// hear passes on what a client's socket heard.
func (d *Daemon) hear(h heard) {
	n := h.net
	switch {
	case d.nets[n.link.Index] != n: // the interface is gone
	case h.kind == link.Routers:
		d.hearRouters(n, h)
	case h.err != nil:
		d.say.debug(1, n.name()+": "+h.err.Error())
		n.ears.deaf = true
		d.shut(n)
	case h.cut:
		d.drop(&d.count.of[long], n.name(), "message is too long")
	case h.kind == link.ARP:
		d.hearARP(n, h.data)
	case h.kind == link.DHCP:
		u, err := ether.ParseUDPFrame(h.data)
		if err != nil {
			d.drop(&d.count.of[malformed], n.name(), err.Error())
			return
		}
		n.asIf.heardFrom(u.SrcMAC)
		n.ears.twin = u.Payload
		d.hearMessage(n, u.Src.Addr(), u.Dst.Addr(), u.Payload)
	case n.ears.dhcp == nil && !bytes.Equal(h.data, n.ears.twin): // else that has heard it too
		d.hearMessage(n, h.from.Addr(), h.to.Addr(), h.data)
	}
}

// hearMessage parses a message for the client and gives it to it.
func (d *Daemon) hearMessage(n *network, from, to netip.Addr, payload []byte) {
	if err := d.msg.Parse(payload); err != nil {
		d.drop(&d.count.of[malformed], n.name(), err.Error())
		return
	}
	if d.msg.Op != dhcp4.BootReply {
		d.drop(&d.count.of[ignored], n.name(), "op is not BOOTREPLY") // another client's broadcast
		return
	}
	if !n.client.Running {
		d.drop(&d.count.of[ignored], n.name(), "the client does not run")
		return
	}
	// An OFFER cut before its first option must not pass for a lease without end.
	if d.msg.Type() == dhcp4.BOOTP && len(payload) < dhcp4.MinSize {
		d.drop(&d.count.of[malformed], n.name(), "BOOTP reply of less than 300 octets")
		return
	}
	d.count.received.count(&d.msg)
	d.say.packet(n.name(), "received from", from, &d.msg, d.cfg.Dict())
	d.step(n, client.Event{Kind: client.Got, Msg: &d.msg, From: from, To: to})
}

// hearARP looks for another host at the address that we want or have: its
// answer, or its own probe for it (RFC 5227 section 2.1.1).
func (d *Daemon) hearARP(n *network, frame []byte) {
	p, err := ether.ParseARPFrame(frame)
	if err != nil || p.SenderHW == n.link.MAC {
		return
	}
	watched := n.client.Watched()
	if !watched.IsValid() || n.client.Held && d.isUs(p.SenderHW) {
		return
	}
	if asking := p.IsProbe() && p.TargetIP == watched; asking || p.SenderIP == watched {
		d.step(n, client.Event{Kind: client.Conflict, MAC: p.SenderHW, Asking: asking})
	}
	if n.asIf != nil && n.client.Held && p.Op == ether.ARPRequest && p.TargetIP == watched {
		reply := p.Reply(n.link.MAC)
		d.sendARP(n, &reply)
	}
}

// isUs tells whether an Ethernet address is that of one of our interfaces. Two
// of them on one wire, and Linux asks for others out of the one with the IP
// address of the other: that is no conflict.
func (d *Daemon) isUs(hw ether.MAC) bool {
	for _, n := range d.order {
		if n.link.MAC == hw {
			return true
		}
	}
	return false
}

// drop counts what was thrown away before a core saw it.
//
//go:noinline
func (d *Daemon) drop(n *uint64, name, why string) {
	*n++
	if d.say.level >= 2 {
		d.say.debug(2, name+": dropped: "+why)
	}
}

// asIf is what the kernel would know of a network if test mode did not keep it
// from it: whom to send to, outside of broadcasts.
type asIf struct{ hop [6]byte }

// heardFrom remembers who passed on the last message: the server, or the
// router on the way to it. It may be called where there is no test mode.
func (a *asIf) heardFrom(hw [6]byte) {
	if a != nil {
		a.hop = hw
	}
}

// nextHop returns where a unicast goes; to everybody if we don't know.
func (a *asIf) nextHop() [6]byte {
	if a == nil || a.hop == ([6]byte{}) {
		return ether.Broadcast
	}
	return a.hop
}
