package server

import (
	"time"

	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// account is what is told of a binding in answer to a leasequery.
type account struct {
	cfg   *conf.Config
	show  *dhcp4.Set // the options that may be told besides those that are about the lease
	list  []byte     // those that are asked for
	info  *conf.Info
	reply *dhcp4.Message

	// Of the binding.
	r     *pool.Record
	at    pool.Time // now
	ahead pool.Time // now, rounded up as the ends of leases are
	known bool      // info is about r
	query conf.Query
	hw    [1 + 16]byte // memory for query.HW
}

// unlisted is told to who does not say what: as an ACK would (RFC 4388 section
// 6.2), and all that may be shown.
var unlisted = []byte{byte(dhcp4.LeaseTime), byte(dhcp4.RenewalTime), byte(dhcp4.RebindingTime),
	byte(dhcp4.ClientID), byte(dhcp4.RelayAgent)}

// tell fills in the reply: whose lease r is or was, and what is asked for.
func (x *account) tell(r *pool.Record, now time.Time) {
	x.r, x.at, x.ahead, x.known = r, pool.Time(now.Unix()), pool.Time(now.Add(time.Second-1).Unix()), false
	m := x.reply
	m.Ciaddr, m.Htype, m.Hlen, m.Chaddr = r.Addr, r.HW.Type, r.HW.Len, r.HW.Addr
	list := x.list
	if len(list) == 0 {
		list = unlisted
	}
	for _, c := range list {
		x.put(dhcp4.Code(c))
	}
	if len(x.list) == 0 {
		for c := range x.show.All() {
			x.put(c)
		}
	}
}

// put puts in an option that is asked for (RFC 4388 section 6.4.2): times as
// those that are left, and only while they are to come.
func (x *account) put(c dhcp4.Code) {
	r, o := x.r, &x.reply.Options
	switch c {
	case dhcp4.LeaseTime:
		x.left(c, r.Told)
	case dhcp4.RenewalTime:
		x.timer(c, 4)
	case dhcp4.RebindingTime:
		x.timer(c, 7)
	case dhcp4.LastTransaction:
		if r.Last != 0 {
			o.PutUint32(c, ago(x.at, r.Last))
		}
	case dhcp4.ClientID:
		x.give(c, r.ID)
	case dhcp4.ClassID:
		x.give(c, r.Class)
	case dhcp4.RelayAgent:
		x.give(c, r.Agent)
	default:
		if x.show.Has(c) && !reserved.Has(c) && x.runs() {
			x.given(c)
		}
	}
}

// give puts in what the client or its relay said, if they did.
func (x *account) give(c dhcp4.Code, v []byte) {
	if len(v) > 0 {
		x.reply.Options.Put(c, v)
	}
}

// given puts in an option as the client gets it, or has said it.
func (x *account) given(c dhcp4.Code) {
	switch info := x.gathered(); {
	case info != nil && info.Options.Has(c):
		x.reply.Options.Put(c, info.Options.Get(c))
	case c == dhcp4.HostName && x.r.Host != "":
		x.reply.Options.PutText(c, x.r.Host)
	}
}

func (x *account) runs() bool { return runs(x.r, x.at) }

// left puts in how long it is until end, if that is to come.
func (x *account) left(c dhcp4.Code, end pool.Time) {
	switch {
	case !x.runs() || end <= x.ahead:
	case end == pool.Infinite:
		x.reply.Options.PutUint32(c, dhcp4.Infinite)
	default:
		x.reply.Options.PutUint32(c, uint32(min(end-x.ahead, pool.Time(dhcp4.Infinite-1))))
	}
}

// timer puts in how long it is until T1 or T2: what the config says, or else so
// many eighths of the lease (RFC 2131 section 4.4.5), after the last ACK.
func (x *account) timer(c dhcp4.Code, eighths pool.Time) {
	r := x.r
	if r.Told == pool.Infinite || r.Last == 0 || !x.runs() {
		return
	}
	term := r.Told - r.Last
	after := term * eighths / 8
	if info := x.gathered(); info != nil {
		if v, err := info.Options.Uint32(c); err == nil && pool.Time(v) < term {
			after = pool.Time(v)
		}
	}
	x.left(c, r.Last+after)
}

// gathered returns what the config has for the client, nil for nothing: by what
// its relay said of it, as when it got its lease.
func (x *account) gathered() *conf.Info {
	if !x.known {
		question(&x.query, &x.hw, x.r)
		x.known = x.cfg.Gather(&x.query, x.r.Addr, x.info)
	}
	if !x.known {
		return nil
	}
	return x.info
}

// ago returns how many seconds ago t was.
func ago(at, t pool.Time) uint32 { return uint32(min(max(at-t, 0), pool.Time(dhcp4.Infinite))) }

// runs tells whether r is a lease that has not ended.
func runs(r *pool.Record, at pool.Time) bool {
	return (r.State == pool.Bound || r.State == pool.Fixed) && r.Told > at
}

// key reads what a leasequery asks by (RFC 4388 section 6.3), but for address:
// how many such things there are, and the last of them.
func key(m *dhcp4.Message) (k pool.Key, n int) {
	if m.Hlen != 0 || m.Chaddr != [16]byte{} {
		k.HW.Type, k.HW.Len = m.Htype, m.Hlen
		copy(k.HW.Addr[:], m.HW())
		n++
	}
	if m.Options.Has(dhcp4.ClientID) {
		k.ID = m.Options.Get(dhcp4.ClientID)
		n++
	}
	return k, n
}

// MayAsk tells whether the host at a may ask.
func MayAsk(q *conf.LeaseQuery, a netip.Addr) bool {
	for _, from := range q.From {
		if from == a {
			return true
		}
	}
	return !q.Limited
}
