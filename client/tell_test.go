package client

import (
	"slices"
	"testing"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
)

// TestC12_Tell: scripts hear of a NAK, and when nobody answers: from the fourth
// DISCOVER on.
func TestC12_Tell(t *testing.T) {
	r := newRig(t)
	step := func(e Event) (told []string) {
		e.Rand = even(1)
		next, acts := Step(r.now, r.s, e)
		r.s = next
		for _, a := range acts {
			if a.Verb == act.Tell {
				told = append(told, a.Text)
				if (a.Msg != nil) != (a.Text == "nak") {
					t.Errorf("%s with the message %v", a.Text, a.Msg)
				}
			}
		}
		return told
	}
	if told := step(Event{Kind: Start}); told != nil {
		t.Errorf("at the start: %q", told)
	}
	for i, want := range [][]string{nil, nil, {"leasefail"}, {"leasefail"}} {
		r.now = r.s.Wake
		if told := step(Event{Kind: Wake}); !slices.Equal(told, want) {
			t.Errorf("repetition %d: %q", i, told)
		}
	}
	step(Event{Kind: Got, Msg: reply(dhcp4.Offer, 1)})
	if told := step(Event{Kind: Got, Msg: reply(dhcp4.NAK, 1)}); !slices.Equal(told, []string{"nak"}) {
		t.Errorf("NAK: %q", told)
	}
}
