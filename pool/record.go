// Package pool keeps the addresses that a server may lease and what became of
// each. Table is the memory, pure; File is the journal on stable storage
// (dhcp.pool(5)), the only room that knows what a disk may do to it.
package pool

import (
	"bytes"
	"math"

	"dhcpd/internal/netip"
)

// Time is seconds since 1970 on the daemon's own clock, which neither steps
// nor stops in suspend.
type Time int64

// Infinite is the end of a lease that has none. The zero Time means never.
const Infinite Time = math.MaxInt64

// State is what an address is in.
type State uint8

// The states of an address. An expired lease is a Bound one whose end has
// passed; an OFFER's hold is not a state: it lives in the Table's memory only.
const (
	Free      State = iota // never used
	Bound                  // leased; expired once Told has passed
	Released               // given back by its holder
	Abandoned              // declined: someone else uses it
	Fixed                  // the binding of a client entry's address
	Relayed                // gleaned by a relay: never offered
)

var stateNames = [...]string{"free", "bound", "released", "abandoned", "fixed", "relayed"}

// String returns the state as the pool file spells it.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// HW is a hardware address as a DHCP header has it. The zero HW is none.
type HW struct {
	Type uint8 // htype; 1 for Ethernet
	Len  uint8 // octets of Addr in use
	Addr [16]byte
}

// HWOf returns the hardware address of a type that has these octets, at most 16;
// none for no octets.
//
//go:noinline
func HWOf(kind uint8, octets []byte) (hw HW) {
	if len(octets) > 0 {
		hw.Type, hw.Len = kind, uint8(copy(hw.Addr[:], octets))
	}
	return hw
}

// Client is who holds or wants an address: the client ID (option 61, or else
// htype and chaddr, RFC 2131 section 4.2) and the hardware address.
type Client struct {
	ID []byte
	HW HW
}

// Record is the whole state of one address. Slices and strings handed out by
// a Table are good until its next change.
type Record struct {
	Addr  netip.Addr
	State State
	Since Time // when it got into this state
	Told  Time // the latest end that the client was told
	Kept  Time // the end that stable storage promises: not before Told
	Client
	Extra
}

// Extra is what a record may know beyond the lease: the name=value part of a
// line in the pool file. Zero values are not written.
type Extra struct {
	Agent    []byte     // option 82 as it came (agent)
	Class    []byte     // option 60 (class)
	Host     string     // host name (host)
	Last     Time       // client's last transaction (last)
	Decliner []byte     // client ID that declined (decliner)
	Holder   HW         // who answered for an abandoned address (holder)
	Nonce    []byte     // RFC 6704 (nonce)
	Counter  uint64     // RFC 3118 replay counter of its last message that was authenticated (counter)
	Asleep   bool       // it did not answer when it was to be woken (asleep)
	Check    bool       // its lease ended in a believed jump of the wall clock: check on the wire before someone else gets it (check)
	Via      string     // interface of a relayed lease (via)
	Server   netip.Addr // who gave it (server)
	Unknown  string     // names that this version does not know, kept as they are
}

// Same tells whether two records say the same.
func (r *Record) Same(as *Record) bool {
	return r.Last == as.Last && r.Told == as.Told && r.Kept == as.Kept && r.Since == as.Since &&
		r.Addr == as.Addr && r.State == as.State && r.HW == as.HW && bytes.Equal(r.ID, as.ID) &&
		r.Extra.same(&as.Extra)
}

func (x *Extra) same(as *Extra) bool {
	return bytes.Equal(x.Agent, as.Agent) && bytes.Equal(x.Class, as.Class) && x.Host == as.Host &&
		bytes.Equal(x.Decliner, as.Decliner) && x.Holder == as.Holder && bytes.Equal(x.Nonce, as.Nonce) &&
		x.Counter == as.Counter && x.Check == as.Check && x.Asleep == as.Asleep && x.Unknown == as.Unknown &&
		x.Via == as.Via && x.Server == as.Server
}

// FirstProbe is how many seconds after it was abandoned an address is probed
// first.
const FirstProbe = 600

// NextProbe returns when an address that was abandoned at since is to be probed
// next after t: after FirstProbe seconds, and then at intervals that double up
// to a day.
func NextProbe(since, t Time) Time {
	const day = 24 * 60 * 60
	due, gap := since+FirstProbe, Time(2*FirstProbe)
	for due <= t && gap < day {
		due += gap
		gap *= 2
	}
	if due <= t {
		due += (t - due + day) / day * day
	}
	return due
}
