package client

import (
	"dhcpd/internal/act"
	"dhcpd/internal/auth"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// Key is the secret that client and server share: RFC 3118.
type Key struct {
	ID     uint32
	Secret []byte
}

// able tells whether the client says that it takes a nonce for FORCERENEW (RFC
// 6704 section 3.1.1): not where there is a key already (section 3.1).
func (c *Config) able() bool { return !c.NoForce && c.Key == nil && !c.Anonymous }

// authenticate puts option 90 into a message of ours: a digest, but for those
// that only ask for one (RFC 3118 sections 5.5.1 and 5.5.5).
func (m *machine) authenticate(msg *dhcp4.Message) {
	k := m.Config.Key
	if k == nil {
		return
	}
	m.counter++
	o := auth.Option{Kind: auth.Keyed, Replay: m.counter, ID: k.ID}
	if t := msg.Type(); t == dhcp4.Discover || t == dhcp4.Inform {
		o.Kind = auth.Asks
	}
	auth.Put(msg, o)
}

// unproven tells why a message is not to be believed, "" if it is. Without a
// key all are. The counter of one server says nothing of another's; a message
// of theirs that is sent again does not have our xid.
func (m *machine) unproven(msg *dhcp4.Message) string {
	k := m.Config.Key
	if k == nil {
		return ""
	}
	o := auth.Of(msg)
	server, _ := serverID(msg)
	switch {
	case o.Kind != auth.Keyed || o.ID != k.ID:
		return "not authenticated with our key"
	case server == m.heardFrom && o.Replay <= m.heard:
		return "replay counter has not grown"
	case !auth.Check(msg.Wire, k.Secret):
		return "digest is wrong"
	}
	m.heard, m.heardFrom = o.Replay, server
	return ""
}

// resume takes up the counter that came with a lease of an earlier run.
func (m *machine) resume(l *act.Lease) {
	if l.Authentic() {
		m.heard, m.heardFrom = auth.Of(l.ACK).Replay, l.Server
	}
}

// keepAuth sees to option 90 of a lease that is to become ours: a digest that
// was not asked for proves nothing, and a nonce is for as long as there is no
// newer one (RFC 6704 section 3.1.3), but from one acquisition to the next.
func (m *machine) keepAuth(l *act.Lease) {
	o := &l.ACK.Options
	if m.Config.Key != nil || m.Config.able() && auth.Of(l.ACK).Kind == auth.Nonce {
		return
	}
	o.Del(dhcp4.Authentication)
	if old := m.Lease; m.Config.able() && m.Phase >= Rebooting && old.ACK != nil && auth.Of(old.ACK).Kind == auth.Nonce {
		o.Put(dhcp4.Authentication, old.ACK.Options.Get(dhcp4.Authentication))
	}
}

// nonceless tells whether an ACK lacks the nonce that the OFFER promised. Then
// it must not be taken (RFC 6704 section 3.1.4).
func (m *machine) nonceless(ack *dhcp4.Message) bool {
	return m.Phase == Requesting && m.promised && auth.Of(ack).Kind != auth.Nonce
}

// forced takes a FORCERENEW: RENEWING at once, whatever the clock says (RFC
// 3203 section 2.2). It may have any xid: the server that sends it need not
// remember ours.
func (m *machine) forced(msg *dhcp4.Message, to netip.Addr) {
	if why := m.unforced(msg, to); why != "" {
		m.say(act.Suspect, "DHCPFORCERENEW: "+why)
		return
	}
	// What a State points to stays as it was.
	l := *m.Lease
	l.ACK = clone(m.Lease.ACK)
	auth.Count(l.ACK, auth.Of(msg).Replay)
	m.Lease = &l
	m.do(act.Save).Lease = &l
	m.say(act.Debug1, "DHCPFORCERENEW: renewing")
	if m.informs() {
		m.enter(Informing)
		return
	}
	m.enter(Renewing)
}

// unforced tells why a FORCERENEW is not to be obeyed, "" if it is.
func (m *machine) unforced(msg *dhcp4.Message, to netip.Addr) string {
	bound := m.Phase >= Bound || m.Phase == Informing
	switch {
	case m.Config.NoForce:
		return "not wanted here"
	case !bound || !m.Held || m.Lease.ACK == nil:
		return "there is no lease to renew"
	case to != m.Lease.Net.Addr(): // RFC 3203 section 2.2
		return "not sent to our address alone"
	}
	if why := m.foreign(msg); why != "" {
		return why
	}
	if m.Config.Key != nil {
		return m.unproven(msg)
	}
	known, o := auth.Of(m.Lease.ACK), auth.Of(msg)
	switch {
	case known.Kind != auth.Nonce:
		return "no server has given us a nonce"
	case o.Kind != auth.Woken:
		return "not authenticated"
	case o.Replay <= known.Replay:
		return "replay counter has not grown"
	case !auth.Check(msg.Wire, known.Nonce):
		return "digest is wrong"
	}
	return ""
}
