package peertest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// A flood sends frames as fast as this machine can, until it is stopped.
type flood struct {
	sent atomic.Int64
	over atomic.Bool
	done chan struct{}
	took time.Duration
}

// flood begins one on eth0 of a host, and returns when it is well under way;
// next appends the next frame.
func (n *network) flood(h *netlab.Host, next func(b []byte, r *rand.Rand) []byte) *flood {
	n.Helper()
	var s *link.Sender
	h.Do(func() {
		var err error
		if s, err = link.OpenSender(); err != nil {
			n.Fatal(err)
		}
	})
	f := &flood{done: make(chan struct{})}
	index := h.Iface("eth0").Index
	go func() {
		defer close(f.done)
		defer s.Close()
		b, r := link.NewBatch(64, 2048), rand.New(rand.NewPCG(1, 2))
		for began := time.Now(); !f.over.Load(); f.took = time.Since(began) {
			for b.Reset(); !b.Full(); {
				m := b.Add()
				m.Index, m.Data = index, next(m.Data, r)
			}
			lost, _ := s.Send(b)
			f.sent.Add(int64(b.Len() - lost))
		}
	}()
	n.Cleanup(f.stop)
	n.Until("a flood", func() bool { return f.sent.Load() > 100_000 })
	return f
}

func (f *flood) stop() {
	f.over.Store(true)
	<-f.done
}

func (f *flood) String() string {
	return fmt.Sprintf("%d packets, %.0f a second", f.sent.Load(), float64(f.sent.Load())/f.took.Seconds())
}

const inFrame = 14 + 20 + 8 // where a frame's message begins

// strangers makes DISCOVERs of clients that do not exist: a new hardware
// address and xid each. UDP may do without a checksum, and so need not have
// it made.
func strangers(frame []byte) func([]byte, *rand.Rand) []byte {
	frame[inFrame-2], frame[inFrame-1] = 0, 0
	return func(b []byte, r *rand.Rand) []byte {
		b = append(b, frame...)
		binary.BigEndian.PutUint32(b[inFrame+4:], r.Uint32())
		binary.BigEndian.PutUint32(b[inFrame+30:], r.Uint32())
		return b
	}
}

// rss returns the memory of a program, in kB.
func rss(t *testing.T, p *netlab.Proc) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	_, rest, ok := strings.Cut(string(text), "VmRSS:")
	if err != nil || !ok {
		t.Fatalf("no VmRSS: %v", err)
	}
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// steady fails the test if a program that has seen enough of a flood takes
// much more memory later.
func steady(t *testing.T, before, then, now int) {
	t.Helper()
	t.Logf("memory before, in and after the flood: %d kB, %d kB, %d kB", before, then, now)
	if now > then+then/2+4096 {
		t.Errorf("memory has grown from %d kB to %d kB", then, now)
	}
}

// newQuiet is a network of our server of which nothing is kept.
func newQuiet(t *testing.T) *network {
	n := &network{T: t, Lab: netlab.New(t)}
	n.sw = n.Switch()
	n.server = n.guest(ourServer)
	return n
}

// serveQuietly starts our server without debug output. It is not to say
// anything in the whole test.
func (n *network) serveQuietly(config string, pool ...string) *netlab.Proc {
	n.Helper()
	n.server.WriteFile("dhcp.conf", config)
	n.command(n.server, "-a", pool...)
	p := n.server.Ready(n.server.Start(dhcpd, files(n.server)...))
	n.addressed(config)
	n.Cleanup(func() {
		if text := p.Output(); text != "" {
			n.Errorf("it says:\n%.2000s", text)
		}
	})
	return p
}

// TestS16_DiscoverFlood: known clients are served while clients that do not
// exist ask as fast as they can, on their link or on another.
func TestS16_DiscoverFlood(t *testing.T) {
	for _, other := range []bool{false, true} {
		t.Run(map[bool]string{false: "same link", true: "other link"}[other], func(t *testing.T) {
			n := newQuiet(t)
			evil, config := n.Host("evil"), conf("10.0.0.1/16", "DHCPlease 3600;")
			pool := []string{"10.0.1.0-10.0.8.255"}
			if other {
				n.Wire(n.server, "eth1", evil, "eth0")
				pool = append(pool, "10.9.1.0-10.9.8.255")
				config += "interface eth1 10.9.0.1; host 10.9.0.0/16 { DHCPlease 3600; option eth1 server; };"
			} else {
				n.sw.Plug(evil, "eth0")
			}
			p := n.serveQuietly(config, pool...)
			ts := n.lodgers(n.guest("crowd"), 0, 200)
			ts.play("leases", mostJoining, ts.discovery)
			before := rss(t, p)
			// Not from the Ethernet address of a lodger: a switch would send that one's
			// replies to the flood.
			f := n.flood(evil, strangers(newScripted(200).discover()))
			then := rss(t, p)
			t.Log(ts.play("renewals", mostRenewing, ts.renewal))
			t.Log(ts.play("rebindings", mostRebinding, ts.rebinding))
			now := rss(t, p)
			f.stop()
			t.Log(f)
			steady(t, before, then, now)
			n.countedAtLeast("DHCPDISCOVER received", 1000)
		})
	}
}

// TestS16_S13_CircuitFlood: a flood from one line of a relay takes no more
// addresses than the limit allows; the other lines' clients are served, those
// that are new included.
func TestS16_S13_CircuitFlood(t *testing.T) {
	n := newQuiet(t)
	relay := n.guest("relay")
	relay.Addr("eth0", "10.0.0.2/24")
	relay.Addr("eth0", "10.1.0.1/16")
	p := n.serveQuietly(conf("10.0.0.1/24", "option eth0 limit 5 per circuit;")+"host 10.1.0.0/16 { DHCPlease 3600; };",
		"10.1.1.0-10.1.8.255")
	n.server.Run("ip", "route", "add", "10.1.0.0/16", "via", "10.0.0.2")
	line := func(first, count int, circuit string) *lodgers {
		ts := n.lodgers(relay, first, count)
		ts.do(func() {
			ts.giaddr = netip.MustParseAddr("10.1.0.1")
			ts.agent = append([]byte{1, byte(len(circuit))}, circuit...)
		})
		return ts
	}
	known := line(0, 5, "line 1")
	known.play("leases", mostJoining, known.discovery)
	evil := line(100, 1, "line 2")
	before := rss(t, p)
	f := n.flood(relay, strangers(evil.discovery(evil.list[0])))
	then := rss(t, p)
	t.Log(known.play("renewals", mostRenewing, known.renewal))
	t.Log(known.play("rebindings", mostRebinding, known.rebinding))
	fresh := line(200, 5, "line 3")
	t.Log(fresh.play("new leases", mostJoining, fresh.discovery))
	now := rss(t, p)
	f.stop()
	t.Log(f)
	steady(t, before, then, now)
	mine := map[netip.Addr]bool{}
	fresh.each(func(l *lodger) { mine[l.addr] = true })
	offered := 0
	known.do(func() {
		for a := range known.strays {
			if !mine[a] {
				offered++
			}
		}
	})
	if offered > 5 {
		t.Errorf("%d addresses offered to a line that may have 5", offered)
	}
	n.countedAtLeast("dropped: as many on the relay's circuit as the limit allows", 1000)
}

// countedAtLeast waits until dhcpd -q on the server says that there was so much
// of something.
func (n *network) countedAtLeast(what string, least uint64) {
	n.Helper()
	n.Until("a count of "+what, func() bool { return countIn(n.command(n.server, "-q"), what) >= least })
}
