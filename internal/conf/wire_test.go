package conf

import "testing"

func TestS20_Shared(t *testing.T) {
	c, err := Parse("dhcp.conf", `
shared 10.0.0.0/24 10.0.2.0/25 10.0.4.0/22;
shared 10.1.0.0/24 10.0.5.0/24;
shared 10.9.0.0/24 10.0.0.0/24;
shared 10.6.0.0/24 10.10.0.0/24;
shared 10.7.0.0/24 10.8.0.0/24;
shared 10.8.0.0/24 10.10.0.0/24;
host 10.0.0.0/16 { };
host 10.0.0.0/24 { netmask /24; };
host 10.0.2.0/24 { netmask /24; };
host 10.1.0.0/24 { };
host 10.9.0.0/24 { }; host 10.6.0.0/16 { }; host 10.7.0.0/24 { }; host 10.8.0.0/16 { };
client 00 10.0.2.9;
client 00 10.0.5.9 { netmask /24; };
`, Env{})
	if err != nil {
		t.Fatal(err)
	}
	for a, want := range map[string]string{
		"10.0.0.1":   "10.0.0.0/24",
		"10.0.2.1":   "10.0.0.0/24",
		"10.0.2.200": "10.0.2.0/24", // beside the block
		"10.0.4.1":   "10.0.0.0/24",
		"10.0.5.1":   "10.1.0.0/24", // the smaller block counts
		"10.1.0.1":   "10.1.0.0/24",
		"10.9.0.1":   "10.0.0.0/24", // by two elements
		"10.8.0.1":   "10.7.0.0/24", // by three
		"10.7.0.1":   "10.7.0.0/24",
		"10.0.3.1":   "10.0.0.0/16",
		"10.2.0.1":   "invalid Prefix",
	} {
		if p, _ := c.Network(addr(a)); p.String() != want {
			t.Errorf("%s is on %v, want %s", a, p, want)
		}
	}
	for on, want := range map[string]string{
		"10.0.0.7": "10.0.2.9", "10.0.4.7": "10.0.2.9", "10.0.5.7": "10.0.5.9", "10.1.0.7": "10.0.5.9",
		"10.2.0.7": "invalid IP",
	} {
		if a, _ := c.Ask(&Query{ID: []byte{0}}).Fixed(addr(on)); a.String() != want {
			t.Errorf("entry on the network of %s: %v, want %s", on, a, want)
		}
	}
	if !c.Joined(addr("10.0.0.1"), addr("10.0.2.1")) || c.Joined(addr("10.0.0.1"), addr("10.0.2.200")) ||
		c.Joined(addr("10.2.0.1"), addr("10.2.0.1")) || c.Joined(addr("10.0.0.1"), addr("")) {
		t.Error("joined wrongly")
	}
}
