package dhcp4

import "encoding/binary"

// kept are the options that Append never leaves out: what a reply is nothing
// without.
var kept = func() (s Set) {
	for _, c := range []Code{MessageType, ServerID, LeaseTime, Netmask, RelayAgent} {
		s.Add(c)
	}
	return s
}()

// Append appends m to b as it goes over the wire, in at most limit octets
// (MinLimit if limit is less) and at least MinSize, and returns the buffer
// and the codes of the options that did not fit.
//
// Options go out in their order, with option 82 last (RFC 3046 section 2.1).
// What the options field can't hold goes into file and then sname, if those
// are empty, under option 52 (RFC 2132 section 9.3); values over 255 octets
// are split (RFC 3396). If that is not enough, options are left out from the
// end of the order, but never 53, 54, 51, 1 and 82.
func (m *Message) Append(b []byte, limit int) ([]byte, Set) {
	limit = max(limit, MinLimit)
	start := len(b)
	b = m.appendHeader(b)
	var out Set
	if m.Options.n == 0 {
		return pad(b, start+MinSize), out
	}
	b = binary.BigEndian.AppendUint32(b, cookie)
	room := limit - headerSize - 4
	if o := &m.Options; o.wireSize()+1 <= room {
		b = o.appendAll(b)
		return pad(append(b, byte(End)), start+MinSize), out
	}
	b = pad(b, start+limit)
	for l := (layout{msg: m, b: b[start:]}); ; {
		if n, ok := l.fill(out); ok || !m.Options.leaveOut(&out) {
			return pad(b[:start+n], start+MinSize), out
		}
	}
}

func (m *Message) appendHeader(b []byte) []byte {
	b = append(b, byte(m.Op), m.Htype, m.Hlen, m.Hops)
	b = binary.BigEndian.AppendUint32(b, m.Xid)
	b = binary.BigEndian.AppendUint16(b, m.Secs)
	b = binary.BigEndian.AppendUint16(b, m.Flags)
	ci, yi, si, gi := m.Ciaddr.As4(), m.Yiaddr.As4(), m.Siaddr.As4(), m.Giaddr.As4()
	b = append(b, ci[:]...)
	b = append(b, yi[:]...)
	b = append(b, si[:]...)
	b = append(b, gi[:]...)
	b = append(b, m.Chaddr[:]...)
	b = append(b, m.Sname[:]...)
	return append(b, m.File[:]...)
}

func pad(b []byte, size int) []byte {
	for len(b) < size {
		b = append(b, 0)
	}
	return b
}

// wireSize returns how many octets the options take in one field, without END.
func (o *Options) wireSize() int {
	size := 0
	for _, c := range o.list[:o.n] {
		n := int(o.span[c].len)
		size += n + 2*max(1, (n+254)/255)
	}
	return size
}

// appendAll appends all options, split where they are long, 82 last.
func (o *Options) appendAll(b []byte) []byte {
	for _, c := range o.list[:o.n] {
		if c != RelayAgent {
			b = appendSplit(b, c, o.Get(c))
		}
	}
	if o.Has(RelayAgent) {
		b = appendSplit(b, RelayAgent, o.Get(RelayAgent))
	}
	return b
}

func appendSplit(b []byte, c Code, v []byte) []byte {
	for len(v) > 255 {
		b = append(append(b, byte(c), 255), v[:255]...)
		v = v[255:]
	}
	return append(append(b, byte(c), byte(len(v))), v...)
}

// leaveOut adds to out the last option in the order that may be left out and
// isn't yet; false if there is none.
func (o *Options) leaveOut(out *Set) bool {
	for i := o.n - 1; i >= 0; i-- {
		if c := o.list[i]; !kept.Has(c) && !out.Has(c) {
			out.Add(c)
			return true
		}
	}
	return false
}

// layout spreads options over the three fields that can hold them.
type layout struct {
	msg    *Message
	b      []byte    // the whole message, as long as the limit
	fields [3][]byte // what is free of options, file, sname, in RFC 3396's order
}

// The octets that END needs in each field, and option 52 in the first.
const (
	endSize      = 1
	overloadSize = 3
)

// fill writes all options but those in out. It returns the length of the
// message and whether they all fit.
func (l *layout) fill(out Set) (size int, ok bool) {
	o := &l.msg.Options
	agent := o.Get(RelayAgent)
	tail := overloadSize + endSize
	if o.Has(RelayAgent) {
		tail += len(agent) + 2*max(1, (len(agent)+254)/255)
	}
	l.open(tail)
	ok = l.fields[0] != nil
	for _, c := range o.list[:o.n] {
		if c != RelayAgent && !out.Has(c) {
			ok = l.place(c, o.Get(c)) && ok
		}
	}
	end := l.b[:len(l.b)-len(l.fields[0])-tail]
	if v := l.closeFields(); v != 0 {
		end = append(end, byte(Overload), 1, v)
	}
	if o.Has(RelayAgent) {
		end = appendSplit(end, RelayAgent, agent)
	}
	return len(append(end, byte(End))), ok
}

// open makes the fields empty: all of options but tail octets, and of file
// and sname what the message does not use itself.
func (l *layout) open(tail int) {
	l.fields = [3][]byte{}
	if n := len(l.b) - tail; n >= optionsAt {
		l.fields[0] = l.b[optionsAt:n]
	}
	if allZero(l.msg.File[:]) {
		l.fields[1] = l.b[fileAt : fileAt+128-endSize]
	}
	if allZero(l.msg.Sname[:]) {
		l.fields[2] = l.b[snameAt : snameAt+64-endSize]
	}
}

// place writes one option: whole into the first field with room, or, if it is
// longer than one piece can be, piece by piece. A piece never crosses a field.
func (l *layout) place(c Code, v []byte) bool {
	for i := range l.fields {
		f := &l.fields[i]
		for len(v) > 255 && len(*f) > 2 {
			n := min(255, len(*f)-2)
			*f = (*f)[put(*f, c, v[:n]):]
			v = v[n:]
		}
		if len(v) <= 255 && len(v)+2 <= len(*f) {
			*f = (*f)[put(*f, c, v):]
			return true
		}
	}
	return false
}

func put(f []byte, c Code, v []byte) int {
	f[0], f[1] = byte(c), byte(len(v))
	return 2 + copy(f[2:], v)
}

// closeFields ends file and sname where they hold options and returns the
// value of option 52, 0 for none.
func (l *layout) closeFields() (overload byte) {
	for i, used := range [3]int{0, 128 - endSize, 64 - endSize} {
		f := l.fields[i]
		if i == 0 || f == nil || len(f) == used {
			continue
		}
		f = f[:len(f)+endSize]
		f[0] = byte(End)
		clear(f[1:])
		overload |= byte(i)
	}
	return overload
}
