package daemon

import (
	"errors"
	"os"
	"sync"
	"time"

	"dhcpd/internal/safe"
)

// The pause after the counts were written. It doubles with each one until
// nothing has changed for mostPause.
const (
	firstPause = 10 * time.Millisecond
	mostPause  = 10 * time.Second
)

// teller writes the counts to a file for dhcpd -q to read: at once when they
// change after a quiet time, every mostPause when they change all the time. It
// does so on a goroutine of its own: the last turn of a flood gets into the
// file, and yet the loop neither writes nor wakes up for it.
//
// The file is locked as long as we live: that is how -q knows.
type teller struct {
	path   string
	news   chan struct{} // there is something to tell
	failed chan<- error  // for the loop to say, the first time only

	mu   sync.Mutex
	next report

	writing   sync.Mutex // guards what follows
	text      []byte
	now, past *os.File // past: so that who opens the file finds the lock, though another replaces it
	said      bool
	closed    bool
}

func newTeller(path string, failed chan<- error) *teller {
	t := &teller{path: path, news: make(chan struct{}, 1), failed: failed}
	go t.run()
	return t
}

// openTeller opens the door to dhcpd -q, now that we know that no other daemon
// has the same files. In test mode nothing is written.
func (d *Daemon) openTeller() {
	if d.opt.Test == 0 && d.opt.Counts != "" {
		d.teller = newTeller(d.opt.Counts, d.failed)
	}
}

func (d *Daemon) closeTeller() {
	if d.teller != nil {
		d.tell()
		d.teller.close()
	}
}

// tell has dhcpd -q know what was counted so far.
func (d *Daemon) tell() {
	t := d.teller
	if t == nil {
		return
	}
	t.mu.Lock()
	r := &t.next
	r.start, r.last, r.clock = d.began, d.clock.boottime(d.now), d.clock
	r.counts, r.server = d.count, *d.service.core.Counts()
	r.relay = *d.service.relay.Counts()
	r.others = append(r.others[:0], d.service.core.Others()...)
	r.udp = d.service.udp
	t.mu.Unlock()
	select {
	case t.news <- struct{}{}:
	default: // it will look anyway
	}
}

// run writes the counts while the loop is at work.
func (t *teller) run() {
	var pause time.Duration
	var last time.Time
	for range t.news {
		if time.Since(last) >= pause+mostPause {
			pause = firstPause
		} else {
			pause = min(2*pause, mostPause)
		}
		t.write()
		last = time.Now()
		time.Sleep(pause)
	}
}

// write writes what there is to tell. What goes wrong is said once, and tried
// again with the next news: nothing depends on it.
func (t *teller) write() {
	t.writing.Lock()
	defer t.writing.Unlock()
	if t.closed {
		return
	}
	t.mu.Lock()
	r := &t.next
	if r.udp != nil {
		r.counts.of[missed] = max(r.counts.of[missed], r.udp.Dropped())
	}
	t.text = r.append(t.text[:0])
	t.mu.Unlock()
	if err := t.replace(); err != nil && !t.said {
		select {
		case t.failed <- errors.New(err.Error() + "; dhcpd -q can't show what is counted"):
			t.said = true
		default: // something else is wrong, too
		}
	}
}

// replace puts a new file in the place of the old one. Nothing is synced: after
// a power cut nobody wants to know.
func (t *teller) replace() error {
	fresh := t.path + ".new"
	f, err := safe.Create(fresh)
	if err != nil {
		return err
	}
	if err = safe.Lock(f, 0); err == nil {
		_, err = f.Write(t.text)
	}
	if err == nil {
		err = safe.Move(fresh, t.path)
	}
	if err != nil {
		f.Close()
		os.Remove(fresh)
		return err
	}
	t.past.Close()
	t.past, t.now = t.now, f
	return nil
}

// close tells the last of it. The writer is not waited for: it may sleep.
func (t *teller) close() {
	t.write()
	t.writing.Lock()
	defer t.writing.Unlock()
	t.closed = true
	close(t.news)
	t.now.Close()
	t.past.Close()
}
