package client

import (
	"bytes"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/auth"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// got takes a message that came to us. What is not for us, or not a sound
// answer to what we asked, is dropped with the reason.
func (m *machine) got(msg *dhcp4.Message, from, to netip.Addr) {
	if msg.Type() == dhcp4.ForceRenew {
		m.forced(msg, to)
		return
	}
	if why := m.stranger(msg); why != "" {
		m.say(act.Drop, why)
		return
	}
	if why := m.unproven(msg); why != "" {
		m.say(act.Drop, why)
		if msg.Type() == dhcp4.ACK && m.Phase == Requesting { // RFC 3118 section 5.5.1
			m.again()
		}
		return
	}
	switch msg.Type() {
	case dhcp4.Offer:
		m.offer(msg)
	case dhcp4.ACK:
		m.ack(msg)
	case dhcp4.NAK:
		m.nak(msg, from)
	case dhcp4.BOOTP:
		m.bootp(msg)
	default:
		m.say(act.Drop, "no message for a client")
	}
}

// stranger tells why a message is not meant for us, "" if it is.
func (m *machine) stranger(msg *dhcp4.Message) string {
	if msg.Op == dhcp4.BootReply && msg.Xid != m.Xid {
		return "xid is not ours"
	}
	return m.foreign(msg)
}

// foreign does the same but for the xid.
func (m *machine) foreign(msg *dhcp4.Message) string {
	switch {
	case msg.Op != dhcp4.BootReply:
		return "op is not BOOTREPLY"
	case msg.Htype != dhcp4.HtypeEther || !bytes.Equal(msg.HW(), m.Config.MAC[:]):
		return "chaddr is not ours"
	// RFC 6842 section 3: two clients may share a chaddr.
	case msg.Options.Has(dhcp4.ClientID) &&
		!bytes.Equal(msg.Options.Get(dhcp4.ClientID), m.Config.identity()):
		return "client identifier is not ours"
	}
	return ""
}

// offer takes the first good OFFER; that of a server that has just let us down
// only after the second DISCOVER.
func (m *machine) offer(msg *dhcp4.Message) {
	if m.Phase != Selecting && (m.Phase != Probing || !isBOOTP(m.pending)) {
		m.say(act.Drop, "DHCPOFFER that is not waited for")
		return
	}
	if m.doWithout(msg) {
		return
	}
	l, err := learn(msg, m.now)
	if err != nil {
		m.say(act.Drop, err.Error())
		return
	}
	// Else one that is quick to offer and then refuses, or falls silent, would
	// keep us from another that gives.
	if l.Server == m.vain && m.Tries < 2 {
		m.say(act.Drop, "DHCPOFFER of a server whose last one came to nothing: others go first")
		return
	}
	m.Want, m.Server = l.Net.Addr(), l.Server
	m.promised = m.Config.able() && auth.IsAble(msg)
	m.enter(Requesting)
}

// ack takes what we asked for, unless someone else has it.
func (m *machine) ack(msg *dhcp4.Message) {
	switch {
	case m.Phase == Informing:
		m.informed(msg)
		return
	case m.Phase == Selecting && m.Config.Rapid && msg.Options.Has(dhcp4.RapidCommit):
		m.rapid(msg)
		return
	case !m.asking():
		m.say(act.Drop, "DHCPACK that answers no DHCPREQUEST of ours")
		return
	}
	l, err := NewLease(msg, m.Sent)
	if err != nil {
		m.say(act.Drop, err.Error())
		return
	}
	m.Config.Times.override(l)
	m.keepAuth(l)
	probed := m.Phase == Requesting || m.Phase == Rebooting
	switch {
	case m.Server.IsValid() && l.Server != m.Server:
		m.say(act.Drop, "server identifier is not that of the server asked")
	case probed && l.Net.Addr() != m.Want:
		m.say(act.Drop, "yiaddr is not the address asked for")
	case !good(l, m.now):
		m.say(act.Drop, "the lease is over already")
	case m.nonceless(msg):
		m.say(act.Drop, "no nonce, though the DHCPOFFER promised one")
		m.again()
	case probed && m.Holder != nobody:
		m.decline(l.Server)
	case m.Phase == Rebooting && m.doWithout(msg):
	case probed && m.Config.Probe && !m.holds(m.Want):
		m.check(l, fullProbes)
	default:
		m.bind(l)
	}
}

// bind makes the lease ours.
func (m *machine) bind(l *act.Lease) {
	same := m.Phase >= Bound && l.Net.Addr() == m.Want
	if _, ok := network(l.ACK); !ok && !same {
		m.say(act.Log, "The netmask of "+l.Net.Addr().String()+" from "+
			l.Server.String()+" makes no sense; taking "+l.Net.String())
	}
	if a, ok := hidden(l); ok && !same {
		m.say(act.Log, "The routes for "+l.Net.Addr().String()+" from "+
			l.Server.String()+" hide the gateway "+a.String())
	}
	if m.Phase >= Bound && !same { // C3: nobody could be asked about it before
		m.Want = l.Net.Addr()
		m.probe()
	}
	m.configure(l)
	m.do(act.Save).Lease = l
	m.Naks, m.Holder, m.vain = 0, nobody, anyServer
	if !same {
		m.defended = time.Time{}
		m.announceTwice()
	}
	m.follow()
}

// nak takes a no: start over completely. Two servers may quarrel about us.
func (m *machine) nak(msg *dhcp4.Message, from netip.Addr) {
	if !m.asking() {
		m.say(act.Drop, "DHCPNAK that answers no DHCPREQUEST of ours")
		return
	}
	server, err := serverID(msg)
	if err != nil {
		m.say(act.Drop, err.Error())
		return
	}
	if m.Server.IsValid() && server != m.Server {
		m.say(act.Drop, "server identifier is not that of the server asked")
		return
	}
	m.say(act.Log, nakText(msg, server, from))
	a := m.do(act.Tell)
	a.Text, a.Msg = "nak", msg
	m.giveUp(m.Want)
	m.inVain()
	m.again()
}

// again starts over: at once the first time, then ever more slowly.
func (m *machine) again() {
	m.Naks++
	if m.Naks == 1 {
		m.restart()
		return
	}
	m.restartAfter(delay(m.Naks-2) + m.jitter())
}

// inVain notes who made an OFFER that came to nothing.
func (m *machine) inVain() {
	if m.Phase == Requesting {
		m.vain = m.Server
	}
}

// asking tells whether a REQUEST of ours may still be answered.
func (m *machine) asking() bool {
	switch m.Phase {
	case Requesting, Rebooting, Renewing, Rebinding:
		return true
	}
	return false
}

// nakText returns the diagnostic of the man page.
func nakText(msg *dhcp4.Message, server, from netip.Addr) string {
	text := "Got a NAK from " + server.String()
	relay := msg.Giaddr
	if from.IsValid() {
		relay = from
	}
	if relay != server && relay != noAddr {
		text += " through " + relay.String()
	}
	if said, err := msg.Options.Text(dhcp4.MessageText); err == nil {
		text += " saying " + string(dhcp4.AppendSaid(nil, []byte(said)))
	}
	return text
}
