package server

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/auth"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// house is the config of most tests: two networks, of which the first is on
// our own link and has a client entry.
const house = `
	host 10.0.0.0/24 {
		gateway 10.0.0.254; DNSserver 10.0.0.2 10.0.0.3; domain example.com;
		DHCPlease 3600; DHCPrenewal 1800; DHCPrebinding 3150;
	};
	host 10.0.1.0/24 { gateway 10.0.1.254; DHCPlease 600; };
	client 2:0:0:0:0:99 10.0.0.99;
	client 2:0:0:0:0:99 10.0.1.99;
`

// world is a server with all around it. It does what the daemon does with the
// actions, as far as the table goes.
type world struct {
	t     testing.TB
	now   time.Time
	cfg   *conf.Config
	table *pool.Table
	site  Site
	srv   Server
	buf   []byte
}

func newWorld(t testing.TB, config string, members ...string) *world {
	t.Helper()
	w := &world{t: t, now: time.Unix(1_800_000_000, 0), table: pool.NewTable()}
	for _, a := range members {
		w.table.Add(ip(a))
	}
	w.site = Site{
		If: "eth0", Index: 2, MTU: 1500,
		Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")},
		To:    dhcp4.Everyone,
		From:  netip.IPv4Unspecified(),
	}
	w.site.Settings.Server = true
	w.site.Ours = func(a netip.Addr) bool {
		for _, p := range w.site.Addrs {
			if p.Addr() == a {
				return true
			}
		}
		return a == elsewhere
	}
	w.configure(config)
	return w
}

// elsewhere is an address of ours on another interface.
var elsewhere = ip("192.0.2.1")

// configure loads another config, as a reload does.
func (w *world) configure(config string) {
	w.t.Helper()
	cfg, err := conf.Parse("dhcp.conf", config, conf.Env{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.cfg = cfg
	w.table.Regroup(func(a netip.Addr) (netip.Prefix, bool) {
		net, known := cfg.Network(a)
		_, ok := cfg.Lendable(a)
		return net, known && ok
	})
}

// answer is what came of one message.
type answer struct {
	did    string // all actions in order
	reply  *dhcp4.Message
	send   act.Action
	record *pool.Record
	lazy   bool
	relay  bool
}

func (w *world) ask(m *dhcp4.Message) answer {
	w.t.Helper()
	actions := w.srv.Decide(w.now, w.cfg, &w.site, w.table, m)
	a := answer{relay: !Answered(actions)}
	var did []string
	for i := range actions {
		did = append(did, w.apply(&actions[i], &a))
	}
	a.did = strings.Join(did, "; ")
	return a
}

// apply does what the action asks for and puts it in words.
func (w *world) apply(x *act.Action, a *answer) string {
	switch x.Verb {
	case act.Note:
		return map[act.Level]string{act.Drop: "drop", act.Refusal: "refuse", act.Log: "log " + x.Text}[x.Level]
	case act.Hold:
		w.table.Hold(x.Addr, x.Client, x.Agent, x.Until)
		return "hold " + x.Addr.String()
	case act.Check:
		return "check " + x.Addr.String()
	case act.Unhold:
		w.table.Unhold(x.Addr)
		return "unhold " + x.Addr.String()
	case act.Commit:
		r := *x.Record
		r.ID = append([]byte(nil), r.ID...)
		a.record, a.lazy = &r, x.Lazy
		w.table.Apply(x.Record)
		return "commit " + r.State.String() + " " + r.Addr.String()
	case act.Send:
		return w.sent(x, a)
	}
	w.t.Fatalf("verb %d is not a server's", x.Verb)
	return ""
}

// sent puts the reply over the wire and back, and in words.
func (w *world) sent(x *act.Action, a *answer) string {
	var left dhcp4.Set
	w.buf, left = x.Msg.Append(w.buf[:0], x.Limit)
	if !left.Empty() {
		w.t.Errorf("left out of the reply: %v", left)
	}
	if x.Key != nil {
		auth.Sign(w.buf, x.Key)
	}
	a.reply, a.send = new(dhcp4.Message), *x
	if err := a.reply.Parse(bytes.Clone(w.buf)); err != nil {
		w.t.Fatalf("reply: %v", err)
	}
	yiaddr := ""
	if !a.reply.Yiaddr.IsUnspecified() {
		yiaddr = " " + a.reply.Yiaddr.String()
	}
	raw := ""
	if x.To.Raw {
		raw = " raw"
	}
	return fmt.Sprintf("%v%s to %v:%d%s", a.reply.Type(), yiaddr, x.To.Addr, x.To.Port, raw)
}

// want checks what was done with m.
func (w *world) want(m *dhcp4.Message, did string) answer {
	w.t.Helper()
	a := w.ask(m)
	if a.did != did {
		w.t.Errorf("%s\n got %s\nwant %s", m.Line(nil), a.did, did)
	}
	return a
}

// bind gives client n a lease on a by DISCOVER and REQUEST.
func (w *world) bind(n byte, a string) answer {
	w.t.Helper()
	w.want(discover(n, requested(a)), "hold "+a+"; DHCPOFFER "+a+" to "+a+":68 raw")
	return w.want(selecting(n, a), "commit bound "+a+"; DHCPACK "+a+" to "+a+":68 raw")
}

// sentTo makes the next messages come in as sent to a.
func (w *world) sentTo(a string) *world { w.site.To = ip(a); return w }

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

// mod is one thing that is special about a message.
type mod func(*dhcp4.Message)

// from makes a message of client n, whose Ethernet address ends in n.
func from(n byte, t dhcp4.Type, mods ...mod) *dhcp4.Message {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootRequest)
	m.Htype, m.Hlen, m.Xid, m.Secs, m.Hops = dhcp4.HtypeEther, 6, 0x1234, 7, 3
	m.Chaddr = [16]byte{2, 0, 0, 0, 0, n}
	if t != dhcp4.BOOTP {
		m.SetType(t)
	}
	for _, f := range mods {
		f(m)
	}
	return m
}

func discover(n byte, mods ...mod) *dhcp4.Message { return from(n, dhcp4.Discover, mods...) }

func selecting(n byte, a string, mods ...mod) *dhcp4.Message {
	return from(n, dhcp4.Request, append([]mod{serverID("10.0.0.1"), requested(a)}, mods...)...)
}

func initReboot(n byte, a string, mods ...mod) *dhcp4.Message {
	return from(n, dhcp4.Request, append([]mod{requested(a)}, mods...)...)
}

// renewing and rebinding look alike: it is where they are sent to that counts.
func renewing(n byte, a string, mods ...mod) *dhcp4.Message {
	return from(n, dhcp4.Request, append([]mod{ciaddr(a)}, mods...)...)
}

func decline(n byte, a string, mods ...mod) *dhcp4.Message {
	return from(n, dhcp4.Decline, append([]mod{serverID("10.0.0.1"), requested(a)}, mods...)...)
}

func release(n byte, a string, mods ...mod) *dhcp4.Message {
	return from(n, dhcp4.Release, append([]mod{serverID("10.0.0.1"), ciaddr(a)}, mods...)...)
}

func inform(n byte, a string, mods ...mod) *dhcp4.Message {
	return from(n, dhcp4.Inform, append([]mod{ciaddr(a)}, mods...)...)
}

func option(c dhcp4.Code, v ...byte) mod {
	return func(m *dhcp4.Message) { m.Options.Put(c, v) }
}

func text(c dhcp4.Code, s string) mod { return option(c, []byte(s)...) }

func seconds(c dhcp4.Code, t uint32) mod {
	return func(m *dhcp4.Message) { m.Options.PutUint32(c, t) }
}

func requested(a string) mod { return option(dhcp4.RequestedAddress, ip(a).AsSlice()...) }
func serverID(a string) mod  { return option(dhcp4.ServerID, ip(a).AsSlice()...) }
func ciaddr(a string) mod    { return func(m *dhcp4.Message) { m.Ciaddr = ip(a) } }
func giaddr(a string) mod    { return func(m *dhcp4.Message) { m.Giaddr = ip(a) } }
func flagged() mod           { return func(m *dhcp4.Message) { m.Flags = dhcp4.Broadcast } }

// selects is option 82 with a circuit ID and link selection.
func selects(a string) mod {
	return option(dhcp4.RelayAgent, append([]byte("\x01\x03ge1\x05\x04"), ip(a).AsSlice()...)...)
}
