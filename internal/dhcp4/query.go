package dhcp4

// LeaseState is the value of option 156 (RFC 6926 section 6.2.7).
type LeaseState uint8

// The states of an address, as a leasequery tells them.
const (
	Available     LeaseState = 1
	Active        LeaseState = 2 // and only this one is told by DHCPLEASEACTIVE
	Expired       LeaseState = 3
	Released      LeaseState = 4
	Abandoned     LeaseState = 5
	Reset         LeaseState = 6 // freed by someone other than client and server
	Remote        LeaseState = 7 // another server's to give
	Transitioning LeaseState = 8
)

var leaseStates = [...]string{Available: "AVAILABLE", Active: "ACTIVE", Expired: "EXPIRED", Released: "RELEASED",
	Abandoned: "ABANDONED", Reset: "RESET", Remote: "REMOTE", Transitioning: "TRANSITIONING"}

// String returns the name in RFC 6926, "" if it has none.
func (s LeaseState) String() string {
	if int(s) < len(leaseStates) {
		return leaseStates[s]
	}
	return ""
}

// Status is the first octet of option 151 (RFC 6926 section 6.2.2).
type Status uint8

// What became of a query. Without the option it is Success.
const (
	Success         Status = 0
	UnspecFail      Status = 1
	QueryTerminated Status = 2
	MalformedQuery  Status = 3
	NotAllowed      Status = 4

	// Of an active leasequery: RFC 7724 section 5.2.2.
	DataMissing          Status = 5
	ConnectionActive     Status = 6
	CatchUpComplete      Status = 7
	TLSConnectionRefused Status = 8
)

var statuses = [...]string{"Success", "UnspecFail", "QueryTerminated", "MalformedQuery", "NotAllowed",
	"DataMissing", "ConnectionActive", "CatchUpComplete", "TLSConnectionRefused"}

// String returns the name in RFC 6926 and RFC 7724, "" if it has none.
func (s Status) String() string {
	if int(s) < len(statuses) {
		return statuses[s]
	}
	return ""
}

// SourceRemote is the one bit of option 157: another server told us (RFC 6926
// section 6.2.8).
const SourceRemote uint8 = 1

// PutStatus sets option 151.
func (o *Options) PutStatus(s Status, text string) {
	v := o.room(StatusCode, 1+len(text))
	v[0] = byte(s)
	copy(v[1:], text)
}

// Status reads option 151: Success if there is none. An empty one, which says
// that something is wrong but not what, is a failure.
func (o *Options) Status() (s Status, text []byte) {
	v := o.Get(StatusCode)
	switch {
	case len(v) > 0:
		return Status(v[0]), v[1:]
	case o.Has(StatusCode):
		return UnspecFail, nil
	}
	return Success, nil
}

// PeekType returns the type of the message in octets b if that stands first among
// the options, as everybody writes it; BOOTP if it does not. The message may turn
// out to be malformed.
func PeekType(b []byte) Type {
	if len(b) > optionsAt+2 && Code(b[optionsAt]) == MessageType {
		return Type(b[optionsAt+2])
	}
	return BOOTP
}
