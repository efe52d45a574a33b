package client

import (
	"math"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

var (
	anyServer = netip.Addr{}
	nobody    = [6]byte{}
	noAddr    = netip.IPv4Unspecified()
	allOnes   = [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
)

// defaultRequest is the parameter request list: what the daemon applies or
// keeps in the cache. A server may leave out what is not in it, and what comes
// last. RFC 3442: 121 before 3. Who sends 121 need not send 249.
var defaultRequest = []dhcp4.Code{
	dhcp4.Netmask, dhcp4.ClasslessRoute, dhcp4.Router, dhcp4.StaticRoute,
	dhcp4.DNSServer, dhcp4.HostName, dhcp4.DomainName, dhcp4.DomainSearch,
	dhcp4.InterfaceMTU, dhcp4.BroadcastAddress, dhcp4.LeaseTime,
	dhcp4.RenewalTime, dhcp4.RebindingTime, dhcp4.NTPServer, dhcp4.CaptivePortal,
	dhcp4.MSRoute,
}

// RFC 2131 table 5, as far as these messages go. Ours are in brackets where
// the table leaves a choice.
//
//	              DISCOVER     REQUEST                      DECLINE
//	xid           by client    of the OFFER                 by client
//	secs          since began  since began                  0
//	flags         BROADCAST if required [never: frames reach us]
//	ciaddr        0            0, or address in             0
//	                           BOUND/RENEWING/REBINDING
//	requested IP  MAY [last]   MUST in SELECTING/           MUST
//	                           INIT-REBOOT, else MUST NOT
//	lease time    MAY [no]     MAY [no]                     MUST NOT
//	client ID     MAY [yes]    MAY [yes]                    MAY [yes]
//	class ID      MAY [yes]    MAY [yes]                    MUST NOT
//	server ID     MUST NOT     MUST after SELECTING,        MUST
//	                           else MUST NOT
//	request list  MAY [yes]    MAY [the same]               MUST NOT
//	maximum size  MAY [yes]    MAY [yes]                    MUST NOT
//	message       SHOULD NOT   SHOULD NOT                   SHOULD [yes]
//	others        MAY [name]   MAY [name]                   MUST NOT

// discover broadcasts a DISCOVER and sets the time of the next one.
func (m *machine) discover() {
	msg := m.message(dhcp4.Discover)
	m.Secs = seconds(m.now.Sub(m.Began))
	msg.Secs = m.Secs
	if m.Lease != nil && !m.Config.Anonymous {
		msg.Options.PutAddr(dhcp4.RequestedAddress, m.Lease.Net.Addr())
	}
	if m.Config.Rapid {
		msg.Options.Put(dhcp4.RapidCommit, nil)
	}
	m.describe(&msg.Options)
	m.send(msg, broadcast(noAddr))
	m.beLocal()
	m.retry()
}

// request sends the REQUEST of the phase we are in, RFC 2131 table 4:
//
//	              INIT-REBOOT  SELECTING   RENEWING    REBINDING
//	broad/unicast broadcast    broadcast   unicast     broadcast
//	server-ip     MUST NOT     MUST        MUST NOT    MUST NOT
//	requested-ip  MUST         MUST        MUST NOT    MUST NOT
//	ciaddr        zero         zero        IP address  IP address
//
// The table names the state before: its first two columns are our REBOOTING
// and REQUESTING.
func (m *machine) request() {
	msg := m.message(dhcp4.Request)
	to := broadcast(noAddr)
	if m.Phase != Requesting { // there as in the DISCOVER: RFC 2131 section 3.1 step 3
		m.Secs = seconds(m.now.Sub(m.Began))
	}
	msg.Secs = m.Secs
	switch m.Phase {
	case Requesting:
		msg.Options.PutAddr(dhcp4.RequestedAddress, m.Want)
		msg.Options.PutAddr(dhcp4.ServerID, m.Server)
	case Rebooting:
		msg.Options.PutAddr(dhcp4.RequestedAddress, m.Want)
	case Renewing:
		msg.Ciaddr = m.Want
		to = act.Dest{Addr: m.Server, Port: dhcp4.ServerPort, Source: m.Want}
	case Rebinding:
		msg.Ciaddr = m.Want
		to = broadcast(m.Want)
	}
	m.describe(&msg.Options)
	m.send(msg, to)
}

// renew sends a REQUEST to have the lease extended, and sets the time of the
// next one: after half of what is left of the phase, but at least 60 s, at
// most all of it (RFC 2131 section 4.4.5). Those times being long, each
// REQUEST has an xid of its own, and the lease counts from the very one that
// is answered.
func (m *machine) renew() {
	m.Xid, m.Sent = m.freshXid(), m.now
	m.Want, m.Server = m.Lease.Net.Addr(), anyServer
	end := m.Lease.End
	if m.Phase == Renewing {
		m.Server, end = m.Lease.Server, m.Lease.T2
	}
	m.request()
	left := end.Sub(m.now)
	if left <= 0 || m.Lease.Infinite() { // woken by a FORCERENEW, late or for ever
		left = renewalMin
	}
	m.due = m.now.Add(min(max(left/2, renewalMin), left))
	if !m.Lease.Infinite() { // nor later than the lease lasts
		m.due = earliest(m.due, m.Lease.End)
	}
}

// sendDecline tells the server, who has just given us the lease, that someone
// else has the address. Servers believe that only of a lease's owner.
func (m *machine) sendDecline(server netip.Addr) {
	m.Xid = m.freshXid()
	msg := m.message(dhcp4.Decline)
	msg.Options.PutAddr(dhcp4.RequestedAddress, m.Want)
	msg.Options.PutAddr(dhcp4.ServerID, server)
	msg.Options.PutText(dhcp4.MessageText, "in use by "+ethernet(m.Holder))
	m.send(msg, broadcast(noAddr))
}

// message returns what all our messages begin with.
func (m *machine) message(t dhcp4.Type) *dhcp4.Message {
	msg := new(dhcp4.Message)
	msg.Reset(dhcp4.BootRequest)
	msg.Htype, msg.Hlen = dhcp4.HtypeEther, 6
	copy(msg.Chaddr[:], m.Config.MAC[:])
	msg.Xid = m.Xid
	msg.SetType(t)
	m.authenticate(msg)
	msg.Options.Put(dhcp4.ClientID, m.Config.identity())
	return msg
}

func (m *machine) send(msg *dhcp4.Message, to act.Dest) {
	a := m.do(act.Send)
	a.Msg, a.To = msg, to
	if k := m.Config.Key; k != nil {
		a.Key = k.Secret
	}
}

// broadcast returns the way of a broadcast. It is a frame: the kernel can't
// send without an address, nor from a chosen interface without ado.
func broadcast(source netip.Addr) act.Dest {
	return act.Dest{Addr: dhcp4.Everyone, Port: dhcp4.ServerPort, Source: source,
		Raw: true, HW: allOnes}
}

// seconds returns d as the secs field has it.
func seconds(d time.Duration) uint16 {
	return uint16(min(max(d/time.Second, 0), math.MaxUint16))
}

// ethernet returns a hardware address as text.
func ethernet(hw [6]byte) string { return string(ascii.AppendOctets(nil, hw[:])) }
