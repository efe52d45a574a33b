package client

import (
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/netip"
)

// linkLocal is the address that the client has while there is no server: RFC
// 3927. It goes through the same checks as any other.
type linkLocal struct {
	addr      netip.Addr // invalid for none
	held      bool       // it is on the interface
	due       time.Time  // when there is something to do for it; zero for never
	probes    int        // how many are still to be sent
	announce  int        // likewise, of announcements
	conflicts uint32     // so far: each leads to another address
	defended  time.Time
}

const (
	linkLocalTries = 2 // DISCOVERs without an answer before there is one
	linkLocalPorts = 254 * 256
)

// linkLocalAddr returns the n-th address that a host tries: always the same
// ones, of 169.254.1.0 to 169.254.254.255 (RFC 3927 section 2.1).
func linkLocalAddr(mac [6]byte, n uint32) netip.Addr {
	h := uint32(2166136261)
	for _, b := range mac {
		h = (h ^ uint32(b)) * 16777619
	}
	a := 256 + (h>>4+n*40503)%linkLocalPorts
	return netip.AddrFrom4([4]byte{169, 254, byte(a >> 8), byte(a)})
}

// beLocal is called with each DISCOVER: after some, an address of the link is
// looked for, or the one that is there gets more time.
func (m *machine) beLocal() {
	switch {
	case !m.Config.LinkLocal || m.Held || m.Tries < linkLocalTries:
	case !m.local.addr.IsValid():
		m.tryLocal()
	case m.local.held:
		m.do(act.LinkLocal).Addr = m.local.addr
	}
}

// tryLocal begins to probe for the next address.
func (m *machine) tryLocal() {
	l := &m.local
	l.addr, l.probes, l.announce = linkLocalAddr(m.Config.MAC, l.conflicts), fullProbes, 2
	l.due = m.now.Add(m.upTo(probeWait))
	if l.conflicts >= declineMany {
		l.due = m.now.Add(declineSlow)
	}
}

// localDue does what is due for it (RFC 3927 section 2.2.1).
func (m *machine) localDue() {
	l := &m.local
	l.due = time.Time{}
	switch {
	case l.probes > 0:
		l.probes--
		m.do(act.Probe).Addr = l.addr
		l.due = m.afterProbe(l.probes)
		return
	case !l.held:
		l.held = true
		m.do(act.LinkLocal).Addr = l.addr
	}
	m.do(act.Announce).Addr = l.addr
	if l.announce--; l.announce > 0 {
		l.due = m.now.Add(announceAfter)
	}
}

// localConflict takes the news of somebody else at that address.
func (m *machine) localConflict(mac [6]byte, asking bool) {
	l := &m.local
	switch {
	case l.held && asking: // the kernel tells it whose the address is
		return
	case l.held && (l.defended.IsZero() || m.now.Sub(l.defended) >= defendAgain):
		l.defended = m.now
		m.do(act.Announce).Addr = l.addr
		return
	}
	m.say(act.Debug1, l.addr.String()+" is already in use by "+ethernet(mac))
	n := l.conflicts + 1
	m.notLocal()
	m.local.conflicts = n
	m.tryLocal()
}

// notLocal does without it.
func (m *machine) notLocal() {
	if m.local.held {
		m.do(act.NoLinkLocal).Addr = m.local.addr
	}
	m.local = linkLocal{}
}
