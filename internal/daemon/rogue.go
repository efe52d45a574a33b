package daemon

import (
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/server"
)

// overheard is a frame to clients on a network that we serve: another server's
// reply, since our own are not heard. Or the ears are of no use any more.
type overheard struct {
	net   *network
	ears  link.Frames
	frame []byte
	err   error
}

// eavesdrop opens ears for other servers on the networks that are served, and
// closes those of the others (S18).
func (s *service) eavesdrop() {
	d := s.d
	for n, f := range s.ears {
		if d.nets[n.link.Index] != n || !n.serves() {
			f.Close()
			delete(s.ears, n)
		}
	}
	for _, n := range d.order {
		if s.table == nil || !n.serves() || !n.link.Up || !n.link.Ether || s.ears[n] != nil {
			continue
		}
		f, err := d.doors.frames(n.link.ID, link.DHCP)
		if err != nil {
			d.say.once(err.Error())
			continue
		}
		s.ears[n] = f
		go s.overhear(n, f)
	}
}

// overhear is the reader of such ears.
func (s *service) overhear(n *network, f link.Frames) {
	buf := make([]byte, maxDatagram)
	for {
		k, err := f.Read(buf)
		o := overheard{net: n, ears: f, frame: append([]byte(nil), buf[:k]...), err: err}
		select {
		case s.others <- o:
		case <-s.d.ended:
			return
		}
		if err != nil {
			return
		}
	}
}

// hearOther gives the server what another one said.
func (s *service) hearOther(o overheard) {
	d, n := s.d, o.net
	if s.ears[n] != o.ears {
		return // closed meanwhile
	}
	if o.err != nil { // the link is down: its next change opens them again
		o.ears.Close()
		delete(s.ears, n)
		return
	}
	u, err := ether.ParseUDPFrame(o.frame)
	if err != nil || d.msg.Parse(u.Payload) != nil {
		return
	}
	s.do(n, s.core.Heard(d.now, d.cfg, &n.site, s.table, u.Src.Addr(), ether.MAC(o.frame[6:12]), &d.msg))
}

// watch has the server look whether those others are gone that it pauses for.
func (s *service) watch() {
	d := s.d
	for o, at := s.core.Pausing(); o != nil && !d.now.Before(at); o, at = s.core.Pausing() {
		n := d.nets[o.Index]
		var site *server.Site
		if n != nil && n.serves() {
			site = &n.site
		}
		s.do(n, s.core.Watch(d.now, d.cfg, o, site))
	}
}
