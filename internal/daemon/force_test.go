package daemon

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"dhcpd/internal/conf"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// serving makes n a network that is served, at 10.0.0.1.
func serving(n *network) {
	n.addr = netip.MustParsePrefix("10.0.0.1/16")
	n.plan.Server, n.site.Settings.Server = true, true
	n.site.Addrs = []netip.Prefix{n.addr}
}

// nonced is a lease of a client that can be woken.
func nonced(s *service, i int) *pool.Record {
	now := pool.Time(s.d.now.Unix())
	r := record(0, fmt.Sprint(i), pool.Bound)
	r.Addr = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
	r.Since, r.Told, r.Kept = now, now+86400, now+86400
	r.Nonce = []byte("0123456789abcdef")
	return r
}

// A client that is to be woken before its network is served, as at a start, is
// woken then.
func TestF2_NothingServedYet(t *testing.T) {
	s, n, _ := newServing(t)
	s.core.CountFrom(1, 100)
	r := nonced(s, 20)
	s.table.Apply(r)
	s.table.Wake(r.Addr)
	s.core.Rouse(s.d.now, r.Addr)
	s.rouse()
	if replies(&s.direct) != 0 {
		t.Fatal("out of which network was that?")
	}
	serving(n)
	next := s.wake()
	if next.IsZero() || next.After(s.d.now.Add(time.Second)) {
		t.Fatalf("to be tried again at %v", next)
	}
	s.d.now = next
	if s.rouse(); replies(&s.direct) != 1 {
		t.Error("never woken")
	}
}

// Where nothing is served for long, that is not tried each second for ever.
func TestF2_NothingServedForLong(t *testing.T) {
	s, _, _ := newServing(t)
	s.core.Rouse(s.d.now, nonced(s, 20).Addr)
	end, tries := s.d.now.Add(time.Hour), 0
	for ; s.d.now.Before(end); tries++ {
		s.rouse()
		s.d.now = s.wake()
	}
	if tries < 60 || tries > 70 {
		t.Errorf("tried %d times in an hour, want one each minute", tries)
	}
}

// No replay counter is used before stable storage knows; a block that failed
// does not count, and the next run begins where this one can't have been.
func TestF3_CountersReserved(t *testing.T) {
	s, n, _ := newServing(t)
	serving(n)
	r := nonced(s, 20)
	s.table.Apply(r)
	s.table.Wake(r.Addr)
	wakes := func() int {
		s.core.Rouse(s.d.now, r.Addr)
		s.d.now = s.d.now.Add(2 * time.Second)
		s.rouse()
		return replies(&s.direct)
	}
	for _, err := range []error{errors.New("no space left"), nil} {
		s.countOn()
		if s.filling.due = true; wakes() != 0 {
			t.Fatal("a counter that is not stored was used")
		}
		handOver(s)
		if err == nil {
			if _, err := s.file.Commit(s.writing.text); err != nil {
				t.Fatal(err)
			}
		}
		s.blockDone(outcome{err: err})
	}
	if wakes() == 0 {
		t.Error("no counter, though it is stored")
	}
	end := s.table.Counter()
	loaded, err := pool.Snapshot(s.d.opt.Pool, s.d.clock.Clock)
	if err != nil || loaded.Table.Counter() != end || end != countersOfARun {
		t.Errorf("the next run begins at %d, this one can use those below %d: %v", loaded.Table.Counter(), end, err)
	}
}

// After a change of the config the leases are looked through a few at a time;
// what changes meanwhile is found in another round, and told to the pool file.
func TestF1_ChangeInSlices(t *testing.T) {
	const leases = 1000
	s, n, _ := newServing(t)
	serving(n)
	text := "host 10.0.0.0/16 { DHCPlease 3600; };\n"
	configure := func(more string) {
		old := s.d.cfg
		text += more
		cfg, err := conf.Parse("test", text, conf.Env{})
		if err != nil {
			t.Fatal(err)
		}
		s.d.cfg = cfg
		s.changed(old)
	}
	configure("")
	s.change = change{}
	for i := range leases {
		r := nonced(s, i+2)
		s.table.Add(r.Addr)
		s.table.Apply(r)
	}
	woken := func() (n int) {
		for r := range s.table.All() {
			if s.table.At(r.Addr).Wakeful() {
				n++
			}
		}
		return n
	}
	configure("host 10.0.0.9 { domain first; };\nhost 10.0.3.232 { domain last; };\n")
	s.compare()
	if n := woken(); n != 1 {
		t.Fatalf("%d woken by the first slice", n)
	}
	configure("host 10.0.0.10 { domain second; };\n") // which has been passed by
	turns := 1
	for ; !s.change.at.IsZero() && turns < 100; turns++ {
		s.d.now = s.change.at
		s.compare()
	}
	if n := woken(); n != 3 || turns < 2*leases/rowsAtATime {
		t.Errorf("%d woken, after %d turns", n, turns)
	}
	if !s.filling.due || s.filling.text.Empty() {
		t.Error("the pool file does not hear of it")
	}
	n.plan.NoForce = true
	configure("host 10.0.0.11 { domain third; };\n")
	for !s.change.at.IsZero() {
		s.d.now = s.change.at
		s.compare()
	}
	if n := woken(); n != 3 {
		t.Errorf("%d are to be woken, in spite of option noforce", n)
	}
}
