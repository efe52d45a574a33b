package dhcp4

// standard has every option that IANA lists: up to 61 by the names of MINIX's
// dhcptags.conf, the others in its style. Two private ones are there since
// every Windows machine asks for them.
var standard = [...]Tag{
	{1, "netmask", IP, 1, 1}, // RFC 2132, up to 76 but for 68
	{2, "zoneoffset", Number, 4, 1},
	{3, "gateway", IP, 1, 0},
	{4, "timeserver", IP, 1, 0},
	{5, "nameserver", IP, 1, 0},
	{6, "DNSserver", IP, 1, 0},
	{7, "logserver", IP, 1, 0},
	{8, "cookieserver", IP, 1, 0},
	{9, "LPR", IP, 1, 0},
	{10, "impress", IP, 1, 0},
	{11, "resource", IP, 1, 0},
	{12, "hostname", ASCII, 1, 0},
	{13, "bootfilesize", Number, 2, 1},
	{14, "coredump", ASCII, 1, 0}, // ip in MINIX, but RFC 2132 has a path
	{15, "domain", ASCII, 1, 0},
	{16, "swapserver", IP, 1, 1},
	{17, "rootpath", ASCII, 1, 0},
	{18, "extensions", ASCII, 1, 0},
	{19, "IPforwarding", Boolean, 1, 1},
	{20, "IPnonlocalsource", Boolean, 1, 1},
	{21, "IPpolicyfilter", IP, 2, 0},
	{22, "IPmaxreassembly", Number, 2, 1},
	{23, "IPTTL", Number, 1, 1},
	{24, "IPMTUaging", Number, 4, 1},
	{25, "IPMTUplateau", Number, 2, 0},
	{26, "IPMTU", Number, 2, 1},
	{27, "IPsublocal", Boolean, 1, 1},
	{28, "IPbroadcast", IP, 1, 1},
	{29, "IPmaskdiscovery", Boolean, 1, 1},
	{30, "IPmasksupplier", Boolean, 1, 1},
	{31, "IPdiscovery", Boolean, 1, 1},
	{32, "IPsolicitation", IP, 1, 1},
	{33, "IPstaticroute", IP, 2, 0},
	{34, "ARPtrailer", Boolean, 1, 1},
	{35, "ARPtimeout", Number, 4, 1},
	{36, "ETHencapsulation", Boolean, 1, 1},
	{37, "TCPTTL", Number, 1, 1},
	{38, "TCPkeepaliveinterval", Number, 4, 1},
	{39, "TCPkeepalivegarbage", Boolean, 1, 1},
	{40, "NISdomain", ASCII, 1, 0},
	{41, "NISserver", IP, 1, 0},
	{42, "NTPserver", IP, 1, 0},
	{43, "VENDOR", Octet, 1, 0},
	{44, "NetBIOSNS", IP, 1, 0},
	{45, "NetBIOSdgram", IP, 1, 0},
	{46, "NetBIOSnodetype", Number, 1, 1},
	{47, "NetBIOSscope", Octet, 1, 0},
	{48, "Xfontserver", IP, 1, 0},
	{49, "XDM", IP, 1, 0},
	{50, "DHCPreqip", IP, 1, 1},
	{51, "DHCPlease", Number, 4, 1},
	{52, "DHCPoverload", Number, 1, 1},
	{53, "DHCPtype", Number, 1, 1},
	{54, "DHCPserverID", IP, 1, 1},
	{55, "DHCPreqpar", Number, 1, 0},
	{56, "DHCPmessage", ASCII, 1, 0},
	{57, "DHCPsize", Number, 2, 1},
	{58, "DHCPrenewal", Number, 4, 1},
	{59, "DHCPrebinding", Number, 4, 1},
	{60, "DHCPclassID", ASCII, 1, 0},
	{61, "DHCPclientID", Octet, 1, 0},
	{62, "NetWaredomain", ASCII, 1, 0}, // RFC 2242
	{63, "NetWare", Octet, 1, 0},
	{64, "NISplusdomain", ASCII, 1, 0},
	{65, "NISplusserver", IP, 1, 0},
	{66, "TFTPserver", ASCII, 1, 0},
	{67, "bootfile", ASCII, 1, 0},
	{68, "homeagent", IP, 1, 0},
	{69, "SMTPserver", IP, 1, 0},
	{70, "POP3server", IP, 1, 0},
	{71, "NNTPserver", IP, 1, 0},
	{72, "WWWserver", IP, 1, 0},
	{73, "fingerserver", IP, 1, 0},
	{74, "IRCserver", IP, 1, 0},
	{75, "StreetTalk", IP, 1, 0},
	{76, "STDAserver", IP, 1, 0},
	{77, "userclass", Octet, 1, 0}, // RFC 3004
	{78, "SLPagent", Octet, 1, 0},  // RFC 2610
	{79, "SLPscope", Octet, 1, 0},
	{80, "rapidcommit", Octet, 1, 0},       // RFC 4039; empty
	{81, "FQDN", Octet, 1, 0},              // RFC 4702
	{82, "relayagent", Octet, 1, 0},        // RFC 3046
	{83, "iSNS", Octet, 1, 0},              // RFC 4174
	{85, "NDSserver", IP, 1, 0},            // RFC 2241
	{86, "NDStree", ASCII, 1, 0},           // UTF-8
	{87, "NDScontext", ASCII, 1, 0},        // UTF-8
	{88, "BCMCSdomain", Domain, 1, 0},      // RFC 4280
	{89, "BCMCSserver", IP, 1, 0},          //
	{90, "authentication", Octet, 1, 0},    // RFC 3118
	{91, "lasttransaction", Number, 4, 1},  // RFC 4388, seconds ago
	{92, "associatedIP", IP, 1, 0},         //
	{93, "PXEarch", Number, 2, 0},          // RFC 4578
	{94, "PXEinterface", Octet, 3, 3},      //
	{95, "LDAP", URI, 1, 0},                // never specified further
	{97, "PXEUUID", Octet, 17, 17},         // RFC 4578
	{98, "userauth", URI, 1, 0},            // RFC 2485
	{99, "civicaddress", Octet, 1, 0},      // RFC 4776
	{100, "TZposix", ASCII, 1, 0},          // RFC 4833
	{101, "TZname", ASCII, 1, 0},           //
	{108, "IPv6only", Number, 4, 1},        // RFC 8925, seconds
	{109, "S46address", Octet, 16, 16},     // RFC 8539
	{112, "Netinfoserver", IP, 1, 0},       // RFC 3679
	{113, "Netinfotag", ASCII, 1, 0},       //
	{114, "captiveportal", URI, 1, 0},      // RFC 8910
	{116, "autoconfig", Boolean, 1, 1},     // RFC 2563
	{117, "namesearch", Number, 2, 0},      // RFC 2937
	{118, "subnet", IP, 1, 1},              // RFC 3011
	{119, "domainsearch", Domain, 1, 0},    // RFC 3397
	{120, "SIPserver", Octet, 1, 0},        // RFC 3361
	{121, "IProute", Route, 1, 0},          // RFC 3442
	{122, "CableLabs", Octet, 1, 0},        // RFC 3495
	{123, "geoconf", Octet, 16, 16},        // RFC 6225
	{124, "vendorclass", Octet, 1, 0},      // RFC 3925
	{125, "vendorinfo", Octet, 1, 0},       //
	{128, "PXE128", Octet, 1, 0},           // RFC 4578: vendor specific
	{129, "PXE129", Octet, 1, 0},           //
	{130, "PXE130", Octet, 1, 0},           //
	{131, "PXE131", Octet, 1, 0},           //
	{132, "PXE132", Octet, 1, 0},           //
	{133, "PXE133", Octet, 1, 0},           //
	{134, "PXE134", Octet, 1, 0},           //
	{135, "PXE135", Octet, 1, 0},           //
	{136, "PANAagent", IP, 1, 0},           // RFC 5192
	{137, "LoSTserver", Domain, 1, 1},      // RFC 5223
	{138, "CAPWAP", IP, 1, 0},              // RFC 5417
	{139, "MoSaddress", Octet, 1, 0},       // RFC 5678
	{140, "MoSdomain", Octet, 1, 0},        //
	{141, "SIPdomain", Domain, 1, 0},       // RFC 6011
	{142, "ANDSF", IP, 1, 0},               // RFC 6153
	{143, "SZTP", Octet, 1, 0},             // RFC 8572
	{144, "geolocation", Octet, 16, 16},    // RFC 6225
	{145, "forcerenewnonce", Number, 1, 0}, // RFC 6704
	{146, "RDNSSselection", Octet, 1, 0},   // RFC 6731
	{147, "DOTSname", Domain, 1, 1},        // RFC 8973
	{148, "DOTSaddress", IP, 1, 0},         //
	{150, "TFTPaddress", IP, 1, 0},         // RFC 5859
	{151, "statuscode", Octet, 1, 0},       // RFC 6926
	{152, "basetime", Number, 4, 1},        //
	{153, "statetime", Number, 4, 1},       //
	{154, "querystart", Number, 4, 1},      //
	{155, "queryend", Number, 4, 1},        //
	{156, "DHCPstate", Number, 1, 1},       //
	{157, "datasource", Number, 1, 1},      //
	{158, "PCPserver", Octet, 1, 0},        // RFC 7291
	{159, "portparams", Octet, 4, 4},       // RFC 7618
	{161, "MUD", URI, 1, 0},                // RFC 8520
	{162, "DNR", Octet, 1, 0},              // RFC 9463
	{175, "etherboot", Octet, 1, 0},        // tentative
	{176, "IPphone", Octet, 1, 0},          // tentative
	{177, "PacketCable", Octet, 1, 0},      // tentative
	{208, "PXElinuxmagic", Octet, 4, 4},    // RFC 5071
	{209, "PXElinuxconfig", ASCII, 1, 0},   //
	{210, "PXElinuxprefix", ASCII, 1, 0},   //
	{211, "PXElinuxreboot", Number, 4, 1},  //
	{212, "IP6RD", Octet, 1, 0},            // RFC 5969
	{213, "accessdomain", Domain, 1, 1},    // RFC 5986
	{220, "subnetallocation", Octet, 1, 0}, // RFC 6656
	{221, "VSS", Octet, 1, 0},              // RFC 6607
	{249, "MSroute", Route, 1, 0},          // as 121, Microsoft's own
	{252, "WPAD", URI, 1, 0},               // draft-ietf-wrec-wpad
}
