package client

import (
	"strconv"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
)

// The ways to get a lease, or to do without, other than OFFER and REQUEST.

const (
	bootpWait = time.Second            // for an OFFER, or for a conflict (C13)
	rapidWait = 100 * time.Millisecond // for a conflict: there is no REQUEST to overlap with
	v6Wait    = 300 * time.Second      // RFC 8925 section 3.4: MIN_V6ONLY_WAIT
)

// bootp takes a BOOTP reply for a lease without end (RFC 1534 section 3), if
// nobody answers for its address, and no DHCP server makes an OFFER.
func (m *machine) bootp(msg *dhcp4.Message) {
	o := &msg.Options
	if m.Phase != Selecting || o.Has(dhcp4.LeaseTime) || o.Has(dhcp4.ServerID) {
		m.say(act.Drop, "BOOTP reply that is not waited for, or half DHCP")
		return
	}
	l := act.Lease{ACK: clone(msg)}
	if err := place(&l, msg, m.now); err != nil {
		m.say(act.Drop, err.Error())
		return
	}
	m.probeFor(&l, bootpWait)
}

// isBOOTP tells whether a lease comes from a BOOTP reply.
func isBOOTP(l *act.Lease) bool { return l != nil && l.ACK != nil && l.ACK.Type() == dhcp4.BOOTP }

// rapid takes an ACK that answers a DISCOVER: RFC 4039. The lease counts from
// the first one, whichever was answered.
func (m *machine) rapid(msg *dhcp4.Message) {
	l, err := NewLease(msg, m.Began)
	if err != nil {
		m.say(act.Drop, err.Error())
		return
	}
	m.Config.Times.override(l)
	m.keepAuth(l)
	m.probeFor(l, rapidWait)
}

// probeFor takes a lease that was not asked for by a REQUEST, and so not
// probed for yet, if there is silence for a while.
func (m *machine) probeFor(l *act.Lease, wait time.Duration) {
	m.Want, m.Server = l.Net.Addr(), l.Server
	m.probe()
	if m.Config.Probe {
		m.check(l, fullProbes)
		return
	}
	m.check(l, 0)
	m.due = m.now.Add(wait)
}

// doWithout goes without IPv4 for as long as a server says (RFC 8925 section
// 3.2), or until the link has gone and come back. False: there is no such word.
func (m *machine) doWithout(msg *dhcp4.Message) bool {
	v, err := msg.Options.Uint32(dhcp4.IPv6Only)
	server, bad := serverID(msg)
	if !m.Config.IPv6Only || err != nil || bad != nil {
		return false
	}
	wait := max(time.Duration(v)*time.Second, v6Wait)
	m.say(act.Debug1, server.String()+" says that this network does without IPv4; waiting "+
		strconv.Itoa(int(wait/time.Second))+" s")
	if m.Lease != nil {
		m.giveUp(m.Lease.Net.Addr())
	}
	m.restartAfter(wait)
	m.v6only = true
	return true
}

// informs tells whether the address is not ours to care for.
func (s *State) informs() bool { return s.Config.Inform && s.Lease != nil }

// inform asks for what goes with the address that we have: RFC 2131 section
// 4.4.3. It has no end but an answer.
func (m *machine) inform() {
	msg := m.message(dhcp4.Inform)
	m.Secs = seconds(m.now.Sub(m.Began))
	msg.Secs = m.Secs
	msg.Ciaddr = m.Lease.Net.Addr()
	m.describe(&msg.Options)
	m.send(msg, broadcast(msg.Ciaddr))
	m.retry()
}

// informed takes the answer. The address stays as it is, for ever.
func (m *machine) informed(msg *dhcp4.Message) {
	server, err := serverID(msg)
	if err != nil {
		m.say(act.Drop, err.Error())
		return
	}
	l := act.Lease{Net: m.Lease.Net, Server: server, Start: m.now, ACK: clone(msg)}
	Learn(&l, msg)
	m.keepAuth(&l)
	m.configure(&l)
	m.do(act.Save).Lease = &l
	m.enter(Bound)
}

// leave gives the lease back, if that is wanted (C15): RFC 2131 section 4.4.6.
func (m *machine) leave() {
	if !m.Config.Release || !m.Held || m.informs() {
		return
	}
	l := m.Lease
	if m.Phase > InitReboot && l.Server.IsValid() && !m.NoLink {
		m.Xid = m.freshXid()
		msg := m.message(dhcp4.Release)
		msg.Ciaddr = l.Net.Addr()
		msg.Options.PutAddr(dhcp4.ServerID, l.Server)
		m.send(msg, act.Dest{Addr: l.Server, Port: dhcp4.ServerPort, Source: msg.Ciaddr})
	}
	m.giveUp(l.Net.Addr())
}
