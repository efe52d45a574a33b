package relay

// reason is why a message was not relayed, or not as it should have been.
type reason uint8

// The texts stand below.
const (
	tooManyHops reason = iota
	ourGiaddr
	badGiaddr
	untrusted
	noServer
	noRoom
	notOurs
	noCircuit
	notServer
	noQuery
	tooMany
	reasons // how many there are
)

var reasonTexts = [reasons]string{
	tooManyHops: "relayed too often: too many hops",
	ourGiaddr:   "a request with an address of ours as giaddr",
	badGiaddr:   "a request with a giaddr that is no host's address",
	untrusted:   "option 82 from clients that are not trusted with it",
	noServer:    "no server to relay to that is not on the clients' network",
	noRoom:      "no room for option 82: relayed without it",
	notOurs:     "a reply whose giaddr is not that of a network that we relay for",
	noCircuit:   "a reply that does not say for which of the networks with its giaddr it is",
	notServer:   "a reply from where clients are, and not from a server that we relay to",
	noQuery:     "an answer to a DHCPLEASEQUERY that nobody here has sent",
	tooMany:     "an address that is not asked about, since too many are",
}

// String returns the text that the debug output shows.
func (r reason) String() string { return reasonTexts[r] }

// Counts is how often what was not relayed, or not as it should have been.
type Counts [reasons]uint64

// Counts returns the counts so far.
func (r *Relay) Counts() *Counts { return &r.counts }

// All calls yield with what was counted and how often. What never occurred is
// left out.
func (c *Counts) All(yield func(what string, n uint64) bool) {
	for why, n := range c {
		what := reasonTexts[why]
		if n > 0 && reason(why) != noRoom && reason(why) != tooMany {
			what = "dropped: " + what
		}
		if n > 0 && !yield(what, n) {
			return
		}
	}
}
