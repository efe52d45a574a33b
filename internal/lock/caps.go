package lock

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kept are the capabilities that the roles need. All of them, whatever roles
// there are now: a configuration read later can bring any, and an Ethernet that
// is plugged in needs a client.
var kept = [...]struct {
	bit  uint
	name string
}{
	{unix.CAP_NET_BIND_SERVICE, " net_bind_service"}, // ports 67 and 68
	{unix.CAP_NET_RAW, " net_raw"},                   // frames to hosts without an address, ARP, ICMP
	{unix.CAP_NET_ADMIN, " net_admin"},               // addresses, routes, links
	{unix.CAP_DAC_READ_SEARCH, " dac_read_search"},   // a configuration that is another user's
}

// capabilities drops all that are not kept, also from what a program could get
// that is run.
func capabilities(r *Reach) (did string, err error) {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var now [2]unix.CapUserData
	if err := unix.Capget(&head, &now[0]); err != nil {
		return "", err
	}
	keep := uint32(1<<unix.CAP_NET_BIND_SERVICE | 1<<unix.CAP_NET_RAW)
	if r.Admin {
		keep |= 1 << unix.CAP_NET_ADMIN
	}
	for _, file := range r.Read {
		var st syscall.Stat_t
		// What could be read at the start must not be lost when it is read again.
		if syscall.Stat(file, &st) == nil && int(st.Uid) != os.Geteuid() {
			keep |= 1 << unix.CAP_DAC_READ_SEARCH
		}
	}
	for c := uint(0); ; c++ {
		if c < 32 && keep>>c&1 != 0 {
			continue
		}
		if threads(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, uintptr(c), 0) != nil {
			break // no such capability any more; or who started us may not, and what he had is all there is
		}
	}
	keep &= now[0].Permitted
	now = [2]unix.CapUserData{{Effective: keep, Permitted: keep}}
	err = threads(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&head)), uintptr(unsafe.Pointer(&now)), 0)
	for _, k := range kept {
		if keep>>k.bit&1 != 0 {
			did += k.name
		}
	}
	return did, err
}
