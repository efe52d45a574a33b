package daemon

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"dhcpd/client"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
	"dhcpd/internal/safe"
	"dhcpd/server"
)

// TestL2_Report: what stands in the file that -q reads.
func TestL2_Report(t *testing.T) {
	var r report
	r.start, r.last = 5*time.Second+1, time.Hour
	r.clock.anchor = start
	r.counts.of[turns], r.counts.of[answered] = 1<<64-1, 1
	r.counts.received[dhcp4.Discover], r.counts.received[dhcp4.BOOTP], r.counts.sent[dhcp4.ACK] = 3, 4, 2
	r.others = []server.Other{
		{If: "eth0", Index: 2, Addr: netip.MustParseAddr("10.0.0.7"), Heard: start.Add(time.Minute)},
		{If: "eth1", Index: 3, Addr: netip.MustParseAddr("10.0.1.7"), HW: [6]byte{2, 5}, Heard: start.Add(time.Minute), Paused: start.Add(time.Second)},
	}
	const want = `@5 start
@3600 last turn of the loop
18446744073709551615 turns of the loop
4 BOOTP received
3 DHCPDISCOVER received
2 DHCPACK sent
1 answers to such questions
@60 another DHCP server last heard: 10.0.0.7 on eth0
@60 another DHCP server last heard: 10.0.1.7 on eth1 from 02:05:00:00:00:00
@1 serving paused because of it: 10.0.1.7 on eth1 from 02:05:00:00:00:00
`
	if got := string(r.append(nil)); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	for i, text := range counterTexts {
		if text == "" || strings.Contains(text, "\n") {
			t.Errorf("counter %d is called %q", i, text)
		}
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(netlab.Patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s", what)
		}
	}
}

// TestL2_TellerIsPatient: a loop that never rests costs few writes, and the
// last turn is told for all that, without another one.
func TestL2_TellerIsPatient(t *testing.T) {
	d, _, _ := newDaemon(t, "")
	path := filepath.Join(t.TempDir(), "run", "dhcp.cache.counts")
	d.teller = newTeller(path, make(chan error, 1))
	told := func(n uint64) bool {
		text, _ := os.ReadFile(path)
		return strings.Contains(string(text), "\n"+strconv.FormatUint(n, 10)+" turns of the loop\n")
	}
	writes := 0
	var before os.FileInfo
	begin := time.Now()
	for time.Since(begin) < 50*firstPause {
		d.count.of[turns]++
		d.tell()
		if now, err := os.Stat(path); err == nil && !os.SameFile(before, now) {
			before = now
			writes++
		}
	}
	spent := time.Since(begin)
	most := 2 // the first, and the one that may be under way
	for sum, pause := time.Duration(0), firstPause; sum < spent; pause *= 2 {
		sum += pause
		most++
	}
	if writes > most {
		t.Errorf("%d writes in %v, want at most %d", writes, spent, most)
	}
	eventually(t, "last turn", func() bool { return told(d.count.of[turns]) })

	f, err := safe.Open(path, os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !safe.Locked(f, 0) {
		t.Error("nobody can tell that the daemon lives")
	}
	d.count.of[turns]++
	d.closeTeller()
	if !told(d.count.of[turns]) {
		t.Error("the end was not told")
	}
	if g, err := safe.Open(path, os.O_RDONLY); err != nil || safe.Locked(g, 0) || safe.Locked(f, 0) {
		t.Errorf("nobody can tell that the daemon has ended (%v)", err)
	}
}

// TestL2_TellerFails: that the counts can't be written is said once, and is
// mended by itself.
func TestL2_TellerFails(t *testing.T) {
	d, _, _ := newDaemon(t, "")
	folder := filepath.Join(t.TempDir(), "run")
	if err := os.WriteFile(folder, nil, 0600); err != nil {
		t.Fatal(err)
	}
	d.failed = make(chan error, 1)
	d.teller = newTeller(filepath.Join(folder, "counts"), d.failed)
	d.tell()
	if err := <-d.failed; err == nil || !strings.Contains(err.Error(), folder) || !strings.HasSuffix(err.Error(), "; dhcpd -q can't show what is counted") {
		t.Errorf("said: %v", err)
	}
	d.tell()
	eventually(t, "second attempt", func() bool { return len(d.teller.news) == 0 })
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	d.closeTeller()
	if len(d.failed) > 0 {
		t.Errorf("said twice: %v", <-d.failed)
	}
	if _, err := os.Stat(d.teller.path); err != nil {
		t.Error(err)
	}
}

// TestD1_TellsNothing: in test mode nothing is written.
func TestD1_TellsNothing(t *testing.T) {
	d, _, _ := newDaemon(t, "")
	for test, want := range []bool{true, false, false} {
		d.opt = Options{Test: test, Counts: filepath.Join(t.TempDir(), "counts")}
		d.teller = nil
		d.openTeller()
		if (d.teller != nil) != want {
			t.Errorf("-t%d: told: %v", test, !want)
		}
		d.closeTeller()
	}
}

// TestL2_TellAllocates: to tell costs a turn no memory.
func TestL2_TellAllocates(t *testing.T) {
	d, _, _ := newDaemon(t, "")
	d.teller = &teller{news: make(chan struct{}, 1)} // nobody listens
	if n := testing.AllocsPerRun(100, d.tell); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestC13_CutShort: an OFFER that was cut before its first option is no BOOTP
// reply, and so no lease without end.
func TestC13_C10_CutShort(t *testing.T) {
	d, n, _ := newDaemon(t, "")
	d.settle()
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootReply)
	m.Htype, m.Hlen, m.Xid, m.Yiaddr = dhcp4.HtypeEther, 6, n.client.Xid, netip.MustParseAddr("10.0.0.5")
	copy(m.Chaddr[:], n.link.MAC[:])
	payload, _ := m.Append(nil, 0)
	whole := append(payload, make([]byte, 300)...)
	for _, size := range []int{240, 299, 300} {
		d.hearMessage(n, netip.MustParseAddr("10.0.0.1"), dhcp4.Everyone, whole[:size])
		if probing := n.client.Phase == client.Probing; probing != (size == 300) {
			t.Errorf("%d octets: %s", size, n.client.Phase)
		}
	}
	if got := d.count.of[malformed]; got != 2 {
		t.Errorf("%d counted", got)
	}
}
