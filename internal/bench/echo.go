package main

import (
	"flag"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
)

// echo is a server that knows nothing: it answers each request at once, by
// arithmetic, with the same batched sockets as dhcpd. With a file it appends
// 128 octets for each REQUEST of a batch and syncs before it answers, which is
// what the disk leaves to a server of a single loop.
func echo(args []string) {
	flags := flag.NewFlagSet("echo", flag.ExitOnError)
	sync := flags.String("sync", "", "append to this file, and sync")
	flags.Parse(args)
	err := serve(*sync)
	fmt.Fprintln(os.Stderr, "bench: echo:", err)
	os.Exit(1)
}

func serve(path string) error {
	udp, err := link.ListenOne(dhcp4.ServerPort)
	if err != nil {
		return err
	}
	var file *os.File
	if path != "" {
		if file, err = os.Create(path); err != nil {
			return err
		}
	}
	in, out := link.NewBatch(64, 2048), link.NewBatch(64, 640)
	record := make([]byte, 128*64)
	for {
		if err := udp.Receive(in); err != nil {
			return err
		}
		out.Reset()
		requests := 0
		for i := range in.Len() {
			if answer(in.At(i), out) == dhcp4.ACK {
				requests++
			}
		}
		if file != nil && requests > 0 {
			if _, err := file.Write(record[:128*requests]); err != nil {
				return err
			}
			if err := unix.Fdatasync(int(file.Fd())); err != nil {
				return err
			}
		}
		udp.Send(out)
	}
}

// answer adds the answer to m, if there is one, and returns its type.
func answer(m *link.Msg, out *link.Batch) dhcp4.Type {
	q := m.Data
	if len(q) < atType+1 || dhcp4.Op(q[0]) != dhcp4.BootRequest {
		return 0
	}
	typ := dhcp4.Offer
	switch dhcp4.Type(q[atType]) {
	case dhcp4.Request:
		typ = dhcp4.ACK
	case dhcp4.LeaseQuery:
		typ = dhcp4.LeaseActive
	}
	r := out.Add()
	a := r.Data[:size]
	clear(a)
	copy(a, q[:44]) // up to chaddr
	a[0] = byte(dhcp4.BootReply)
	server := m.To.Addr().As4()
	// The upper half of the network, by the number of the client.
	ip := [4]byte{server[0], server[1] + 16 + q[atChaddr+3], q[atChaddr+4], q[atChaddr+5]}
	copy(a[atYiaddr:], ip[:])
	o := append(a[:236], 99, 130, 83, 99, byte(dhcp4.MessageType), 1, byte(typ), byte(dhcp4.ServerID), 4)
	o = append(o, server[:]...)
	o = append(o, byte(dhcp4.LeaseTime), 4, 0, 0, 14, 16, byte(dhcp4.Netmask), 4, 255, 224, 0, 0, 255)
	r.Data, r.From, r.Index = o[:size], m.To, m.Index
	switch giaddr, ciaddr := [4]byte(q[atGiaddr:]), [4]byte(q[atCiaddr:]); {
	case giaddr != [4]byte{}:
		r.To = netip.AddrPortFrom(netip.AddrFrom4(giaddr), dhcp4.ServerPort)
	case ciaddr != [4]byte{}:
		r.To = netip.AddrPortFrom(netip.AddrFrom4(ciaddr), dhcp4.ClientPort)
	default:
		r.To = netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), dhcp4.ClientPort)
	}
	return typ
}
