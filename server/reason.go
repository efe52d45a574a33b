package server

// reason is why a message got no answer, or a NAK, or something else that is
// worth counting.
type reason uint8

// fine is no reason at all. The texts stand below.
const (
	fine reason = iota
	notServed
	notRequest
	noOwnAddress
	badGiaddr
	badCiaddr
	badHlen
	nobody
	unproven
	replayed
	forged
	uncounted
	badLink
	badSubnet
	notForServer
	noAddress
	noInformation
	noNetwork
	noLease
	noBOOTP
	unchecked
	networkFull
	circuitFull
	corrupt
	badRequest
	noRequest
	otherServer
	noRecord
	declineUnclear
	declineOthers
	declineOften
	releaseElsewhere
	releaseOthers
	informNowhere
	informUnserved
	informUnknown
	standby
	yielding
	queryOff
	queryNowhere
	queryStranger
	queryUnclear
	queryLimit

	// Why there was a NAK.
	notThisNetwork
	notThisAddress
	notKnown

	// No reasons, but counted with them.
	offerCut
	declined
	inUse
	unused
	overheard
	pauses
	unanswered

	reasons // how many there are
)

var reasonTexts = [reasons]string{
	notServed:        "no server on this network",
	notRequest:       "a reply, not a request",
	noOwnAddress:     "the interface has no address to serve from",
	badGiaddr:        "giaddr is no host's address",
	badCiaddr:        "ciaddr is no host's address",
	badHlen:          "htype is Ethernet, but hlen is not 6",
	nobody:           "neither client identifier nor hardware address",
	unproven:         "not authenticated with the client's key",
	replayed:         "replay counter has not grown",
	forged:           "digest is wrong",
	uncounted:        "no replay counter is stored yet",
	badLink:          "link selection is malformed",
	badSubnet:        "subnet selection is malformed",
	notForServer:     "not a message from a client to a server",
	noAddress:        "no address for the client on its network",
	noInformation:    "no information for the client",
	noNetwork:        "no information for the client's network",
	noLease:          "no lease time for the address",
	noBOOTP:          "no address for the BOOTP client",
	unchecked:        "the address must be checked on the wire first",
	networkFull:      "as many on the network as the limit allows",
	circuitFull:      "as many on the relay's circuit as the limit allows",
	corrupt:          "the pool table is corrupt",
	badRequest:       "requested address or server identifier is malformed",
	noRequest:        "a DHCPREQUEST for no address",
	otherServer:      "the client selected another server",
	noRecord:         "no record of the client",
	declineUnclear:   "a DHCPDECLINE without our server identifier or the address",
	declineOthers:    "a DHCPDECLINE of an address that is not the client's",
	declineOften:     "a DHCPDECLINE from a client that declines too much, to be checked on the wire",
	releaseElsewhere: "a DHCPRELEASE to another server",
	releaseOthers:    "a DHCPRELEASE of an address that is not the client's",
	informNowhere:    "a DHCPINFORM without ciaddr",
	informUnserved:   "a DHCPINFORM from a client that has no address from here",
	informUnknown:    "no information for ciaddr on the client's network",
	standby:          "the servers that we relay to give the addresses here",
	yielding:         "another server is on this network, and this one pauses",
	queryOff:         "leasequeries are not answered on this network",
	queryNowhere:     "a leasequery without the address to answer to in giaddr",
	queryStranger:    "a leasequery from a host that may not ask",
	queryUnclear:     "a leasequery by none or several of address, MAC, client identifier and remote ID",
	queryLimit:       "more leasequeries in one second than the limit allows",

	notThisNetwork: "address is not on the client's network",
	notThisAddress: "address is not the client's",
	notKnown:       "client is not known",

	offerCut:   "offers cut short for another client",
	declined:   "addresses taken out of use because their holder declined them",
	inUse:      "addresses taken out of use because somebody answered for them",
	unused:     "addresses back in use because nobody answered for them",
	overheard:  "times another DHCP server was heard",
	pauses:     "times serving paused because of it",
	unanswered: "clients that did not answer a DHCPFORCERENEW",
}

// String returns the text that the debug output shows.
func (r reason) String() string { return reasonTexts[r] }

// Counts is how often a Server did or refused what.
type Counts [reasons]uint64

// Counts returns the counts so far.
func (s *Server) Counts() *Counts { return &s.counts }

// All calls yield with what was counted and how often. What never occurred is
// left out.
func (c *Counts) All(yield func(what string, n uint64) bool) {
	for r, n := range c {
		what := reasonTexts[r]
		switch {
		case n == 0:
			continue
		case reason(r) < notThisNetwork:
			what = "dropped: " + what
		case reason(r) < offerCut:
			what = "refused: " + what
		}
		if !yield(what, n) {
			return
		}
	}
}
