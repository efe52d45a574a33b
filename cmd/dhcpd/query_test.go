package main

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dhcpd/cache"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestL2_PoolLines(t *testing.T) {
	const now = pool.Time(1_800_000_000)
	id := []byte{1, 0, 1, 0x1b, 0x0a, 0x68, 0xce}
	bound := func(told pool.Time, change func(*pool.Record)) pool.Record {
		r := pool.Record{Addr: addr("10.0.0.7"), State: pool.Bound, Since: now - 60, Told: told, Kept: told}
		r.ID = id
		if change != nil {
			change(&r)
		}
		return r
	}
	tests := []struct {
		name   string
		r      pool.Record
		member bool
		want   string
	}{
		{"never used", pool.Record{Addr: addr("10.0.0.7")}, true,
			"10.0.0.7         unused\n"},
		{"leased", bound(now+3600, nil), true,
			"10.0.0.7         +3600        -          0100011b0a68ce\n"},
		{"about to end", bound(now, nil), true,
			"10.0.0.7         +0           -          0100011b0a68ce\n"},
		{"ended", bound(now-120, nil), true,
			"10.0.0.7         -120         -          0100011b0a68ce\n"},
		{"for ever", bound(pool.Infinite, nil), true,
			"10.0.0.7         infinite     -          0100011b0a68ce\n"},
		{"no longer in the pool", bound(now+3600, nil), false,
			"10.0.0.7         +3600        removed    0100011b0a68ce\n"},
		{"released", bound(now+3600, func(r *pool.Record) { r.State = pool.Released }), true,
			"10.0.0.7         -60          released   0100011b0a68ce\n"},
		{"released this second", bound(now+3600, func(r *pool.Record) { r.State, r.Since = pool.Released, now }), true,
			"10.0.0.7         -1           released   0100011b0a68ce\n"},
		{"abandoned, and a clock behind", bound(now+3600, func(r *pool.Record) { r.State, r.Since = pool.Abandoned, now+5 }), true,
			"10.0.0.7         -1           abandoned  0100011b0a68ce  probe +605\n"},
		{"fixed", bound(pool.Infinite, func(r *pool.Record) { r.State = pool.Fixed }), false,
			"10.0.0.7         infinite     fixed      0100011b0a68ce\n"},
		{"abandoned, by whom and for whom", bound(now+3600, func(r *pool.Record) {
			r.State = pool.Abandoned
			r.Decliner = id
			r.Holder = pool.HW{Type: 1, Len: 6, Addr: [16]byte{0, 1, 2, 3, 4, 0xff}}
		}), true,
			"10.0.0.7         -60          abandoned  0100011b0a68ce  decliner 0100011b0a68ce  holder 00:01:02:03:04:ff  probe +540\n"},
		{"abandoned by nobody, yesterday", pool.Record{Addr: addr("10.0.0.7"), State: pool.Abandoned, Since: now - 100_000}, true,
			"10.0.0.7         -100000      abandoned  -  probe +53000\n"},
		{"abandoned and out of the pool", bound(now, func(r *pool.Record) { r.State = pool.Abandoned }), false,
			"10.0.0.7         -60          abandoned  0100011b0a68ce\n"},
		{"host and circuit", bound(now+4294967295, func(r *pool.Record) {
			r.Addr = addr("255.255.255.254")
			r.Host = "a \"b\"\n"
			r.Agent = []byte("\x02\x01x\x01\x05eth 1")
		}), true,
			"255.255.255.254  +4294967295  -          0100011b0a68ce  host \"a \\\"b\\\"\\012\"  circuit \"eth 1\"\n"},
		{"circuit only", bound(now+5, func(r *pool.Record) { r.Agent = []byte("\x01\x00") }), true,
			"10.0.0.7         +5           -          0100011b0a68ce  circuit \"\"\n"},
		{"option 82 that is none", bound(now+5, func(r *pool.Record) { r.Agent = []byte("\x02\x01x\x01\x05eth") }), true,
			"10.0.0.7         +5           -          0100011b0a68ce\n"},
	}
	for _, tt := range tests {
		if got := string(appendRecord(nil, &tt.r, tt.member, false, now)); got != tt.want {
			t.Errorf("%s:\n%swant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestP6_NonceNotShown(t *testing.T) {
	r := pool.Record{Addr: addr("10.0.0.7"), State: pool.Bound, Told: 10}
	r.Nonce = []byte("0123456789abcdef")
	r.Unknown = "nonce=30313233"
	if got, want := string(appendRecord(nil, &r, true, false, 0)), "10.0.0.7         +10\n"; got != want {
		t.Errorf("pool: %q, want %q", got, want)
	}
	var e cache.Entry
	e.Name, e.Addr = "eth0", netip.MustParsePrefix("10.0.0.7/8")
	e.Options.Put(dhcp4.Authentication, []byte("0123456789abcdef"))
	const want = "eth0  address  10.0.0.7/8\neth0  left     infinite\n"
	if got := string(appendNetworks(nil, []cache.Entry{e}, dhcp4.Builtin(), cache.Clock{})); got != want {
		t.Errorf("cache:\n%swant\n%s", got, want)
	}
}

func TestL2_Networks(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	a := cache.Entry{Name: "eth0", Addr: netip.MustParsePrefix("192.0.2.7/24"), End: now.Add(time.Hour),
		Siaddr: addr("192.0.2.3"), Sname: "boot", File: "a\tb"}
	a.Options.Put(dhcp4.DNSServer, []byte{192, 0, 2, 1, 192, 0, 2, 2})
	a.Options.PutText(dhcp4.DomainName, "example.com")
	a.Options.PutUint32(dhcp4.LeaseTime, 7200)
	a.Options.Put(224, []byte{1, 2})
	a.Options.Put(dhcp4.RapidCommit, nil)
	b := cache.Entry{Name: "we\"ird", Addr: netip.MustParsePrefix("10.0.0.1/8"), End: now.Add(-time.Minute), Siaddr: addr("0.0.0.0")}
	const want = `eth0       address      192.0.2.7/24
eth0       left         +3600
eth0       siaddr       192.0.2.3
eth0       sname        "boot"
eth0       file         "a\011b"
eth0       DNSserver    192.0.2.1 192.0.2.2
eth0       domain       "example.com"
eth0       DHCPlease    7200
eth0       T224         0102
eth0       rapidcommit
"we\"ird"  address      10.0.0.1/8
"we\"ird"  left         -60
`
	at := cache.Clock{Now: now, Wall: now}
	if got := string(appendNetworks(nil, []cache.Entry{a, b}, dhcp4.Builtin(), at)); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

func TestAscending(t *testing.T) {
	for n := range 300 {
		list := make([]uint32, n)
		for i := range list {
			list[i] = rand.Uint32() >> (n % 25)
		}
		want := slices.Clone(list)
		slices.Sort(want)
		if got := ascending(list); !slices.Equal(got, want) {
			t.Fatalf("%d addresses: %x, want %x", n, got, want)
		}
	}
}

func TestDate(t *testing.T) {
	for day := range 400 * 366 {
		want := time.Unix(int64(day)*86400, 0).UTC()
		if y, m, d := date(day); y != want.Year() || m != int(want.Month()) || d != want.Day() {
			t.Fatalf("day %d: %d-%d-%d, want %v", day, y, m, d, want)
		}
	}
}
