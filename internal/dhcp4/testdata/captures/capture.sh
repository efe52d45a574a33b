#!/bin/sh
# Takes the captures of this folder anew: each peer speaks to another in
# network namespaces of its own, and tcpdump listens beside the server. Needs
# root, iproute2, tcpdump, dnsmasq-base, udhcpc, udhcpd, isc-dhcp-client,
# isc-dhcp-server, isc-dhcp-relay, dhcpcd-base. Nothing of this machine gets
# in: addresses, names, client IDs and vendor classes are made up.
#
#	client ─ gold-c ── gold-r (only for relayed) ── gold-s ─ server
set -eu
out=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
relay=${DHCRELAY:-dhcrelay}

cleanup() {
	for pid in $pids; do kill "$pid" 2>/dev/null || :; done
	for ns in gold-c gold-r gold-s; do ip netns del $ns 2>/dev/null || :; done
	rm -rf "$work"
}
pids=
trap cleanup EXIT

# wire NS1 IF1 MAC1 NS2 IF2 MAC2
wire() {
	ip link add "$2" address "$3" netns "$1" type veth peer name "$5" address "$6" netns "$4"
	ip -n "$1" link set "$2" up
	ip -n "$4" link set "$5" up
}

# enter NS COMMAND: go on as that command in that namespace, with files of its
# own where clients and servers write, /etc/resolv.conf above all.
enter() {
	ns=$1
	shift
	exec ip netns exec "$ns" unshare -m -u sh -ec '
		hostname gold
		mount --bind "$0/resolv.conf" /etc/resolv.conf
		for dir in /run /var/lib; do mount -t tmpfs none $dir; done
		mkdir -p /var/lib/dhcp /var/lib/dhcpcd /run/dhcpcd
		exec "$@"' "$work" "$@"
}

inside() { (enter "$@") >>"$work/log" 2>&1 || :; }

background() {
	(enter "$@") >>"$work/log" 2>&1 &
	pids="$pids $!"
}

# take NAME: everything from here to stop goes into NAME.pcap
take() {
	ip netns exec gold-s tcpdump -Z root -i srv -p -U -s 0 -w "$out/$1.pcap" 'udp and (port 67 or port 68)' 2>"$work/tcpdump" &
	tcpdump=$!
	until grep -q listening "$work/tcpdump"; do sleep 0.1; done
}

stop() {
	sleep 1
	kill $tcpdump
	wait $tcpdump || :
	for pid in $pids; do kill "$pid" 2>/dev/null || :; done
	pids=
	ip -n gold-c addr flush dev cli
}

: >"$work/resolv.conf"
cat >"$work/script" <<'END'
#!/bin/sh
# For udhcpc (ip, mask) and dhclient (new_ip_address): just the address.
case ${reason:-$1} in
bound | renew) ip addr replace "$ip/$mask" dev cli ;;
BOUND | RENEW | REBIND | REBOOT) ip addr replace "$new_ip_address/24" dev cli ;;
PREINIT) ip link set cli up ;;
esac
END
chmod +x "$work/script"
cat >"$work/dhclient.conf" <<'END'
send host-name "gold";
send dhcp-client-identifier = 00:67:6f:6c:64;
also request interface-mtu, ntp-servers, domain-search, rfc3442-classless-static-routes;
option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;
END
cat >"$work/dhcpcd.conf" <<'END'
hostname gold
duid ll
vendorclassid dhcpcd
option domain_name_servers, domain_name, domain_search, classless_static_routes, interface_mtu, ntp_servers
option rapid_commit
require dhcp_server_identifier
noipv6
noarp
END
cat >"$work/dnsmasq.conf" <<'END'
port=0
interface=srv
bind-interfaces
dhcp-authoritative
no-ping
dhcp-range=10.60.0.10,10.60.0.20,2m
dhcp-option=option:domain-search,eng.example.com,sales.example.com
dhcp-option=option:classless-static-route,10.61.0.0/16,10.60.0.1,0.0.0.0/0,10.60.0.1
dhcp-option=option:ntp-server,10.60.0.1
dhcp-option=option:mtu,1400
dhcp-option=option:dns-server,10.60.0.1,10.60.0.2
dhcp-option=114,https://portal.example.com/api
domain=example.com
dhcp-boot=pxelinux.0,boot,10.60.0.1
dhcp-rapid-commit
END
cat >"$work/dhcpd.conf" <<'END'
authoritative;
ping-check false;
default-lease-time 120;
option domain-search code 119 = domain-list;
option routes code 121 = array of unsigned integer 8;
option portal code 114 = text;
option long code 224 = text;
option longer code 225 = text;
subnet 10.60.0.0 netmask 255.255.255.0 {
	range 10.60.0.30 10.60.0.40;
	option routers 10.60.0.1;
	option domain-name "example.com";
	option domain-name-servers 10.60.0.1, 10.60.0.2;
	option routes 24,10,61,0,10,60,0,1, 0,10,60,0,1;
	option time-offset -3600;
	option ip-forwarding off;
	option portal "https://portal.example.com/api";
	option vendor-encapsulated-options 01:04:de:ad:be:ef;
}
subnet 10.62.0.0 netmask 255.255.255.0 {
	range 10.62.0.30 10.62.0.40;
	option routers 10.62.0.1;
}
class "fat" {
	match if option host-name = "fat";
	option long "a text of sixty octets for an option that takes much room: it.";
	option longer "a text of many octets for an option that takes much more room, so that a reply of 548 octets has to use file and sname: yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes.";
	option dhcp-parameter-request-list 1,3,6,15,114,121,43,2,224,225;
}
END
cat >"$work/udhcpd.conf" <<'END'
start 10.60.0.50
end 10.60.0.60
interface srv
lease_file /var/lib/udhcpd.leases
pidfile /run/udhcpd.pid
siaddr 10.60.0.1
sname boot
boot_file pxelinux.0
opt subnet 255.255.255.0
opt router 10.60.0.1
opt dns 10.60.0.1 10.60.0.2
opt domain example.com
opt search eng.example.com sales.example.com
opt staticroutes 10.61.0.0/16 10.60.0.1
opt lease 120
END

for ns in gold-c gold-r gold-s; do
	ip netns add $ns
	ip -n $ns link set lo up
done
wire gold-c cli 02:00:00:00:00:0c gold-s srv 02:00:00:00:00:01
ip -n gold-s addr add 10.60.0.1/24 dev srv

udhcpc() { inside gold-c timeout "$@"; }
isc() { background gold-s dhcpd -4 -f -q -cf "$work/dhcpd.conf" -lf "$work/dhcpd.leases" -pf "$work/dhcpd.pid" srv; }
: >"$work/dhcpd.leases"

echo 'dnsmasq, udhcpc: lease, release'
take dnsmasq-udhcpc
background gold-s dnsmasq -k -C "$work/dnsmasq.conf" -l "$work/dnsmasq.leases" --pid-file=
sleep 1
udhcpc 20 udhcpc -f -q -R -i cli -s "$work/script" -F gold.example.com -x hostname:gold -O search -O staticroutes -O mtu -O 114
echo 'and: an address that is not the server'"'"'s to give'
udhcpc 20 udhcpc -f -q -C -B -i cli -s "$work/script" -r 10.99.0.9 -V gold
stop

echo 'dnsmasq, dhclient: lease, INIT-REBOOT, release'
take dnsmasq-dhclient
background gold-s dnsmasq -k -C "$work/dnsmasq.conf" -l "$work/dnsmasq.leases" --pid-file=
sleep 1
for option in -1 -1 -r; do
	inside gold-c timeout 20 dhclient -4 -d $option -cf "$work/dhclient.conf" -sf "$work/script" \
		-lf "$work/dhclient.leases" -pf "$work/dhclient.pid" cli &
	client=$!
	sleep 5
	kill $client 2>/dev/null || :
done
stop

echo 'dnsmasq, dhcpcd: rapid commit, release'
take dnsmasq-dhcpcd
background gold-s dnsmasq -k -C "$work/dnsmasq.conf" -l "$work/dnsmasq.leases" --pid-file=
sleep 1
inside gold-c sh -c "timeout 12 dhcpcd -4 -B -f $work/dhcpcd.conf -c /bin/true cli & sleep 9; dhcpcd -4 -k -f $work/dhcpcd.conf cli; wait"
stop

echo 'ISC dhcpd, dhcpcd: lease'
take isc-dhcpcd
isc
sleep 2
inside gold-c timeout 10 dhcpcd -4 -B -f "$work/dhcpcd.conf" -c /bin/true cli
stop

echo 'ISC dhcpd, udhcpc: overload'
take isc-udhcpc
isc
sleep 2
udhcpc 20 udhcpc -f -q -R -i cli -s "$work/script" -x hostname:fat
stop

echo 'ISC dhcpd, dhclient: NAK, lease, DECLINE'
take isc-dhclient
isc
sleep 2
cat >"$work/dhclient.leases" <<'END'
lease {
  interface "cli";
  fixed-address 10.99.0.9;
  option subnet-mask 255.255.255.0;
  option dhcp-lease-time 3600;
  option dhcp-server-identifier 10.60.0.1;
  renew never;
  rebind never;
  expire never;
}
END
inside gold-c timeout 15 dhclient -4 -d -1 -cf "$work/dhclient.conf" -sf "$work/script" \
	-lf "$work/dhclient.leases" -pf "$work/dhclient.pid" cli
inside gold-c timeout 5 dhclient -4 -d -1 -cf "$work/dhclient.conf" -sf /bin/false \
	-lf /var/lib/dhcp/leases -pf "$work/dhclient.pid" cli
stop

echo 'udhcpd, udhcpc: lease, renewal'
take udhcpd-udhcpc
background gold-s udhcpd -f -S "$work/udhcpd.conf"
sleep 1
inside gold-c sh -c "udhcpc -f -i cli -s $work/script -x hostname:gold & sleep 6; kill -USR1 \$!; sleep 3; kill -USR2 \$!; sleep 1; kill \$!"
stop

echo 'ISC dhcrelay with option 82, udhcpc'
ip -n gold-c link del cli
wire gold-c cli 02:00:00:00:00:0c gold-r low 02:00:00:00:00:0e
wire gold-r high 02:00:00:00:00:0d gold-s srv 02:00:00:00:00:01
ip -n gold-r addr add 10.62.0.1/24 dev low
ip -n gold-r addr add 10.63.0.2/24 dev high
ip -n gold-s addr add 10.63.0.1/24 dev srv
ip -n gold-s route add 10.62.0.0/24 via 10.63.0.2
ip netns exec gold-r sysctl -qw net.ipv4.ip_forward=1
echo 'subnet 10.63.0.0 netmask 255.255.255.0 {}' >>"$work/dhcpd.conf"
take relayed
isc
background gold-r "$relay" -4 -d -a -id low -iu high 10.63.0.1
sleep 2
udhcpc 20 udhcpc -f -q -R -i cli -s "$work/script" -x hostname:gold
stop
cp "$work/log" "${LOG:-/dev/null}"
ls -l "$out"
