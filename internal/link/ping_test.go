package link

import (
	"errors"
	"os"
	"testing"

	"dhcpd/internal/netip"
)

func TestS7_Ping(t *testing.T) {
	a, b := pair(t)
	a.Addr("eth0", "10.0.0.1/24")
	b.Addr("eth0", "10.0.0.2/24")
	var p *Ping
	a.Do(func() {
		var err error
		if p, err = OpenPing(); err != nil {
			t.Fatal(err)
		}
	})
	there := netip.MustParseAddr("10.0.0.2")
	check(t, p.Ask(netip.MustParseAddr("10.0.0.3"))) // nobody
	check(t, p.Ask(there))
	if from, err := p.Wait(); err != nil || from != there {
		t.Errorf("answer from %v, %v", from, err)
	}
	if err := p.Ask(netip.MustParseAddr("192.0.2.1")); err == nil {
		t.Error("no error without a route")
	}
	ended := make(chan error)
	go func() { _, err := p.Wait(); ended <- err }()
	p.Close()
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := p.Ask(there); !errors.Is(err, os.ErrClosed) {
		t.Errorf("asked after Close: %v", err)
	}
}
