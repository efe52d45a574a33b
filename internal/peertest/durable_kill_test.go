package peertest

import (
	"bytes"
	"os"
	"regexp"
	"syscall"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netlab"
	"dhcpd/pool"
)

// inode tells files of the same name apart.
func inode(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return number(info)
}

func number(info os.FileInfo) uint64 { return info.Sys().(*syscall.Stat_t).Ino }

// torn is what a daemon may say about the last write of one that was killed.
var torn = regexp.MustCompile(`^dhcpd: \S+: the last \d+ octets are torn and were cut off\n$`)

// TestP4_S4_Kill9 kills the server at any moment under load, and as often in
// the middle of a compaction and right after one: after each start every
// client that was ACKed an address gets it again, and nobody else does.
func TestP4_S4_Kill9(t *testing.T) {
	const rounds, clients = 200, 300
	rnd := newSeed(t)
	w := newHerd(t, rnd, clients)
	w.fill("10.0.1.0-10.0.2.79") // 336
	after, within := 0, 0
	for round := range rounds {
		p := w.start()
		w.crowdIn()
		w.everyone()
		file := inode(t, w.pool)
		moment := 60 * time.Millisecond
		switch round % 4 {
		case 0:
			w.play(w.compacting)
			moment /= 40
		case 1:
			w.play(func() bool { return inode(t, w.pool) != file })
			moment /= 40
		}
		w.playFor(moment)
		p.Kill()
		w.hear()
		w.stored()
		if out := p.Output(); out != "" && !torn.MatchString(out) {
			t.Fatalf("round %d: it says %s", round, out)
		}
		if w.compacting() {
			within++
		}
		if inode(t, w.pool) != file {
			after++
		}
	}
	w.start()
	w.crowdIn()
	w.everyone()
	t.Logf("%d ACKs, %d leases; %d rounds with a compaction, %d killed within one", w.acks, len(w.owner), after, within)
	if within == 0 {
		t.Error("none was killed within a compaction")
	}
}

// TestS4_OrderlyEnd ends the server under load: whoever has come into the pool
// file as a new tenant has been told so.
func TestS4_OrderlyEnd(t *testing.T) {
	w := newHerd(t, newSeed(t), 300)
	w.fill("10.0.1.0-10.0.2.79")
	for _, c := range w.tenants {
		c.flags = dhcp4.Broadcast * uint16(c.n%2) // frames and datagrams go by sockets of their own
	}
	has := func(table *pool.Table, c *tenant) bool {
		r, _ := table.ByAddr(c.addr)
		return r.State == pool.Bound && bytes.Equal(r.ID, append([]byte{1}, c.mac[:]...))
	}
	for range 20 {
		before := w.stored() // a RELEASE that was on its way to the last server had no effect
		p, acks := w.start(), w.acks
		w.play(func() bool { return w.acks > acks+20 })
		if code := p.Stop(); code != 0 {
			t.Fatalf("exit status %d", code)
		}
		w.hear()
		after := w.stored()
		for _, c := range w.tenants {
			untold := func() bool { return c.phase == requesting && has(after, c) && !has(before, c) }
			if untold() { // what was sent may be on its way yet
				end := time.Now().Add(netlab.Patience / 10)
				for untold() && time.Now().Before(end) {
					w.receive()
				}
			}
			if untold() {
				t.Errorf("%x has %v, and was never told", c.mac, c.addr)
			}
			w.rest(c)
		}
	}
}
