package client

import (
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
)

// TestC10_EveryMessage puts a sound message of every type, with our xid, to
// the client in every phase: figure 5's arrows, and nothing else, may change
// anything.
func TestC10_EveryMessage(t *testing.T) {
	type arrow struct {
		phase Phase
		typ   dhcp4.Type
	}
	arrows := map[arrow]Phase{
		{Selecting, dhcp4.Offer}: Requesting,
		{Requesting, dhcp4.ACK}:  Bound,
		{Informing, dhcp4.ACK}:   Bound,
		{Selecting, dhcp4.BOOTP}: Probing,
		{Requesting, dhcp4.NAK}:  Selecting,
		{Rebooting, dhcp4.ACK}:   Bound,
		{Rebooting, dhcp4.NAK}:   Selecting,
		{Renewing, dhcp4.ACK}:    Bound,
		{Renewing, dhcp4.NAK}:    Selecting,
		{Rebinding, dhcp4.ACK}:   Bound,
		{Rebinding, dhcp4.NAK}:   Selecting,
	}
	for p := Init; p <= Rebinding; p++ {
		for typ := dhcp4.BOOTP; typ <= dhcp4.TLS; typ++ {
			r := newRig(t).reach(p)
			before := r.s
			m := reply(typ, r.s.Xid)
			if typ == dhcp4.BOOTP {
				m.Options.Del(dhcp4.LeaseTime)
			}
			got := r.got(m)
			if to, ok := arrows[arrow{p, typ}]; ok {
				if r.s.Phase != to {
					t.Errorf("%v in %v: to %v, not %v", typ, p, r.s.Phase, to)
				}
				continue
			}
			if r.s != before || len(got) != 1 || !strings.HasPrefix(got[0], "drop: ") && !strings.HasPrefix(got[0], "suspect: DHCPFORCERENEW: ") {
				t.Errorf("%v in %v: %q, to %v", typ, p, got, r.s.Phase)
			}
		}
	}
}

// TestC10_EveryEvent puts every other event to the client in every phase.
func TestC10_EveryEvent(t *testing.T) {
	const n = Rebinding + 1
	for _, c := range []struct {
		kind Kind
		to   [n]Phase // by phase: Init, with the carrier down, Selecting ...
	}{
		{Wake, [n]Phase{Init, Selecting, Requesting, Informing, Probing, InitReboot, Rebooting, Bound, Renewing, Rebinding}},
		{Conflict, [n]Phase{Init, Selecting, Requesting, Informing, Init, InitReboot, Rebooting, Bound, Renewing, Rebinding}},
		{LinkUp, [n]Phase{Selecting, Selecting, Selecting, Informing, Selecting, Rebooting, Rebooting, Rebooting, Rebooting, Rebooting}},
		{LinkDown, [n]Phase{Init, Init, Init, Init, Init, InitReboot, InitReboot, InitReboot, InitReboot, InitReboot}},
		{Stop, [n]Phase{Init, Selecting, Requesting, Informing, Probing, InitReboot, Rebooting, Bound, Renewing, Rebinding}},
		{LinkReady, [n]Phase{Init, Selecting, Requesting, Informing, Probing, InitReboot, Rebooting, Bound, Renewing, Rebinding}},
		{Leave, [n]Phase{Init, Selecting, Requesting, Informing, Probing, InitReboot, Rebooting, Bound, Renewing, Rebinding}},
		{Start, [n]Phase{Init, Selecting, Selecting, Selecting, Selecting, Init, Selecting, Selecting, Selecting, Selecting}},
	} {
		for p := Init; p <= Rebinding; p++ {
			r := newRig(t).reach(p)
			r.do(Event{Kind: c.kind, MAC: theirs, Rand: even(3)})
			if r.s.Phase != c.to[p] {
				t.Errorf("event %d in %v: to %v, not %v", c.kind, p, r.s.Phase, c.to[p])
			}
		}
	}
}

// TestC10_BeforeStart: the zero State waits.
func TestC10_BeforeStart(t *testing.T) {
	for kind := Wake; kind <= Leave; kind++ {
		r := newRig(t)
		if got := r.do(Event{Kind: kind, MAC: theirs, Msg: reply(dhcp4.Offer, 0)}); got != nil {
			t.Errorf("event %d: %q", kind, got)
		}
		r.is(Init, -1)
	}
}
