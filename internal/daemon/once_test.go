package daemon

import (
	"slices"
	"testing"
	"time"

	"dhcpd/client"
	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"

	"golang.org/x/sys/unix"
)

// TestL8_Race: when -o is over, and with which exit status.
func TestL8_Race(t *testing.T) {
	none := func(*network) {}
	bound := func(n *network) {
		n.origin, n.addr = dynamic, address("10.0.0.5/24", 100).Prefix
		n.client.Phase, n.client.Held, n.client.Lease = client.Bound, true, &act.Lease{Net: n.addr}
	}
	asking := func(n *network) { n.origin, n.client.Phase = dynamic, client.Selecting }
	fixed := func(n *network) {
		n.origin, n.addr, n.link.Carrier = static, address("10.0.0.5/24", link.Forever).Prefix, true
	}
	cut := func(n *network) { fixed(n); n.link.Carrier = false }
	dead := func(n *network) { asking(n); n.link.Carrier = false }
	for _, tt := range []struct {
		name   string
		nets   []func(*network)
		after  time.Duration // when the last network came as far as that
		at     time.Duration // when it must be over
		status int
	}{
		{"the only one", []func(*network){bound}, time.Second, time.Second + objections, 0},
		{"both", []func(*network){bound, bound}, time.Second, time.Second + objections, 0},
		{"another still asks", []func(*network){bound, asking}, time.Second, 3 * time.Second, 0},
		{"another has no carrier", []func(*network){dead, bound}, time.Second, time.Second + objections, 0},
		{"the end comes before the two seconds", []func(*network){asking, bound}, 29 * time.Second, 30 * time.Second, 0},
		{"an address of before", []func(*network){func(n *network) { n.origin, n.addr = foreign, address("10.0.0.5/24", link.Forever).Prefix }}, 0, 0, 0},
		{"a fixed address, and the link comes up late", []func(*network){fixed}, 5 * time.Second, 5 * time.Second, 0},
		{"a fixed address without a carrier", []func(*network){cut}, 0, 30 * time.Second, noCarrier},
		{"a fixed address without a carrier, and a lease", []func(*network){cut, bound}, time.Second, time.Second + objections, 0},
		{"a lease that nobody has confirmed yet", []func(*network){func(n *network) { bound(n); n.client.Phase = client.Rebooting }}, 0, 30 * time.Second, noOffer},
		{"no Ethernet", nil, 0, 30 * time.Second, noEthernet},
		{"a port of a bridge", []func(*network){func(n *network) { n.link.Port = true }}, 0, 30 * time.Second, noEthernet},
		{"no carrier", []func(*network){dead, dead}, 0, 30 * time.Second, noCarrier},
		{"no offer", []func(*network){dead, asking}, 0, 30 * time.Second, noOffer},
		{"a NAK", []func(*network){asking, func(n *network) { asking(n); n.client.Naks = 1 }}, 0, 30 * time.Second, naked},
		{"in use", []func(*network){func(n *network) { asking(n); n.client.Declines = 1 }, none}, 0, 30 * time.Second, inUse},
		{"refused", []func(*network){func(n *network) { bound(n); n.denied = true }, dead}, 0, 0, kernelRefused},
		{"one refused, one asking", []func(*network){func(n *network) { bound(n); n.denied = true }, asking}, 0, 30 * time.Second, kernelRefused},
		{"one refused, one bound", []func(*network){func(n *network) { bound(n); n.denied = true }, bound}, 0, objections, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, first, _ := newDaemon(t, "")
			d.opt.Once = 30
			var nets []*network
			for range tt.nets {
				n := &network{link: first.link}
				n.link.Carrier = true
				nets = append(nets, n)
			}
			d.order = nets
			for step := time.Duration(0); step <= tt.at; step += objections {
				d.now = start.Add(step)
				if step == tt.after {
					for i, come := range tt.nets {
						come(nets[i])
					}
				}
				d.judge()
				switch r := d.race; {
				case r.over && step != tt.at:
					t.Fatalf("over after %s", step)
				case !r.over && step == tt.at:
					t.Fatalf("not over")
				case !r.over && !r.wake.After(d.now):
					t.Fatalf("after %s nothing will wake it", step)
				case r.over && r.status != tt.status:
					t.Errorf("exit status %d, want %d", r.status, tt.status)
				}
			}
		})
	}
}

// TestL8_C4_Objection: who wins and within a moment hears that the address is
// another host's has won nothing, and may go on until the seconds are up.
func TestL8_C4_Objection(t *testing.T) {
	d, n, _ := newDaemon(t, "")
	d.opt.Once, d.order = 30, []*network{n}
	n.link.Carrier, n.origin, n.addr = true, dynamic, address("10.0.0.5/24", 100).Prefix
	n.client.Phase, n.client.Held, n.client.Lease = client.Bound, true, &act.Lease{Net: n.addr}
	d.now = start
	d.judge()
	d.now = d.now.Add(objections / 2)
	n.client.Phase, n.client.Held, n.client.Lease, n.client.Declines, n.addr = client.Init, false, nil, 1, netip.Prefix{}
	d.judge()
	if r := d.race; r.over || !r.wake.Equal(start.Add(30*time.Second)) || r.status != inUse {
		t.Errorf("over: %t, next look %v after the start, exit status %d", r.over, r.wake.Sub(start), r.status)
	}
}

// TestL8_NoPacketSockets: a kernel without them, or no right to one, is no silence
// of the servers. An interface that has just gone is neither.
func TestL8_NoPacketSockets(t *testing.T) {
	for err, want := range map[error]int{unix.EAFNOSUPPORT: kernelRefused, unix.EPERM: kernelRefused, unix.ENODEV: noOffer} {
		d, _, _ := newDaemon(t, "")
		d.opt.Once = 30
		d.doors.frames = func(link.ID, link.Kind) (link.Frames, error) { return nil, err }
		d.settle()
		d.judge()
		if d.race.status != want || d.race.over != (want == kernelRefused) {
			t.Errorf("%v: exit status %d, want %d; over: %v", err, d.race.status, want, d.race.over)
		}
	}
}

// TestC17_AsksForWhatItWrites: -o asks for what /run/net-IF.conf has a variable
// for, since a server sends no more than is asked for.
func TestC17_AsksForWhatItWrites(t *testing.T) {
	for _, tt := range []struct {
		text string
		once int
		want []dhcp4.Code
	}{
		{"", 0, nil},
		{"", 30, []dhcp4.Code{17, 40}},
		{"option request TFTPserver;", 0, []dhcp4.Code{66}},
		{"option request TFTPserver;", 30, []dhcp4.Code{66, 17, 40}},
		{"option anonymous;", 30, nil},
	} {
		d, n, _ := newDaemon(t, tt.text)
		d.opt.Once = tt.once
		_, plans := d.plans()
		n.plan = plans[0]
		if got := d.identity(n).More; !slices.Equal(got, tt.want) {
			t.Errorf("-o%d %s: asks for %v besides, want %v", tt.once, tt.text, got, tt.want)
		}
	}
}
