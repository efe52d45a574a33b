package daemon

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dhcpd/internal/netip"
)

// TestP1_NamesOnATimer: a name that is not known yet is asked for soon and then
// less and less often; one that is known every ten minutes. Only other answers
// are news, and silence is no answer.
func TestP1_NamesOnATimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var answer []netip.Addr
		var fault error
		says := func(a []netip.Addr, err error) {
			mu.Lock()
			defer mu.Unlock()
			answer, fault = a, err
		}
		var asked []time.Duration
		start := time.Now()
		n := names{look: func(string) ([]netip.Addr, error) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, time.Since(start))
			return answer, fault
		}}
		ping, ended := make(chan struct{}, 1), make(chan struct{})
		defer close(ended)
		wait := func(d time.Duration, news bool, want string) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := len(ping) > 0; got != news {
				t.Errorf("after %v: news %v", time.Since(start), got)
			}
			for len(ping) > 0 {
				<-ping
			}
			got := ""
			for _, a := range n.addrs("ns") {
				got += a.String()
			}
			if got != want {
				t.Errorf("after %v: %q, want %q", time.Since(start), got, want)
			}
		}
		one, two := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
		if n.addrs("ns") != nil {
			t.Error("known before it was asked for")
		}
		n.want(nil, ping, ended) // most files have no such names
		n.want([]string{"ns"}, ping, ended)
		n.want([]string{"ns"}, ping, ended)
		wait(0, false, "")
		wait(20*time.Second, false, "") // asked at 0, 5, 15
		says([]netip.Addr{one}, nil)
		wait(20*time.Second, true, "10.0.0.1") // at 35
		wait(9*time.Minute, false, "10.0.0.1")
		says([]netip.Addr{two}, nil)
		wait(2*time.Minute, true, "10.0.0.2") // at 10:35
		says(nil, errors.New("no answer"))
		wait(10*time.Minute, false, "10.0.0.2") // at 20:35
		says(nil, nil)
		wait(10*time.Minute, true, "") // at 30:35, and then at :40, :50, 31:10
		mu.Lock()
		defer mu.Unlock()
		if len(asked) != 10 {
			t.Errorf("asked at %v", asked)
		}
	})
}
