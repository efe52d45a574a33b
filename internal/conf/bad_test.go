package conf

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestS10_NoLeaseOfZero: a lease time of 0 s is found when the file is read.
func TestS10_NoLeaseOfZero(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"host 10.0.0.0/8 {\nDHCPlease 0; };", `"dhcp.conf", line 2: DHCPlease must be at least 1`},
		{"macro m { DHCPlease 0x0; };", `"dhcp.conf", line 1: DHCPlease must be at least 1`},
		{"tag 51 span ip 1 1; span 0.0.0.0;", `"dhcp.conf", line 1: span must be at least 1`},
		{"DHCPlease 1; DHCPrenewal 0; DHCPlease 4294967295;", ""},
	} {
		got := ""
		if _, err := Parse("dhcp.conf", c.text, Env{}); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

// bad are files that can't be understood, and the line that says so.
var bad = []struct{ text, want string }{
	// Syntax.
	{"host 10.0.0.0/8 {\n};}", `"dhcp.conf", line 2: '}' without '{'`},
	{"host 10.0.0.0/8 {\ngateway 10.0.0.1;\n", `"dhcp.conf", line 1: '{' is not closed`},
	{"host 10.0.0.0/8 {\n\tdomain a;\n}\nhost 10.0.0.7 { domain b; };", `"dhcp.conf", line 4: ';' is missing behind '}'`},
	{"host 10.0.0.0/8 {\ngateway 10.0.0.1\nDHCPlease 3600; };", `"dhcp.conf", line 3: '3600' is not an IPv4 address (is a ';' missing before 'DHCPlease'?)`},
	{"domain a\nDNSserver 10.0.0.1;", `"dhcp.conf", line 1: Usage: domain string (is a ';' missing before 'DNSserver'?)`},
	{"client 0:1:1b:a:68:ce 10.0.0.1\nclient 0:1:1b:a:68:cf 10.0.0.2;", `"dhcp.conf", line 1: Usage: client ID [if] host [macro|{params}] (is a ';' missing before 'client'?)`},
	{"domain a\nb;\ngateway 10.0.0.1;\nnothing;", `"dhcp.conf", line 1: Usage: domain string`},
	{"gateway\ndomain; nothing;", `"dhcp.conf", line 2: Unknown tag 'nothing' (is a ';' missing before 'domain'?)`},
	{"gateway alpha\ndomain; \nnothing;", `"dhcp.conf", line 3: Unknown tag 'nothing'`},
	{"client 00-01-1b-0a-68-ce 10.0.0.1;", `"dhcp.conf", line 1: '00-01-1b-0a-68-ce' is not a client ID (as 0:1:1b:a:68:ce)`},
	{"{ gateway 10.0.0.1; };", `"dhcp.conf", line 1: Syntax error at '{'`},
	{"gateway (10.0.0.1);", `"dhcp.conf", line 1: Syntax error at '('`},
	{"\ngateway 10.0.0.1, 10.0.0.2;", `"dhcp.conf", line 2: Syntax error at ','`},
	{"gateway \x00;", `"dhcp.conf", line 1: Syntax error at '\000'`},
	{"gateway \\", `"dhcp.conf", line 1: Syntax error at the end of the file`},
	{"gateway \\ ;", `"dhcp.conf", line 1: Syntax error at ';'`},
	{"domain \"home;\ngateway 10.0.0.1;", `"dhcp.conf", line 1: String is not closed`},
	{"domain 'home", `"dhcp.conf", line 1: String is not closed`},
	{"domain \"a\\xgh\";", `"dhcp.conf", line 1: No hexadecimal digit after \x`},
	{"domain \"a\\x", `"dhcp.conf", line 1: No hexadecimal digit after \x`},
	{strings.Repeat("host 10.0.0.0/8 {", 101) + strings.Repeat("};", 101), `"dhcp.conf", line 1: Nesting is too deep`},

	// Includes.
	{"include;", `"dhcp.conf", line 1: Usage: include "path"`},
	{"include a b;", `"dhcp.conf", line 1: Usage: include "path"`},
	{"include { };", `"dhcp.conf", line 1: Usage: include "path"`},
	{"include \"\";", `"dhcp.conf", line 1: Usage: include "path"`},
	{"\ninclude dhcp.conf;", `"dhcp.conf", line 2: File 'dhcp.conf' includes itself`},
	{"include forbidden.conf;", `"dhcp.conf", line 1: Can't include 'forbidden.conf': permission denied`},
	{"include loop.conf;", `"loop2.conf", line 1: File 'loop.conf' includes itself`},
	{"include broken.conf;", `"broken.conf", line 2: '}' without '{'`},
	{strings.Repeat("include empty.conf;", 1001), `"dhcp.conf", line 1: File 'empty.conf' is included too often`},

	// Elements.
	{"cleint 0:1:1b:a:68:ce 10.0.0.1;", `"dhcp.conf", line 1: Unknown tag 'cleint' (did you mean client?)`},
	{"client;", `"dhcp.conf", line 1: Usage: client ID [if] host [macro|{params}]`},
	{"client 0:1:1b:a:68:ce;", `"dhcp.conf", line 1: Usage: client ID [if] host [macro|{params}]`},
	{"client { } 10.0.0.1;", `"dhcp.conf", line 1: ';' is missing behind '}'`},
	{"client 0:1:1b:a:68:ce { };", `"dhcp.conf", line 1: Usage: client ID [if] host [macro|{params}]`},
	{"client 0:1:1b:a:68:ce ip1;", `"dhcp.conf", line 1: Usage: client ID [if] host [macro|{params}]`},
	{"client 0:1:1b:a:68:ce ip1 { };", `"dhcp.conf", line 1: Usage: client ID [if] host [macro|{params}]`},
	{"client 0:1:1b:a:68:ce ip1 10.0.0.1 stuff more;", `"dhcp.conf", line 1: Usage: client ID [if] host [macro|{params}]`},
	{"client 0:1:1b:a:68:ce 10.0.0.1 stuff more;", `"dhcp.conf", line 1: Usage: client ID [if] host [macro|{params}]`},
	{"client 0:1:1b:a:68 10.0.0.1;", `"dhcp.conf", line 1: '0:1:1b:a:68' is not a client ID (as 0:1:1b:a:68:ce)`},
	{"client 0:1:1b:a:68:1ce 10.0.0.1;", `"dhcp.conf", line 1: '0:1:1b:a:68:1ce' is not a client ID (as 0:1:1b:a:68:ce)`},
	{"client 0:1:1b:a:68:ce:0 10.0.0.1;", `"dhcp.conf", line 1: '0:1:1b:a:68:ce:0' is not a client ID (as 0:1:1b:a:68:ce)`},
	{"client 123 10.0.0.1;", `"dhcp.conf", line 1: '123' is not a client ID (as 0:1:1b:a:68:ce)`},
	{"client xyzw 10.0.0.1;", `"dhcp.conf", line 1: 'xyzw' is not a client ID (as 0:1:1b:a:68:ce)`},
	{"client \"\" 10.0.0.1;", `"dhcp.conf", line 1: '' is not a client ID (as 0:1:1b:a:68:ce)`},
	{"client 00 10.0.0.256;", `"dhcp.conf", line 1: '10.0.0.256' is not an IPv4 address`},
	{"client 00 fe80::1;", `"dhcp.conf", line 1: 'fe80::1' is not an IPv4 address`},
	{"client 00 10.0.0.0/24;", `"dhcp.conf", line 1: '10.0.0.0/24' is not an IPv4 address`},
	{"client 00 \"\";", `"dhcp.conf", line 1: '' is not an IPv4 address`},
	{"class;", `"dhcp.conf", line 1: Usage: class name ... macro|{params}`},
	{"class MSFT;", `"dhcp.conf", line 1: Usage: class name ... macro|{params}`},
	{"class { };", `"dhcp.conf", line 1: Usage: class name ... macro|{params}`},
	{"class MSFT { } stuff;", `"dhcp.conf", line 1: ';' is missing behind '}'`},
	{"circuit port1;", `"dhcp.conf", line 1: Usage: circuit text ... macro|{params}`},
	{"remote { };", `"dhcp.conf", line 1: Usage: remote text ... macro|{params}`},
	{"host 10.0.0.1;", `"dhcp.conf", line 1: Usage: host address|name|netblock macro|{params}`},
	{"host 10.0.0.1 stuff more;", `"dhcp.conf", line 1: Usage: host address|name|netblock macro|{params}`},
	{"host { } { };", `"dhcp.conf", line 1: ';' is missing behind '}'`},
	{"host 10.0.0.0/33 { };", `"dhcp.conf", line 1: '10.0.0.0/33' is not a netblock`},
	{"host alpha/24 { };", `"dhcp.conf", line 1: 'alpha/24' is not a netblock`},
	{"host 10.0.0.0/ { };", `"dhcp.conf", line 1: '10.0.0.0/' is not a netblock`},
	{"host 10.0.0.1.2 { };", `"dhcp.conf", line 1: '10.0.0.1.2' is not an IPv4 address`},
	{"interface ip0;", `"dhcp.conf", line 1: Usage: interface if host [macro|{params}]`},
	{"interface { } 10.0.0.1;", `"dhcp.conf", line 1: ';' is missing behind '}'`},
	{"interface ip0 10.0.0.1 stuff more;", `"dhcp.conf", line 1: Usage: interface if host [macro|{params}]`},
	{"interface ip0 10.0.0.1 { gatewya 10.0.0.1; };", `"dhcp.conf", line 1: Unknown tag 'gatewya' (did you mean gateway?)`},
	{"interface \"\" 10.0.0.1;", `"dhcp.conf", line 1: Usage: interface if host [macro|{params}]`},
	{"macro;", `"dhcp.conf", line 1: Usage: macro name {params}, or macro name`},
	{"macro { };", `"dhcp.conf", line 1: Usage: macro name {params}, or macro name`},
	{"macro a b;", `"dhcp.conf", line 1: Usage: macro name {params}, or macro name`},
	{"macro a { } { };", `"dhcp.conf", line 1: ';' is missing behind '}'`},
	{"host 10.0.0.0/8 { macro a { }; };", `"dhcp.conf", line 1: A macro can't be defined within braces`},
	{"host 10.0.0.0/8 { macro; };", `"dhcp.conf", line 1: Usage: macro name`},
	{"host 10.0.0.0/8 { tag 9 LPR ip 1 0; };", `"dhcp.conf", line 1: 'tag' can't stand within braces`},
	{"host 10.0.0.0/8 { key 1 00; };", `"dhcp.conf", line 1: 'key' can't stand within braces`},
	{"macro a { shared 10.0.0.0/8 10.1.0.0/16; };", `"dhcp.conf", line 1: 'shared' can't stand within braces`},
	{"macro a { macro a; };", `"dhcp.conf", line 1: Macro 'a' gathers itself`},
	{"macro a { macro b; };\nmacro b { host 10.0.0.0/8 {\nclass x A; }; };\nmacro a;", `"dhcp.conf", line 3: Macro 'a' gathers itself`},
	{bomb(24), `"dhcp.conf", line 23: Macros unfold to more than 1000000 elements`},
	{"macro m101 { }; macro m0;" + chain(101), `"dhcp.conf", line 99: Nesting is too deep`},
	{"shared 10.0.0.0/24;", `"dhcp.conf", line 1: Usage: shared netblock netblock ...`},
	{"shared 10.0.0.0/24 10.0.1.0;", `"dhcp.conf", line 1: '10.0.1.0' is not a netblock`},
	{"shared 10.0.0.0/24 { };", `"dhcp.conf", line 1: Usage: shared netblock netblock ...`},
	{"key 1;", `"dhcp.conf", line 1: Usage: key ID "text"|hexdigits`},
	{"key one 00;", `"dhcp.conf", line 1: 'one' is not a key ID`},
	{"key 0x100000000 00;", `"dhcp.conf", line 1: '0x100000000' is not a key ID`},
	{"key 1 secret;", `"dhcp.conf", line 1: Usage: key ID "text"|hexdigits`},
	{"key 1 \"\";", `"dhcp.conf", line 1: Usage: key ID "text"|hexdigits`},
	{"key 1 00; key 1 \"text\";", `"dhcp.conf", line 1: Key 1 is defined already`},

	// Tags.
	{"tag;", `"dhcp.conf", line 1: Usage: tag number name type granularity max`},
	{"tag 150 TFTP ip 1;", `"dhcp.conf", line 1: Usage: tag number name type granularity max`},
	{"tag 150 TFTP ip 1 { };", `"dhcp.conf", line 1: Usage: tag number name type granularity max`},
	{"tag 0 pad octet 1 0;", `"dhcp.conf", line 1: '0' is not a tag number (1 to 254)`},
	{"tag 255 end octet 1 0;", `"dhcp.conf", line 1: '255' is not a tag number (1 to 254)`},
	{"tag one LPR ip 1 0;", `"dhcp.conf", line 1: 'one' is not a tag number (1 to 254)`},
	{"tag 150 \"\" ip 1 0;", `"dhcp.conf", line 1: Tag 150 has no name`},
	{"tag 150 TFTP adress 1 0;", `"dhcp.conf", line 1: Unknown type 'adress'`},
	{"tag 150 TFTP asci 1 0;", `"dhcp.conf", line 1: Unknown type 'asci' (did you mean ascii?)`},
	{"tag 150 TFTP ip 0 0;", `"dhcp.conf", line 1: '0' is not a granularity (1 to 255)`},
	{"tag 150 TFTP number 3 0;", `"dhcp.conf", line 1: Granularity of a number must be 1, 2 or 4, not 3`},
	{"tag 150 TFTP ip 1 none;", `"dhcp.conf", line 1: 'none' is not a maximum (0 to 65535)`},
	{"tag ? xid number 4 1;", `"dhcp.conf", line 1: Number ? is for siaddr ip, sname ascii and file ascii only`},
	{"tag ? siaddr ascii 1 1;", `"dhcp.conf", line 1: Number ? is for siaddr ip, sname ascii and file ascii only`},
	{"DSNserver 10.0.0.1;", `"dhcp.conf", line 1: Unknown tag 'DSNserver' (did you mean DNSserver?)`},
	{"\n\nwhatever;", `"dhcp.conf", line 3: Unknown tag 'whatever'`},
	{"no;", `"dhcp.conf", line 1: Usage: no tag-name`},
	{"no gateway domain;", `"dhcp.conf", line 1: Usage: no tag-name`},
	{"no gatway;", `"dhcp.conf", line 1: Unknown tag 'gatway' (did you mean gateway?)`},
	{"no { };", `"dhcp.conf", line 1: Tag name expected, not '{'`},
	{"no DHCPtype;", `"dhcp.conf", line 1: Tag 'DHCPtype' can't be configured`},
	{"DHCPreqip 10.0.0.1;", `"dhcp.conf", line 1: Tag 'DHCPreqip' can't be configured`},
	{"DHCPoverload 1;", `"dhcp.conf", line 1: Tag 'DHCPoverload' can't be configured`},
	{"DHCPtype 5;", `"dhcp.conf", line 1: Tag 'DHCPtype' can't be configured`},
	{"DHCPserverID 10.0.0.1;", `"dhcp.conf", line 1: Tag 'DHCPserverID' can't be configured`},
	{"DHCPreqpar 1 3 6;", `"dhcp.conf", line 1: Tag 'DHCPreqpar' can't be configured`},
	{"DHCPmessage hello;", `"dhcp.conf", line 1: Tag 'DHCPmessage' can't be configured`},
	{"DHCPsize 576;", `"dhcp.conf", line 1: Tag 'DHCPsize' can't be configured`},
	{"xid 1;", `"dhcp.conf", line 1: Tag 'xid' can't be configured`},
	{"yiaddr 10.0.0.1;", `"dhcp.conf", line 1: Tag 'yiaddr' can't be configured`},

	// Values.
	{"domain;", `"dhcp.conf", line 1: Usage: domain string`},
	{"domain a b;", `"dhcp.conf", line 1: Usage: domain string`},
	{"domain { };", `"dhcp.conf", line 1: Usage: domain string`},
	{"sname " + strings.Repeat("x", 65) + ";", `"dhcp.conf", line 1: sname takes at most 64 characters, not 65`},
	{"file " + strings.Repeat("x", 129) + ";", `"dhcp.conf", line 1: file takes at most 128 characters, not 129`},
	{"IPforwarding;", `"dhcp.conf", line 1: Usage: IPforwarding true|false ...`},
	{"IPforwarding yes;", `"dhcp.conf", line 1: Usage: IPforwarding true|false ...`},
	{"IPforwarding true false;", `"dhcp.conf", line 1: IPforwarding takes at most 1 item, not 2`},
	{"gateway;", `"dhcp.conf", line 1: Usage: gateway host ...`},
	{"gateway { };", `"dhcp.conf", line 1: Usage: gateway host ...`},
	{"gateway 10.0.0;1;", `"dhcp.conf", line 1: Unknown tag '1'`},
	{"gateway 300.0.0.1;", `"dhcp.conf", line 1: '300.0.0.1' is not an IPv4 address`},
	{"gateway 10.0.0.1 10.0.0.300;", `"dhcp.conf", line 1: '10.0.0.300' is not an IPv4 address`},
	{"netmask /33;", `"dhcp.conf", line 1: '/33' is not a netmask`},
	{"netmask 255.0.255.0;", `"dhcp.conf", line 1: 255.0.255.0 is not a netmask`},
	{"netmask 255.255.255.0 255.255.0.0;", `"dhcp.conf", line 1: netmask takes at most 1 item, not 2`},
	{"tag 1 netmask ascii 1 0; netmask /24;", `"dhcp.conf", line 1: netmask must be 4 octets, not 3`},
	{"IPstaticroute 10.0.0.0 10.0.0.1 10.1.0.0;", `"dhcp.conf", line 1: IPstaticroute takes a multiple of 2 items, not 3`},
	{"tag 51 DHCPlease number 2 1; DHCPlease 3600;", `"dhcp.conf", line 1: DHCPlease must be 4 octets, not 2`},
	{"DHCPlease;", `"dhcp.conf", line 1: Usage: DHCPlease number ...`},
	{"DHCPlease 1h;", `"dhcp.conf", line 1: '1h' is not a number`},
	{"DHCPlease \"3600\";", `"dhcp.conf", line 1: '3600' is not a number`},
	{"DHCPlease 0x100000000;", `"dhcp.conf", line 1: '0x100000000' is too large: DHCPlease has 32 bits`},
	{"DHCPlease 3600 7200;", `"dhcp.conf", line 1: DHCPlease takes at most 1 item, not 2`},
	{"IPTTL 256;", `"dhcp.conf", line 1: '256' is too large: IPTTL has 8 bits`},
	{"IPMTU -32769;", `"dhcp.conf", line 1: '-32769' is too large: IPMTU has 16 bits`},
	{"IPMTU --1;", `"dhcp.conf", line 1: '--1' is not a number`},
	{"IPMTU 08;", `"dhcp.conf", line 1: '08' is not a number`},
	{"VENDOR 00f;", `"dhcp.conf", line 1: '00f' is not a string of hexadecimal digits`},
	{"VENDOR 00 ff;", `"dhcp.conf", line 1: Usage: VENDOR hexdigits`},
	{"VENDOR 00fg;", `"dhcp.conf", line 1: '00fg' is not a string of hexadecimal digits`},
	{"PXEUUID 00;", `"dhcp.conf", line 1: PXEUUID takes a multiple of 17 octets, not 1`},
	{"PXEinterface 010203040506;", `"dhcp.conf", line 1: PXEinterface takes at most 3 octets, not 6`},
	{"domainsearch;", `"dhcp.conf", line 1: Usage: domainsearch name ...`},
	{"domainsearch example.com a..b;", `"dhcp.conf", line 1: 'a..b' is not a domain name`},
	{"domainsearch \"a.example b.example\";", `"dhcp.conf", line 1: 'a.example b.example' is not a domain name`},
	{"domainsearch " + strings.Repeat("x", 64) + ";", `"dhcp.conf", line 1: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' is not a domain name`},
	{"IProute 10.0.0.0/8;", `"dhcp.conf", line 1: Usage: IProute destination/length gateway ...`},
	{"IProute 10.0.0.0 10.0.0.1;", `"dhcp.conf", line 1: '10.0.0.0' is not a netblock`},
	{"IProute 10.0.0.0/8 10.0.0.0/8;", `"dhcp.conf", line 1: '10.0.0.0/8' is not an IPv4 address`},
	{"captiveportal example.com;", `"dhcp.conf", line 1: 'example.com' is not a URI`},
	{"captiveportal \"http://example.com/a b\";", `"dhcp.conf", line 1: 'http://example.com/a b' is not a URI`},

	// Options.
	{"option;", `"dhcp.conf", line 1: Usage: option [if] name ...`},
	{"option { };", `"dhcp.conf", line 1: Usage: option [if] name ...`},
	{"option eth0;", `"dhcp.conf", line 1: Usage: option [if] name ...`},
	{"option eth0 { };", `"dhcp.conf", line 1: Usage: option [if] name ...`},
	{"option sever;", `"dhcp.conf", line 1: Unknown option 'sever' (did you mean server?)`},
	{"option eth9 server;", `"dhcp.conf", line 1: Unknown interface 'eth9' (did you mean eth0?); in quotes it may come later`},
	{"option eth0 serving;", `"dhcp.conf", line 1: Unknown option 'serving'`},
	{"option server informed;", `"dhcp.conf", line 1: Usage: option [if] server [inform]`},
	{"option possessive yes;", `"dhcp.conf", line 1: Usage: option [if] possessive`},
	{"option hostname;", `"dhcp.conf", line 1: Usage: option [if] hostname name`},
	{"option hostname a b;", `"dhcp.conf", line 1: Usage: option [if] hostname name`},
	{"option always;", `"dhcp.conf", line 1: Usage: option [if] always tag ...`},
	{"option always siaddr;", `"dhcp.conf", line 1: 'siaddr' is not an option`},
	{"option always gatway;", `"dhcp.conf", line 1: Unknown tag 'gatway' (did you mean gateway?)`},
	{"option authoritative 1;", `"dhcp.conf", line 1: Usage: option [if] authoritative`},
	{"option bootp 1;", `"dhcp.conf", line 1: Usage: option [if] bootp`},
	{"option rapid 1;", `"dhcp.conf", line 1: Usage: option [if] rapid`},
	{"option probe 1;", `"dhcp.conf", line 1: Usage: option [if] probe`},
	{"option limit;", `"dhcp.conf", line 1: Usage: option [if] limit number [per circuit]`},
	{"option limit 0;", `"dhcp.conf", line 1: '0' is not a limit (1 to 2147483647)`},
	{"option limit 8 circuit;", `"dhcp.conf", line 1: Usage: option [if] limit number [per circuit]`},
	{"option noforce 1;", `"dhcp.conf", line 1: Usage: option [if] noforce`},
	{"option leasequery from;", `"dhcp.conf", line 1: Usage: option [if] leasequery [from host ...] [show tag ...] [limit number] [active insecure]`},
	{"option leasequery show;", `"dhcp.conf", line 1: Usage: option [if] leasequery [from host ...] [show tag ...] [limit number] [active insecure]`},
	{"option leasequery limit;", `"dhcp.conf", line 1: Usage: option [if] leasequery [from host ...] [show tag ...] [limit number] [active insecure]`},
	{"option leasequery from 10.0.0.1 limit 5 show;", `"dhcp.conf", line 1: Usage: option [if] leasequery [from host ...] [show tag ...] [limit number] [active insecure]`},
	{"option leasequery active;", `"dhcp.conf", line 1: Usage: option [if] leasequery [from host ...] [show tag ...] [limit number] [active insecure]`},
	{"option leasequery active safe;", `"dhcp.conf", line 1: Usage: option [if] leasequery [from host ...] [show tag ...] [limit number] [active insecure]`},
	{"option leasequery from show 3;", `"dhcp.conf", line 1: Usage: option [if] leasequery [from host ...] [show tag ...] [limit number] [active insecure]`},
	{"option leasequery 10.0.0.1;", `"dhcp.conf", line 1: Usage: option [if] leasequery [from host ...] [show tag ...] [limit number] [active insecure]`},
	{"option authenticate;", `"dhcp.conf", line 1: Usage: option [if] authenticate ID`},
	{"option authenticate 7;", `"dhcp.conf", line 1: Key '7' is not defined`},
	{"option rogue;", `"dhcp.conf", line 1: Usage: option [if] rogue pause`},
	{"option rogue stop;", `"dhcp.conf", line 1: Usage: option [if] rogue pause`},
	{"option nodiscovery 1;", `"dhcp.conf", line 1: Usage: option [if] nodiscovery`},
	{"option router 5;", `"dhcp.conf", line 1: Usage: option [if] router [preference number] [interval seconds]`},
	{"option router preference;", `"dhcp.conf", line 1: Usage: option [if] router [preference number] [interval seconds]`},
	{"option router lifetime 9;", `"dhcp.conf", line 1: Usage: option [if] router [preference number] [interval seconds]`},
	{"option router preference 2147483648;", `"dhcp.conf", line 1: '2147483648' is not a preference (-2147483648 to 2147483647)`},
	{"option router interval 3;", `"dhcp.conf", line 1: '3' is not a number of seconds (4 to 1800)`},
	{"option router interval 1801;", `"dhcp.conf", line 1: '1801' is not a number of seconds (4 to 1800)`},
	{"option wait 1;", `"dhcp.conf", line 1: Usage: option [if] wait`},
	{"option relay;", `"dhcp.conf", line 1: Usage: option [if] relay host ... [hops number] [fallback seconds]`},
	{"option relay hops 4;", `"dhcp.conf", line 1: Usage: option [if] relay host ... [hops number] [fallback seconds]`},
	{"option relay 10.0.0.1 hops;", `"dhcp.conf", line 1: Usage: option [if] relay host ... [hops number] [fallback seconds]`},
	{"option relay 10.0.0.1 hops 17;", `"dhcp.conf", line 1: '17' is not a number of hops (1 to 16)`},
	{"option relay 10.0.0.1 fallback soon;", `"dhcp.conf", line 1: 'soon' is not a number of seconds (1 to 2147483647)`},
	{"option relay 10.0.0.1 hops 4 more 5;", `"dhcp.conf", line 1: Usage: option [if] relay host ... [hops number] [fallback seconds]`},
	{"option relay 10.0.0.1 { };", `"dhcp.conf", line 1: Usage: option [if] relay host ... [hops number] [fallback seconds]`},
	{"option agent;", `"dhcp.conf", line 1: Usage: option [if] agent { circuit interface|text T; remote mac|text T; relay mac|text T; trusted; select; override; flags; routes; ask; }`},
	{"option agent { circuits; };", `"dhcp.conf", line 1: Unknown agent setting 'circuits' (did you mean circuit?)`},
	{"option agent { circuit mac; };", `"dhcp.conf", line 1: Usage: circuit interface|text T`},
	{"option agent { remote text; };", `"dhcp.conf", line 1: Usage: remote mac|text T`},
	{"option agent { trusted yes; };", `"dhcp.conf", line 1: Usage: trusted`},
	{"option class;", `"dhcp.conf", line 1: Usage: option [if] class name`},
	{"option clientid xy;", `"dhcp.conf", line 1: 'xy' is not a client ID (as 0:1:1b:a:68:ce)`},
	{"option clientid;", `"dhcp.conf", line 1: Usage: option [if] clientid hexdigits`},
	{"option fqdn a..b;", `"dhcp.conf", line 1: 'a..b' is not a domain name`},
	{"option fqdn;", `"dhcp.conf", line 1: Usage: option [if] fqdn name`},
	{"option send;", `"dhcp.conf", line 1: Usage: option [if] send tag value ...`},
	{"option send gateway;", `"dhcp.conf", line 1: Usage: option [if] send tag value ...`},
	{"option send DHCPlease soon;", `"dhcp.conf", line 1: 'soon' is not a number`},
	{"option send xid 1;", `"dhcp.conf", line 1: Tag 'xid' can't be configured`},
	{"option request;", `"dhcp.conf", line 1: Usage: option [if] request tag ...`},
	{"option request xid;", `"dhcp.conf", line 1: Tag 'xid' can't be configured`},
	{"option resolvconf;", `"dhcp.conf", line 1: Usage: option [if] resolvconf path`},
	{"option script a b;", `"dhcp.conf", line 1: Usage: option [if] script path`},
	{"option notify { };", `"dhcp.conf", line 1: Usage: option [if] notify path`},
}

// bomb makes macros that gather two macros each.
func bomb(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "macro m%d { macro m%d; macro m%d; };\n", i, i+1, i+1)
	}
	fmt.Fprintf(&b, "macro m%d { };\nmacro m0;", n)
	return b.String()
}

// chain makes macros that gather the next one each.
func chain(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "macro m%d { macro m%d; };\n", i, i+1)
	}
	return b.String()
}

// badEnv is what the bad files find around them.
var badEnv = Env{
	Include: func(path string) (string, error) {
		switch path {
		case "loop.conf":
			return "gateway 10.0.0.1;\ninclude\nloop2.conf;", nil
		case "loop2.conf":
			return "include loop.conf;", nil
		case "broken.conf":
			return "gateway 10.0.0.1;\n}", nil
		case "empty.conf":
			return "", nil
		}
		return "", errors.New("permission denied")
	},
	Hosts:      "10.0.0.1 alpha\n",
	Interfaces: []Ifname{{"eth0", 2, true}},
}

func TestP1_BadInput(t *testing.T) {
	for _, tt := range bad {
		c, err := Parse("dhcp.conf", tt.text, badEnv)
		switch {
		case err == nil:
			t.Errorf("%.80q is accepted", tt.text)
		case c != nil || err.Error() != tt.want:
			t.Errorf("%.80q:\n got %v\nwant %s", tt.text, err, tt.want)
		}
	}
}
