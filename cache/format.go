package cache

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"dhcpd/internal/dhcp4"
)

const (
	header      = "#dhcp.cache 1"
	clockName   = "clock"    // the name that the clock's line has in place of a network's
	duidName    = "duid"     // likewise that of the DUID
	counterName = "counter"  // and that of the replay counter
	forever     = "infinite" // the end of a lease without one
)

// The names of lines that are no options. An option whose tag bears one of
// them is written by its number.
const (
	nameAddress = "address"
	nameMAC     = "mac"
	nameServer  = "server"
	nameStart   = "start"
	nameT1      = "renew"
	nameT2      = "rebind"
	nameEnd     = "end"
	nameSiaddr  = "siaddr"
	nameSname   = "sname"
	nameFile    = "file"
)

// Append appends the text of a cache file. Times are written on the wall
// clock as it is now, so that they mean something to whoever reads them.
func Append(dst []byte, held File, d *dhcp4.Dict, at Clock) []byte {
	dst = append(dst, header+"\n"+clockName+" "...)
	boot := at.Boot
	if boot == "" {
		boot = "-"
	}
	dst = append(append(dst, boot...), ' ')
	dst = append(strconv.AppendInt(dst, at.Wall.Unix(), 10), ' ')
	dst = append(strconv.AppendInt(dst, int64(at.Up/time.Second), 10), '\n')
	if held.DUID != nil {
		dst = append(hex.AppendEncode(append(dst, duidName+" "...), held.DUID), '\n')
	}
	if held.Counter > 0 {
		dst = append(strconv.AppendUint(append(dst, counterName+" "...), held.Counter, 10), '\n')
	}
	shift := at.Wall.Sub(at.Now)
	for i := range held.Entries {
		e := &held.Entries[i]
		l := lines{dst, e.Name}
		l.lease(e, shift)
		l.learned(e, d)
		dst = l.dst
	}
	return dst
}

// lines writes the lines of one network.
type lines struct {
	dst  []byte
	name string
}

func (l *lines) lease(e *Entry, shift time.Duration) {
	l.put(nameAddress, e.Addr.String())
	if e.MAC != [6]byte{} {
		l.put(nameMAC, macText(e.MAC))
	}
	if e.Server.IsValid() {
		l.put(nameServer, e.Server.String())
	}
	stamp := func(name string, t time.Time) {
		if !t.IsZero() {
			l.put(name, strconv.FormatInt(max(t.Add(shift).Unix(), 0), 10))
		}
	}
	stamp(nameStart, e.Start)
	stamp(nameT1, e.T1)
	stamp(nameT2, e.T2)
	if e.Infinite() {
		l.put(nameEnd, forever)
	}
	stamp(nameEnd, e.End)
}

func (l *lines) learned(e *Entry, d *dhcp4.Dict) {
	if e.Siaddr.IsValid() && !e.Siaddr.IsUnspecified() {
		l.put(nameSiaddr, e.Siaddr.String())
	}
	if e.Sname != "" {
		l.put(nameSname, e.Sname)
	}
	if e.File != "" {
		l.put(nameFile, e.File)
	}
	for c, v := range e.Options.All() {
		l.option(d, c, v)
	}
}

// option writes an option under its tag's name, or, where its value could not
// be had back from that, by number and in hexadecimal.
func (l *lines) option(d *dhcp4.Dict, c dhcp4.Code, v []byte) {
	t, _ := d.ByCode(c)
	w := words(t, v)
	if !plain(t.Name) || !faithful(t, v, w) {
		t = numberTag(c)
		w = words(t, v)
	}
	l.put(t.Name, w...)
}

// faithful tells whether reading the words gives the value again. For names
// that is the same text: the packet may have compressed it in its own way.
func faithful(t dhcp4.Tag, v []byte, w []string) bool {
	back, err := value(t, w)
	if err != nil || t.Kind != dhcp4.Domain {
		return err == nil && bytes.Equal(back, v)
	}
	text := strings.Join(w, " ")
	return text == strings.Join(words(t, back), " ") && text != hex.EncodeToString(v)
}

// plain tells whether a tag's name can stand in a line, and for nothing else.
func plain(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || c == '\'' {
			return false
		}
	}
	_, number := byNumber(name)
	return !number && !reserved(name)
}

func reserved(name string) bool {
	switch name {
	case nameAddress, nameMAC, nameServer, nameStart, nameT1, nameT2, nameEnd,
		nameSiaddr, nameSname, nameFile:
		return true
	}
	return false
}

// put writes one line. At least one value is there, if only an empty one.
func (l *lines) put(tag string, values ...string) {
	l.dst = append(appendName(l.dst, l.name), ' ')
	l.dst = append(l.dst, tag...)
	for _, v := range values {
		l.dst = appendQuoted(append(l.dst, ' '), v)
	}
	l.dst = append(l.dst, '\n')
}
