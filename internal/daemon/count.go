package daemon

import (
	"strconv"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/pool"
	"dhcpd/relay"
	"dhcpd/server"
)

// counter is something that the daemon counts, for dhcpd -q. To count costs an
// addition and no more. What the server does and refuses, and why, it counts
// itself.
type counter uint8

const (
	turns counter = iota
	reloads
	rejected

	// Messages; those that a core has seen are also counted by their type.
	missed
	unserved
	long
	malformed
	astray
	ignored
	strange
	suspect
	behind
	yielded
	callers
	rebuffed
	brokenOff
	upward
	downward
	withheld
	refused

	blocks
	records
	syncs
	failed
	asked
	answered

	counters // how many there are
)

// counterTexts is what -q calls them: dhcpd(8) has a list.
var counterTexts = [counters]string{
	turns:     "turns of the loop",
	reloads:   "times the configuration file was read again",
	rejected:  "times it could not be understood then",
	missed:    "dropped: by the kernel, for want of room or since the network is not served",
	unserved:  "dropped: the network is not served",
	long:      "dropped: message is too long",
	malformed: "dropped: message is malformed",
	astray:    "dropped: a reply, and no relay here that waits for one",
	ignored:   "dropped: nothing that our client waits for",
	suspect:   "dropped: a DHCPFORCERENEW that our client must not obey",
	strange:   "dropped: router discovery that is malformed or not for us",
	behind:    "dropped: too much waits for the disk",
	yielded:   "dropped: leasequeries that gave way to DHCP messages",
	callers:   "connections for bulk leasequeries",
	rebuffed:  "connections for bulk leasequeries refused",
	brokenOff: "connections for bulk leasequeries broken off",
	upward:    "requests relayed, by the server that they went to",
	downward:  "replies relayed",
	withheld:  "not sent: the lease could not be stored",
	refused:   "not sent: the kernel refused it",
	blocks:    "blocks written to the pool file",
	records:   "records written to the pool file",
	syncs:     "syncs of the pool file",
	failed:    "blocks that could not be written",
	asked:     "questions on the wire whether an address is in use",
	answered:  "answers to such questions",
}

// counts is all that was counted.
type counts struct {
	of             [counters]uint64
	received, sent types
}

// types counts messages by their type.
type types [dhcp4.TLS + 1]uint64

func (t *types) count(m *dhcp4.Message) { t[m.Type()]++ }

// send counts what is sent. What is relayed has a server's port if it goes up.
func (c *counts) send(a *act.Action) {
	switch {
	case a.Msg != nil:
		c.sent.count(a.Msg)
	case a.To.Port == dhcp4.ServerPort:
		c.of[upward]++
	default:
		c.of[downward]++
	}
}

// note counts what a client did not want to hear.
func (c *counts) note(a *act.Action) {
	switch a.Level {
	case act.Drop:
		c.of[ignored]++
	case act.Suspect:
		c.of[suspect]++
	}
}

// block counts a block that the writer is done with.
func (c *counts) block(b *pool.Block, err error) {
	if err != nil {
		c.of[failed]++
		return
	}
	if n := b.Records(); n > 0 {
		c.of[blocks]++
		c.of[records] += uint64(n)
	}
	if b.Synced() {
		c.of[syncs]++
	}
}

// withhold counts replies that will not be sent.
func (c *counts) withhold(box *outbox) {
	for _, list := range [...][]*link.Batch{box.udp, box.raw} {
		for _, b := range list {
			c.of[withheld] += uint64(b.Len())
		}
	}
}

// report is what dhcpd -q is to show.
type report struct {
	start, last time.Duration // on the boot-time clock
	counts      counts
	server      server.Counts
	relay       relay.Counts
	others      []server.Other
	clock       clock
	udp         datagrams // nil until it is open
}

// append appends the report as -q reads it: on each line a number and of what,
// or an @ and a time on the boot-time clock and what was then. What is 0 is
// left out.
func (r *report) append(b []byte) []byte {
	b = appendTime(b, r.start, "start")
	b = appendTime(b, r.last, "last turn of the loop")
	for i, n := range r.counts.of {
		if counter(i) == missed {
			b = r.counts.received.append(b, " received")
			b = r.counts.sent.append(b, " sent")
		}
		b = appendCount(b, n, counterTexts[i], "")
	}
	for what, n := range r.server.All {
		b = appendCount(b, n, what, "")
	}
	for what, n := range r.relay.All {
		b = appendCount(b, n, what, "")
	}
	for i := range r.others {
		o := &r.others[i]
		who := o.Addr.String() + " on " + o.If
		if o.HW != (ether.MAC{}) {
			who += " from " + ether.FormatMAC(o.HW)
		}
		b = appendTime(b, r.clock.boottime(o.Heard), "another DHCP server last heard: "+who)
		if !o.Paused.IsZero() {
			b = appendTime(b, r.clock.boottime(o.Paused), "serving paused because of it: "+who)
		}
	}
	return b
}

func (t *types) append(b []byte, what string) []byte {
	for i, n := range t {
		b = appendCount(b, n, dhcp4.Type(i).String(), what)
	}
	return b
}

func appendTime(b []byte, at time.Duration, what string) []byte {
	b = strconv.AppendInt(append(b, '@'), int64(at/time.Second), 10)
	return append(append(append(b, ' '), what...), '\n')
}

func appendCount(b []byte, n uint64, what, how string) []byte {
	if n == 0 {
		return b
	}
	b = append(strconv.AppendUint(b, n, 10), ' ')
	return append(append(append(b, what...), how...), '\n')
}
