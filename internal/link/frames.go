package link

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
)

// Frames sends whole Ethernet frames out of one interface and hears those of
// one Kind. One goroutine may read while another writes.
type Frames interface {
	// Read waits for a frame and reads it into b, which should have room
	// for MTU + 14 octets. After Close it returns os.ErrClosed. Any other
	// error means that the link went down or away: close this and open
	// another one when the link is back.
	Read(b []byte) (n int, err error)
	// Write sends a frame; its own first six octets say where to. It waits
	// no longer than a moment for a device that is stuck.
	Write(frame []byte) error
	// About lets frames of kind ARP in only if sender or target address is
	// one of these (a thousand at most), so that a busy network wakes nobody
	// up; none lets in all.
	About(addrs ...netip.Addr) error
	// Close ends a waiting Read and returns at once.
	Close()
}

// Kind is what Frames hear. Of no kind are frames that we sent, that are
// meant for another host, or that belong to a VLAN.
type Kind uint8

// The kinds.
const (
	DHCP    Kind = iota + 1 // UDP to port 68, fragments left out
	ARP                     // ARP for IPv4 over Ethernet
	Routers                 // router advertisements and solicitations, fragments left out
)

// sifts returns the protocol that frames of a kind belong to, and the filter
// that lets in no others.
func (k Kind) sifts() (proto uint16, filter program) {
	switch k {
	case ARP:
		return unix.ETH_P_ARP, onlyARP(nil)
	case Routers:
		return unix.ETH_P_IP, onlyRouters()
	}
	return unix.ETH_P_IP, onlyDHCP()
}

// patience is how long a Write may wait for room in the socket.
const patience = 100 * time.Millisecond

// cause finds the kernel's word under those of a library.
func cause(err error) error {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if errno, ok := e.(unix.Errno); ok {
			return errno
		}
	}
	return err
}
