// Package client is the RFC 2131 client machine of one network. It is pure:
// Step takes the time, the state and an event, and returns the new state and
// what is to be done. It owns no clock, no socket and no randomness.
package client

import (
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// Phase is a state of RFC 2131 figure 5.
type Phase uint8

// The phases. From INIT-REBOOT on there is a lease that is still good.
const (
	Init       Phase = iota // before the first DISCOVER, after a DECLINE or NAK, no carrier
	Selecting               // DISCOVERs go out
	Requesting              // an OFFER is taken, REQUESTs go out
	Informing               // the address is there, INFORMs go out
	Probing                 // an ACK is there, the link is asked who else has the address
	InitReboot              // a lease is known, no carrier to ask about it
	Rebooting               // REQUESTs go out to have a known lease confirmed
	Bound
	Renewing  // past T1: REQUESTs to the server that gave the lease
	Rebinding // past T2: REQUESTs to any server
)

var phaseNames = [...]string{"INIT", "SELECTING", "REQUESTING", "INFORMING", "PROBING",
	"INIT-REBOOT", "REBOOTING", "BOUND", "RENEWING", "REBINDING"}

// String returns the name that RFC 2131 uses, as INIT-REBOOT. INFORMING and PROBING
// are ours.
func (p Phase) String() string { return phaseNames[p] }

// ClassID is the class identifier (option 60) of a client that is given no other.
const ClassID = "dhcpd"

// Config is who the client is and what it wants. It is not changed once a
// State points to it.
type Config struct {
	MAC        [6]byte
	ClientID   []byte       // option 61; nil for 01 and the MAC
	ClassID    string       // option 60; "" for the constant ClassID
	Hostname   string       // option 12; "" for none
	FQDN       string       // option 81, in place of 12; "" for none
	Request    []dhcp4.Code // option 55; nil for what the daemon can apply
	More       []dhcp4.Code // what else to ask for
	Send       []Option     // what else to say
	MTU        int          // of the interface, for option 57; 0 for 1500
	Possessive bool         // keep the address when the lease ends
	Probe      bool         // wait out the probing of RFC 5227 before a new address is used
	Rapid      bool         // take a lease without an offer: RFC 4039
	IPv6Only   bool         // do without IPv4 where the network says so: RFC 8925
	LinkLocal  bool         // have an address of the link while there is no server: RFC 3927
	Anonymous  bool         // tell no more than needed: RFC 7844
	Release    bool         // give the lease back at the end
	Inform     bool         // the address is there already: ask for the rest
	NoForce    bool         // neither ask for nor obey FORCERENEW
	Key        *Key         // believe and send only what is authenticated with it: RFC 3118
	Times      Times        // test levels: in place of what the server says
}

// Option is one option as it goes over the wire.
type Option struct {
	Code  dhcp4.Code
	Value []byte
}

// Times are the renewal, rebinding and lease time of the test levels. The
// zero Times leaves them to the server.
type Times struct{ T1, T2, Lease time.Duration }

// State is all that a client knows. It is a value: an old one stays good.
// The zero State, with a Config, is INIT and waits for Start.
type State struct {
	Config *Config
	Phase  Phase
	Wake   time.Time // when to send the event Wake; zero for never

	// Lease is on the interface if Held is set. It is still good in the
	// phases from INIT-REBOOT on; before them it is only remembered, and its
	// address is what the next DISCOVER suggests. Nil for none.
	Lease *act.Lease
	Held  bool

	Xid    uint32     // of the exchange under way
	Secs   uint16     // of the message last sent
	Began  time.Time  // when the acquisition or renewal began: secs counts from it
	Sent   time.Time  // when the REQUEST was sent: the lease counts from it
	Want   netip.Addr // the address that the REQUEST asks for
	Server netip.Addr // the server that it asks; invalid for any
	Holder [6]byte    // who else was heard to use that address; zero for nobody
	Tries  int        // delays so far in a phase where they double

	pending  *act.Lease // in PROBING: what becomes ours if nobody answers
	probes   int        // how many are still to be sent
	defended time.Time  // when the address was last defended

	local linkLocal

	promised  bool       // the OFFER said that the ACK will have a nonce
	heard     uint64     // the last replay counter of a message that proved itself,
	heardFrom netip.Addr // and of whom

	Naks     int // since the last lease
	Declines int // likewise

	vain netip.Addr // the server whose OFFER came to nothing last; invalid for none

	v6only  bool // INIT because the network does without IPv4
	NoLink  bool // there is no carrier
	Running bool // between Start and Stop

	due      time.Time // the phase's own timer; zero for none
	announce time.Time // when the second announcement is due; zero for none
}

// Kind is what happened.
type Kind uint8

// The events, with the fields of Event that each one uses besides Rand and Counter. Only
// the carrier's may come before Start; until LinkDown there is a carrier.
const (
	Start     Kind = iota + 1 // Lease, Held: begin, also anew with another Config
	Wake                      // State.Wake has come
	Got                       // Msg, From, To: a message to port 68 of this network
	Conflict                  // MAC, Asking: another host uses, or probes for, the address Watched
	LinkUp                    // the carrier has come (back)
	LinkDown                  // the carrier is gone
	LinkReady                 // what was sent since LinkUp may have been lost, unnoticed; no more now
	Stop                      // nothing more is to be done; the address stays
	Leave                     // likewise at the daemon's end: the lease may be given back
)

// Event is one thing that happened to a network.
type Event struct {
	Kind   Kind
	Msg    *dhcp4.Message // read during Step only
	From   netip.Addr     // its IP source
	To     netip.Addr     // and destination
	MAC    [6]byte
	Asking bool       // it only probes for the address
	Lease  *act.Lease // the lease remembered from an earlier run, nil for none
	Held   bool       // its address is on the interface
	Rand   uint64     // fresh randomness, with every event
	// Counter is where the replay counters of this event's messages begin: at
	// most Counters of them, and never used before.
	Counter uint64
}

// Counters is how many replay counters an event may use up.
const Counters = 8

// Step is the client: what becomes of state s when event e happens, and what
// is to be done about it, in order. A time gone by and a State.Wake long past
// (suspend) are all right.
func Step(now time.Time, s State, e Event) (State, []act.Action) {
	m := machine{State: s, now: now, rand: e.Rand, counter: e.Counter}
	m.event(&e)
	m.Wake = earliest(earliest(m.due, m.announce), m.local.due)
	return m.State, m.acts
}

// Frames tells whether the daemon must be able to send and receive DHCP in raw
// frames on the network. Else its UDP socket will do.
func (s *State) Frames() bool {
	return s.Running && s.Phase != Bound && s.Phase != Renewing
}

// Forever tells whether there will never be anything to do again but to watch:
// an infinite lease, configured.
func (s *State) Forever() bool {
	settled := s.Phase == Bound || s.Phase == InitReboot
	return s.Held && settled && s.Lease.Infinite() && s.announce.IsZero()
}

// machine is one Step at work.
type machine struct {
	State
	now  time.Time
	rand uint64
	acts []act.Action

	counter uint64 // the last one used
}

func (m *machine) event(e *Event) {
	if !m.Running && e.Kind != Start && e.Kind != LinkUp && e.Kind != LinkDown {
		return
	}
	switch e.Kind {
	case Start:
		m.start(e.Lease, e.Held)
	case Wake:
		m.wake()
	case Got:
		m.got(e.Msg, e.From, e.To)
	case Conflict:
		m.conflict(e.MAC, e.Asking)
	case LinkUp:
		m.linkUp()
	case LinkDown:
		m.linkDown()
	case LinkReady:
		m.linkReady()
	case Leave:
		m.leave()
		fallthrough
	case Stop:
		m.Running, m.due, m.announce, m.local.due = false, time.Time{}, time.Time{}, time.Time{}
	}
}

// do asks for something, whose details are to be filled in: an Action is large.
func (m *machine) do(v act.Verb) *act.Action {
	m.acts = append(m.acts, act.Action{Verb: v})
	return &m.acts[len(m.acts)-1]
}

// say asks for a Note.
func (m *machine) say(level act.Level, text string) {
	a := m.do(act.Note)
	a.Level, a.Text = level, text
}

// freshXid returns a random xid. One Step needs one at most.
func (m *machine) freshXid() uint32 { return uint32(m.rand) }

// jitter returns a time uniform over [-1 s, +1 s) (RFC 2131 section 4.1), from
// the half of the randomness that freshXid leaves.
func (m *machine) jitter() time.Duration {
	const width = 2 * uint64(time.Second)
	return time.Duration(m.rand>>32*width>>32) - time.Second
}

// earliest returns the earlier of two times, where zero is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
