package server

import (
	"bytes"
	"encoding/binary"
	"time"

	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// Bulk answers DHCPBULKLEASEQUERYs (RFC 6926 section 8), one after the other. It
// makes messages of what a pool.Walk has seen, and needs nothing of the loop
// that owns the table. The zero Bulk is ready.
type Bulk struct {
	account
	query dhcp4.Message
	xid   uint32
	self  netip.Addr
	first bool // no answer was made yet

	key       pool.Key
	relay     []byte // the relay ID that is asked for
	all       bool   // all addresses are asked for
	from, to  pool.Time
	window    bool // only what changed in that time
	elsewhere bool // it is about another address space than the one we know
	active    bool // it is a DHCPACTIVELEASEQUERY
	pass      Pass // of that

	infos   conf.Info
	replies dhcp4.Message
}

// bulkUnlisted is told to who does not say what.
var bulkUnlisted = []byte{byte(dhcp4.LeaseTime), byte(dhcp4.LastTransaction), byte(dhcp4.ClientID),
	byte(dhcp4.RelayAgent), byte(dhcp4.BaseTime), byte(dhcp4.StateTime), byte(dhcp4.DHCPState)}

// Query is the query that was opened last.
func (b *Bulk) Query() *dhcp4.Message { return &b.query }

// Key is what Walk is to search by.
func (b *Bulk) Key() pool.Key { return b.key }

// All tells whether the query is for all addresses.
func (b *Bulk) All() bool { return b.all }

// Open begins to answer the query in octets, as what cfg and q say, from our
// address self. If the status is not Success, Done with that is all there is to
// say. Not ok is what has no business on such a connection.
func (b *Bulk) Open(octets []byte, cfg *conf.Config, q *conf.LeaseQuery, self netip.Addr) (s dhcp4.Status, why string, ok bool) {
	b.xid, b.self, b.first = binary.BigEndian.Uint32(octets[4:]), self, true
	if err := b.query.Parse(octets); err != nil {
		return dhcp4.MalformedQuery, err.Error(), true
	}
	b.reply, b.active = &b.replies, false
	if b.query.Op != dhcp4.BootRequest {
		return 0, "", false
	}
	switch t := b.query.Type(); {
	case t == dhcp4.BulkLeaseQuery:
	case t == dhcp4.ActiveLeaseQuery && q.Active:
		b.active = true
	case t == dhcp4.TLS && q.Active:
		return dhcp4.TLSConnectionRefused, "there is no TLS here", true
	default: // RFC 7724 section 8.1.1: not to be answered
		return 0, "", false
	}
	b.Renew(cfg, q)
	b.list = b.query.Options.Get(dhcp4.ParameterList)
	if b.active {
		s, why = b.readActive()
	} else {
		s, why = b.read()
	}
	return s, why, true
}

// Renew has the answer go on by another config.
func (b *Bulk) Renew(cfg *conf.Config, q *conf.LeaseQuery) {
	b.cfg, b.show, b.info = cfg, &q.Show, &b.infos
}

// read finds out what is asked for.
func (b *Bulk) read() (s dhcp4.Status, why string) {
	m := &b.query
	if !m.Ciaddr.IsUnspecified() || !m.Yiaddr.IsUnspecified() || !m.Siaddr.IsUnspecified() {
		return dhcp4.MalformedQuery, "ciaddr, yiaddr or siaddr is set"
	}
	o := &m.Options
	from, errFrom := o.Uint32(dhcp4.QueryStart)
	to, errTo := o.Uint32(dhcp4.QueryEnd)
	if errFrom == dhcp4.ErrMalformed || errTo == dhcp4.ErrMalformed {
		return dhcp4.MalformedQuery, "a time is malformed"
	}
	b.from, b.to, b.window = pool.Time(from), pool.Infinite, errFrom == nil || errTo == nil
	if errTo == nil {
		b.to = pool.Time(to)
	}
	space := o.Get(dhcp4.SubnetSpace)
	b.elsewhere = len(space) > 0 && space[0] != everySpace && space[0] != globalSpace
	var n int
	b.key, n = key(m)
	agent := o.Get(dhcp4.RelayAgent)
	b.relay = dhcp4.Sub(agent, dhcp4.RelayID)
	if b.key.Remote = dhcp4.Sub(agent, dhcp4.RemoteID); b.key.Remote != nil {
		n++
	}
	if b.relay != nil {
		n++
	}
	if b.all = n == 0; n > 1 {
		return dhcp4.NotAllowed, "more than one primary query"
	}
	return dhcp4.Success, ""
}

// Types of virtual subnet selection (RFC 6607 section 3.5, RFC 6926 section
// 6.2.9).
const (
	everySpace  = 254
	globalSpace = 255
)

// Append appends the message about an address as it was seen, framed, if it is
// asked for, and tells its type; BOOTP for none.
func (b *Bulk) Append(dst []byte, s *pool.Seen, now time.Time) ([]byte, dhcp4.Type) {
	at := pool.Time(now.Unix())
	state, since := stateOf(s, at)
	if !b.asksFor(s, state, since) {
		return dst, dhcp4.BOOTP
	}
	t := dhcp4.LeaseUnassigned
	if state == dhcp4.Active {
		t = dhcp4.LeaseActive
	}
	b.begin(t)
	list := b.list
	if len(list) == 0 {
		b.list = bulkUnlisted
	}
	b.tell(&s.Record, now)
	for _, c := range b.list {
		switch o := &b.reply.Options; dhcp4.Code(c) {
		case dhcp4.BaseTime:
			o.PutUint32(dhcp4.BaseTime, uint32(at))
		case dhcp4.StateTime:
			o.PutUint32(dhcp4.StateTime, ago(at, since))
		case dhcp4.DHCPState:
			o.PutUint8(dhcp4.DHCPState, uint8(state))
		}
	}
	b.list = list
	if b.active { // asked for or not: RFC 7724 section 7.3
		b.reply.Options.PutUint32(dhcp4.BaseTime, uint32(at))
	}
	return b.reply.AppendFrame(dst), t
}

// Done appends the message that ends the answer, and tells its type. Of an
// active leasequery it may be one in between.
func (b *Bulk) Done(dst []byte, s dhcp4.Status, why string, now time.Time) ([]byte, dhcp4.Type) {
	t := dhcp4.LeaseQueryDone
	switch {
	case s == dhcp4.TLSConnectionRefused:
		t = dhcp4.TLS
	case b.active:
		t = dhcp4.LeaseQueryStatus
	}
	b.reply = &b.replies
	b.begin(t)
	if s != dhcp4.Success {
		b.reply.Options.PutStatus(s, why)
	}
	if t == dhcp4.LeaseQueryStatus {
		b.reply.Options.PutUint32(dhcp4.BaseTime, uint32(now.Unix()))
	}
	return b.reply.AppendFrame(dst), t
}

// begin begins an answer. The first one says whose it is, the others don't (RFC
// 6926 section 8.3).
func (b *Bulk) begin(t dhcp4.Type) {
	b.reply.Reset(dhcp4.BootReply)
	b.reply.Xid = b.xid
	b.reply.SetType(t)
	if b.first {
		b.reply.Options.PutAddr(dhcp4.ServerID, b.self)
		b.first = false
	}
}

// asksFor tells whether there is to be a message about an address in that state.
func (b *Bulk) asksFor(s *pool.Seen, state dhcp4.LeaseState, since pool.Time) bool {
	switch {
	case b.elsewhere:
		return false
	case b.active:
		return b.news(s, state, since)
	case b.window && !b.within(s.Last) && !b.within(since):
		return false
	}
	return b.wants(s, state)
}

// wants tells whether the query is about an address in that state. The table
// may have changed since it was searched.
func (b *Bulk) wants(s *pool.Seen, state dhcp4.LeaseState) bool {
	switch k := &b.key; {
	case b.all:
		return state == dhcp4.Active || s.Member || b.cfg.Reserved(s.Addr)
	case state != dhcp4.Active:
		return false
	case k.ID != nil:
		return bytes.Equal(k.ID, s.ID)
	case k.Remote != nil:
		return bytes.Equal(k.Remote, dhcp4.Sub(s.Agent, dhcp4.RemoteID))
	case b.relay != nil:
		return bytes.Equal(b.relay, dhcp4.Sub(s.Agent, dhcp4.RelayID))
	}
	return b.key.HW == s.HW
}

func (b *Bulk) within(t pool.Time) bool { return t != 0 && b.from <= t && t <= b.to }

// stateOf returns the state that an address is in (RFC 6926 section 6.2.7), and
// since when; 0 if it always was.
func stateOf(s *pool.Seen, at pool.Time) (dhcp4.LeaseState, pool.Time) {
	switch {
	case runs(&s.Record, at):
		return dhcp4.Active, s.Since
	case s.State == pool.Abandoned:
		return dhcp4.Abandoned, s.Since
	case s.Held:
		return dhcp4.Transitioning, at
	case s.State == pool.Released || s.State == pool.Fixed && s.Told == s.Since:
		return dhcp4.Released, s.Since
	case s.State != pool.Free:
		return dhcp4.Expired, s.Told
	case s.Reset:
		return dhcp4.Reset, s.Since
	}
	return dhcp4.Available, 0
}
