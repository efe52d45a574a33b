package conf

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// FuzzParse reads any text as a config file. It must neither panic nor hang,
// and what it says must hang together.
func FuzzParse(f *testing.F) {
	house, err := os.ReadFile("testdata/house.conf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(house), []byte{10, 11, 12, 3, 1, 2, 0, 0, 0, 0, 2})
	f.Add(lending, []byte{10, 0, 0, 80})
	for _, tt := range bad {
		if len(tt.text) < 1000 {
			f.Add(tt.text, []byte{10, 0, 0, 1, 0})
		}
	}
	env := Env{
		Hosts:      "10.11.12.3 eiche\n10.0.0.1 alpha.example.com alpha\n10.9.0.1 alpha\n",
		Interfaces: []Ifname{{"eth0", 1, true}},
		Pool:       []netip.Addr{netip.MustParseAddr("10.0.0.80"), netip.MustParseAddr("10.11.12.97")},
	}
	f.Fuzz(func(t *testing.T, text string, ask []byte) {
		env.Include = func(path string) (string, error) {
			if path == "a" {
				return text, nil
			}
			return "", fs.ErrNotExist
		}
		c, err := Parse("dhcp.conf", text, env)
		if err == nil {
			checkAnswers(t, c, ask)
		} else if _, ok := err.(*Error); !ok || c != nil {
			t.Errorf("error %v (%T) with %v", err, err, c)
		}
	})
}

// checkAnswers asks a Config; the first four octets are the address.
func checkAnswers(t *testing.T, c *Config, ask []byte) {
	if len(ask) < 4 {
		return
	}
	a, rest := netip.AddrFrom4([4]byte(ask)), ask[4:]
	q := Query{ID: rest, HW: rest, Class: rest, Circuit: rest, Remote: rest}
	var one, two Info
	ok := c.Gather(&q, a, &one)
	c.Gather(&Query{}, netip.AddrFrom4([4]byte{10, 0, 0, 1}), &two)
	if c.Gather(&q, a, &two) != ok || show(c, &one) != show(c, &two) {
		t.Errorf("two answers to one question:\n%s\n%s", show(c, &one), show(c, &two))
	}
	if one.Net(a).IsValid() != ok {
		t.Errorf("Gather says %v, the netmask is %v", ok, one.Net(a))
	}
	for code := range one.Options.All() {
		if protocol.Has(code) {
			t.Errorf("tag %d is the protocol's", code)
		}
	}
	if v := one.Options.Get(dhcp4.LeaseTime); v != nil && len(v) != 4 || len(one.Sname) > 64 || len(one.File) > 128 {
		t.Errorf("lease time %x, sname %q, file %q", v, one.Sname, one.File)
	}
	w := c.Ask(&q)
	w.at(binary.BigEndian.Uint32(ask))
	if got, want := w.rules(nil), slow(&w); !slices.Equal(got, want) {
		t.Errorf("rules %v, want %v", got, want)
	}
	checkPass(t, c, &q, a)
}

// checkPass checks the answers that are about addresses.
func checkPass(t *testing.T, c *Config, q *Query, a netip.Addr) {
	fixed, ok := c.Ask(q).Fixed(a)
	var info Info
	if ok && (!c.Gather(q, fixed, &info) || !info.Net(fixed).Contains(a)) {
		t.Errorf("%v is not on the network of %v", fixed, a)
	}
	if ok {
		if _, lendable := c.Lendable(fixed); lendable {
			t.Errorf("%v is a client's and may be lent", fixed)
		}
	}
	net, known := c.Network(a)
	if why, ok := c.Lendable(a); ok != (why == "") || ok && (!known || !net.Contains(a)) {
		t.Errorf("%v: lendable %v %q, network %v", a, ok, why, net)
	}
	for _, p := range c.Own([]Net{{Name: "eth0", Ether: true, Addr: a}, {Name: "tun0"}}) {
		if p.Static != p.Addr.IsValid() || p.Static != (p.Info != nil) {
			t.Errorf("plan %+v", p)
		}
	}
}

// What Dict prints of a value the language reads back as the same value.
func FuzzParseValue(f *testing.F) {
	f.Add(byte(15), []byte("home \"example\"\n"))
	f.Add(byte(121), []byte{0, 10, 0, 0, 1})
	f.Add(byte(119), []byte("\x01a\x00\x01b\xc0\x00"))
	f.Fuzz(func(t *testing.T, code byte, v []byte) {
		d := dhcp4.Builtin()
		tag, ok := d.ByCode(dhcp4.Code(code))
		text := string(tag.AppendValue(nil, v))
		if !ok || protocol.Has(tag.Code) || text == "" || tag.Kind != dhcp4.Octet && text == hex.EncodeToString(v) {
			return // the last for values that are not well formed
		}
		if tag.Kind == dhcp4.Domain && strings.Contains(text, `\056`) {
			return // a dot that does not end its label: the language has no way to say that
		}
		c, err := Parse("dhcp.conf", tag.Name+" "+text, Env{})
		if err != nil {
			refused(t, tag, v, err)
			return
		}
		var info Info
		c.Gather(&Query{}, netip.AddrFrom4([4]byte{10, 0, 0, 1}), &info)
		got := info.Options.Get(tag.Code)
		if again := tag.AppendValue(nil, got); !bytes.Equal(again, []byte(text)) {
			t.Errorf("%s %s is read as %s", tag.Name, text, again)
		}
	})
}

// refused checks that a value that the language does not accept is one that
// no one would write.
func refused(t *testing.T, tag dhcp4.Tag, v []byte, err error) {
	switch {
	case tag.Kind == dhcp4.URI: // not every text is one
	case tag.Kind == dhcp4.Domain: // names with other characters
	case tag.Code == dhcp4.Netmask: // with gaps
	case tag.Code == dhcp4.LeaseTime: // of no time at all
	case tag.Kind == dhcp4.Octet && (len(v)%tag.Gran != 0 || tag.Max != 0 && len(v) > tag.Max):
	default:
		t.Errorf("%s %s: %v", tag.Name, tag.AppendValue(nil, v), err)
	}
}

// FuzzLookup: a hosts file is searched as by reading it line by line.
func FuzzLookup(f *testing.F) {
	f.Add("10.0.0.1 alpha.example.com alpha # a\n127.0.1.1 alpha\n::1 alpha\n10.0.0.2\talphabeta\n", "alpha")
	f.Add("10.0.0.1 A.B.c a.b", "a.B")
	f.Fuzz(func(t *testing.T, text, name string) {
		if strings.ContainsFunc(text+name, func(c rune) bool { return c >= 0x80 || c == '\r' || c == '\v' || c == '\f' }) {
			return
		}
		found := map[netip.Addr]bool{}
		local := map[netip.Addr]bool{}
		for _, line := range strings.Split(text, "\n") {
			line, _, _ = strings.Cut(line, "#")
			w := strings.Fields(line)
			if len(w) == 0 {
				continue
			}
			a, ok := netip.ParseAddr(w[0])
			for _, n := range w[1:] {
				if n = strings.ToLower(n); ok && (n == strings.ToLower(name) || strings.HasPrefix(n, strings.ToLower(name)+".")) {
					if a.IsLoopback() {
						local[a] = true
					} else {
						found[a] = true
					}
				}
			}
		}
		if len(found) == 0 {
			found = local
		}
		got := Lookup(text, name)
		for _, a := range got {
			if !found[a] {
				t.Errorf("%q has %v in %q", name, a, text)
			}
		}
		if len(got) != len(found) {
			t.Errorf("%q has %v in %q, want %v", name, got, text, found)
		}
	})
}
