package client

import (
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// alone is a client that has had no answer for 12 s, with its first address.
func alone(t *testing.T) (r *rig, a string) {
	r = configured(t, Config{LinkLocal: true})
	r.wakeWhenDue(2)
	r.same(r.wakeWhenDue(2), "DHCPDISCOVER xid 1 secs 12"+toAll)
	r.is(Selecting, 12.5)
	return r, linkLocalAddr(ours, 0).String()
}

// settle goes on until the address is configured.
func settle(r *rig, a string) {
	r.t.Helper()
	for range 3 {
		r.same(r.wakeWhenDue(2), "probe "+a)
	}
	r.same(r.wakeWhenDue(2), "link-local "+a, "announce "+a)
	r.same(r.wakeWhenDue(2), "announce "+a)
}

// TestC16_LinkLocal: probed for, announced, given more time with each
// DISCOVER, and gone when there is a lease.
func TestC16_LinkLocal(t *testing.T) {
	r, a := alone(t)
	settle(r, a)
	r.is(Selecting, 28)
	r.same(r.wakeWhenDue(2), "DHCPDISCOVER xid 1 secs 28"+toAll, "link-local "+a)
	r.got(reply(dhcp4.Offer, 1))
	r.same(r.got(reply(dhcp4.ACK, 1)), "configure 10.0.0.5/24", "no link-local "+a, "save 10.0.0.5/24", "announce 10.0.0.5")
	r.at(1e6).wake(3) // the lease has ended, and all starts over
	r.is(Selecting, 1e6+4)
}

// TestC16_LinkLocalConflict: another address for each conflict, and slowly
// after ten; an address that we have is defended once.
func TestC16_LinkLocalConflict(t *testing.T) {
	r, a := alone(t)
	for n := uint32(1); n < 10; n++ {
		r.same(r.do(asked), "debug: "+a+" is already in use by 02:00:00:00:00:09")
		a = linkLocalAddr(ours, n).String()
		if r.s.Watched().String() != a {
			t.Fatalf("watches %v, not %s", r.s.Watched(), a)
		}
	}
	settle(r, a)
	r.same(r.do(asked)) // the kernel's business
	r.same(r.do(used), "announce "+a)
	r.same(r.do(used), "debug: "+a+" is already in use by 02:00:00:00:00:09", "no link-local "+a)
	if wait := r.s.local.due.Sub(r.now); wait != declineSlow {
		t.Errorf("the next one after %v", wait)
	}
	r.same(r.do(Event{Kind: LinkDown}))
	r.is(Init, -1)
}

// TestC16_LinkLocalGoes: with the carrier, and not with an address kept.
func TestC16_LinkLocalGoes(t *testing.T) {
	r, a := alone(t)
	settle(r, a)
	r.same(r.do(Event{Kind: LinkDown}), "no link-local "+a)
	r = newRig(t)
	r.s.Config.LinkLocal, r.s.Config.Possessive = true, true
	r.reach(Rebinding).at(3601).wake(7)
	for range 5 {
		r.wakeWhenDue(8)
	}
	if r.s.local.addr.IsValid() {
		t.Error("there is an address of the link beside the one kept")
	}
}

// TestC16_LinkLocalRange: 169.254.1.0 to 169.254.254.255, and hardly ever the
// same for two hosts.
func TestC16_LinkLocalRange(t *testing.T) {
	low, high := netip.MustParseAddr("169.254.1.0"), netip.MustParseAddr("169.254.254.255")
	seen := map[netip.Addr]bool{}
	for n := range uint32(1000) {
		a := linkLocalAddr([6]byte{2, 5: byte(n)}, n>>8)
		if a.Less(low) || high.Less(a) {
			t.Errorf("%v", a)
		}
		seen[a] = true
	}
	if len(seen) < 950 {
		t.Errorf("%d addresses of 1000", len(seen))
	}
}
