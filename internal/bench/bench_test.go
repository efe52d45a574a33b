package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// dhcpd is the program under measurement, built for the tests.
var dhcpd string

func TestMain(m *testing.M) {
	runServant()
	os.Exit(netlab.RunWith(&dhcpd, m))
}

// small is a bench that takes no time to speak of.
func small(t *testing.T) (*bench, *bytes.Buffer) {
	out := new(bytes.Buffer)
	s := scale{turn: 1, rounds: 1, lines: 100, leases: 1000, few: 100, commits: 1, exchanges: 60, paced: 2, networks: 3}
	return &bench{scale: s, table: &table{out: out}, dhcpd: dhcpd, dir: t.TempDir(), t: t}, out
}

// TestBench_EachLoopAnswers: one exchange of each kind through each loop.
func TestBench_EachLoopAnswers(t *testing.T) {
	b, _ := small(t)
	pools := map[bool]netip.Prefix{false: netip.MustParsePrefix("10.48.0.0/12"), true: netip.MustParsePrefix("10.80.0.0/12")}
	for _, c := range b.contenders() {
		for lo, w := range map[bool]*crowd{false: c.wire, true: c.lo} {
			var had netip.Addr
			for _, k := range []kind{cold, warm, renew} {
				if _, err := w.run(k, 7, 1, 1); err != nil {
					t.Fatalf("%s, loopback %v: %v", c.name, lo, err)
				}
				got := netip.AddrFrom4(w.clients[7].addr)
				if !pools[lo].Contains(got) || k != cold && got != had {
					t.Errorf("%s, loopback %v, %v: %v, had %v", c.name, lo, k, got, had)
				}
				had = got
			}
		}
	}
}

// TestBench_CrowdRepeats: what is lost is asked for again, and nobody takes
// another's answer.
func TestBench_CrowdRepeats(t *testing.T) {
	b, _ := small(t)
	c := b.contenders()[1]
	w, loopback := c.wire, 1
	if err := w.relay.Only(loopback); err != nil { // no answer comes in
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := w.run(cold, 0, 50, 10)
		ended <- err
	}()
	b.lab.Until("a message sent again", func() bool { return w.again.Load() > 0 })
	if err := w.relay.Only(loopback, c.clients.Iface("eth0").Index); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	seen := map[[4]byte]bool{}
	for i, s := range w.clients[:50] {
		if s.asked != 0 || seen[s.addr] {
			t.Errorf("client %d: %+v", i, s)
		}
		seen[s.addr] = true
	}
}

// TestBench_EachPartPrints: every part works, and has something to say.
func TestBench_EachPartPrints(t *testing.T) {
	b, out := small(t)
	for _, p := range parts {
		out.Reset()
		p.do(b)
		rows := 0
		for line := range strings.Lines(out.String()) {
			if !strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "  (") || strings.Contains(line, "ratio") {
				continue
			}
			rows++
			f := strings.Fields(line[60:])
			if len(f) != 4 {
				t.Errorf("%s: %q", p.name, line)
			} else if f[0] == "-" || f[1] == "-" || f[0] == "0" && !strings.Contains(line, "CPU") && !strings.Contains(line, "syncs") {
				t.Errorf("%s: nothing measured: %q", p.name, line)
			}
		}
		if rows == 0 {
			t.Errorf("%s prints nothing: %s", p.name, out)
		}
		if p.name == "journal" && !strings.Contains(out.String(), "1,000 lazy renewals: syncs") {
			t.Error("no syncs")
		}
	}
}

func TestBench_Number(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.256: "0.26", 1: "1", 9.99: "9.99", 9.996: "10.0", 99.94: "99.9",
		99.96: "100", 999.4: "999", 999.6: "1,000", 12345.6: "12,346", 1e6: "1,000,000", none: "-"} {
		if got := number(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
	if got := share([]float64{5, 1, 4, 2, 3}, 0.5); got != 3 {
		t.Errorf("median %v", got)
	}
}
