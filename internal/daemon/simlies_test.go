package daemon

import (
	"encoding/binary"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// nobodies are addresses that no host can have on any of the networks.
var nobodies = []string{"0.0.0.0", "0.0.0.1", "127.0.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	"10.0.0.0", "10.0.0.255", "10.9.0.0", "10.9.0.255"}

// lie makes of a server's message one that nobody may believe. Nil: it is none.
func (w *world) lie(frame []byte) []byte {
	m, ok := parseFrame(frame)
	u, _ := ether.ParseUDPFrame(frame)
	if !ok || m.Op != dhcp4.BootReply || m.Type() == dhcp4.NAK {
		return nil
	}
	nobody := netip.MustParseAddr(pick(w, nobodies[:len(nobodies)-w.hosts]...))
	o := &m.Options
	switch w.rnd.IntN(16) {
	case 0:
		m.Xid ^= 1 << w.rnd.IntN(32)
	case 1:
		m.Chaddr[w.rnd.IntN(6)] ^= 1 << w.rnd.IntN(8)
	case 2:
		m.Hlen = pick[byte](w, 0, 1, 5, 7, 16)
	case 3:
		m.Htype++
	case 4:
		m.Op = dhcp4.BootRequest
	case 5:
		o.Del(dhcp4.ServerID)
	case 6:
		o.PutAddr(dhcp4.ServerID, netip.MustParseAddr(pick(w, nobodies[:7]...)))
	case 7:
		m.Yiaddr = nobody
	case 8:
		o.Del(dhcp4.LeaseTime)
	case 9:
		o.Put(dhcp4.LeaseTime, make([]byte, w.rnd.IntN(9))) // of any length, and zero
	case 10:
		o.Put(dhcp4.ClientID, []byte("another"))
	case 11:
		m.SetType(pick(w, dhcp4.Discover, dhcp4.Request, dhcp4.Decline, dhcp4.Release, dhcp4.Inform, dhcp4.Type(200)))
	case 12: // cut where nothing of use is in it yet
		return w.wrap(u, u.Payload[:w.rnd.IntN(244)])
	case 13: // an octet, but the checksum stays as it was
		lie := append([]byte(nil), frame...)
		lie[14+20+8+w.rnd.IntN(len(u.Payload))] ^= 1 << w.rnd.IntN(8)
		return lie
	case 14: // the same for the IP header
		lie := append([]byte(nil), frame...)
		lie[14+w.rnd.IntN(20)] ^= 1 << w.rnd.IntN(8)
		return lie
	default:
		noise := make([]byte, w.rnd.IntN(600))
		for i := 0; i < len(noise); i += 8 {
			var b [8]byte
			binary.NativeEndian.PutUint64(b[:], w.rnd.Uint64())
			copy(noise[i:], b[:])
		}
		return w.wrap(u, noise)
	}
	payload, _ := m.Append(nil, 0)
	return w.wrap(u, payload)
}

// wrap puts a payload into a frame like the one it came from.
func (w *world) wrap(u ether.Datagram, payload []byte) []byte {
	return ether.AppendUDPFrame(nil, u.SrcMAC, u.DstMAC, u.Src.Addr(), u.Dst.Addr(), u.Src.Port(), u.Dst.Port(), payload)
}
