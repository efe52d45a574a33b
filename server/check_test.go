package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

// hwOf is the hardware address of client n.
func hwOf(n byte) pool.HW { return pool.HW{Type: 1, Len: 6, Addr: [16]byte{2, 0, 0, 0, 0, n}} }

// heard gives the server the answer of the wire about a: client n has it, 0
// for nobody.
func (w *world) heard(a string, n byte) answer {
	o := Outcome{Addr: ip(a), Heard: n != 0}
	if n != 0 {
		o.HW = hwOf(n)
	}
	return w.outcome(o)
}

func (w *world) outcome(o Outcome) (a answer) {
	var did []string
	actions := w.srv.Checked(w.now, w.cfg, &w.site, w.table, o)
	for i := range actions {
		did = append(did, w.apply(&actions[i], &a))
	}
	a.did = strings.Join(did, "; ")
	return a
}

// sweep calls Sweep when its time has come, for as long as given, and returns
// what was checked, with the minutes that had passed.
func (w *world) sweep(d time.Duration) string {
	var did []string
	start := w.now
	for w.srv.Wake() != (time.Time{}) && !w.srv.Wake().After(start.Add(d)) {
		w.now = w.srv.Wake()
		for _, x := range w.srv.Sweep(w.now, w.cfg, w.table) {
			did = append(did, fmt.Sprintf("%s at %.0f", w.apply(&x, new(answer)), w.now.Sub(start).Minutes()))
		}
	}
	w.now = start.Add(d)
	return strings.Join(did, "; ")
}

func TestS15_Probe(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21")
	w.site.Settings.Probe = true
	const offer = "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw"
	w.want(discover(1), "check 10.0.0.20; check 10.0.0.21; drop")
	w.want(discover(1), "drop") // the questions are on their way
	w.heard("10.0.0.20", 0)
	w.want(discover(1), offer)
	w.want(discover(2), "drop") // 10.0.0.21 is not known yet
	if a := w.heard("10.0.0.21", 77); a.did != "log 10.0.0.21 is in use, though nobody has a lease on it; commit abandoned 10.0.0.21; hold 10.0.0.21" ||
		a.record.Holder != hwOf(77) || len(a.record.Decliner) > 0 {
		t.Errorf("%s: %+v", a.did, a.record)
	}
	w.want(discover(2), "drop")
	w.want(selecting(1, "10.0.0.20"), "commit bound 10.0.0.20; DHCPACK 10.0.0.20 to 10.0.0.20:68 raw")
	w.now = w.now.Add(time.Minute)
	w.want(discover(1), offer) // its own lease is not checked
	w.ask(release(1, "10.0.0.20"))
	w.now = w.now.Add(5 * time.Minute)
	w.want(discover(1), "check 10.0.0.20; drop") // that was too long ago
	if a := w.heard("10.0.0.20", 1); a.did != "" {
		t.Errorf("the client has its old address: %s", a.did)
	}
	w.want(discover(1), offer)
	w.table.Unhold(ip("10.0.0.20"))
	if a := w.ask(discover(3, requested("10.0.0.20"))); a.reply != nil {
		t.Errorf("given to another while the client has it: %s", a.did)
	}
}

// TestS15_Ahead: once it has begun, no client has to come twice.
func TestS15_Ahead(t *testing.T) {
	var members []string
	for i := range 90 {
		members = append(members, fmt.Sprintf("10.0.0.%d", 101+i))
	}
	w := newWorld(t, house, members...)
	w.site.Settings.Probe = true
	asked := 0
	hear := func(did string) {
		n := 0
		for _, f := range strings.Split(did, "; ") {
			if a, ok := strings.CutPrefix(f, "check "); ok {
				w.heard(a, 0)
				n++
			}
		}
		asked += n
	}
	first := w.ask(discover(0))
	if first.reply != nil || strings.Count(first.did, "check") != ahead {
		t.Fatalf("first: %s", first.did)
	}
	hear(first.did)
	for n := range byte(60) {
		a := w.ask(discover(n))
		if a.reply == nil {
			t.Fatalf("client %d has to wait: %s", n, a.did)
		}
		w.ask(selecting(n, a.reply.Yiaddr.String()))
		hear(a.did)
		w.now = w.now.Add(20 * time.Second)
	}
	if asked < 60 || asked > 60+ahead*8 {
		t.Errorf("%d questions for 60 clients", asked)
	}
	steady := discover(200)
	hear(w.ask(steady).did)
	if n := testing.AllocsPerRun(100, func() { w.srv.Decide(w.now, w.cfg, &w.site, w.table, steady) }); n != 0 {
		t.Errorf("%v allocations with everything checked", n)
	}
}

// TestS15_HoldersThatStay: where many use their addresses though their leases
// have ended, the others are found all the same.
func TestS15_HoldersThatStay(t *testing.T) {
	w := newWorld(t, house)
	for i := range byte(40) {
		a := ip(fmt.Sprintf("10.0.0.%d", 101+i))
		w.table.Add(a)
		w.table.Apply(&pool.Record{Addr: a, State: pool.Bound, Told: 1 + pool.Time(i), Client: pool.Client{ID: []byte{1, i}, HW: hwOf(i)}})
	}
	w.site.Settings.Probe = true
	for tries := 0; ; tries++ {
		a := w.ask(discover(99))
		if a.reply != nil {
			if a.reply.Yiaddr != ip("10.0.0.131") {
				t.Errorf("offered %v", a.reply.Yiaddr)
			}
			break
		}
		if tries > 8 {
			t.Fatalf("still nothing: %s", a.did)
		}
		for _, f := range strings.Split(a.did, "; ") {
			if x, ok := strings.CutPrefix(f, "check "); ok {
				n := ip(x).As4()[3] - 101
				w.outcome(Outcome{Addr: ip(x), Heard: n < 30, HW: hwOf(n)})
			}
		}
		w.now = w.now.Add(4 * time.Second)
	}
}

// TestP4_JumpedClock: a lease that ended while the clock jumped may still run
// for its holder.
func TestP4_JumpedClock(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20")
	w.table.Apply(&pool.Record{Addr: ip("10.0.0.20"), State: pool.Bound, Told: 1, Kept: 1,
		Client: pool.Client{ID: []byte("gone"), HW: hwOf(5)}, Extra: pool.Extra{Check: true}})
	w.want(discover(1), "check 10.0.0.20; drop")
	w.heard("10.0.0.20", 5)
	w.want(discover(1), "drop")
	gone := text(dhcp4.ClientID, "gone")
	w.want(discover(5, gone), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	w.table.Unhold(ip("10.0.0.20"))
	w.now = w.now.Add(5 * time.Minute)
	w.want(discover(1), "check 10.0.0.20; drop")
	w.heard("10.0.0.20", 0)
	w.want(discover(1), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
	if a := w.ask(selecting(1, "10.0.0.20")); a.record == nil || a.record.Check {
		t.Error("still to be checked")
	}
}

func TestS7_HolderKept(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20")
	w.bind(9, "10.0.0.20")
	w.ask(decline(9, "10.0.0.20"))
	a := w.heard("10.0.0.20", 66)
	if a.did != "commit abandoned 10.0.0.20; hold 10.0.0.20" || a.record.Holder != hwOf(66) || string(a.record.Decliner) != string(a.record.ID) {
		t.Errorf("%s: %+v", a.did, a.record)
	}
	if a := w.heard("10.0.0.20", 66); a.did != "" {
		t.Errorf("nobody had asked, but %s", a.did)
	}
	r, _ := w.table.ByAddr(ip("10.0.0.20"))
	if r.Since != pool.Time(w.now.Unix()) || r.Last != r.Since {
		t.Errorf("since %d, last %d", r.Since, r.Last)
	}
}

func TestS7_Quota(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21", "10.0.0.22", "10.0.0.23", "10.0.0.24")
	refuse := func(a, did string) {
		t.Helper()
		w.now = w.now.Add(time.Minute)
		w.ask(selecting(9, a))
		w.want(decline(9, a), did)
	}
	for _, a := range fields("10.0.0.20 10.0.0.21 10.0.0.22") {
		refuse(a, "log 01020000000009 declines "+a+"; commit abandoned "+a+"; check "+a)
	}
	refuse("10.0.0.23", "drop; check 10.0.0.23")
	if n := w.count(declineOften); n != 1 {
		t.Errorf("counted %d", n)
	}
	if a := w.heard("10.0.0.23", 0); a.did != "" {
		t.Errorf("nobody answers, but %s", a.did)
	}
	refuse("10.0.0.23", "drop; check 10.0.0.23")
	if a := w.heard("10.0.0.23", 9); a.did != "" {
		t.Errorf("only the client answers, but %s", a.did)
	}
	refuse("10.0.0.23", "drop; check 10.0.0.23")
	a := w.heard("10.0.0.23", 66)
	if a.did != "log 01020000000009 declines 10.0.0.23; commit abandoned 10.0.0.23; hold 10.0.0.23" || a.record.Holder != hwOf(66) || len(a.record.Decliner) != 7 {
		t.Errorf("confirmed: %s: %+v", a.did, a.record)
	}
	w.now = w.now.Add(time.Hour)
	refuse("10.0.0.24", "log 01020000000009 declines 10.0.0.24; commit abandoned 10.0.0.24; check 10.0.0.24")
	w = newWorld(t, house, "10.0.0.20") // a stranger has a quota of his own, but nothing to decline
	w.bind(1, "10.0.0.20")
	w.want(decline(9, "10.0.0.20"), "drop")
}

func TestS7_Probation(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20")
	if w.srv.Sweep(w.now, w.cfg, w.table); !w.srv.Wake().IsZero() {
		t.Error("awake for nothing")
	}
	w.bind(9, "10.0.0.20")
	w.ask(decline(9, "10.0.0.20"))
	w.heard("10.0.0.20", 66)
	const c = "check 10.0.0.20 at "
	want := c + "10; " + c + "30; " + c + "70; " + c + "150; " + c + "310; " + c + "630; " + c + "1270; " + c + "2550; " + c + "3990; " + c + "5430"
	if got := w.sweep(95 * time.Hour); got != want {
		t.Errorf("probed\n%s, want\n%s", got, want)
	}
	if a := w.heard("10.0.0.20", 66); a.did != "hold 10.0.0.20" {
		t.Errorf("still in use: %s", a.did)
	}
	restarted := w.srv
	w.srv = Server{} // after a restart the times are the same
	w.srv.Sweep(w.now, w.cfg, w.table)
	if got, want := w.srv.Wake(), restarted.Wake(); !got.Equal(want) {
		t.Errorf("next at %v, want %v", got, want)
	}
	w.sweep(24 * time.Hour)
	if a := w.heard("10.0.0.20", 0); a.record == nil || a.record.State != pool.Released || len(a.record.Decliner) == 0 {
		t.Errorf("nobody answers: %s", a.did)
	}
	if got := w.sweep(96 * time.Hour); got != "" || !w.srv.Wake().IsZero() {
		t.Errorf("still probed: %s", got)
	}
	w.want(discover(1), "hold 10.0.0.20; DHCPOFFER 10.0.0.20 to 10.0.0.20:68 raw")
}

// TestS7_ProbationPace: many addresses are probed a few at a time.
func TestS7_ProbationPace(t *testing.T) {
	w := newWorld(t, house)
	for i := range 40 {
		a := ip(fmt.Sprintf("10.0.0.%d", 101+i))
		w.table.Add(a)
		w.table.Apply(&pool.Record{Addr: a, State: pool.Abandoned, Since: pool.Time(w.now.Unix())})
	}
	w.srv.Sweep(w.now, w.cfg, w.table)
	for _, want := range []int{16, 16, 8} {
		w.now = w.srv.Wake()
		if got := len(w.srv.Sweep(w.now, w.cfg, w.table)); got != want {
			t.Errorf("%d checks at once, want %d", got, want)
		}
	}
	if left := w.srv.Wake().Sub(w.now); left < 19*time.Minute || left > 20*time.Minute {
		t.Errorf("and again in %v", left)
	}
}

func TestS7_LastResort(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21", "10.0.0.22")
	for i, n := range []byte{5, 6} {
		a := fmt.Sprintf("10.0.0.2%d", i)
		w.bind(n, a)
		w.now = w.now.Add(time.Second)
		w.ask(decline(n, a))
		w.heard(a, 0)
	}
	w.now = w.now.Add(checkGood)
	w.want(discover(1), "hold 10.0.0.22; DHCPOFFER 10.0.0.22 to 10.0.0.22:68 raw")
	w.want(selecting(1, "10.0.0.22"), "commit bound 10.0.0.22; DHCPACK 10.0.0.22 to 10.0.0.22:68 raw")
	w.want(discover(2), "check 10.0.0.20; drop")
	if a := w.heard("10.0.0.20", 66); a.did != "commit abandoned 10.0.0.20; hold 10.0.0.20" {
		t.Errorf("in use: %s", a.did)
	}
	w.want(discover(2), "check 10.0.0.21; drop")
	w.want(initReboot(2, "10.0.0.21"), "drop")
	w.outcome(Outcome{Addr: ip("10.0.0.21")})
	w.want(discover(2), "hold 10.0.0.21; DHCPOFFER 10.0.0.21 to 10.0.0.21:68 raw")
	w.want(discover(3), "drop")
	a := w.want(selecting(2, "10.0.0.21"), "commit bound 10.0.0.21; DHCPACK 10.0.0.21 to 10.0.0.21:68 raw")
	if len(a.record.Decliner) > 0 || a.record.Holder != (pool.HW{}) {
		t.Errorf("record %+v", a.record)
	}
	// Behind a relay an answer is an answer, whoever gives it.
	w = newWorld(t, house, "10.0.1.20")
	w.table.Apply(&pool.Record{Addr: ip("10.0.1.20"), State: pool.Abandoned, Since: 5})
	w.want(discover(1, giaddr("10.0.1.1")), "check 10.0.1.20; drop")
	w.outcome(Outcome{Addr: ip("10.0.1.20"), Heard: true})
	w.want(discover(1, giaddr("10.0.1.1")), "drop")
}

// TestS19_LostRecord: a client that uses an address of the pool, and of which
// there is no record.
func TestS19_LostRecord(t *testing.T) {
	const ack = "commit bound 10.0.0.20; DHCPACK 10.0.0.20 to 10.0.0.20:68"
	type setting func(*world)
	authoritative := func(w *world) { w.site.Settings.Authoritative = true }
	lost := func(ago time.Duration) setting { return func(w *world) { w.srv.RecordsLost(w.now.Add(-ago)) } }
	for _, c := range []struct {
		name   string
		set    setting
		to     string
		mods   []mod
		wire   byte // who answers, 0 nobody
		did    string
		result string
	}{
		{"no reason to believe it", func(*world) {}, "10.0.0.1", nil, 0, "drop", ""},
		{"authoritative, renewing", authoritative, "10.0.0.1", nil, 0, "check 10.0.0.20; drop", ack},
		{"authoritative, rebinding", authoritative, "255.255.255.255", nil, 0, "check 10.0.0.20; drop", ack},
		{"the client itself answers", authoritative, "10.0.0.1", nil, 9, "check 10.0.0.20; drop", ack},
		{"somebody else answers", authoritative, "10.0.0.1", nil, 66, "check 10.0.0.20; drop", "drop"},
		{"records were lost", lost(time.Minute), "10.0.0.1", nil, 0, "check 10.0.0.20; drop", ack},
		{"a lease time ago", lost(time.Hour), "10.0.0.1", nil, 0, "drop", ""},
	} {
		w := newWorld(t, house, "10.0.0.20", "10.0.0.21").sentTo(c.to)
		c.set(w)
		w.want(renewing(9, "10.0.0.20", c.mods...), c.did)
		if c.result == "" {
			continue
		}
		w.sentTo("255.255.255.255") // something else has come meanwhile
		if got := w.heard("10.0.0.20", c.wire); got.did != c.result {
			t.Errorf("%s: %s, want %s", c.name, got.did, c.result)
		}
		if got := w.heard("10.0.0.20", c.wire); got.reply != nil {
			t.Errorf("%s: answered twice", c.name)
		}
	}
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21").sentTo("10.0.0.1")
	authoritative(w)
	w.bind(1, "10.0.0.20")
	w.want(renewing(9, "10.0.0.20"), "drop") // someone has it
	w.want(renewing(9, "10.0.0.77"), "drop") // not of the pool
	w.want(renewing(9, "10.0.0.21"), "check 10.0.0.21; drop")
	w.want(renewing(8, "10.0.0.21"), "drop") // the later one is answered
	if a := w.heard("10.0.0.21", 8); a.record == nil || a.record.HW != hwOf(8) {
		t.Errorf("granted: %s", a.did)
	}
}

// TestS19_AskedBefore: the address was being checked for an OFFER when its
// lost holder spoke up.
func TestS19_AskedBefore(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20").sentTo("10.0.0.1")
	w.site.Settings.Authoritative, w.site.Settings.Probe = true, true
	w.want(discover(1), "check 10.0.0.20; drop")
	w.want(renewing(9, "10.0.0.20"), "drop")
	if a := w.heard("10.0.0.20", 9); a.did != "commit bound 10.0.0.20; DHCPACK 10.0.0.20 to 10.0.0.20:68" {
		t.Error(a.did)
	}
}

func TestCheck_Bounded(t *testing.T) {
	w := newWorld(t, house)
	w.site.Settings.Authoritative = true
	ask := func(i int) int {
		a := ip(fmt.Sprintf("10.0.%d.%d", i/200, 1+i%200))
		w.table.Add(a)
		return len(w.srv.Decide(w.now, w.cfg, &w.site, w.table, renewing(9, a.String(), giaddr("10.0.255.1"))))
	}
	w.configure(`host 10.0.0.0/16 { DHCPlease 600; };`)
	for i := range checksMost + 100 {
		ask(i)
	}
	if len(w.srv.checks) != checksMost || len(w.srv.waiting) > mostWaiting {
		t.Errorf("%d checks, %d requests waiting", len(w.srv.checks), len(w.srv.waiting))
	}
	w.now = w.now.Add(checkGood)
	if ask(checksMost+50) < 2 || len(w.srv.checks) > 1 {
		t.Errorf("%d checks remembered that are over", len(w.srv.checks)-1)
	}
	if a := w.outcome(Outcome{Addr: ip("10.0.0.1"), Heard: true}); a.did != "" {
		t.Errorf("an outcome that came too late: %s", a.did)
	}
}
