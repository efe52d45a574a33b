package main

import (
	"fmt"
	"strings"

	"dhcpd/internal/conf"
	"dhcpd/internal/netip"
)

// site is the config of a site with n clients, in networks of 200.
func site(n int) (text, hosts string) {
	var c, names strings.Builder
	c.WriteString("DNSserver 10.0.0.53;\nmacro net { IPMTU 1400; class PXE { file boot; }; };\n")
	for i := range n {
		net := fmt.Sprintf("10.%d.%d", i/200/250, i/200%250)
		if i%200 == 0 {
			fmt.Fprintf(&c, "host %s.0/24 { gateway %s.254; DHCPlease 3600; macro net; };\n", net, net)
		}
		mac := macOf(i)
		fmt.Fprintf(&c, "client %x:%x:%x:%x:%x:%x h%d { rootpath /export/h%d; };\n",
			mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], i, i)
		fmt.Fprintf(&names, "%s.%d\th%d\n", net, i%200+1, i)
	}
	return c.String(), names.String()
}

// queries are those of some of a site's clients, all over it: the more ask,
// the less of the config do the processor's caches hold.
type queries struct {
	conf *conf.Config
	by   []conf.Query
	at   []netip.Addr
	info conf.Info // what was gathered last
}

func (b *bench) queries(n, some int) *queries {
	text, hosts := site(n)
	c, err := conf.Parse("dhcp.conf", text, conf.Env{Hosts: hosts})
	b.check(err)
	q := &queries{conf: c}
	for k := range some {
		i := k * (n / some)
		mac := macOf(i)
		id := append([]byte{1}, mac[:]...)
		q.by = append(q.by, conf.Query{ID: id, HW: id, Class: []byte("PXEClient:Arch:00000")})
		q.at = append(q.at, netip.AddrFrom4([4]byte{10, byte(i / 200 / 250), byte(i / 200 % 250), byte(i%200 + 1)}))
	}
	return q
}

// config measures the questions that a request costs.
func (b *bench) config() {
	const small = 10
	b.section(fmt.Sprintf("config of %s clients", number(float64(b.lines))), "one of ten, who all ask")
	few, many := b.queries(b.lines, small), b.queries(b.lines, min(b.lines, 1000))
	all := b.queries(small, small)
	for _, ask := range []struct {
		name string
		do   func(q *queries, i int) bool
	}{
		{"gather", func(q *queries, i int) bool { return q.conf.Gather(&q.by[i], q.at[i], &q.info) }},
		{"fixed", func(q *queries, i int) bool {
			a, ok := q.conf.Ask(&q.by[i]).Fixed(q.at[i])
			return ok && a == q.at[i]
		}},
		{"network", func(q *queries, i int) bool {
			_, ok := q.conf.Network(q.at[i])
			return ok
		}},
	} {
		of := func(q *queries) work {
			return func(n int) {
				for i := range n {
					if !ask.do(q, i%len(q.by)) {
						b.t.Fatalf("bench: %s: client %d is not known", ask.name, i%len(q.by))
					}
				}
			}
		}
		b.compareRow(ask.name+", ten clients ask", of(few), of(all))
		b.compareRow(ask.name+", a thousand ask", of(many), of(all))
	}
}
