// Package ask is what those have in common who ask a server by leasequery who
// has which address (RFC 4388, RFC 6148, RFC 6926): the relay, and dhcpd -l.
package ask

import (
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// Key is what a server is asked about: no more than one of its fields is set.
// The zero Key is all that the server knows, which only a bulk query may ask.
type Key struct {
	Addr   netip.Addr
	HW     pool.HW
	ID     []byte // client identifier
	Remote []byte // remote ID, of a circuit: RFC 6148, RFC 6926
	Relay  []byte // relay ID: RFC 6925, RFC 6926
}

// All tells whether the key is the zero Key.
func (k *Key) All() bool {
	return !k.Addr.IsValid() && k.HW.Len == 0 && k.ID == nil && k.Remote == nil && k.Relay == nil
}

// What is asked for of each address (RFC 4388 section 6.2, RFC 6926 section 7.2).
var (
	wants     = []byte{51, 82, 91, 61, 60, 12}
	wantsBulk = []byte{51, 82, 91, 61, 60, 12, 152, 153, 156, 157}
)

// Query makes m a query about k whose answer is to go to giaddr, which must be
// an address of ours (RFC 4388 section 6.2); with the zero Addr, a bulk query.
// Fields that are not the key's are zero: another key would make it two.
func (k *Key) Query(m *dhcp4.Message, xid uint32, giaddr netip.Addr) {
	m.Reset(dhcp4.BootRequest)
	m.Xid = xid
	typ, want := dhcp4.BulkLeaseQuery, wantsBulk
	if giaddr.IsValid() {
		m.Giaddr, typ, want = giaddr, dhcp4.LeaseQuery, wants
	}
	m.SetType(typ)
	m.Options.Put(dhcp4.ParameterList, want)
	if k.Addr.IsValid() {
		m.Ciaddr = k.Addr
	}
	m.Htype, m.Hlen, m.Chaddr = k.HW.Type, k.HW.Len, k.HW.Addr
	switch {
	case k.ID != nil:
		m.Options.Put(dhcp4.ClientID, k.ID)
	case k.Remote != nil:
		m.Options.Put(dhcp4.RelayAgent, dhcp4.AppendSub(nil, dhcp4.RemoteID, k.Remote))
	case k.Relay != nil:
		m.Options.Put(dhcp4.RelayAgent, dhcp4.AppendSub(nil, dhcp4.RelayID, k.Relay))
	}
}

// Answer is what a server says about one address, or that it knows nothing.
type Answer struct {
	pool.Record            // of what is not told: zero; its slices are the message's memory
	Type        dhcp4.Type // LeaseActive, LeaseUnassigned or LeaseUnknown
	Lease       dhcp4.LeaseState
	Far         bool // it has it from another server (RFC 6926 section 6.2.8)
}

// Read reads m, a message of one of those types that was written at that time
// by our clock. False: it says of no address that it is leased, or is not.
// Servers may put more into it than they should: Kea has options 54 and 61 in a
// DHCPLEASEUNKNOWN.
func (a *Answer) Read(m *dhcp4.Message, at pool.Time) bool {
	*a = Answer{Type: m.Type()}
	a.Addr = m.Ciaddr
	o := &m.Options
	switch a.Type {
	case dhcp4.LeaseUnknown:
		return true
	case dhcp4.LeaseActive:
		a.State, a.Lease = pool.Bound, dhcp4.Active
	case dhcp4.LeaseUnassigned:
	default:
		return false
	}
	if s, err := o.Uint8(dhcp4.DHCPState); err == nil && a.Type == dhcp4.LeaseUnassigned {
		a.Lease = dhcp4.LeaseState(s)
	}
	source, _ := o.Uint8(dhcp4.DataSource)
	a.Far = source&dhcp4.SourceRemote != 0
	a.client(m)
	a.Server, _ = o.Addr(dhcp4.ServerID)
	a.Agent, a.Class = o.Get(dhcp4.RelayAgent), o.Get(dhcp4.ClassID)
	a.Host, _ = o.Text(dhcp4.HostName)
	a.Since, a.Last = before(o, dhcp4.StateTime, at), before(o, dhcp4.LastTransaction, at)
	if term, err := o.Uint32(dhcp4.LeaseTime); err == nil && term == dhcp4.Infinite {
		a.Told = pool.Infinite
	} else if err == nil {
		a.Told = at + pool.Time(term)
	}
	return dhcp4.IsUnicast(a.Addr)
}

// client is who has, or last had, the address.
func (a *Answer) client(m *dhcp4.Message) {
	hw := m.HW()
	a.HW = pool.HWOf(m.Htype, hw)
	if a.ID = m.Options.Get(dhcp4.ClientID); len(a.ID) == 0 && len(hw) > 0 {
		a.ID = append([]byte{m.Htype}, hw...)
	}
}

// before returns the time that an option counts back to, 0 if it is not there,
// or counts back to 1970: so a server says that something never was otherwise.
func before(o *dhcp4.Options, c dhcp4.Code, at pool.Time) pool.Time {
	n, err := o.Uint32(c)
	if base, _ := o.Uint32(dhcp4.BaseTime); err != nil || n > 0 && n == base {
		return 0
	}
	return max(1, at-pool.Time(n))
}

// Better tells whether a says something later about its address than what is
// known (RFC 6926 section 7.6, RFC 4388 section 6.8).
func (a *Answer) Better(known *pool.Record) bool {
	x, y := latest(&a.Record), latest(known)
	return x > y || x == y && !a.Far
}

func latest(r *pool.Record) pool.Time {
	if r.Last != 0 {
		return r.Last
	}
	return r.Since
}

// Skew follows how far the clock of a server of bulk queries is behind ours.
// The zero Skew is ready.
type Skew struct {
	behind pool.Time
	known  bool
}

// Written returns when m was written, by our clock, which says that it is at.
// It may have lain about on its way, and its times count from when it was
// written (RFC 6926 section 7.4): of all the differences between our clock and
// the server's the least is the truest.
func (s *Skew) Written(m *dhcp4.Message, at pool.Time) pool.Time {
	base, err := m.Options.Uint32(dhcp4.BaseTime)
	if err != nil {
		return at
	}
	if d := at - pool.Time(base); !s.known || d < s.behind {
		s.behind, s.known = d, true
	}
	return pool.Time(base) + s.behind
}
