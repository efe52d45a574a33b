// Package daemon is the hall: one loop that owns all state, the networks, and
// the one door out. It reads the clock, feeds the cores (client, server, relay)
// with what has come, and does what they ask for. It decides nothing that a core
// could decide.
package daemon

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"dhcpd/cache"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/dns"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/internal/safe"

	"golang.org/x/sys/unix"
)

// Options are what the command line says.
type Options struct {
	Conf, Cache, Pool string   // paths of the files
	Counts            string   // where to write what dhcpd -q shows of us; "" for nowhere
	Test              int      // test level, 0 for none
	Debug             int      // debug level
	Interfaces        []string // shell patterns of the interfaces allowed; none allows all
	MAC               [6]byte  // the Ethernet address of the one allowed; zero allows all
	More              string   // lines to read behind those of Conf
	Once              int      // seconds that -o has; 0 without -o
	NetConf           string   // where -o writes what it has learned, but for the interface's name and .conf
	Stdout, Stderr    io.Writer
}

// Daemon is all state. Only the loop touches it.
type Daemon struct {
	opt   Options
	clock clock
	now   time.Time // read once a turn
	say   sayer
	cfg   *conf.Config
	names names           // that only the DNS knows
	watch *safe.Watch     // of the config's files
	ifs   []conf.Ifname   // the interfaces since the start: the config numbers them once
	ifSet map[string]bool // their names
	first int             // how many of them were there at the start
	stale bool            // the config file has changed, and could not be understood
	host  link.Host
	doors doors

	nets     map[int]*network // by interface index
	order    []*network       // by interface index, ascending
	addrs    map[netip.Addr]bool
	missed   map[string]bool // interfaces that went while there was work on them
	complete bool            // all that is to be served has been configured once
	duid     []byte          // names this machine; nil until it is needed
	resettle bool            // an address or the config has changed: ask the config again

	entries  []cache.Entry // what dhcp.cache holds, one a network
	saver    *saver        // nil in test mode
	unsaved  bool          // the entries have changed since it got them
	counter  uint64        // the next replay counter of our clients,
	counters uint64        // and how far it may go; 0 before there is a key
	pass     pass          // to the rest of the machine
	service  *service
	race     race // with -o

	count  counts
	teller *teller       // nil in test mode
	began  time.Duration // on the boot-time clock

	heard   chan heard
	changed chan struct{} // something about the interfaces
	edited  chan struct{} // the config's files, perhaps
	failed  chan error    // files that could not be written; at most one waits
	steps   <-chan struct{}
	alarm   *link.Alarm
	alarmAt time.Time     // when it rings
	wake    time.Time     // when the first client has something to do
	stepped bool          // a client has moved: wake is to be found anew
	ended   chan struct{} // closed when the loop has ended

	random func() uint64 // fresh randomness for a core

	// Scratch.
	msg     dhcp4.Message
	payload []byte
	frame   []byte
	out1    *link.Batch
	fatal   error // what ends the program
}

// How much rubbish may pile up, in hundredths of what is in use; 4 MB times that
// at least. Who serves has better use for its time than to collect it.
const (
	clientGC  = 25
	servingGC = 100
)

// Run is dhcpd without a verb: it configures the networks, serves them, and
// returns the exit status when there is nothing more to do or a signal says
// so.
func Run(o Options) int {
	d := &Daemon{
		opt:     o,
		doors:   linux,
		say:     sayer{out: o.Stdout, err: o.Stderr, level: o.Debug},
		random:  rand.Uint64,
		nets:    map[int]*network{},
		addrs:   map[netip.Addr]bool{},
		ifSet:   map[string]bool{},
		missed:  map[string]bool{},
		heard:   make(chan heard, 64),
		changed: make(chan struct{}, 1),
		edited:  make(chan struct{}, 1),
		failed:  make(chan error, 1),
		ended:   make(chan struct{}),
		names:   names{look: dns.Resolve},
		out1:    link.NewBatch(1, 1<<14),
	}
	d.service = newService(d)
	debug.SetGCPercent(clientGC)
	// At least two, because the thread that waits for the disk keeps hold of a
	// processor; never many, because idle ones cost more than they could do.
	limitMemory()
	runtime.GOMAXPROCS(min(max(runtime.NumCPU(), 2), 4))
	status := 1
	if err := d.start(); err != nil {
		d.say.log(err.Error())
		if d.opt.Once > 0 && (d.watch == nil || d.cfg != nil) { // it is not the configuration
			status = kernelRefused
		}
	} else {
		status = d.loop()
	}
	d.stop()
	return d.lastErrors(status)
}

// limitMemory has the garbage collector keep us below half of the machine's
// memory, if it can: a router may have 16 MB. GOMEMLIMIT says otherwise.
func limitMemory() {
	var all unix.Sysinfo_t
	if os.Getenv("GOMEMLIMIT") == "" && unix.Sysinfo(&all) == nil {
		debug.SetMemoryLimit(int64(all.Totalram) * int64(all.Unit) / 2)
	}
}

// lastErrors says what could not be written at the end. What could not be written
// by then -o does not call a success.
func (d *Daemon) lastErrors(status int) int {
	for {
		select {
		case err := <-d.failed:
			d.unwritten(err)
		default:
			if d.race.unwritten && status == success {
				return kernelRefused
			}
			return status
		}
	}
}

// unwritten says that a file could not be written.
func (d *Daemon) unwritten(err error) {
	d.say.often(d.now, denied, outOfReach(err))
	d.race.unwritten = d.opt.Once > 0
}

// start opens what the daemon lives with.
func (d *Daemon) start() (err error) {
	if d.clock, err = newClock(); err != nil {
		return err
	}
	d.now = d.clock.Now()
	d.began = d.clock.boottime(d.now)
	if d.host, err = link.Open(); err != nil {
		return err
	}
	if d.opt.Test > 0 {
		d.host = link.Null{Host: d.host}
	}
	if d.alarm, err = link.NewAlarm(); err != nil {
		return err
	}
	if d.steps, err = link.ClockSteps(); err != nil {
		return err
	}
	watch, err := link.Watch()
	if err != nil {
		return err
	}
	go d.watchLinks(watch)
	links, err := d.host.Interfaces()
	if err != nil {
		return err
	}
	d.number(links)
	d.first = len(d.ifs)
	d.watch = safe.NewWatch(d.edited, d.opt.Conf)
	if err := d.loadConf(); err != nil {
		return err
	}
	if err := d.openCache(); err != nil {
		return err
	}
	if err := d.startScripts(); err != nil {
		return err
	}
	d.openTeller()
	d.look(links) // brings them up, which in test mode nobody may do any more when locked in
	d.lockIn()
	d.settle()
	d.say.memory()
	return d.fatal
}

// stop gives up what start opened; the addresses stay.
func (d *Daemon) stop() {
	d.service.farewell()
	close(d.ended)
	d.service.close()
	d.closeTeller()
	if d.saver != nil {
		if d.unsaved {
			d.save()
		}
		d.saver.close()
	}
	d.closePass()
	if d.watch != nil {
		d.watch.Close()
	}
	if d.host != nil {
		d.host.Close()
	}
}

func (d *Daemon) watchLinks(w *link.Watcher) {
	for {
		err := w.Wait()
		if errors.Is(err, os.ErrClosed) {
			return
		}
		select {
		case d.changed <- struct{}{}:
		case <-d.ended:
			return
		default: // it will look anyway
		}
	}
}

// check says an error that leaves nothing to do but to go on.
//
//go:noinline
func (d *Daemon) check(err error) {
	if err != nil {
		d.say.often(d.now, denied, err.Error())
	}
}
