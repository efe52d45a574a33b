package conf

import (
	"strings"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// What the server itself puts into every reply: options 53, 54, 61 and END.
const replyOverhead = 3 + 6 + 9 + 1

// checkWork bounds the time that checkSizes takes, in rules gathered.
const checkWork = 1_000_000

// checkSizes reports replies that do not fit 576 octets, the least that every
// client takes. Most files can't come to as much, whoever asks; for others
// one query is made up for each condition and answered.
func (k *compiler) checkSizes() {
	if k.mostOctets() <= dhcp4.MinLimit-240 {
		return
	}
	var q Query
	var info Info
	var msg dhcp4.Message
	var buf []byte
	last, work := int32(-1), 0
	for _, r := range k.c.rules {
		if r.cond == last || work > checkWork {
			continue
		}
		last = r.cond
		a, ok := k.sample(r.cond, &q)
		if !ok || !k.c.Gather(&q, netip.AddrFrom(a), &info) {
			continue
		}
		work += 1 + len(info.rules)
		msg.Reset(dhcp4.BootReply)
		fillReply(&msg, &info)
		var out dhcp4.Set
		if buf, out = msg.Append(buf[:0], dhcp4.MinLimit); !out.Empty() {
			k.once(k.c.conds[last].el.at, "Reply does not fit 576 octets, left out: "+k.setNames(&out))
		}
	}
}

// mostOctets returns more than any reply's options come to.
func (k *compiler) mostOctets() int {
	sum := replyOverhead + 2*2 + k.hosts.longest()
	for _, n := range k.longest {
		if n > 0 {
			sum += n + 2*(1+n/255)
		}
	}
	return sum
}

// sample makes up a query and an address that meet a condition; false if none
// of them says which address.
func (k *compiler) sample(n int32, q *Query) (addr uint32, ok bool) {
	*q = Query{}
	for ; n >= 0; n = k.c.conds[n].up {
		el := k.c.conds[n].el
		if el.kind <= onHost && len(el.addrs) > 0 {
			addr, ok = el.addrs[0], true
		}
		switch el.kind {
		case onClient:
			q.ID = []byte(k.idNames[el.who])
		case onNet:
			if !ok {
				addr, ok = el.net.addr|1&^mask(int(el.net.bits)), true
			}
		case onClass:
			q.Class = []byte(el.texts[0])
		case onCircuit:
			q.Circuit = []byte(el.texts[0])
		case onRemote:
			q.Remote = []byte(el.texts[0])
		}
	}
	return addr, ok
}

// fillReply makes a reply of what was gathered.
func fillReply(msg *dhcp4.Message, info *Info) {
	msg.SetType(dhcp4.ACK)
	msg.Options.PutAddr(dhcp4.ServerID, msg.Siaddr)
	msg.Options.Put(dhcp4.ClientID, make([]byte, 7))
	for c, v := range info.Options.All() {
		msg.Options.Put(c, v)
	}
	copy(msg.Sname[:], info.Sname)
	copy(msg.File[:], info.File)
}

// checkAgents reports what is to be added to requests that nobody relays.
func (k *compiler) checkAgents() {
	for _, a := range k.agents {
		if !k.relays[""] && !k.relays[a.text] && (a.text != "" || len(k.relays) == 0) {
			k.problem(a.at, "Option agent does nothing without option relay")
		}
	}
}

func (k *compiler) setNames(s *dhcp4.Set) string {
	var names []string
	for c := range 255 {
		if s.Has(dhcp4.Code(c)) {
			t, _ := k.c.dict.ByCode(dhcp4.Code(c))
			names = append(names, t.Name)
		}
	}
	return strings.Join(names, " ")
}
