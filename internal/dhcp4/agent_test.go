package dhcp4

import (
	"bytes"
	"testing"
)

// TestR4_AppendAgent: option 82 becomes the last of the options, and takes its
// room from the padding.
func TestR4_AppendAgent(t *testing.T) {
	pad := func(n int) []byte { return make([]byte, n) }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	agent := []byte{1, 1, 'x'}
	added := []byte{82, 3, 1, 1, 'x', 255}
	discover := []byte{53, 1, 1}
	for _, c := range []struct {
		name  string
		in    []byte
		limit int
		want  []byte // what follows the cookie; nil: it is refused
	}{
		{"padding", join(discover, []byte{255}, pad(60)), 0, join(discover, added, pad(55))},
		{"a little padding", join(discover, []byte{255}, pad(2)), 249, join(discover, added)},
		{"too little room", join(discover, []byte{255}, pad(2)), 248, nil},
		{"no padding", join(discover, []byte{255}), 1472, join(discover, added)},
		{"no END", discover, 1472, join(discover, added)},
		{"no END, but padding", join(discover, pad(10)), 0, join(discover, added, pad(4))},
		{"padding between", join(pad(3), discover, pad(2), []byte{12, 1, 'h', 255}), 1472, join(pad(3), discover, pad(2), []byte{12, 1, 'h'}, added)},
		{"something behind END", join(discover, []byte{255, 0, 7}), 1472, join(discover, added, []byte{0, 7})},
		{"nothing but END", []byte{255}, 1472, added},
		{"a broken option", join(discover, []byte{12, 9, 'h'}), 1472, nil},
	} {
		b := raw(c.in...)
		before := bytes.Clone(b)
		out, ok := AppendAgent([]byte("in front"), b, agent, c.limit)
		if want := append([]byte("in front"), raw(c.want...)...); c.want != nil && (!ok || !bytes.Equal(out, want)) {
			t.Errorf("%s: %v\n%x, want\n%x", c.name, ok, out[8:], want[8:])
		}
		if c.want == nil && (ok || string(out) != "in front") {
			t.Errorf("%s: it is added: %x", c.name, out)
		}
		if !bytes.Equal(b, before) {
			t.Errorf("%s: the message itself has changed", c.name)
		}
		if back := AppendWithoutAgent(nil, bytes.Clone(out)[8:]); ok && !bytes.HasPrefix(back, bytes.TrimRight(before, "\x00\xff\x07")) {
			t.Errorf("%s: and back:\n%x, want\n%x", c.name, back, before)
		}
	}
	if _, ok := AppendAgent(nil, raw(255), pad(256), 1472); ok {
		t.Error("256 octets in one option")
	}
}

// TestR4_AppendWithoutAgent: all pieces of option 82 go, wherever they stand;
// nothing in file or sname does.
func TestR4_AppendWithoutAgent(t *testing.T) {
	in := raw(82, 1, 'a', 53, 1, 5, 0, 82, 0, 12, 2, 82, 1, 82, 2, 'b', 'c', 255, 82, 1, 'd')
	copy(in[fileAt:], []byte{82, 1, 'e', 255})
	want := raw(53, 1, 5, 0, 12, 2, 82, 1, 255, 82, 1, 'd')
	copy(want[fileAt:], []byte{82, 1, 'e', 255})
	want = append(want, make([]byte, len(in)-len(want))...) // no shorter than it was, or than BOOTP wants it
	if got := AppendWithoutAgent(nil, in); !bytes.Equal(got, want) {
		t.Errorf("got\n%x, want\n%x", got[240:], want[240:])
	}
	bootp := make([]byte, 300)
	if got := AppendWithoutAgent(nil, bootp); !bytes.Equal(got, bootp) {
		t.Errorf("BOOTP has become %x", got)
	}
}
