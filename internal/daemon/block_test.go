package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// newServing returns a service whose writer is the test.
func newServing(t *testing.T) (*service, *network, *strings.Builder) {
	d, n, _ := newDaemon(t, "")
	var log strings.Builder
	d.say.err = &log
	s := d.service
	d.opt.Pool = filepath.Join(t.TempDir(), "pool")
	file, loaded, err := pool.Open(d.opt.Pool, d.clock.Clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	s.file, s.table = file, loaded.Table
	s.filling, s.spare = newBlock(s), newBlock(s)
	return s, n, &log
}

func record(last byte, id string, state pool.State) *pool.Record {
	return &pool.Record{Addr: netip.AddrFrom4([4]byte{10, 0, 0, last}), State: state,
		Since: 1, Told: 100, Kept: 200, Client: pool.Client{ID: []byte(id)}}
}

// ackFor is what a server decides that gives an address to a client.
func ackFor(r *pool.Record, lazy bool) []act.Action {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootReply)
	m.SetType(dhcp4.ACK)
	return []act.Action{
		{Verb: act.Commit, Record: r, Lazy: lazy},
		{Verb: act.Send, Msg: m, To: act.Dest{Addr: r.Addr, Port: 68, Source: r.Addr}},
	}
}

// holders says who has which address, in order.
func holders(t *pool.Table) string {
	var all []string
	for r := range t.All() {
		all = append(all, fmt.Sprintf("%d:%s:%s", r.Addr.As4()[3], r.ID, r.State))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// handOver does what flush does, without sending.
func handOver(s *service) {
	s.writing, s.filling, s.spare = s.filling, s.spare, nil
}

func replies(o *outbox) (n int) {
	for _, b := range o.udp {
		n += b.Len()
	}
	return n
}

func TestS4_ReplyWaitsForItsBlock(t *testing.T) {
	s, n, _ := newServing(t)
	s.do(n, ackFor(record(1, "a", pool.Bound), false))
	if replies(&s.direct) != 0 || replies(&s.filling.replies) != 1 {
		t.Fatal("an ACK does not wait for its record")
	}
	if got := holders(s.table); got != "1:a:bound" {
		t.Errorf("table: %s; a taken address must show at once", got)
	}
	handOver(s)
	s.do(n, ackFor(record(1, "a", pool.Bound), true))
	if replies(&s.direct) != 0 || replies(&s.writing.replies) != 2 {
		t.Error("a lazy renewal does not wait for the promise that it rests on")
	}
}

// TestS16_StuckDisk: a flood does not fill the memory while the disk hangs,
// neither with records nor with replies; what was let in is stored when it goes
// on, and what was not leaves no trace.
func TestS16_StuckDisk(t *testing.T) {
	s, n, _ := newServing(t)
	s.do(n, ackFor(record(1, "a", pool.Bound), false))
	handOver(s)
	s.filling = newBlock(s)
	next := netip.MustParseAddr("10.1.0.0")
	for range 3 * mostRecords {
		s.do(n, ackFor(record(1, "a", pool.Bound), true)) // rests on what is being written
		r := record(0, "b", pool.Bound)
		r.Addr, next = next, next.Next()
		s.do(n, ackFor(r, false))
	}
	if got := s.filling.text.Records(); got > mostRecords || got < mostRecords/2 {
		t.Errorf("%d records wait", got)
	}
	for _, b := range []*block{s.filling, s.writing} {
		if got := replies(&b.replies); got > mostRecords+replyBatch {
			t.Errorf("%d replies wait", got)
		}
	}
	if in, dropped := s.table.Len()-1, s.d.count.of[behind]; in != s.filling.text.Records() || int(dropped) < 3*mostRecords {
		t.Errorf("%d addresses given away by %d records, %d dropped", in, s.filling.text.Records(), dropped)
	}
	s.discard(&s.writing.replies)
	s.blockDone(outcome{})
	s.discard(&s.filling.replies)
	handOver(s)
	s.filling = newBlock(s)
	s.blockDone(outcome{})
	if s.do(n, ackFor(record(2, "c", pool.Bound), false)); s.filling.text.Records() != 1 {
		t.Error("nothing is let in when the disk goes on")
	}
}

// TestS4_NoPromiseBeforeTheFirstSync: what the table was loaded with may be what
// a killed daemon never synced.
func TestS4_NoPromiseBeforeTheFirstSync(t *testing.T) {
	s, n, _ := newServing(t)
	s.firstBlock()
	s.do(n, ackFor(record(1, "a", pool.Bound), true))
	handOver(s)
	s.filling = newBlock(s)
	s.do(n, ackFor(record(1, "a", pool.Bound), true))
	if replies(&s.direct) != 0 || replies(&s.writing.replies) != 2 {
		t.Errorf("%d replies leave at once, %d wait", replies(&s.direct), replies(&s.writing.replies))
	}
}

func TestP5_LazyRenewalLeavesAtOnce(t *testing.T) {
	s, n, _ := newServing(t)
	s.do(n, ackFor(record(1, "a", pool.Bound), true))
	if replies(&s.direct) != 1 || s.filling.sync {
		t.Error("a renewal within what is promised waits for the disk")
	}
}

// The ACK of a lazy renewal has left: that its record could not be written takes
// nothing away from the client.
func TestP4_LazyRenewalIsNotUndone(t *testing.T) {
	s, n, _ := newServing(t)
	s.table.Apply(record(1, "a", pool.Bound))
	later := record(1, "a", pool.Bound)
	later.Told = 150
	s.do(n, ackFor(later, true))
	if replies(&s.direct) != 1 {
		t.Fatal("the ACK waits")
	}
	handOver(s)
	s.filling = newBlock(s)
	s.blockDone(outcome{err: errors.New("write pool: no space left on device")})
	if r, _ := s.table.ByAddr(later.Addr); r.Told != 150 {
		t.Errorf("the lease ends at %d; the client was told 150", r.Told)
	}
}

func TestP4_FailedBlockIsUndoneInReverse(t *testing.T) {
	s, n, log := newServing(t)
	s.table.Apply(record(1, "old", pool.Released))
	s.do(n, ackFor(record(1, "a", pool.Bound), false))
	s.do(n, ackFor(record(2, "b", pool.Bound), false))
	handOver(s)
	s.filling = newBlock(s)
	s.do(n, ackFor(record(1, "a", pool.Abandoned), false))
	s.do(n, ackFor(record(3, "c", pool.Bound), false))
	s.blockDone(outcome{err: errors.New("write pool: no space left on device")})
	if got := holders(s.table); got != "1:old:released" {
		t.Errorf("table: %s", got)
	}
	if replies(&s.filling.replies) != 0 || replies(&s.spare.replies) != 0 {
		t.Error("replies stay that rest on nothing")
	}
	s.do(n, ackFor(record(2, "b", pool.Bound), false))
	handOver(s)
	s.filling = newBlock(s)
	s.blockDone(outcome{err: errors.New("write pool: no space left on device")})
	if got := strings.Count(log.String(), "\n"); got != 1 {
		t.Errorf("%d lines for one full disk:\n%s", got, log)
	}
}

func TestS8_FreeOnlyWhenSynced(t *testing.T) {
	s, n, _ := newServing(t)
	s.table.Apply(record(1, "a", pool.Bound))
	s.do(n, ackFor(record(1, "a", pool.Released), false)[:1])
	if got := holders(s.table); got != "1:a:bound" {
		t.Errorf("table: %s; free before stable storage knows", got)
	}
	handOver(s)
	s.filling = newBlock(s)
	s.blockDone(outcome{})
	if got := holders(s.table); got != "1:a:released" {
		t.Errorf("table: %s", got)
	}
}

func TestS8_ReleasedAndTakenAgainInOneBlock(t *testing.T) {
	s, n, _ := newServing(t)
	s.table.Apply(record(1, "a", pool.Bound))
	s.do(n, ackFor(record(1, "a", pool.Released), false)[:1])
	handOver(s)
	s.filling = newBlock(s)
	s.do(n, ackFor(record(1, "a", pool.Bound), true))
	if !s.filling.sync || replies(&s.filling.replies) != 1 {
		t.Error("a renewal rests on a promise that a RELEASE on its way takes back")
	}
	s.blockDone(outcome{})
	if got := holders(s.table); got != "1:a:bound" {
		t.Errorf("table: %s; the later record must win", got)
	}
}

// stored is what happens when the block that is written has reached the disk,
// but for the sending.
func stored(s *service) {
	s.discard(&s.writing.replies)
	s.blockDone(outcome{})
}

// written has the writer's part of the filling block done, and returns how
// often the pool file was synced for that, and the lines of address 1.
func written(t *testing.T, s *service) (syncs, lines int) {
	t.Helper()
	before, _ := os.ReadFile(s.d.opt.Pool)
	handOver(s)
	s.filling = newBlock(s)
	if _, err := s.file.Commit(s.writing.text); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(s.d.opt.Pool)
	if err != nil {
		t.Fatal(err)
	}
	added := string(after[len(before):])
	return strings.Count(added, " = "), strings.Count(added, " 10.0.0.1 ")
}

// What has been decided while the disk was busy goes out by one sync.
func TestS4_OneSyncForMany(t *testing.T) {
	s, n, _ := newServing(t)
	for i := range byte(100) {
		s.do(n, ackFor(record(1+i, string('a'+rune(i)), pool.Bound), false))
	}
	if syncs, _ := written(t, s); syncs != 1 || replies(&s.writing.replies) != 100 {
		t.Errorf("%d syncs for %d ACKs", syncs, replies(&s.writing.replies))
	}
}

// The promise that a renewal rests on is on the disk, but behind it there is a
// RELEASE, so that the disk has to be told again.
func TestS4_RenewalBehindAReleaseIsSynced(t *testing.T) {
	s, n, _ := newServing(t)
	s.do(n, ackFor(record(1, "a", pool.Bound), false))
	written(t, s)
	stored(s)
	s.do(n, ackFor(record(1, "a", pool.Released), false)[:1])
	written(t, s)
	s.do(n, ackFor(record(1, "a", pool.Bound), true))
	stored(s)
	if syncs, _ := written(t, s); syncs != 1 {
		t.Errorf("%d syncs", syncs)
	}
}

// A renewal that changes nothing is not written, however often it comes; its
// ACK waits for what an ACK waits for.
func TestP5_SameRenewalIsNotWritten(t *testing.T) {
	s, n, _ := newServing(t)
	s.do(n, ackFor(record(1, "a", pool.Bound), false))
	s.do(n, ackFor(record(1, "a", pool.Bound), true))
	if replies(&s.direct) != 0 || replies(&s.filling.replies) != 2 {
		t.Error("an ACK does not wait for its record, which is not synced yet")
	}
	if _, lines := written(t, s); lines != 1 {
		t.Errorf("%d lines for one lease", lines)
	}
	s.do(n, ackFor(record(1, "a", pool.Bound), true))
	if replies(&s.writing.replies) != 3 || s.filling.due {
		t.Error("an ACK does not wait for its record, which is on its way")
	}
	stored(s)
	s.do(n, ackFor(record(1, "a", pool.Bound), true))
	if replies(&s.direct) != 1 || s.filling.due {
		t.Error("a renewal that changes nothing waits for the disk, or is written")
	}
	later := record(1, "a", pool.Bound)
	later.Last++
	s.do(n, ackFor(later, true))
	if syncs, lines := written(t, s); syncs != 0 || lines != 1 {
		t.Errorf("a second later: %d syncs, %d lines", syncs, lines)
	}
	stored(s)
	s.do(n, ackFor(record(1, "a", pool.Released), false)[:1])
	s.do(n, ackFor(later, true)) // the same as the table has still
	if syncs, lines := written(t, s); syncs != 1 || lines != 2 {
		t.Errorf("released and taken again: %d syncs, %d lines", syncs, lines)
	}
}

// An address is released, and taken again before the disk knows. What the table
// says after a failure is what the disk has.
func TestS8_TakenAgainAndFailed(t *testing.T) {
	fault := outcome{err: errors.New("write pool: no space left on device")}
	for _, tt := range []struct {
		name          string
		first, second outcome
		want          string
	}{
		{"neither is written", fault, outcome{}, "1:a:bound"},
		{"the release is, alone", outcome{}, fault, "1:a:released"},
		{"both are", outcome{}, outcome{}, "1:a:bound"},
	} {
		s, n, _ := newServing(t)
		s.table.Apply(record(1, "a", pool.Bound))
		s.do(n, ackFor(record(1, "a", pool.Released), false)[:1])
		s.do(n, ackFor(record(1, "a", pool.Released), false)[:1]) // it was sent twice
		handOver(s)
		s.filling = newBlock(s)
		again := record(1, "a", pool.Bound)
		s.do(n, ackFor(again, true)[:1])
		if got := holders(s.table); got != "1:a:bound" {
			t.Errorf("%s: %s at once", tt.name, got)
		}
		s.blockDone(tt.first)
		if tt.first.err == nil {
			handOver(s)
			s.filling = newBlock(s)
			s.blockDone(tt.second)
		}
		if got := holders(s.table); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestL5_RepliesTouchedByOthersAreDropped(t *testing.T) {
	s, n, _ := newServing(t)
	a := netip.AddrFrom4([4]byte{10, 0, 0, 1})
	s.table.Add(a)
	s.do(n, ackFor(record(1, "a", pool.Bound), false))
	handOver(s)
	s.filling = newBlock(s)
	s.blockDone(outcome{changes: pool.Changes{Del: []netip.Addr{a}}})
	if replies(&s.spare.replies) != 0 || s.table.Member(a) {
		t.Error("an ACK for an address that was removed meanwhile")
	}
}

func TestS5_WayOut(t *testing.T) {
	_, n, _ := newServing(t)
	n.site.Addrs = []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")}
	for a, want := range map[string]int{"255.255.255.255": noIndex, "10.0.0.77": noIndex, "10.9.9.9": 0} {
		if got := n.way(netip.MustParseAddr(a)); got != want {
			t.Errorf("reply to %s leaves by %d, want %d", a, got, want)
		}
	}
}

func TestP4_FullDiskIsNotTriedWithoutEnd(t *testing.T) {
	s, n, _ := newServing(t)
	s.do(n, ackFor(record(1, "a", pool.Bound), false))
	handOver(s)
	s.filling = newBlock(s)
	s.blockDone(outcome{err: pool.ErrWhole})
	if !s.filling.due {
		t.Fatal("a pool file that is gone is not written anew at once")
	}
	handOver(s)
	s.filling = newBlock(s)
	s.blockDone(outcome{err: fmt.Errorf("no space left on device: %w", pool.ErrWhole)})
	if s.filling.due {
		t.Error("tried again at once after it failed twice")
	}
}

func TestP4_LeaseOfAReplacedFileSurvivesTheUndo(t *testing.T) {
	s, n, _ := newServing(t)
	s.do(n, ackFor(record(1, "ours", pool.Bound), false))
	handOver(s)
	s.filling = newBlock(s)
	s.blockDone(outcome{err: pool.ErrWhole, changes: pool.Changes{Reset: true,
		Add: []netip.Addr{record(1, "", 0).Addr}, Records: []pool.Record{*record(1, "theirs", pool.Bound)}}})
	if got := holders(s.table); got != "1:theirs:bound" {
		t.Errorf("table: %s", got)
	}
}
