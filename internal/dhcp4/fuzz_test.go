package dhcp4

import (
	"bytes"
	"testing"
)

func splitLines(b []byte) [][]byte {
	return bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))
}

func seed(f *testing.F) {
	f.Add(full(), 0)
	f.Add(raw(53, 1, 1, 255), 548)
	f.Add(make([]byte, 300), 1472)
	f.Add(raw(bytes.Repeat([]byte{43, 1, 7, 82, 1, 8}, 300)...), 548)
	f.Add(raw(119, 9, 1, 'a', 0, 1, 'b', 0xc0, 0, 0xc0, 3, 121, 5, 0, 10, 0, 0, 1, 53, 1, 1), 548)
}

// Whatever can be parsed comes back from Append as it was, but for what
// Append says that it left out.
func FuzzParse(f *testing.F) {
	seed(f)
	var m, got Message // reused, as the daemon does
	f.Fuzz(func(t *testing.T, b []byte, limit int) {
		if m.Parse(b) != nil {
			return
		}
		limit = max(min(limit, 1<<17), -1)
		wire, out := m.Append(nil, limit)
		if len(wire) < MinSize || len(wire) > max(limit, m.minLimit()) {
			t.Fatalf("limit %d: %d octets", limit, len(wire))
		}
		if err := got.Parse(wire); err != nil {
			t.Fatal(err)
		}
		for c := range out.All() {
			if !m.Options.Has(c) {
				t.Fatalf("option %d is left out but was not there", c)
			}
			m.Options.Del(c)
		}
		same(t, &got, &m)
		if list := codes(&m.Options); m.Options.Has(RelayAgent) && out.Empty() && len(wire) < limit &&
			!bytes.HasSuffix(bytes.TrimRight(wire, "\x00"), append(appendSplit(nil, RelayAgent, m.Options.Get(RelayAgent)), 255)) {
			t.Fatalf("option 82 is not the last of %v", list)
		}
	})
}

// A dump is lines of printable ASCII with a tab in front.
func FuzzDump(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte, _ int) {
		var m Message
		if m.Parse(b) != nil {
			return
		}
		lines := splitLines(m.Dump(nil, Builtin()))
		if len(lines) != 14+m.Options.Len() {
			t.Fatalf("%d lines for %d options", len(lines), m.Options.Len())
		}
		for _, line := range append(lines, append([]byte{'\t'}, m.Line(nil)...)) {
			for i, c := range line {
				if c == '\t' != (i == 0) || c != '\t' && (c < ' ' || c > '~') {
					t.Fatalf("%q", line)
				}
			}
		}
	})
}

// The typed readers agree with each other and leave no state behind.
func FuzzValues(f *testing.F) {
	f.Add([]byte("\x01a\x00\x01b\xc0\x00\xc0\x03"))
	f.Add([]byte("\x08\x0a\x0a\x00\x00\x01\x00\x0a\x00\x00\x02"))
	f.Add([]byte("\x01\x03p01\x02\x01x"))
	f.Fuzz(func(t *testing.T, v []byte) {
		var o Options
		o.Put(DomainSearch, v)
		o.Put(ClasslessRoute, v)
		names, err := o.Domains(nil, DomainSearch)
		search, _ := Builtin().ByCode(DomainSearch)
		if _, ok := search.appendValue(nil, v); ok != (err == nil) {
			t.Errorf("names %q, %v, but well formed is %v", names, err, ok)
		}
		routes, err := o.Routes(nil)
		route, _ := Builtin().ByCode(ClasslessRoute)
		if _, ok := route.appendValue(nil, v); ok != (err == nil) {
			t.Errorf("routes %v, %v, but well formed is %v", routes, err, ok)
		}
		if err == nil {
			var again []byte
			for _, r := range routes {
				again = r.Append(again)
			}
			if len(again) != len(v) {
				t.Errorf("routes %v take %d octets, want %d", routes, len(again), len(v))
			}
		}
		for code := CircuitID; code <= RelayID; code++ {
			value, err := SubOption(v, code)
			if err == nil && !bytes.Contains(v, append([]byte{code, byte(len(value))}, value...)) {
				t.Errorf("sub-option %d of %x is %x", code, v, value)
			}
		}
	})
}

// Names that can be encoded come back.
func FuzzDomains(f *testing.F) {
	f.Add("eng.apple.com", "marketing.apple.com", "a.a.a")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		v, err := AppendDomains(nil, a, b, c)
		if err != nil {
			return
		}
		var o Options
		o.Put(DomainSearch, v)
		got, err := o.Domains(nil, DomainSearch)
		if err != nil || len(got) != 3 {
			t.Fatalf("%q, %q, %q: %q, %v", a, b, c, got, err)
		}
		for i, name := range []string{a, b, c} {
			if want := escape(name); got[i] != want {
				t.Errorf("%q comes back as %q, want %q", name, got[i], want)
			}
		}
	})
}

// escape returns a name as Domains does: dots between labels, no final one.
func escape(name string) string {
	var text []byte
	for i, label := range bytes.Split(bytes.TrimSuffix([]byte(name), []byte(".")), []byte(".")) {
		if i > 0 {
			text = append(text, '.')
		}
		text = appendLabel(text, label)
	}
	if len(text) == 0 {
		return "."
	}
	return string(text)
}
