package link

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"errors"

	//lint:ignore SA1019 The users of this project asked for this package. It wraps its successor, mdlayher/packet, which go.mod lifts to a current version; nothing outside this file knows of it.
	"github.com/mdlayher/raw"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

type rawFrames struct {
	on   ID
	conn *raw.Conn
}

func openFrames(on ID, kind Kind) (Frames, error) {
	proto := map[Kind]uint16{DHCP: unix.ETH_P_IP, ARP: unix.ETH_P_ARP}[kind]
	conn, err := raw.ListenPacket(&net.Interface{Index: on.Index, Name: on.Name}, proto, &raw.Config{Filter: []bpf.RawInstruction{{Op: 6}}})
	if err != nil {
		return nil, fmt.Errorf("open frames on %s: %w", on.Name, err)
	}
	return &rawFrames{on, conn}, nil
}

func (f *rawFrames) Read(b []byte) (int, error) {
	n, _, err := f.conn.ReadFrom(b)
	if errors.Is(err, os.ErrClosed) {
		return 0, os.ErrClosed
	}
	return n, err
}

func (f *rawFrames) Write(b []byte) error {
	_, err := f.conn.WriteTo(b, &raw.Addr{HardwareAddr: b[:6]})
	return err
}

func (f *rawFrames) About(addrs ...netip.Addr) error { return errNotYet }

func (f *rawFrames) Close() { go f.conn.Close() }
