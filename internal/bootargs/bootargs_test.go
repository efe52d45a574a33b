package bootargs

import (
	"reflect"
	"strings"
	"testing"

	"dhcpd/internal/conf"
)

func TestN2_L8_KernelArguments(t *testing.T) {
	mac := [6]byte{0x52, 0x54, 0, 0x12, 0x34, 0x56}
	for line, want := range map[string]Args{
		"":                                      {},
		"ro quiet root=/dev/nfs ip=dhcp":        {},
		"ip=on":                                 {},
		"ip=any -- ip=off":                      {},
		"ip=all":                                {},
		"ip=single-dhcp":                        {},
		"ip=eth1:dhcp:1400":                     {Devices: []string{"eth1"}},
		"ip=eth1:on:1400:52:54:00:12:34:56":     {Devices: []string{"eth1"}},
		"ip=eth1:dhcp::52-54-00-12-34-56":       {Devices: []string{"eth1"}},
		"ip=off":                                {Off: true},
		"ip=none":                               {Off: true},
		"ip=:::::eth1:dhcp":                     {Devices: []string{"eth1"}},
		"ip=eth0:dhcp ip=eth1:dhcp":             {Devices: []string{"eth0", "eth1"}},
		"ip=::::box:eth1:dhcp":                  {Devices: []string{"eth1"}, Conf: "option 'eth1' hostname 'box';\n"},
		"ip=::::box::dhcp":                      {Conf: "option hostname 'box';\n"},
		"BOOTIF=01-52-54-00-12-34-56":           {MAC: mac},
		"BOOTIF=52:54:00:12:34:56 ip=dhcp":      {MAC: mac},
		"BOOTIF=01-52-54-00-12-34-56 ip=e:dhcp": {Devices: []string{"e"}},
		"ip=10.0.0.5":                           {Conf: "interface ip0 10.0.0.5 { netmask /8; };\n"},
		"ip=172.16.0.5::172.16.0.1":             {Conf: "interface ip0 172.16.0.5 { netmask /16; gateway 172.16.0.1; };\n"},
		"ip=192.168.0.5:192.168.0.9:192.168.0.1:255.255.255.128:box:eth1:off:192.168.0.2:0.0.0.0:192.168.0.3": {
			Devices: []string{"eth1"}, Conf: "interface 'eth1' 192.168.0.5 { netmask /25; siaddr 192.168.0.9; gateway 192.168.0.1;" +
				" DNSserver 192.168.0.2; NTPserver 192.168.0.3; hostname 'box'; };\n"},
		"ip=10.0.0.5::10.0.0.1:24::eth0:none:1500:52-54-00-12-34-56": {
			Devices: []string{"eth0"}, Conf: "interface 'eth0' 10.0.0.5 { netmask /24; gateway 10.0.0.1; };\n"},
		"ip=10.0.0.5:::24 BOOTIF=01-52-54-00-12-34-56": {MAC: mac,
			Conf: "client 52:54:0:12:34:56 10.0.0.5 { netmask /24; };\n"},
		"ip=dhcp6 ip=eth0:auto6 ip=[2001:db8::1]::::eth0 ip=ibft ip=eth1:dhcp6:1400": {},
		"ip=rarp":                        {Bad: []string{"ip=rarp: 'rarp' is no way to configure a network that there is here"}},
		"ip=10.0.0.256::::eth0":          {Bad: []string{"ip=10.0.0.256::::eth0: not an IPv4 address, or not a netmask"}},
		"ip=10.0.0.5:::255.0.255.0":      {Bad: []string{"ip=10.0.0.5:::255.0.255.0: not an IPv4 address, or not a netmask"}},
		"ip=::::-x::dhcp":                {Bad: []string{"ip=::::-x::dhcp: no interface or host can have that name"}},
		"ip=:::::e'th:dhcp BOOTIF=01-02": {Bad: []string{"BOOTIF=01-02: not an Ethernet address", "ip=:::::e'th:dhcp: no interface or host can have that name"}},
	} {
		if got := Parse(line); !reflect.DeepEqual(*got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", line, *got, want)
		}
	}
}

// FuzzArgs: whatever the command line, the lines that come of it can be read.
func FuzzArgs(f *testing.F) {
	f.Add("ip=10.0.0.5:10.0.0.1:10.0.0.1:255.255.255.0:box:eth1:off:10.0.0.2:10.0.0.3:10.0.0.4 BOOTIF=01-52-54-00-12-34-56")
	f.Add("ip=eth0:dhcp ip=::::h:eth1:on")
	f.Fuzz(func(t *testing.T, line string) {
		a := Parse(line)
		if _, err := conf.Parse("bootargs", a.Conf, conf.Env{}); err != nil {
			t.Errorf("%q: %v\n%s", line, err, a.Conf)
		}
		if strings.Count(a.Conf, "\n") > strings.Count(line, "ip=") {
			t.Errorf("%q: more lines than arguments:\n%s", line, a.Conf)
		}
	})
}
