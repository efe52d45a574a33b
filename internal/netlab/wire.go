package netlab

import (
	"fmt"
	"net"
)

// nextMAC returns the Ethernet address of the next interface made in the lab:
// the same in every run, and locally administered.
func (l *Lab) nextMAC() [6]byte {
	l.macs++
	return [6]byte{0x02, 0x6c, 0x61, 0x62, 0, l.macs}
}

// MAC returns the Ethernet address of an interface.
func (h *Host) MAC(name string) [6]byte {
	h.lab.t.Helper()
	return [6]byte(h.Iface(name).HardwareAddr)
}

// Wire joins two hosts by a cable and sets both ends up.
func (l *Lab) Wire(a *Host, aName string, b *Host, bName string) {
	l.t.Helper()
	if err := addVeth(a, aName, l.nextMAC(), b, bName, l.nextMAC()); err != nil {
		l.t.Fatalf("netlab: wire %s %s to %s %s: %v", a.Name, aName, b.Name, bName, err)
	}
	a.Up(aName)
	b.Up(bName)
	a.awaitFrames(aName)
	b.awaitFrames(bName)
}

// A Switch is an Ethernet switch of any number of ports.
type Switch struct {
	host  *Host
	ports int
}

// A Port is where an interface is plugged into a switch.
type Port struct {
	sw   *Switch
	name string

	host *Host // what is plugged in there
	into string
}

const bridge = "br"

// Switch adds a switch without any port.
func (l *Lab) Switch() *Switch {
	l.t.Helper()
	sw := &Switch{host: l.Host(fmt.Sprintf("switch%d", len(l.hosts)))}
	if err := addBridge(sw.host, bridge); err != nil {
		l.t.Fatalf("netlab: switch: %v", err)
	}
	sw.host.Up(bridge)
	return sw
}

// Plug gives a host an interface of that name, joins it to the switch and
// sets it up.
func (sw *Switch) Plug(h *Host, name string) *Port {
	h.lab.t.Helper()
	p := sw.PlugDown(h, name)
	h.Up(name)
	p.await()
	return p
}

// PlugDown is Plug for a host that is to set its interface up itself.
func (sw *Switch) PlugDown(h *Host, name string) *Port {
	h.lab.t.Helper()
	l := h.lab
	sw.ports++
	p := &Port{sw: sw, name: fmt.Sprintf("p%d", sw.ports), host: h, into: name}
	if err := addVeth(h, name, l.nextMAC(), sw.host, p.name, l.nextMAC()); err != nil {
		l.t.Fatalf("netlab: plug %s %s: %v", h.Name, name, err)
	}
	sw.host.setMaster(p.name, sw.host.Iface(bridge).Index)
	sw.host.Up(p.name)
	return p
}

// Cut pulls the cable: the host's interface stays up, but has no carrier.
func (p *Port) Cut() { p.sw.host.Down(p.name) }

// Mend plugs it in again.
func (p *Port) Mend() {
	p.sw.host.Up(p.name)
	p.await()
}

// await waits until frames pass, if the host has set its interface up.
func (p *Port) await() {
	if ifi := p.host.iface(p.into); ifi != nil && ifi.Flags&net.FlagUp != 0 {
		p.host.awaitFrames(p.into)
		p.sw.host.awaitFrames(p.name)
	}
}

// awaitFrames waits until an interface takes and hands over frames. A carrier is
// not enough: for up to a second after it, the kernel drops what is sent, and a
// bridge what it hears.
func (h *Host) awaitFrames(name string) {
	h.lab.t.Helper()
	h.Until(name+" to carry frames", func() bool {
		ifi := h.iface(name)
		return ifi != nil && ifi.Flags&net.FlagRunning != 0
	})
}
