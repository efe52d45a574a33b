package main

import "dhcpd/internal/daemon"

// serve is dhcpd without a verb: the daemon.
func (c *command) serve() {
	c.status = daemon.Run(daemon.Options{
		Conf:       c.conf,
		Cache:      c.cache,
		Pool:       c.pool,
		Counts:     c.counts(),
		Test:       c.test,
		Debug:      c.debug,
		Interfaces: c.interfaces,
		Stdout:     c.stdout,
		Stderr:     c.stderr,
	})
}
