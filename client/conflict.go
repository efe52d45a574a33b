package client

import (
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/netip"
)

// What two hosts with one address do about it. Names in capitals are those of
// RFC 5227 section 1.1.
const (
	declineWait   = 10 * time.Second // RFC 2131 section 3.1 step 5: a minimum
	declineSlow   = 60 * time.Second // RATE_LIMIT_INTERVAL, after
	declineMany   = 10               // MAX_CONFLICTS
	fullProbes    = 3                // PROBE_NUM
	probeWait     = time.Second      // PROBE_WAIT, and PROBE_MIN
	announceWait  = 2 * time.Second  // ANNOUNCE_WAIT
	announceAfter = 2 * time.Second  // ANNOUNCE_INTERVAL
	defendAgain   = 10 * time.Second // DEFEND_INTERVAL
)

// Watched returns the address for which the event Conflict is wanted: ARP
// packets with this sender address, or with this target address and sender
// address 0.0.0.0 (RFC 5227 section 2.1.1), from another Ethernet address.
// Invalid for none. It is watched for as long as it is ours.
func (s *State) Watched() netip.Addr {
	switch {
	case !s.Running || s.NoLink || s.informs():
		return netip.Addr{}
	case s.Phase == Requesting || s.Phase == Probing || s.Phase == Rebooting:
		return s.Want
	case s.Held:
		return s.Lease.Net.Addr()
	}
	return s.local.addr
}

// holds tells whether a is the address on the interface.
func (s *State) holds(a netip.Addr) bool { return s.Held && s.Lease.Net.Addr() == a }

// probe asks the link who has the address that we are about to REQUEST. The
// answer, if any, comes while the server writes its ACK (RFC 2131 section 4.4.1).
func (m *machine) probe() {
	m.Holder = nobody
	m.do(act.Probe).Addr = m.Want
}

// check puts off a lease until so many probes, and the one that went with the
// REQUEST, have been answered by silence (RFC 5227 section 2.1.1).
func (m *machine) check(l *act.Lease, probes int) {
	m.enter(Probing)
	m.pending, m.probes = l, probes
	m.due = m.now.Add(m.upTo(probeWait))
}

// probeOn sends the next probe, or takes the lease when all have been waited for.
func (m *machine) probeOn() {
	if m.probes == 0 {
		m.takePending()
		return
	}
	m.probes--
	m.do(act.Probe).Addr = m.Want
	m.due = m.afterProbe(m.probes)
}

// afterProbe returns until when the answer to a probe is waited for, after which
// so many follow.
func (m *machine) afterProbe(left int) time.Time {
	if left > 0 {
		return m.now.Add(probeWait + m.upTo(probeWait))
	}
	return m.now.Add(announceWait)
}

func (m *machine) takePending() {
	switch l := m.pending; {
	case !good(l, m.now):
		m.restart()
	case l == m.Lease: // no server has confirmed it
		m.keep()
	default:
		m.bind(l)
	}
}

// announceTwice tells everyone on the link whose the address is now: RFC 5227
// section 2.3.
func (m *machine) announceTwice() {
	m.announceOnce()
	m.announce = m.now.Add(announceAfter)
}

func (m *machine) announceOnce() {
	m.do(act.Announce).Addr = m.Lease.Net.Addr()
}

// conflict takes the news that another host uses, or wants, an address that
// we hold or ask for.
func (m *machine) conflict(mac [6]byte, asking bool) {
	a := m.Watched()
	switch {
	case mac == nobody || mac == m.Config.MAC || !a.IsValid():
	case a == m.local.addr:
		m.localConflict(mac, asking)
	case asking && m.holds(a): // the kernel tells it whose the address is
	case m.Phase == Requesting || m.Phase == Rebooting:
		m.note(mac)
	case m.Phase == Probing:
		m.note(mac)
		m.refuse(m.acked())
	// An answer to our probe may lose the race with the ACK, on the wire or in
	// here: until the second announcement it counts all the same.
	case !m.announce.IsZero():
		m.note(mac)
		m.surrender()
	default:
		m.defend(mac)
	}
}

// note keeps who else has the address that we ask for, and says so once. That
// is DECLINEd when it is ours to decline.
func (m *machine) note(mac [6]byte) {
	if m.Holder != nobody {
		return
	}
	m.Holder = mac
	server := m.Server
	switch {
	case m.Phase == Probing:
		server = m.pending.Server
	case m.Phase != Requesting:
		server = m.Lease.Server
	}
	text := m.Want.String()
	if server.IsValid() {
		text += " offered by " + server.String()
	}
	m.say(act.Log, text+" is already in use by "+ethernet(mac))
}

// defend keeps the address that we have, once; when the other one insists, it
// may have it (RFC 5227 section 2.4 (b)).
func (m *machine) defend(mac [6]byte) {
	text := m.Lease.Net.Addr().String() + " is already in use by " + ethernet(mac)
	if m.defended.IsZero() || m.now.Sub(m.defended) >= defendAgain {
		m.defended = m.now
		m.say(act.Log, text+"; defending it")
		m.announceOnce()
		return
	}
	m.say(act.Log, text+"; giving it up")
	m.Holder, m.Want = mac, m.Lease.Net.Addr()
	m.surrender()
}

// surrender gives up the address that we have.
func (m *machine) surrender() {
	server := anyServer
	if m.Phase > InitReboot {
		server = m.Lease.Server
	}
	m.refuse(server)
}

// acked returns who has just given us the lease that PROBING is about; nobody,
// if it is one that we knew and no server has confirmed.
func (m *machine) acked() netip.Addr {
	if m.pending == m.Lease {
		return anyServer
	}
	return m.pending.Server
}

// refuse starts over without the address, and tells the server if there is one
// to be told: one that owns us no lease would not believe it.
func (m *machine) refuse(server netip.Addr) {
	if server.IsValid() {
		m.decline(server)
		return
	}
	m.giveUp(m.Want)
	m.restartAfter(declineWait)
}

// decline gives back a lease of an address that someone else was heard to
// use, and starts over after a while: longer if that goes on and on.
func (m *machine) decline(server netip.Addr) {
	m.sendDecline(server)
	m.giveUp(m.Want)
	m.Declines++
	if m.Declines < declineMany {
		m.restartAfter(declineWait)
		return
	}
	m.restartAfter(declineSlow)
}

// upTo returns a time uniform over [0, most), from the half of the randomness
// that freshXid leaves.
func (m *machine) upTo(most time.Duration) time.Duration {
	return time.Duration(m.rand >> 32 * uint64(most) >> 32)
}
