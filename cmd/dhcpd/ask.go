package main

import (
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"dhcpd/internal/ask"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// inquiry is -l: a server is asked who has which address.
type inquiry struct {
	*command
	server, from netip.Addr
	udp          *link.Query // nil until it is needed
	msg          dhcp4.Message
	answer       ask.Answer
	text         []byte
	json         jsonText
	base         uint32 // when the server began to tell all that it has, by its clock
}

// firstWait is how long a server has for its answer. It is asked again after
// that, and once more after twice as long (RFC 4388 section 6.6: as RFC 2131
// section 4.1, but for somebody who looks on).
const (
	firstWait = time.Second
	lastWait  = 4 * firstWait
)

// ask is -l.
func (c *command) ask() {
	keys, err := c.keys(c.hosts[1:])
	if err != nil {
		c.fail(err.Error())
		return
	}
	q := inquiry{command: c}
	if q.server, err = c.server(c.hosts[0]); err != nil {
		c.fail(err.Error())
		return
	}
	var ok bool
	if q.from, ok = link.SourceTo(q.server); !ok {
		c.fail(q.server.String() + ": No way there")
		return
	}
	q.json.open("", '{')
	q.json.text("server", q.server.String())
	q.json.open("leases", '[')
	err = q.run(keys)
	if q.udp != nil {
		q.udp.Close()
	}
	q.json.close(']')
	if err != nil {
		c.fail(err.Error())
		q.json.text("error", err.Error())
	}
	q.json.close('}')
	q.flush("\n")
}

// run asks one key after the other. What answers name beside is asked about, too
// (RFC 4388 section 5).
func (q *inquiry) run(keys []*key) error {
	for ; len(keys) > 0; keys = keys[1:] {
		k, ask := keys[0], q.single
		if k.All() {
			ask = q.bulk
		}
		if err := ask(k); err != nil {
			return err
		}
		if !k.All() && !k.Addr.IsValid() {
			others, _ := q.msg.Options.Addrs(nil, dhcp4.AssociatedIP)
			for i, a := range others {
				if a != q.answer.Addr {
					keys = appendKeys(keys, others[i:i+1])
				}
			}
		}
	}
	return nil
}

// single asks one question by UDP.
func (q *inquiry) single(k *key) (err error) {
	if q.udp == nil {
		if q.udp, err = link.OpenQuery(q.from, q.server); err != nil {
			return err
		}
	}
	xid := rand.Uint32()
	k.Query(&q.msg, xid, q.from)
	query, _ := q.msg.Append(nil, dhcp4.MinLimit)
	q.show("sent to")
	for wait := firstWait; wait <= lastWait; wait *= 2 {
		if err := q.udp.Ask(query); err != nil {
			return err
		}
		for end := link.Boottime() + wait; link.Boottime() < end; {
			b, err := q.udp.Wait(end - link.Boottime())
			if err != nil {
				return err
			}
			if b != nil && q.hear(b, xid) {
				q.tell(k, link.Wall())
				return nil
			}
		}
	}
	return q.wrong("No answer about " + k.word + "; it may not answer leasequeries from " + q.from.String())
}

// wrong is an error that tells which server it is about.
func (q *inquiry) wrong(why string) error { return errors.New(q.server.String() + ": " + why) }

// hear reads a message, and tells whether it is the answer.
func (q *inquiry) hear(b []byte, xid uint32) bool {
	if q.msg.Parse(b) != nil || q.msg.Op != dhcp4.BootReply || q.msg.Xid != xid {
		return false
	}
	q.show("received from")
	return q.answer.Read(&q.msg, pool.Time(link.Wall().Unix()))
}

// bulk asks for all by TCP (RFC 6926).
func (q *inquiry) bulk(k *key) error {
	s, err := link.Dial(q.from, q.server)
	if err != nil {
		return err
	}
	defer s.Close()
	xid := rand.Uint32()
	k.Query(&q.msg, xid, netip.Addr{})
	if k.watch {
		q.watch()
		s.Active()
	}
	q.show("sent to")
	if err := s.Write(q.msg.AppendFrame(nil)); err != nil {
		return err
	}
	var skew ask.Skew
	for frames := (dhcp4.Frames{From: s}); ; {
		list, err := frames.Next()
		switch {
		case err == io.EOF && k.watch:
			return q.wrong("The connection ended")
		case err == io.EOF:
			return q.wrong("The connection ended before the answer was complete")
		case err == dhcp4.ErrFrame:
			return q.wrong(err.Error())
		case err != nil:
			return err
		}
		for _, b := range list {
			if done, err := q.piece(k, b, xid, &skew); done || err != nil {
				return err
			}
		}
		if k.watch {
			q.flush("")
		}
	}
}

// watch makes the query one for what changes (RFC 7724 section 7.3): since all
// was asked for, if it was, or else from now on.
func (q *inquiry) watch() {
	q.msg.SetType(dhcp4.ActiveLeaseQuery)
	if q.base != 0 {
		q.msg.Options.PutUint32(dhcp4.QueryStart, q.base)
	}
}

// piece reads one message of the answer to a bulk query; done if that was the
// last.
func (q *inquiry) piece(k *key, b []byte, xid uint32, skew *ask.Skew) (done bool, err error) {
	m := &q.msg
	if err := m.Parse(b); err != nil {
		return false, q.wrong(err.Error())
	}
	q.show("received from")
	if m.Xid != xid { // RFC 6926 section 7.3
		return false, q.wrong("An answer to nothing that was asked")
	}
	if t := m.Type(); t == dhcp4.LeaseQueryDone || t == dhcp4.LeaseQueryStatus {
		status, text := m.Options.Status()
		switch status {
		case dhcp4.Success:
			return t == dhcp4.LeaseQueryDone, nil
		case dhcp4.ConnectionActive, dhcp4.CatchUpComplete:
			return false, nil
		}
		return true, q.wrong(string(dhcp4.AppendSaid([]byte(status.String()+" saying "), text)))
	}
	if base, err := m.Options.Uint32(dhcp4.BaseTime); err == nil && q.base == 0 {
		q.base = base
	}
	now := link.Wall()
	if q.answer.Read(m, skew.Written(m, pool.Time(now.Unix()))) && m.Type() != dhcp4.LeaseUnknown {
		q.tell(k, now)
	}
	return false, nil
}

// show shows a message to who wants to see it.
func (q *inquiry) show(way string) {
	if q.debug < 1 {
		return
	}
	b := append(append([]byte(way), ' '), q.server.String()...)
	b = append(q.msg.Line(append(b, ": "...)), '\n')
	if q.debug >= 2 {
		b = q.msg.Dump(b, dhcp4.Builtin())
	}
	q.stderr.Write(b)
}
