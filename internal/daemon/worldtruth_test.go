package daemon

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// claim is what a client was promised: an address, until some time.
type claim struct {
	mac   ether.MAC
	until time.Duration // by the server's clock, as the longest ACK has it since the client had nothing
	last  time.Duration // likewise, as the last one has it
	used  time.Duration // as the client may count, as the longest one ever has it
	by    *box
}

// event is something to be told when it ends badly.
type event struct {
	at   time.Duration
	who  fmt.Stringer
	what string
	mac  ether.MAC
	addr netip.Addr
}

// note writes down what happened to a client and an address.
func (w *internet) note(who fmt.Stringer, what string, mac ether.MAC, a netip.Addr) {
	e := event{w.now, who, what, mac, a}
	for _, key := range [...]any{mac, a} {
		list := append(w.past[key], e)
		w.past[key] = list[max(0, len(list)-30):]
	}
}

// story tells what happened to those that an error is about.
func (w *internet) story(about []any) string {
	var text strings.Builder
	for _, key := range about {
		switch x := key.(type) {
		case *machine:
			key = x.mac
			for _, b := range w.boxes {
				if b.plugs[0].wire == x.wire || b.plugs[0].wire == w.spine {
					text.WriteString(b.counts())
				}
			}
		case *box:
			text.WriteString(x.counts())
			continue
		case ether.MAC, netip.Addr:
		default:
			continue
		}
		fmt.Fprintf(&text, "about %v:\n", key)
		for _, e := range w.past[key] {
			fmt.Fprintf(&text, "\t%v %v: %s %s %v\n", e.at, e.who, e.what, ether.FormatMAC(e.mac), e.addr)
		}
	}
	return text.String()
}

// counts is what a box has said, and what dhcpd -q would say of it.
func (b *box) counts() string {
	if b.d == nil {
		return b.name + " is down\n"
	}
	s := b.d.service
	r := report{counts: b.d.count, server: *s.core.Counts(), relay: *s.relay.Counts(), others: s.core.Others(), clock: b.d.clock}
	log := b.log.String()
	return b.name + ":\n" + log[max(0, len(log)-2000):] + string(r.append(nil))
}

// sent looks at each message that leaves a box.
func (w *internet) sent(b *box, data []byte) {
	m := new(dhcp4.Message)
	err := m.Parse(data)
	if err != nil && data[0] == byte(dhcp4.BootReply) {
		w.Fatalf("%v sends what can't be read: %v: %x", b, err, data)
	}
	w.tally.sent++
	if server, _ := m.Options.Addr(dhcp4.ServerID); err != nil || m.Op != dhcp4.BootReply || b.on(server) == nil {
		return // passed on
	}
	mac := ether.MAC(m.Chaddr[:6])
	switch m.Type() {
	case dhcp4.NAK:
		w.tally.naks++
		w.note(b, m.Type().String(), mac, m.Yiaddr)
	case dhcp4.ACK:
		w.note(b, m.Type().String(), mac, m.Yiaddr)
	case dhcp4.Offer:
		w.note(b, m.Type().String(), mac, m.Yiaddr)
		w.offered(b, mac, m.Yiaddr)
	case dhcp4.ForceRenew:
		w.tally.wakes++
	case dhcp4.LeaseActive, dhcp4.LeaseUnknown, dhcp4.LeaseUnassigned:
		w.note(b, m.Type().String(), mac, m.Ciaddr)
	}
	if term, err := m.Options.Uint32(dhcp4.LeaseTime); m.Type() == dhcp4.ACK && err == nil {
		w.promised(b, mac, m.Yiaddr, time.Duration(term)*time.Second)
	}
}

// promised is an ACK that leaves (P4, S4): nobody else was told that the address
// is his, and stable storage knows.
func (w *internet) promised(b *box, mac ether.MAC, a netip.Addr, term time.Duration) {
	decided := b.decided(a)
	c := claim{mac, decided + term, decided + term, w.now + term, b}
	kept := w.claims[a][:0]
	for _, o := range w.claims[a] {
		if o.mac != mac && o.until > w.now {
			w.Fatalf("%v gives %v to %v; it is %v's by %v until %v", b, a, mac, o.mac, o.by, o.until)
		}
		if o.mac == mac {
			c.until, c.used = max(c.until, o.until), max(c.used, o.used)
		}
	}
	w.claims[a] = append(kept, c)
	w.promises[promised{mac, a}] = c.used
	w.acks++
	w.tally.acks++
	if (w.crowded || w.acks < 200 || w.oneOf(32)) && !b.mourning {
		w.tally.synced++
		b.stored(mac, a, pool.Time(b.d.now.Add(c.last-w.now).Unix()))
	}
}

// decided returns since when an ACK that leaves now may have waited at most: for a
// block behind another and a compaction, or some seconds for a disk that fails,
// as the record has it; and asleep.
func (b *box) decided(a netip.Addr) time.Duration {
	wait := 4 * b.latency
	r, _ := b.d.service.table.ByAddr(a)
	if age := time.Duration(b.d.now.Unix()-int64(r.Last)+1) * time.Second; r.Last > 0 && age < 10*time.Second {
		wait = max(wait, age)
	}
	if b.woke > 0 && b.w.now-b.woke <= wait+2*time.Second {
		return b.fell - wait
	}
	return b.w.now - wait
}

// offered is an OFFER that leaves (S4): a power cut at this moment would not bring
// back a lease on the address that was given up.
func (w *internet) offered(b *box, mac ether.MAC, a netip.Addr) {
	if now, _ := b.d.service.table.ByAddr(a); !w.crowded || now.State != pool.Released {
		return
	}
	r, now := b.durable(a), pool.Time(b.d.now.Unix())
	if r.State == pool.Bound && ether.MAC(r.HW.Addr[:6]) != mac && r.Told > now+slackOfClocks {
		w.Fatalf("%v offers %v to %v at %d; stable storage has %+v", b, a, mac, now, r)
	}
}

// durable is what a power cut at this moment would leave of an address.
func (b *box) durable(a netip.Addr) pool.Record {
	loaded, err := pool.SnapshotOn(b.disk.Durable(), poolFile, b.d.clock.Clock)
	if err != nil || loaded.Corrupt != nil {
		b.w.Fatalf("%v: %v, %v", b, err, loaded.Corrupt)
	}
	r, _ := loaded.Table.ByAddr(a)
	return r
}

// stored checks what a power cut at this moment would leave (S4).
func (b *box) stored(mac ether.MAC, a netip.Addr, until pool.Time) {
	r := b.durable(a)
	if r.State != pool.Bound && r.State != pool.Fixed || ether.MAC(r.HW.Addr[:6]) != mac || r.Kept < until {
		b.w.Fatalf("%v: an ACK leaves for %v and %v until %d; stable storage has %+v", b, a, mac, until, r)
	}
}

// gaveUp hears a client that wants an address no more, or, if it looks for one,
// can't have any for longer than it was told last.
func (w *internet) gaveUp(b *box, data []byte) {
	t := dhcp4.PeekType(data)
	if t != dhcp4.Release && t != dhcp4.Decline && t != dhcp4.Discover {
		return
	}
	m := new(dhcp4.Message)
	if m.Parse(data) != nil {
		return
	}
	if t == dhcp4.Discover {
		w.looksFor(b, ether.MAC(m.Chaddr[:6]))
		return
	}
	a, mac := m.Ciaddr, ether.MAC(m.Chaddr[:6])
	if t == dhcp4.Decline {
		a, _ = m.Options.Addr(dhcp4.RequestedAddress)
	}
	w.note(b, "hears "+t.String(), mac, a)
	list := w.claims[a]
	for i, c := range list {
		if c.mac == mac {
			w.claims[a] = append(list[:i:i], list[i+1:]...)
			return
		}
	}
}

// looksFor hears a client that has no lease, as it says.
func (w *internet) looksFor(b *box, mac ether.MAC) {
	for _, list := range w.claims {
		for i := range list {
			if c := &list[i]; c.mac == mac && c.by == b {
				c.until = c.last
			}
		}
	}
}

// inspect looks at a box that has nothing to do at the moment: what it knows is
// what its journal says, and nothing has grown.
func (b *box) inspect() {
	d := b.d
	if d == nil || b.asleep || d.service.table == nil || b.disk.Dead() {
		return
	}
	s := d.service
	b.keepsWord()
	if n := s.table.Len(); n > 2000 {
		b.w.Fatalf("%v: %d addresses in the table", b, n)
	}
	if n := len(s.post.free); n > 200 {
		b.w.Fatalf("%v: %d free batches", b, n)
	}
	if lines := strings.Count(b.log.String(), "\n"); lines > 3000 {
		b.w.Fatalf("%v: %d lines in the log:\n%s", b, lines, b.log.String()[:4000])
	}
	if n := b.disk.Number(poolFile); n != b.file {
		b.file = n
		b.w.tally.compacted++
	}
	if s.writing != nil || s.filling.due || b.mourning || b.edited || s.failures > 0 {
		return
	}
	b.replay()
}

// replay checks that the journal, as programs see it, is sound and says what the
// table has.
func (b *box) replay() {
	loaded, err := pool.SnapshotOn(b.disk.Seen(), poolFile, b.d.clock.Clock)
	if err != nil || loaded.Corrupt != nil {
		b.w.Fatalf("%v: %v, %v", b, err, loaded.Corrupt)
	}
	b.compare(loaded.Table, b.d.service.table)
}

// opened is a pool file that was just opened: it was torn at the end at most, and
// that is cut off.
func (b *box) opened(loaded *pool.Loaded) {
	if loaded.Corrupt != nil {
		b.w.Fatalf("%v: %v\n%s", b, loaded.Corrupt, b.journal())
	}
	b.neat("at start")
}

// neat checks that the pool file, as programs see it, has no torn end.
func (b *box) neat(when string) {
	_, again, err := pool.OpenOn(b.disk.Seen(), poolFile, clockOf(b.read).Clock)
	if err != nil || again.Torn != "" {
		b.w.Fatalf("%v, %s: %v %s\n%s", b, when, err, again.Torn, b.journal())
	}
}

// written hears what became of a block. If it failed, nothing of it is in the
// journal, unless that is to be written anew.
func (b *box) written(err error) {
	switch {
	case err == nil:
		b.mourning = false
		return
	case !errors.Is(err, pool.ErrWhole) && !b.mourning && !b.edited && !b.disk.Dead():
		b.neat("after a failure")
		b.replay()
	}
	if b.w.crowded && b.w.oneOf(3) {
		b.dieSoon()
	}
}

// keepsWord checks that what clients were told last, and gave not up since, stands
// in the table: whatever became of the disk, the clocks and the daemon meanwhile.
func (b *box) keepsWord() {
	d, w := b.d, b.w
	if d == nil || b.asleep || d.service.table == nil || b.disk.Dead() {
		return
	}
	for a, list := range w.claims {
		for _, c := range list {
			left := (c.last - w.now) / time.Second
			if c.by != b || left <= slackOfClocks {
				continue
			}
			r, _ := d.service.table.ByAddr(a)
			leased := r.State == pool.Bound || r.State == pool.Fixed
			if !leased || ether.MAC(r.HW.Addr[:6]) != c.mac || r.Told-pool.Time(d.clock.Now().Unix()) < pool.Time(left-slackOfClocks) {
				w.Fatalf("%v: %v was told to have %v for %d s from now, which is %d; the table has\n%+v",
					b, c.mac, a, left, d.clock.Now().Unix(), r)
			}
		}
	}
}

// compare checks that a replay of the journal gives the table.
func (b *box) compare(replay, table *pool.Table) {
	for r := range table.All() {
		x, _ := replay.ByAddr(r.Addr)
		near := x.Told - r.Told
		if r.State == pool.Relayed || near > 0 && b.boots > 0 {
			// That only the end of a relayed lease moves is not written down (R6). After a
			// boot without a clock a lease ends late rather than early.
			near = 0
		}
		if b.d.count.of[failed] > 0 && x.Kept >= r.Told {
			near = 0 // a lazy record that could not be written rests on what is kept
		}
		if x.State != r.State || string(x.ID) != string(r.ID) || x.HW != r.HW || near < -slackOfClocks || near > slackOfClocks {
			b.w.Fatalf("%v, %v: the table has, at %d,\n%+v\nand its journal\n%+v\n%s%s", b, r.Addr, b.d.now.Unix(), r, x, b.log.String(), b.journal())
		}
		if replay.Member(r.Addr) != table.Member(r.Addr) {
			b.w.Fatalf("%v, %v: member %v, by its journal %v", b, r.Addr, table.Member(r.Addr), replay.Member(r.Addr))
		}
	}
	for a, in := range b.members {
		if !b.unsure[a] && table.Member(a) != in {
			b.w.Fatalf("%v, %v: member %v; operators have said %v", b, a, table.Member(a), in)
		}
	}
}

// journal is the last of the pool file.
func (b *box) journal() string {
	f, err := b.disk.Seen().Open(poolFile, 0)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	st, _ := f.Status()
	text := make([]byte, min(st.Size, 3000))
	f.ReadAt(text, st.Size-int64(len(text)))
	return string(text)
}

// slackOfClocks is how many seconds the wall clock may drift before the journal
// says so, twice.
const slackOfClocks = 4
