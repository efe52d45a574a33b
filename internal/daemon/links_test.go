package daemon

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dhcpd/client"
	"dhcpd/internal/conf"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
)

// bound returns a daemon whose network holds a lease of 10.0.0.5.
func bound(t *testing.T) (*Daemon, *network, *fakeHost) {
	d, n, h := newDaemon(t, "")
	d.settle()
	l := lease("10.0.0.5/24", "10.0.0.1", 0, time.Hour)
	l.T1, l.T2 = start.Add(30*time.Minute), start.Add(50*time.Minute)
	n.client.Phase, n.client.Lease, n.client.Held = client.Bound, l, true
	d.configure(n, l, nil)
	d.remember(n, l)
	h.done = nil
	return d, n, h
}

func TestB1_AnotherEthernetAddressIsAnotherClient(t *testing.T) {
	d, n, h := bound(t)
	l := n.link
	l.MAC[5] = 9
	d.update(n, &l)
	d.settle()
	if want := []string{"delroute 10.0.0.1", "del 10.0.0.5/24"}; !slices.Equal(h.done, want) {
		t.Errorf("did %q, want %q", h.done, want)
	}
	if n.client.Phase != client.Selecting || n.client.Config.MAC != l.MAC || n.client.Lease != nil {
		t.Errorf("%s as %x with lease %v", n.client.Phase, n.client.Config.MAC, n.client.Lease)
	}
}

func TestB1_PortOfABridgeAndBack(t *testing.T) {
	d, n, h := bound(t)
	l := n.link
	l.Port = true
	d.update(n, &l)
	d.settle()
	if want := []string{"delroute 10.0.0.1", "del 10.0.0.5/24"}; !slices.Equal(h.done, want) {
		t.Errorf("as a port: did %q, want %q", h.done, want)
	}
	if n.origin != none || n.client.Running {
		t.Errorf("as a port: origin %d, client running %v", n.origin, n.client.Running)
	}
	l = n.link
	l.Port = false
	d.update(n, &l)
	d.settle()
	if n.origin != dynamic || n.client.Phase != client.Selecting {
		t.Errorf("back: origin %d, %s", n.origin, n.client.Phase)
	}
}

func TestC9_AddressRemovedByHand(t *testing.T) {
	d, n, _ := bound(t)
	l := n.link
	l.Addrs = nil
	d.update(n, &l)
	if n.client.Phase != client.Rebooting || n.client.Held {
		t.Errorf("%s, held %v", n.client.Phase, n.client.Held)
	}
}

func TestC6_AddressRemovedByTheKernelAtTheEnd(t *testing.T) {
	d, n, _ := bound(t)
	d.now = n.client.Lease.End
	l := n.link
	l.Addrs = nil
	d.update(n, &l)
	if n.client.Phase != client.Bound {
		t.Errorf("%s: the client's own timer is there for that", n.client.Phase)
	}
}

func TestB2_StaticAddressRemovedByHand(t *testing.T) {
	d, n, h := newDaemon(t, house+"client 2:0:0:0:0:1 10.0.0.7;")
	var log strings.Builder
	d.say.err = &log
	d.settle()
	h.done = nil
	l := n.link
	l.Addrs = nil
	d.update(n, &l)
	if len(h.done) == 0 || h.done[0] != "add 10.0.0.7/24 forever" || !strings.Contains(log.String(), "set again") {
		t.Errorf("did %q, said %q", h.done, log.String())
	}
}

// TestS5_LoopbackIsNobodysServer: a client that names 127.0.0.1 as its server
// does not get an answer from there, which the kernel would refuse to send.
func TestS5_LoopbackIsNobodysServer(t *testing.T) {
	d, n, _ := newDaemon(t, "")
	for _, a := range []string{"127.0.0.1", "10.0.0.1"} {
		d.addrs[netip.MustParseAddr(a)] = true
		if ours := n.site.Ours(netip.MustParseAddr(a)); ours != (a == "10.0.0.1") {
			t.Errorf("%s ours: %v", a, ours)
		}
	}
}

func TestB8_RenamedAsksTheConfigAgain(t *testing.T) {
	d, n, _ := newDaemon(t, "")
	d.settle()
	l := n.link
	l.Name = "lan0"
	if d.update(n, &l); !d.resettle {
		t.Error("what the config says of the new name is not looked up")
	}
}

// TestB1_L9_RenamedIntoWhatIsAllowed: what names interfaces may come to one that
// was left alone so far, and is down.
func TestB1_L9_RenamedIntoWhatIsAllowed(t *testing.T) {
	d, n, h := newDaemon(t, "")
	d.vanish(noIndex, n)
	d.opt.Interfaces = []string{"enp*"}
	l := n.link
	l.Up, l.Carrier = false, false
	d.appear(&l)
	d.settle()
	if n = d.nets[noIndex]; len(h.done) > 0 || n.client.Running {
		t.Fatalf("not allowed: did %q, client running %v", h.done, n.client.Running)
	}
	l.Name = "enp0s3"
	d.update(n, &l)
	d.settle()
	if !slices.Contains(h.done, "up enp0s3") || !n.client.Running {
		t.Errorf("allowed: did %q, client running %v", h.done, n.client.Running)
	}
}

func TestP3_CacheFollowsARenamedInterface(t *testing.T) {
	d, n, _ := bound(t)
	l := n.link
	l.Name = "lan0"
	d.update(n, &l)
	if e := d.entry(n); len(d.entries) != 1 || e == nil || e.Addr != netip.MustParsePrefix("10.0.0.5/24") {
		t.Errorf("cache: %+v", d.entries)
	}
}

// TestC5_OurOtherInterface: Linux asks for others out of one interface with the
// IP address of another; on one wire that is no conflict.
func TestC5_OurOtherInterface(t *testing.T) {
	d, n, _ := bound(t)
	second := [6]byte{2, 0, 0, 0, 0, 2}
	d.appear(&link.Interface{ID: link.ID{Index: noIndex + 1, Name: "eth1"}, MAC: second, Ether: true, Up: true})
	var said bytes.Buffer
	d.say.err = &said
	claim := ether.Announcement(second, netip.MustParseAddr("10.0.0.5"))
	d.hearARP(n, claim.AppendFrame(nil))
	if said.Len() > 0 {
		t.Errorf("of our own: %s", said.String())
	}
	claim.SenderHW[5] = 3
	d.hearARP(n, claim.AppendFrame(nil))
	if !strings.Contains(said.String(), "10.0.0.5 is already in use by 02:00:00:00:00:03; defending it") {
		t.Errorf("of another host: %s", said.String())
	}
}

// TestB6_B1_FirstIsWaitedFor: a start that comes before the first Ethernet does
// not end.
func TestB6_B1_FirstIsWaitedFor(t *testing.T) {
	d, n, _ := newDaemon(t, "host 10.0.0.0/24 {}; client 2:0:0:0:0:1 10.0.0.7;")
	var log strings.Builder
	d.say.err = &log
	link := n.link
	d.vanish(noIndex, n)
	d.settle()
	if want := "dhcpd: no Ethernet is there; waiting for one\n"; d.nothingToDo() || log.String() != want {
		t.Errorf("nothing to do: %v; said %q, want %q", d.nothingToDo(), log.String(), want)
	}
	d.appear(&link)
	d.settle()
	if !d.nothingToDo() {
		t.Error("something is left to do")
	}
}

// TestL9_B1_WhichIsWaitedFor: the names or the address of those that are allowed
// are told, since they may be misspelt.
func TestL9_B1_WhichIsWaitedFor(t *testing.T) {
	for _, tt := range []struct {
		names []string
		mac   [6]byte
		want  string
	}{
		{[]string{"eth0.5", "wan*"}, [6]byte{}, "dhcpd: no Ethernet eth0.5 wan* is there; waiting for one\n"},
		{nil, [6]byte{2, 0, 0, 0, 0, 9}, "dhcpd: no Ethernet 02:00:00:00:00:09 is there; waiting for one\n"},
	} {
		d, _, _ := newDaemon(t, "")
		var log strings.Builder
		d.say.err, d.opt.Interfaces, d.opt.MAC = &log, tt.names, tt.mac
		d.settle()
		if log.String() != tt.want {
			t.Errorf("said %q, want %q", log.String(), tt.want)
		}
	}
}

// TestB1_B8_ManyNames: of interfaces that come and go without end, as those of
// containers do, few are remembered, and the config file is read again only if
// it waits for one.
func TestB1_B8_ManyNames(t *testing.T) {
	d, _, _ := newDaemon(t, "")
	d.ifSet = map[string]bool{}
	here := []link.Interface{{ID: link.ID{Index: 1, Name: "eth0"}, Ether: true}}
	d.number(here)
	d.first = 1
	d.cfg, _ = conf.Parse("test", `option "usb0" possessive;`, conf.Env{Interfaces: d.ifs})
	for i := range 3 * mostGone {
		veth := link.Interface{ID: link.ID{Index: 2 + i, Name: "veth" + strconv.Itoa(i)}, MAC: [6]byte{2, 1, 0, 0, byte(i >> 8), byte(i)}, Ether: true}
		if d.number(append(here, veth)) {
			t.Fatalf("%s is waited for", veth.Name)
		}
		d.appear(&veth)
		d.say.once(veth.Name + ": something")
		gone := d.nets[veth.Index]
		gone.client.Running = true
		d.remember(gone, lease("10.0.0.5/24", "10.0.0.1", 0, time.Minute))
		d.vanish(veth.Index, gone)
		d.now = d.now.Add(time.Minute)
	}
	if a, b, c := len(d.ifs), len(d.ifSet), len(d.missed); a > mostGone+3 || b != a || c > mostGone {
		t.Errorf("%d interfaces, %d names, %d missed", a, b, c)
	}
	if a, b := len(d.say.told), len(d.entries); a > mostTold || b > 2 {
		t.Errorf("%d lines, %d leases", a, b)
	}
	if d.ifs[0].Name != "eth0" {
		t.Error("the first one is forgotten")
	}
	if !d.number([]link.Interface{{ID: link.ID{Index: 1 << 20, Name: "usb0"}}}) {
		t.Error("usb0 is not waited for")
	}
}
