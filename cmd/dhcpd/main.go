// Dhcpd is a DHCP client, server and relay: dhcpd(8).
package main

import (
	"io"
	"os"
	"syscall"

	"dhcpd/internal/hook"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// Where the files are if -f, -c and -p don't say. Firmware sets its own with
// -ldflags "-X main.poolPath=…".
var (
	confPath  = "/etc/dhcp.conf"
	cachePath = "/var/lib/dhcpd/dhcp.cache"
	poolPath  = "/var/lib/dhcpd/dhcp.pool"
	runPath   = "/run/dhcpd"
	version   = "devel"
)

func main() {
	first := asFirst()
	status := run(os.Args[1:], os.Stdout, os.Stderr)
	if first && status == 0 {
		io.WriteString(os.Stderr, "dhcpd: done, and waits: the kernel panics when its first process ends\n")
		for { // a signal is no reason
			_ = syscall.Pause()
		}
	}
	os.Exit(status)
}

// run does what the command line says and returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	c := command{stdout: stdout, stderr: stderr, read: machine, look: nameServers}
	return c.run(args)
}

// command is one run of the program.
type command struct {
	*flags
	stdout, stderr io.Writer
	read           func() pool.Reading            // the clocks
	look           func(name string) []netip.Addr // by the name servers
	status         int                            // the exit status so far
	printed        bool                           // something has been
	out            jsonText                       // what is to be printed next, in either form
	abandoned      int                            // addresses, of those printed
}

func (c *command) run(args []string) int {
	if len(args) > 0 && args[0] == hook.LoopFlag {
		return hook.Loop(args[1:], os.Stdin, c.stderr)
	}
	f, err := parseFlags(args)
	if err != nil {
		io.WriteString(c.stderr, usage+"\n")
		return 1
	}
	c.flags = f
	switch f.verb {
	case 'q':
		c.query()
	case 'a':
		c.add()
	case 'r':
		c.remove()
	case 'w':
		c.wake()
	case 'e':
		c.explain()
	case 'l':
		c.ask()
	case 'n':
		c.check()
	case 'V':
		c.print([]byte("dhcpd " + version + "\n"))
	default:
		c.serve()
	}
	return c.status
}

// print writes what was asked for. Who asked by script must know if it is not
// all there.
func (c *command) print(b []byte) {
	c.printed = c.printed || len(b) > 0
	if _, err := c.stdout.Write(b); err != nil {
		c.fail(err.Error())
	}
}

// apart returns what sets the next section apart from what was printed before.
func (c *command) apart() []byte {
	if c.printed {
		return []byte("\n")
	}
	return nil
}

// fail says what went wrong. The rest is still done.
func (c *command) fail(why string) {
	io.WriteString(c.stderr, "dhcpd: "+why+"\n")
	c.status = 1
}

// machine reads the clocks of this machine.
func machine() pool.Reading {
	boot, err := link.BootID()
	if err != nil {
		boot = "" // as of no boot that anyone remembers
	}
	return pool.Reading{Boot: boot, Wall: link.Wall(), Up: link.Boottime()}
}
