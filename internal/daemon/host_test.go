package daemon

import (
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"dhcpd/internal/conf"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// fakeHost writes down what it is asked to do.
type fakeHost struct {
	link.Host
	done   []string
	fail   error
	routes []link.Route
	name   string // of the machine
}

func (h *fakeHost) note(format string, args ...any) error {
	h.done = append(h.done, fmt.Sprintf(format, args...))
	return h.fail
}

func life(sec uint32) string {
	if sec == link.Forever {
		return "forever"
	}
	return fmt.Sprint(sec, "s")
}

func (h *fakeHost) SetUp(on link.ID) error           { return h.note("up %s", on.Name) }
func (h *fakeHost) SetMTU(on link.ID, mtu int) error { return h.note("mtu %d", mtu) }
func (h *fakeHost) SetAddress(on link.ID, a link.Address) error {
	return h.note("add %s %s", a.Prefix, life(a.Valid))
}
func (h *fakeHost) DeleteAddress(on link.ID, p netip.Prefix) error { return h.note("del %s", p) }
func (h *fakeHost) AddRoute(on link.ID, r link.Route) error        { return h.note("addroute %s", r.Via) }
func (h *fakeHost) ReplaceRoute(on link.ID, r link.Route) error {
	onlink := ""
	if r.OnLink {
		onlink = " onlink"
	}
	if !r.Via.IsValid() {
		return h.note("route %s src %s metric %d", r.To, r.Source, r.Metric)
	}
	return h.note("route %s via %s src %s metric %d%s", r.To, r.Via, r.Source, r.Metric, onlink)
}
func (h *fakeHost) DeleteRoute(on link.ID, r link.Route) error { return h.note("delroute %s", r.Via) }
func (h *fakeHost) Routes(link.ID) ([]link.Route, error)       { return h.routes, nil }
func (h *fakeHost) Interfaces() ([]link.Interface, error)      { return nil, nil }
func (h *fakeHost) Hostname() string                           { return h.name }
func (h *fakeHost) SetHostname(name string) error              { return h.note("name %s", name) }
func (h *fakeHost) Close() error                               { return nil }

// noIndex is the index of an interface that no machine has, so that no socket
// of a test can be opened.
const noIndex = 1 << 30

// start is when the clocks of these tests begin.
var start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// newDaemon returns a daemon with a config, one Ethernet and a host that only
// writes down.
func newDaemon(t *testing.T, text string) (*Daemon, *network, *fakeHost) {
	t.Helper()
	cfg, err := conf.Parse("test", text, conf.Env{})
	if err != nil {
		t.Fatal(err)
	}
	h := &fakeHost{}
	d := &Daemon{
		cfg: cfg, host: h, doors: linux, now: start,
		say:    sayer{out: io.Discard, err: io.Discard},
		random: rand.Uint64,
		nets:   map[int]*network{},
		addrs:  map[netip.Addr]bool{},
		missed: map[string]bool{},
		out1:   link.NewBatch(1, 1<<12),
	}
	d.clock = clockOf(func() pool.Reading { return pool.Reading{Boot: "b", Wall: start, Up: time.Hour} })
	d.service = newService(d)
	d.appear(&link.Interface{ID: link.ID{Index: noIndex, Name: "eth0"}, MAC: [6]byte{2, 0, 0, 0, 0, 1},
		MTU: 1500, Ether: true, Up: true, Carrier: true})
	return d, d.nets[noIndex], h
}
