package conf

import (
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// Settings is what `option` elements say about one of our own networks. Zero
// is always the default. Later elements win over earlier ones; those with
// tags add to them.
type Settings struct {
	// Server.
	Server        bool
	Inform        bool      // server inform: answer DHCPINFORM from anyone
	Always        dhcp4.Set // always: send these tags even unasked
	Authoritative bool
	BOOTP         bool
	Limit         int // limit: addresses in use at a time that a new client may be the last of, 0 for no limit
	CircuitLimit  int // limit … per circuit
	LeaseQuery    *LeaseQuery
	RoguePause    bool // rogue pause: serve only while no other server is heard
	Wait          bool // serve only once all networks are configured

	// Relay.
	Relay         []netip.Addr
	RelayHops     int // hops: 1 to 16, 0 if not set
	RelayFallback int // fallback: seconds, 0 for none
	Agent         *Agent

	// Client.
	Possessive  bool
	Hostname    string
	Ignore      bool
	AskInform   bool // inform: ask only for what goes with the address
	Release     bool
	NoDiscovery bool
	Class       string
	ClientID    []byte
	DUID        bool
	FQDN        string
	LinkLocal   bool
	Anonymous   bool
	IPv6Only    bool
	Send        []Option
	Request     []dhcp4.Code
	ResolvConf  string
	Script      string
	Notify      string

	// Router discovery (RFC 1256).
	Router           bool  // advertise ourselves
	RouterInterval   int   // s, MaxAdvertisementInterval
	RouterPreference int32 // PreferenceLevel

	// Several roles.
	Probe   bool
	Rapid   bool
	NoForce bool
	Key     *Key // authenticate, nil for no authentication
}

// LeaseQuery is `option leasequery`.
type LeaseQuery struct {
	Limited bool         // only those in From may ask
	From    []netip.Addr // those of them that are known
	Show    dhcp4.Set    // tags that may be told
	Limit   int          // answers by UDP a second, 0 for no limit
	Active  bool         // also what changes, as it changes, and without TLS (RFC 7724)
}

// Agent is `option agent`: what a relay adds to requests (RFC 3046).
type Agent struct {
	Circuit  AgentID
	Remote   AgentID
	Relay    AgentID // relay ID, RFC 6925
	Trusted  bool    // requests may bring option 82 along
	Select   bool    // link selection, RFC 3527
	Override bool    // server identifier override, RFC 5107
	Flags    bool    // relay flags, RFC 5010
	Routes   bool    // host routes for relayed leases
	Ask      bool    // ask the servers who has an address that is not known
}

// AgentID is one sub-option of option 82: nothing, the name or MAC address of
// the interface, or a text.
type AgentID struct {
	Auto bool   // circuit interface, remote mac
	Text string // otherwise, if not empty
}

// Option is a tag with its value as it goes over the wire.
type Option struct {
	Code  dhcp4.Code
	Value []byte
}

// Key is a `key` element: a shared secret of RFC 3118.
type Key struct {
	ID     uint32
	Secret []byte
}
