package dhcp4

import (
	"encoding/binary"
	"errors"
	"io"
)

// Framing of messages in a TCP stream: two octets with the size before each
// (RFC 6926 section 6.1).
const (
	frameHead = 2
	MaxFrame  = frameHead + 65535 // the most that one takes
)

// ErrFrame says that a stream is no sequence of messages, so that where the
// next one starts can't be known.
var ErrFrame = errors.New("message size that no DHCP message has")

// CutFrame takes the first message off what has come of a stream. It is nil
// if it is not all there yet.
func CutFrame(b []byte) (message, rest []byte, err error) {
	if len(b) < frameHead {
		return nil, b, nil
	}
	n := int(binary.BigEndian.Uint16(b))
	switch {
	case n < optionsAt:
		return nil, b, ErrFrame
	case len(b) < frameHead+n:
		return nil, b, nil
	}
	n += frameHead
	return b[frameHead:n:n], b[n:], nil
}

// AppendFrame appends m as Append does, framed for a TCP stream.
func (m *Message) AppendFrame(b []byte) []byte {
	at := len(b)
	b, _ = m.Append(append(b, 0, 0), MaxFrame-frameHead)
	binary.BigEndian.PutUint16(b[at:], uint16(len(b)-at-frameHead))
	return b
}

// Frames reads the messages of a TCP stream.
type Frames struct {
	From io.Reader
	buf  []byte
	come []byte // what has come and was not returned yet
	full bool   // the last read brought as much as there was room for
	list [][]byte
}

// firstRoom is for one message. There is more where more comes.
const firstRoom = 1 << 10

// Next waits until there is a whole message, and returns all that are there.
// They are good until the next call.
func (f *Frames) Next() ([][]byte, error) {
	f.list = f.list[:0]
	for {
		m, rest, err := CutFrame(f.come)
		switch {
		case m != nil:
			f.list, f.come = append(f.list, m), rest
			continue
		case len(f.list) > 0:
			return f.list, nil
		case err != nil:
			return nil, err
		}
		if err := f.read(); err != nil {
			return nil, err
		}
	}
}

// Part tells whether there is the beginning of one more.
func (f *Frames) Part() bool { return len(f.come) > 0 }

// read reads what there is to be read.
//
//go:noinline
func (f *Frames) read() error {
	old := f.come
	if f.buf == nil || f.full && len(f.buf) < MaxFrame {
		f.buf = make([]byte, min(4*len(f.buf)+firstRoom, MaxFrame))
	}
	have := copy(f.buf, old)
	n, err := f.From.Read(f.buf[have:])
	f.come = f.buf[:have+n]
	f.full = have+n == len(f.buf)
	if n > 0 {
		return nil // an error that came with it will come again
	}
	return err
}
