package main

import (
	"encoding/binary"

	"dhcpd/internal/dhcp4"
)

// The messages of the load, written and read by place: what the crowd and the
// echo take of the machine is taken from dhcpd.

const (
	size = 300 // octets of each message: RFC 1542 section 2.1

	atXid     = 4
	atFlags   = 10
	atCiaddr  = 12
	atYiaddr  = 16
	atGiaddr  = 24
	atChaddr  = 28
	atType    = 242 // the value of option 53, which everybody here puts first
	atAddress = 245 // of option 50 in a REQUEST, which is the second one
	atServer  = 251 // of option 54, the third
)

// A template is a message of a client, but for what makes it one of this
// client.
type template [size]byte

func newTemplate(typ dhcp4.Type, flags uint16, giaddr, server [4]byte, renewing bool) *template {
	t := new(template)
	t[0], t[1], t[2] = byte(dhcp4.BootRequest), dhcp4.HtypeEther, 6
	binary.BigEndian.PutUint16(t[atFlags:], flags)
	if copy(t[atGiaddr:], giaddr[:]); giaddr != [4]byte{} {
		t[3] = 1 // hops: it came through a relay
	}
	o := append(t[:236], 99, 130, 83, 99, byte(dhcp4.MessageType), 1, byte(typ))
	if typ == dhcp4.Request && !renewing {
		o = append(o, byte(dhcp4.RequestedAddress), 4, 0, 0, 0, 0, byte(dhcp4.ServerID), 4)
		o = append(o, server[:]...)
	}
	if typ == dhcp4.LeaseQuery { // by address: no hardware address (RFC 4388 section 6.2)
		t[1], t[2], t[3] = 0, 0, 0
		copy(t[len(o):], []byte{byte(dhcp4.ParameterList), 3, 51, 82, 91, 255})
		return t
	}
	copy(t[len(o):], []byte{byte(dhcp4.ParameterList), 7, 1, 3, 6, 15, 51, 58, 59, 255})
	return t
}
