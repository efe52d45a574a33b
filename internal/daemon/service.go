package daemon

import (
	"errors"
	"runtime/debug"
	"time"

	"dhcpd/internal/link"
	"dhcpd/pool"
	"dhcpd/relay"
	"dhcpd/server"
)

// service is what serving takes: port 67, the pool, and the blocks of records
// between the two. It opens with the first network to be served.
type service struct {
	d     *Daemon
	core  server.Server
	relay relay.Relay
	nets  relay.Nets  // that we relay for
	table *pool.Table // nil until it is open
	file  *pool.File
	udp   datagrams
	raw   sender

	received chan *link.Batch // from the reader of port 67
	idle     chan *link.Batch // back to it
	read     *link.Batch      // nil while the reader waits with it
	todo     chan *block      // to the writer
	written  chan outcome     // and back

	direct   outbox // replies that rest on no record
	post     post
	busy     bool // the last batch of requests was full
	quota    int  // how many leasequeries of this one are answered yet
	stale    bool // the config, the pool or our addresses are others: regroup
	filling  *block
	writing  *block // nil while the writer is idle
	spare    *block
	failures int  // blocks in a row that could not be written
	fresh    bool // none was synced yet

	asker  asker
	bulk   bulk
	checks checks

	tally  tally
	change change                   // of the config that is being looked at
	rested time.Time                // when more clients may be woken
	again  time.Duration            // after which one was to be tried again, last
	ears   map[*network]link.Frames // for other servers
	others chan overheard
}

func newService(d *Daemon) *service {
	s := &service{
		d:        d,
		received: make(chan *link.Batch, 1),
		idle:     make(chan *link.Batch, 1),
		todo:     make(chan *block, 1),
		written:  make(chan outcome, 1),
	}
	s.bulk.wants = make(chan *caller)
	s.ears, s.others = map[*network]link.Frames{}, make(chan overheard, 16)
	s.asker.came = make(chan func())
	s.relay.Random = d.random
	s.core.Fresh, s.core.Random = freshNonce, d.random
	s.checks = checks{s: s, arp: map[*network]*ear{}, came: make(chan present, 64)}
	return s
}

// letIn lets in the requests of just those networks that are served or relayed
// for, and if there are any such, the replies to relays.
func (s *service) letIn() error {
	if s.table == nil {
		return nil
	}
	s.eavesdrop()
	s.bulk.open(s)
	var served []int
	for _, n := range s.d.order {
		if n.serves() || n.relays() {
			served = append(served, n.link.Index)
		}
	}
	if s.d.any((*network).tells) {
		served = append(served, loopback)
	}
	if s.relink() {
		return s.udp.OnlyAnd(served...)
	}
	return s.udp.Only(served...)
}

// open opens the service, if it isn't open yet. Nothing is let in.
func (s *service) open() error {
	if s.table != nil {
		return nil
	}
	debug.SetGCPercent(servingGC)
	file, loaded, err := s.d.doors.pool(s.d.opt.Pool, s.d.clock.Clock)
	if err != nil {
		return err
	}
	if err := s.openSockets(); err != nil {
		file.Close()
		return err
	}
	s.file, s.table = file, loaded.Table
	if loaded.Torn != "" {
		s.d.say.log(loaded.Torn)
	}
	if loaded.Corrupt != nil {
		s.d.say.log(loaded.Corrupt.Error())
	}
	if loaded.Torn != "" || loaded.Corrupt != nil {
		s.core.RecordsLost(s.d.now)
		s.asker.lost = true
	}
	s.firstBlock()
	s.relay.Start(s.d.now)
	s.core.Rouse(s.d.now, loaded.Wake...)
	s.idle <- link.NewBatch(batchSize, maxDatagram)
	go s.wait(s.udp)
	go s.write(file)
	s.post.open()
	s.d.say.debug(3, "UDP port 67 opened")
	return nil
}

// firstBlock begins the first block. It has no records, and is synced: before
// it is, what a daemon wrote that was killed may stand in the table and not on
// stable storage, so that no promise can rest on it. That goes for the blocks
// after it, too, until one is synced.
func (s *service) firstBlock() {
	s.filling, s.spare = newBlock(s), newBlock(s)
	s.filling.text.Stamp()
	s.filling.due, s.filling.sync, s.stale, s.fresh = true, true, true, true
}

func (s *service) openSockets() (err error) {
	if s.udp, err = s.d.doors.port67(); err != nil {
		return errors.New(err.Error() + ": is another DHCP server running?")
	}
	if err = s.udp.Only(); err == nil {
		s.raw, err = s.d.doors.sender()
	}
	if err != nil {
		s.udp.Close()
	}
	return err
}

// finish has all that is decided written and sent.
func (s *service) finish() {
	for s.flush(); s.writing != nil; s.flush() {
		s.blockDone(<-s.written)
	}
}

// close ends the service in order: what is decided is written and sent, by
// sockets that stay open until then.
func (s *service) close() {
	if s.table == nil {
		return
	}
	s.checks.asked = nil
	s.checks.shut()
	s.asker.shut()
	s.d.count.of[missed] = s.udp.Dropped()
	close(s.idle)
	s.finish()
	close(s.todo)
	s.post.close(s.sent)
	s.udp.Close()
	if s.bulk.ear != nil {
		s.bulk.ear.Close()
	}
	s.raw.Close()
	s.d.check(s.file.Close())
}
