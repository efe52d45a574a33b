package relay

import (
	"bytes"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
)

// subOptions builds the value of option 82 for the network, but for the flags,
// which differ from message to message; nil for none.
func (n *Network) subOptions() []byte {
	var b []byte
	if n.Circuit != nil {
		b = dhcp4.AppendSub(b, dhcp4.CircuitID, n.Circuit)
	}
	if n.Remote != nil {
		b = dhcp4.AppendSub(b, dhcp4.RemoteID, n.Remote)
	}
	if n.Relay != nil {
		b = dhcp4.AppendSub(b, dhcp4.RelayID, n.Relay)
	}
	here := n.Addr.Addr().As4()
	if n.Select && n.giaddr != n.Addr.Addr() { // else giaddr says it: RFC 3527 section 3
		b = dhcp4.AppendSub(b, dhcp4.LinkSelection, here[:])
	}
	if n.Override {
		b = dhcp4.AppendSub(b, dhcp4.ServerOverride, here[:])
	}
	return b
}

// adds tells whether we add an option 82 to requests from the network.
func (n *Network) adds() bool { return len(n.agent) > 0 || n.Flags }

// cameUnicast is the one flag of RFC 5010 section 3.
const cameUnicast = 0x80

// addAgent makes r.out the request with our option 82 in it; false if that is
// not for us to add, or there is no room.
func (r *Relay) addAgent(n *Network, p *Packet) (ok bool) {
	if !n.adds() || p.Msg.Options.Has(dhcp4.RelayAgent) {
		return false
	}
	var memory [255]byte
	agent := append(memory[:0], n.agent...)
	if n.Flags {
		flags := byte(0)
		if n.Ours(p.To) {
			flags = cameUnicast
		}
		agent = append(agent, dhcp4.RelayFlags, 1, flags)
	}
	if r.out, ok = dhcp4.AppendAgent(r.out[:0], p.Data, agent, n.limit()); !ok {
		r.because(noRoom, act.Debug1)
	}
	return ok
}

// addedAgent tells whether the option 82 that a server sends back is ours to
// remove. Where others are trusted to add one, theirs is left for them.
func (n *Network) addedAgent(m *dhcp4.Message) bool {
	if !n.adds() || !m.Options.Has(dhcp4.RelayAgent) {
		return false
	}
	return !n.Trusted || n.isOwn(m.Options.Get(dhcp4.RelayAgent))
}

// isOwn tells whether an option 82 is what we add, whatever the flags.
func (n *Network) isOwn(agent []byte) bool {
	if !bytes.HasPrefix(agent, n.agent) {
		return false
	}
	rest := agent[len(n.agent):]
	if n.Flags {
		return len(rest) == 3 && rest[0] == dhcp4.RelayFlags
	}
	return len(rest) == 0
}
