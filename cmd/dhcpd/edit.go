package main

import (
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// add is -a: hosts into the pool.
func (c *command) add() { c.edit(pool.Add, useless{pool.Present: " is in the pool already"}) }

// remove is -r: hosts out of the pool.
func (c *command) remove() { c.edit(pool.Del, useless{pool.Absent: " is not in the pool"}) }

// wake is -w: the clients there are to come and ask anew.
func (c *command) wake() {
	c.edit(pool.Wake, useless{pool.Absent: " was never leased",
		pool.Mute: " can't be woken: there is neither a key nor a nonce for its client"})
}

// useless is what to say of results that are no success.
type useless [pool.Mute + 1]string

// edit changes the pool for all hosts of the command line that can be
// understood, and says for which of their addresses it had no effect.
func (c *command) edit(verb pool.Verb, why useless) {
	addrs := c.addresses()
	if len(addrs) == 0 {
		return
	}
	results, err := pool.Edit(c.pool, verb, addrs)
	if err != nil {
		c.fail(err.Error())
	}
	for i, r := range results {
		if why[r] != "" {
			c.fail(addrs[i].String() + why[r])
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
