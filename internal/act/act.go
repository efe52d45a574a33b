// Package act is the page of verbs: everything that a core (client, server,
// relay) may ask of the daemon. A core returns a list of Actions, in the order
// in which they are to be done; it never does anything itself.
package act

import (
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// Verb says what an Action asks for, and by that which of its fields count.
type Verb uint8

// The verbs, with the fields of Action that each one uses.
const (
	Send        Verb = iota + 1 // Msg, To, Limit: this message, that way; or Octets, To: one that is written already
	Commit                      // Record, Lazy: stable storage must promise this before any later Send of the list leaves
	Learn                       // Record: as Commit, but in memory only
	Hold                        // Addr, Client, Agent, Until: keep an OFFERed address for a client, in memory only; for nobody, if there is none
	Unhold                      // Addr: give up that hold
	Check                       // Addr: ask the wire whether anybody has it, by ARP on the link, by ICMP echo behind a relay; the server hears the outcome a moment later
	Configure                   // Lease: address, routes, MTU onto the interface; replaces Old if that is set
	Unconfigure                 // Lease: take them off again
	LinkLocal                   // Addr: have this address of the link for some minutes
	NoLinkLocal                 // Addr: no longer
	Save                        // Lease: remember it in the cache
	Forget                      // nothing: take this network out of the cache
	Route                       // Addr: a host route to it by the network's interface
	Unroute                     // Addr, If: take that off again
	Probe                       // Addr: an ARP probe for it (RFC 5227 section 2.1.1)
	Announce                    // Addr: an ARP announcement (RFC 5227 section 2.3)
	Tell                        // Text, Msg: call the scripts with that word, leasefail or nak, and that message
	Connect                     // Addr, To.Source, Octets: tell that server this by TCP; the relay hears what it answers
	Note                        // Level, Text: say it
)

// Action is one thing to do. It is good until the core's next call.
type Action struct {
	Verb   Verb
	Level  Level
	Msg    *dhcp4.Message
	Octets []byte
	To     Dest
	Limit  int    // Send: the most octets of UDP payload; 0 for the least that all take
	Key    []byte // Send: the secret that the digest is made with, nil for none
	Record *pool.Record
	Lazy   bool // Commit: an earlier record of this address promises as much, so no sync is due for this one; a Send still waits while that earlier one is under way
	Lease  *Lease
	Old    *Lease // Configure: the lease that this one replaces, nil for none
	Addr   netip.Addr
	If     string // name of an interface
	Client pool.Client
	Agent  []byte // option 82 of that client
	Until  pool.Time
	Text   string
}

// Dest is how a message travels (RFC 2131 section 4.1).
type Dest struct {
	Addr   netip.Addr // 255.255.255.255 for broadcast
	Port   uint16
	Source netip.Addr // the sender's address: 0.0.0.0 for a client that has none
	Raw    bool       // as a frame to HW, without ARP: the receiver can't answer ARP yet
	HW     [6]byte    // with Raw; all ones for broadcast
}

// Level says who wants to know a Note.
type Level uint8

// Levels of notes. Log goes to the log whatever the debug level; Drop is why a
// message was dropped, shown at debug level 2 and counted; Refusal is why one
// is answered by a NAK, shown likewise; Suspect is why a FORCERENEW was not
// obeyed, shown at debug level 1 and counted.
const (
	Log Level = iota
	Debug1
	Drop
	Refusal
	Suspect
)

// Lease is what a client learned about its network: an ACK, taken apart.
type Lease struct {
	Net     netip.Prefix     // address and netmask
	Server  netip.Addr       // option 54
	Gateway []netip.Addr     // option 3, or the default routes of option 121, which hides it
	Routes  []dhcp4.NetRoute // the others of option 121, or option 33; a Gateway of 0.0.0.0: on the link
	MTU     int              // option 26; 0 for none
	Start   time.Time        // when the REQUEST was sent
	T1, T2  time.Time        // zero with an infinite lease
	End     time.Time        // zero: infinite
	ACK     *dhcp4.Message
}

// Authentic tells whether the ACK has proved, with the key of RFC 3118, that it
// came from who shares it with us. Clients keep no other such proof in a lease.
func (l *Lease) Authentic() bool {
	if l.ACK == nil {
		return false
	}
	v := l.ACK.Options.Get(dhcp4.Authentication)
	return len(v) > 0 && v[0] == 1
}

// Infinite tells whether the lease never ends.
func (l *Lease) Infinite() bool { return l.End.IsZero() }
