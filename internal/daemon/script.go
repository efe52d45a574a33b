package daemon

import (
	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/hook"
	"dhcpd/internal/netip"
)

// pass is what it takes to pass on what was learned.
type pass struct {
	runner *hook.Runner          // of scripts; nil if the config names none
	stale  bool                  // what a network says has changed
	files  map[string]*published // resolv.conf, by path
}

// closePass passes on what is left to be.
func (d *Daemon) closePass() {
	d.resolve()
	for _, p := range d.pass.files {
		p.close()
	}
	d.pass.runner.Close()
}

// startScripts makes ready for the scripts that the config names (C12). Which
// ones there are is settled now: what comes later can't add to them.
func (d *Daemon) startScripts() (err error) {
	if paths, _ := d.cfg.Paths(); len(paths) > 0 && d.opt.Test == 0 {
		d.pass.runner, err = hook.Start(paths)
	}
	return err
}

// callScripts has the scripts of a network run. The address is invalid where
// there is none, and the message is nil.
func (d *Daemon) callScripts(n *network, word string, addr netip.Prefix, m *dhcp4.Message) {
	if d.opt.Test > 0 || n.plan.Script == "" && n.plan.Notify == "" {
		return
	}
	env := hook.Environment(n.name(), addr, m)
	for _, path := range []string{n.plan.Script, n.plan.Notify} {
		if path == "" {
			continue
		}
		d.say.debug(1, n.name()+": "+path+" "+word)
		if err := d.pass.runner.Call(path, word, env); err != nil {
			d.say.once(n.name() + ": " + err.Error())
		}
	}
}

// tellScripts tells them of a lease that has been configured, or that they are
// to configure, in place of old.
func (d *Daemon) tellScripts(n *network, l, old *act.Lease) {
	word := hook.Bound
	switch {
	case old == nil:
	case old.Net == l.Net:
		word = hook.Renew
	default:
		d.callScripts(n, hook.Deconfig, netip.Prefix{}, nil)
	}
	d.callScripts(n, word, l.Net, l.ACK)
}
