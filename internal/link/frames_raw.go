//go:build raw

package link

import (
	"net"
	"os"
	"sync/atomic"
	"time"

	//lint:ignore SA1019 Asked for by the users of this project. It wraps its successor mdlayher/packet, which go.mod lifts to a current version; nothing outside this file knows of it.
	"github.com/mdlayher/raw"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
)

type rawFrames struct {
	on     ID
	kind   Kind
	conn   *raw.Conn
	closed atomic.Bool
}

// OpenFrames is that of frames_packet.go, by mdlayher/raw.
func OpenFrames(on ID, kind Kind) (Frames, error) {
	proto, filter := kind.sifts()
	conn, err := raw.ListenPacket(&net.Interface{Index: on.Index, Name: on.Name}, proto, &raw.Config{Filter: assemble(filter)})
	if err != nil {
		return nil, wrap(cause(err), "open frames on "+on.Name)
	}
	return &rawFrames{on: on, kind: kind, conn: conn}, nil
}

func (f *rawFrames) Read(b []byte) (int, error) {
	n, _, err := f.conn.ReadFrom(b)
	if err != nil {
		return 0, f.wrap("read a frame", err)
	}
	return n, nil
}

func (f *rawFrames) Write(frame []byte) error {
	if len(frame) < 14 {
		return f.wrap("write a frame", unix.EINVAL)
	}
	// The loop must not hang on one device that sends nothing any more.
	if err := f.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return f.wrap("write a frame", err)
	}
	if _, err := f.conn.WriteTo(frame, &raw.Addr{HardwareAddr: frame[:6]}); err != nil {
		return f.wrap("write a frame", err)
	}
	return nil
}

func (f *rawFrames) About(addrs ...netip.Addr) error {
	if f.kind != ARP {
		return f.wrap("filter ARP", unix.EINVAL)
	}
	if err := f.conn.SetBPF(assemble(onlyARP(addrs))); err != nil {
		return f.wrap("filter ARP", err)
	}
	return nil
}

// Close lets a goroutine wait for the grace period that the kernel needs to
// unhook a packet socket, 10 to 20 ms.
func (f *rawFrames) Close() {
	f.closed.Store(true)
	go f.conn.Close()
}

// wrap says what failed where. Of a socket that was closed under a call the
// library says several things.
func (f *rawFrames) wrap(what string, err error) error {
	if f.closed.Load() {
		return os.ErrClosed
	}
	return wrap(cause(err), what+" on "+f.on.Name)
}

// assemble brings a filter into the library's form.
func assemble(p program) []bpf.RawInstruction {
	raw := make([]bpf.RawInstruction, len(p))
	for i, f := range p {
		raw[i] = bpf.RawInstruction{Op: f.Code, Jt: f.Jt, Jf: f.Jf, K: f.K}
	}
	return raw
}
