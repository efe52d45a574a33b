package daemon

import (
	"io"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
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

// TestS16_LogLines: what the network can cause without end fills no log, and
// lines of another kind and those that matter more are said all the same.
func TestS16_LogLines(t *testing.T) {
	d, n, _ := newDaemon(t, "")
	var out strings.Builder
	d.say.err = &out
	lines := func() int { return strings.Count(out.String(), "\n") }
	flood := func(much int) {
		for range much {
			d.note(n.name(), &act.Action{Verb: act.Note, Level: act.Log, Text: "0102 declines 10.0.0.5"})
		}
	}
	flood(1000)
	if lines() != linesAtOnce {
		t.Errorf("%d lines at once, want %d", lines(), linesAtOnce)
	}
	d.service.sent(letter{batch: link.NewBatch(1, 1), lost: 1, err: io.ErrClosedPipe})
	d.say.log("the disk is full")
	if !strings.HasSuffix(out.String(), io.ErrClosedPipe.Error()+"\ndhcpd: the disk is full\n") {
		t.Errorf("other lines are left out:\n%s", out.String())
	}
	out.Reset()
	d.now = d.now.Add(lineEvery)
	flood(1000)
	if want := "dhcpd: lines like the next one left out: 980\ndhcpd: eth0: 0102 declines 10.0.0.5\n"; out.String() != want {
		t.Errorf("later: got %q, want %q", out.String(), want)
	}
	out.Reset()
	d.now = d.now.Add(24 * time.Hour)
	flood(1)
	flood(1000)
	if lines() != linesAtOnce+1 {
		t.Errorf("%d lines the day after, want %d and one about the others", lines(), linesAtOnce)
	}
}

// TestS16_TooBigLines: a client that names its options in ever another order
// does not fill log or memory.
func TestS16_TooBigLines(t *testing.T) {
	d, n, _ := newDaemon(t, "")
	var out strings.Builder
	d.say.err = &out
	m := new(dhcp4.Message)
	m.SetType(dhcp4.ACK)
	for i := range 10000 {
		var left dhcp4.Set
		left.Add(dhcp4.Code(1 + i%100))
		left.Add(dhcp4.Code(101 + i/100))
		d.service.tooBig(n, m, left)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 100 || len(d.say.told) != 100 {
		t.Errorf("%d lines, %d remembered", lines, len(d.say.told))
	}
	if first, _, _ := strings.Cut(out.String(), "\n"); first != "dhcpd: eth0: DHCP packet too big, no room in the DHCPACK for netmask TZname" {
		t.Errorf("it says %q", first)
	}
}

// TestS16_SilentDropsCostNothing: what nobody wants to hear is not put into
// words.
func TestS16_SilentDropsCostNothing(t *testing.T) {
	d, n, _ := newDaemon(t, "")
	a := &act.Action{Verb: act.Note, Level: act.Drop, Text: "no address for the client on its network"}
	if k := testing.AllocsPerRun(100, func() {
		d.note(n.name(), a)
		d.drop(&d.count.of[malformed], n.name(), "option runs past the end of its field")
	}); k != 0 {
		t.Errorf("%v allocations", k)
	}
}

// TestD2_HeardOnce: what both sockets of a client have heard is one message.
func TestD2_HeardOnce(t *testing.T) {
	d, n, _ := newDaemon(t, "")
	var out strings.Builder
	d.say.out, d.say.level = &out, 1
	d.settle()
	out.Reset()
	server, everyone := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("255.255.255.255")
	for xid := range uint32(2) {
		m := new(dhcp4.Message)
		m.Reset(dhcp4.BootReply)
		m.Xid = xid
		m.SetType(dhcp4.ACK)
		payload, _ := m.Append(nil, 0)
		frame := ether.AppendUDPFrame(nil, [6]byte{2, 0, 0, 0, 0, 9}, n.link.MAC, server, everyone, dhcp4.ServerPort, dhcp4.ClientPort, payload)
		d.hear(heard{net: n, kind: link.DHCP, data: frame})
		d.hear(heard{net: n, data: payload, from: netip.AddrPortFrom(server, dhcp4.ServerPort)})
	}
	if got := strings.Count(out.String(), "received from"); got != 2 || d.count.received[dhcp4.ACK] != 2 {
		t.Errorf("%d ACKs counted, and said:\n%s", d.count.received[dhcp4.ACK], out.String())
	}
}
