package main

import (
	"fmt"
	"net"
	"os"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
)

// pass is a relay that knows nothing: it puts giaddr into each request and
// broadcasts each reply, with the same batched sockets as dhcpd.
//
//	bench pass INTERFACE ADDRESS SERVER
func pass(args []string) {
	err := relay(args)
	fmt.Fprintln(os.Stderr, "bench: pass:", err)
	os.Exit(1)
}

func relay(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("not three arguments: %q", args)
	}
	down, err := net.InterfaceByName(args[0])
	if err != nil {
		return err
	}
	here := netip.MustParseAddr(args[1])
	server := netip.AddrPortFrom(netip.MustParseAddr(args[2]), dhcp4.ServerPort)
	clients := netip.AddrPortFrom(dhcp4.Everyone, dhcp4.ClientPort)
	udp, err := link.ListenOne(dhcp4.ServerPort)
	if err != nil {
		return err
	}
	in, out := link.NewBatch(64, 2048), link.NewBatch(64, 640)
	for {
		if err := udp.Receive(in); err != nil {
			return err
		}
		out.Reset()
		for i := range in.Len() {
			q := in.At(i).Data
			if len(q) < atType || len(q) > 640 {
				continue
			}
			m := out.Add()
			m.Data, m.From = append(m.Data, q...), netip.AddrPortFrom(here, dhcp4.ServerPort)
			if dhcp4.Op(q[0]) == dhcp4.BootRequest {
				dhcp4.PutRelay(m.Data, 1, here)
				m.To = server
			} else {
				m.To, m.Index = clients, down.Index
			}
		}
		udp.Send(out)
	}
}
