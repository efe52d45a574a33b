package client

import (
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/netip"
)

const (
	firstDelay  = 4 * time.Second  // RFC 2131 section 4.1: doubles up to
	lastDelay   = 64 * time.Second // this
	requestTime = 64 * time.Second // from an OFFER until its REQUEST is given up
	failTries   = 3                // DISCOVERs without an answer before scripts hear of it
	rebootTime  = 10 * time.Second // for a known lease to be confirmed
	renewalMin  = 60 * time.Second // RFC 2131 section 4.4.5: between two REQUESTs
)

// enter goes to phase p and does what is done on arrival there. Its mirror,
// what is done when the time of a phase is up, is timeout.
func (m *machine) enter(p Phase) {
	from := m.Phase
	m.Phase, m.Tries, m.due, m.pending, m.v6only = p, 0, time.Time{}, nil, false
	switch p {
	case Init, InitReboot, Probing: // a carrier or a time is waited for
	case Selecting:
		m.Began, m.Xid = m.now, m.freshXid()
		m.discover()
	case Informing:
		m.Began, m.Xid = m.now, m.freshXid()
		m.inform()
	case Requesting:
		m.Sent = m.now
		m.probe()
		m.ask()
	case Rebooting:
		m.Began, m.Xid, m.Sent = m.now, m.freshXid(), m.now
		m.Want, m.Server = m.Lease.Net.Addr(), anyServer
		m.probe()
		m.ask()
	case Bound:
		m.due = m.Lease.T1
	case Renewing, Rebinding:
		if from != Renewing && from != Rebinding {
			m.Began = m.now
		}
		m.renew()
	}
}

// timeout does what is to be done when the time of the phase is up.
func (m *machine) timeout() {
	switch m.Phase {
	case Init:
		m.restart()
	case Selecting:
		if m.Tries >= failTries {
			m.do(act.Tell).Text = "leasefail"
		}
		m.discover()
	case Requesting, Rebooting:
		if m.now.Before(m.deadline()) {
			m.ask()
			return
		}
		m.unanswered()
	case Informing:
		m.inform()
	case Probing:
		m.probeOn()
	case InitReboot:
		m.expire()
	case Bound, Renewing, Rebinding:
		m.follow()
	}
}

// wake does what is due. It may come long after its time, or too early. The
// phase goes first: no announcement for a lease that turns out to be over.
func (m *machine) wake() {
	if t := m.due; !t.IsZero() && !m.now.Before(t) {
		m.due = time.Time{}
		m.timeout()
	}
	if t := m.local.due; !t.IsZero() && !m.now.Before(t) {
		m.localDue()
	}
	if t := m.announce; !t.IsZero() && !m.now.Before(t) {
		m.announce, m.Declines = time.Time{}, 0 // now it is surely ours
		m.announceOnce()
	}
}

// start begins, with the lease of an earlier run if there is one.
func (m *machine) start(l *act.Lease, held bool) {
	m.notLocal()
	m.State = State{Config: m.Config, NoLink: m.NoLink, Running: true,
		Lease: l, Held: held && l != nil}
	if l != nil {
		m.resume(l)
	}
	switch {
	case l == nil || !m.Config.Anonymous || m.informs():
		m.reconfirm()
	case m.Held: // it is used on this very link: nothing is said of it by going on
		m.follow()
	default: // RFC 7844 section 3.5: where we have been is nobody's business
		m.Lease = nil
		m.restart()
	}
}

// restart begins an acquisition from nothing, as soon as there is a carrier.
func (m *machine) restart() {
	if m.NoLink {
		m.enter(Init)
		return
	}
	if m.informs() {
		m.enter(Informing)
		return
	}
	m.enter(Selecting)
}

// restartAfter does so after a wait, which the carrier's return doesn't shorten.
func (m *machine) restartAfter(wait time.Duration) {
	m.enter(Init)
	m.due = m.now.Add(wait)
}

// reconfirm asks whether the lease we know may still be used here (RFC 2131
// section 3.2). What is configured stays so meanwhile.
func (m *machine) reconfirm() {
	switch {
	case m.informs() || m.Lease == nil:
		m.restart()
	case !good(m.Lease, m.now):
		m.expire()
	case m.NoLink:
		m.enter(InitReboot)
		m.due = m.Lease.End
	default:
		m.enter(Rebooting)
	}
}

// follow goes where the clock says that the lease is (RFC 2131 section 4.4.5),
// however late. In RENEWING and REBINDING that means the next REQUEST. Where
// nobody knows who gave the lease, all are asked from T1 on.
func (m *machine) follow() {
	switch l := m.Lease; {
	case l.Infinite() || m.now.Before(l.T1):
		m.enter(Bound)
	case m.now.Before(l.T2) && l.Server.IsValid():
		m.enter(Renewing)
	case m.now.Before(l.End):
		m.enter(Rebinding)
	default:
		m.expire()
	}
}

// unanswered gives up a REQUEST: for the lease offered, back to the start
// (RFC 2131 section 3.1 step 5); a known one may be used for the rest of its
// time (section 3.2 step 3), unless someone else was heard to use it.
func (m *machine) unanswered() {
	switch {
	case m.Phase == Requesting:
		m.say(act.Debug1, "No answer from "+m.Server.String()+" for "+
			m.Want.String()+"; starting over")
		m.inVain()
		m.restart()
	case !good(m.Lease, m.now):
		m.expire()
	case m.Holder != nobody: // without an ACK there is nothing to DECLINE
		m.giveUp(m.Want)
		m.restart()
	case m.Config.Probe && !m.Held:
		m.check(m.Lease, fullProbes)
	default:
		m.keep()
	}
}

// keep goes on with a lease that we know.
func (m *machine) keep() {
	m.configure(m.Lease)
	m.announceTwice()
	m.follow()
}

// expire ends the lease. Its address is still what we'd like best.
func (m *machine) expire() {
	addr := m.Lease.Net.Addr().String()
	if m.Config.Possessive && m.Held {
		m.say(act.Log, "The lease of "+addr+" has ended; the address is kept")
	} else {
		m.say(act.Log, "The lease of "+addr+" has ended")
		m.unconfigure()
		m.do(act.Forget)
	}
	m.restart()
}

// giveUp takes an address that is not ours to use off the interface and out
// of memory.
func (m *machine) giveUp(addr netip.Addr) {
	if m.Lease == nil || m.Lease.Net.Addr() != addr {
		return
	}
	m.unconfigure()
	m.do(act.Forget)
	m.Lease = nil
}

// configure puts l onto the interface, in place of what is there.
func (m *machine) configure(l *act.Lease) {
	a := m.do(act.Configure)
	a.Lease = l
	if m.Held {
		a.Old = m.Lease
	}
	m.Lease, m.Held = l, true
	m.notLocal()
}

// unconfigure takes the lease off the interface, if it is there.
func (m *machine) unconfigure() {
	if m.Held {
		m.do(act.Unconfigure).Lease = m.Lease
	}
	m.Held, m.announce = false, time.Time{}
}

// ask sends the REQUEST of REQUESTING or REBOOTING, once more perhaps.
func (m *machine) ask() {
	m.request()
	m.retry()
	m.due = earliest(m.due, m.deadline())
}

// deadline returns when REQUESTING or REBOOTING is given up.
func (m *machine) deadline() time.Time {
	if m.Phase == Requesting {
		return m.Sent.Add(requestTime)
	}
	return earliest(m.Sent.Add(rebootTime), m.Lease.End)
}

// retry sets the time of the next try: 4, 8, 16, 32, 64, 64 ... seconds from
// now, each ±1 s (RFC 2131 section 4.1).
func (m *machine) retry() {
	m.due = m.now.Add(delay(m.Tries) + m.jitter())
	m.Tries++
}

// delay returns the n-th delay between tries, from 0.
func delay(n int) time.Duration {
	return min(firstDelay<<min(n, 8), lastDelay)
}
