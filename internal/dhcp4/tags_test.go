package dhcp4

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// MINIX's dhcptags.conf: code, name, type, granularity, max. But it has 14 as
// addresses, where RFC 2132 has the path of a file.
const minix = `1 netmask ip 1 1; 2 zoneoffset number 4 1; 3 gateway ip 1 0; 4 timeserver ip 1 0; 5 nameserver ip 1 0;
6 DNSserver ip 1 0; 7 logserver ip 1 0; 8 cookieserver ip 1 0; 9 LPR ip 1 0; 10 impress ip 1 0; 11 resource ip 1 0;
12 hostname ascii 1 0; 13 bootfilesize number 2 1; 14 coredump ascii 1 0; 15 domain ascii 1 0; 16 swapserver ip 1 1;
17 rootpath ascii 1 0; 18 extensions ascii 1 0; 19 IPforwarding boolean 1 1; 20 IPnonlocalsource boolean 1 1;
21 IPpolicyfilter ip 2 0; 22 IPmaxreassembly number 2 1; 23 IPTTL number 1 1; 24 IPMTUaging number 4 1;
25 IPMTUplateau number 2 0; 26 IPMTU number 2 1; 27 IPsublocal boolean 1 1; 28 IPbroadcast ip 1 1;
29 IPmaskdiscovery boolean 1 1; 30 IPmasksupplier boolean 1 1; 31 IPdiscovery boolean 1 1; 32 IPsolicitation ip 1 1;
33 IPstaticroute ip 2 0; 34 ARPtrailer boolean 1 1; 35 ARPtimeout number 4 1; 36 ETHencapsulation boolean 1 1;
37 TCPTTL number 1 1; 38 TCPkeepaliveinterval number 4 1; 39 TCPkeepalivegarbage boolean 1 1; 40 NISdomain ascii 1 0;
41 NISserver ip 1 0; 42 NTPserver ip 1 0; 43 VENDOR octet 1 0; 44 NetBIOSNS ip 1 0; 45 NetBIOSdgram ip 1 0;
46 NetBIOSnodetype number 1 1; 47 NetBIOSscope octet 1 0; 48 Xfontserver ip 1 0; 49 XDM ip 1 0; 50 DHCPreqip ip 1 1;
51 DHCPlease number 4 1; 52 DHCPoverload number 1 1; 53 DHCPtype number 1 1; 54 DHCPserverID ip 1 1;
55 DHCPreqpar number 1 0; 56 DHCPmessage ascii 1 0; 57 DHCPsize number 2 1; 58 DHCPrenewal number 4 1;
59 DHCPrebinding number 4 1; 60 DHCPclassID ascii 1 0; 61 DHCPclientID octet 1 0`

func TestBuiltinHasMinixNames(t *testing.T) {
	for _, line := range strings.Split(minix, ";") {
		var c Code
		var name string
		fmt.Sscan(line, &c, &name)
		tag, ok := Builtin().ByName(strings.ToUpper(name))
		got := fmt.Sprintf("%d %s %s %d %d", tag.Code, tag.Name, tag.Kind, tag.Gran, tag.Max)
		if !ok || got != strings.TrimSpace(line) {
			t.Errorf("%s: %q, want %q", name, got, line)
		}
	}
}

func TestBuiltinIsConsistent(t *testing.T) {
	d, n := Builtin(), 0
	for tag := range d.All() {
		n++
		if back, ok := d.ByName(tag.Name); !ok || back != tag {
			t.Errorf("%v by its name is %v", tag, back)
		}
		if back, ok := d.ByCode(tag.Code); !ok || back != tag {
			t.Errorf("%v by its code is %v", tag, back)
		}
		if tag.Gran < 1 || tag.Kind == Number && tag.Gran == 3 || tag.Code == Pad || tag.Code == End {
			t.Errorf("%v can't be", tag)
		}
	}
	if n != len(standard) {
		t.Errorf("%d tags, want %d: a name or a code is there twice", n, len(standard))
	}
}

func TestDictUndefined(t *testing.T) {
	d := Builtin()
	if tag, ok := d.ByCode(224); ok || tag != (Tag{224, "T224", Octet, 1, 0}) {
		t.Errorf("option 224 is %v, %v", tag, ok)
	}
	for name, want := range map[string]Code{"T224": 224, "t224": 224, "T84": 84, "T1": 0, "T0": 0, "T255": 0,
		"T256": 0, "T0224": 0, "T": 0, "T+84": 0, "T-84": 0, "": 0, "224": 0, "nothing": 0} {
		if tag, ok := d.ByName(name); ok != (want != 0) || tag.Code != want {
			t.Errorf("%q is %v, %v, want option %d", name, tag, ok, want)
		}
	}
}

func TestDictDefine(t *testing.T) {
	d := Builtin().Clone()
	d.Define(Tag{150, "Cisco", IP, 1, 2})        // another name for 150
	d.Define(Tag{224, "LPR", ASCII, 1, 0})       // a name that was 9's
	d.Define(Tag{1, "NETMASK", Octet, 4, 4})     // the same name
	d.Define(Tag{6, "nameserver", Number, 4, 0}) // takes 5's name and leaves its own
	for name, want := range map[string]Code{"cisco": 150, "TFTPaddress": 0, "T150": 0, "lpr": 224, "T9": 9,
		"netmask": 1, "nameserver": 6, "DNSserver": 0, "T5": 5, "T6": 0, "domain": 15} {
		if tag, ok := d.ByName(name); ok != (want != 0) || tag.Code != want {
			t.Errorf("%q is %v, want option %d", name, tag, want)
		}
	}
	if tag, _ := Builtin().ByName("LPR"); tag.Code != 9 {
		t.Errorf("a clone changed the built-in names: LPR is %v", tag)
	}
	for tag := range d.All() {
		if tag.Code > 3 {
			t.Errorf("walk goes on to %v", tag)
		}
		if tag.Code == 3 {
			break
		}
	}
}

func TestNearestOfTags(t *testing.T) {
	var names []string
	for tag := range Builtin().All() {
		names = append(names, tag.Name)
	}
	for name, want := range map[string]string{
		"DSNserver": "DNSserver", "dnsservr": "DNSserver", "gatway": "gateway", "netmaks": "netmask", "domian": "domain",
		"NetBiosNS": "NetBIOSNS", "DHCPleese": "DHCPlease", "hostnames": "hostname", "xyzzy": "", "": "", "q": "",
		"completelyunknown": "", "DNSserver": "DNSserver",
	} {
		if got := Nearest(name, slices.Values(names)); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"server", "relay", "possessive", "hostname"}
	for name, want := range map[string]string{"sever": "server", "RELAX": "relay", "posessiv": "possessive", "host": "", "": ""} {
		if got := Nearest(name, slices.Values(words)); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, x := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "bc", 1},
		{"abc", "abxc", 1}, {"abc", "axc", 1}, {"abcd", "badc", 2}, {"kitten", "sitting", 3}} {
		if got := distance(x.a, x.b); got != x.want {
			t.Errorf("%q to %q: %d, want %d", x.a, x.b, got, x.want)
		}
	}
}

func TestKindNames(t *testing.T) {
	for k := Octet; k <= URI; k++ {
		if got, ok := KindOf(strings.ToUpper(k.String())); !ok || got != k {
			t.Errorf("%s is %v, %v", k, got, ok)
		}
	}
	if k, ok := KindOf("text"); ok {
		t.Errorf("text is %v", k)
	}
}
