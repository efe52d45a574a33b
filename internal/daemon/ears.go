package daemon

import (
	"errors"
	"os"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"

	"golang.org/x/sys/unix"
)

// ears are the sockets of a network's client that are open.
type ears struct {
	dhcp, arp link.Frames // to hear and to speak without an address
	about     netip.Addr  // what arp listens for
	udp       *link.UDP   // port 68, once there is an address
	twin      []byte      // the message last heard by dhcp, which udp may have heard, too
	deaf      bool        // the link went away: open nothing until it changes
	routers   link.Frames // router discovery
	group     *os.File    // of all routers, while this is one
}

// heard is what one of them heard.
type heard struct {
	net  *network
	kind link.Kind      // 0 for a datagram of the UDP socket
	data []byte         // a frame, or the payload of a datagram
	from netip.AddrPort // of a datagram
	to   netip.AddrPort // likewise
	cut  bool           // it was longer than what we take in
	err  error          // the socket is of no use any more
}

// wanted are the sockets that should be open.
type wanted struct{ frames, arp, udp bool }

// want says which sockets a network needs. In test mode the kernel doesn't
// know of the address, so everything goes by frames. ARP is heard for as long
// as there is an address to ask for or to defend (C5).
func (n *network) want() wanted {
	switch {
	case n.ears.deaf || !n.client.Running:
		return wanted{}
	case n.asIf != nil:
		return wanted{frames: true, arp: true}
	}
	frames := n.client.Frames()
	return wanted{frames: frames, arp: frames || n.client.Watched().IsValid(), udp: n.client.Held}
}

// open opens what is wanted and isn't open.
func (d *Daemon) open(n *network) {
	w, e := n.want(), &n.ears
	if w.frames && e.dhcp == nil {
		e.dhcp = d.openFrames(n, link.DHCP)
	}
	if w.arp && e.arp == nil {
		e.arp, e.about = d.openFrames(n, link.ARP), netip.Addr{}
	}
	if about := n.client.Watched(); e.arp != nil && about != e.about && about.IsValid() {
		d.check(e.arp.About(about))
		e.about = about
	}
	if w.udp && e.udp == nil {
		u, err := link.ListenUDP(dhcp4.ClientPort, n.link.ID)
		if err != nil {
			d.say.once(err.Error() + ": is another DHCP client running?")
			return
		}
		d.say.debug(3, n.name()+": UDP port 68 opened")
		e.udp = u
		go d.listenUDP(n, u)
	}
}

func (d *Daemon) openFrames(n *network, kind link.Kind) link.Frames {
	f, err := d.doors.frames(n.link.ID, kind)
	if err != nil {
		d.say.once(err.Error())
		n.ears.deaf = true
		n.denied = n.denied || !errors.Is(err, unix.ENODEV) // which may be there again
		return nil
	}
	d.say.debug(3, n.name()+": packet socket opened")
	go d.listenFrames(n, f, kind)
	return f
}

// shut closes what is open and not wanted.
func (d *Daemon) shut(n *network) {
	w, e := n.want(), &n.ears
	if !w.frames {
		d.shutFrames(n, &e.dhcp)
	}
	if !w.arp {
		d.shutFrames(n, &e.arp)
	}
	if !w.udp && e.udp != nil {
		e.udp.Close()
		e.udp = nil
		d.say.debug(3, n.name()+": UDP port 68 closed")
	}
}

func (d *Daemon) shutFrames(n *network, f *link.Frames) {
	if *f == nil {
		return
	}
	(*f).Close()
	*f = nil
	d.say.debug(3, n.name()+": packet socket closed")
}

// mostHeard is how many octets of a message a client takes in, whatever the MTU.
// A cable that comes and goes opens ears each time: memory should not fill up.
const mostHeard = 4096

// listenFrames hands over frames until the socket is closed or of no use.
func (d *Daemon) listenFrames(n *network, f link.Frames, kind link.Kind) {
	size := mostHeard
	if kind == link.ARP {
		size = 64
	}
	buf := make([]byte, size)
	for {
		k, err := f.Read(buf)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		h := heard{net: n, kind: kind, data: append([]byte(nil), buf[:k]...), err: err}
		if !d.hand(h) || err != nil {
			return
		}
	}
}

// listenUDP does the same for datagrams.
func (d *Daemon) listenUDP(n *network, u *link.UDP) {
	b := link.NewBatch(2, mostHeard)
	for {
		err := u.Receive(b)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			d.hand(heard{net: n, err: err})
			return
		}
		for i := range b.Len() {
			m := b.At(i)
			if !d.hand(heard{net: n, data: append([]byte(nil), m.Data...), from: m.From, to: m.To, cut: m.Cut}) {
				return
			}
		}
	}
}

// hand gives the loop what was heard; false if the loop has ended.
func (d *Daemon) hand(h heard) bool {
	select {
	case d.heard <- h:
		return true
	case <-d.ended:
		return false
	}
}
