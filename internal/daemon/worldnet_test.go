package daemon

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// internet is networks with clients on them, behind boxes that serve them, relay
// for them, or do either; the boxes meet on a network of their own, beside the
// central servers.
//
//	clients  clients  clients
//	   |        |        |
//	 server   relay    server and relay
//	   |        |        |
//	---+--------+--------+--- spine ---
//	      |         |
//	   central   central
type internet struct {
	*world
	spine   *wire
	lans    []*lan
	boxes   []*box
	central []*box

	unit    time.Duration // the least lease time
	most    time.Duration // that anything is gone
	cut     bool          // no message gets over the spine
	crowded bool          // see crowd
	quiet   bool          // nothing bad happens any more

	claims map[netip.Addr][]claim
	past   map[any][]event // the last that happened to an address, or to a client
	tally  *tallies
}

// tallies are counted to see that a run was worth it.
type tallies struct {
	clients, sent, acks, naks, wakes, synced int
	crashes, edits, reloads, compacted, lies int
	virtual                                  time.Duration
}

// lan is a network of clients, 10.N.0.0/22.
type lan struct {
	*wire
	n      int
	lease  time.Duration
	router *box
	kind   string
	room   int // addresses in each of its pools
}

func newInternet(t *testing.T, seed uint64, tally *tallies) *internet {
	w := &internet{world: newWorld(t, seed), claims: map[netip.Addr][]claim{}, past: map[any][]event{}, tally: tally}
	w.hosts = 4 // the networks are wider
	w.world.far, w.world.story = w.far, w.story
	w.unit = pick(w.world, time.Minute, time.Hour, 12*time.Hour)
	w.most = 2 * w.unit
	kinds := []string{"server", "relay", "both", "pair"}
	if w.crowded = seed%4 != 3; w.crowded {
		kinds = w.crowd()
	}
	w.spine = w.addWire("10.255.0.0/24")
	for i := range 2 {
		b := w.addBox(fmt.Sprint("central ", i), w.spine)
		w.central = append(w.central, b)
	}
	for i, kind := range kinds {
		w.addLAN(1+i, kind)
	}
	for i, b := range w.central {
		b.conf = w.centralConf(i)
		for _, l := range w.lans {
			if l.kind != "server" && l.kind != "pair" {
				b.fill(l.addr(i, 20), l.room)
			}
		}
	}
	return w
}

// addr returns address last of a quarter of the network.
func (l *lan) addr(quarter int, last byte) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(l.n), byte(quarter), last})
}

// addLAN adds a network with a server of its own, a relay, a relay that stands
// in with a pool of its own, or two servers that have different addresses.
func (w *internet) addLAN(n int, kind string) {
	l := &lan{wire: w.addWire(fmt.Sprintf("10.%d.0.0/22", n)), n: n, kind: kind, room: 200}
	if w.crowded {
		l.room = 6 + w.rnd.IntN(6)
	}
	w.lans = append(w.lans, l)
	l.lease = w.unit * pick[time.Duration](w.world, 1, 2, 7)
	l.router = w.addBox(fmt.Sprint("router ", n), l.wire, w.spine)
	l.router.conf = w.routerConf(l)
	if kind != "relay" {
		l.router.fill(l.addr(2, 20), l.room)
	}
	if kind == "pair" {
		b := w.addBox(fmt.Sprint("second of ", n), l.wire)
		b.conf = fmt.Sprintf(`interface "eth0" %v; host 10.%d.0.0/22 { option "eth0" server; DHCPlease %d; };`,
			l.addr(0, 2), n, l.lease/time.Second)
		b.fill(l.addr(3, 20), l.room)
	}
}

const spineConf = "host 10.255.0.0/24 { gateway 10.255.0.1; };\n"

func (w *internet) routerConf(l *lan) string {
	text := fmt.Sprintf("interface \"eth0\" %v; interface \"eth1\" 10.255.0.%d;\n", l.addr(0, 1), 10+l.n) + spineConf
	if l.kind == "server" {
		text += l.fixed()
	}
	body := fmt.Sprintf("DHCPlease %d;", l.lease/time.Second)
	if l.kind != "relay" {
		body += pick(w.world, "", "", ` option "eth0" probe;`, ` option "eth0" rapid;`, ` option "eth0" authoritative;`)
	}
	if l.kind == "server" || l.kind == "pair" {
		body += ` option "eth0" server; option "eth0" leasequery;`
	} else {
		body += ` option "eth0" agent { ` + pick(w.world, "circuit interface;", "circuit interface; remote mac;", "") + ` ask; };`
	}
	switch l.kind {
	case "relay":
		body += ` option "eth0" relay 10.255.0.2 10.255.0.3;`
	case "both":
		body += ` option "eth0" relay 10.255.0.2 10.255.0.3 fallback 30;`
	}
	return text + fmt.Sprintf("host 10.%d.0.0/22 { %s };\n", l.n, body)
}

func (w *internet) centralConf(i int) string {
	text := fmt.Sprintf("interface \"eth0\" 10.255.0.%d;\n", 2+i) + strings.Replace(spineConf, "};", `option "eth0" server; option "eth0" leasequery; };`, 1)
	for _, l := range w.lans {
		text += fmt.Sprintf("host 10.%d.0.0/22 { DHCPlease %d; };\n", l.n, l.lease/time.Second)
		if l.kind == "relay" {
			text += l.fixed()
		}
	}
	return text
}

// fixed are some clients that always get the same address, if they are here.
func (l *lan) fixed() (text string) {
	for i := range 10 {
		text += fmt.Sprintf("client 2:0:0:0:0:%x %v;\n", 10*l.n+i, l.addr(0, byte(5+i)))
	}
	return text
}

// fill puts addresses into the pool of a box, before it is first started.
func (b *box) fill(from netip.Addr, n int) {
	var list []netip.Addr
	for range n {
		list = append(list, from)
		b.members[from] = true
		from = from.Next()
	}
	if _, err := pool.EditOn(b.disk, poolFile, pool.Add, list); err != nil {
		b.w.Fatal(err)
	}
}

// Messages between networks.

// wireOf returns the network that an address is of, nil for none.
func (w *internet) wireOf(a netip.Addr) *wire {
	for _, x := range w.wires {
		if x.net.Contains(a) {
			return x
		}
	}
	return nil
}

// boxAt returns the interface with an address, nil for none.
func (w *internet) boxAt(a netip.Addr) *plug {
	for _, b := range w.boxes {
		if p := b.on(a); p != nil {
			return p
		}
	}
	return nil
}

// far takes a client's message to a server's address, wherever that is.
func (w *internet) far(u *ether.Datagram, from *wire) {
	p := w.boxAt(u.Dst.Addr())
	switch {
	case p == nil:
	case p.wire == from:
		p.hear(u.Src, u.Dst, u.Payload)
	default:
		w.over(func() { p.hear(u.Src, u.Dst, u.Payload) })
	}
}

// over takes something over the spine, where it may get lost, or come twice.
func (w *internet) over(do func()) {
	for copies := 0; copies == 0 || w.rnd.Float64() < w.spine.twice; copies++ {
		if !w.cut && w.rnd.Float64() >= w.spine.loss {
			w.after(time.Millisecond+w.upTo(w.spine.late), do)
		}
	}
}

// route takes a datagram of a box to where it is for.
func (w *internet) route(b *box, from, to netip.AddrPort, data []byte) {
	x := w.wireOf(to.Addr())
	if x == nil {
		return
	}
	arrive := func() { w.arrive(x, from, to, data) }
	for _, p := range b.plugs {
		if p.wire == x && x != w.spine {
			if w.rnd.Float64() >= x.loss {
				w.after(time.Millisecond+w.upTo(x.late), arrive)
			}
			return
		}
	}
	w.over(arrive)
}

func (w *internet) arrive(x *wire, from, to netip.AddrPort, data []byte) {
	if to.Port() == dhcp4.ServerPort {
		if p := w.boxAt(to.Addr()); p != nil && p.wire == x {
			p.hear(from, to, data)
		}
		return
	}
	for _, m := range w.machines {
		if m.wire == x && !m.asleep && m.uses(to.Addr()) {
			m.hearFrame(ether.AppendUDPFrame(nil, ether.MAC{6}, m.mac, from.Addr(), to.Addr(), from.Port(), to.Port(), data))
		}
	}
}
