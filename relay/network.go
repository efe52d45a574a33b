package relay

import (
	"slices"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// Settings is what the config says of relaying for a network.
type Settings struct {
	Servers  []netip.Addr
	Hops     int           // a request that has been relayed more often is dropped; 0 for 16
	Fallback time.Duration // servers that are silent for so long count as dead; 0: never

	// Option 82 (RFC 3046). Circuit and Remote are nil if they are not sent.
	Circuit, Remote []byte
	Relay           []byte // relay ID, RFC 6925
	Trusted         bool   // clients, or switches before us, may send option 82
	Select          bool   // link selection, RFC 3527
	Override        bool   // server identifier override, RFC 5107
	Flags           bool   // relay flags, RFC 5010
	Routes          bool   // host routes for relayed leases
	Ask             bool   // the servers are asked who has an address that is not known
}

// Network is a network that we relay for. The daemon fills in the exported
// fields and calls Prepare when they have changed.
type Network struct {
	If    string // name of the interface
	Index int
	Addr  netip.Prefix          // our address there
	Addrs []netip.Prefix        // all of them
	Out   netip.Addr            // with Select: our address on the way to the servers, if there is one
	Limit int                   // the most octets of UDP payload on that way; 0 for Ethernet's
	Ours  func(netip.Addr) bool // tells an address of this machine
	Settings

	giaddr  netip.Addr
	targets []netip.Addr // the servers that are not on this network
	agent   []byte       // what we add, but for the flags; nil: nothing

	asked, last time.Time // the first DISCOVER since a server was heard, and the latest
	silent      bool

	here        bool // servers are asked for it
	begun, lost bool // it was seen whether its leases are lost, and they are
}

// mostHops is how many relays a message may have passed before us (RFC 1542
// section 4.1.1).
const mostHops = 16

// etherLimit is what a UDP datagram can hold on an Ethernet.
const etherLimit = 1500 - 28

func (n *Network) hops() int {
	if n.Hops == 0 {
		return mostHops
	}
	return n.Hops
}

func (n *Network) limit() int {
	if n.Limit == 0 {
		return etherLimit
	}
	return n.Limit
}

// Prepare works out what follows from the fields, so that no message has to.
func (n *Network) Prepare() {
	n.giaddr = n.Addr.Addr()
	if n.Select && n.Out.IsValid() {
		n.giaddr = n.Out
	}
	n.targets = n.Targets()
	n.agent = n.subOptions()
}

// beside tells whether a server is on the clients' network: it has heard the
// request itself. So have we.
func (n *Network) beside(server netip.Addr) bool {
	if !dhcp4.IsUnicast(server) || n.Ours(server) {
		return true
	}
	for _, p := range n.Addrs {
		if p.Contains(server) {
			return true
		}
	}
	return false
}

func (n *Network) isServer(a netip.Addr) bool {
	return slices.Contains(n.Servers, a)
}

// patience is how much longer than Fallback a client may keep silent before
// the wait for an answer begins anew: its longest interval (RFC 2131 section
// 4.1).
const patience = 64 * time.Second

// asks notes that a relayed request waits for an answer. Only a DISCOVER always
// gets one from a server that lives.
func (n *Network) asks(now time.Time, m *dhcp4.Message) {
	if n.Fallback == 0 || m.Type() != dhcp4.Discover {
		return
	}
	if n.asked.IsZero() || !n.silent && now.Sub(n.last) > n.Fallback+patience {
		n.asked = now
	}
	n.last = now
	n.silent = n.silent || now.Sub(n.asked) >= n.Fallback
}

// answered notes that a server lives.
func (n *Network) answered() { n.asked, n.silent = time.Time{}, false }

// Silent tells whether all servers have been silent for so long that the local
// pool is to serve. It stays so until one is heard.
func (n *Network) Silent() bool { return n.silent && n.Fallback > 0 }

// WaitsFor tells whether there are servers for which the local pool is to wait.
func (n *Network) WaitsFor() bool { return n.Fallback > 0 && len(n.targets) > 0 }

// Targets returns the servers that requests are relayed to. It takes Servers,
// Addrs and Ours.
func (n *Network) Targets() (list []netip.Addr) {
	for _, a := range n.Servers {
		if !n.beside(a) {
			list = append(list, a)
		}
	}
	return list
}
