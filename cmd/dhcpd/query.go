package main

import (
	"time"

	"dhcpd/cache"
	"dhcpd/internal/ascii"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// query is -q: it reads and prints the cache, the pool and what the daemon has
// counted, whether or not one runs.
func (c *command) query() {
	dict := dhcp4.Builtin()
	if cfg, err := conf.Load(c.conf, conf.Env{}); err != nil {
		c.fail(err.Error()) // the built-in names will do
	} else {
		dict = cfg.Dict()
	}
	at := c.cacheClock()
	held, notice, err := cache.Read(c.cache, dict, at)
	if err != nil {
		c.fail(err.Error())
	}
	if notice != "" {
		c.fail(notice)
	}
	if c.json {
		c.out.open("", '{')
		c.out.networks(held.Entries, dict, at)
	} else {
		c.print(appendNetworks(nil, held.Entries, dict, at))
	}
	c.queryPool()
	c.queryCounts()
	if c.json {
		c.out.close('}')
		c.out.b = append(c.out.b, '\n')
	}
	c.flush()
}

// queryPool prints the pool, in the order of its addresses, set apart from
// what may stand before, and then what a relay has seen.
func (c *command) queryPool() {
	clock := pool.NewClock(c.read)
	table := c.table(clock)
	// Rounded up, as the ends of leases are: a new lease has no second too many.
	now := pool.Time(clock.Now().Add(time.Second - 1).Unix())
	for i, part := range [...]string{"leases", "relayed"} {
		list := addresses(table, i > 0)
		if c.json {
			c.out.open(part, '[')
		} else if len(list) > 0 {
			c.out.b = append(c.out.b, c.apart()...)
		}
		for _, n := range list {
			e := table.At(netip.AddrFrom(n))
			r := e.Record()
			if r.State == pool.Abandoned {
				c.abandoned++
			}
			if c.json {
				c.out.lease(&r, e.Member(), e.Wakeful(), now)
			} else {
				c.out.b = appendRecord(c.out.b, &r, e.Member(), e.Wakeful(), now)
			}
			if len(c.out.b) > 1<<16 {
				c.flush()
			}
		}
		if c.json {
			c.out.close(']')
		}
		c.flush()
	}
}

// flush prints what has gathered.
func (c *command) flush() {
	c.print(c.out.b)
	c.out.b = c.out.b[:0]
}

// table reads the pool file; without one the pool is empty.
func (c *command) table(clock *pool.Clock) *pool.Table {
	if loaded := c.load(clock); loaded != nil {
		return loaded.Table
	}
	return pool.NewTable()
}

// addresses returns the addresses that -q shows, in order: those of the pool,
// and those that are or were leased without being in it; or what a relay saw
// others lease, which is none of ours.
func addresses(t *pool.Table, relayed bool) []uint32 {
	var list []uint32
	for r := range t.All() {
		if (r.State == pool.Relayed) == relayed {
			list = append(list, r.Addr.Number())
		}
	}
	return ascending(list)
}

// ascending sorts addresses, octet by octet from the last to the first.
func ascending(list []uint32) []uint32 {
	other := make([]uint32, len(list))
	for shift := 0; shift < 32; shift += 8 {
		var from [257]int // where those with an octet begin
		for _, a := range list {
			from[a>>shift&255+1]++
		}
		for i := range 256 {
			from[i+1] += from[i]
		}
		for _, a := range list {
			octet := a >> shift & 255
			other[from[octet]] = a
			from[octet]++
		}
		list, other = other, list
	}
	return list
}

// cacheClock is what the clocks say, for the cache.
func (c *command) cacheClock() cache.Clock {
	r := c.read()
	return cache.Clock{Now: r.Wall, Boot: r.Boot, Wall: r.Wall, Up: r.Up, Built: pool.Built}
}

// appendNetworks appends what is known of each network, a line for each tag,
// by the names of the config file and in its language.
func appendNetworks(b []byte, entries []cache.Entry, d *dhcp4.Dict, at cache.Clock) []byte {
	var t table
	for i := range entries {
		t.network(&entries[i], d, at)
	}
	return t.append(b)
}

// table is rows of three fields: network, tag, value.
type table [][3]string

func (t *table) row(network, tag, value string) {
	*t = append(*t, [3]string{network, tag, value})
}

func (t *table) network(e *cache.Entry, d *dhcp4.Dict, at cache.Clock) {
	name := printable(e.Name)
	t.row(name, "address", e.Addr.String())
	left := "infinite"
	if !e.Infinite() {
		left = string(appendSeconds(nil, int64(e.End.Sub(at.Now).Seconds())))
	}
	t.row(name, "left", left)
	if e.Siaddr.IsValid() && !e.Siaddr.IsUnspecified() {
		t.row(name, "siaddr", e.Siaddr.String())
	}
	if e.Sname != "" {
		t.row(name, "sname", dhcp4.Quoted(e.Sname))
	}
	if e.File != "" {
		t.row(name, "file", dhcp4.Quoted(e.File))
	}
	for code, v := range e.Options.All() {
		if code == dhcp4.Authentication { // it may hold a nonce: P6
			continue
		}
		tag, _ := d.ByCode(code)
		t.row(name, tag.Name, string(tag.AppendValue(nil, v)))
	}
}

// append appends the rows with their first two fields in columns.
func (t table) append(b []byte) []byte {
	var width [2]int
	for _, row := range t {
		for i := range width {
			width[i] = max(width[i], len(row[i])+2)
		}
	}
	for _, row := range t {
		line := len(b)
		b = column(append(b, row[0]...), line+width[0])
		b = column(append(b, row[1]...), line+width[0]+width[1])
		b = append(ascii.TrimRight(append(b, row[2]...), ' '), '\n')
	}
	return b
}

// printable returns an interface's name as it is, or quoted if there is
// anything odd in it.
func printable(name string) string {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return dhcp4.Quoted(name)
		}
	}
	return name
}
