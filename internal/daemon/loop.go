package daemon

import (
	"os"
	"os/signal"
	"time"

	"dhcpd/client"

	"golang.org/x/sys/unix"
)

// loop takes turns until there is nothing more to do, or a signal ends it,
// and returns the exit status.
func (d *Daemon) loop() int {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2)
	defer signal.Stop(signals)
	for {
		d.finishTurn()
		if d.fatal != nil {
			d.say.log(d.fatal.Error())
			return 1
		}
		if status, over := d.over(); over {
			return status
		}
		if d.await(signals) {
			return 0
		}
	}
}

// await waits for what comes next and takes it in; true if it ends the program.
// The clock is read after the wait, which may have been long.
func (d *Daemon) await(signals <-chan os.Signal) (ended bool) {
	select {
	case h := <-d.heard:
		d.now = d.clock.Now()
		d.hear(h)
	case b := <-d.service.received:
		d.now = d.clock.Now()
		d.service.batch(b)
	case r := <-d.service.written:
		d.now = d.clock.Now()
		d.service.blockDone(r)
	case c := <-d.service.bulk.wants:
		d.service.callerWants(c)
	case p := <-d.service.checks.came:
		d.now = d.clock.Now()
		d.service.checks.hear(p)
	case o := <-d.service.others:
		d.now = d.clock.Now()
		d.service.hearOther(o)
	case take := <-d.service.handed():
		d.now = d.clock.Now()
		take()
	case <-d.service.poolNews():
		d.now = d.clock.Now()
		d.service.poolChanged()
	case <-d.edited:
		d.now = d.clock.Now()
		d.reload()
	case <-d.changed:
		d.now = d.clock.Now()
		d.lookAgain()
	case err := <-d.failed:
		d.unwritten(err)
	case <-d.steps:
		d.now = d.clock.Now()
		d.service.clockStepped()
		d.save()
	case <-d.alarm.C:
		d.now = d.clock.Now()
		d.alarmAt = time.Time{} // it rings once, and a hair early perhaps
	case s := <-signals:
		d.now = d.clock.Now()
		return d.signal(s)
	}
	return false
}

// finishTurn ends a turn, and sets the alarm for what comes next.
func (d *Daemon) finishTurn() {
	d.finish()
	if d.opt.Once > 0 {
		d.judge()
	}
	if next := d.next(); next != d.alarmAt {
		d.alarmAt = next
		d.check(d.alarm.Set(d.clock.boottime(next)))
	}
	d.count.of[turns]++
	d.tell()
}

// next returns when there is something to do, the zero Time for never.
func (d *Daemon) next() time.Time {
	return earlier(earlier(d.service.wake(), d.wake), d.race.wake)
}

// finish does what is due, and sends what was decided.
func (d *Daemon) finish() {
	d.wakeClients()
	if d.resettle {
		d.settle()
		d.wakeClients()
	}
	if d.pass.stale {
		d.resolve()
	}
	d.service.due()
	d.service.flush()
	d.service.listen()
}

// wakeClients wakes those whose time has come. Most turns end at the first
// line: what they cost must not grow with the number of networks.
func (d *Daemon) wakeClients() {
	if !d.stepped && (d.wake.IsZero() || d.now.Before(d.wake)) {
		return
	}
	d.wake = time.Time{}
	for _, n := range d.order {
		if w := n.client.Wake; !w.IsZero() && !d.now.Before(w) {
			d.step(n, client.Event{Kind: client.Wake})
		}
		d.discoverDue(n)
		d.wake = earlier(d.wake, n.due())
	}
	d.stepped = false
}

// earlier returns the earlier of two times, where zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// signal does what a signal asks for; true if it ends the program.
func (d *Daemon) signal(s os.Signal) bool {
	switch s {
	case unix.SIGUSR1:
		d.say.level++
		d.say.memory()
	case unix.SIGUSR2:
		d.say.level = 0
	case unix.SIGHUP:
		d.reload()
	default:
		if d.opt.Once > 0 {
			d.race.end = d.now // time is up
			return false
		}
		for _, n := range d.order {
			d.retire(n)
			d.step(n, client.Event{Kind: client.Leave})
		}
		return true
	}
	return false
}

// any tells whether something holds of one of the networks.
func (d *Daemon) any(holds func(*network) bool) bool {
	for _, n := range d.order {
		if holds(n) {
			return true
		}
	}
	return false
}

// over tells whether the program may end, and with which exit status.
func (d *Daemon) over() (status int, yes bool) {
	if d.opt.Once > 0 {
		if !d.race.over {
			return 0, false
		}
		return d.endRace(), true
	}
	if !d.nothingToDo() {
		return 0, false
	}
	d.say.debug(1, "Nothing more to do")
	return 0, true
}

// nothingToDo tells whether the program may end (B6): every network is
// configured for ever, its router too, and none is served. One that went while
// there was work on it is waited for, and so is the first: a start that comes
// before its driver must not be the end.
func (d *Daemon) nothingToDo() bool {
	for _, n := range d.order {
		if d.allowed(&n.link) && n.busy() {
			return false
		}
	}
	return len(d.missed) == 0 && d.any((*network).dealtWith)
}
