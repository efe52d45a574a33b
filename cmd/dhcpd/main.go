// Dhcpd is a DHCP client, server and relay: dhcpd(8).
package main

import (
	"io"
	"os"
)

// Where the files are if -f, -c and -p don't say. Firmware sets its own with
// -ldflags "-X main.poolPath=…".
var (
	confPath  = "/etc/dhcp.conf"
	cachePath = "/var/lib/dhcpd/dhcp.cache"
	poolPath  = "/var/lib/dhcpd/dhcp.pool"
	version   = "devel"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run does what the command line says and returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	f, err := parseFlags(args)
	if err != nil {
		io.WriteString(stderr, err.Error()+"\n")
		return 1
	}
	c := &command{flags: f, stdout: stdout, stderr: stderr}
	switch f.verb {
	case 'q':
		c.query()
	case 'a':
		c.add()
	case 'r':
		c.remove()
	case 'n':
		c.check()
	case 'V':
		io.WriteString(stdout, "dhcpd "+version+"\n")
	default:
		c.serve()
	}
	return c.status
}

// command is one verb at work.
type command struct {
	*flags
	stdout, stderr io.Writer
	status         int // the exit status so far
}

// fail says what went wrong. The rest is still done.
func (c *command) fail(why string) {
	io.WriteString(c.stderr, "dhcpd: "+why+"\n")
	c.status = 1
}
