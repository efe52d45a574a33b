package rdisc

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

var (
	start  = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	net    = netip.MustParsePrefix("10.0.0.100/24")
	given  = netip.MustParseAddr("10.0.0.1")
	nobody netip.Addr
)

// macOf is the Ethernet address of a router.
func macOf(a netip.Addr) ether.MAC { b := a.As4(); return ether.MAC{2, 0, b[0], b[1], b[2], b[3]} }

// says makes an advertisement: "10.0.0.9 5, 10.0.0.8 3" for so many seconds.
func says(life int, list string) ether.ICMP {
	var entries []byte
	for _, e := range strings.Split(list, ", ") {
		var a string
		var preference int32
		fmt.Sscan(e, &a, &preference)
		entries = ether.AppendEntry(entries, netip.MustParseAddr(a), preference)
	}
	return ether.Advertisement(uint16(life), entries)
}

// life plays a host's life: what comes when, and what it then does.
type life struct {
	*testing.T
	Host
	now   time.Time
	sent  []int // seconds after the start when solicitations were sent
	uses  []string
	wakes int
}

// until lets time pass.
func (l *life) until(second int) {
	end := start.Add(time.Duration(second) * time.Second)
	for !l.Due.IsZero() && !l.Due.After(end) {
		if l.Due.Before(l.now) {
			l.Fatalf("due at %v, which is past", l.Due)
		}
		l.now = l.Due
		l.wakes++
		if l.Tick(l.now, rand.Uint64()) {
			l.sent = append(l.sent, int(l.now.Sub(start)/time.Second))
		}
		l.note()
	}
	l.now = end
}

// note writes down which router is used, when that has changed.
func (l *life) note() {
	s := l.Gateway().String()
	if len(l.uses) == 0 || !strings.HasSuffix(l.uses[len(l.uses)-1], " "+s) {
		l.uses = append(l.uses, fmt.Sprint(int(l.now.Sub(start)/time.Second), " ", s))
	}
}

func (l *life) bound(a netip.Addr) { l.Bound(l.now, rand.Uint64(), net, a); l.note() }

// hear has a router say something to all systems.
func (l *life) hear(seconds int, list string) {
	m := says(seconds, list)
	src := netip.MustParseAddr(strings.Fields(list)[0])
	if err := l.Hear(l.now, rand.Uint64(), &ether.Report{ICMP: m, From: macOf(src), Src: src, Dst: allSystems}); err != nil {
		l.Errorf("%s: %v", list, err)
	}
	l.note()
}

func (l *life) want(uses string, sent ...int) {
	l.Helper()
	if got := strings.Join(l.uses, ", "); got != uses {
		l.Errorf("uses %s\nwant %s", got, uses)
	}
	if !slices.Equal(l.sent, sent) {
		l.Errorf("solicitations after %v s, want %v", l.sent, sent)
	}
}

func begin(t *testing.T) *life { return &life{T: t, now: start} }

// TestI1_KeptWarm: three solicitations, and then one about twice an hour, each
// with the gateway's life begun anew.
func TestI1_KeptWarm(t *testing.T) {
	l := begin(t)
	l.bound(given)
	l.until(3 * 3600)
	l.want("0 10.0.0.1", 0, 3, 6, 1800, 3600, 5400, 7200, 9000, 10800)
	if left := l.end.Sub(l.now); left != gatewayLife {
		t.Errorf("just refreshed, and the gateway has %v left", left)
	}
	// Three solicitations and the end of waiting for an answer, and then an hour
	// takes four turns of the loop.
	if want := 4 + 2*6 - 1; l.wakes != want {
		t.Errorf("woken %d times in three hours, want %d", l.wakes, want)
	}
	l.until(3*3600 + 1700)
	l.bound(given) // the lease is extended: that is no news
	if want := start.Add(3*3600*time.Second + gatewayAgain); l.Due != want {
		t.Errorf("after a renewal due at %v, want %v", l.Due, want)
	}
	other := netip.MustParseAddr("10.0.0.2")
	l.bound(other)
	l.want("0 10.0.0.1, 12500 10.0.0.2", l.sent...)
}

// TestI1_NotRefreshed: without a carrier nothing is asked, and the gateway's
// life comes to its end. With the carrier all is as at the beginning.
func TestI1_NotRefreshed(t *testing.T) {
	l := begin(t)
	l.bound(given)
	l.until(2000)
	l.Down(l.now)
	l.until(9000)
	if l.want("0 10.0.0.1, 3848 invalid IP", 0, 3, 6, 1800); !l.Due.IsZero() {
		t.Errorf("due at %v", l.Due)
	}
	l.bound(given)
	l.until(9100)
	l.want("0 10.0.0.1, 3848 invalid IP, 9000 10.0.0.1", 0, 3, 6, 1800, 9000, 9003, 9006)
	short := begin(t)
	short.bound(given)
	short.until(1)
	short.Down(short.now)
	short.until(100)
	short.bound(given)
	short.until(200)
	short.want("0 10.0.0.1", 0, 100, 103, 106)
	short.hear(1800, "10.0.0.9 0")
	short.Down(short.now)
	short.until(300)
	short.bound(given) // it may be another network, with the same addresses
	short.until(310)
	short.want("0 10.0.0.1, 200 10.0.0.9, 300 10.0.0.1", 0, 100, 103, 106, 300, 303, 306)
}

// TestI1_Asleep: a machine that was suspended does what is due when it wakes up,
// once.
func TestI1_Asleep(t *testing.T) {
	l := begin(t)
	l.bound(given)
	l.until(100)
	l.now = start.Add(30 * time.Hour)
	if !l.Tick(l.now, 0) || l.Gateway() != given || l.end.Sub(l.now) != gatewayLife {
		t.Errorf("woken up: gateway %v for %v", l.Gateway(), l.end.Sub(l.now))
	}
	if l.Tick(l.now, 0) {
		t.Error("two solicitations at one time")
	}
}

// TestI2_NoGateway: DHCP gave none; routers are asked for, and then heard.
func TestI2_NoGateway(t *testing.T) {
	l := begin(t)
	l.bound(nobody)
	l.until(5000)
	if l.want("0 invalid IP", 0, 3, 6); !l.Due.IsZero() {
		t.Errorf("TestB6: due at %v, with nothing to be kept warm", l.Due)
	}
	l.hear(1800, "10.0.0.9 0")
	l.until(10000)
	l.want("0 invalid IP, 5000 10.0.0.9, 6800 invalid IP", 0, 3, 6, 6800, 6803, 6806)
}

// TestI2_I3_Advertised: an advertised router is preferred, nobody is asked any
// more, and the gateway is no longer kept warm; it is gone back to when the
// last advertisement's time is over.
func TestI2_I3_Advertised(t *testing.T) {
	l := begin(t)
	l.bound(given)
	l.until(4)
	for s := 4; s <= 4+600*10; s += 600 {
		l.until(s)
		l.hear(1800, "10.0.0.9 -5")
		l.bound(given) // and the lease is extended all the time
		if !l.end.IsZero() || !l.refresh.IsZero() {
			t.Fatal("the gateway is kept warm")
		}
	}
	l.until(7803)
	l.want("0 10.0.0.1, 4 10.0.0.9", 0, 3)
	l.until(9000)
	l.want("0 10.0.0.1, 4 10.0.0.9, 7804 10.0.0.1", 0, 3, 7804, 7807, 7810)
	l.until(9000 + 604)
	l.want("0 10.0.0.1, 4 10.0.0.9, 7804 10.0.0.1", 0, 3, 7804, 7807, 7810, 9604)
	l.hear(1800, "10.0.0.1 0") // the gateway itself
	l.until(30000)
	if !strings.Contains(strings.Join(l.uses, ","), "7804 10.0.0.1") || len(l.uses) != 3 {
		t.Errorf("uses %v", l.uses)
	}
}

// TestI2_Preference: of several routers the one that is preferred most, as long
// as it lives; of equals the one that is used already.
func TestI2_Preference(t *testing.T) {
	for _, tt := range []struct {
		name  string
		hears []string // of 1800 s but for those with a slash
		want  string
	}{
		{"one", []string{"10.0.0.9 0"}, "10.0.0.9"},
		{"a better one", []string{"10.0.0.9 0", "10.0.0.8 1"}, "10.0.0.8"},
		{"a worse one", []string{"10.0.0.9 0", "10.0.0.8 -1"}, "10.0.0.9"},
		{"as good", []string{"10.0.0.9 3", "10.0.0.8 3"}, "10.0.0.9"},
		{"as good, and heard first", []string{"10.0.0.8 2", "10.0.0.9 3", "10.0.0.8 3"}, "10.0.0.9"},
		{"the lowest that counts", []string{"10.0.0.9 -2147483647"}, "10.0.0.9"},
		{"not for us", []string{"10.0.0.9 -2147483648"}, "10.0.0.1"},
		{"not for us any more", []string{"10.0.0.9 7", "10.0.0.9 -2147483648"}, "10.0.0.1"},
		{"farewell", []string{"10.0.0.9 7", "0/10.0.0.9 7"}, "10.0.0.1"},
		{"farewell of a stranger", []string{"10.0.0.9 7", "0/10.0.0.8 9"}, "10.0.0.9"},
		{"farewell, with another at hand", []string{"10.0.0.9 7", "10.0.0.8 3", "0/10.0.0.9 7"}, "10.0.0.8"},
		{"one with two addresses", []string{"10.0.0.9 2, 10.0.0.7 5"}, "10.0.0.7"},
		{"preferred less by and by", []string{"10.0.0.9 5", "10.0.0.8 3", "10.0.0.9 1"}, "10.0.0.8"},
		{"addresses that no router can have", []string{
			"10.0.0.9 0, 10.0.1.9 9, 10.0.0.100 9, 10.0.0.255 9, 10.0.0.0 9, 0.0.0.0 9, 224.0.0.1 9, 255.255.255.255 9"}, "10.0.0.9"},
		{"more than we keep in mind", []string{"10.0.0.11 1", "10.0.0.12 2", "10.0.0.13 3", "10.0.0.14 4", "10.0.0.15 5",
			"10.0.0.16 6", "10.0.0.17 7", "10.0.0.18 8", "10.0.0.10 0", "10.0.0.19 9", "0/10.0.0.19 9"}, "10.0.0.18"},
	} {
		l := begin(t)
		l.bound(given)
		for _, s := range tt.hears {
			seconds := 1800
			if rest, farewell := strings.CutPrefix(s, "0/"); farewell {
				s, seconds = rest, 0
			}
			l.hear(seconds, s)
		}
		if got := l.Gateway().String(); got != tt.want {
			t.Errorf("%s: uses %s, want %s", tt.name, got, tt.want)
		}
	}
	l := begin(t)
	l.bound(given)
	l.hear(100, "10.0.0.9 9")
	l.hear(200, "10.0.0.8 8")
	l.hear(150, "10.0.0.7 7")
	l.until(1000)
	l.want("0 10.0.0.1, 0 10.0.0.9, 100 10.0.0.8, 200 10.0.0.1", 200, 203, 206)
}

// TestI2_Refused: what is not from a router on the subnet, or not for us.
func TestI2_Refused(t *testing.T) {
	good := says(1800, "10.0.0.9 0")
	bad := good
	bad.Code = 1
	addr := netip.MustParseAddr
	nine, far := addr("10.0.0.9"), says(1800, "10.0.1.9 0")
	mean := says(1800, "10.0.0.9 0, 10.0.0.100 9")
	for _, tt := range []struct {
		name     string
		src, dst netip.Addr
		m        *ether.ICMP
		ok       bool
	}{
		{"to all systems", nine, addr("224.0.0.1"), &good, true},
		{"to everybody", nine, addr("255.255.255.255"), &good, true},
		{"to us", nine, addr("10.0.0.100"), &good, true},
		{"to another host", nine, addr("10.0.0.101"), &good, false},
		{"to all routers", nine, addr("224.0.0.2"), &good, false},
		{"to the subnet", nine, addr("10.0.0.255"), &good, false},
		{"code 1", nine, addr("224.0.0.1"), &bad, false},
		{"from who is not listed", addr("10.0.0.8"), addr("224.0.0.1"), &good, false},
		{"from who is not on the subnet", addr("10.0.1.9"), addr("224.0.0.1"), &far, false},
		{"from nobody", addr("0.0.0.0"), addr("224.0.0.1"), &good, false},
		{"from ourselves", addr("10.0.0.100"), addr("224.0.0.1"), &mean, false},
	} {
		l := begin(t)
		l.bound(given)
		due := l.Due
		err := l.Hear(l.now, 0, &ether.Report{ICMP: *tt.m, From: macOf(tt.src), Src: tt.src, Dst: tt.dst})
		if (err == nil) != tt.ok || tt.ok != l.Router.Addr.IsValid() || !tt.ok && l.Due != due {
			t.Errorf("%s: %v, router %v", tt.name, err, l.Router)
		}
		if tt.ok && l.Router.MAC != macOf(tt.src) {
			t.Errorf("%s: at %x", tt.name, l.Router.MAC)
		}
	}
	small := Host{net: netip.MustParsePrefix("10.0.0.4/31")}
	two := says(9, "10.0.0.5 0")
	if err := small.Hear(start, 0, &ether.Report{ICMP: two, Src: addr("10.0.0.5"), Dst: allSystems}); err != nil {
		t.Errorf("on a subnet of two: %v", err)
	}
}

// TestI2_Delay: the first solicitation waits for up to a second, so that machines
// that are switched on together don't ask together (RFC 1256 section 5.3).
func TestI2_Delay(t *testing.T) {
	var least, most time.Duration = time.Hour, 0
	for range 1000 {
		l := begin(t)
		l.bound(given)
		d := l.Due.Sub(start)
		least, most = min(least, d), max(most, d)
	}
	if least < 0 || least > 50*time.Millisecond || most >= time.Second || most < 950*time.Millisecond {
		t.Errorf("the first solicitation comes after %v to %v", least, most)
	}
}

// TestI2_Moved: another address forgets what was known where the old one was.
func TestI2_Moved(t *testing.T) {
	l := begin(t)
	l.bound(given)
	l.hear(1800, "10.0.0.9 0")
	l.Bound(l.now, 0, netip.MustParsePrefix("10.0.1.5/24"), nobody)
	if l.Router.Addr.IsValid() || l.Gateway().IsValid() || l.left != maxSolicitations {
		t.Errorf("moved, and uses %v", l.Gateway())
	}
}

// FuzzHost: whatever happens, the host has something due in the future or
// nothing at all, and uses the gateway or a router on its subnet.
func FuzzHost(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 9, 0, 5, 4, 200, 9, 9, 9, 3, 8, 5, 1, 4, 4, 4, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		var h Host
		h.Bound(start, 0, net, given)
		for now := start; len(b) >= 4; b = b[4:] {
			switch b[0] % 5 {
			case 0:
				h.Bound(now, uint64(b[1])<<56, net, []netip.Addr{given, nobody}[b[2]%2])
			case 1:
				h.Down(now)
			case 2:
				now = now.Add(time.Duration(b[1]) * 20 * time.Second)
				h.Tick(now, uint64(b[2])<<56)
			case 3:
				src := netip.AddrFrom4([4]byte{10, 0, 0, b[1]})
				m := ether.Advertisement(uint16(b[2])*16, ether.AppendEntry(nil, src, int32(int8(b[3]))<<24))
				h.Hear(now, 0, &ether.Report{ICMP: m, From: macOf(src), Src: src, Dst: allSystems})
			case 4:
				for n := 0; due(h.Due, now); n++ {
					if h.Tick(now, 0); n > 5 {
						t.Fatalf("always something due: %+v", h)
					}
				}
			}
			if g := h.Gateway(); g.IsValid() && g != given && (!net.Contains(g) || !h.Router.Until.After(now)) {
				t.Fatalf("uses %v: %+v", g, h)
			}
		}
	})
}
