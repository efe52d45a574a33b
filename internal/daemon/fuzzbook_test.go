package daemon

import (
	"slices"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// book is what the disk has, and what the clients were told.
type book struct {
	disk             map[netip.Addr]pool.Record // what is synced
	unsynced         []line                     // written, but a power cut may take it
	filling, writing []line                     // what the blocks hold
	whole            bool                       // the filling block says all that there is,
	writingWhole     bool                       // the one that is being written does
	wholeBase        int                        // so many records it began with
	promised         map[netip.Addr]pledge
	gone             map[netip.Addr]bool // taken out of the pool
	failed           int                 // blocks
}

// line is a record on its way to the disk.
type line struct {
	pool.Record
	lazy bool
}

// pledge is what an ACK said.
type pledge struct {
	id    string
	end   time.Time // zero for never
	fixed bool      // by the config, and so for that to take away
}

func (k *book) init() {
	k.disk, k.promised, k.gone = map[netip.Addr]pool.Record{}, map[netip.Addr]pledge{}, map[netip.Addr]bool{}
}

func (p pledge) runs(now time.Time) bool { return p.id != "" && (p.end.IsZero() || p.end.After(now)) }

// idOf is the client that a message is from or for.
func idOf(m *dhcp4.Message) string {
	if id := m.Options.Get(dhcp4.ClientID); len(id) > 0 {
		return string(id)
	}
	return string(m.Htype) + string(m.HW())
}

// gaveUp strikes out what a client gives up by a message.
func (r *rig) gaveUp(q *query) {
	a := q.msg.Ciaddr
	switch q.typ {
	case dhcp4.Decline:
		a, _ = q.msg.Options.Addr(dhcp4.RequestedAddress)
	case dhcp4.Release:
	default:
		if q.anew() {
			r.forget(q.id)
			r.leaveBOOTP(q)
		}
		return
	}
	for _, old := range r.sent {
		if old.id == q.id {
			old.done = true
		}
	}
	if r.promised[a].id == q.id {
		delete(r.promised, a)
	}
}

// leaveBOOTP has a client that speaks DHCP now not go by what comes late of
// BOOTP, without an end.
func (r *rig) leaveBOOTP(q *query) {
	for _, old := range r.sent {
		if old.id == q.id && old.typ == dhcp4.BOOTP && q.typ != dhcp4.BOOTP {
			old.done = true
		}
	}
}

// anew tells whether a client that sends this has no lease, or one that it does
// not know how to give back.
func (q *query) anew() bool {
	rapid := q.typ == dhcp4.Discover && q.msg.Options.Has(dhcp4.RapidCommit)
	return q.typ == dhcp4.BOOTP || q.typ == dhcp4.Request && q.msg.Options.Has(dhcp4.ServerID) || rapid
}

// forget strikes out what a client was promised.
func (r *rig) forget(id string) {
	for a, p := range r.promised {
		if p.id == id {
			delete(r.promised, a)
		}
	}
}

// committing notes what a block is about to get: see service.commit.
func (r *rig) committing(a *act.Action) {
	x := a.Record
	if !x.Addr.Is4() || x.Kept < x.Told {
		r.Fatalf("commits %+v", x)
	}
	r.filling = append(r.filling, line{own(x), a.Lazy})
}

// elided forgets those that the service did not take, since they say nothing
// new.
func (r *rig) elided() {
	if n := r.s.filling.text.Records(); n < len(r.filling)-r.base() {
		last := r.filling[len(r.filling)-1]
		if old, _ := r.s.table.ByAddr(last.Addr); !last.lazy || !old.Same(&last.Record) {
			r.Fatalf("%d of %d records: %+v was not taken", n, len(r.filling), last)
		}
		r.filling = r.filling[:len(r.filling)-1]
	}
}

// base is how many records of the filling block are those that it began with
// when it became a whole one.
func (r *rig) base() (n int) {
	if r.whole {
		return r.wholeBase
	}
	return 0
}

// done is service.blockDone, and what it means for the disk.
func (r *rig) done(o outcome) {
	s := r.s
	b, list := s.writing, r.writing
	if b == nil {
		return
	}
	if testing.Verbose() {
		r.Logf("block done: %+v", o)
	}
	if o.err == nil && !(len(o.changes.Del) > 0) {
		r.leave(&b.replies, list)
	} else {
		s.discard(&b.replies)
	}
	if o.err == nil {
		r.store(list, b.sync)
	}
	for _, a := range o.changes.Free {
		if x, ok := r.disk[a]; ok && x.State == pool.Abandoned {
			delete(r.disk, a)
		}
	}
	r.writing = nil
	s.blockDone(o)
	if o.err == nil {
		return
	}
	r.failed++
	r.filling, r.whole = nil, false
	if s.filling.text.Empty() {
		return
	}
	r.whole = true // it says all that the table knows
	for x := range s.table.All() {
		if x.State != pool.Free {
			r.filling = append(r.filling, line{own(&x), false})
		}
	}
	r.wholeBase = len(r.filling)
}

// store puts the records of a block onto the disk.
func (r *rig) store(list []line, sync bool) {
	if r.writingWhole {
		clear(r.disk)
		r.unsynced = nil
	}
	r.unsynced = append(r.unsynced, list...)
	if !sync && !r.writingWhole {
		return
	}
	for _, x := range r.unsynced {
		r.disk[x.Addr] = x.Record
	}
	r.unsynced = nil
}

// crash takes the power away: some of what is not synced may be there.
func (r *rig) crash(b int) {
	r.cut()
	if r.writing != nil && b&1 != 0 && !r.writingWhole {
		r.unsynced = append(r.unsynced, r.writing...)
	}
	for _, x := range r.unsynced[:min(b>>1, len(r.unsynced))] {
		r.disk[x.Addr] = x.Record
	}
	r.unsynced = nil
	if testing.Verbose() {
		r.Logf("power cut; the disk has %+v", r.disk)
	}
	for _, b := range []*block{r.s.filling, r.s.writing} {
		if b != nil {
			r.s.discard(&b.replies)
		}
	}
	r.restart()
}

// quiesce lets all that is under way reach the disk. What the table says is
// then what is there.
func (r *rig) quiesce() {
	for range 3 {
		r.handOver()
		if r.s.writing != nil {
			r.done(outcome{})
		}
	}
	for _, x := range r.unsynced {
		r.disk[x.Addr] = x.Record
	}
	for x := range r.s.table.All() {
		on, ok := r.disk[x.Addr]
		switch {
		case x.State == pool.Free && (!ok || on.State == pool.Free):
		case r.failed > 0 && x.Told >= on.Told && x.Kept == on.Kept && x.State == on.State && string(x.ID) == string(on.ID):
			// A lazy record went with a block that failed. Its promise is kept.
		case !ok || !on.Same(&x):
			r.Fatalf("the table says\n%+v, the disk\n%+v", x, on)
		}
	}
}

// note: whatever is said has words, and they can be printed.
func (r *rig) note(a *act.Action) {
	if a.Text == "" || slices.ContainsFunc([]byte(a.Text), func(c byte) bool { return c < ' ' || c == 127 }) {
		r.Fatalf("note of level %d: %q", a.Level, a.Text)
	}
}

// leave looks at replies that leave now. Those that rest on a block rest on
// its records, and on the disk.
func (r *rig) leave(box *outbox, block []line) {
	var m dhcp4.Message
	for _, list := range [...][]*link.Batch{box.udp, box.raw} {
		for _, b := range list {
			for i := range b.Len() {
				x := b.At(i)
				data := x.Data
				if u, err := ether.ParseUDPFrame(data); err == nil {
					data = u.Payload
				}
				if err := m.Parse(data); err != nil || len(data) < dhcp4.MinSize || !r.n.site.Ours(x.From.Addr()) && len(data) == len(x.Data) {
					r.Fatalf("sent from %v: %v\n%x", x.From, err, x.Data)
				}
				r.reply(&m, x.To, len(data), block)
			}
		}
	}
	r.s.discard(box)
}

// reply looks at one of them.
func (r *rig) reply(m *dhcp4.Message, to netip.AddrPort, size int, block []line) {
	if m.Type() == dhcp4.ForceRenew {
		if p := r.s.table.At(m.Ciaddr); to.Addr() != m.Ciaddr || !p.Runs(r.at()) || !m.Options.Has(dhcp4.Authentication) {
			r.Fatalf("to %v: %s", to, m.Line(nil))
		}
		return
	}
	q := r.sent[m.Xid]
	if q == nil || m.Op != dhcp4.BootReply || m.Chaddr != q.msg.Chaddr || m.Giaddr != q.msg.Giaddr || m.Secs != 0 || m.Hops != 0 {
		r.Fatalf("header of the reply: %s", m.Line(nil))
	}
	if size > q.limit {
		r.Fatalf("%d octets where %d are the limit: %s", size, q.limit, m.Line(nil))
	}
	r.table3(m, q)
	r.travels(m, q, to)
	a := m.Yiaddr
	if a.IsUnspecified() {
		return
	}
	p := pledge{id: q.id, fixed: r.fixed(a, q)}
	if term, err := m.Options.Uint32(dhcp4.LeaseTime); err == nil && term != dhcp4.Infinite {
		p.end = q.at.Add(time.Duration(term) * time.Second)
	}
	now := r.s.d.now
	if old := r.promised[a]; old.runs(now) && p.runs(now) && old.id != q.id && !(old.fixed && p.fixed) {
		r.Fatalf("%v is promised to %x until %v, at %v: %s", a, old.id, old.end, q.at, m.Line(nil))
	}
	if r.s.d.cfg == q.cfg && !r.fixed(a, q) && (q.cfg.Reserved(a) || r.s.d.addrs[a] || a == q.msg.Giaddr || a.As4()[3] == 0 || a.As4()[3] == 255) {
		r.Fatalf("not to be given out at all: %s", m.Line(nil))
	}
	r.offer[q.msg.Chaddr[5]] = a
	if m.Type() == dhcp4.Offer {
		return
	}
	r.kept(m, p, block)
	if q.done || !p.runs(now) {
		return
	}
	// The client may not hear this, and go by what it was told before.
	switch old := r.promised[a]; {
	case old.id != p.id || p.end.IsZero():
	case old.end.IsZero():
		p.end = later(p.end, q.at.Add(24*time.Hour-time.Second))
	default:
		p.end = later(p.end, old.end)
	}
	r.promised[a] = p
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// kept checks that stable storage promises what m does.
func (r *rig) kept(m *dhcp4.Message, p pledge, block []line) {
	promises := func(x *pool.Record) bool {
		return x.Addr == m.Yiaddr && string(x.ID) == p.id && (x.State == pool.Bound || x.State == pool.Fixed) &&
			(x.Kept == pool.Infinite || !p.end.IsZero() && x.Kept >= pool.Time(p.end.Unix()))
	}
	on := r.disk[m.Yiaddr]
	if promises(&on) {
		return
	}
	if slices.ContainsFunc(append(r.unsynced, block...), func(x line) bool { return promises(&x.Record) }) && block != nil {
		return
	}
	r.Fatalf("not on the disk: %s, end %v: %+v; %d records with it", m.Line(nil), p.end, on, len(block))
}

// fixed tells whether the config gave a to the client when it asked.
func (r *rig) fixed(a netip.Addr, q *query) bool {
	who := map[netip.Addr]byte{}
	switch q.cfg {
	case rigConfigs[0], rigConfigs[2]:
		who[addrOf(8)] = 5
	default:
		who[addrOf(1)], who[addrOf(9)] = 5, 4
	}
	return who[a] != 0 && who[a] == q.msg.Chaddr[5]
}

// table3 is RFC 2131 table 3.
func (r *rig) table3(m *dhcp4.Message, q *query) {
	o := &m.Options
	must := func(ok bool, what string) {
		if !ok {
			r.Fatalf("%s: %s in answer to %s", what, m.Line(nil), q.msg.Line(nil))
		}
	}
	for _, c := range [...]dhcp4.Code{dhcp4.RequestedAddress, dhcp4.ParameterList, dhcp4.MaxSize} {
		must(!o.Has(c), "MUST NOT")
	}
	same := func(c dhcp4.Code) bool {
		return o.Has(c) == q.msg.Options.Has(c) && string(o.Get(c)) == string(q.msg.Options.Get(c))
	}
	must(same(dhcp4.ClientID) && same(dhcp4.RelayAgent), "not echoed")
	lends := false
	switch t := m.Type(); {
	case q.typ == dhcp4.BOOTP:
		must(t == dhcp4.BOOTP && !o.Has(dhcp4.LeaseTime) && !o.Has(dhcp4.ServerID) && !m.Yiaddr.IsUnspecified(), "BOOTP")
		return
	case t == dhcp4.Offer:
		must(q.typ == dhcp4.Discover && m.Ciaddr.IsUnspecified(), "OFFER")
		lends = true
	case t == dhcp4.ACK && q.typ == dhcp4.Inform:
		must(m.Ciaddr == q.msg.Ciaddr && m.Yiaddr.IsUnspecified() && !o.Has(dhcp4.LeaseTime), "to an INFORM")
	case t == dhcp4.ACK:
		must(q.typ == dhcp4.Request || q.typ == dhcp4.Discover && q.msg.Options.Has(dhcp4.RapidCommit) && o.Has(dhcp4.RapidCommit), "ACK")
		must(m.Ciaddr == q.msg.Ciaddr, "ciaddr")
		lends = true
	default:
		must(t == dhcp4.NAK && q.typ == dhcp4.Request && m.Ciaddr.IsUnspecified() && m.Yiaddr.IsUnspecified() && m.Siaddr.IsUnspecified(), "NAK")
		for c := range o.All() {
			must(slices.Contains([]dhcp4.Code{53, 54, 56, 61, 82, 90}, c), "in a NAK")
		}
	}
	server, err := o.Addr(dhcp4.ServerID)
	must(err == nil && (r.s.d.addrs[server] || server == netip.MustParseAddr("10.0.1.1")), "server identifier")
	must(lends == (o.Has(dhcp4.LeaseTime) && !m.Yiaddr.IsUnspecified()), "lease time")
}

// travels is RFC 2131 section 4.1.
func (r *rig) travels(m *dhcp4.Message, q *query, to netip.AddrPort) {
	want := netip.AddrPortFrom(m.Yiaddr, dhcp4.ClientPort)
	switch {
	case q.typ == dhcp4.Inform:
		want = netip.AddrPortFrom(q.msg.Ciaddr, dhcp4.ClientPort)
	case !q.msg.Giaddr.IsUnspecified():
		want = netip.AddrPortFrom(q.msg.Giaddr, dhcp4.ServerPort)
	case !q.msg.Ciaddr.IsUnspecified() && (m.Type() != dhcp4.NAK || to.Addr() == q.msg.Ciaddr):
		want = netip.AddrPortFrom(q.msg.Ciaddr, dhcp4.ClientPort)
	case m.Type() == dhcp4.NAK || q.msg.Flags&dhcp4.Broadcast != 0:
		want = netip.AddrPortFrom(dhcp4.Everyone, dhcp4.ClientPort)
	}
	if to != want {
		r.Fatalf("to %v, not %v: %s", to, want, m.Line(nil))
	}
}
