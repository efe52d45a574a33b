package daemon

import (
	"bytes"
	"maps"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// demand is what was asked by a connection, and what was said to it.
type demand struct {
	xid      uint32
	typ      dhcp4.Type
	bad      bool // not to be answered by anything but a status
	keyed    bool
	key      pool.Key
	relay    bool // by a relay ID, which nobody has
	none     bool // about another address space
	start    bool // since a time
	window   bool
	from, to pool.Time
	list     []byte

	turn, watching int // when it was asked, and when it began to be told
	since          pool.Time
	spoken, caught bool
	told           map[netip.Addr]*telling // the last of each
	base           pool.Time               // of the last that was told, once it had caught up
	first          *demand                 // that it goes on with, after a break
}

// questionLists are what may be asked for.
var questionLists = [...][]byte{nil, {51, 61, 82, 91, 152, 153, 156}, {51, 61, 152, 156}, {61}, {15, 60, 58, 59, 92, 157, 156, 152}, {53, 54, 51}}

// question has one asked. Some are malformed; some, nobody may ask here.
func (p *party) question(g *guest) {
	types := [...]dhcp4.Type{dhcp4.BulkLeaseQuery, dhcp4.BulkLeaseQuery, dhcp4.BulkLeaseQuery, dhcp4.ActiveLeaseQuery,
		dhcp4.ActiveLeaseQuery, dhcp4.ActiveLeaseQuery, dhcp4.TLS, dhcp4.Discover}
	b, m := p.octet(), new(dhcp4.Message)
	p.xid++
	q := &demand{xid: p.xid, typ: types[b&7], told: map[netip.Addr]*telling{}, turn: p.turn, to: pool.Infinite, since: p.at()}
	if b == 255 {
		q.typ = dhcp4.LeaseQuery
	}
	m.Reset(dhcp4.BootRequest)
	m.Xid = q.xid
	m.SetType(q.typ)
	q.put(m, b>>3, p.octet())
	if old := p.broken(); b>>3 == 7 && old != nil && q.typ == dhcp4.ActiveLeaseQuery {
		q.resume(m, old)
	} else {
		q.span(p, m, p.octet())
	}
	if q.list = questionLists[int(p.octet())%len(questionLists)]; q.list != nil {
		m.Options.Put(dhcp4.ParameterList, q.list)
	}
	if q.typ == dhcp4.ActiveLeaseQuery {
		q.bad = q.bad || q.keyed
	}
	may := p.n.plan.LeaseQuery
	if q.typ == dhcp4.Discover || q.typ == dhcp4.LeaseQuery || g.watches() || q.typ != dhcp4.BulkLeaseQuery && (may == nil || !may.Active) {
		g.excuse = true
	}
	g.rest, g.asked = m.AppendFrame(g.rest), append(g.asked, q)
	if testing.Verbose() {
		p.Logf("%v: connection %d asks %s", p.now().Sub(start), g.no, m.Line(nil))
	}
	if n := p.octet(); n&1 != 0 {
		g.push(1 << 20)
	} else {
		g.push(int(n))
	}
	p.settle()
}

// broken returns an active leasequery that was going on when its connection
// ended, nil if there is none.
func (p *party) broken() *demand {
	for i := len(p.guests) - 1; i >= p.safe; i-- {
		if g := p.guests[i]; g.closed && g.watch != nil && g.watch.base != 0 && !g.watch.none {
			return g.watch
		}
	}
	return nil
}

// resume has q go on with what its asker knows from before (RFC 7724 section 7.3).
func (q *demand) resume(m *dhcp4.Message, old *demand) {
	q.start, q.window, q.from, q.first, q.told = true, true, old.base, old, maps.Clone(old.told)
	if old.first != nil {
		q.first = old.first
	}
	m.Options.PutUint32(dhcp4.QueryStart, uint32(q.from))
}

// watches tells whether an active leasequery is among what was asked.
func (g *guest) watches() bool {
	for _, q := range g.asked {
		if q.typ == dhcp4.ActiveLeaseQuery {
			return true
		}
	}
	return false
}

// put puts in by what is asked.
func (q *demand) put(m *dhcp4.Message, b, who byte) {
	who &= 7
	id := []byte{1, 2, 0, 0, 0, 0, who}
	if who > 5 {
		id = []byte{0, who}
	}
	hw := pool.HW{Type: 1, Len: 6, Addr: [16]byte{2, 5: who}}
	q.keyed = true
	switch b % 16 {
	default:
		q.keyed = false
	case 1:
		q.key.HW = hw
		m.Htype, m.Hlen, m.Chaddr = hw.Type, hw.Len, hw.Addr
	case 2:
		q.key.ID = id
		m.Options.Put(dhcp4.ClientID, id)
	case 3:
		q.key.Remote = []byte("r")
		m.Options.Put(dhcp4.RelayAgent, []byte("\x02\x01r"))
	case 4:
		q.relay = true
		m.Options.Put(dhcp4.RelayAgent, []byte("\x0c\x01r"))
	case 5:
		q.bad = true
		m.Options.Put(dhcp4.ClientID, id)
		m.Options.Put(dhcp4.RelayAgent, []byte("\x02\x01r"))
	case 6:
		q.bad = true
		m.Ciaddr = addrOf(who)
	}
}

// span puts in for which time it is asked, and for which address space.
func (q *demand) span(p *party, m *dhcp4.Message, b byte) {
	at := p.at()
	if b&1 != 0 {
		q.start, q.window = true, true
		q.from = at - pool.Time(p.octet())*8
		m.Options.PutUint32(dhcp4.QueryStart, uint32(q.from))
	}
	if b&0x12 == 0x12 {
		q.window, q.bad = true, q.bad || q.typ == dhcp4.ActiveLeaseQuery
		q.to = at - pool.Time(p.octet()) + 20
		m.Options.PutUint32(dhcp4.QueryEnd, uint32(q.to))
	}
	switch b >> 5 {
	case 1:
		m.Options.Put(dhcp4.SubnetSpace, []byte{255})
	case 2:
		q.none = true
		m.Options.Put(dhcp4.SubnetSpace, []byte{0, 'x'})
	case 3:
		q.bad = true
		m.Options.Put(dhcp4.QueryStart, []byte("abc"))
	}
}

// asksFor tells whether the option is to be told, if it is known.
func (q *demand) asksFor(c dhcp4.Code) bool {
	return len(q.list) == 0 || bytes.IndexByte(q.list, byte(c)) >= 0
}

// about tells whether it is about that lease.
func (q *demand) about(r *pool.Record) bool {
	switch k := &q.key; {
	case q.none, q.relay:
		return false
	case k.ID != nil:
		return bytes.Equal(k.ID, r.ID)
	case k.Remote != nil:
		return bytes.Equal(k.Remote, dhcp4.Sub(r.Agent, dhcp4.RemoteID))
	}
	return !q.keyed || q.key.HW == r.HW
}

func (q *demand) within(t pool.Time) bool { return t != 0 && q.from <= t && t <= q.to }

// babble has the other end say what is no question at all.
func (p *party) babble(g *guest, b byte) {
	g.excuse, g.babbled = true, true
	switch b & 3 {
	case 0:
		g.rest = append(g.rest, p.take(int(b>>2))...)
	case 1:
		g.rest = append(g.rest, 0, 3, 1, 2, 3)
	case 2:
		g.rest = append(g.rest, 255, 255, 1, 1)
	case 3:
		g.rest = append(append(g.rest, 1, 44), make([]byte, 300)...) // a message of zeros
	}
	g.push(1 << 20)
	p.settle()
}
