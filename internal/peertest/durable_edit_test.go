package peertest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"dhcpd/internal/netip"
)

// A hammer takes addresses out of the pool and puts them back, by real
// commands and as fast as these go.
type hammer struct {
	w   *herd
	rnd *rand.Rand

	mu   sync.Mutex
	in   map[netip.Addr]bool
	gone map[netip.Addr]time.Time // surely out of the pool since then
	ever map[netip.Addr]bool      // was out of it at some time
}

func newHammer(w *herd, seed uint64, first string, n int) *hammer {
	h := &hammer{w: w, rnd: rand.New(rand.NewPCG(seed, 2)), in: map[netip.Addr]bool{},
		gone: map[netip.Addr]time.Time{}, ever: map[netip.Addr]bool{}}
	for a := netip.MustParseAddr(first); n > 0; n-- {
		h.in[a] = false
		a = a.Next()
	}
	return h
}

// blow runs one command for a few addresses.
func (h *hammer) blow() error {
	h.mu.Lock()
	verb, list, out := "-a", []string(nil), h.rnd.IntN(2) == 0
	if out {
		verb = "-r"
	}
	var addrs []netip.Addr
	for a, in := range h.in {
		if in == out && len(addrs) < 8 {
			addrs, list = append(addrs, a), append(list, a.String())
			delete(h.gone, a)
			h.ever[a] = h.ever[a] || out
		}
	}
	h.mu.Unlock()
	if len(addrs) == 0 {
		return nil
	}
	said, code := h.w.verb(verb, list...)
	if code != 0 || said != "" {
		return fmt.Errorf("dhcpd %s %s: exit %d, %s", verb, strings.Join(list, " "), code, said)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range addrs {
		if h.in[a] = !out; out {
			h.gone[a] = time.Now()
		}
	}
	return nil
}

// strike blows again and again, beside the test.
func (h *hammer) strike() (done chan error) {
	ctx, cancel := context.WithTimeout(h.w.Context(), 20*time.Second) // or what it gets done until then
	done = make(chan error, 1)
	var group sync.WaitGroup
	h.w.Cleanup(group.Wait)
	group.Go(func() {
		defer cancel()
		var err error
		for n := 0; n < 1000 && err == nil && ctx.Err() == nil; n++ {
			err = h.blow()
		}
		done <- err
	})
	return done
}

// given complains of a lease that was asked for when the command had long
// taken its address out of the pool.
func (h *hammer) given(c *tenant) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at, gone := h.gone[c.lease]; gone && at.Before(c.began) {
		h.w.Fatalf("%v was removed, and then given to %x", c.lease, c.mac)
	}
}

func (h *hammer) refused(c *tenant) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ever[c.lease] {
		return errors.New("it was never removed")
	}
	return nil
}

// check compares what is in the file with what was done.
func (h *hammer) check(t *testing.T) {
	t.Helper()
	table := h.w.stored()
	for a, in := range h.in {
		if table.Member(a) != in {
			t.Errorf("%v in the pool: %v, want %v", a, !in, in)
		}
	}
}

// TestP4_L3_L4_Hammered: the pool grows and shrinks by real commands without a
// pause while 64 clients come and go. No address that was removed is given
// out, no lease is lost, and none is given to two.
func TestP4_L3_L4_Hammered(t *testing.T) {
	rnd := newSeed(t)
	w := newHerd(t, rnd, 64)
	w.strange = true
	w.fill("10.0.1.0-10.0.1.39")
	h := newHammer(w, rnd.Uint64(), "10.0.2.0", 64)
	w.given, w.refused = h.given, h.refused
	p := w.server.Ready(w.start())
	done := h.strike()
	w.play(func() bool {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return true
		default:
			return false
		}
	})
	for range 2 {
		w.everyone()
		h.check(t)
		p.Kill()
		p = w.start()
	}
	w.everyone()
	t.Logf("%d ACKs, %d clients, %d leases", w.acks, w.strangers, len(w.owner))
}
