package client

import (
	"testing"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
)

// TestD2_NoSilence: a message of whatever type that comes to a client that waits
// for none leaves a Note with the reason.
func TestD2_NoSilence(t *testing.T) {
	for typ := range dhcp4.Type(30) {
		s := State{Config: &Config{MAC: ours}, Running: true}
		_, acts := Step(t0, s, Event{Kind: Got, Msg: reply(typ, s.Xid)})
		if len(acts) != 1 || acts[0].Verb != act.Note || acts[0].Text == "" || acts[0].Level != act.Drop && acts[0].Level != act.Suspect {
			t.Errorf("%v: %v", typ, acts)
		}
	}
}
