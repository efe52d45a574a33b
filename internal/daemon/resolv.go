package daemon

import (
	"errors"

	"dhcpd/internal/act"
	"dhcpd/internal/hook"
	"dhcpd/internal/safe"
)

// lease returns what is configured on a network by us, nil for nothing.
func (n *network) lease() *act.Lease {
	switch {
	case n.client.Running && n.client.Held && n.client.Lease.ACK != nil: // of its own, or the rest
		return n.client.Lease
	case n.origin == static:
		return n.static
	case n.origin == dynamic && n.client.Held:
		return n.client.Lease
	}
	return nil
}

// resolve writes the files that `option resolvconf` names, merged over all
// networks that name the same one, where they have changed. One that no
// network has had anything to say for stays as it is.
func (d *Daemon) resolve() {
	d.pass.stale = false
	if d.opt.Test > 0 {
		return
	}
	files := map[string]*hook.Resolver{}
	for _, n := range d.order {
		path := n.plan.ResolvConf
		if path == "" {
			continue
		}
		if files[path] == nil {
			files[path] = &hook.Resolver{}
		}
		if l := n.lease(); l != nil && l.ACK != nil {
			files[path].Add(&l.ACK.Options)
		}
	}
	for path, r := range files {
		text, p := r.Text(), d.pass.files[path]
		if p == nil && r.Empty() || p != nil && p.text == text {
			continue
		}
		if p == nil {
			p = &published{saver: newSaver(nil, d.failed)}
			if d.pass.files == nil {
				d.pass.files = map[string]*published{}
			}
			d.pass.files[path] = p
		}
		p.text = text
		p.put(func() error { return p.publish(path, text) })
	}
}

// published is a file for everybody to read.
type published struct {
	text string
	*saver
	told bool // that it can't be replaced; the saver's own
}

func (p *published) publish(path, text string) error {
	why, err := safe.Publish(path, text)
	if why == nil || p.told {
		return err
	}
	p.told = true
	return errors.New(why.Error() + "; the file is written in place")
}
