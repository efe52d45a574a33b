package client

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/auth"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

var (
	nonce  = []byte("0123456789abcdef")
	secret = &Key{ID: 42, Secret: []byte("between us")}
)

// proof is a change for reply that puts option 90 where Put wants it: before
// all others but 53.
func proof(o auth.Option) func(*dhcp4.Message) {
	return func(m *dhcp4.Message) { auth.Put(m, o) }
}

// wire signs a message and reads it again, as if it had come from outside.
func wire(t *testing.T, m *dhcp4.Message, key []byte) *dhcp4.Message {
	t.Helper()
	b, _ := m.Append(nil, 1500)
	if key != nil {
		auth.Sign(b, key)
	}
	got := new(dhcp4.Message)
	if err := got.Parse(b); err != nil {
		t.Fatal(err)
	}
	return got
}

// wakeUp is a FORCERENEW by the nonce.
func wakeUp(t *testing.T, replay uint64, change ...func(*dhcp4.Message)) *dhcp4.Message {
	m := reply(dhcp4.ForceRenew, 0xfeed)
	m.Yiaddr = noAddr
	m.Options.Del(dhcp4.LeaseTime)
	auth.Put(m, auth.Option{Kind: auth.Woken, Replay: replay})
	for _, f := range change {
		f(m)
	}
	return wire(t, m, nonce)
}

// nonced takes a client to BOUND with a nonce, its counter at 5.
func nonced(t *testing.T) *rig {
	r := newRig(t)
	r.start(1)
	r.at(1).got(reply(dhcp4.Offer, 1, with(dhcp4.ForceRenewNonce, 1)))
	r.at(2).got(reply(dhcp4.ACK, 1, proof(auth.Option{Kind: auth.Nonce, Replay: 5, Nonce: nonce})))
	if r.s.Phase != Bound {
		t.Fatalf("%v, not BOUND", r.s.Phase)
	}
	return r.at(60)
}

// force gives the client a FORCERENEW that was sent to its address.
func (r *rig) force(m *dhcp4.Message, to netip.Addr) []string {
	return r.do(Event{Kind: Got, Msg: m, From: server, To: to, Rand: even(7), Counter: 1000})
}

// What a FORCERENEW must be to be obeyed, and what there is to do then.
func TestC18_ForceRenew(t *testing.T) {
	flip := func(m *dhcp4.Message) *dhcp4.Message {
		m.Wire[len(m.Wire)-1] ^= 1 // a bit of the padding, even
		return m
	}
	tests := []struct {
		name string
		msg  *dhcp4.Message
		to   netip.Addr
		want string // why not; "" for obeyed
	}{
		{"RFC 3203 2.2: RENEW upon receipt", wakeUp(t, 6), addr, ""},
		{"RFC 3118 2: a counter that has grown by much", wakeUp(t, 1<<63), addr, ""},
		{"RFC 3203 2.2: multicast is discarded", wakeUp(t, 6), netip.MustParseAddr("224.0.0.1"), "not sent to our address alone"},
		{"RFC 3203 2.2: broadcast is discarded", wakeUp(t, 6), dhcp4.Everyone, "not sent to our address alone"},
		{"RFC 3203 2.2: another address of ours", wakeUp(t, 6), other, "not sent to our address alone"},
		{"RFC 3118 5.3: a counter that has not grown", wakeUp(t, 5), addr, "replay counter has not grown"},
		{"RFC 3118 5.3: a counter that has shrunk", wakeUp(t, 0), addr, "replay counter has not grown"},
		{"RFC 6704 3.1.4: the digest does not match", flip(wakeUp(t, 6)), addr, "digest is wrong"},
		{"RFC 6704 3.1.4: another nonce", wire(t, wakeUp(t, 6), []byte("0123456789abcdeF")), addr, "digest is wrong"},
		{"RFC 3203 6: not authenticated at all", wire(t, reply(dhcp4.ForceRenew, 0), nil), addr, "not authenticated"},
		{"RFC 3203 6: by a key that we have not", wire(t, reply(dhcp4.ForceRenew, 0, proof(auth.Option{Kind: auth.Keyed, Replay: 6})), nonce), addr, "not authenticated"},
		{"RFC 3203 6: with a nonce in the clear", wire(t, reply(dhcp4.ForceRenew, 0, proof(auth.Option{Kind: auth.Nonce, Replay: 6, Nonce: nonce})), nil), addr, "not authenticated"},
		{"another host's", wakeUp(t, 6, func(m *dhcp4.Message) { m.Chaddr[5] = 9 }), addr, "chaddr is not ours"},
		{"another client's at our address", wakeUp(t, 6, with(dhcp4.ClientID, 1, 2)), addr, "client identifier is not ours"},
	}
	for _, x := range tests {
		r := nonced(t)
		before := r.s
		got := r.force(x.msg, x.to)
		if x.want != "" {
			if want := "suspect: DHCPFORCERENEW: " + x.want; !slices.Equal(got, []string{want}) || r.s != before {
				t.Errorf("%s: %q, to %v", x.name, got, r.s.Phase)
			}
			continue
		}
		want := []string{"save 10.0.0.5/24", "debug: DHCPFORCERENEW: renewing",
			"DHCPREQUEST xid 7 secs 0 to 10.0.0.1 from 10.0.0.5"}
		if !slices.Equal(got, want) || r.s.Phase != Renewing {
			t.Errorf("%s: %q, %v", x.name, got, r.s.Phase)
		}
		if o := auth.Of(r.s.Lease.ACK); o.Replay != auth.Of(x.msg).Replay || !bytes.Equal(o.Nonce, nonce) {
			t.Errorf("%s: the lease holds %+v", x.name, o)
		}
		if o := auth.Of(before.Lease.ACK); o.Replay != 5 {
			t.Errorf("%s: the state before has changed: %+v", x.name, o)
		}
		if got := r.force(x.msg, x.to); len(got) != 1 || !strings.HasSuffix(got[0], "has not grown") {
			t.Errorf("%s, and once more: %q", x.name, got)
		}
	}
}

// Where there is no lease there is nothing to renew, and where noforce says so
// nothing is asked for and nothing obeyed.
func TestC18_NotThen(t *testing.T) {
	for p := Init; p < Bound; p++ {
		if p == Informing {
			continue
		}
		r := newRig(t).reach(p)
		if got := r.force(wakeUp(t, 6), addr); len(got) != 1 || got[0] != "suspect: DHCPFORCERENEW: there is no lease to renew" || r.s.Phase != p {
			t.Errorf("%v: %q", p, got)
		}
	}
	r := nonced(t)
	r.s.Config = &Config{MAC: ours, NoForce: true}
	if got := r.force(wakeUp(t, 6), addr); got[0] != "suspect: DHCPFORCERENEW: not wanted here" {
		t.Errorf("noforce: %q", got)
	}
	r = newRig(t).reach(Bound)
	if got := r.force(wakeUp(t, 6), addr); got[0] != "suspect: DHCPFORCERENEW: no server has given us a nonce" {
		t.Errorf("no nonce: %q", got)
	}
}

// A lease without end, and one past T2, are renewed like any other, and
// nothing runs in circles when nobody answers.
func TestC18_Whenever(t *testing.T) {
	r := newRig(t)
	r.start(1)
	r.at(1).got(reply(dhcp4.Offer, 1))
	r.at(2).got(reply(dhcp4.ACK, 1, lasting(dhcp4.Infinite), proof(auth.Option{Kind: auth.Nonce, Nonce: nonce})))
	r.at(4).wake(0)
	r.at(100).force(wakeUp(t, 6), addr)
	r.is(Renewing, 160)
	r.wakeWhenDue(8)
	r.is(Bound, -1)

	r = nonced(t)
	r.at(1 + 3200).wake(2)
	if r.s.Phase != Rebinding {
		t.Fatal(r.s.Phase)
	}
	r.at(3250).force(wakeUp(t, 6), addr)
	r.is(Renewing, 3310)
	r.wakeWhenDue(8)
	if r.s.Phase != Rebinding {
		t.Errorf("%v, not REBINDING", r.s.Phase)
	}
}

// Woken in the last minute of a lease, a client gives its address up no later.
func TestC6_C18_ForcedAtTheEnd(t *testing.T) {
	r := nonced(t)
	r.at(1 + 3200).wake(2)
	r.at(3590).force(wakeUp(t, 6), addr)
	r.is(Renewing, 3601)
	r.wakeWhenDue(8)
	if r.s.Phase != Selecting || r.s.Held {
		t.Errorf("%v, address held: %v", r.s.Phase, r.s.Held)
	}
}

// An INFORM client asks anew (RFC 3203 section 2.2).
func TestC18_Inform(t *testing.T) {
	r := newRig(t).reach(Informing)
	r.s.Config.Key = secret
	r.at(1).got(wire(t, reply(dhcp4.ACK, 1, proof(auth.Option{Kind: auth.Keyed, Replay: 3, ID: 42})), secret.Secret))
	if r.s.Phase != Bound {
		t.Fatal(r.s.Phase)
	}
	m := wire(t, reply(dhcp4.ForceRenew, 9, proof(auth.Option{Kind: auth.Keyed, Replay: 4, ID: 42})), secret.Secret)
	got := r.at(5).force(m, addr)
	if len(got) != 3 || !strings.HasPrefix(got[2], "DHCPINFORM xid 7") {
		t.Errorf("%q", got)
	}
}

// Option 145 is in every DISCOVER and REQUEST (RFC 6704 section 3.1.4), and in
// nothing else; not where it is not wanted, or there is a key (section 3.1).
func TestC18_Announced(t *testing.T) {
	for _, x := range []struct {
		config Config
		want   bool
	}{
		{Config{MAC: ours}, true},
		{Config{MAC: ours, NoForce: true}, false},
		{Config{MAC: ours, Key: secret}, false},
		{Config{MAC: ours, Anonymous: true}, false},
	} {
		for _, p := range []Phase{Selecting, Requesting, Rebooting, Renewing, Rebinding} {
			m := machine{State: State{Config: &x.config, Lease: lease(t0), Want: addr, Server: server}, now: t0}
			m.Phase = p
			if p == Selecting {
				m.discover()
			} else {
				m.request()
			}
			for _, a := range m.acts {
				if a.Verb == act.Send && bytes.Equal(a.Msg.Options.Get(dhcp4.ForceRenewNonce), []byte{1}) != x.want {
					t.Errorf("%+v in %v: %v", x.config, p, a.Msg.Options.Get(dhcp4.ForceRenewNonce))
				}
			}
		}
	}
}

// An OFFER with option 145 promises a nonce: without one the ACK is dropped,
// and the client is back in INIT (RFC 6704 section 3.1.4); at once, then ever
// more slowly.
func TestC18_PromisedNonce(t *testing.T) {
	r := newRig(t)
	r.start(1)
	offer := reply(dhcp4.Offer, 1, with(dhcp4.ForceRenewNonce, 1))
	r.at(1).got(offer)
	got := r.at(2).got(reply(dhcp4.ACK, 1))
	if r.s.Phase != Selecting || !strings.HasPrefix(got[0], "drop: no nonce") || r.s.Held {
		t.Fatalf("%v: %q", r.s.Phase, got)
	}
	offer.Xid = r.s.Xid
	r.at(3).got(offer)
	r.at(4).got(reply(dhcp4.ACK, r.s.Xid))
	r.is(Init, 8)
	r.wakeWhenDue(3)
	offer.Xid = r.s.Xid
	r.got(offer)
	bad := proof(auth.Option{Kind: auth.Woken, Replay: 1})
	if r.got(reply(dhcp4.ACK, r.s.Xid, bad)); r.s.Phase != Init {
		t.Errorf("a digest is taken for a nonce: %v", r.s.Phase)
	}
	// A server that promises nothing need not keep it.
	r = newRig(t).reach(Bound)
	if auth.Of(r.s.Lease.ACK).Kind != auth.None {
		t.Error("a nonce from nowhere")
	}
}

// The nonce lives through renewals that do not repeat it, and through restarts,
// but a new acquisition does not begin with it; a new one replaces it.
func TestC18_NonceKept(t *testing.T) {
	r := nonced(t)
	r.at(1 + 1800).wake(2)
	r.at(1802).got(reply(dhcp4.ACK, 2))
	if o := auth.Of(r.s.Lease.ACK); !bytes.Equal(o.Nonce, nonce) || o.Replay != 5 {
		t.Errorf("after a renewal: %+v", o)
	}
	old := r.s.Lease
	r = newRig(t).at(1900)
	r.do(Event{Kind: Start, Lease: old, Held: true, Rand: even(2)})
	r.at(1901).got(reply(dhcp4.ACK, 2))
	if got := r.at(1910).force(wakeUp(t, 5), addr); len(got) != 1 {
		t.Errorf("after a restart a replay is obeyed: %q", got)
	}
	if r.force(wakeUp(t, 6), addr); r.s.Phase != Renewing {
		t.Errorf("after a restart: %v", r.s.Phase)
	}
	fresh := []byte("fedcba9876543210")
	r.at(1911).got(reply(dhcp4.ACK, 7, proof(auth.Option{Kind: auth.Nonce, Replay: 1, Nonce: fresh})))
	if o := auth.Of(r.s.Lease.ACK); !bytes.Equal(o.Nonce, fresh) || o.Replay != 1 {
		t.Errorf("with a new one: %+v", o)
	}
	r.at(1911 + 1800).wake(9)
	r.got(reply(dhcp4.NAK, 9))
	r.at(3800).got(reply(dhcp4.Offer, r.s.Xid))
	r.got(reply(dhcp4.ACK, r.s.Xid))
	if o := auth.Of(r.s.Lease.ACK); o.Kind != auth.None {
		t.Errorf("after a NAK: %+v", o)
	}
}

// What a client with a key says, and what it believes: RFC 3118 section 5.5.
func TestF5_ClientSends(t *testing.T) {
	c := &Config{MAC: ours, Key: secret, Release: true}
	for _, x := range []struct {
		section string
		send    func(*machine)
		want    auth.Kind
	}{
		{"5.5.1 step 1: DISCOVER", (*machine).discover, auth.Asks},
		{"5.5.1 step 3: REQUEST in REQUESTING", func(m *machine) { m.Phase = Requesting; m.request() }, auth.Keyed},
		{"5.5.2: REQUEST in INIT-REBOOT", func(m *machine) { m.Phase = Rebooting; m.request() }, auth.Keyed},
		{"5.5.3: REQUEST in RENEWING", func(m *machine) { m.Phase = Renewing; m.request() }, auth.Keyed},
		{"5.5.4: REQUEST in REBINDING", func(m *machine) { m.Phase = Rebinding; m.request() }, auth.Keyed},
		{"5.5.5: INFORM", (*machine).inform, auth.Asks},
		{"5.5.6: RELEASE", func(m *machine) { m.Phase = Bound; m.leave() }, auth.Keyed},
		{"5.4: DECLINE", func(m *machine) { m.sendDecline(server) }, auth.Keyed},
	} {
		m := machine{State: State{Config: c, Lease: lease(t0), Held: true, Want: addr, Server: server}, now: t0, counter: 99}
		x.send(&m)
		a := m.acts[slices.IndexFunc(m.acts, func(a act.Action) bool { return a.Verb == act.Send })]
		o := auth.Of(a.Msg)
		if o.Kind != x.want || o.Replay != 100 || x.want == auth.Keyed && o.ID != 42 || !a.Msg.Options.Has(dhcp4.ClientID) {
			t.Errorf("RFC 3118 %s: %+v", x.section, o)
		}
		b, _ := a.Msg.Append(nil, 576)
		auth.Sign(b, a.Key)
		if auth.Check(b, secret.Secret) != (x.want == auth.Keyed) {
			t.Errorf("RFC 3118 %s: digest", x.section)
		}
	}
}

func TestF5_ClientBelieves(t *testing.T) {
	keyed := func(replay uint64) func(*dhcp4.Message) {
		return proof(auth.Option{Kind: auth.Keyed, Replay: replay, ID: 42})
	}
	key := secret.Secret
	begin := func() *rig {
		r := newRig(t)
		r.s.Config.Key = secret
		r.start(1)
		return r
	}
	for _, x := range []struct {
		name string
		msg  *dhcp4.Message
		want Phase
	}{
		{"5.5.1 step 2: an OFFER that passes", wire(t, reply(dhcp4.Offer, 1, keyed(1)), key), Requesting},
		{"5.5.1: unauthenticated is declined by default", reply(dhcp4.Offer, 1), Selecting},
		{"5.3: MUST discard what does not match", wire(t, reply(dhcp4.Offer, 1, keyed(1)), []byte("other")), Selecting},
		{"5.2: another secret", wire(t, reply(dhcp4.Offer, 1, proof(auth.Option{Kind: auth.Keyed, Replay: 1, ID: 43})), key), Selecting},
		{"4: a configuration token", reply(dhcp4.Offer, 1, with(dhcp4.Authentication, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'x')), Selecting},
		{"BOOTP can't prove anything", reply(dhcp4.BOOTP, 1, without(dhcp4.LeaseTime)), Selecting},
	} {
		r := begin()
		if r.at(1).got(x.msg); r.s.Phase != x.want {
			t.Errorf("RFC 3118 %s: %v, not %v", x.name, r.s.Phase, x.want)
		}
	}
	r := begin()
	r.at(1).got(wire(t, reply(dhcp4.Offer, 1, keyed(1)), key))
	if r.at(2).got(wire(t, reply(dhcp4.ACK, 1, keyed(1)), key)); r.s.Phase != Selecting || r.s.Held {
		t.Errorf("5.5.1 step 4: MUST revert to INIT: %v", r.s.Phase)
	}
	r.at(3).got(wire(t, reply(dhcp4.Offer, r.s.Xid, keyed(2)), key))
	r.at(4).got(wire(t, reply(dhcp4.ACK, r.s.Xid, keyed(3)), key))
	if r.s.Phase != Bound || !r.s.Lease.Authentic() {
		t.Fatalf("5.5.1: %v", r.s.Phase)
	}
	r.at(4 + 1800).wake(2)
	r.at(1810).got(wire(t, reply(dhcp4.ACK, 2, keyed(3)), key))
	r.at(1811).got(reply(dhcp4.ACK, 2))
	if r.got(reply(dhcp4.NAK, 2)); r.s.Phase != Renewing {
		t.Errorf("5.5.3: as if it had not received a DHCPACK: %v", r.s.Phase)
	}
	if r.at(1812).got(wire(t, reply(dhcp4.ACK, 2, keyed(4)), key)); r.s.Phase != Bound {
		t.Errorf("5.5.3: %v", r.s.Phase)
	}
	// FORCERENEW by the key, and the counter across a restart (C18).
	m := wire(t, reply(dhcp4.ForceRenew, 9, keyed(5)), key)
	r.at(1900).force(m, addr)
	old := r.s.Lease
	r = newRig(t).at(1905)
	r.s.Config.Key = secret
	r.do(Event{Kind: Start, Lease: old, Held: true, Rand: even(2)})
	r.got(wire(t, reply(dhcp4.ACK, 2, keyed(5)), key))
	if r.s.Phase != Rebooting {
		t.Errorf("5.3: a replay after a restart: %v", r.s.Phase)
	}
	if r.got(wire(t, reply(dhcp4.ACK, 2, keyed(6)), key)); r.s.Phase != Bound {
		t.Errorf("after a restart: %v", r.s.Phase)
	}
}

// Without a key a digest proves nothing, and is not remembered as if it did.
func TestF5_NoKeyNoProof(t *testing.T) {
	r := newRig(t)
	r.start(1)
	r.at(1).got(reply(dhcp4.Offer, 1))
	r.at(2).got(wire(t, reply(dhcp4.ACK, 1, proof(auth.Option{Kind: auth.Keyed, Replay: 1, ID: 1})), []byte("x")))
	if r.s.Phase != Bound || r.s.Lease.Authentic() || r.s.Lease.ACK.Options.Has(dhcp4.Authentication) {
		t.Errorf("%v %v", r.s.Phase, r.s.Lease.ACK.Options.Get(dhcp4.Authentication))
	}
	if (&act.Lease{Start: time.Time{}}).Authentic() {
		t.Error("a lease without ACK is authentic")
	}
}
