package dhcp4

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// stream returns framed messages of these sizes, and what they are.
func stream(sizes ...int) (all []byte, want [][]byte) {
	for i, n := range sizes {
		m := bytes.Repeat([]byte{byte(i + 1)}, n)
		all = append(append(all, byte(n>>8), byte(n)), m...)
		want = append(want, m)
	}
	return all, want
}

// However the stream is cut on its way, the messages are the same.
func TestQ5_FramesOfAStream(t *testing.T) {
	all, want := stream(240, 300, 240, 1024, 1022, 5000, 241, 65535, 240, 65535, 300, 240)
	for name, from := range map[string]io.Reader{
		"all at once":  bytes.NewReader(all),
		"octets":       iotest.OneByteReader(bytes.NewReader(all)),
		"halves":       iotest.HalfReader(bytes.NewReader(all)),
		"with the end": iotest.DataErrReader(bytes.NewReader(append(all, 0, 240))),
	} {
		f, n := Frames{From: from}, 0
		list, err := f.Next()
		for ; err == nil; list, err = f.Next() {
			if len(list) == 0 {
				t.Errorf("%s: nothing, and no error", name)
			}
			for _, m := range list {
				if n == len(want) || !bytes.Equal(m, want[n]) {
					t.Fatalf("%s: message %d has %d octets", name, n, len(m))
				}
				n++
			}
		}
		if n != len(want) || err != io.EOF {
			t.Errorf("%s: %d messages, want %d; %v", name, n, len(want), err)
		}
	}
}

func TestQ5_FramesBeforeAnError(t *testing.T) {
	all, want := stream(240, 300)
	f := Frames{From: bytes.NewReader(append(all, 0, 239))}
	list, err := f.Next()
	if len(list) != 2 || !bytes.Equal(list[1], want[1]) || err != nil || !f.Part() {
		t.Errorf("%d messages, %v, part %v", len(list), err, f.Part())
	}
	for range 2 {
		if list, err := f.Next(); len(list) > 0 || err != ErrFrame {
			t.Errorf("%d messages, %v, want ErrFrame", len(list), err)
		}
	}
	broken := errors.New("broken")
	f = Frames{From: io.MultiReader(bytes.NewReader(all), iotest.ErrReader(broken))}
	if list, err := f.Next(); len(list) != 2 || err != nil || f.Part() {
		t.Errorf("%d messages, %v, part %v", len(list), err, f.Part())
	}
	if list, err := f.Next(); len(list) > 0 || err != broken {
		t.Errorf("%d messages, %v", len(list), err)
	}
}
