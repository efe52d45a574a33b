package dns

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dhcpd/internal/netip"
)

// answer is what a name server makes of a query: its flags, how many records
// it says there are, and what it says.
func answer(query []byte, rcode byte, count byte, records string) []byte {
	b := slices.Clone(query)
	b[2], b[3], b[7] = 0x81, 0x80|rcode, count
	return append(b, records...)
}

const (
	alias   = "\xc0\x0c\x00\x05\x00\x01\x00\x00\x0e\x10\x00\x06\x03www\xc0\x0f"
	addrTwo = "\x03www\xc0\x0f\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x04\x0a\x00\x00\x02"
	addrOne = "\xc0\x0c\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x04\x0a\x00\x00\x01"
	six     = "\xc0\x0c\x00\x1c\x00\x01\x00\x00\x0e\x10\x00\x04\x0a\x00\x00\x09"
)

func TestP1_NamesAnswered(t *testing.T) {
	q := appendQuery(nil, 7, "ns.example.com")
	if string(q) != "\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02ns\x07example\x03com\x00\x00\x01\x00\x01" {
		t.Fatalf("query %q", q)
	}
	other := appendQuery(nil, 8, "ns.example.com")
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"in order", answer(q, 0, 3, addrTwo+addrOne+addrTwo), "[10.0.0.1 10.0.0.2 10.0.0.2] <nil>"},
		{"an alias", answer(q, 0, 2, alias+addrTwo), "[10.0.0.2] <nil>"},
		{"another type", answer(q, 0, 2, six+addrOne), "[10.0.0.1] <nil>"},
		{"none", answer(q, 0, 0, ""), "[] <nil>"},
		{"no such name", answer(q, 3, 0, ""), "[] <nil>"},
		{"the server can't", answer(q, 2, 0, ""), "[] " + errDNS.Error()},
		{"cut in a record", answer(q, 0, 2, addrOne+addrTwo[:len(addrTwo)-1]), "[10.0.0.1] <nil>"},
		{"cut in a name", answer(q, 0, 2, addrOne+"\x03ww"), "[10.0.0.1] <nil>"},
		{"another query", answer(other, 0, 1, addrOne), "[] " + errNotOurs.Error()},
		{"the query itself", q, "[] " + errNotOurs.Error()},
		{"nothing", nil, "[] " + errNotOurs.Error()},
	} {
		list, err := parseAnswer(c.b, q)
		if got := fmt.Sprint(list, " ", err); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	for _, bad := range []string{"", ".", "a..b", strings.Repeat("x", 64), strings.Repeat("long.", 60)} {
		if q := appendQuery(nil, 1, bad); q != nil {
			t.Errorf("a query for %q: %q", bad, q)
		}
	}
}

func TestP1_ResolvConf(t *testing.T) {
	servers, domains := parseResolvConf("# nameserver 10.0.0.9\ndomain old\nnameserver 10.0.0.1\nnameserver ::1\n" +
		"nameserver\nsearch one.example two.example\noptions ndots:2\nnameserver 10.0.0.2")
	if got := fmt.Sprint(servers, domains); got != "[10.0.0.1 10.0.0.2] [one.example two.example]" {
		t.Error(got)
	}
}

// FuzzParseAnswer: whatever a name server says, it is an answer or it is not.
func FuzzParseAnswer(f *testing.F) {
	q := appendQuery(nil, 7, "ns.example.com")
	f.Add(answer(q, 0, 3, alias+addrTwo+addrOne))
	f.Add(answer(q, 0, 9, "\xff\x3f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := parseAnswer(b, q)
		if err != nil && len(list) > 0 || !slices.IsSortedFunc(list, netip.Addr.Compare) {
			t.Errorf("%v, %v", list, err)
		}
	})
}

// FuzzResolvConf: of resolv.conf nothing is understood but what stands there,
// and a name that is asked for can be told from the query.
func FuzzResolvConf(f *testing.F) {
	f.Add("nameserver 10.0.0.1\nsearch a.example b\n", "ns.example.com.")
	f.Fuzz(func(t *testing.T, text, name string) {
		servers, domains := parseResolvConf(text)
		for _, a := range servers {
			if !strings.Contains(text, string(a.AppendTo(nil))) {
				t.Errorf("%v is not in %q", a, text)
			}
		}
		for _, d := range domains {
			if !strings.Contains(text, d) || d == "" {
				t.Errorf("%q is not in %q", d, text)
			}
		}
		q := appendQuery(nil, 7, name)
		if q == nil {
			return
		}
		var labels []string
		b := q[dnsHeader:]
		for b[0] != 0 {
			n := 1 + int(b[0])
			labels, b = append(labels, string(b[1:n])), b[n:]
		}
		if got := strings.Join(labels, "."); got != strings.TrimSuffix(name, ".") || len(b) != 5 || len(q) > 512 {
			t.Errorf("%q is asked for as %q: %x", name, got, q)
		}
		if list, err := parseAnswer(answer(q, 0, 1, addrOne), q); err != nil || len(list) != 1 {
			t.Errorf("%v, %v", list, err)
		}
	})
}
