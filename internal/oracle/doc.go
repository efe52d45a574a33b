// Package oracle holds no product code: its tests compare package dhcp4 with
// the DHCP library github.com/insomniacslk/dhcp, message by message, and
// measure both in one run. It is a module of its own, so that the program
// itself does not depend on that library.
//
//	cd internal/oracle && go test -bench .
package oracle
