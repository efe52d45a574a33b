package daemon

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/auth"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
	"dhcpd/server"
)

// FuzzService plays any sequence of events to a service with the real blocks
// and the real server, on a disk that fails at will, and keeps a book of what
// the clients were promised. Each event is an octet of kind and what it takes.
func FuzzService(f *testing.F) {
	// Client 1 is offered an address and takes it, the disk has it.
	f.Add([]byte{0, 1, 0, 9, 16, 19})
	// It declines it, and somebody does have it; or the disk is full.
	f.Add([]byte{0, 1, 0, 9, 16, 19, 0, 41, 16, 19, 26, 3, 14, 200, 29, 26, 0})
	f.Add([]byte{0, 1, 0, 9, 16, 21, 0, 0, 0, 1, 0, 9, 16, 21, 2, 0, 16, 19})
	for seed := range byte(20) {
		f.Add(randomOctets(seed, 600))
	}
	file, _, err := pool.Open(filepath.Join(f.TempDir(), "pool"), clockOf(frozen).Clock)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { file.Close() })
	f.Fuzz(func(t *testing.T, script []byte) {
		r := newRig(t, file)
		r.data = script
		for n := 0; n < 400 && len(r.data) > 0; n++ {
			r.play()
		}
		r.quiesce()
	})
}

func randomOctets(seed byte, n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

func frozen() pool.Reading { return pool.Reading{Boot: "b", Wall: start, Up: time.Hour} }

// The configs that are reloaded: in the second an address of the pool is a
// client's, in the third the lease is shorter and the far network has none.
var rigConfigs = func() (list []*conf.Config) {
	for _, text := range []string{
		"host 10.0.0.0/24 { gateway 10.0.0.2; DHCPlease 600; DHCPrenewal 200; domain x; }; host 10.0.1.0/24 { DHCPlease 3600; };" +
			"client 2:0:0:0:0:5 10.0.0.5; class big { bootfile b; };",
		"host 10.0.0.0/24 { DHCPlease 600; }; host 10.0.1.0/24 { DHCPlease 3600; }; client 2:0:0:0:0:5 10.0.0.11; client 2:0:0:0:0:4 10.0.1.4;",
		"host 10.0.0.0/24 { DHCPlease 60; circuit a { domain a; }; }; host 10.0.1.0/24 { }; client 2:0:0:0:0:5 10.0.0.5 { DHCPlease 100; };",
	} {
		cfg, err := conf.Parse("test", text, conf.Env{})
		if err != nil {
			panic(err)
		}
		list = append(list, cfg)
	}
	return list
}()

// addrOf is an address that a message may have something to do with: of the
// pool, of the far network, and what must not be given to anybody.
func addrOf(b byte) netip.Addr {
	list := [...][4]byte{{10, 0, 0, 10}, {10, 0, 0, 11}, {10, 0, 0, 12}, {10, 0, 0, 13}, {10, 0, 1, 10}, {10, 0, 1, 11},
		{10, 0, 0, 1}, {10, 0, 0, 2}, {10, 0, 0, 5}, {10, 0, 1, 4}, {10, 0, 0, 0}, {10, 0, 0, 255}, {10, 0, 0, 99},
		{172, 16, 0, 9}, {127, 0, 0, 1}, {255, 255, 255, 255}}
	return netip.AddrFrom4(list[b%16])
}

const rigPool = 12 // so many of them are in the pool, some by mistake

// rig is the service, what is under way, and the book.
type rig struct {
	*testing.T
	data  []byte
	file  *pool.File
	s     *service
	n     *network
	asked []netip.Addr        // of the wire
	offer map[byte]netip.Addr // what each client was OFFERed or has had last
	sent  map[uint32]*query   // by xid
	xid   uint32
	count uint64              // replay counter of the clients
	pass  func(time.Duration) // has time pass
	cut   func()              // the power is gone
	book
}

// query is what is to be known of a message when it is answered.
type query struct {
	at    time.Time
	cfg   *conf.Config // by which it was answered
	id    string
	typ   dhcp4.Type
	limit int
	to    netip.Addr
	msg   dhcp4.Message
	done  bool // the client has given up since what it asks for
}

func newRig(t *testing.T, file *pool.File) *rig {
	d, n, _ := newDaemon(t, "")
	r := &rig{T: t, file: file, s: d.service, n: n, offer: map[byte]netip.Addr{}, sent: map[uint32]*query{}}
	r.pass, r.cut = func(by time.Duration) { d.now = d.now.Add(by) }, func() {}
	r.book.init()
	d.cfg = rigConfigs[0]
	n.addr = netip.MustParsePrefix("10.0.0.1/24")
	n.plan.Server = true
	n.site.If, n.site.Index, n.site.MTU = "eth0", noIndex, 1500
	n.site.Addrs = []netip.Prefix{n.addr}
	n.site.Settings.Server = true
	d.addrs[n.addr.Addr()], d.addrs[elsewhere] = true, true
	n.site.Ours = func(a netip.Addr) bool { return d.addrs[a] }
	r.restart()
	return r
}

var elsewhere = netip.MustParseAddr("192.0.2.1")

// restart begins with what the disk has, as after a power cut.
func (r *rig) restart() {
	s := r.s
	s.file, s.table, s.core = r.file, pool.NewTable(), server.Server{Random: func() uint64 { return 0 }}
	s.core.Fresh = func() [16]byte { r.xid++; return [16]byte{1, byte(r.xid)} }
	s.writing, s.tally, s.failures, s.direct = nil, tally{}, 0, outbox{}
	for i := range byte(rigPool) {
		if !r.gone[addrOf(i)] {
			s.table.Add(addrOf(i))
		}
	}
	for _, x := range r.disk {
		if (x.State == pool.Bound || x.State == pool.Fixed) && x.Kept > x.Told {
			x.Told = x.Kept
		}
		s.table.Set(&x)
		r.disk[x.Addr] = x
	}
	s.firstBlock()
	r.filling, r.writing, r.whole, r.asked = nil, nil, false, nil
	r.regroup()
}

// regroup is service.regroup, but that the wire is the rig's.
func (r *rig) regroup() {
	s := r.s
	s.stale = false
	s.table.Tick(r.at())
	s.table.Regroup(func(a netip.Addr) (netip.Prefix, bool) {
		on, known := s.d.cfg.Network(a)
		_, ok := s.d.cfg.Lendable(a)
		return on, known && ok && !s.d.addrs[a]
	})
	r.do(nil, s.core.Sweep(s.d.now, s.d.cfg, s.table))
}

func (r *rig) octet() byte {
	if len(r.data) == 0 {
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *rig) at() pool.Time { return pool.Time(r.s.d.now.Unix()) }

// play plays one event, and what is due after it.
func (r *rig) play() {
	d, s := r.s.d, r.s
	switch k := r.octet() % 32; k {
	default:
		r.ask(r.message())
	case 14, 15:
		b := r.octet()
		r.pass(time.Duration(b&15) << (b >> 4 % 12) * time.Second / 4)
	case 16, 17, 18:
		r.handOver()
	case 19, 20:
		r.done(outcome{})
	case 21:
		r.written()
	case 22:
		set, b := &r.n.site.Settings, r.octet()
		set.Rapid, set.Probe, set.BOOTP, set.Authoritative = b&1 != 0, b&2 != 0, b&4 != 0, b&8 != 0
		set.Limit, set.CircuitLimit, set.NoForce, set.Inform = int(b>>4&1)*3, int(b>>5&1), b&64 != 0, b&128 != 0
	case 23:
		set := &r.n.site.Settings
		set.Key = nil
		if r.octet()&3 == 0 {
			set.Key = &conf.Key{ID: 7, Secret: []byte("secret")}
		}
	case 24:
		d.cfg = rigConfigs[int(r.octet())%len(rigConfigs)]
		r.regroup()
	case 25:
		if b := r.octet(); b&3 == 0 {
			r.crash(int(b >> 2))
		}
	case 26, 27:
		r.wire(r.octet())
	case 28:
		a := addrOf(r.octet() % rigPool)
		s.table.Wake(a)
		s.filling.text.Wake(a)
		s.filling.due = true
		s.core.Rouse(d.now, a)
	case 29:
		if o, at := s.core.Pausing(); o != nil && !d.now.Before(at) {
			s.core.Watch(d.now, d.cfg, o, &r.n.site) // no client of ours hears that
		}
		if w := s.core.Wake(); !w.IsZero() && !d.now.Before(w) {
			r.do(nil, s.core.Sweep(d.now, d.cfg, s.table))
		}
	case 30:
		m := r.message()
		m.Op = dhcp4.BootReply
		from := addrOf(r.octet())
		r.n.site.Settings.RoguePause = len(m.Options.Get(dhcp4.ClientID)) == 0
		r.do(r.n, s.core.Heard(d.now, d.cfg, &r.n.site, s.table, from, [6]byte{2}, m))
	case 31:
		if b := r.octet(); b&3 == 0 {
			s.core.RecordsLost(d.now)
		} else {
			r.leaseQuery(addrOf(b >> 2))
		}
	}
	r.force()
	r.lookAhead()
}

// force is service.rouse.
func (r *rig) force() {
	s := r.s
	for n := 0; ; n++ {
		a := s.core.ForceNext(s.d.now)
		if !a.IsValid() {
			return
		}
		if n > 1000 {
			r.Fatal("FORCERENEW without end")
		}
		r.do(r.n, s.core.Force(s.d.now, s.d.cfg, &r.n.site, s.table, a))
	}
}

// message is what a client sends: one octet of who and what, and of some one of
// what is special about it.
func (r *rig) message() *dhcp4.Message {
	b, odd := r.octet(), byte(0)
	who := b & 7
	if b >= 192 {
		odd = r.octet()
	}
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootRequest)
	m.Htype, m.Hlen, m.Chaddr = dhcp4.HtypeEther, 6, [16]byte{2, 5: who}
	if r.xid++; who > 5 {
		m.Options.Put(dhcp4.ClientID, []byte{0, who})
	}
	m.Xid = r.xid
	a, us := r.offer[who], r.n.addr.Addr()
	if odd&4 != 0 {
		a = addrOf(r.octet())
	} else if !a.IsValid() {
		a = addrOf(who)
	}
	types := [...]dhcp4.Type{dhcp4.Discover, dhcp4.Request, dhcp4.Request, dhcp4.Request, dhcp4.Release, dhcp4.Decline, dhcp4.Inform, dhcp4.BOOTP}
	kind := b >> 3 & 7
	if kind != 7 {
		m.SetType(types[kind])
	}
	if odd&1 != 0 {
		m.Giaddr = [...]netip.Addr{netip.MustParseAddr("10.0.1.1"), netip.MustParseAddr("10.0.0.9"), addrOf(0), addrOf(13)}[r.octet()&3]
	}
	r.n.site.To, r.n.site.From = dhcp4.Everyone, netip.IPv4Unspecified()
	if odd&8 != 0 || m.Giaddr != netip.IPv4Unspecified() {
		r.n.site.To = [...]netip.Addr{us, elsewhere}[odd>>7]
	}
	switch kind {
	case 1, 5:
		m.Options.PutAddr(dhcp4.ServerID, us)
		fallthrough
	case 3:
		m.Options.PutAddr(dhcp4.RequestedAddress, a)
	case 2, 4, 6:
		m.Ciaddr = a
	case 0:
		if odd&4 != 0 {
			m.Options.PutAddr(dhcp4.RequestedAddress, a)
		}
	}
	if odd&2 != 0 {
		r.decorate(m)
	}
	return m
}

// decorate puts in what few messages have.
func (r *rig) decorate(m *dhcp4.Message) {
	o, b := &m.Options, r.octet()
	if b&1 != 0 {
		o.Put(dhcp4.RelayAgent, [][]byte{[]byte("\x01\x01a"), []byte("\x01\x01b\x02\x01r"), []byte("\x05\x04\x0a\x00\x01\x00"),
			[]byte("\x0b\x04\x0a\x00\x01\x01\x01\x01a"), []byte("\x05\x03\x0a\x00\x01"), []byte("\x05\x04\xac\x10\x00\x00")}[r.octet()%6])
	}
	if b&2 != 0 {
		o.PutUint32(dhcp4.LeaseTime, uint32(r.octet())*4)
	}
	if b&4 != 0 {
		o.Put(dhcp4.RapidCommit, nil)
		o.Put(dhcp4.ForceRenewNonce, auth.Able)
	}
	if b&8 != 0 {
		m.Flags = dhcp4.Broadcast
		o.Put(dhcp4.ClassID, []byte("big"))
		o.PutText(dhcp4.HostName, "h\x00\n")
	}
	if b&16 != 0 {
		o.Put(dhcp4.ParameterList, []byte{3, 1, 51, 53, 54, 61, 82, 52, 58, 59, 15, r.octet()})
		o.Put(dhcp4.MaxSize, []byte{r.octet(), r.octet()})
	}
	if b&32 != 0 {
		o.PutAddr(dhcp4.ServerID, netip.MustParseAddr([...]string{"10.0.0.7", "10.0.1.1", "192.0.2.1", "10.0.0.1"}[r.octet()&3]))
	}
	if b&64 != 0 {
		o.Put(dhcp4.Code(r.octet()), r.take(int(r.octet()&15)))
	}
	if b&128 != 0 {
		r.count++
		kind := auth.Keyed
		if t := m.Type(); t == dhcp4.Discover || t == dhcp4.Inform {
			kind = auth.Asks
		}
		auth.Put(m, auth.Option{Kind: kind, ID: 7, Replay: r.count})
	}
}

func (r *rig) take(n int) []byte {
	n = min(n, len(r.data))
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

// ask asks the service, as service.answer does.
func (r *rig) ask(m *dhcp4.Message) {
	d := r.s.d
	b, _ := m.Append(nil, 1500)
	auth.Sign(b, []byte("secret"))
	q := &query{at: d.now, to: r.n.site.To}
	if d.msg.Parse(b) != nil || q.msg.Parse(b) != nil {
		return // an option that is not what it should be
	}
	q.id, q.typ, q.limit = idOf(&q.msg), q.msg.Type(), q.msg.Limit(1500)
	r.sent[m.Xid] = q
	r.gaveUp(q)
	if testing.Verbose() {
		r.Logf("%v to %v: %s", d.now.Sub(start), q.to, q.msg.Line(nil))
	}
	actions := r.s.core.Decide(d.now, d.cfg, &r.n.site, r.s.table, &d.msg)
	if !slices.ContainsFunc(actions, func(a act.Action) bool {
		return a.Verb == act.Note || a.Verb == act.Send || a.Verb == act.Commit
	}) {
		r.Fatalf("no answer, and no reason: %s", q.msg.Line(nil))
	}
	r.do(r.n, actions)
}

// leaseQuery asks who has an address: who is said to have it is who has it.
func (r *rig) leaseQuery(a netip.Addr) {
	m, s := new(dhcp4.Message), r.s
	m.Reset(dhcp4.BootRequest)
	m.SetType(dhcp4.LeaseQuery)
	m.Ciaddr, m.Giaddr = a, netip.MustParseAddr("10.0.1.1")
	r.n.site.Settings.LeaseQuery = new(conf.LeaseQuery)
	actions := s.core.Decide(s.d.now, s.d.cfg, &r.n.site, s.table, m)
	if len(actions) != 1 || actions[0].Verb != act.Send || actions[0].To.Addr != m.Giaddr {
		r.Fatalf("to a leasequery about %v: %+v", a, actions)
	}
	x, e := actions[0].Msg, s.table.At(a)
	if (x.Type() == dhcp4.LeaseActive) != e.Runs(r.at()) || x.Ciaddr != a {
		r.Fatalf("%s, of %+v", x.Line(nil), e.Record())
	}
	if rec := e.Record(); x.Type() == dhcp4.LeaseActive && (x.Chaddr != rec.HW.Addr || string(x.Options.Get(dhcp4.ClientID)) != string(rec.ID)) {
		r.Fatalf("%s, of %+v", x.Line(nil), rec)
	}
}

// do is service.do, but that the wire is the rig's.
func (r *rig) do(n *network, actions []act.Action) {
	var list []act.Action
	r.tell(actions)
	for i := range actions {
		a := &actions[i]
		switch a.Verb {
		case act.Check:
			r.asked = append(r.asked, a.Addr)
			continue
		case act.Note:
			r.note(a)
		case act.Send:
			if i != len(actions)-1 && actions[i+1].Verb != act.Commit && a.Msg.Type() != dhcp4.ForceRenew {
				r.Fatalf("%v is not the last action", a.Msg.Type())
			}
			if q := r.sent[a.Msg.Xid]; q != nil && a.Msg.Type() != dhcp4.ForceRenew { // whose xid is its own
				q.cfg = r.s.d.cfg
			}
		}
		list = append(list, *a)
	}
	for i := range list {
		if list[i].Verb == act.Commit {
			r.committing(&list[i])
		}
	}
	r.s.do(n, list)
	r.elided()
	r.leave(&r.s.direct, nil)
}

// handOver gives the block to the writer, if that is idle.
func (r *rig) handOver() {
	s := r.s
	if !s.filling.due || s.writing != nil {
		return
	}
	s.countOn()
	s.writing, s.filling, s.spare = s.filling, s.spare, nil
	r.writing, r.filling, r.writingWhole, r.whole = r.filling, nil, r.whole, false
}

// tell writes down what is done, for who looks at a seed by -v.
func (r *rig) tell(actions []act.Action) {
	if !testing.Verbose() {
		return
	}
	for i := range actions {
		switch a := &actions[i]; a.Verb {
		case act.Commit:
			r.Logf("\tcommit %+v, lazy %v", *a.Record, a.Lazy)
		case act.Send:
			r.Logf("\tsend %s", a.Msg.Line(nil))
		default:
			r.Logf("\tverb %d, %v until %d %s", a.Verb, a.Addr, a.Until, a.Text)
		}
	}
}

var errFull = errors.New("write pool: no space left on device")

// written is what became of the block that is being written.
func (r *rig) written() {
	b, o := r.octet(), outcome{}
	switch b % 8 {
	case 0:
		o.err = errFull
	case 2:
		o.err = &os.PathError{Op: "sync", Path: "pool", Err: pool.ErrWhole}
	}
	a := addrOf(r.octet() % rigPool)
	switch b >> 3 % 8 {
	case 1:
		o.changes.Del = []netip.Addr{a}
		r.gone[a] = true
	case 2:
		o.changes.Add = []netip.Addr{a}
		delete(r.gone, a)
	case 3:
		o.changes.Free = []netip.Addr{a}
	case 4:
		o.changes.Wake = []netip.Addr{a}
	}
	r.done(o)
}

// wire answers a question.
func (r *rig) wire(b byte) {
	if len(r.asked) == 0 {
		return
	}
	i := int(b>>2) % len(r.asked)
	o := server.Outcome{Addr: r.asked[i], Heard: b&1 != 0}
	r.asked = append(r.asked[:i], r.asked[i+1:]...)
	if o.Heard && b&2 != 0 {
		o.HW = pool.HW{Type: 1, Len: 6, Addr: [16]byte{2, 5: b >> 2 & 7}}
	}
	if o.Heard { // somebody has it, whatever we think
		delete(r.promised, o.Addr)
	}
	s := r.s
	r.do(r.n, s.core.Checked(s.d.now, s.d.cfg, &r.n.site, s.table, o))
}

// lookAhead: no time that a core waits for lies in the past for long.
func (r *rig) lookAhead() {
	if due := r.s.core.ForceDue(); !due.IsZero() && !due.After(r.s.d.now) {
		r.Fatalf("a client is to be woken %v ago", r.s.d.now.Sub(due))
	}
	if got := len(r.s.post.free); got > 64 {
		r.Fatalf("%d batches", got)
	}
}
