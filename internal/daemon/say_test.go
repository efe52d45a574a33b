package daemon

import (
	"strings"
	"testing"

	"dhcpd/internal/act"
)

// TestD2_Notes: who sees what a core has to say, and how.
func TestD2_Notes(t *testing.T) {
	for _, c := range []struct {
		level    act.Level
		debug    int
		out, err string
	}{
		{act.Log, 0, "", "dhcpd: eth0: why\n"},
		{act.Debug1, 0, "", ""},
		{act.Debug1, 1, "eth0: why\n", ""},
		{act.Drop, 1, "", ""},
		{act.Drop, 2, "eth0: dropped: why\n", ""},
		{act.Refusal, 1, "", ""},
		{act.Refusal, 2, "eth0: refused: why\n", ""},
	} {
		var out, err strings.Builder
		d := &Daemon{say: sayer{out: &out, err: &err, level: c.debug}}
		d.note("eth0", &act.Action{Verb: act.Note, Level: c.level, Text: "why"})
		if out.String() != c.out || err.String() != c.err {
			t.Errorf("level %d at -d%d: %q, %q", c.level, c.debug, out.String(), err.String())
		}
	}
}
