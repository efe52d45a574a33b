package conf

// A file is compiled in two steps. The compiler turns the lines of each pair
// of braces, and of each macro, once into a body: all checks are made here.
// Then the unfolder goes through the bodies as if every macro stood where it
// is used, and lays down rules.

// body is the compiled form of the lines between two braces.
type body struct{ steps []step }

// step is one of: a run of ops; an element with conditions and perhaps a body
// of its own; the use of a macro.
type step struct {
	ops   span
	el    *element
	macro *macro
	at    place // of macro
}

// span is a part of an array: from the one up to the other.
type span struct{ from, to int32 }

// op is something that happens if a body is gathered.
type op struct {
	do    verb
	tag   uint16 // opSet, opDrop: option code, or one of the fields
	at    place
	index int32 // opOption, opKey: in Config.settings; opInterface: in Config.interfaces
	value span  // opSet, opMask: in Config.data
	picks span  // opSet: in Config.picks
}

type verb uint8

const (
	opSet       verb = iota // set a tag
	opDrop                  // remove it
	opMask                  // set the netmask, if none is set yet
	opKey                   // the key of the client that gathers it
	opOption                // an `option` of our own network
	opInterface             // an address for an interface of ours
)

// Tags of opSet and opDrop that are not options but header fields.
const (
	fieldSiaddr = 256 + iota
	fieldSname
	fieldFile
)

// pick is a place in a value where the closest of several addresses goes.
type pick struct {
	off   int32 // from the start of the value
	addrs []uint32
}

type macro struct {
	name  string
	at    place
	used  bool
	lines []line // until they are compiled
	body  *body
	mark  visit
}

// ours tells whether an op means our own networks only.
func (o *op) ours() bool { return o.do >= opOption }

// add adds an op to a body: to its last run, if that is at the end of ops and
// means the same ones. No client is to go through the options of a thousand
// networks of ours.
func (k *compiler) add(b *body, o op) {
	n := int32(len(k.c.ops))
	k.c.ops = append(k.c.ops, o)
	if last := len(b.steps) - 1; last >= 0 && b.steps[last].ops.to == n && n > 0 && k.c.ops[n-1].ours() == o.ours() {
		b.steps[last].ops.to++
		return
	}
	b.steps = append(b.steps, step{ops: span{n, n + 1}})
}

// data keeps octets in the Config.
func (k *compiler) data(v []byte) span {
	from := len(k.c.data)
	k.c.data = append(k.c.data, v...)
	return span{int32(from), int32(len(k.c.data))}
}
