package pool

import (
	"slices"
	"testing"

	"dhcpd/internal/netip"
	"dhcpd/internal/simdisk"
)

// The replay counter, a wake that the daemon wrote itself, and that a client
// did not answer one, come through restarts, compactions and a new file; the
// counter never goes back.
func TestF3_CounterIsKept(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	mustEdit(t, d, simPath, Add, ip(1), ip(2))
	k, _ := mustOpen(t, d, simPath, c)
	if n := k.table.Counter(); n != 0 {
		t.Errorf("%d in a file without", n)
	}
	deaf := k.lease(ip(2), 2, 1000)
	deaf.Asleep, deaf.Nonce, deaf.Counter = true, []byte("0123456789abcdef"), 1<<63
	k.mustCommit(k.lease(ip(1), 1, 1000), deaf)
	ways := []struct {
		name string
		do   func()
	}{
		{"written", func() {}},
		{"compacted", func() { k.compactNow() }},
		{"compacted, with a later one behind", func() {
			k.compactNow()
			k.table.SetCounter(k.table.Counter() + 1)
			k.block.Count()
			k.mustCommit()
		}},
		{"in a new file", func() {
			k.file.lose(simdisk.ErrFault)
			k.commit(false)
			k.mustCommit()
		}},
	}
	for _, x := range ways {
		k.table.SetCounter(k.table.Counter() + 1<<40)
		k.block.Count()
		k.table.Wake(ip(1))
		k.block.Wake(ip(1))
		k.mustCommit()
		x.do()
		want := k.table.Counter()
		d.CutPower(newRand(1))
		var loaded *Loaded
		k, loaded = mustOpen(t, d, simPath, c)
		if got := k.table.Counter(); got != want {
			t.Errorf("%s: counter %d, not %d", x.name, got, want)
		}
		if !slices.Equal(loaded.Wake, []netip.Addr{ip(1)}) || !k.table.At(ip(1)).Wakeful() || k.table.At(ip(2)).Wakeful() {
			t.Errorf("%s: to be woken: %v", x.name, loaded.Wake)
		}
		k.want(x.name, deaf)
	}
}
