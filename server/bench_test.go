package server

import (
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
)

// typical is what a common client sends along.
var typical = []mod{
	option(dhcp4.ParameterList, 1, 3, 6, 15, 26, 28, 51, 58, 59),
	option(dhcp4.ClientID, 1, 2, 0, 0, 0, 0, 9), text(dhcp4.HostName, "nine"),
	text(dhcp4.ClassID, "udhcp 1.36"), option(dhcp4.MaxSize, 2, 64),
}

// known is a world with one client that has its lease, and its messages.
func known(t testing.TB) (w *world, msgs map[string]*dhcp4.Message) {
	w = newWorld(t, house, "10.0.0.20", "10.0.0.21")
	w.ask(selecting(9, "10.0.0.20", typical...))
	return w, map[string]*dhcp4.Message{
		"DISCOVER":    discover(9, typical...),
		"SELECTING":   selecting(9, "10.0.0.20", typical...),
		"INIT-REBOOT": initReboot(9, "10.0.0.20", typical...),
		"RENEWING":    renewing(9, "10.0.0.20", typical...),
		"NAK":         initReboot(9, "10.0.1.20", typical...),
		"drop":        initReboot(8, "10.0.0.21", typical...),
		"entry":       discover(0x99, typical...),
		"relayed":     discover(9, append([]mod{giaddr("10.0.0.7"), text(dhcp4.RelayAgent, "\x01\x03ge1")}, typical...)...),
		"INFORM":      inform(9, "10.0.0.20", typical...),
		"RELEASE":     release(9, "10.0.0.20", typical...),
	}
}

func TestDecide_NoAllocation(t *testing.T) {
	w, msgs := known(t)
	for name, m := range msgs {
		decide := func() { w.srv.Decide(w.now, w.cfg, &w.site, w.table, m) }
		if n := testing.AllocsPerRun(100, decide); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// BenchmarkDecide measures the way from packet to packet: parse, decide,
// append. Beside it, as its measure, an echo: parse and append only.
func BenchmarkDecide(b *testing.B) {
	w, msgs := known(b)
	for _, name := range []string{"DISCOVER", "SELECTING", "RENEWING", "NAK", "drop", "relayed"} {
		packet, _ := msgs[name].Append(nil, 1500)
		b.Run(name, func(b *testing.B) {
			var m dhcp4.Message
			var out []byte
			start := time.Now()
			for range b.N {
				m.Parse(packet)
				out, _ = m.Append(out[:0], dhcp4.MinLimit)
			}
			echo := time.Since(start)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				m.Parse(packet)
				actions := w.srv.Decide(w.now, w.cfg, &w.site, w.table, &m)
				if x := &actions[len(actions)-1]; x.Verb == act.Send {
					out, _ = x.Msg.Append(out[:0], x.Limit)
				}
			}
			b.ReportMetric(float64(b.Elapsed())/float64(echo), "x-echo")
		})
	}
}
