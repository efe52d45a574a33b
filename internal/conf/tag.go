package conf

import (
	"slices"
	"strconv"
	"strings"

	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
)

// field is a header field under its name as a tag. Those that the protocol
// sets have no number.
type field struct {
	number int
	tag    dhcp4.Tag
}

var fields = []field{
	{fieldSiaddr, dhcp4.Tag{Name: "siaddr", Kind: dhcp4.IP, Gran: 1, Max: 1}},
	{fieldSname, dhcp4.Tag{Name: "sname", Kind: dhcp4.ASCII, Gran: 1, Max: 64}},
	{fieldFile, dhcp4.Tag{Name: "file", Kind: dhcp4.ASCII, Gran: 1, Max: 128}},
	{tag: dhcp4.Tag{Name: "op"}},
	{tag: dhcp4.Tag{Name: "htype"}},
	{tag: dhcp4.Tag{Name: "hlen"}},
	{tag: dhcp4.Tag{Name: "hops"}},
	{tag: dhcp4.Tag{Name: "xid"}},
	{tag: dhcp4.Tag{Name: "secs"}},
	{tag: dhcp4.Tag{Name: "flags"}},
	{tag: dhcp4.Tag{Name: "ciaddr"}},
	{tag: dhcp4.Tag{Name: "yiaddr"}},
	{tag: dhcp4.Tag{Name: "giaddr"}},
	{tag: dhcp4.Tag{Name: "chaddr"}},
}

// protocol are the tags that the protocol itself sets.
var protocol = func() (s dhcp4.Set) {
	for _, c := range []dhcp4.Code{dhcp4.RequestedAddress, dhcp4.Overload, dhcp4.MessageType,
		dhcp4.ServerID, dhcp4.ParameterList, dhcp4.MessageText, dhcp4.MaxSize} {
		s.Add(c)
	}
	return s
}()

// elements are the words that begin a line, for suggestions.
var elements = []string{"client", "class", "host", "interface", "macro", "tag", "no", "option",
	"circuit", "remote", "shared", "key", "include"}

// named returns the tag of that name and its number: the option code, or one
// of the fields.
func (k *compiler) named(it *item, others ...string) (int, dhcp4.Tag) {
	if !it.atom() {
		fail(it.at, "Tag name expected, not '{'")
	}
	number, t := k.lookup(it, others)
	if number == 0 || number < 256 && protocol.Has(t.Code) {
		fail(it.at, "Tag "+quote(it.text)+" can't be configured")
	}
	return number, t
}

func (k *compiler) lookup(it *item, others []string) (int, dhcp4.Tag) {
	for _, f := range fields {
		if ascii.Same(f.tag.Name, it.text) {
			return f.number, f.tag
		}
	}
	t, ok := k.c.dict.ByName(it.text)
	if !ok {
		known := append([]string{"siaddr", "sname", "file"}, others...)
		for t := range k.c.dict.All() {
			known = append(known, t.Name)
		}
		fail(it.at, "Unknown tag "+suggest(it.text, known...))
	}
	return int(t.Code), t
}

// code returns the option code of a tag that is not a field.
func (k *compiler) code(it *item) (dhcp4.Code, dhcp4.Tag) {
	number, t := k.named(it)
	if number > 255 {
		it.reject("an option")
	}
	return t.Code, t
}

// set compiles a line that sets a tag.
func (k *compiler) set(b *body, l line) {
	number, t := k.named(&l[0], elements...)
	v := k.value(t, number, l)
	if v.none {
		return
	}
	from := int32(len(k.c.picks))
	k.c.picks = append(k.c.picks, v.picks...)
	k.add(b, op{do: opSet, tag: uint16(number), at: l[0].at, value: k.data(v.data),
		picks: span{from, int32(len(k.c.picks))}})
	k.longest[number] = max(k.longest[number], len(v.data))
}

// drop compiles `no tag-name`.
func (k *compiler) drop(b *body, l line) {
	if len(l) != 2 {
		usage(l)
	}
	number, _ := k.named(&l[1])
	k.add(b, op{do: opDrop, tag: uint16(number), at: l[0].at})
}

// tag compiles `tag number name type granularity max`, for the whole file.
func (k *compiler) tag(l line) {
	if len(l) != 6 {
		usage(l)
	}
	for i := range l {
		if !l[i].atom() {
			usage(l)
		}
	}
	kind, ok := dhcp4.KindOf(l[3].text)
	if !ok {
		var known []string
		for k := dhcp4.Octet; k <= dhcp4.URI; k++ {
			known = append(known, k.String())
		}
		fail(l[3].at, "Unknown type "+suggest(l[3].text, known...))
	}
	t := dhcp4.Tag{Name: strings.Clone(l[2].text), Kind: kind, Gran: k.decimal(&l[4], "granularity", 1, 255), Max: k.decimal(&l[5], "maximum", 0, 65535)}
	if kind == dhcp4.Number && t.Gran != 1 && t.Gran != 2 && t.Gran != 4 {
		fail(l[4].at, "Granularity of a number must be 1, 2 or 4, not "+strconv.Itoa(t.Gran))
	}
	if l[1].text == "?" {
		k.fieldTag(l, t)
		return
	}
	t.Code = dhcp4.Code(k.decimal(&l[1], "tag number", 1, 254))
	if t.Name == "" {
		fail(l[2].at, "Tag "+strconv.Itoa(int(t.Code))+" has no name")
	}
	k.c.dict.Define(t)
	k.ownTags[ascii.Lower(t.Name)] = true
}

// fieldTag checks a line that names a header field: they are what they are.
func (k *compiler) fieldTag(l line, t dhcp4.Tag) {
	for _, f := range fields {
		if f.number != 0 && ascii.Same(f.tag.Name, t.Name) && f.tag.Kind == t.Kind {
			return
		}
	}
	fail(l[0].at, "Number ? is for siaddr ip, sname ascii and file ascii only")
}

// decimal returns the number that an item must be.
func (k *compiler) decimal(it *item, what string, least, most int) int {
	n, ok := ascii.Uint(it.text, 10, 31)
	if !it.atom() || !ok || int(n) < least || int(n) > most {
		it.reject("a " + what + " (" + strconv.Itoa(least) + " to " + strconv.Itoa(most) + ")")
	}
	return int(n)
}

// suggest is a word that is not known, with the nearest that is.
func suggest(word string, known ...string) string {
	if s := dhcp4.Nearest(word, slices.Values(known)); s != "" {
		return quote(word) + " (did you mean " + s + "?)"
	}
	return quote(word)
}
