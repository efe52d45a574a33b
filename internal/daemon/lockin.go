package daemon

import (
	"slices"
	"strings"

	"dhcpd/internal/conf"
	"dhcpd/internal/dns"
	"dhcpd/internal/lock"

	"golang.org/x/sys/unix"
)

// kernelFiles are in the folder /proc: clocks, memory use, what is forwarded. In
// there, files of other processes are closed to whoever may not look into those.
const kernelFiles = "/proc/self"

// lockIn gives up what is not needed from here on (N4): before anything of the
// network is heard, and when the configuration says which files there are.
func (d *Daemon) lockIn() {
	r := &lock.Reach{Admin: d.opt.Test == 0, Lacks: d.say.log,
		Read: append(slices.Clip(d.cfg.Files()), conf.HostsFile, dns.ResolvConf, kernelFiles)}
	if r.Admin {
		resolv, net := "", ""
		if d.opt.Once > 0 {
			resolv, net = resolvConf, d.opt.NetConf
		}
		_, files := d.cfg.Paths()
		// The pool even where nobody is served: after a reload somebody may be.
		r.Write = append(files, d.opt.Cache, d.opt.Counts, d.opt.Pool, resolv, net)
	}
	d.say.debug(1, "Locked in: "+lock.In(r))
}

// outOfReach says what is wrong with a file, and what may be behind that: it is in
// none of the folders of the start.
func outOfReach(err error) string {
	s := err.Error()
	if strings.Contains(s, unix.EACCES.Error()) {
		s += "; if its folder is new, start dhcpd again"
	}
	return s
}
