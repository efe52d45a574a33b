// Package link is the edge to Linux: interfaces, addresses and routes (by
// netlink), sockets, clocks. The daemon is its only user. Nothing in here
// keeps state about networks: the daemon's one loop owns it all and calls
// Host, Sender and the Send methods; a small reader for each socket sits in
// Receive, Read or Wait, hands over what came, and ends when its socket is
// closed.
//
//	Host      interfaces as they are; set link, MTU, address, route      netlink
//	Watch     "look again"                                               netlink
//	Frames    what a client hears and says without an address            packet socket
//	UDP       port 67 for all networks; port 68 for a client's renewals  recvmmsg, sendmmsg
//	Sender    frames to hosts that have no address yet, and broadcasts   sendmmsg
//	Batch     the datagrams or frames of one system call
//	Alarm     the loop's one timer, and news of a wall clock that was set  timerfd
//
// Port 67 has two sockets in one UDP, so that a flood of DISCOVERs does not keep
// out those who have a lease (twin).
//
// For each client: Frames of kind DHCP while it has no address, and a UDP
// socket on port 68 bound to its interface once it has one. Renewals go out by
// that with the leased address as source, answers come in by it, and while it
// is open the kernel sends no ICMP "port unreachable" for what a server sends
// late. It hears broadcasts to port 68 too, but not those that the kernel's
// reverse path filter drops, a strange server's NAK for one: so a client that
// is REBINDING or REBOOTING has its Frames open as well, and hears most things
// twice. Frames of kind ARP are open while an address is probed or defended.
package link

import (
	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
)

// An ID names an interface: by index for the kernel, by name for people.
type ID struct {
	Index int
	Name  string
}

// Forever is the lifetime in seconds of an address that has none.
const Forever uint32 = 0xffffffff

// Interface is a network interface as it is now.
type Interface struct {
	ID
	MAC     [6]byte
	MTU     int
	Ether   bool   // an Ethernet: not loopback, and it uses ARP
	Port    bool   // of a bridge, bond, team or the like: not to be touched
	Up      bool   // by the administrator's will
	Carrier bool   // there is a carrier
	Ready   bool   // and what is sent is surely sent
	Flaps   uint32 // how often the carrier has come or gone: tells a short loss between two looks
	VRF     int    // index of the VRF device that it belongs to, 0 for none
	Addrs   []Address
}

// Address is an IPv4 address on an interface.
type Address struct {
	Prefix    netip.Prefix // the address itself, with its netmask
	Broadcast netip.Addr   // invalid: none
	Valid     uint32       // seconds left, or Forever; never 0 when set
	Preferred uint32       // likewise, at most Valid
	Scope     uint8        // unix.RT_SCOPE_UNIVERSE, RT_SCOPE_LINK, RT_SCOPE_HOST
	Flags     uint32       // unix.IFA_F_PERMANENT and so on; read only
}

// Route is an IPv4 route in the main table.
type Route struct {
	To       netip.Prefix // 0.0.0.0/0 for the default route
	Via      netip.Addr   // the gateway; invalid: the destination is on the link
	OnLink   bool         // the gateway is on the link, whatever the netmask says
	Source   netip.Addr   // preferred source address, invalid for none
	Metric   uint32       // the lowest wins
	Protocol uint8        // ProtocolDHCP for ours
}

// ProtocolDHCP marks the routes that DHCP made, as in /etc/iproute2/rt_protos.
const ProtocolDHCP = unix.RTPROT_DHCP

// Host is the machine's network configuration. A change is done when the
// method returns. Errors name what was tried on what, and wrap the kernel's
// error number. What is to be deleted and is not there is no error, nor is
// what is to be added and is there already.
type Host interface {
	// Interfaces lists all of this network namespace, in the kernel's order.
	Interfaces() ([]Interface, error)
	// SetUp brings a link up. Nothing here takes one down.
	SetUp(on ID) error
	// SetMTU sets the MTU in octets.
	SetMTU(on ID, mtu int) error
	// SetAddress adds an address, or gives the one that is there with the
	// same prefix new lifetimes without taking it away for a moment (its
	// broadcast address stays too). a.Flags is not looked at.
	SetAddress(on ID, a Address) error
	// DeleteAddress removes an address; the routes that have it as their
	// preferred source go with it.
	DeleteAddress(on ID, p netip.Prefix) error
	// AddRoute adds a route beside any others to the same destination.
	AddRoute(on ID, r Route) error
	// ReplaceRoute puts r in the place of the route with the same
	// destination and metric, whatever its interface, or adds it.
	ReplaceRoute(on ID, r Route) error
	// DeleteRoute removes exactly this route.
	DeleteRoute(on ID, r Route) error
	// Routes lists the routes out of an interface.
	Routes(on ID) ([]Route, error)
	// Hostname returns the name of the machine.
	Hostname() string
	// SetHostname names the machine.
	SetHostname(name string) error
	// Close gives up the connection to the kernel.
	Close() error
}
