package dhcp4

import (
	"bytes"
	"encoding/hex"
	"strconv"

	"dhcpd/internal/ascii"
	"dhcpd/internal/netip"
)

// Line appends m in one line, without a newline, for a log of who said what:
// type, client, the address that it is about, server, lease time, relay.
func (m *Message) Line(dst []byte) []byte {
	o := &m.Options
	dst = append(dst, m.Type().String()...)
	dst = appendXid(append(dst, " xid "...), m.Xid)
	if m.Op == BootReply {
		dst = append(dst, " to "...)
	} else {
		dst = append(dst, " from "...)
	}
	dst = appendHW(dst, m.HW())
	if id := o.Get(ClientID); len(id) > 0 && (id[0] != m.Htype || !bytes.Equal(id[1:], m.HW())) {
		dst = hex.AppendEncode(append(dst, " id "...), id)
	}
	server, _ := o.Addr(ServerID)
	dst = appendSet(dst, " for ", m.subject())
	dst = appendSet(dst, " server ", server)
	if t, err := o.Uint32(LeaseTime); err == nil {
		dst = appendSeconds(append(dst, " lease "...), t)
	}
	dst = appendSet(dst, " through ", m.Giaddr)
	if v := o.Get(HostName); len(v) > 0 {
		dst = AppendQuoted(append(dst, " name "...), v)
	}
	if v := o.Get(MessageText); len(v) > 0 {
		dst = AppendSaid(append(dst, " saying "...), v)
	}
	return dst
}

// subject returns the address that m is about.
func (m *Message) subject() netip.Addr {
	if m.Op == BootReply && !m.Yiaddr.IsUnspecified() {
		return m.Yiaddr
	}
	if a, err := m.Options.Addr(RequestedAddress); err == nil {
		return a
	}
	return m.Ciaddr
}

// appendSet appends a word and an address, if there is one.
func appendSet(dst []byte, word string, a netip.Addr) []byte {
	if !a.IsValid() || a.IsUnspecified() {
		return dst
	}
	return a.AppendTo(append(dst, word...))
}

func appendSeconds(dst []byte, t uint32) []byte {
	if t == Infinite {
		return append(dst, "infinite"...)
	}
	return strconv.AppendUint(dst, uint64(t), 10)
}

// appendXid appends a transaction ID as it stands in a packet.
func appendXid(dst []byte, xid uint32) []byte {
	for shift := 28; shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[xid>>shift&15])
	}
	return dst
}

// appendHW appends a hardware address, octets with colons between them; none
// is a dash.
func appendHW(dst, hw []byte) []byte {
	if len(hw) == 0 {
		return append(dst, '-')
	}
	return ascii.AppendOctets(dst, hw)
}

// Dump appends all of m, a line for each header field and each option, in
// order, by the names of d: a tab, the name, " = ", the value as the config
// language spells it, and what it means where that can't be seen.
func (m *Message) Dump(dst []byte, d *Dict) []byte {
	dst = m.dumpHeader(dst)
	for c, v := range m.Options.All() {
		t, _ := d.ByCode(c)
		dst = dumpOption(dumpName(dst, t.Name), t, v, d)
		dst = append(dst, '\n')
	}
	return dst
}

// dumpHeader appends the fields of RFC 2131 figure 1, in its order.
func (m *Message) dumpHeader(dst []byte) []byte {
	dst = dumpNumber(dst, "op", uint(m.Op), m.Op.String())
	dst = dumpNumber(dst, "htype", uint(m.Htype), "")
	dst = dumpNumber(dst, "hlen", uint(m.Hlen), "")
	dst = dumpNumber(dst, "hops", uint(m.Hops), "")
	dst = append(appendXid(dumpName(dst, "xid"), m.Xid), '\n')
	dst = dumpNumber(dst, "secs", uint(m.Secs), "")
	broadcast := ""
	if m.Flags&Broadcast != 0 {
		broadcast = "broadcast"
	}
	dst = dumpNumber(dst, "flags", uint(m.Flags), broadcast)
	dst = append(m.Ciaddr.AppendTo(dumpName(dst, "ciaddr")), '\n')
	dst = append(m.Yiaddr.AppendTo(dumpName(dst, "yiaddr")), '\n')
	dst = append(m.Siaddr.AppendTo(dumpName(dst, "siaddr")), '\n')
	dst = append(m.Giaddr.AppendTo(dumpName(dst, "giaddr")), '\n')
	dst = append(appendHW(dumpName(dst, "chaddr"), m.HW()), '\n')
	dst = append(AppendQuoted(dumpName(dst, "sname"), field(m.Sname[:])), '\n')
	return append(AppendQuoted(dumpName(dst, "file"), field(m.File[:])), '\n')
}

//go:noinline
func dumpName(dst []byte, name string) []byte {
	return append(append(append(dst, '\t'), name...), " = "...)
}

// dumpNumber appends a line with a number and, unless it is empty, what it
// means.
func dumpNumber(dst []byte, name string, n uint, meaning string) []byte {
	dst = strconv.AppendUint(dumpName(dst, name), uint64(n), 10)
	if meaning != "" {
		dst = append(append(append(dst, " ("...), meaning...), ')')
	}
	return append(dst, '\n')
}

// dumpOption appends a value, taken apart further than the config language
// does where a reader is better served by that.
func dumpOption(dst []byte, t Tag, v []byte, d *Dict) []byte {
	start := len(dst)
	ok := true
	switch {
	case t.Code == ParameterList:
		return dumpCodes(dst, v, d)
	case t.Code == Authentication && len(v) > 12 && v[0] == 3 && v[11] == 1:
		// RFC 6704 section 3.1.2: with the nonce whoever reads the log could wake
		// the client.
		return append(hex.AppendEncode(dst, v[:12]), " (a nonce)"...)
	case t.Code == RelayAgent:
		dst, ok = dumpAgent(dst, v)
	default:
		dst, ok = t.appendValue(dst, v)
	}
	if !ok {
		return append(hex.AppendEncode(dst[:start], v), " (malformed)"...)
	}
	if name := meaning(t.Code, v); name != "" {
		dst = append(append(append(dst, " ("...), name...), ')')
	}
	return dst
}

// meaning returns the name of what the first octet of a value stands for.
func meaning(c Code, v []byte) string {
	switch {
	case len(v) == 0:
	case c == MessageType:
		return Type(v[0]).String()
	case c == DHCPState:
		return LeaseState(v[0]).String()
	case c == StatusCode:
		return Status(v[0]).String()
	}
	return ""
}

// dumpCodes appends the names of the options that a request list asks for.
func dumpCodes(dst, v []byte, d *Dict) []byte {
	for i, c := range v {
		if i > 0 {
			dst = append(dst, ' ')
		}
		t, _ := d.ByCode(Code(c))
		dst = append(dst, t.Name...)
	}
	return dst
}

// The sub-options of option 82 by the words of the config language.
var agentTags = [...]Tag{
	CircuitID:      {Name: "circuit", Kind: ASCII},
	RemoteID:       {Name: "remote", Kind: ASCII},
	LinkSelection:  {Name: "link", Kind: IP, Max: 1},
	RelayFlags:     {Name: "flags", Kind: Number, Gran: 1, Max: 1},
	ServerOverride: {Name: "server", Kind: IP, Max: 1},
	RelayID:        {Name: "relay", Kind: ASCII},
}

// dumpAgent appends the sub-options of option 82; false if they can't be told
// apart.
func dumpAgent(dst, v []byte) ([]byte, bool) {
	for first := true; len(v) > 0; first = false {
		code, value, rest, ok := cutSub(v)
		if !ok {
			return dst, false
		}
		if !first {
			dst = append(dst, ' ')
		}
		var t Tag
		if int(code) < len(agentTags) {
			t = agentTags[code]
		}
		if t.Name == "" {
			t.Name = "T" + strconv.Itoa(int(code))
		}
		dst = t.AppendValue(append(append(dst, t.Name...), ' '), value)
		v = rest
	}
	return dst, true
}
