package server

import (
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

func TestS12_LeaseTime(t *testing.T) {
	const none = ^uint32(0) - 1
	for _, c := range []struct {
		name   string
		config string
		mods   []mod
		want   uint32
		t1, t2 uint32
	}{
		{"the config's", "DHCPlease 3600;", nil, 3600, none, none},
		{"infinite", "DHCPlease 0xFFFFFFFF;", nil, dhcp4.Infinite, none, none},
		{"shorter asked for", "DHCPlease 3600;", asks(600), 600, none, none},
		{"longer asked for", "DHCPlease 3600;", asks(7200), 3600, none, none},
		{"infinite asked for", "DHCPlease 3600;", asks(dhcp4.Infinite), 3600, none, none},
		{"shorter than infinite asked for", "DHCPlease 0xFFFFFFFF;", asks(600), 600, none, none},
		{"too short asked for", "DHCPlease 3600;", asks(5), 60, none, none},
		{"too short asked for, the config's is shorter", "DHCPlease 30;", asks(5), 30, none, none},
		{"0 asked for", "DHCPlease 3600;", asks(0), 3600, none, none},
		{"malformed", "DHCPlease 3600;", []mod{option(dhcp4.LeaseTime, 0, 60)}, 3600, none, none},
		{"T1, T2", "DHCPlease 3600; DHCPrenewal 900; DHCPrebinding 2700;", nil, 3600, 900, 2700},
		{"T2 not below the lease", "DHCPlease 3600; DHCPrenewal 900; DHCPrebinding 3600;", nil, 3600, 900, none},
		{"T2 not below the lease asked for", "DHCPlease 3600; DHCPrenewal 900; DHCPrebinding 2700;", asks(1000), 1000, 900, none},
		{"neither below the lease asked for", "DHCPlease 3600; DHCPrenewal 900; DHCPrebinding 2700;", asks(900), 900, none, none},
	} {
		w := newWorld(t, "host 10.0.0.0/24 {"+c.config+"};", "10.0.0.20")
		for _, m := range []*dhcp4.Message{discover(9, c.mods...), selecting(9, "10.0.0.20", c.mods...)} {
			a := w.ask(m)
			if a.reply == nil {
				t.Fatalf("%s: %s", c.name, a.did)
			}
			for code, want := range map[dhcp4.Code]uint32{
				dhcp4.LeaseTime: c.want, dhcp4.RenewalTime: c.t1, dhcp4.RebindingTime: c.t2,
			} {
				got, err := a.reply.Options.Uint32(code)
				if err != nil {
					got = none
				}
				if got != want {
					t.Errorf("%s, %v: option %d is %d, want %d", c.name, a.reply.Type(), code, got, want)
				}
			}
		}
	}
}

func asks(t uint32) []mod { return []mod{seconds(dhcp4.LeaseTime, t)} }

// TestS10_ClassWithoutLease: the config takes the lease time away from some
// clients only.
func TestS10_ClassWithoutLease(t *testing.T) {
	w := newWorld(t, `host 10.0.0.0/24 { DHCPlease 600; class guest { no DHCPlease; }; };`, "10.0.0.20")
	w.want(discover(9, text(dhcp4.ClassID, "guest 1")), "drop")
	w.bind(9, "10.0.0.20")
}

// TestS12_EntryWithoutLease: a client entry needs no lease time: it is for
// ever.
func TestS12_EntryWithoutLease(t *testing.T) {
	w := newWorld(t, `client 2:0:0:0:0:9 10.0.0.9 { netmask /24; };`)
	a := w.want(selecting(9, "10.0.0.9"), "commit fixed 10.0.0.9; DHCPACK 10.0.0.9 to 10.0.0.9:68 raw")
	if got, _ := a.reply.Options.Uint32(dhcp4.LeaseTime); got != dhcp4.Infinite {
		t.Errorf("lease time %d", got)
	}
	if a.record.Told != pool.Infinite || a.record.Kept != pool.Infinite {
		t.Errorf("told %d, kept %d", a.record.Told, a.record.Kept)
	}
}

// TestS10_NoLease: a pool address without a lease time is not given out.
func TestS10_NoLease(t *testing.T) {
	w := newWorld(t, `host 10.0.0.0/24 { gateway 10.0.0.254; }; host 10.0.0.21 { DHCPlease 600; };`, "10.0.0.20", "10.0.0.21")
	w.want(discover(9, requested("10.0.0.20")), "hold 10.0.0.21; DHCPOFFER 10.0.0.21 to 10.0.0.21:68 raw")
	w.want(discover(8, requested("10.0.0.20")), "drop")
	w.want(selecting(8, "10.0.0.20"), nakAll)
}

// TestP5_TwoEnds: what storage promises, and when a renewal rests on it.
func TestP5_TwoEnds(t *testing.T) {
	agent := giaddr("10.0.0.7")
	circuit := func(s string) mod { return text(dhcp4.RelayAgent, "\x01\x01"+s) }
	type step struct {
		after      uint32 // seconds since the step before
		msg        *dhcp4.Message
		told, kept uint32 // seconds from now
		lazy       bool
	}
	renew := func(mods ...mod) *dhcp4.Message { return renewing(9, "10.0.0.20", mods...) }
	const ever = dhcp4.Infinite
	for _, c := range []struct {
		name, config string
		steps        []step
	}{
		{"an hour", "DHCPlease 3600;", []step{
			{0, selecting(9, "10.0.0.20"), 3600, 7200, false},
			{1800, renew(), 3600, 5400, true},
			{1800, renew(), 3600, 3600, true},
			{1800, renew(), 3600, 7200, false},
			{10, renew(), 3600, 7190, true},
		}},
		{"a week", "DHCPlease 604800;", []step{
			{0, selecting(9, "10.0.0.20"), 604800, 691200, false},
			{86400, renew(), 604800, 604800, true},
			{1, renew(), 604800, 691200, false},
		}},
		{"for ever", "DHCPlease 0xFFFFFFFF;", []step{
			{0, selecting(9, "10.0.0.20"), ever, ever, false},
			{1800, renew(), ever, ever, true},
			{0, renew(asks(600)[0]), 86400, 87000, false},
			{0, renew(), ever, ever, false},
			{64, selecting(9, "10.0.0.20", asks(600)[0]), 86400, 87000, false}, // one that is repeated
			{65, selecting(9, "10.0.0.20", asks(600)[0]), 600, 1200, false},
		}},
		{"shorter asked for", "DHCPlease 3600;", []step{
			{0, selecting(9, "10.0.0.20"), 3600, 7200, false},
			{0, renew(asks(600)[0]), 3600, 4200, false},
			{300, renew(asks(600)[0]), 3300, 3900, true},
			{2700, renew(asks(600)[0]), 600, 1200, true},
			{65, selecting(9, "10.0.0.20", asks(300)[0]), 300, 600, false},
		}},
		{"ended", "DHCPlease 3600;", []step{
			{0, selecting(9, "10.0.0.20"), 3600, 7200, false},
			{3600, selecting(9, "10.0.0.20"), 3600, 3600, true},
			{3601, selecting(9, "10.0.0.20"), 3600, 7200, false},
		}},
		{"released", "DHCPlease 3600;", []step{
			{0, selecting(9, "10.0.0.20"), 3600, 7200, false},
			{0, release(9, "10.0.0.20"), 0, 0, false},
			{0, selecting(9, "10.0.0.20"), 3600, 7200, false},
		}},
		{"option 82 and class", "DHCPlease 3600;", []step{
			{0, selecting(9, "10.0.0.20", agent, circuit("a")), 3600, 7200, false},
			{1, renew(), 3600, 7199, true},
			{1, renew(agent, circuit("a")), 3600, 7198, true},
			{1, renew(agent, circuit("b")), 3600, 7200, false},
			{1, renew(text(dhcp4.ClassID, "x")), 3600, 7200, false},
			{1, renew(text(dhcp4.ClassID, "x")), 3600, 7199, true},
			{1, renew(text(dhcp4.HostName, "nine")), 3600, 7198, true},
		}},
		{"hardware", "DHCPlease 3600;", []step{
			{0, selecting(9, "10.0.0.20", text(dhcp4.ClientID, "x")), 3600, 7200, false},
			{1, renewing(9, "10.0.0.20", text(dhcp4.ClientID, "x")), 3600, 7199, true},
			{1, renewing(8, "10.0.0.20", text(dhcp4.ClientID, "x")), 3600, 7200, false},
		}},
	} {
		w := newWorld(t, "host 10.0.0.0/24 {"+c.config+"};", "10.0.0.20").sentTo("10.0.0.1")
		for i, s := range c.steps {
			w.now = w.now.Add(time.Duration(s.after) * time.Second)
			a := w.ask(s.msg)
			if a.record == nil {
				t.Fatalf("%s, step %d: %s", c.name, i, a.did)
			}
			end := func(after uint32) pool.Time {
				if after == ever {
					return pool.Infinite
				}
				return pool.Time(w.now.Unix()) + pool.Time(after)
			}
			if a.record.Told != end(s.told) || a.record.Kept != end(s.kept) || a.lazy != s.lazy {
				now := w.now.Unix()
				t.Errorf("%s, step %d: told +%d, kept +%d, lazy %v; want +%d, +%d, %v", c.name, i,
					int64(a.record.Told)-now, int64(a.record.Kept)-now, a.lazy, s.told, s.kept, s.lazy)
			}
		}
	}
}

// TestP4_ShorterMayGetLost: a client whose lease gets shorter, as after a change
// of the config, does not hear so, and goes on by what it was told. Nobody else
// gets its address before that has ended.
func TestP4_ShorterMayGetLost(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20").sentTo("10.0.0.1")
	w.bind(1, "10.0.0.20")
	w.configure(strings.ReplaceAll(house, "3600", "60"))
	if a := w.ask(renewing(1, "10.0.0.20")); a.reply == nil {
		t.Fatal(a.did)
	}
	w.now = w.now.Add(3599 * time.Second)
	if got := w.offered(discover(2)); got != "" {
		t.Errorf("offered %s, which somebody has", got)
	}
	w.now = w.now.Add(time.Second)
	if got := w.offered(discover(2)); got != "10.0.0.20" {
		t.Errorf("offered %s", got)
	}
}

// TestP5_EntryIsSynced: a lease of the pool becomes the binding of an entry.
func TestP5_EntryIsSynced(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20")
	w.bind(9, "10.0.0.20")
	w.configure(house + `client 2:0:0:0:0:9 10.0.0.20;`)
	a := w.want(renewing(9, "10.0.0.20"), "commit fixed 10.0.0.20; DHCPACK 10.0.0.20 to 10.0.0.20:68")
	if a.lazy {
		t.Error("not synced")
	}
}

// TestS4_EndRoundedUp: the record never ends before the client's lease.
func TestS4_EndRoundedUp(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20")
	w.now = w.now.Add(time.Nanosecond)
	a := w.ask(selecting(9, "10.0.0.20"))
	if want := pool.Time(w.now.Unix() + 3601); a.record.Told != want {
		t.Errorf("told %d, want %d", a.record.Told, want)
	}
}

// TestQ3_Stored: what leasequery will want to know.
func TestQ3_Stored(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20").sentTo("10.0.0.1")
	start := pool.Time(w.now.Unix())
	const agent = "\x01\x03ge1"
	w.ask(selecting(9, "10.0.0.20", giaddr("10.0.0.7"), text(dhcp4.RelayAgent, agent),
		text(dhcp4.ClassID, "MSFT 5.0"), text(dhcp4.HostName, "nine\x00")))
	w.now = w.now.Add(100 * time.Second)
	w.ask(renewing(9, "10.0.0.20"))
	r, _ := w.table.ByAddr(ip("10.0.0.20"))
	if string(r.Agent) != agent || string(r.Class) != "MSFT 5.0" || r.Host != "nine" {
		t.Errorf("agent %x, class %q, host %q", r.Agent, r.Class, r.Host)
	}
	if r.Since != start || r.Last != pool.Time(w.now.Unix()) || r.HW != (pool.HW{Type: 1, Len: 6, Addr: [16]byte{2, 0, 0, 0, 0, 9}}) {
		t.Errorf("since +%d, last +%d, hardware address %v", r.Since-start, r.Last-start, r.HW)
	}
	w.now = w.now.Add(3600 * time.Second)
	w.bind(8, "10.0.0.20")
	if r, _ := w.table.ByAddr(ip("10.0.0.20")); r.Agent != nil || r.Class != nil || r.Host != "" || r.Since != pool.Time(w.now.Unix()) {
		t.Errorf("the next client inherits: %+v", r)
	}
}

// TestP4_HeardAgain: what the clock's jump left in doubt, its holder clears up;
// and what this version does not know of a record is kept.
func TestP4_HeardAgain(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20")
	r := *w.bind(9, "10.0.0.20").record
	r.Check, r.Unknown = true, "mood=fair"
	w.table.Apply(&r)
	a := w.ask(renewing(9, "10.0.0.20"))
	if a.record.Check || a.record.Unknown != "mood=fair" {
		t.Errorf("record %+v", a.record)
	}
}
