package conf

import "testing"

const lending = `host 10.0.0.0/24 {
	gateway 10.0.0.254 router;
	DHCPlease 600;
	class MSFT { DHCPlease 60; netmask /16; };
	host 10.0.0.64/26 { no DHCPlease; };
	host 10.0.0.80/28 { DHCPlease 700; };
	host 10.0.0.96/28 { netmask /28; DHCPlease 1; };
};
host 10.1.0.0/31 { DHCPlease 600; };
host 10.1.0.2/32 { DHCPlease 600; };
client 00 10.0.0.7 { DHCPlease 700; };
client 01 srv;
interface tun0 10.0.0.8;
host 10.0.0.9 { DNSserver 10.0.0.10; };
macro unused { gateway 10.0.0.11; };
host 10.2.0.0/16 { no netmask; DHCPlease 600; };
`

func TestS2_Lendable(t *testing.T) {
	c, err := Parse("dhcp.conf", lending, Env{Hosts: "10.0.0.12 srv\n10.0.0.13 srv\n10.0.0.14 router\n"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ addr, why string }{
		{"10.0.0.1", ""},
		{"10.0.0.9", ""},
		{"10.0.0.10", ""},
		{"10.0.0.80", ""},
		{"10.0.0.97", ""},
		{"10.1.0.0", ""},
		{"10.1.0.1", ""},
		{"10.1.0.2", ""},
		{"10.0.0.64", "No lease set for address 10.0.0.64"},
		{"10.2.0.1", "No netmask set for address 10.2.0.1"},
		{"192.0.2.1", "No netmask set for address 192.0.2.1"},
		{"10.0.0.0", "10.0.0.0 is the address of its network"},
		{"10.0.0.255", "10.0.0.255 is the broadcast address of its network"},
		{"10.0.0.96", "10.0.0.96 is the address of its network"},
		{"10.0.0.111", "10.0.0.111 is the broadcast address of its network"},
		{"10.0.0.254", `"dhcp.conf", line 2: 10.0.0.254 belongs to a gateway`},
		{"10.0.0.14", `"dhcp.conf", line 2: 10.0.0.14 belongs to a gateway`},
		{"10.0.0.11", `"dhcp.conf", line 15: 10.0.0.11 belongs to a gateway`},
		{"10.0.0.7", `"dhcp.conf", line 11: 10.0.0.7 belongs to a client`},
		{"10.0.0.12", `"dhcp.conf", line 12: 10.0.0.12 belongs to a client`},
		{"10.0.0.13", `"dhcp.conf", line 12: 10.0.0.13 belongs to a client`},
		{"10.0.0.8", `"dhcp.conf", line 13: 10.0.0.8 belongs to an interface`},
		{"", "invalid IP is not an IPv4 address"},
	}
	for _, tt := range tests {
		if why, ok := c.Lendable(addr(tt.addr)); why != tt.why || ok != (tt.why == "") {
			t.Errorf("%s: %q %v, want %q", tt.addr, why, ok, tt.why)
		}
	}
}

func TestS20_Network(t *testing.T) {
	c, err := Parse("dhcp.conf", lending, Env{})
	if err != nil {
		t.Fatal(err)
	}
	for a, want := range map[string]string{
		"10.0.0.1":   "10.0.0.0/24",
		"10.0.0.70":  "10.0.0.0/24",
		"10.0.0.100": "10.0.0.96/28",
		"10.1.0.1":   "10.1.0.0/31",
		"10.1.0.2":   "10.1.0.2/32",
		"10.2.0.1":   "invalid Prefix",
		"192.0.2.1":  "invalid Prefix",
		"":           "invalid Prefix",
	} {
		if p, ok := c.Network(addr(a)); p.String() != want || ok != p.IsValid() {
			t.Errorf("%s: %v %v, want %s", a, p, ok, want)
		}
	}
}

func TestS20_Fixed(t *testing.T) {
	c, err := Parse("dhcp.conf", `
host 10.0.0.0/16 { };
host 10.1.0.0/16 { };
client 00 10.0.0.1;
client 00 10.1.0.1;
client 00 10.0.0.9 { netmask /30; };
client 00 10.0.7.7;
client 00 172.16.0.1;
class a { client 01 10.0.0.2; };
host 10.0.0.0/8 { client 02 10.0.0.3; };
macro m { client 03 10.0.0.4; };
macro m;
interface eth0 10.0.0.5 { client 04 10.0.0.5; };
client 05 srv;
client 0:0:0:0:0:6 10.0.0.6;
client 01000000000007 10.0.0.7;
`, Env{Hosts: "10.0.0.8 srv\n10.1.0.8 srv\n172.16.0.8 srv\n"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ id, hw, class, on, want string }{
		{id: "00", on: "10.0.0.254", want: "10.0.0.1"},
		{id: "00", on: "10.0.7.254", want: "10.0.7.7"},
		{id: "00", on: "10.0.0.10", want: "10.0.0.9"},
		{id: "00", on: "10.1.255.254", want: "10.1.0.1"},
		{id: "00", on: "172.16.0.2"}, // no netmask there
		{id: "00", on: "10.2.0.1"},
		{id: "01", on: "10.0.0.254"},
		{id: "01", class: "ab", on: "10.0.0.254", want: "10.0.0.2"},
		{id: "02", on: "10.0.0.254"}, // hosts don't match without an address
		{id: "03", on: "10.0.0.254", want: "10.0.0.4"},
		{id: "04", on: "10.0.0.254"}, // interfaces of our own don't either
		{id: "05", on: "10.0.0.254", want: "10.0.0.8"},
		{id: "05", on: "10.1.0.254", want: "10.1.0.8"},
		{id: "99", on: "10.0.0.254"},
		{on: "10.0.0.254"},
		{id: "00"},
		{id: "ff01", hw: "01000000000006", on: "10.0.0.254", want: "10.0.0.6"},
		{id: "ff01", hw: "01000000000007", on: "10.0.0.254"},
		{id: "01000000000007", on: "10.0.0.254", want: "10.0.0.7"},
		{id: "00", hw: "01000000000006", on: "10.2.0.254"},
	}
	for _, tt := range tests {
		q := Query{ID: id(t, tt.id), HW: id(t, tt.hw), Class: []byte(tt.class)}
		if got, ok := c.Ask(&q).Fixed(addr(tt.on)); got != addr(tt.want) || ok != (tt.want != "") {
			t.Errorf("%+v: %v %v", tt, got, ok)
		}
	}
}
