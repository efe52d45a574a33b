package dhcp4

import (
	"bytes"
	"strings"
	"testing"
)

func TestQ5_Frames(t *testing.T) {
	m := parse(t, raw(53, 1, 14, 255))
	wire, _ := m.Append(nil, MinLimit)
	stream := m.AppendFrame([]byte("before"))
	if want := append([]byte("before\x01\x2c"), wire...); !bytes.Equal(stream, want) {
		t.Fatalf("got %x, want %x", stream, want)
	}
	stream = m.AppendFrame(stream[len("before"):])
	// Octet by octet: nothing until a message is whole, and then that.
	for n := range stream {
		got, rest, err := CutFrame(stream[:n])
		switch {
		case err != nil:
			t.Fatalf("%d octets: %v", n, err)
		case n < 2+len(wire) && (got != nil || len(rest) != n):
			t.Fatalf("%d octets: message of %d", n, len(got))
		case n >= 2+len(wire) && (!bytes.Equal(got, wire) || len(rest) != n-2-len(wire)):
			t.Fatalf("%d octets: message of %d, %d left", n, len(got), len(rest))
		}
	}
	for size, bad := range map[string]bool{
		"\x00\x00": true, "\x00\xef": true, "\x00\xf0": false, "\xff\xff": false, "\x00": false, "": false,
	} {
		got, rest, err := CutFrame([]byte(size))
		if (err == ErrFrame) != bad || got != nil || string(rest) != size {
			t.Errorf("%x: %x, %x, %v", size, got, rest, err)
		}
	}
}

// TestQ5_LargeFrame: what fits no UDP reply fits a frame.
func TestQ5_LargeFrame(t *testing.T) {
	m := parse(t, raw(53, 1, 14, 255))
	for c := Code(43); c < 50; c++ {
		m.Options.Put(c, bytes.Repeat([]byte{byte(c)}, 5000))
	}
	b, rest, err := CutFrame(m.AppendFrame(nil))
	if err != nil || len(rest) > 0 {
		t.Fatalf("%d octets left, %v", len(rest), err)
	}
	same(t, parse(t, b), m)
}

func TestQ5_Status(t *testing.T) {
	var o Options
	if s, text := o.Status(); s != Success || text != nil {
		t.Errorf("without the option: %v %q", s, text)
	}
	o.PutStatus(NotAllowed, "no")
	if s, text := o.Status(); s != NotAllowed || string(text) != "no" {
		t.Errorf("%v %q", s, text)
	}
	o.PutStatus(MalformedQuery, "")
	if got := o.Get(StatusCode); string(got) != "\x03" {
		t.Errorf("%x", got)
	}
	o.Put(StatusCode, nil)
	if s, _ := o.Status(); s != UnspecFail {
		t.Errorf("an empty one is %v", s)
	}
}

func TestQ5_Dump(t *testing.T) {
	var m Message
	m.Reset(BootReply)
	m.Options.PutUint8(DHCPState, uint8(Abandoned))
	m.Options.PutUint8(DHCPState+1, SourceRemote)
	m.Options.PutUint32(BaseTime, 1000000)
	m.Options.PutStatus(QueryTerminated, "x")
	got := string(m.Dump(nil, Builtin()))
	want := "\tDHCPstate = 5 (ABANDONED)\n\tdatasource = 1\n\tbasetime = 1000000\n\tstatuscode = 0278 (QueryTerminated)\n"
	if !strings.HasSuffix(got, want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for _, c := range [...]Code{StatusCode, DHCPState} {
		m.Options.Put(c, []byte{99})
	}
	if got := string(m.Dump(nil, Builtin())); !strings.Contains(got, "DHCPstate = 99\n") || !strings.Contains(got, "statuscode = 63\n") {
		t.Errorf("%s", got)
	}
	if LeaseState(0).String() != "" || Transitioning.String() != "TRANSITIONING" || Success.String() != "Success" {
		t.Error("names")
	}
}

// Whatever comes, a frame is part of it and nothing is lost.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x00\xf0"))
	f.Add(parseSeed().AppendFrame(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		whole := b
		for {
			m, rest, err := CutFrame(b)
			if m == nil || err != nil {
				if len(rest) != len(b) {
					t.Fatal("octets lost")
				}
				return
			}
			if len(m) < optionsAt || !bytes.HasSuffix(whole, rest) || 2+len(m)+len(rest) != len(b) {
				t.Fatalf("message of %d, %d left of %d", len(m), len(rest), len(b))
			}
			b = rest
		}
	})
}

func parseSeed() *Message {
	m := new(Message)
	m.Reset(BootRequest)
	m.SetType(BulkLeaseQuery)
	return m
}
