package main

import (
	"testing"

	"dhcpd/internal/conf"
	"dhcpd/pool"
)

// Who is still to be woken, and who did not answer that; never the nonce (P6).
func TestF2_WakeShown(t *testing.T) {
	const now = pool.Time(1000)
	r := pool.Record{Addr: addr("10.0.0.7"), State: pool.Bound, Told: now + 10, Client: pool.Client{ID: []byte{1, 2}}}
	r.Nonce = []byte("0123456789abcdef")
	if got, want := string(appendRecord(nil, &r, true, true, now)), "10.0.0.7         +10          -          0102  wake pending\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	r.Asleep = true
	if got, want := string(appendRecord(nil, &r, true, false, now)), "10.0.0.7         +10          -          0102  wake unanswered\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// moved asks dhcp.conf(5)'s example of hosts that move where they are now. What
// waking makes of it is TestF1_F4_ThreeHostsMove.
func moved(t *testing.T, text string) {
	t.Helper()
	cfg := example(t, text, "", conf.Env{})
	for last, want := range map[byte]string{0x21: "192.0.2.41", 0x22: "192.0.2.42"} {
		q := conf.Query{ID: []byte{1, 0, 0, 0x5e, 0, 0x53, last}}
		a, ok := cfg.Ask(&q).Fixed(addr("192.0.2.21"))
		var info conf.Info
		if !ok || a != addr(want) || !cfg.Gather(&q, a, &info) || tags(&info.Options) != "netmask 255.255.255.0 DHCPlease 86400 DNSserver 192.0.2.4 " {
			t.Errorf("%x: %v, %s", last, a, tags(&info.Options))
		}
	}
}

// keys asks the example of keys whose they are.
func keys(t *testing.T, text string) {
	t.Helper()
	cfg := example(t, text, "", conf.Env{Include: func(path string) (string, error) {
		return `key 1 "one"; key 7 "seven";`, nil
	}})
	if p := cfg.Own([]conf.Net{{Name: "eth0", Index: 2, Ether: true, Addr: addr("192.0.2.1")}})[0]; p.Key == nil || p.Key.ID != 1 {
		t.Errorf("eth0: %+v", p.Key)
	}
	w := cfg.Ask(&conf.Query{ID: []byte{1, 0, 0, 0x5e, 0, 0x53, 7}})
	if k := w.Key(nil); k == nil || string(k.Secret) != "seven" {
		t.Errorf("client 7: %+v", k)
	}
}
