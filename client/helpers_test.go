package client

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

var (
	t0     = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ours   = [6]byte{2, 0, 0, 0, 0, 1}
	theirs = [6]byte{2, 0, 0, 0, 0, 9}
	addr   = netip.MustParseAddr("10.0.0.5")
	other  = netip.MustParseAddr("10.0.0.6")
	server = netip.MustParseAddr("10.0.0.1")
	second = netip.MustParseAddr("10.0.0.2")
)

// even is randomness for an xid, with a jitter of zero.
func even(xid uint32) uint64 { return 1<<63 | uint64(xid) }

// lease is a lease of an hour for addr, as learned at the time start.
func lease(start time.Time) *act.Lease {
	msg := reply(dhcp4.ACK, 0)
	l, err := NewLease(msg, start)
	if err != nil {
		panic(err)
	}
	return l
}

// reply makes a sound message of type typ from server, for an hour of addr.
func reply(typ dhcp4.Type, xid uint32, change ...func(*dhcp4.Message)) *dhcp4.Message {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootReply)
	m.Htype, m.Hlen, m.Xid = dhcp4.HtypeEther, 6, xid
	copy(m.Chaddr[:], ours[:])
	if typ != dhcp4.BOOTP {
		m.SetType(typ)
		m.Options.PutAddr(dhcp4.ServerID, server)
	}
	if typ != dhcp4.NAK {
		m.Yiaddr = addr
		m.Options.PutUint32(dhcp4.LeaseTime, 3600)
		m.Options.PutAddr(dhcp4.Netmask, netip.MustParseAddr("255.255.255.0"))
		m.Options.PutAddr(dhcp4.Router, server)
	}
	for _, f := range change {
		f(m)
	}
	return m
}

// Changes for reply.
func from(a netip.Addr) func(*dhcp4.Message) {
	return func(m *dhcp4.Message) { m.Options.PutAddr(dhcp4.ServerID, a) }
}

func giving(a netip.Addr) func(*dhcp4.Message) {
	return func(m *dhcp4.Message) { m.Yiaddr = a }
}

func lasting(seconds uint32) func(*dhcp4.Message) {
	return func(m *dhcp4.Message) { m.Options.PutUint32(dhcp4.LeaseTime, seconds) }
}

func with(c dhcp4.Code, v ...byte) func(*dhcp4.Message) {
	return func(m *dhcp4.Message) { m.Options.Put(c, v) }
}

func both(f, g func(*dhcp4.Message)) func(*dhcp4.Message) {
	return func(m *dhcp4.Message) { f(m); g(m) }
}

func without(c dhcp4.Code) func(*dhcp4.Message) {
	return func(m *dhcp4.Message) { m.Options.Del(c) }
}

// rig is a client under test and its time.
type rig struct {
	t   *testing.T
	s   State
	now time.Time
}

func newRig(t *testing.T) *rig {
	return &rig{t: t, s: State{Config: &Config{MAC: ours}}, now: t0}
}

// at sets the time to a number of seconds after t0.
func (r *rig) at(seconds float64) *rig {
	r.now = t0.Add(time.Duration(seconds * float64(time.Second)))
	return r
}

// do takes one step and returns the actions as text.
func (r *rig) do(e Event) []string {
	r.t.Helper()
	next, acts := Step(r.now, r.s, e)
	for _, a := range acts {
		if a.Verb == act.Send {
			obeysTables(r.t, next.Phase, a)
		}
	}
	r.s = next
	return script(acts)
}

func (r *rig) start(xid uint32) []string { return r.do(Event{Kind: Start, Rand: even(xid)}) }

func (r *rig) wake(xid uint32) []string { return r.do(Event{Kind: Wake, Rand: even(xid)}) }

func (r *rig) got(m *dhcp4.Message) []string { return r.do(Event{Kind: Got, Msg: m, Rand: even(0x99)}) }

// wakeWhenDue goes to the time of the next Wake.
func (r *rig) wakeWhenDue(xid uint32) []string {
	r.t.Helper()
	if r.s.Wake.IsZero() {
		r.t.Fatal("no Wake is set")
	}
	r.now = r.s.Wake
	return r.wake(xid)
}

// elapsed returns the seconds since t0.
func (r *rig) elapsed() float64 { return r.now.Sub(t0).Seconds() }

// is checks phase and Wake, in seconds after t0; below 0 for no Wake.
func (r *rig) is(p Phase, wake float64) {
	r.t.Helper()
	if r.s.Phase != p {
		r.t.Errorf("phase is %v, not %v", r.s.Phase, p)
	}
	got := -1.0
	if !r.s.Wake.IsZero() {
		got = r.s.Wake.Sub(t0).Seconds()
	}
	if got != wake {
		r.t.Errorf("%v: Wake at %v s, not %v s", p, got, wake)
	}
}

// same checks a script.
func (r *rig) same(got []string, want ...string) {
	r.t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		r.t.Errorf("%v at %v s:\n got %q\nwant %q", r.s.Phase, r.elapsed(), got, want)
	}
}

// reach takes the client to phase p. The lease counts from t0+1 s; xids are 1
// for the acquisition, 2 for what comes after it.
func (r *rig) reach(p Phase) *rig {
	r.t.Helper()
	r.s.Config.Probe, r.s.Config.Inform = p == Probing, p == Informing
	switch {
	case p == Init:
		r.do(Event{Kind: LinkDown})
		r.start(1)
	case p == Informing:
		r.do(Event{Kind: Start, Lease: &act.Lease{Net: lease(t0).Net}, Held: true, Rand: even(1)})
	case p == InitReboot || p == Rebooting:
		if p == InitReboot {
			r.do(Event{Kind: LinkDown})
		}
		r.do(Event{Kind: Start, Lease: lease(t0.Add(time.Second)), Held: true, Rand: even(2)})
	default:
		r.start(1)
		r.acquire(p)
	}
	if r.s.Phase != p {
		r.t.Fatalf("reached %v, not %v", r.s.Phase, p)
	}
	return r
}

// acquire goes on from SELECTING.
func (r *rig) acquire(p Phase) {
	steps := []func(){
		Requesting: func() { r.at(1).got(reply(dhcp4.Offer, 1)) },
		Probing:    func() { r.at(2).got(reply(dhcp4.ACK, 1)) },
		Bound:      func() { r.at(4).wake(0) },
		Renewing:   func() { r.at(1 + 1800).wake(2) },
		Rebinding:  func() { r.at(1 + 3150).wake(2) },
	}
	for phase, step := range steps {
		if step != nil && Phase(phase) <= p {
			step()
		}
	}
}

// script returns actions as text, one line each.
func script(acts []act.Action) []string {
	var lines []string
	for _, a := range acts {
		if a.Verb != act.Tell { // TestC12_Tell looks at those
			lines = append(lines, line(a))
		}
	}
	return lines
}

func line(a act.Action) string {
	switch a.Verb {
	case act.Send:
		return fmt.Sprintf("%v xid %x secs %d to %v from %v", a.Msg.Type(), a.Msg.Xid,
			a.Msg.Secs, a.To.Addr, a.To.Source)
	case act.Configure:
		if a.Old != nil {
			return fmt.Sprintf("configure %v in place of %v", a.Lease.Net, a.Old.Net)
		}
		return fmt.Sprintf("configure %v", a.Lease.Net)
	case act.Unconfigure:
		return fmt.Sprintf("unconfigure %v", a.Lease.Net)
	case act.Save:
		return fmt.Sprintf("save %v", a.Lease.Net)
	case act.LinkLocal:
		return fmt.Sprintf("link-local %v", a.Addr)
	case act.NoLinkLocal:
		return fmt.Sprintf("no link-local %v", a.Addr)
	case act.Forget:
		return "forget"
	case act.Probe:
		return fmt.Sprintf("probe %v", a.Addr)
	case act.Announce:
		return fmt.Sprintf("announce %v", a.Addr)
	case act.Note:
		return [...]string{"log: ", "debug: ", "drop: ", "refuse: ", "suspect: "}[a.Level] + a.Text
	}
	return fmt.Sprintf("verb %d", a.Verb)
}
