package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"dhcpd/internal/ask"
	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

func TestL12_Keys(t *testing.T) {
	mac := pool.HW{Type: 1, Len: 6, Addr: [16]byte{0, 1, 0x1b, 0x0a, 0x68, 0xce}}
	remote := func(s string) ask.Key { return ask.Key{Remote: []byte(s)} }
	for words, want := range map[string][]ask.Key{
		"10.0.0.7":                    {{Addr: addr("10.0.0.7")}},
		"10.0.0.7-10.0.0.8":           {{Addr: addr("10.0.0.7")}, {Addr: addr("10.0.0.8")}},
		"10.0.0.4/30":                 {{Addr: addr("10.0.0.5")}, {Addr: addr("10.0.0.6")}},
		"0:1:1b:a:68:ce":              {{HW: mac}},
		"00:01:1B:0A:68:CE":           {{HW: mac}},
		"0100011b0a68ce":              {{ID: []byte{1, 0, 1, 0x1b, 0x0a, 0x68, 0xce}}},
		"all":                         {{}},
		"remote all":                  {remote("all")},
		"remote 10.0.0.7 10.0.0.8":    {remote("10.0.0.7"), {Addr: addr("10.0.0.8")}},
		"remote 0:1:1b:a:68:ce":       {remote("\x00\x01\x1b\x0a\x68\xce")},
		`remote a\001\\\"b\`:          {remote("a\x01\\\"b\\")},
		`remote \366\007`:             {remote("\xf6\x07")},
		"10.0.0.7 all":                {{Addr: addr("10.0.0.7")}, {}},
		"remote":                      nil,
		"0:1:1b:a:68":                 nil,
		"0:1:1b:a:68:ce:1":            nil,
		"0:1:1b:a:68:cex":             nil,
		"0:1:1b:a:68:":                nil,
		"abc":                         nil,
		"10.0.0.8-10.0.0.7":           nil,
		"224.0.0.1":                   nil,
		"no.such.host.invalid":        nil,
		strings.Repeat("01", 256):     nil,
		"10.0.0.7 nosuchhost.invalid": nil,
	} {
		got, err := new(command).keys(strings.Fields(words))
		if (err != nil) != (want == nil) {
			t.Errorf("%s: %v, %v", words, got, err)
			continue
		}
		var keys []ask.Key
		for i := range got {
			keys = append(keys, got[i].Key)
		}
		if !reflect.DeepEqual(keys, want) {
			t.Errorf("%s: %+v", words, keys)
		}
	}
}

// told is an answer, as it is printed.
func told(t *testing.T, k key, m *dhcp4.Message) (line string, object map[string]any) {
	t.Helper()
	const now = 1_800_000_000
	var a ask.Answer
	if !a.Read(m, now) {
		t.Fatalf("not an answer: %s", m.Dump(nil, dhcp4.Builtin()))
	}
	var j jsonText
	j.answer(&k, &a, now)
	if err := json.Unmarshal(j.b, &object); err != nil {
		t.Fatalf("%s: %v", j.b, err)
	}
	return string(appendAnswer(nil, &k, &a, now)), object
}

// TestL12_Lines: what a server says is printed in the form of -q, and in JSON
// with the times both ways (L7).
func TestL12_L7_Lines(t *testing.T) {
	answer := func(typ dhcp4.Type, change func(o *dhcp4.Options)) *dhcp4.Message {
		m := new(dhcp4.Message)
		m.Reset(dhcp4.BootReply)
		m.Ciaddr = addr("10.0.0.7")
		m.SetType(typ)
		if change != nil {
			m.Htype, m.Hlen, m.Chaddr = 1, 6, [16]byte{0, 1, 0x1b, 0x0a, 0x68, 0xce}
			change(&m.Options)
		}
		return m
	}
	seven := key{Key: ask.Key{Addr: addr("10.0.0.7")}, word: "10.0.0.7"}
	long := key{Key: ask.Key{Remote: []byte("x")}, word: "remote a long name for a line"}
	for _, c := range []struct {
		name, want string
		k          key
		m          *dhcp4.Message
		json       map[string]any
	}{
		{"all that there is",
			"10.0.0.7         +3600        -          01aa  host \"h\"  circuit \"eth1\"  ether 00:01:1b:0a:68:ce  remote \"r\\001\"  class \"c\"  last -60\n",
			seven, answer(dhcp4.LeaseActive, func(o *dhcp4.Options) {
				o.PutUint32(dhcp4.LeaseTime, 3600)
				o.PutUint32(dhcp4.LastTransaction, 60)
				o.Put(dhcp4.ClientID, []byte{1, 0xaa})
				o.PutText(dhcp4.HostName, "h")
				o.PutText(dhcp4.ClassID, "c")
				o.PutText(dhcp4.RelayAgent, "\x01\x04eth1\x02\x02r\x01")
			}),
			map[string]any{"key": "10.0.0.7", "address": "10.0.0.7", "state": "active", "left": 3600., "ends": "2027-01-15T09:00:00Z",
				"last": "2027-01-15T07:59:00Z", "client": "01aa", "ether": "00:01:1b:0a:68:ce", "host": "h", "class": "c",
				"circuit": "eth1", "remote": "r\x01", "agent": "01046574683102027201"}},
		{"for ever, and no client ID",
			"10.0.0.7         infinite     -          0100011b0a68ce  ether 00:01:1b:0a:68:ce\n",
			key{}, answer(dhcp4.LeaseActive, func(o *dhcp4.Options) { o.PutUint32(dhcp4.LeaseTime, dhcp4.Infinite) }),
			map[string]any{"address": "10.0.0.7", "state": "active", "left": "infinite", "client": "0100011b0a68ce",
				"ether": "00:01:1b:0a:68:ce"}},
		{"no times", "10.0.0.7         -            active\n", seven, answer(dhcp4.LeaseActive, nil),
			map[string]any{"key": "10.0.0.7", "address": "10.0.0.7", "state": "active"}},
		{"not leased", "10.0.0.7         -            unassigned\n", seven, answer(dhcp4.LeaseUnassigned, nil),
			map[string]any{"key": "10.0.0.7", "address": "10.0.0.7", "state": "unassigned"}},
		{"declined", "10.0.0.7         -120         abandoned  01aa  ether 00:01:1b:0a:68:ce\n", key{},
			answer(dhcp4.LeaseUnassigned, func(o *dhcp4.Options) {
				o.PutUint8(dhcp4.DHCPState, uint8(dhcp4.Abandoned))
				o.PutUint32(dhcp4.StateTime, 120)
				o.Put(dhcp4.ClientID, []byte{1, 0xaa})
			}),
			map[string]any{"address": "10.0.0.7", "state": "abandoned", "since": "2027-01-15T07:58:00Z", "client": "01aa",
				"ether": "00:01:1b:0a:68:ce"}},
		{"not known, as Kea says it", "remote a long name for a line  -            unknown\n", long,
			answer(dhcp4.LeaseUnknown, func(o *dhcp4.Options) {
				o.Put(dhcp4.ClientID, []byte{1, 0xaa})
				o.PutAddr(dhcp4.ServerID, addr("10.0.0.1"))
			}),
			map[string]any{"key": "remote a long name for a line", "state": "unknown"}},
	} {
		line, object := told(t, c.k, c.m)
		if line != c.want {
			t.Errorf("%s:\n%swant\n%s", c.name, line, c.want)
		}
		if !reflect.DeepEqual(object, c.json) {
			t.Errorf("%s: %v", c.name, object)
		}
	}
}

// TestL7_Strings: whatever comes from the network, it is JSON.
func TestL7_Strings(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		"plain é":                 "plain é",
		"\"\\\x00\n\x7f</script>": "\"\\\x00\n\x7f</script>",
		"\xff\xfe":                "\ufffd\ufffd",
	} {
		var got string
		if b := appendJSON(nil, in); json.Unmarshal(b, &got) != nil || got != want {
			t.Errorf("%q: %s", in, b)
		}
	}
}
