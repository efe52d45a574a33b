package hook

import (
	"slices"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

func message(put ...any) *dhcp4.Message {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootReply)
	m.SetType(dhcp4.ACK)
	for i := 0; i < len(put); i += 2 {
		m.Options.PutText(dhcp4.Code(put[i].(int)), put[i+1].(string))
	}
	return m
}

// TestC12_Variables: the names and forms of udhcpc, and nothing from the wire
// that is not what it should be.
func TestC12_Variables(t *testing.T) {
	for _, tt := range []struct {
		code  int
		value string
		want  string // "" for none
	}{
		{3, "\x0a\x00\x00\x01\x0a\x00\x00\x02", "router=10.0.0.1 10.0.0.2"},
		{3, "\x0a\x00\x00", ""},
		{2, "\xff\xff\xf1\xf0", "timezone=-3600"},
		{6, "\x0a\x00\x00\x01", "dns=10.0.0.1"},
		{12, "ada", "hostname=ada"},
		{12, "ada\x00", "hostname=ada"},
		{12, "$(reboot)", "hostname=bad"},
		{12, "-rf", "hostname=bad"},
		{15, "a.example\nnameserver 6.6.6.6", "domain=bad"},
		{15, "a.example b.example", "domain=bad"},
		{17, "/a\x00", "rootpath=/a"},
		{23, "\x40", "ipttl=64"},
		{26, "\x05\xdc", "mtu=1500"},
		{33, "\x0a\x01\x00\x00\x0a\x00\x00\x01\x0a\x02\x00\x00\x0a\x00\x00\x02", "routes=10.1.0.0/10.0.0.1 10.2.0.0/10.0.0.2"},
		{51, "\xff\xff\xff\xff", "lease=4294967295"},
		{53, "\x05", "opt53=05"},
		{54, "\x0a\x00\x00\x01", "serverid=10.0.0.1"},
		{56, "go\naway\x1b", "message=go?away?"},
		{66, "10.0.0.1", "tftp=10.0.0.1"},
		{119, "\x03eng\x07example\x00\x02a;\x00", "search=eng.example bad"},
		{120, "\x01\x0a\x00\x00\x01", "sipsrv=10.0.0.1"},
		{120, "\x00\x03sip\x00", "sipsrv=sip"},
		{120, "\x02\x03sip\x00", ""},
		{121, "\x08\x0a\x0a\x00\x00\x01\x00\x0a\x00\x00\x02", "staticroutes=10.0.0.0/8 10.0.0.1 0.0.0.0/0 10.0.0.2"},
		{121, "\x21\x0a\x0a\x00\x00\x01", ""},
		{132, "\x00\x00\x00\x2a", "vlanid=42"},
		{211, "\x00\x00\x00\x3c", "reboottime=60"},
		{212, "\x0e\x20\x20\x01\x0d\xb8" + strings.Repeat("\x00", 12) + "\xc0\x00\x02\x01",
			"ip6rd=14 32 2001:0db8:0000:0000:0000:0000:0000:0000 192.0.2.1"},
		{212, "\x0e\x20\x20\x01", ""},
		{224, "a\x01", "opt224=6101"},
	} {
		got := Environment("eth0", netip.Prefix{}, message(tt.code, tt.value))
		for _, v := range []string{"interface=eth0", "opt53=05"} {
			if tt.want != v && !slices.Contains(got, v) {
				t.Errorf("%d: no %s in %q", tt.code, v, got)
			}
		}
		got = slices.DeleteFunc(got, func(v string) bool { return v == "interface=eth0" || v == "opt53=05" && tt.want != v })
		if strings.Join(got, "|") != tt.want {
			t.Errorf("%d %q: %q, want %q", tt.code, tt.value, got, tt.want)
		}
	}
}

// TestC12_Address: what was made of the message counts, not what it says.
func TestC12_Address(t *testing.T) {
	m := message(1, "\xff\x00\xff\x00")
	m.Siaddr = netip.MustParseAddr("10.0.0.9")
	copy(m.File[:], "boot\tfile")
	got := Environment("eth0", netip.MustParsePrefix("10.0.0.5/24"), m)
	want := []string{"interface=eth0", "opt53=05", "siaddr=10.0.0.9", "boot_file=boot?file", "ip=10.0.0.5", "subnet=255.255.255.0", "mask=24"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := Environment("eth0", netip.Prefix{}, nil); !slices.Equal(got, []string{"interface=eth0"}) {
		t.Errorf("deconfig: %q", got)
	}
}

// TestC12_ResolvConf: merged, each name and server once, and no others than
// can be.
func TestC12_ResolvConf(t *testing.T) {
	var r Resolver
	if !r.Empty() {
		t.Error("it has something to say")
	}
	for _, m := range []*dhcp4.Message{
		message(6, "\x0a\x00\x00\x01\x00\x00\x00\x00\xe0\x00\x00\x01\x0a\x00\x00\x02", 15, "home.example"),
		message(6, "\x0a\x00\x00\x02\x0a\x00\x00\x03", 15, "not.example", 119, "\x03eng\x07example\x00\x04a\nb\x07\x00\x04home\x07example\x00"),
		message(6, "\x0a\x00\x00", 15, "one.example two.example three\nnameserver\t6.6.6.6 -x"),
	} {
		r.Add(&m.Options)
	}
	want := "# made by dhcpd(8)\nsearch home.example one.example two.example three nameserver 6.6.6.6\n" +
		"nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n"
	if got := r.Text(); strings.ReplaceAll(got, "eng.example ", "") != want || r.Empty() {
		t.Errorf("%s", got)
	}
}

// A nonce is between client and server (P6).
func TestC18_NoNonceInScripts(t *testing.T) {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootReply)
	m.Options.Put(dhcp4.Authentication, []byte{3, 1, 0, 0xab})
	m.Options.Put(250, []byte{0xcd})
	got := strings.Join(Environment("eth0", netip.Prefix{}, m), " ")
	if strings.Contains(got, "ab") || !strings.Contains(got, "opt250=cd") {
		t.Error(got)
	}
}
