package dhcp4

import (
	"encoding/hex"
	"strconv"
)

// Dump appends m for a reader who wants all of it: a line for each header
// field that is not zero and each option, by name.
func (m *Message) Dump(dst []byte, d *Dict) []byte {
	dst = append(m.Line(dst), '\n')
	for c, v := range m.Options.All() {
		t, _ := d.ByCode(c)
		dst = append(append(append(dst, '\t'), t.Name...), " = "...)
		dst = append(t.AppendValue(dst, v), '\n')
	}
	return dst
}

// Line appends m in one line, without a newline.
func (m *Message) Line(dst []byte) []byte {
	dst = append(dst, m.Type().String()...)
	dst = append(dst, " xid "...)
	dst = strconv.AppendUint(dst, uint64(m.Xid), 16)
	return hex.AppendEncode(append(dst, " from "...), m.HW())
}
