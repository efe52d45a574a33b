package main

import (
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// add is -a: hosts into the pool.
func (c *command) add() { c.edit(pool.Add, pool.Present, " is in the pool already") }

// remove is -r: hosts out of the pool.
func (c *command) remove() { c.edit(pool.Del, pool.Absent, " is not in the pool") }

// edit changes the pool for all hosts of the command line that can be
// understood, and says for which of their addresses it had no effect.
func (c *command) edit(verb pool.Verb, useless pool.Result, why string) {
	addrs := c.addresses()
	if len(addrs) == 0 {
		return
	}
	results, err := pool.Edit(c.pool, verb, addrs)
	if err != nil {
		c.fail(err.Error())
	}
	for i, r := range results {
		if r == useless {
			c.fail(addrs[i].String() + why)
		}
	}
}

// addresses returns what the hosts of the command line stand for.
func (c *command) addresses() (all []netip.Addr) {
	for _, host := range c.hosts {
		list, err := c.expand(host)
		if err != nil {
			c.fail(err.Error())
		}
		all = append(all, list...)
	}
	return all
}
