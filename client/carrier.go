package client

import "time"

// linkUp makes use of a carrier. Perhaps it is another network's.
func (m *machine) linkUp() {
	m.NoLink = false
	switch {
	case !m.Running:
	case m.Phase >= InitReboot && m.Config.Anonymous && !m.informs():
		m.giveUp(m.Lease.Net.Addr()) // RFC 7844 section 3.5
		m.restart()
	case m.Phase >= InitReboot:
		m.reconfirm()
	case m.Phase == Init && m.now.Before(m.due) && !m.v6only: // after a DECLINE or NAK
	default:
		m.restart()
	}
}

// linkReady repeats at once what has had no answer yet.
func (m *machine) linkReady() {
	switch m.Phase {
	case Selecting, Informing, Requesting, Rebooting:
		m.Tries = 0
		m.timeout()
	}
}

// linkDown keeps quiet until the carrier is back.
func (m *machine) linkDown() {
	m.NoLink, m.announce = true, time.Time{}
	m.notLocal()
	switch {
	case !m.Running:
	case m.Phase >= InitReboot:
		m.reconfirm()
	case m.Phase != Init:
		m.enter(Init)
	}
}
