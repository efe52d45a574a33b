package main

import (
	"path"

	"dhcpd/internal/bootargs"
	"dhcpd/internal/daemon"
	"dhcpd/internal/link"
	"dhcpd/internal/safe"
)

// kernelArguments is where the kernel has its command line.
const kernelArguments = "/proc/cmdline"

// serve is dhcpd without a verb: the daemon.
func (c *command) serve() {
	c.stderr = link.Log(c.stderr)
	o := daemon.Options{
		Conf:       c.conf,
		Cache:      c.cache,
		Pool:       c.pool,
		Counts:     c.counts(),
		Test:       c.test,
		Debug:      c.debug,
		Once:       c.once,
		NetConf:    netConf(),
		Interfaces: c.interfaces,
		Stdout:     c.stdout,
		Stderr:     c.stderr,
	}
	if c.once > 0 && !c.bootArguments(&o) {
		return
	}
	c.status = daemon.Run(o)
}

// netConf returns what the paths of the files that -o leaves begin with: they lie
// beside the folder of the counts, as a rule in /run.
func netConf() string {
	if runPath == "" {
		return "/run/net-"
	}
	return path.Join(runPath, "../net-")
}

// bootArguments takes in what the kernel was told of networks: only -o, which
// stands in for the kernel's own ip=, does that. False: none is to be
// configured.
func (c *command) bootArguments(o *daemon.Options) bool {
	line, err := safe.ReadFile(kernelArguments)
	if err != nil {
		c.fail(err.Error()) // said, and done without
	}
	a := bootargs.Parse(string(line))
	for _, bad := range a.Bad {
		c.fail(kernelArguments + ": " + bad)
	}
	if a.Off && len(a.Devices) == 0 {
		c.fail(kernelArguments + ": no network is to be configured")
		c.status = 0
		return false
	}
	o.MAC, o.More = a.MAC, a.Conf
	if len(o.Interfaces) == 0 {
		o.Interfaces = a.Devices
	}
	return true
}
