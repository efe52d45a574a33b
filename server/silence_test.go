package server

import (
	"math/rand/v2"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
)

// TestD2_NoSilence: whatever comes, a message that is not answered leaves a Note
// with the reason, and the counter of that reason is one higher.
func TestD2_NoSilence(t *testing.T) {
	w := newWorld(t, house, "10.0.0.20", "10.0.0.21", "10.0.1.20")
	dice := rand.New(rand.NewPCG(11, 12))
	seen := map[string]int{}
	for range 20_000 {
		m := randomMessage(dice, byte(dice.IntN(9)))
		w.now = w.now.Add(time.Duration(dice.IntN(200)) * time.Second)
		w.site.Settings.Server = dice.IntN(20) > 0
		w.site.Settings.Limit = dice.IntN(3)
		w.site.Settings.Authoritative = dice.IntN(3) == 0
		w.site.Standby = dice.IntN(10) == 0
		w.table.SetShut(dice.IntN(10) == 0)
		for _, spoil := range []func(){
			func() { m.SetType(dhcp4.Type(dice.IntN(20))) },
			func() { m.Op = dhcp4.BootReply },
			func() { m.Hlen = byte(dice.IntN(8)) },
			func() { m.Giaddr = ip([]string{"127.0.0.1", "10.0.1.1", "224.0.0.1", "10.7.0.1"}[dice.IntN(4)]) },
			func() { m.Ciaddr = ip([]string{"127.0.0.1", "10.0.0.20", "240.0.0.1"}[dice.IntN(3)]) },
			func() { m.Options.Put(dhcp4.RequestedAddress, make([]byte, dice.IntN(6))) },
			func() { m.Options.Put(dhcp4.ServerID, make([]byte, dice.IntN(6))) },
			func() { m.Options.Del(dhcp4.ServerID) },
			func() { m.Options.Put(dhcp4.SubnetSelection, make([]byte, dice.IntN(6))) },
			func() { m.Options.Put(dhcp4.RelayAgent, []byte{5, byte(dice.IntN(5)), 10, 0, 1, 0}) },
			func() { m.Htype, m.Hlen = 0, 0 },
		} {
			if dice.IntN(25) == 0 {
				spoil()
			}
		}
		before := *w.srv.Counts()
		actions := w.srv.Decide(w.now, w.cfg, &w.site, w.table, m)
		done, why := false, ""
		for i := range actions {
			switch a := &actions[i]; a.Verb {
			case act.Send, act.Commit:
				done = true
			case act.Note:
				if a.Level == act.Log {
					done = true
				} else if a.Level == act.Drop {
					why = a.Text
				}
			}
		}
		if !done && why == "" {
			t.Fatalf("%s: %v, and no word about it", m.Line(nil), actions)
		}
		for r := fine + 1; r < notThisNetwork; r++ {
			if counted := w.srv.Counts()[r] > before[r]; counted != (r.String() == why) {
				t.Fatalf("%s: %q is said, and %q counted: %v", m.Line(nil), why, r, counted)
			}
		}
		seen[why]++
		var a answer
		for i := range actions {
			w.apply(&actions[i], &a)
		}
	}
	for _, r := range []reason{notServed, notRequest, badGiaddr, badCiaddr, badHlen, nobody, badLink, badSubnet,
		notForServer, noAddress, noNetwork, noBOOTP, networkFull, corrupt, badRequest, noRequest, otherServer, noRecord,
		declineUnclear, releaseElsewhere, releaseOthers, informNowhere, informUnserved, standby, queryOff} {
		if seen[r.String()] == 0 {
			t.Errorf("never: %s", r)
		}
	}
}
