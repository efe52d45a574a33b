package relay

import (
	"math/rand/v2"
	"testing"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
)

// TestD2_NoSilence: whatever comes, a message that is not passed on leaves a Note
// with the reason, and the counter of that reason is one higher.
func TestD2_NoSilence(t *testing.T) {
	dice := rand.New(rand.NewPCG(13, 14))
	addrs := ips("0.0.0.0 10.0.1.1 10.0.0.2 10.0.7.1 127.0.0.1 224.0.0.1 10.0.1.100")
	seen := map[string]int{}
	for range 20_000 {
		w := newWorld(Settings{Circuit: []byte("eth1"), Trusted: dice.IntN(2) == 0, Servers: ips([]string{"10.0.0.1", "10.0.1.9"}[dice.IntN(2)])})
		spoil := func(m *dhcp4.Message) {
			m.Hops, m.Giaddr = byte(dice.IntN(20)), addrs[dice.IntN(len(addrs))]
			if dice.IntN(4) == 0 {
				m.Options.Put(dhcp4.RelayAgent, []byte("\x01\x01x"))
			}
		}
		typ := dhcp4.Type(dice.IntN(19))
		data := request(typ, spoil)
		up := dice.IntN(2) == 0
		if !up {
			data = reply(typ, spoil)
		}
		var m dhcp4.Message
		if m.Parse(data) != nil {
			continue
		}
		p := Packet{Msg: &m, Data: data, From: addrs[1+dice.IntN(len(addrs)-1)], To: addrs[1], Clients: dice.IntN(2) == 0}
		if dice.IntN(2) == 0 {
			p.From = w.net.Servers[0]
		}
		var actions []act.Action
		switch {
		case up:
			actions = w.Up(w.now, w.net, w.table, &p)
		case dice.IntN(3) == 0:
			actions = w.Lost(dice.IntN(2) == 0)
		case Answers(&m):
			_, actions = w.Answer(w.now, w.table, &p)
		default:
			actions = w.Down(w.now, w.net, w.table, &p)
		}
		sent, why := false, ""
		for i := range actions {
			switch a := &actions[i]; {
			case a.Verb == act.Send:
				sent = true
			case a.Verb == act.Note && a.Level == act.Drop:
				why = a.Text
			}
		}
		if sent == (why != "") {
			t.Fatalf("%s: sent is %v, and %q is said", m.Line(nil), sent, why)
		}
		for r := range reasons {
			if n := w.Counts()[r]; r != noRoom && (n > 0) != (r.String() == why) {
				t.Fatalf("%s: %q is said, and %q counted %d times", m.Line(nil), why, r, n)
			}
		}
		seen[why]++
	}
	for r := range reasons {
		if r != noRoom && r != tooMany && seen[r.String()] == 0 {
			t.Errorf("never: %s", r)
		}
	}
}
