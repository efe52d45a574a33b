package dhcp4

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dhcpd/internal/netip"
)

// Every typed reader tells absent from malformed, for every length.
func TestC10_AbsentOrMalformed(t *testing.T) {
	readers := map[string]struct {
		read func(o *Options) (any, error)
		good func(size int) bool
	}{
		"Uint8":  {func(o *Options) (any, error) { return o.Uint8(200) }, func(n int) bool { return n == 1 }},
		"Uint16": {func(o *Options) (any, error) { return o.Uint16(200) }, func(n int) bool { return n == 2 }},
		"Uint32": {func(o *Options) (any, error) { return o.Uint32(200) }, func(n int) bool { return n == 4 }},
		"Addr":   {func(o *Options) (any, error) { return o.Addr(200) }, func(n int) bool { return n == 4 }},
		"Addrs": {func(o *Options) (any, error) { return o.Addrs(nil, 200) },
			func(n int) bool { return n > 0 && n%4 == 0 }},
		"Text":    {func(o *Options) (any, error) { return o.Text(200) }, func(n int) bool { return n > 0 }},
		"Domains": {func(o *Options) (any, error) { return o.Domains(nil, 200) }, func(n int) bool { return n == 5 || n == 10 }},
	}
	for name, x := range readers {
		var o Options
		if _, err := x.read(&o); err != ErrAbsent {
			t.Errorf("%s: %v, want %v", name, err, ErrAbsent)
		}
		for size := range 13 {
			v := bytes.Repeat([]byte("\x03abc\x00"), 3)[:size]
			o.Put(200, v)
			got, err := x.read(&o)
			if want := map[bool]error{true: nil, false: ErrMalformed}[x.good(size)]; err != want {
				t.Errorf("%s of %d octets: %v, %v, want %v", name, size, got, err, want)
			}
		}
	}
}

func TestReadersValues(t *testing.T) {
	var o Options
	o.PutUint8(1, 0xfe)
	o.PutUint16(2, 0xfedc)
	o.PutUint32(3, 0xfedcba98)
	o.PutAddr(4, addr("10.1.2.3"))
	o.PutText(5, "text\x00\x00")
	o.PutText(6, "\x0a\x00\x00\x01\x0a\x00\x00\x02")
	a, _ := o.Uint8(1)
	b, _ := o.Uint16(2)
	c, _ := o.Uint32(3)
	d, _ := o.Addr(4)
	e, _ := o.Text(5)
	f, _ := o.Addrs([]netip.Addr{addr("10.0.0.0")}, 6)
	got := fmt.Sprintf("%x %x %x %v %q %v", a, b, c, d, e, f)
	if want := `fe fedc fedcba98 10.1.2.3 "text" [10.0.0.0 10.0.0.1 10.0.0.2]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	o.PutText(5, "\x00")
	if s, err := o.Text(5); err != ErrMalformed {
		t.Errorf("a text of NULs only is %q, %v", s, err)
	}
}

func TestS13_SubOption(t *testing.T) {
	const agent = "\x01\x03p01\x02\x06\x02\x00\x00\x00\x00\x01\x05\x04\x0a\x00\x00\x00\x01\x01x\x97\x00"
	tests := []struct {
		v    string
		code uint8
		want string
		err  error
	}{
		{agent, CircuitID, "p01", nil},
		{agent, RemoteID, "\x02\x00\x00\x00\x00\x01", nil},
		{agent, LinkSelection, "\x0a\x00\x00\x00", nil},
		{agent, 151, "", nil},
		{agent, ServerOverride, "", ErrAbsent},
		{"", CircuitID, "", ErrAbsent},
		{"\x01", CircuitID, "", ErrMalformed},
		{"\x01\x02p", CircuitID, "", ErrMalformed},
		{"\x01\x01p\x02", CircuitID, "", ErrMalformed},
		{"\x01\x01p\x02\xff", ServerOverride, "", ErrMalformed},
		{"\x00\x01p", 0, "p", nil}, // no padding in there
	}
	for _, x := range tests {
		got, err := SubOption([]byte(x.v), x.code)
		if string(got) != x.want || err != x.err {
			t.Errorf("sub-option %d of %x: %q, %v, want %q, %v", x.code, x.v, got, err, x.want, x.err)
		}
	}
}

func TestC11_Routes(t *testing.T) {
	tests := []struct{ v, want string }{
		{"\x00\x0a\x00\x00\x01", "[{0.0.0.0/0 10.0.0.1}]"},
		{"\x08\x0a\x0a\x00\x00\x01\x18\xc0\x00\x02\x00\x00\x00\x00",
			"[{10.0.0.0/8 10.0.0.1} {192.0.2.0/24 0.0.0.0}]"},
		{"\x20\x0a\x00\x00\x09\x0a\x00\x00\x01", "[{10.0.0.9/32 10.0.0.1}]"},
		{"\x0c\x0a\x1f\x0a\x00\x00\x01", "[{10.16.0.0/12 10.0.0.1}]"}, // host bits: RFC 3442
		{"", ""},
		{"\x21\x0a\x00\x00\x09\x00\x0a\x00\x00\x01", ""},
		{"\xff", ""},
		{"\x00\x0a\x00\x00", ""},
		{"\x18\x0a\x00\x00\x0a\x00\x00", ""},
		{"\x00\x0a\x00\x00\x01\x08", ""},
	}
	var o Options
	if _, err := o.Routes(nil); err != ErrAbsent {
		t.Errorf("no option 121: %v", err)
	}
	for _, x := range tests {
		o.PutText(ClasslessRoute, x.v)
		got, err := o.Routes(nil)
		if (err == ErrMalformed) != (x.want == "") || err == nil && fmt.Sprint(got) != x.want {
			t.Errorf("%x: %v, %v, want %s", x.v, got, err, x.want)
		}
		if err != nil {
			continue
		}
		var v []byte
		for _, r := range got {
			v = r.Append(v)
		}
		o.Put(ClasslessRoute, v)
		if again, err := o.Routes(nil); err != nil || !slices.Equal(again, got) {
			t.Errorf("%x: appended %x", x.v, v)
		}
	}
}

func TestC11_Domains(t *testing.T) {
	tests := []struct{ v, want string }{
		{"\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04", "eng.apple.com marketing.apple.com"}, // RFC 3397 section 2
		{"\x01a\x00\x01b\x00", "a b"},
		{"\x01a\x00\xc0\x00", "a a"},
		{"\x01a\x00\x01b\xc0\x00\xc0\x03", "a b.a b.a"},
		{"\x00", "."},
		{"\x03A-_\x00", "A-_"},
		{"\x05a.b \n\x00", `a\056b\040\012`},
		{"\x02\xc3\xa4\x00", `\303\244`},
		{"\x01a", ""},                                   // no end
		{"\x02a", ""},                                   // label past the end
		{"\x01a\xc0", ""},                               // half a pointer
		{"\xc0\x00", ""},                                // to itself
		{"\x01a\xc0\x00", ""},                           // to its own beginning
		{"\x01a\x00\x01b\xc0\x05", ""},                  // to itself, later
		{"\x01a\x00\x01b\xc0\x09\x00", ""},              // forward
		{"\x01a\x00\xc0\x03", ""},                       // to itself, after a name
		{"\x01a\x00\x01b\xc0\x03\xc0", ""},              // to its own beginning, after a name
		{"\x40" + strings.Repeat("a", 64) + "\x00", ""}, // label of 64
		{"\x3f" + strings.Repeat("a", 63) + "\x00", strings.Repeat("a", 63)},
		{strings.Repeat("\x01a", 127) + "\x00", strings.Repeat("a.", 126) + "a"}, // 255 octets
		{strings.Repeat("\x01a", 128) + "\x00", ""},
		{strings.Repeat("\x01a", 127) + "\x00\x01b\xc0\x00", ""}, // too long by its pointer
	}
	for _, x := range tests {
		var o Options
		o.PutText(DomainSearch, x.v)
		got, err := o.Domains([]string{}, DomainSearch)
		if (err == ErrMalformed) != (x.want == "") || err == nil && strings.Join(got, " ") != x.want {
			t.Errorf("%q: %q, %v, want %q", x.v, got, err, x.want)
		}
	}
}

// Pointers must not make megabytes of a message.
func TestDomainsBounded(t *testing.T) {
	v := strings.Repeat("\x3f"+strings.Repeat("a", 63), 3) + "\x00" + strings.Repeat("\xc0\x00", 30000)
	var o Options
	o.PutText(DomainSearch, v)
	if got, err := o.Domains(nil, DomainSearch); err != ErrMalformed || len(got) > 100 {
		t.Errorf("%d names, %v", len(got), err)
	}
	tag, _ := Builtin().ByCode(DomainSearch)
	if text := tag.AppendValue(nil, []byte(v)); len(text) != 2*len(v) {
		t.Errorf("%d octets of text, want %d of hexadecimal digits", len(text), 2*len(v))
	}
}

func TestAppendDomains(t *testing.T) {
	long := strings.Repeat("a.", 126) + "a"
	tests := []struct {
		names []string
		want  string // "" for ErrName
	}{
		{[]string{"eng.apple.com", "marketing.apple.com"}, "\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04"},
		{[]string{"a.b.", "a.b", "b", "c.a.b."}, "\x01a\x01b\x00\xc0\x00\xc0\x02\x01c\xc0\x00"},
		{[]string{"a.A"}, "\x01a\x01A\x00"},
		{[]string{"a.a.a"}, "\x01a\x01a\x01a\x00"},
		{[]string{"."}, "\x00"},
		{[]string{long}, strings.Repeat("\x01a", 127) + "\x00"},
		{[]string{long + "."}, strings.Repeat("\x01a", 127) + "\x00"},
		{[]string{"a." + long}, ""},
		{[]string{""}, ""},
		{[]string{".."}, ""},
		{[]string{".a"}, ""},
		{[]string{"a..b"}, ""},
		{[]string{"a..."}, ""},
		{[]string{strings.Repeat("a", 64)}, ""},
	}
	for _, x := range tests {
		got, err := AppendDomains([]byte("before"), x.names...)
		if string(got) != "before"+x.want || (err == ErrName) != (x.want == "") {
			t.Errorf("%q: %q, %v, want %q", x.names, got, err, x.want)
		}
	}
	// Beyond what pointers reach, names still come back.
	var names []string
	for i := range 800 {
		names = append(names, fmt.Sprintf("host%d.example%d.com", i, i))
	}
	v, err := AppendDomains(nil, names...)
	if err != nil || len(v) < 1<<14 {
		t.Fatalf("%d octets, %v", len(v), err)
	}
	for at, i := 0, 0; at < len(v); i++ {
		name, next, ok := appendName(nil, v, at)
		if !ok || string(name) != names[i] {
			t.Fatalf("name %d is %q, %v, want %q", i, name, ok, names[i])
		}
		at = next
	}
}

func TestC11_C12_IsHostName(t *testing.T) {
	long := strings.Repeat("a", 63)
	for name, want := range map[string]bool{
		"a": true, "ada.example.org": true, "3com.com": true, "a-b": true, "A1": true, long: true,
		strings.Repeat("a.", 126) + "a": true,
		"":                              false, ".": false, "a.": false, ".a": false, "a..b": false, "-a": false, "a-.b": false,
		"a_b": false, "a b": false, "a\n": false, "a;b": false, "$(x)": false, "\xe4": false, long + "a": false,
		strings.Repeat("a.", 126) + "aa": false,
	} {
		if got := IsHostName(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
