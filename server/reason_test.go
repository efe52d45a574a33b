package server

import (
	"slices"
	"strconv"
	"testing"
	"time"
)

// TestS16_Counts: what was refused and what happened is counted by what it is.
func TestS16_Counts(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21")
	w.srv.Sweep(w.now, w.cfg, w.table) // as at a start
	w.site.Settings.Limit = 1
	w.bind(9, "10.0.0.20")
	w.ask(discover(8))                  // one too many
	w.ask(initReboot(9, "192.168.0.1")) // NAKed
	w.ask(decline(8, "10.0.0.20"))      // a stranger
	w.ask(decline(9, "10.0.0.20"))      // the holder
	w.sweep(10*time.Minute + time.Second)
	w.outcome(Outcome{Addr: ip("10.0.0.20")})
	w.overheard("10.0.0.7", 2)
	w.overheard("10.0.0.7", 5)
	var got []string
	for what, n := range w.srv.Counts().All {
		got = append(got, strconv.FormatUint(n, 10)+" "+what)
	}
	want := []string{
		"1 dropped: as many on the network as the limit allows",
		"1 dropped: a DHCPDECLINE of an address that is not the client's",
		"1 refused: address is not on the client's network",
		"1 addresses taken out of use because their holder declined them",
		"1 addresses back in use because nobody answered for them",
		"2 times another DHCP server was heard",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	for r := fine + 1; r < reasons; r++ {
		if r.String() == "" {
			t.Errorf("reason %d has no text", r)
		}
	}
}
