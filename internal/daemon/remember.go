package daemon

import (
	"bytes"
	"errors"
	"io"
	"time"

	"dhcpd/cache"
	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/pool"

	"golang.org/x/sys/unix"
)

// openCache takes the cache for our own and reads it. In test mode there is
// none.
func (d *Daemon) openCache() error {
	if d.opt.Test > 0 {
		return nil
	}
	lock, err := cache.Lock(d.opt.Cache)
	if errors.Is(err, unix.EROFS) {
		d.say.log(err.Error() + "; leases will not be remembered")
		return nil
	}
	if err != nil {
		return err
	}
	held, notice, err := cache.Read(d.opt.Cache, d.cfg.Dict(), d.reading())
	if err != nil {
		lock.Close()
		return err
	}
	if notice != "" {
		d.say.log(notice)
	}
	d.entries, d.duid, d.counter = held.Entries, held.DUID, held.Counter
	d.saver = newSaver(lock, d.failed)
	return nil
}

// reading is one reading of all clocks, for the cache.
func (d *Daemon) reading() cache.Clock {
	r := d.clock.read()
	return cache.Clock{Now: d.clock.anchor.Add(r.Up), Boot: r.Boot, Wall: r.Wall, Up: r.Up, Built: pool.Built}
}

// entry returns what the cache holds of a network, nil for nothing.
func (d *Daemon) entry(n *network) *cache.Entry {
	for i := range d.entries {
		if e := &d.entries[i]; e.Name == n.name() {
			return e
		}
	}
	return nil
}

// saveAgain is how soon the cache is written again for nothing but more time of
// the same lease: a server may give a second of it at a time.
const saveAgain = 30 * time.Second

// remember puts a network's lease into the cache.
func (d *Daemon) remember(n *network, l *act.Lease) {
	e := d.entry(n)
	if e == nil {
		d.prune()
		d.entries = append(d.entries, cache.Entry{})
		e = &d.entries[len(d.entries)-1]
	}
	more := e.Addr == l.Net && (l.ACK == nil || !newsIn(l.ACK, &e.Options))
	*e = leaseEntry(n, l)
	if more && d.now.Sub(n.saved) < saveAgain {
		d.unsaved = true
		return
	}
	n.saved = d.now
	d.save()
}

// newsIn tells whether a message says anything but for how long that is not
// known: a nonce, for one.
func newsIn(m *dhcp4.Message, known *dhcp4.Options) bool {
	for c, v := range m.Options.All() {
		time := c == dhcp4.LeaseTime || c == dhcp4.RenewalTime || c == dhcp4.RebindingTime
		if !time && !bytes.Equal(v, known.Get(c)) {
			return true
		}
	}
	return false
}

// prune takes out leases that have ended, of interfaces that are gone: nobody
// will ask for them again.
func (d *Daemon) prune() {
	kept := d.entries[:0]
	for i := range d.entries {
		e := &d.entries[i]
		here := func(n *network) bool { return n.name() == e.Name }
		if e.Infinite() || e.End.After(d.now) || d.any(here) {
			kept = append(kept, *e)
		}
	}
	d.entries = kept
}

// renamed has the cache follow an interface to its new name.
func (d *Daemon) renamed(from, to string) {
	for i := range d.entries {
		if e := &d.entries[i]; e.Name == from {
			e.Name = to
			d.save()
		}
	}
}

// forget takes a network out of the cache.
func (d *Daemon) forget(n *network) {
	if e := d.entry(n); e != nil {
		last := len(d.entries) - 1
		*e = d.entries[last]
		d.entries = d.entries[:last]
	}
	d.save()
}

func (d *Daemon) save() {
	d.unsaved = false
	if d.saver != nil {
		d.saver.put(d.writing())
	}
}

// writing returns what writes the cache as it is now.
func (d *Daemon) writing() func() error {
	// Not slices.Clone, which would bring the formatting of times into the program.
	held := cache.File{Entries: append([]cache.Entry(nil), d.entries...), DUID: d.duid,
		Counter: max(d.counter, d.counters)}
	dict, at := d.cfg.Dict(), d.reading()
	return func() error { return cache.Write(d.opt.Cache, held, dict, at) }
}

// reserve has the cache know that the replay counters from here on may be used,
// before the first one is: more than a run can use up, so that this is all. A
// message with one that was used before would not be believed. It is the one
// time that the loop waits for the disk: once in a run, where a key is in use, at
// a start or a reload, which read files themselves.
func (d *Daemon) reserve() {
	if d.counters > 0 {
		return
	}
	d.counters = d.counter + 1<<32
	if d.saver == nil {
		return
	}
	write, done := d.writing(), make(chan struct{})
	d.saver.put(func() error {
		defer close(done)
		return write()
	})
	<-done
}

// saver writes a file, so that the loop need not wait for the disk. Only what
// is newest matters.
type saver struct {
	lock io.Closer         // given up at the end; may be nil
	next chan func() error // at most one waits
	done chan struct{}
}

// newSaver starts one that tells errs of what could not be written.
func newSaver(lock io.Closer, errs chan<- error) *saver {
	s := &saver{lock, make(chan func() error, 1), make(chan struct{})}
	go func() {
		defer close(s.done)
		for write := range s.next {
			if err := write(); err != nil {
				select {
				case errs <- err:
				default: // one waits already, which says the same
				}
			}
		}
	}()
	return s
}

// put replaces what waits to be written.
func (s *saver) put(write func() error) {
	select {
	case <-s.next:
	default:
	}
	s.next <- write // the loop is the only one that puts: there is room now
}

// close returns when all is written.
func (s *saver) close() {
	close(s.next)
	<-s.done
	if s.lock != nil {
		s.lock.Close()
	}
}
