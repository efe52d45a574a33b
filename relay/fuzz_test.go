package relay

import (
	"bytes"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// fuzzed makes a relay out of a number.
func fuzzed(how uint16) *world {
	set := Settings{Servers: ips("10.0.0.1 10.0.1.9 192.0.2.1"), Hops: int(how & 15)}
	bit := func(n int) bool { return how>>n&1 != 0 }
	if bit(4) {
		set.Circuit = []byte("eth1")
	}
	if bit(5) {
		set.Remote = bytes.Repeat([]byte("r"), 100)
	}
	set.Trusted, set.Select, set.Override, set.Flags, set.Routes = bit(6), bit(7), bit(8), bit(9), bit(10)
	if bit(11) {
		set.Fallback = time.Second
	}
	w := newWorld(set)
	if bit(12) {
		w.net.Limit = 350
	}
	return w
}

func seed(f *testing.F) {
	agent := option(dhcp4.RelayAgent, circuit)
	for _, b := range [][]byte{
		request(dhcp4.Discover), request(dhcp4.Discover, agent), request(dhcp4.Request, giaddr("10.9.9.9"), agent),
		request(dhcp4.Release, ciaddr("10.0.1.100")), request(dhcp4.Discover, hops(16)), request(dhcp4.BOOTP),
		reply(dhcp4.Offer), reply(dhcp4.ACK, agent), reply(dhcp4.NAK, flags(0x8000), agent), reply(dhcp4.ForceRenew),
		append(request(dhcp4.Discover)[:243], 12, 3, 'a', 'b', 'c'), make([]byte, 300),
		reply(dhcp4.ACK, option(43, string(make([]byte, 700))), agent),
	} {
		for _, how := range []uint16{0, 0x10, 0x3f0, 0x1ff0, 0xffff} {
			f.Add(b, how)
		}
	}
}

// FuzzUp: whatever comes in, what goes out is the same but for what R1 and R4
// let a relay change.
func FuzzUp(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte, how uint16) {
		m := new(dhcp4.Message)
		if err := m.Parse(b); err != nil && !Passes(err) {
			return
		}
		w, before := fuzzed(how), bytes.Clone(b)
		p := &Packet{Msg: m, Data: b, From: ip("10.0.1.5"), To: [...]netip.Addr{dhcp4.Everyone, ip("10.0.1.1")}[how>>13&1]}
		first, had := m.Giaddr.IsUnspecified(), m.Options.Has(dhcp4.RelayAgent)
		for _, a := range w.Up(w.now, w.net, w.table, p) {
			if a.Verb != act.Send {
				continue
			}
			switch out := a.Octets; {
			case int(m.Hops) > w.net.hops() || first && had && !w.net.Trusted || !first && w.net.Ours(m.Giaddr):
				t.Fatalf("relayed: %s", m.Line(nil))
			case a.To.Addr == ip("10.0.1.9") || a.To.Port != 67 || a.To.Raw:
				t.Fatalf("sent to %+v", a.To)
			case out[3] != b[3]+1 || !bytes.Equal(out[:3], b[:3]) || !bytes.Equal(out[4:24], b[4:24]) || !bytes.Equal(out[28:236], b[28:236]):
				t.Fatalf("another header:\n%x\n%x", b[:236], out[:236])
			case !first:
				if !bytes.Equal(out[24:], b[24:]) {
					t.Fatalf("more than hops has changed:\n%x\n%x", b, out)
				}
			default:
				checkFirst(t, w, p, out, had)
			}
		}
		if !bytes.Equal(b, before) {
			t.Fatal("the packet itself has changed")
		}
	})
}

// checkFirst checks what the first relay may change.
func checkFirst(t *testing.T, w *world, p *Packet, out []byte, had bool) {
	t.Helper()
	b := p.Data
	g := netip.AddrFrom4([4]byte(out[24:]))
	if g != ip("10.0.1.1") && (g != ip("10.0.0.2") || !w.net.Select) {
		t.Fatalf("giaddr %v", g)
	}
	if len(out) > max(len(b), w.net.limit()) {
		t.Fatalf("%d octets have become %d", len(b), len(out))
	}
	if bytes.Equal(out[236:], b[236:]) {
		if g != ip("10.0.1.1") || len(out) != len(b) {
			t.Fatalf("giaddr %v without option 82", g)
		}
		return
	}
	got := new(dhcp4.Message)
	if err := got.Parse(out); err != nil && err != dhcp4.ErrType {
		t.Fatal(err)
	}
	agent := got.Options.Get(dhcp4.RelayAgent)
	if had || !w.net.adds() || !w.net.isOwn(agent) {
		t.Fatalf("option 82: %x", agent)
	}
	got.Options.Del(dhcp4.RelayAgent)
	sameOptions(t, &got.Options, &p.Msg.Options)
	if g == ip("10.0.0.2") {
		if v, err := dhcp4.SubOption(agent, dhcp4.LinkSelection); err != nil || string(v) != here {
			t.Fatalf("link selection %x, %v", v, err)
		}
	}
}

func sameOptions(t *testing.T, got, want *dhcp4.Options) {
	t.Helper()
	if got.Len() != want.Len() {
		t.Fatalf("options %v, want %v", got.Codes(), want.Codes())
	}
	for c, v := range want.All() {
		if !bytes.Equal(got.Get(c), v) {
			t.Fatalf("option %d is %x, want %x", c, got.Get(c), v)
		}
	}
}

// FuzzDown: whatever comes in, what goes out is the same but for option 82.
func FuzzDown(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte, how uint16) {
		m := new(dhcp4.Message)
		if err := m.Parse(b); err != nil && !Passes(err) {
			return
		}
		w, before := fuzzed(how), bytes.Clone(b)
		var nets Nets
		nets.Reset([]*Network{w.net, newNetwork("eth2", "10.0.1.1/32", Settings{Circuit: []byte("x")})})
		nets.Find(m)
		p := &Packet{Msg: m, Data: b, From: ip("10.0.0.1"), To: ip("10.0.1.1"), Clients: how>>13&1 != 0}
		o := w.done(w.Down(w.now, w.net, w.table, p))
		for _, to := range o.sent {
			if to.Port != 68 || to.Source != ip("10.0.1.1") || to.Addr != dhcp4.Everyone && !dhcp4.IsUnicast(to.Addr) {
				t.Fatalf("sent to %+v", to)
			}
			if bytes.Equal(o.octets, b) {
				continue
			}
			got := new(dhcp4.Message)
			if err := got.Parse(o.octets); err != nil && err != dhcp4.ErrType || !bytes.Equal(o.octets[:236], b[:236]) {
				t.Fatalf("%v:\n%x\n%x", err, b, o.octets)
			}
			if !w.net.adds() || len(o.octets) > len(b) || len(o.octets) < min(300, len(b)) {
				t.Fatalf("%d octets have become %d", len(b), len(o.octets))
			}
			if got.Options.Has(dhcp4.RelayAgent) && !m.Options.Has(dhcp4.Overload) && bytes.Contains(o.octets[240:], []byte{82}) {
				continue // in file or sname, which no relay looks at
			}
			m.Options.Del(dhcp4.RelayAgent)
			got.Options.Del(dhcp4.RelayAgent)
			sameOptions(t, &got.Options, &m.Options)
		}
		if !bytes.Equal(b, before) {
			t.Fatal("the packet itself has changed")
		}
		if r, ok := w.located("10.0.1.100"); ok && r.Via != "eth1" {
			t.Fatalf("%+v", r)
		}
	})
}
