package cache

import (
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// TestC17_P3_NetConf: all of it, and nothing from the wire out of its quotes.
func TestC17_P3_NetConf(t *testing.T) {
	e := &Entry{Name: "eth0", Addr: netip.MustParsePrefix("10.0.0.5/22"), Siaddr: netip.MustParseAddr("10.0.0.9"), File: "it's"}
	e.Options.PutAddr(dhcp4.Router, netip.MustParseAddr("10.0.0.1"))
	e.Options.Put(dhcp4.DNSServer, []byte{10, 0, 0, 2, 10, 0, 0, 3, 10, 0, 0, 4})
	e.Options.Put(dhcp4.BroadcastAddress, []byte{10, 0, 3, 255})
	e.Options.Put(dhcp4.HostName, []byte("$(reboot)\n'"))
	e.Options.Put(dhcp4.DomainSearch, []byte("\x01a\x07example\x00\x01b\xc0\x02"))
	const want = `DEVICE='eth0'
PROTO='dhcp'
IPV4ADDR='10.0.0.5'
IPV4BROADCAST='10.0.3.255'
IPV4NETMASK='255.255.252.0'
IPV4GATEWAY='10.0.0.1'
IPV4DNS0='10.0.0.2'
IPV4DNS1='10.0.0.3'
HOSTNAME='$(reboot)\012'\'''
DNSDOMAIN=''
NISDOMAIN=''
ROOTSERVER='10.0.0.9'
ROOTPATH=''
filename='it'\''s'
UPTIME='7'
DHCPLEASETIME='3600'
DOMAINSEARCH='a.example b.example'
`
	if got := NetConf(e, "dhcp", 7900*time.Millisecond, time.Hour); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	e.Options.Del(dhcp4.BroadcastAddress)
	if got := NetConf(e, "dhcp", 7900*time.Millisecond, time.Hour); got != want {
		t.Errorf("without a broadcast address, which follows from the netmask:\n%s", got)
	}
	e.Siaddr, e.Server = netip.IPv4Unspecified(), netip.MustParseAddr("10.0.0.9")
	if got := NetConf(e, "dhcp", 7900*time.Millisecond, time.Hour); got != want {
		t.Errorf("of a server that names no other to boot from:\n%s", got)
	}
	e = &Entry{Name: "eth0", Addr: netip.MustParsePrefix("10.0.0.5/32")}
	if got := NetConf(e, "static", 0, 0); len(got) == 0 {
		t.Error("nothing of an address alone")
	}
}
