package daemon

import (
	"bytes"
	"fmt"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// telling is what was told of an address.
type telling struct {
	addr                  netip.Addr
	active                bool
	hw                    pool.HW
	id, agent             []byte
	left, base, ago, last int64 // -1 for not told
	state                 dhcp4.LeaseState
	saysID, saysAgent     bool
	line                  string
}

func tellingOf(m *dhcp4.Message) *telling {
	o := &m.Options
	number := func(c dhcp4.Code) int64 {
		if v, err := o.Uint32(c); err == nil {
			return int64(v)
		}
		return -1
	}
	state, _ := o.Uint8(dhcp4.DHCPState)
	return &telling{addr: m.Ciaddr, active: m.Type() == dhcp4.LeaseActive,
		hw: pool.HW{Type: m.Htype, Len: m.Hlen, Addr: m.Chaddr},
		id: bytes.Clone(o.Get(dhcp4.ClientID)), agent: bytes.Clone(o.Get(dhcp4.RelayAgent)),
		left: number(dhcp4.LeaseTime), base: number(dhcp4.BaseTime), ago: number(dhcp4.StateTime), last: number(dhcp4.LastTransaction),
		state: dhcp4.LeaseState(state), saysID: o.Has(dhcp4.ClientID), saysAgent: o.Has(dhcp4.RelayAgent),
		line: fmt.Sprintf("%s %v", m.Line(nil), dhcp4.LeaseState(state))}
}

// hearAll looks at all that was said.
func (p *party) hearAll() {
	for _, g := range p.guests {
		for {
			frame, rest, err := dhcp4.CutFrame(g.out)
			if err != nil {
				p.Fatalf("connection %d: %v: %x", g.no, err, g.out)
			}
			if frame == nil {
				break
			}
			g.out = rest
			var m dhcp4.Message
			if err := m.Parse(frame); err != nil {
				p.Fatalf("connection %d: %v: %x", g.no, err, frame)
			}
			p.hear(g, &m)
		}
		if g.closed && len(g.out) > 0 && !g.cut {
			p.Fatalf("connection %d ends by a part of a message: %x", g.no, g.out)
		}
		if w := p.now().Sub(g.wrote); !g.closed && g.room > endless/2 && g.watch != nil && w > quiet+1e9 {
			p.Fatalf("connection %d: it is silent for %v", g.no, w)
		}
	}
}

// hear looks at a message.
func (p *party) hear(g *guest, m *dhcp4.Message) {
	fatal := func(why string) {
		p.Helper()
		p.Fatalf("connection %d: %s: %s", g.no, why, m.Line(nil))
	}
	status, text := m.Options.Status()
	if g.babbled && m.Type() == dhcp4.LeaseQueryDone && status == dhcp4.MalformedQuery && (len(g.asked) == 0 || m.Xid != g.asked[0].xid) {
		return
	}
	if len(g.asked) == 0 || g.over {
		fatal("nothing was asked, or all is said")
	}
	q, o := g.asked[0], &m.Options
	id, err := o.Addr(dhcp4.ServerID)
	switch {
	case m.Xid != q.xid:
		fatal("xid")
	case m.Op != dhcp4.BootReply:
		fatal("op")
	case q.spoken == o.Has(dhcp4.ServerID) || err == nil && id != g.here:
		fatal("server identifier")
	case o.Has(dhcp4.AssociatedIP) || o.Has(dhcp4.DataSource):
		fatal("option that must not be there")
	}
	q.spoken = true
	if testing.Verbose() {
		p.Logf("%v: connection %d hears %s %v", p.now().Sub(start), g.no, m.Line(nil), status)
	}
	switch t := m.Type(); t {
	case dhcp4.LeaseActive, dhcp4.LeaseUnassigned:
		if q.bad || q.none || q.typ != dhcp4.BulkLeaseQuery && q.typ != dhcp4.ActiveLeaseQuery || o.Has(dhcp4.StatusCode) {
			fatal("no answer to that")
		}
		x := tellingOf(m)
		if q.told[x.addr] != nil && q.typ == dhcp4.BulkLeaseQuery {
			fatal("told twice")
		}
		q.told[x.addr] = x
		p.believe(g, q, x)
	case dhcp4.LeaseQueryDone:
		if q.typ != dhcp4.BulkLeaseQuery || q.bad != (status == dhcp4.MalformedQuery || status == dhcp4.NotAllowed) {
			fatal("wrong end")
		}
		switch status {
		case dhcp4.Success:
			p.complete(g, q)
		case dhcp4.QueryTerminated:
			g.over = true
		}
		g.asked = g.asked[1:]
	case dhcp4.LeaseQueryStatus:
		p.status(g, q, status, fatal)
	case dhcp4.TLS:
		if q.typ != dhcp4.TLS || status != dhcp4.TLSConnectionRefused {
			fatal("TLS")
		}
		g.asked = g.asked[1:]
	default:
		fatal("type")
	}
	if status != dhcp4.Success && status != dhcp4.CatchUpComplete && status != dhcp4.ConnectionActive && len(text) == 0 {
		fatal("no reason")
	}
	if base, err := o.Uint32(dhcp4.BaseTime); q.typ == dhcp4.ActiveLeaseQuery && err != nil {
		fatal("no base-time")
	} else if q.caught || !q.start {
		q.base = pool.Time(base)
	}
}

// status looks at what is said between what an active leasequery is told.
func (p *party) status(g *guest, q *demand, s dhcp4.Status, fatal func(string)) {
	if q.typ != dhcp4.ActiveLeaseQuery || q.bad != (s == dhcp4.MalformedQuery) {
		fatal("wrong status")
	}
	switch s {
	case dhcp4.CatchUpComplete:
		if q.caught || !q.start {
			fatal("there was nothing to catch up with")
		}
		q.caught = true
	case dhcp4.ConnectionActive:
		if q.start && !q.caught {
			fatal("before it is told what it missed")
		}
	case dhcp4.MalformedQuery, dhcp4.QueryTerminated:
		if s == dhcp4.QueryTerminated && !g.excuse {
			fatal("for no reason")
		}
		g.over = true
	default:
		fatal("status")
	}
}

// judge looks at how a connection stands when all is said.
func (p *party) judge(g *guest) {
	switch {
	case g.over && !g.closed:
		p.Fatalf("connection %d is not closed", g.no)
	case g.closed && g.accepted && !g.excuse && !g.over && g.broke == nil:
		p.Fatalf("connection %d was closed for no reason", g.no)
	case g.closed || len(g.rest) > 0 || len(g.asked) == 0 || g.babbled:
		return
	}
	q := g.asked[0]
	if q.typ != dhcp4.ActiveLeaseQuery || q.start && !q.caught || q.watching == 0 || len(g.in) > 0 {
		p.Fatalf("connection %d: no answer to question %d: %v, watched from %d, caught up: %v", g.no, q.xid, q.typ, q.watching, q.caught)
	}
	for i := range byte(16) {
		p.mirrors(g, q, addrOf(i))
	}
}
