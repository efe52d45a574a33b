module dhcpd

go 1.26
