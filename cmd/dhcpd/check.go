package main

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"dhcpd/internal/conf"
	"dhcpd/internal/dns"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/internal/safe"
	"dhcpd/pool"
)

// check is -n: it tells what is wrong with the config file, and with the pool
// by what the config file says of it, and what of all that will bite later.
func (c *command) check() {
	env := conf.Env{Interfaces: interfaces(), Resolve: c.look}
	loaded := c.load(pool.NewClock(c.read))
	if loaded != nil || c.status == 0 { // without a pool, too, but not with one that can't be read
		env.Pool = []netip.Addr{}
	}
	if loaded != nil {
		for _, n := range addresses(loaded.Table, false) {
			if a := netip.AddrFrom(n); loaded.Table.Member(a) {
				env.Pool = append(env.Pool, a)
			}
		}
	}
	cfg, err := conf.Load(c.conf, env)
	if err != nil {
		c.fail(err.Error())
		return
	}
	named, _ := cfg.Paths()
	scripts := len(named)
	for i, name := range append(named, cfg.Files()...) { // and so missed, but for what is built in
		if _, err := safe.ReadFile(name); errors.Is(err, fs.ErrNotExist) && name != confPath && !strings.HasSuffix(name, "/dhcptags.conf") {
			what := " is not there, and counts as empty"
			if i < scripts {
				what = " is not there"
			}
			c.fail(name + what)
		}
	}
	for _, p := range cfg.Problems() {
		c.fail(p)
	}
	idle := 0
	for _, a := range env.Pool {
		why, ok := cfg.Lendable(a)
		if ok {
			continue
		}
		if idle++; idle <= several {
			c.fail(why)
		}
	}
	if idle > several {
		c.fail("Addresses of the pool besides that are not given out: " + strconv.Itoa(idle-several))
	}
	if c.read().Wall.Before(pool.Built) {
		c.fail("The clock was never set, so leases may end late")
	}
}

// interfaces returns those of this machine, nil if the kernel won't tell.
func interfaces() (list []conf.Ifname) {
	host, err := link.Open()
	if err != nil {
		return nil
	}
	defer host.Close()
	links, err := host.Interfaces()
	if err != nil {
		return nil
	}
	for i := range links {
		l := &links[i]
		list = append(list, conf.Ifname{Name: l.Name, Index: l.Index, Ether: l.Ether && !l.Port})
	}
	return list
}

// several is how many addresses -n complains about one by one. A network that
// was forgotten has thousands.
const several = 10

// load reads the pool file. Nil: there is none, or it could not be read, which
// it then has said.
func (c *command) load(clock *pool.Clock) *pool.Loaded {
	loaded, err := pool.Snapshot(c.pool, clock)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		c.fail(err.Error())
		return nil
	}
	if loaded.Corrupt != nil {
		c.fail(loaded.Corrupt.Error())
	}
	return loaded
}

// nameServers returns the addresses that the name servers have for a name.
func nameServers(name string) []netip.Addr {
	list, _ := dns.Resolve(name) // without one it is not known, which is reported
	return list
}
