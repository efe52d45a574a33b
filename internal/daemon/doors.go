package daemon

import (
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// doors are where the daemon opens what it hears and speaks through, and the
// file that it keeps. Tests have others behind them, without a kernel.
type doors struct {
	frames     func(on link.ID, kind link.Kind) (link.Frames, error)
	port67     func() (datagrams, error)
	sender     func() (sender, error)
	ping       func() (pinger, error)
	neighbours func() (*link.Neighbours, error)
	listen     func() (*link.Listener, error)
	dial       func(source, server netip.Addr) (*link.Stream, error)
	source     func(to netip.Addr) (netip.Addr, bool)
	pool       func(path string, c *pool.Clock) (*pool.File, *pool.Loaded, error)
}

// datagrams is a link.UDP.
type datagrams interface {
	sender
	Only(indexes ...int) error
	OnlyAnd(indexes ...int) error
	Receive(*link.Batch) error
	TryReceive(*link.Batch) error
	Dropped() uint64
}

// sender is a link.Sender.
type sender interface {
	mailer
	Close() error
}

// pinger is a link.Ping.
type pinger interface {
	Ask(netip.Addr) error
	Wait() (netip.Addr, error)
	Close() error
}

// stream is a link.Stream. No type of package time is named here: all that those
// can do would be in the program.
type stream interface {
	Read([]byte) (int, error)
	Next([]byte) (int, error)
	Write([]byte) error
	Patience(ns int64) error
	Active()
	Wake()
	Close() error
}

// mailer sends a batch.
type mailer interface {
	Send(*link.Batch) (lost int, err error)
}

// linux are the doors of this machine.
var linux = doors{
	link.OpenFrames,
	listen67,
	openSender,
	openPing,
	link.WatchNeighbours,
	link.Listen,
	link.Dial,
	link.SourceTo,
	pool.Open,
}

// A nil of theirs is none of ours.

func listen67() (datagrams, error) {
	u, err := link.ListenUDP(dhcp4.ServerPort, link.ID{})
	if err != nil {
		return nil, err
	}
	return u, nil
}

func openSender() (sender, error) {
	s, err := link.OpenSender()
	if err != nil {
		return nil, err
	}
	return s, nil
}

func openPing() (pinger, error) {
	p, err := link.OpenPing()
	if err != nil {
		return nil, err
	}
	return p, nil
}
