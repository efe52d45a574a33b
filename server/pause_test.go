package server

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// pausing makes a world whose network pauses for others, with the shortest waits.
func pausing(t *testing.T) *world {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21", "10.0.1.20")
	w.site.Settings.RoguePause = true
	w.site.MAC = [6]byte{2, 0, 0, 0, 0, 1}
	w.srv.Random = func() uint64 { return 0 }
	return w
}

const (
	rogueOffers = "log Another DHCP server is on this network: 10.0.0.7; log Serving pauses, because of DHCP server 10.0.0.7"
	goesOn      = "log Serving goes on: no other DHCP server answers"
	seeks       = "DHCPDISCOVER to 255.255.255.255:67"
)

// watch lets the time come when the server looks again, and returns what it did.
func (w *world) watch() string {
	w.t.Helper()
	o, at := w.srv.Pausing()
	if o == nil || at.IsZero() || o.Index != w.site.Index {
		w.t.Fatalf("to look at %v, for %v", at, o)
	}
	w.now = at
	var did []string
	for _, x := range w.srv.Watch(w.now, w.cfg, o, &w.site) {
		did = append(did, w.apply(&x, new(answer)))
	}
	return strings.Join(did, "; ")
}

// paused returns the others for whose sake a network is not served.
func (w *world) paused() (list []Other) {
	for _, o := range w.srv.Others() {
		if !o.Paused.IsZero() {
			list = append(list, o)
		}
	}
	return list
}

func (w *world) rogue(t dhcp4.Type) string {
	return w.overheard("10.0.0.7", t, serverID("10.0.0.7"))
}

// TestS18_PauseAndResume: what another server answers pauses us, but for its
// ACKs; three questions without an answer, and we go on.
func TestS18_PauseAndResume(t *testing.T) {
	w := pausing(t)
	if got := w.rogue(dhcp4.ACK); strings.Contains(got, "pauses") {
		t.Errorf("after an ACK: %q", got)
	}
	w.want(discover(9), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	began := w.now
	if got, want := w.rogue(dhcp4.Offer), "log Serving pauses, because of DHCP server 10.0.0.7"; got != want {
		t.Errorf("after an OFFER: %q", got)
	}
	w.want(discover(9), "drop")
	for range 2 {
		if got := w.watch() + w.watch(); got != seeks+seeks {
			t.Errorf("asked: %q", got)
		}
		if got := w.rogue(dhcp4.Offer); got != "" {
			t.Errorf("its answer: %q", got)
		}
		w.want(discover(9), "drop")
	}
	p := w.paused()
	if len(p) != 1 || p[0].Addr != ip("10.0.0.7") || p[0].HW != [6]byte{2, 5} || p[0].Paused != began || p[0].If != "eth0" {
		t.Errorf("paused: %v, since %v", p, began)
	}
	asked := w.now
	for _, want := range []string{seeks, seeks, seeks, goesOn} {
		w.want(discover(9), "drop")
		if got := w.watch(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if spent := w.now.Sub(asked); spent != 3*pauseGap+pauseAnswer {
		t.Errorf("%v without an answer", spent)
	}
	w.want(discover(9), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	if o, _ := w.srv.Pausing(); o != nil || len(w.paused()) != 0 {
		t.Errorf("to look again for %v", o)
	}
	if got, want := w.rogue(dhcp4.NAK), "log Serving pauses, because of DHCP server 10.0.0.7"; got != want {
		t.Errorf("after a NAK: %q", got)
	}
	if c := w.srv.Counts(); c[pauses] != 2 || c[yielding] != 7 {
		t.Errorf("counted %d pauses, %d messages", c[pauses], c[yielding])
	}
}

// TestS18_Question: the DISCOVER looks like any client's, and the answer to it
// is for all to hear.
func TestS18_Question(t *testing.T) {
	w := pausing(t)
	w.rogue(dhcp4.Offer)
	w.srv.Random = func() uint64 { return uint64(pauseGap) - 1 | 0x77 }
	o, at := w.srv.Pausing()
	a := w.srv.Watch(at, w.cfg, o, &w.site)[0]
	m := a.Msg
	if mac, ok := m.Ether(); !ok || mac != w.site.MAC || m.Flags != dhcp4.Broadcast || m.Xid == 0 || m.Op != dhcp4.BootRequest ||
		a.To.Source != netip.IPv4Unspecified() || a.To.Raw || m.Type() != dhcp4.Discover {
		t.Errorf("%s; to %v", m.Dump(nil, dhcp4.Builtin()), a.To)
	}
	if _, next := w.srv.Pausing(); next.Sub(at) < pauseGap+pauseGap/2 || next.Sub(at) >= 2*pauseGap {
		t.Errorf("seeks again after %v", next.Sub(at))
	}
}

// TestS18_WhoIsServedInPause: those who have a lease from us, and those behind
// relays; nobody is refused anything.
func TestS18_WhoIsServedInPause(t *testing.T) {
	w := pausing(t)
	w.bind(9, "10.0.0.20")
	w.want(discover(0x99), "DHCPOFFER 10.0.0.99 to 10.0.0.99:68 raw")
	w.want(selecting(0x99, "10.0.0.99"), "commit fixed 10.0.0.99; DHCPACK 10.0.0.99 to 10.0.0.99:68 raw")
	w.want(discover(8), "hold 10.0.0.21; DHCPOFFER 10.0.0.21 to 10.0.0.21:68 raw")
	w.want(from(8, dhcp4.Request, serverID("10.0.0.7"), requested("10.0.0.77")), "unhold 10.0.0.21; drop; "+rogueOffers)
	for _, c := range []struct {
		name string
		m    *dhcp4.Message
		did  string
	}{
		{"a new client", discover(7), "drop"},
		{"one with a lease that starts over", discover(9), "drop"},
		{"a client entry's", discover(0x99), "drop"},
		{"who takes an OFFER from before", selecting(8, "10.0.0.21"), "drop"},
		{"another client's address", initReboot(8, "10.0.0.20"), "drop"},
		{"BOOTP", from(0x99, dhcp4.BOOTP), "drop"},
		{"a stranger's INFORM", inform(6, "10.0.0.66"), "drop"},
		{"the other server's client", renewing(6, "10.0.0.66"), "drop"},
		{"an address elsewhere", initReboot(9, "10.9.9.9"), "drop"},
		{"who comes back", initReboot(9, "10.0.0.20"), "commit bound 10.0.0.20; DHCPACK 10.0.0.20 to 10.0.0.20:68 raw"},
		{"who rebinds", renewing(9, "10.0.0.20"), "commit bound 10.0.0.20; DHCPACK 10.0.0.20 to 10.0.0.20:68"},
		{"a client entry's that rebinds", renewing(0x99, "10.0.0.99"), "commit fixed 10.0.0.99; DHCPACK 10.0.0.99 to 10.0.0.99:68"},
		{"its INFORM", inform(9, "10.0.0.20"), "DHCPACK to 10.0.0.20:68"},
		{"behind a relay", discover(7, giaddr("10.0.1.1")), "hold 10.0.1.20; DHCPOFFER 10.0.1.20 to 10.0.1.1:67"},
		{"refused behind a relay", initReboot(7, "10.9.9.9", giaddr("10.0.1.1")), "refuse; DHCPNAK to 10.0.1.1:67"},
		{"who goes", release(9, "10.0.0.20"), "commit released 10.0.0.20"},
		{"and comes back", initReboot(9, "10.0.0.20"), "drop"},
	} {
		if got := w.ask(c.m).did; got != c.did {
			t.Errorf("%s: %s, want %s", c.name, got, c.did)
		}
	}
	w.sentTo("10.0.0.1").want(renewing(0x99, "10.0.0.99"), "commit fixed 10.0.0.99; DHCPACK 10.0.0.99 to 10.0.0.99:68")
	w.configure(strings.ReplaceAll(house, "10.0.0.99", "10.0.0.98")) // it is to move: but not now
	w.want(renewing(0x99, "10.0.0.99"), "drop")
}

// TestS18_PauseEnds: with the option, the network or the interface.
func TestS18_PauseEnds(t *testing.T) {
	const offer = "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw"
	w := pausing(t)
	w.rogue(dhcp4.Offer)
	second := w.site
	second.If, second.Index = "eth1", 3
	w.site = second
	w.want(discover(9), offer) // another network
	w.rogue(dhcp4.Offer)
	w.want(discover(9), "drop")
	if n := len(w.paused()); n != 2 {
		t.Fatalf("%d networks paused", n)
	}
	w.srv.Watch(w.now, w.cfg, &w.srv.others[0], nil)
	if p := w.paused(); len(p) != 1 || p[0].If != "eth1" {
		t.Errorf("left: %v", p)
	}
	w.site.Settings.RoguePause = false
	w.want(discover(9), offer)
	if got := w.watch(); got != "" || len(w.paused()) > 0 {
		t.Errorf("did %q, left %v", got, w.paused())
	}
}

// TestS18_ManyOthers: who fills up the list of servers that are reported does
// not keep us from seeing the next one.
func TestS18_ManyOthers(t *testing.T) {
	w := pausing(t)
	w.site.Settings.RoguePause = false
	for a := ip("10.9.0.1"); len(w.srv.Others()) < mostOthers; a = a.Next() {
		w.overheard(a.String(), dhcp4.Offer)
	}
	w.site.Settings.RoguePause = true
	if got, want := w.overheard("10.0.0.7", dhcp4.Offer), "log Serving pauses, because of DHCP server 10.0.0.7"; got != want {
		t.Errorf("did %q", got)
	}
	w.want(discover(9), "drop")
	if got := w.overheard("10.0.0.8", dhcp4.Offer); got != "" {
		t.Errorf("and another one: %q", got)
	}
	w.want(discover(9), "drop")
	w.site.Index++
	if got := w.overheard("10.0.0.8", dhcp4.Offer); got != "log Serving pauses, because of DHCP server 10.0.0.8" || w.paused()[0].Index != w.site.Index {
		t.Errorf("on another network: %q, %v", got, w.paused())
	}
}

// TestS18_TwoThatPause: of two servers that both pause for the other, one is
// soon back, and the other one leaves the network to it, for good, whatever the
// waits. It comes back when that one goes.
func TestS18_TwoThatPause(t *testing.T) {
	for seed := range uint64(200) {
		q := newQuarrel(t, seed)
		for q.now = q.now.Add(time.Second); ; q.now = q.now.Add(time.Second) {
			served := q.second()
			if served && q.serving(0) != q.serving(1) && q.now.Sub(q.calm) > 10*time.Minute {
				break
			}
			if q.now.Sub(q.began) > 2*time.Hour {
				t.Fatalf("seed %d: no peace after %v", seed, q.now.Sub(q.began))
			}
		}
		if took := q.calm.Sub(q.began); took > 10*time.Minute {
			t.Errorf("seed %d: peace after %v", seed, took)
		}
		for i := range q.two {
			if q.serving(i) {
				q.dead[i] = true
				left := q.now
				for !q.serving(1 - i) {
					q.now = q.now.Add(time.Second)
					q.second()
					if q.now.Sub(left) > 2*time.Minute {
						t.Fatalf("seed %d: nobody stepped in", seed)
					}
				}
				break
			}
		}
	}
}

// quarrel is two servers on one wire, and clients that now and then start.
type quarrel struct {
	t           *testing.T
	two         [2]*world
	dead        [2]bool
	random      *rand.Rand
	began, calm time.Time // calm: when a pause last began or ended
	now         time.Time
}

func newQuarrel(t *testing.T, seed uint64) *quarrel {
	q := &quarrel{t: t, random: rand.New(rand.NewPCG(seed, 1))}
	for i := range q.two {
		w := pausing(t)
		w.srv.Random = q.random.Uint64
		if i == 1 {
			w.site.Addrs = []netip.Prefix{netip.MustParsePrefix("10.0.0.2/24")}
			w.site.MAC[5] = 2
		}
		for a := ip("10.0.0.100"); a != ip("10.0.0.200"); a = a.Next() {
			w.table.Add(a)
		}
		w.configure(house)
		q.two[i] = w
	}
	q.now = q.two[0].now
	q.began, q.calm = q.now, q.now
	return q
}

func (q *quarrel) serving(i int) bool { return !q.dead[i] && len(q.two[i].paused()) == 0 }

// second lets a second pass, and tells whether a client got an OFFER. Clients
// ask for broadcasts, so that each hears what the other one says.
func (q *quarrel) second() (served bool) {
	before := [2]bool{q.serving(0), q.serving(1)}
	for i, w := range q.two {
		w.now = q.now
		o, at := w.srv.Pausing()
		if q.dead[i] || o == nil || q.now.Before(at) {
			continue
		}
		for _, x := range w.srv.Watch(q.now, w.cfg, o, &w.site) {
			if x.Msg != nil {
				m := new(dhcp4.Message)
				b, _ := x.Msg.Append(nil, dhcp4.MinLimit)
				if err := m.Parse(b); err != nil {
					q.t.Fatal(err)
				}
				q.ask(m, i)
			}
		}
	}
	if q.random.IntN(20) == 0 {
		served = q.ask(discover(byte(q.random.IntN(90)), flagged()), -1)
	}
	if before != [2]bool{q.serving(0), q.serving(1)} {
		q.calm = q.now
	}
	return served
}

// ask has all but one hear a DISCOVER, and the others the answers to it.
func (q *quarrel) ask(m *dhcp4.Message, but int) (served bool) {
	var offers [2]*dhcp4.Message
	for i, w := range q.two {
		if i != but && !q.dead[i] {
			offers[i] = w.ask(m).reply
		}
	}
	for i, o := range offers {
		if o == nil {
			continue
		}
		served = true
		if w := q.two[1-i]; !q.dead[1-i] {
			for _, x := range w.srv.Heard(q.now, w.cfg, &w.site, w.table, q.two[i].site.Addrs[0].Addr(), q.two[i].site.MAC, o) {
				w.apply(&x, new(answer))
			}
		}
	}
	return served
}
