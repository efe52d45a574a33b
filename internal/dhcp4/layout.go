package dhcp4

// layout spreads the options over the three fields that can hold them.
type layout struct {
	msg    *Message
	out    Set       // the options left out
	need   int       // what the message would take with all the others in one field
	b      []byte    // the whole message, as long as it may get
	fields [3][]byte // what is free of options, file, sname: RFC 3396's order
	size   int       // of the message, once it is filled
}

// The octets that END needs in each field, and option 52 in the first.
const (
	endSize      = 1
	overloadSize = 3
)

// The whole of file and sname as fields for options, but for END.
const (
	fileRoom  = 128 - endSize
	snameRoom = 64 - endSize
)

// leaveOut leaves out one more option before the next try.
func (l *layout) leaveOut(c Code) {
	l.out.Add(c)
	l.need -= optionSize(len(l.msg.Options.Get(c)))
	copy(l.b[snameAt:], l.msg.Sname[:]) // the last one may have put options there
	copy(l.b[fileAt:], l.msg.File[:])
	l.fields = [3][]byte{}
}

// fill writes all options but those left out and tells whether they all fit.
func (l *layout) fill() bool {
	if l.need > len(l.b) {
		return l.spread()
	}
	l.finish(l.plain(l.b[:optionsAt]))
	return true
}

// plain appends the options but for 82 to b, which has room for all of them.
func (l *layout) plain(b []byte) []byte {
	o := &l.msg.Options
	for _, c := range o.list[:o.n] {
		if c != RelayAgent && !l.out.Has(c) {
			b = appendSplit(b, c, o.value(c))
		}
	}
	return b
}

// spread puts the options into all three fields and tells whether they fit.
func (l *layout) spread() bool {
	o := &l.msg.Options
	tail := endSize + l.openHeader()
	if l.hasAgent() {
		tail += optionSize(len(o.Get(RelayAgent)))
	}
	l.fields[0] = l.b[optionsAt : len(l.b)-tail]
	for _, c := range o.list[:o.n] {
		if c != RelayAgent && !l.out.Has(c) && !l.place(c, o.value(c)) {
			return false
		}
	}
	b := l.b[:len(l.b)-tail-len(l.fields[0])]
	if v := l.closeHeader(); v != 0 {
		b = append(b, byte(Overload), 1, v)
	}
	l.finish(b)
	return true
}

// finish puts option 82 and END behind the options and clears what is left.
func (l *layout) finish(b []byte) {
	if l.hasAgent() {
		b = appendSplit(b, RelayAgent, l.msg.Options.Get(RelayAgent))
	}
	b = append(b, byte(End))
	l.size = len(b)
	clear(l.b[l.size:])
}

func (l *layout) hasAgent() bool {
	return l.msg.Options.Has(RelayAgent) && !l.out.Has(RelayAgent)
}

// openHeader makes file and sname fields for options, where the message does
// not use them itself, and returns how much room that costs in the first.
// BOOTP has no option 52.
func (l *layout) openHeader() (cost int) {
	if l.msg.Type() == BOOTP {
		return 0
	}
	if allZero(l.msg.File[:]) {
		l.fields[1] = l.b[fileAt : fileAt+fileRoom]
		cost = overloadSize
	}
	if allZero(l.msg.Sname[:]) {
		l.fields[2] = l.b[snameAt : snameAt+snameRoom]
		cost = overloadSize
	}
	return cost
}

// place writes one option: whole into the first field with room, or, if it is
// longer than one piece can be, piece by piece as there is room. A piece never
// crosses from one field into the next (RFC 3396 section 5).
func (l *layout) place(c Code, v []byte) bool {
	long := len(v) > 255
	for i := range l.fields {
		f := &l.fields[i]
		for len(v)+2 <= len(*f) || long && len(*f) > 2 {
			n := min(len(v), 255, len(*f)-2)
			*f = (*f)[put(*f, c, v[:n]):]
			v = v[n:]
			if len(v) == 0 {
				return true
			}
		}
	}
	return false
}

func put(f []byte, c Code, v []byte) int {
	f[0], f[1] = byte(c), byte(len(v))
	return 2 + copy(f[2:], v)
}

// appendSplit appends an option in as many pieces as it needs.
func appendSplit(b []byte, c Code, v []byte) []byte {
	for len(v) > 255 {
		b = append(append(b, byte(c), 255), v[:255]...)
		v = v[255:]
	}
	return append(append(b, byte(c), byte(len(v))), v...)
}

// closeHeader ends file and sname where they hold options, clears what is
// left of them, and returns the value of option 52, 0 for none.
func (l *layout) closeHeader() (overload byte) {
	for i, room := range [...]int{1: fileRoom, 2: snameRoom} {
		f := l.fields[i]
		if f == nil {
			continue
		}
		f = f[:len(f)+endSize]
		clear(f)
		if len(f) < room+endSize {
			f[0] = byte(End)
			overload |= byte(i)
		}
	}
	return overload
}
