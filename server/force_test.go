package server

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/auth"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
)

var able = option(dhcp4.ForceRenewNonce, 1)

// newForce is a world in which nonces and replay counters are to be had.
func newForce(t testing.TB, config string, members ...string) *world {
	w := newWorld(t, config, members...)
	n := byte(0)
	w.srv.Fresh = func() (b [16]byte) { n++; b[15] = n; return b }
	w.srv.CountFrom(100, 1000)
	return w
}

// nonced binds client 9 to 10.0.0.20 with a nonce, and returns that.
func (w *world) nonced() []byte {
	w.t.Helper()
	w.ask(discover(9, requested("10.0.0.20"), able))
	a := w.ask(selecting(9, "10.0.0.20", able))
	o := auth.Of(a.reply)
	if o.Kind != auth.Nonce || !bytes.Equal(o.Nonce, a.record.Nonce) {
		w.t.Fatalf("%s: %+v, record %x", a.did, o, a.record.Nonce)
	}
	return bytes.Clone(o.Nonce)
}

// rouse has the client at a woken, as the daemon does.
func (w *world) rouse(a string) {
	w.table.Wake(ip(a))
	w.srv.Rouse(w.now, ip(a))
}

// force does what is due now, and returns what was done.
func (w *world) force() (answer, string) {
	w.t.Helper()
	var a answer
	var did []string
	for {
		addr := w.srv.ForceNext(w.now)
		if !addr.IsValid() {
			return a, strings.Join(did, "; ")
		}
		for _, x := range w.srv.Force(w.now, w.cfg, &w.site, w.table, addr) {
			did = append(did, w.apply(&x, &a))
		}
	}
}

// What RFC 6704 section 3.1 says of the server, sentence by sentence.
func TestF3_RFC6704Server(t *testing.T) {
	with := func(w *world) {}
	noforce := func(w *world) { w.site.Settings.NoForce = true }
	early := func(w *world) { w.srv.CountFrom(0, 0) }
	bound := func(w *world) { w.nonced() }
	plain := func(w *world) { w.ask(discover(9, requested("10.0.0.20"))); w.ask(selecting(9, "10.0.0.20")) }
	for _, x := range []struct {
		name   string
		before func(*world)
		to     string
		msg    *dhcp4.Message
		able   bool      // option 145 in the reply
		kind   auth.Kind // what option 90 has
		nonce  byte      // and the record then: the last octet of the nonce, 0 for none
	}{
		{"3.1.3: support is indicated in the OFFER", with, "255.255.255.255", discover(9, able), true, auth.None, 0},
		{"3.1.3: SHOULD NOT unless the client has indicated its capability", with, "255.255.255.255", discover(9), false, auth.None, 0},
		{"3.1.1: an algorithm that is none of ours", with, "255.255.255.255", discover(9, option(dhcp4.ForceRenewNonce, 7)), false, auth.None, 0},
		{"3.1.1: one of several algorithms", with, "255.255.255.255", discover(9, option(dhcp4.ForceRenewNonce, 7, 1)), true, auth.None, 0},
		{"3.1.3: MUST generate a nonce and include it in the ACK", with, "255.255.255.255", selecting(9, "10.0.0.20", able), false, auth.Nonce, 1},
		{"3.1.3: MUST NOT include one in the ACK to who is not capable", with, "255.255.255.255", selecting(9, "10.0.0.20"), false, auth.None, 0},
		{"3.1.3: no previous nonce recorded: also in a renewal", plain, "10.0.0.1", renewing(9, "10.0.0.20", able), false, auth.Nonce, 1},
		{"3.1.3: SHOULD NOT include it when responding to a renew", bound, "10.0.0.1", renewing(9, "10.0.0.20", able), false, auth.None, 1},
		{"3.1.3: nor to a rebind by the server that gave it", bound, "255.255.255.255", renewing(9, "10.0.0.20", able), false, auth.None, 1},
		{"3.1.4: a client in SELECTING must have it: the same", bound, "255.255.255.255", selecting(9, "10.0.0.20", able), false, auth.Nonce, 1},
		{"3.1.4: and one in INIT-REBOOT", bound, "255.255.255.255", initReboot(9, "10.0.0.20", able), false, auth.Nonce, 1},
		{"3.1.3: a client that is capable no longer", bound, "10.0.0.1", renewing(9, "10.0.0.20"), false, auth.None, 0},
		{"F1: noforce, OFFER", noforce, "255.255.255.255", discover(9, able), false, auth.None, 0},
		{"F1: noforce, ACK", noforce, "255.255.255.255", selecting(9, "10.0.0.20", able), false, auth.None, 0},
		{"no replay counter yet: no promise", early, "255.255.255.255", discover(9, able), false, auth.None, 0},
		{"no replay counter yet: no nonce", early, "255.255.255.255", selecting(9, "10.0.0.20", able), false, auth.None, 0},
		{"no replay counter any more: the nonce stays", func(w *world) { bound(w); early(w) }, "10.0.0.1", renewing(9, "10.0.0.20", able), false, auth.None, 1},
	} {
		w := newForce(t, house, "10.0.0.20")
		x.before(w)
		a := w.sentTo(x.to).ask(x.msg)
		if a.reply == nil {
			t.Errorf("RFC 6704 %s: %s", x.name, a.did)
			continue
		}
		if got := auth.Of(a.reply).Kind; got != x.kind || a.reply.Options.Has(dhcp4.ForceRenewNonce) != x.able {
			t.Errorf("RFC 6704 %s: option 90 is %d, 145 %v", x.name, got, a.reply.Options.Get(dhcp4.ForceRenewNonce))
		}
		r, _ := w.table.ByAddr(ip("10.0.0.20"))
		if x.nonce == 0 != (len(r.Nonce) == 0) || x.nonce > 0 && r.Nonce[15] != x.nonce {
			t.Errorf("RFC 6704 %s: the record has %x", x.name, r.Nonce)
		}
	}
}

// A nonce that is none, as somebody may write one into the pool file, is as good
// as no nonce.
func TestF3_OddNonce(t *testing.T) {
	for _, odd := range []string{"short", "longer than sixteen octets"} {
		w := newForce(t, house, "10.0.0.20")
		w.nonced()
		r := w.table.At(ip("10.0.0.20")).Record()
		r.Nonce = []byte(odd)
		w.table.Apply(&r)
		w.rouse("10.0.0.20")
		if _, did := w.force(); !strings.Contains(did, "can't be woken") {
			t.Errorf("%s: %s", odd, did)
		}
		if o := auth.Of(w.ask(selecting(9, "10.0.0.20", able)).reply); o.Kind != auth.Nonce {
			t.Errorf("%s: %+v", odd, o)
		}
	}
}

// A new nonce is on stable storage before the client has it.
func TestF3_NonceIsPromised(t *testing.T) {
	w := newForce(t, house, "10.0.0.20")
	w.ask(discover(9, requested("10.0.0.20")))
	w.ask(selecting(9, "10.0.0.20"))
	w.sentTo("10.0.0.1")
	if a := w.ask(renewing(9, "10.0.0.20")); !a.lazy {
		t.Error("a renewal within what is promised is synced")
	}
	if a := w.ask(renewing(9, "10.0.0.20", able)); a.lazy || auth.Of(a.reply).Kind != auth.Nonce {
		t.Error("a new nonce is not synced")
	}
	if a := w.ask(renewing(9, "10.0.0.20", able)); !a.lazy || len(a.record.Nonce) != 16 {
		t.Error("an old one is")
	}
}

// RFC 3203 section 2.2, and what it says of retransmission: F2.
func TestF2_Retransmission(t *testing.T) {
	w := newForce(t, house, "10.0.0.20")
	nonce := w.nonced()
	start := w.now
	w.rouse("10.0.0.20")
	var sent []string
	last := uint64(0)
	for due := w.srv.ForceDue(); !due.IsZero(); due = w.srv.ForceDue() {
		w.now = due
		a, did := w.force()
		if a.reply == nil {
			sent = append(sent, fmt.Sprint(due.Sub(start).Seconds())+" "+did)
			continue
		}
		o := auth.Of(a.reply)
		if o.Kind != auth.Woken || o.Replay <= last || !auth.Check(a.reply.Wire, nonce) {
			t.Errorf("%+v after counter %d, digest %v", o, last, auth.Check(a.reply.Wire, nonce))
		}
		last = o.Replay
		sent = append(sent, fmt.Sprint(due.Sub(start).Seconds())+" "+did)
	}
	const msg = " DHCPFORCERENEW to 10.0.0.20:68"
	want := []string{"0" + msg, "4" + msg, "12" + msg, "28" + msg, "60" + msg, "124" + msg,
		"128 log 10.0.0.20 does not answer DHCPFORCERENEW; given up; commit bound 10.0.0.20"}
	if strings.Join(sent, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(sent, "\n"), strings.Join(want, "\n"))
	}
	e := w.table.At(ip("10.0.0.20"))
	if r := e.Record(); !r.Asleep || e.Wakeful() || r.Nonce != nil {
		t.Errorf("given up: %+v", r)
	}
	a := w.sentTo("10.0.0.1").ask(renewing(9, "10.0.0.20", able))
	if a.record.Asleep || auth.Of(a.reply).Kind != auth.Nonce {
		t.Error("heard again: it still sleeps, or has no nonce")
	}
}

// The message itself, and who gets none.
func TestF1_ForceRenew(t *testing.T) {
	w := newForce(t, house, "10.0.0.20")
	w.nonced()
	w.rouse("10.0.0.20")
	a, _ := w.force()
	m := a.reply
	if m.Type() != dhcp4.ForceRenew || m.Op != dhcp4.BootReply || m.Ciaddr != ip("10.0.0.20") || m.Chaddr != [16]byte{2, 0, 0, 0, 0, 9} ||
		!m.Yiaddr.IsUnspecified() || !m.Giaddr.IsUnspecified() || m.Options.Has(dhcp4.ClientID) || m.Options.Has(dhcp4.LeaseTime) {
		t.Errorf("%s", m.Line(nil))
	}
	if self, _ := m.Options.Addr(dhcp4.ServerID); self != ip("10.0.0.1") || a.send.To.Source != self || a.send.To.Raw {
		t.Errorf("from %v, %+v", self, a.send.To)
	}
	// An answer ends it.
	w.now = w.now.Add(2 * time.Second)
	w.sentTo("10.0.0.1").ask(renewing(9, "10.0.0.20", able))
	w.now = w.now.Add(2 * time.Second)
	if _, did := w.force(); did != "" || !w.srv.ForceDue().IsZero() {
		t.Errorf("answered, and yet: %s", did)
	}
	for _, x := range []struct {
		name   string
		before func(*world)
		want   string
	}{
		{"noforce", func(w *world) { w.nonced(); w.site.Settings.NoForce = true },
			"log 10.0.0.20 is not woken: option noforce; commit bound 10.0.0.20"},
		{"no nonce", func(w *world) { w.bind(9, "10.0.0.20") },
			"log 10.0.0.20 can't be woken: there is neither a key nor a nonce for its client; commit bound 10.0.0.20"},
		{"the lease has ended", func(w *world) { w.nonced(); w.now = w.now.Add(2 * time.Hour) },
			"log 10.0.0.20 has no lease that runs; there is nobody to wake; commit bound 10.0.0.20"},
		{"no replay counter yet", func(w *world) { w.nonced(); w.srv.CountFrom(0, 0) }, ""},
	} {
		w := newForce(t, house, "10.0.0.20")
		x.before(w)
		w.rouse("10.0.0.20")
		if _, did := w.force(); did != x.want {
			t.Errorf("%s: %s", x.name, did)
		}
		if waits := !w.srv.ForceDue().IsZero(); waits != (x.want == "") {
			t.Errorf("%s: to be tried again: %v", x.name, waits)
		}
	}
}

// Behind a relay the client is told the relay's name for us (RFC 5107), and one
// with a client identifier of its own is called by that.
func TestF1_ForceRenewThroughRelay(t *testing.T) {
	w := newForce(t, house, "10.0.1.20")
	agent := option(dhcp4.RelayAgent, 1, 1, 'x', 11, 4, 10, 0, 1, 254)
	id := option(dhcp4.ClientID, 0xff, 1, 2)
	w.sentTo("192.0.2.1")
	w.ask(discover(9, giaddr("10.0.1.254"), agent, id, able))
	w.ask(from(9, dhcp4.Request, serverID("10.0.1.254"), requested("10.0.1.20"), giaddr("10.0.1.254"), agent, id, able))
	w.rouse("10.0.1.20")
	a, did := w.force()
	if did != "DHCPFORCERENEW to 10.0.1.20:68" {
		t.Fatal(did)
	}
	if self, _ := a.reply.Options.Addr(dhcp4.ServerID); self != ip("10.0.1.254") || a.reply.Options.Has(dhcp4.RelayAgent) {
		t.Errorf("%s", a.reply.Line(nil))
	}
	if !bytes.Equal(a.reply.Options.Get(dhcp4.ClientID), []byte{0xff, 1, 2}) {
		t.Errorf("client identifier %x", a.reply.Options.Get(dhcp4.ClientID))
	}
}

// F4: the REQUEST is NAKed, which is an answer, and DISCOVER gives the new one.
func TestF4_Moved(t *testing.T) {
	w := newForce(t, house, "10.0.0.20")
	w.nonced()
	w.rouse("10.0.0.20")
	w.force()
	w.configure(house + `client 2:0:0:0:0:9 10.0.0.9;`)
	a := w.sentTo("10.0.0.1").want(renewing(9, "10.0.0.20", able), "refuse; commit bound 10.0.0.20; DHCPNAK to 255.255.255.255:68")
	if a.lazy || w.table.At(ip("10.0.0.20")).Wakeful() {
		t.Error("still to be woken")
	}
	w.sentTo("255.255.255.255").want(discover(9, able), "DHCPOFFER 10.0.0.9 to 10.0.0.9:68 raw")
	w.want(selecting(9, "10.0.0.9", able), "commit fixed 10.0.0.9; DHCPACK 10.0.0.9 to 10.0.0.9:68 raw")
	// A NAK to somebody else says nothing about the client.
	w.rouse("10.0.0.9")
	w.sentTo("10.0.0.1").want(renewing(8, "10.0.0.9"), "drop")
	if !w.table.At(ip("10.0.0.9")).Wakeful() {
		t.Error("woken by another's NAK")
	}
}

// F1: exactly those clients whose answer a changed file changes.
func TestF1_Differs(t *testing.T) {
	for _, x := range []struct {
		name, config string
		want         bool
	}{
		{"nothing", house, false},
		{"something about others", house + `client 2:0:0:0:0:8 10.0.0.8 { rootpath x; }; host 10.0.0.21 { rootpath y; };`, false},
		{"another spelling of the same", "# as before\n" + strings.ReplaceAll(house, "DHCPlease 3600", "DHCPlease 0xe10"), false},
		{"another address", house + `client 2:0:0:0:0:9 10.0.0.9;`, true},
		{"the same address, but fixed now", house + `client 2:0:0:0:0:9 10.0.0.20;`, false},
		{"an entry on another network", house + `client 2:0:0:0:0:9 10.0.1.9;`, false},
		{"another DNS server", strings.Replace(house, "10.0.0.3", "10.0.0.4", 1), true},
		{"an option less", strings.Replace(house, "domain example.com;", "", 1), true},
		{"an option more, by class", house + `class foo { rootpath x; };`, true},
		{"by another class", house + `class bar { rootpath x; };`, false},
		{"a file to boot", house + `file x;`, true},
		{"the netmask", strings.Replace(house, "10.0.0.0/24", "10.0.0.0/25", 1), true},
		{"the lease time", strings.Replace(house, "DHCPlease 3600", "DHCPlease 7200", 1), true},
		{"the address taken by another's entry", house + `client 2:0:0:0:0:8 10.0.0.20;`, true},
		{"nothing for the network any more", `host 10.0.1.0/24 { DHCPlease 600; };`, true},
	} {
		w := newForce(t, house, "10.0.0.20")
		w.ask(discover(9, requested("10.0.0.20"), able, text(dhcp4.ClassID, "foobar")))
		w.ask(selecting(9, "10.0.0.20", able, text(dhcp4.ClassID, "foobar")))
		old := w.cfg
		w.configure(x.config)
		e := w.table.At(ip("10.0.0.20"))
		if got := w.srv.Differs(w.now, old, w.cfg, w.table, e); got != x.want {
			t.Errorf("%s: %v", x.name, got)
		}
		if w.srv.Differs(w.now.Add(time.Hour), old, w.cfg, w.table, e) {
			t.Errorf("%s: woken after the end of the lease", x.name)
		}
	}
	w := newForce(t, house, "10.0.0.20")
	w.bind(9, "10.0.0.20")
	old := w.cfg
	w.configure(house + `client 2:0:0:0:0:9 10.0.0.9;`)
	if w.srv.Differs(w.now, old, w.cfg, w.table, w.table.At(ip("10.0.0.20"))) {
		t.Error("a client without a nonce is to be woken")
	}
}

const keys = house + `
	key 1 "the network's"; key 7 "nine's own";
	client 2:0:0:0:0:9 10.0.0.9 { option authenticate 7; };
`

// newKeyed is a world where clients have keys: 9 its own, all others another.
func newKeyed(t testing.TB) *world {
	w := newForce(t, keys, "10.0.0.20")
	w.site.Settings.Key = &conf.Key{ID: 1, Secret: []byte("the network's")}
	return w
}

// proven puts option 90 into a message and signs it, as a client does.
func proven(m *dhcp4.Message, o auth.Option, secret string) *dhcp4.Message {
	signed := new(dhcp4.Message)
	signed.Reset(m.Op)
	opts := m.Options.All()
	signed.SetType(m.Type())
	auth.Put(signed, o)
	for c, v := range opts {
		signed.Options.Put(c, v)
	}
	signed.Htype, signed.Hlen, signed.Xid, signed.Chaddr = m.Htype, m.Hlen, m.Xid, m.Chaddr
	signed.Ciaddr, signed.Giaddr, signed.Hops = m.Ciaddr, m.Giaddr, m.Hops
	b, _ := signed.Append(nil, 576)
	auth.Sign(b, []byte(secret))
	got := new(dhcp4.Message)
	if err := got.Parse(b); err != nil {
		panic(err)
	}
	return got
}

// What RFC 3118 says of the server, sentence by sentence. Client 8 has the
// network's key, and 9 one of its own.
func TestF5_RFC3118Server(t *testing.T) {
	const net, own = "the network's", "nine's own"
	asks := auth.Option{Kind: auth.Asks, Replay: 1}
	keyed := func(id uint32, replay uint64) auth.Option {
		return auth.Option{Kind: auth.Keyed, ID: id, Replay: replay}
	}
	bound := func(w *world) { w.ask(proven(selecting(8, "10.0.0.20"), keyed(1, 50), net)) }
	flipped := func(m *dhcp4.Message) *dhcp4.Message { m.Wire[10] ^= 0x80; return m }
	never := func(*world) {}
	for _, x := range []struct {
		name   string
		before func(*world)
		msg    *dhcp4.Message
		want   string // the drop, or the type of the reply
	}{
		{"5.6.2: DISCOVER that asks for it", never, proven(discover(8), asks, ""), "DHCPOFFER"},
		{"5.6.2: nobody gets a lease for a DISCOVER", func(w *world) { w.site.Settings.Rapid = true }, proven(discover(8, option(dhcp4.RapidCommit)), auth.Option{Kind: auth.Asks, Replay: 1<<64 - 1}, ""), "DHCPOFFER"},
		{"5.6.1: nor does its counter count", func(w *world) {
			bound(w)
			w.ask(proven(discover(8), auth.Option{Kind: auth.Asks, Replay: 1<<64 - 1}, ""))
			w.ask(proven(inform(8, "10.0.0.20"), auth.Option{Kind: auth.Asks, Replay: 1<<64 - 1}, ""))
		}, proven(renewing(8, "10.0.0.20"), keyed(1, 51), net), "DHCPACK"},
		{"5.6.2: a client with a key of its own", never, proven(discover(9), asks, ""), "DHCPOFFER"},
		{"5.5.1: DISCOVER that does not", never, discover(8), unproven.String()},
		{"5.6.3: REQUEST that validates", never, proven(selecting(8, "10.0.0.20"), keyed(1, 5), net), "DHCPACK"},
		{"5.6.3: by the client's own key", never, proven(selecting(9, "10.0.0.9"), keyed(7, 5), own), "DHCPACK"},
		{"5.6.3: MUST discard what fails", never, proven(selecting(8, "10.0.0.20"), keyed(1, 5), "another"), forged.String()},
		{"5.6.3: a secret that is not known", never, proven(selecting(8, "10.0.0.20"), keyed(3, 5), net), unproven.String()},
		{"5.4: another client's key", never, proven(selecting(8, "10.0.0.20"), keyed(7, 5), own), unproven.String()},
		{"5.4: the network's where the client has its own", never, proven(selecting(9, "10.0.0.9"), keyed(1, 5), net), unproven.String()},
		{"5.6.3: a changed bit", never, flipped(proven(selecting(8, "10.0.0.20"), keyed(1, 5), net)), forged.String()},
		{"5.6.3: no authentication", never, selecting(8, "10.0.0.20"), unproven.String()},
		{"4: a configuration token", never, selecting(8, "10.0.0.20", option(dhcp4.Authentication, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'x')), unproven.String()},
		{"3: through a relay that adds option 82", never, relayed(proven(selecting(8, "10.0.0.20"), keyed(1, 5), net)), "DHCPACK"},
		{"5.6.1: MUST discard a replay", bound, proven(selecting(8, "10.0.0.20"), keyed(1, 50), net), replayed.String()},
		{"5.6.1: and what is older", bound, proven(selecting(8, "10.0.0.20"), keyed(1, 7), net), replayed.String()},
		{"5.6.1: a counter that has grown", bound, proven(selecting(8, "10.0.0.20"), keyed(1, 51), net), "DHCPACK"},
		{"5.5.6: RELEASE that validates", bound, proven(release(8, "10.0.0.20"), keyed(1, 51), net), "commit released 10.0.0.20"},
		{"5.5.6: RELEASE that does not", bound, release(8, "10.0.0.20"), unproven.String()},
		{"DECLINE that does not", bound, decline(8, "10.0.0.20"), unproven.String()},
		{"5.6.4: INFORM that asks is answered authenticated", bound, proven(inform(8, "10.0.0.20"), asks, ""), "DHCPACK"},
		{"5.6.4: INFORM that does not, by our policy", bound, inform(8, "10.0.0.20"), unproven.String()},
		{"a NAK is authenticated, too", bound, proven(initReboot(8, "10.0.0.21"), keyed(1, 51), net), "DHCPNAK"},
		{"BOOTP proves nothing", never, from(9, dhcp4.BOOTP), unproven.String()},
		{"no replay counter yet", func(w *world) { w.srv.CountFrom(0, 0) }, proven(discover(8), asks, ""), uncounted.String()},
	} {
		w := newKeyed(t)
		x.before(w)
		w.srv.counts = Counts{}
		a := w.ask(x.msg)
		got := a.did
		for why, n := range w.srv.counts {
			if n > 0 {
				got = reason(why).String()
			}
		}
		if a.reply != nil {
			got = a.reply.Type().String()
			id, secret := uint32(1), net
			if x.msg.Chaddr[5] == 9 {
				id, secret = 7, own
			}
			o := auth.Of(a.reply)
			if o.Kind != auth.Keyed || o.ID != id || o.Replay < 100 || !auth.Check(a.reply.Wire, []byte(secret)) {
				t.Errorf("RFC 3118 %s: the reply has %+v", x.name, o)
			}
			if a.reply.Options.Has(dhcp4.ForceRenewNonce) {
				t.Errorf("RFC 6704 3.1, %s: nonce and key", x.name)
			}
		}
		if got != x.want {
			t.Errorf("RFC 3118 %s: %s, want %s", x.name, got, x.want)
		}
	}
}

// relayed passes a message through a relay that adds option 82.
func relayed(m *dhcp4.Message) *dhcp4.Message {
	b, _ := dhcp4.AppendAgent(nil, m.Wire, []byte{1, 4, 'p', 'o', 'r', 't'}, 576)
	dhcp4.PutRelay(b, 4, ip("10.0.0.254"))
	got := new(dhcp4.Message)
	if err := got.Parse(b); err != nil {
		panic(err)
	}
	return got
}

// The counter of each message that proved itself is kept in the record (RFC
// 3118 section 5.6.1), the replies' counters grow, and -w works by the key.
func TestF5_Counters(t *testing.T) {
	w := newKeyed(t)
	const net = "the network's"
	last := uint64(0)
	for n := uint64(1); n < 5; n++ {
		m := selecting(8, "10.0.0.20")
		if n > 1 {
			m = renewing(8, "10.0.0.20")
			w.sentTo("10.0.0.1")
		}
		a := w.ask(proven(m, auth.Option{Kind: auth.Keyed, ID: 1, Replay: 10 * n}, net))
		if a.record == nil || a.record.Counter != 10*n || a.lazy != (n > 1) {
			t.Fatalf("message %d: %s, %+v", n, a.did, a.record)
		}
		if o := auth.Of(a.reply); o.Replay <= last {
			t.Errorf("message %d: replay counter %d after %d", n, o.Replay, last)
		} else {
			last = o.Replay
		}
	}
	if !w.table.At(ip("10.0.0.20")).Rousable() {
		t.Error("not to be woken")
	}
	w.rouse("10.0.0.20")
	a, did := w.force()
	if o := auth.Of(a.reply); o.Kind != auth.Keyed || o.ID != 1 || o.Replay <= last || !auth.Check(a.reply.Wire, []byte(net)) {
		t.Errorf("%s: %+v", did, o)
	}
	rel := proven(release(8, "10.0.0.20"), auth.Option{Kind: auth.Keyed, ID: 1, Replay: 90}, net)
	if a := w.ask(rel); a.record == nil || a.record.Counter != 90 {
		t.Errorf("RELEASE: %+v", a.record)
	}
}

// Clients without options 145 and 90 cost nothing more.
func TestF3_NoAllocation(t *testing.T) {
	w := newForce(t, house, "10.0.0.20")
	w.bind(9, "10.0.0.20")
	w.sentTo("10.0.0.1")
	m := renewing(9, "10.0.0.20", able)
	w.ask(m)
	if n := testing.AllocsPerRun(100, func() { w.srv.Decide(w.now, w.cfg, &w.site, w.table, m) }); n > 0 {
		t.Errorf("%v allocations for a client with a nonce", n)
	}
}

// BenchmarkF1_Differs is what a look at one lease costs when the file changed.
func BenchmarkF1_Differs(b *testing.B) {
	w := newForce(b, house, "10.0.0.20")
	w.nonced()
	old := w.cfg
	w.configure(house + `client 2:0:0:0:0:8 10.0.0.8;`)
	e := w.table.At(ip("10.0.0.20"))
	b.ReportAllocs()
	for b.Loop() {
		if w.srv.Differs(w.now, old, w.cfg, w.table, e) {
			b.Fatal("it differs")
		}
	}
}
