// Package dhcp4 is the DHCP message on the wire (RFC 2131, RFC 2132): parsing
// into a reused Message, appending to the caller's buffer, and printing. It
// allocates nothing on either way, and it is the only room that knows how
// options are joined, split, overloaded and padded. Numbers are in host order
// from here on: wire becomes native types once, at this door.
package dhcp4

import "strconv"

// UDP ports (RFC 2131 section 4.1).
const (
	ServerPort = 67
	ClientPort = 68
)

// Sizes of a message, in octets of UDP payload.
const (
	headerSize = 236 // RFC 2131 figure 1, up to the cookie
	snameAt    = 44
	fileAt     = 108
	optionsAt  = 240
	ipUDPSize  = 28  // the headers before it, in the count of option 57 and of MTUs
	MinSize    = 300 // RFC 1542 section 2.1: BOOTP's fixed size; some relays drop less
	MinLimit   = 548 // what every peer can take: 576 less IP and UDP headers
)

// Broadcast is the bit of Flags with which a client asks for broadcast
// replies (RFC 2131 figure 2). The other bits are zero.
const Broadcast uint16 = 0x8000

// Infinite is the lease time that never ends, in seconds (RFC 2131 section 3.3).
const Infinite uint32 = 0xffffffff

// Op is the direction of a message.
type Op uint8

// The two directions.
const (
	BootRequest Op = 1 // client to server
	BootReply   Op = 2 // server to client
)

// String returns the name of RFC 951, as BOOTREQUEST.
func (op Op) String() string {
	switch op {
	case BootRequest:
		return "BOOTREQUEST"
	case BootReply:
		return "BOOTREPLY"
	}
	return "op " + strconv.Itoa(int(op))
}

// HtypeEther is the hardware type of Ethernet (RFC 1700).
const HtypeEther = 1

// Type is the value of option 53. Zero means that a message has none: BOOTP.
type Type uint8

// Message types: RFC 2132 section 9.6, RFC 3203, RFC 4388, RFC 6926, RFC 7724.
const (
	BOOTP            Type = 0
	Discover         Type = 1
	Offer            Type = 2
	Request          Type = 3
	Decline          Type = 4
	ACK              Type = 5
	NAK              Type = 6
	Release          Type = 7
	Inform           Type = 8
	ForceRenew       Type = 9
	LeaseQuery       Type = 10
	LeaseUnassigned  Type = 11
	LeaseUnknown     Type = 12
	LeaseActive      Type = 13
	BulkLeaseQuery   Type = 14
	LeaseQueryDone   Type = 15
	ActiveLeaseQuery Type = 16
	LeaseQueryStatus Type = 17
	TLS              Type = 18
)

var typeNames = [...]string{"BOOTP", "DHCPDISCOVER", "DHCPOFFER", "DHCPREQUEST",
	"DHCPDECLINE", "DHCPACK", "DHCPNAK", "DHCPRELEASE", "DHCPINFORM",
	"DHCPFORCERENEW", "DHCPLEASEQUERY", "DHCPLEASEUNASSIGNED",
	"DHCPLEASEUNKNOWN", "DHCPLEASEACTIVE", "DHCPBULKLEASEQUERY",
	"DHCPLEASEQUERYDONE", "DHCPACTIVELEASEQUERY", "DHCPLEASEQUERYSTATUS", "DHCPTLS"}

// String returns the name that the RFCs use, as DHCPDISCOVER.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "DHCP type " + strconv.Itoa(int(t))
}

// Code is the number of an option (a tag, in the words of the config file).
type Code uint8

// The options that the program itself has to do with. tags.go has the names
// of all the others.
const (
	Pad              Code = 0
	Netmask          Code = 1
	Router           Code = 3
	DNSServer        Code = 6
	HostName         Code = 12
	DomainName       Code = 15
	InterfaceMTU     Code = 26
	BroadcastAddress Code = 28
	StaticRoute      Code = 33
	NTPServer        Code = 42
	RequestedAddress Code = 50
	LeaseTime        Code = 51
	Overload         Code = 52
	MessageType      Code = 53
	ServerID         Code = 54
	ParameterList    Code = 55
	MessageText      Code = 56
	MaxSize          Code = 57
	RenewalTime      Code = 58 // T1
	RebindingTime    Code = 59 // T2
	ClassID          Code = 60
	ClientID         Code = 61
	TFTPServer       Code = 66
	BootFile         Code = 67
	RapidCommit      Code = 80  // RFC 4039
	FQDN             Code = 81  // RFC 4702
	RelayAgent       Code = 82  // RFC 3046
	Authentication   Code = 90  // RFC 3118
	LastTransaction  Code = 91  // RFC 4388
	AssociatedIP     Code = 92  // RFC 4388
	IPv6Only         Code = 108 // RFC 8925
	CaptivePortal    Code = 114 // RFC 8910
	SubnetSelection  Code = 118 // RFC 3011
	DomainSearch     Code = 119 // RFC 3397
	ClasslessRoute   Code = 121 // RFC 3442
	ForceRenewNonce  Code = 145 // RFC 6704
	TFTPAddress      Code = 150 // RFC 5859
	MSRoute          Code = 249 // Microsoft's 121, from before there was that
	StatusCode       Code = 151 // RFC 6926, and up to 157
	BaseTime         Code = 152 // the server's time, since 1970
	StateTime        Code = 153 // start-time-of-state, seconds before BaseTime
	QueryStart       Code = 154 // query-start-time, as BaseTime
	QueryEnd         Code = 155 // query-end-time
	DHCPState        Code = 156
	DataSource       Code = 157
	SubnetSpace      Code = 221 // RFC 6607: virtual subnet selection
	End              Code = 255
)

// Sub-options of option 82.
const (
	CircuitID      uint8 = 1  // RFC 3046
	RemoteID       uint8 = 2  // RFC 3046
	LinkSelection  uint8 = 5  // RFC 3527
	RelayFlags     uint8 = 10 // RFC 5010
	ServerOverride uint8 = 11 // RFC 5107
	RelayID        uint8 = 12 // RFC 6925
)
