package link

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
)

// poke sends a datagram to each address.
func (m *machine) poke(list ...string) {
	m.t.Helper()
	m.Do(func() {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		for _, a := range list {
			err = errors.Join(err, unix.Sendto(fd, []byte("x"), 0, &unix.SockaddrInet4{Port: 9, Addr: netip.MustParseAddr(a).As4()}))
		}
		unix.Close(fd)
		if err != nil {
			m.t.Error(err)
		}
	})
}

// hears waits for news of addresses, in this order and of no others.
func (m *machine) hears(w *Neighbours, index int, want ...string) {
	m.t.Helper()
	w.file.SetReadDeadline(time.Now().Add(2 * time.Minute))
	for len(want) > 0 {
		list, err := w.Wait()
		if err != nil {
			m.t.Fatalf("%v: %v", want, err)
		}
		for _, n := range list {
			if len(want) == 0 || n != (Neighbour{index, netip.MustParseAddr(want[0])}) {
				m.t.Fatalf("heard of %v, waiting for %v", n, want)
			}
			want = want[1:]
		}
	}
}

// TestR7_Neighbours: what packets go to is heard of whether it answers or not,
// on the interfaces asked for, with the kernel's options as they are; and what
// they went to before is known.
func TestR7_Neighbours(t *testing.T) {
	a, b := pair(t)
	a.Addr("eth0", "10.0.0.1/24")
	b.Addr("eth0", "10.0.0.2/24")
	b.Addr("eth0", "10.0.0.3/24")
	a.poke("10.0.0.3")
	var w *Neighbours
	a.Do(func() {
		var err error
		if w, err = WatchNeighbours(); err != nil {
			t.Fatal(err)
		}
	})
	index := a.find("eth0").Index
	if err := w.Only(index); err != nil {
		t.Fatal(err)
	}
	// Who is there is heard of at once, who is not when the kernel gives up.
	a.poke("10.0.0.9", "10.0.0.2")
	a.hears(w, index, "10.0.0.2", "10.0.0.9")
	var list []Neighbour
	var err error
	a.Do(func() { list, err = w.Known() })
	seen := map[Neighbour]bool{}
	for _, n := range list {
		seen[n] = true
	}
	for _, want := range []string{"10.0.0.2", "10.0.0.3", "10.0.0.9"} {
		if !seen[Neighbour{index, netip.MustParseAddr(want)}] || err != nil {
			t.Errorf("%s is not among %v, %v", want, list, err)
		}
	}
	// Another interface: its news comes with the wire, and is not let in.
	if err := w.Only(index + 1000); err != nil {
		t.Fatal(err)
	}
	a.poke("10.0.0.8")
	a.Run("ip", "neigh", "replace", "10.0.0.7", "dev", "eth0", "lladdr", "2:0:0:0:0:7", "nud", "reachable")
	if err := w.Only(index); err != nil {
		t.Fatal(err)
	}
	a.Run("ip", "neigh", "replace", "10.0.0.6", "dev", "eth0", "lladdr", "2:0:0:0:0:6", "nud", "reachable")
	w.file.SetReadDeadline(time.Now().Add(2 * time.Minute))
	if list, err := w.Wait(); err != nil || len(list) == 0 || list[0].Addr == netip.MustParseAddr("10.0.0.7") {
		t.Errorf("%v, %v", list, err)
	}
	w.Close()
	if _, err := w.Wait(); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}
