package link

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// machine is a host of a lab, with a connection to its kernel.
type machine struct {
	*netlab.Host
	Kernel Host
	t      testing.TB
}

func newMachine(t testing.TB, lab *netlab.Lab, name string) *machine {
	t.Helper()
	m := &machine{Host: lab.Host(name), t: t}
	m.Do(func() {
		var err error
		if m.Kernel, err = Open(); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() { m.Kernel.Close() })
	return m
}

// pair is two machines joined by their eth0.
func pair(t testing.TB) (a, b *machine) {
	t.Helper()
	lab := netlab.New(t)
	a, b = newMachine(t, lab, "a"), newMachine(t, lab, "b")
	wire(lab, a, "eth0", b, "eth0")
	return a, b
}

// wire joins two machines and waits until the wire carries: the kernel throws
// away what is sent before that, and says nothing.
func wire(lab *netlab.Lab, a *machine, aName string, b *machine, bName string) {
	a.t.Helper()
	wa, wb := a.watch(), b.watch()
	lab.Wire(a.Host, aName, b.Host, bName)
	a.until(wa, func() bool { return a.find(aName).Ready })
	b.until(wb, func() bool { return b.find(bName).Ready })
}

// find returns an interface as it is now, the zero one if there is none.
func (m *machine) find(name string) (found Interface) {
	m.t.Helper()
	list, err := m.Kernel.Interfaces()
	if err != nil {
		m.t.Fatal(err)
	}
	for _, i := range list {
		if i.Name == name {
			found = i
		}
	}
	return found
}

// address returns the address of an interface with this prefix.
func (m *machine) address(name, prefix string) (a Address, ok bool) {
	m.t.Helper()
	for _, a := range m.find(name).Addrs {
		if a.Prefix.String() == prefix {
			return a, true
		}
	}
	return a, false
}

// routes returns the routes out of an interface that DHCP made, as text.
func (m *machine) routes(on ID) (list []string) {
	m.t.Helper()
	routes, err := m.Kernel.Routes(on)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, r := range routes {
		if r.Protocol != ProtocolDHCP {
			continue
		}
		s := fmt.Sprintf("%v metric %d", r, r.Metric)
		if r.Source.IsValid() {
			s += " src " + r.Source.String()
		}
		if r.OnLink {
			s += " onlink"
		}
		list = append(list, s)
	}
	return list
}

func (m *machine) watch() *Watcher {
	m.t.Helper()
	var w *Watcher
	m.Do(func() {
		var err error
		if w, err = Watch(); err != nil {
			m.t.Fatal(err)
		}
	})
	m.t.Cleanup(func() { w.Close() })
	return w
}

// until waits, woken by w, until done.
func (m *machine) until(w *Watcher, done func() bool) {
	m.t.Helper()
	for !done() {
		if err := w.Wait(); err != nil {
			m.t.Fatal(err)
		}
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }

// TestB1_Interfaces lists a machine with one of everything that this kernel
// has: who is an Ethernet, who is a port.
func TestB1_Interfaces(t *testing.T) {
	a, _ := pair(t)
	a.Run("ip", "link", "add", "br0", "type", "bridge")
	a.Run("ip", "link", "add", "p1", "type", "veth", "peer", "name", "p2")
	a.Run("ip", "link", "set", "p1", "master", "br0")
	a.Run("ip", "link", "add", "mac0", "link", "eth0", "address", "02:00:00:00:00:99", "mtu", "1400", "type", "macvlan")
	a.Run("ip", "link", "set", "mac0", "arp", "off")
	a.Run("ip", "addr", "add", "10.0.0.1/24", "brd", "+", "dev", "eth0")
	a.Run("ip", "addr", "add", "10.0.0.2/24", "dev", "eth0")
	a.Run("ip", "addr", "add", "192.168.7.1/30", "dev", "eth0")
	for _, c := range []struct {
		name             string
		ether, port, up_ bool
		mtu              int
	}{
		{"lo", false, false, true, 65536},
		{"eth0", true, false, true, 1500},
		{"br0", true, false, false, 1500},
		{"p1", true, true, false, 1500},
		{"p2", true, false, false, 1500},
		{"mac0", false, false, false, 1400},
	} {
		i := a.find(c.name)
		if i.Index == 0 || i.Ether != c.ether || i.Port != c.port || i.Up != c.up_ || i.MTU != c.mtu {
			t.Errorf("%s: %+v, want %+v", c.name, i, c)
		}
	}
	if got, want := a.find("eth0").MAC, a.MAC("eth0"); got != want {
		t.Errorf("eth0 has MAC %x, want %x", got, want)
	}
	var got []string
	for _, x := range a.find("eth0").Addrs {
		got = append(got, fmt.Sprint(x.Prefix, x.Broadcast, x.Valid == Forever, x.Preferred == Forever))
	}
	want := "10.0.0.1/24 10.0.0.255 true true, 192.168.7.1/30 invalid IP true true, 10.0.0.2/24 invalid IP true true"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("addresses of eth0: %s\nwant %s", s, want)
	}
}

// TestB1_SetUp brings a link up and sees its carrier, and a later loss of it
// that is over before anyone looks.
func TestB1_SetUp(t *testing.T) {
	lab := netlab.New(t)
	a := newMachine(t, lab, "a")
	port := lab.Switch().PlugDown(a.Host, "eth0")
	w := a.watch()
	was := a.find("eth0")
	if was.Up || was.Carrier {
		t.Fatalf("before: %+v", was)
	}
	check(t, a.Kernel.SetUp(was.ID))
	a.until(w, func() bool { return a.find("eth0").Carrier })
	now := a.find("eth0")
	if !now.Up {
		t.Errorf("after: %+v", now)
	}
	port.Cut()
	a.until(w, func() bool { return !a.find("eth0").Carrier })
	port.Mend()
	a.until(w, func() bool { return a.find("eth0").Carrier })
	if later := a.find("eth0"); later.Flaps == now.Flaps {
		t.Errorf("carrier was lost and came back, Flaps stayed %d", later.Flaps)
	}
}

// TestC11_Address: an address carries the lease as its lifetime, and gets a
// new one without going away for a moment: a route that hangs on it stays.
func TestC11_Address(t *testing.T) {
	a, _ := pair(t)
	on := a.find("eth0").ID
	set := Address{Prefix: prefix("10.0.0.5/24"), Broadcast: addr("10.0.0.255"), Valid: 1200, Preferred: 600}
	check(t, a.Kernel.SetAddress(on, set))
	got, ok := a.address("eth0", "10.0.0.5/24")
	if !ok || got.Broadcast != set.Broadcast || got.Valid > 1200 || got.Valid < 1100 || got.Preferred > 600 || got.Preferred < 500 {
		t.Fatalf("got %+v", got)
	}
	if got.Flags&unix.IFA_F_PERMANENT != 0 {
		t.Errorf("flags %#x: permanent", got.Flags)
	}
	check(t, a.Kernel.AddRoute(on, Route{To: prefix("0.0.0.0/0"), Via: addr("10.0.0.1"), Source: addr("10.0.0.5"), Protocol: ProtocolDHCP}))
	for _, c := range []struct{ valid, preferred uint32 }{{7200, 3600}, {60, 0}, {Forever, Forever}, {100, 100}} {
		set.Valid, set.Preferred = c.valid, c.preferred
		check(t, a.Kernel.SetAddress(on, set))
		got, _ := a.address("eth0", "10.0.0.5/24")
		if got.Valid > c.valid || got.Valid < c.valid-50 || got.Preferred > c.preferred || c.preferred > 50 && got.Preferred < c.preferred-50 {
			t.Errorf("set to %d, %d: %+v", c.valid, c.preferred, got)
		}
		if permanent := got.Flags&unix.IFA_F_PERMANENT != 0; permanent != (c.valid == Forever) {
			t.Errorf("set to %d: flags %#x", c.valid, got.Flags)
		}
		if list := a.routes(on); len(list) != 1 {
			t.Errorf("set to %d: the route did not survive: %v", c.valid, list)
		}
	}
	check(t, a.Kernel.DeleteAddress(on, set.Prefix))
	if _, ok := a.address("eth0", "10.0.0.5/24"); ok || len(a.routes(on)) != 0 {
		t.Errorf("deleted, but there: %v, routes %v", ok, a.routes(on))
	}
	check(t, a.Kernel.DeleteAddress(on, set.Prefix)) // once more is no error
}

// TestC11_AddressEnds: the kernel takes the address away when its time is
// over, and the route with it, though nobody tells it to.
func TestC11_AddressEnds(t *testing.T) {
	a, _ := pair(t)
	on := a.find("eth0").ID
	w := a.watch()
	check(t, a.Kernel.SetAddress(on, Address{Prefix: prefix("10.0.0.5/24"), Valid: 1, Preferred: 1}))
	check(t, a.Kernel.AddRoute(on, Route{To: prefix("0.0.0.0/0"), Via: addr("10.0.0.1"), Protocol: ProtocolDHCP}))
	a.until(w, func() bool { return len(a.find("eth0").Addrs) == 0 })
	if list := a.routes(on); len(list) != 0 {
		t.Errorf("routes left: %v", list)
	}
}

// TestC11_Routes: gateways inside the subnet and outside of it, classless
// routes, metrics; what is there already and what is gone already.
func TestC11_Routes(t *testing.T) {
	a, _ := pair(t)
	on := a.find("eth0").ID
	check(t, a.Kernel.SetAddress(on, Address{Prefix: prefix("10.0.0.5/32"), Valid: Forever, Preferred: Forever}))
	routes := []Route{
		{To: prefix("0.0.0.0/0"), Via: addr("10.9.9.1"), OnLink: true, Source: addr("10.0.0.5"), Metric: 700},
		{To: prefix("0.0.0.0/0"), Via: addr("10.9.9.2"), OnLink: true, Metric: 800},
		{To: prefix("0.0.0.0/0"), Via: addr("10.9.9.3"), OnLink: true, Metric: 800},
		{To: prefix("10.0.0.1/32"), Metric: 5},
		{To: prefix("172.16.0.0/12"), Via: addr("10.0.0.1")},
	}
	want := []string{
		"0.0.0.0/0 via 10.9.9.1 metric 700 src 10.0.0.5 onlink",
		"0.0.0.0/0 via 10.9.9.2 metric 800 onlink",
		"0.0.0.0/0 via 10.9.9.3 metric 800 onlink",
		"10.0.0.1/32 metric 5",
		"172.16.0.0/12 via 10.0.0.1 metric 0",
	}
	for range 2 { // there already is no error
		for i := range routes {
			routes[i].Protocol = ProtocolDHCP
			check(t, a.Kernel.AddRoute(on, routes[i]))
		}
	}
	same := func(when string) {
		t.Helper()
		if got := strings.Join(a.routes(on), "\n"); got != strings.Join(want, "\n") {
			t.Fatalf("%s:\n%s\nwant\n%s", when, got, strings.Join(want, "\n"))
		}
	}
	same("added")
	routes[0].Via = addr("10.9.9.9")
	check(t, a.Kernel.ReplaceRoute(on, routes[0]))
	want[0] = "0.0.0.0/0 via 10.9.9.9 metric 700 src 10.0.0.5 onlink"
	same("replaced")
	for range 2 { // gone already is no error
		check(t, a.Kernel.DeleteRoute(on, routes[1]))
	}
	want = append(want[:1], want[2:]...)
	same("deleted one of two")
}

func TestC11_MTU(t *testing.T) {
	a, _ := pair(t)
	check(t, a.Kernel.SetMTU(a.find("eth0").ID, 1280))
	if i := a.find("eth0"); i.MTU != 1280 {
		t.Errorf("MTU %d", i.MTU)
	}
}

// TestErrors: each says what was tried on what, and why not.
func TestErrors(t *testing.T) {
	a, _ := pair(t)
	on, gone := a.find("eth0").ID, ID{9999, "eth9"}
	ten := Address{Prefix: prefix("10.0.0.5/24"), Valid: Forever, Preferred: Forever}
	for _, c := range []struct {
		err  error
		want string
	}{
		{a.Kernel.SetUp(gone), "bring up eth9: no such device"},
		{a.Kernel.SetMTU(gone, 1500), "set MTU 1500 on eth9: no such device"},
		{a.Kernel.SetMTU(on, 1), "set MTU 1 on eth0: invalid argument"},
		{a.Kernel.SetAddress(gone, ten), "set address 10.0.0.5/24 on eth9: no such device"},
		{a.Kernel.SetAddress(on, Address{Prefix: ten.Prefix}), "set address 10.0.0.5/24 on eth0: invalid argument"},
		{a.Kernel.AddRoute(on, Route{To: prefix("0.0.0.0/0"), Via: addr("10.9.9.9")}), "add route 0.0.0.0/0 via 10.9.9.9 on eth0: network is unreachable"},
		{a.Kernel.ReplaceRoute(gone, Route{To: prefix("10.8.0.0/16")}), "set route 10.8.0.0/16 on eth9: no such device"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("got %v, want %s", c.err, c.want)
		}
	}
	check(t, a.Kernel.DeleteAddress(gone, ten.Prefix))
	check(t, a.Kernel.DeleteRoute(gone, Route{To: prefix("10.8.0.0/16")}))
}

// TestErrors_Unprivileged: the socket was opened by root, but what counts is
// who asks.
func TestErrors_Unprivileged(t *testing.T) {
	a, _ := pair(t)
	on := a.find("eth0").ID
	a.Do(func() { // on a thread that is not used again
		k, err := Open()
		check(t, err)
		defer k.Close()
		none := [2]unix.CapUserData{}
		check(t, unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0]))
		err = k.SetAddress(on, Address{Prefix: prefix("10.0.0.5/24"), Valid: 60, Preferred: 60})
		if !errors.Is(err, unix.EPERM) || err.Error() != "set address 10.0.0.5/24 on eth0: operation not permitted" {
			t.Errorf("got %v", err)
		}
		if err = k.DeleteAddress(on, prefix("10.0.0.5/24")); !errors.Is(err, unix.EPERM) {
			t.Errorf("deleting: got %v", err)
		}
	})
}

// TestD1_Null: test mode looks, and brings links up, but changes nothing.
func TestD1_Null(t *testing.T) {
	lab := netlab.New(t)
	a := newMachine(t, lab, "a")
	lab.Switch().PlugDown(a.Host, "eth0")
	real, on := a.Kernel, a.find("eth0").ID
	check(t, real.SetAddress(on, Address{Prefix: prefix("10.0.0.5/24"), Valid: Forever, Preferred: Forever}))
	var null Host = Null{real}
	check(t, null.SetUp(on))
	before := a.find("eth0")
	r := Route{To: prefix("10.8.0.0/16"), Protocol: ProtocolDHCP}
	check(t, real.AddRoute(on, r))
	check(t, null.SetAddress(on, Address{Prefix: prefix("10.0.0.6/24"), Valid: 60, Preferred: 60}))
	check(t, null.DeleteAddress(on, prefix("10.0.0.5/24")))
	check(t, null.SetMTU(on, 1280))
	check(t, null.AddRoute(on, Route{To: prefix("10.9.0.0/16"), Protocol: ProtocolDHCP}))
	check(t, null.ReplaceRoute(on, Route{To: prefix("10.10.0.0/16"), Protocol: ProtocolDHCP}))
	check(t, null.DeleteRoute(on, r))
	list, err := null.Interfaces()
	if err != nil || len(list) != 2 {
		t.Errorf("lists %v, %v", list, err)
	}
	now := a.find("eth0")
	if !now.Up || now.MTU != before.MTU || fmt.Sprint(now.Addrs) != fmt.Sprint(before.Addrs) || len(a.routes(on)) != 1 {
		t.Errorf("was %+v, is %+v, routes %v", before, now, a.routes(on))
	}
}

// TestWatch: new interfaces, addresses and their end are told of; Close ends
// the wait.
func TestWatch(t *testing.T) {
	a, _ := pair(t)
	w := a.watch()
	a.Run("ip", "link", "add", "new0", "type", "bridge")
	a.until(w, func() bool { return a.find("new0").Index != 0 })
	a.Run("ip", "addr", "add", "10.3.0.1/24", "dev", "new0")
	a.until(w, func() bool { return len(a.find("new0").Addrs) == 1 })
	a.Run("ip", "link", "del", "new0")
	a.until(w, func() bool { return a.find("new0").Index == 0 })
	ended := make(chan error)
	go func() {
		var err error
		for err == nil {
			err = w.Wait()
		}
		ended <- err
	}()
	w.Close()
	if err := <-ended; err != os.ErrClosed {
		t.Errorf("after Close: %v", err)
	}
}

// TestWatch_Overrun: when more happens than the socket holds, that is a
// reason to look again, and the watch goes on.
func TestWatch_Overrun(t *testing.T) {
	a, _ := pair(t)
	w := a.watch()
	check(t, w.use(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1) }))
	on := a.find("eth0").ID
	for i := range 200 {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), 1}), 24)
		check(t, a.Kernel.SetAddress(on, Address{Prefix: p, Valid: Forever, Preferred: Forever}))
	}
	if dropped := a.Run("awk", "{ n += $9 } END { print n }", "/proc/net/netlink"); dropped == "0\n" {
		t.Fatal("200 changes did not overrun the socket")
	}
	check(t, w.Wait())
	if n := len(a.find("eth0").Addrs); n != 200 {
		t.Errorf("%d addresses", n)
	}
	check(t, a.Kernel.DeleteAddress(on, prefix("10.0.7.1/24")))
	a.until(w, func() bool { return len(a.find("eth0").Addrs) == 199 })
}
