package link

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// memInfo is what the kernel tells of a socket's memory (SK_MEMINFO_VARS of
// linux/sock_diag.h).
type memInfo [9]uint32

const (
	memWaiting = 0 // octets of what waits to be received
	memDrops   = 8 // datagrams thrown away
)

// memInfo is all zero where the kernel doesn't tell, before Linux 4.12, and
// after Close.
func (s *socket) memInfo() (m memInfo) {
	s.use(func(fd uintptr) {
		size := uint32(unsafe.Sizeof(m))
		unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&m)), uintptr(unsafe.Pointer(&size)), 0)
	})
	return m
}

// Dropped returns how many datagrams the kernel has thrown away: those that
// Only keeps out, and those that came while there was no room; but not those
// unicasts that the twin had no room for. Where the kernel doesn't tell and
// after Close it is 0.
func (c *UDP) Dropped() uint64 {
	n := c.memInfo()[memDrops]
	if !c.twin.there() {
		return uint64(n)
	}
	// What the first socket left to its twin is not lost. As long as some of
	// that waits there it can't be told how much it is.
	if c.twin.memInfo()[memWaiting] > 0 {
		return c.twin.dropped.Load()
	}
	if n -= c.twin.heard.Load(); n > 1<<32-1<<24 { // more came since
		n = 0
	}
	c.twin.dropped.Store(uint64(n))
	return uint64(n)
}

// broadcasts counts what was not sent to an address of ours among datagrams i
// to j, just received.
func (b *Batch) broadcasts(i, j int) (n uint32) {
	for ; i < j; i++ {
		if info := &b.sys[i].info.info; info.Addr != info.Spec_dst {
			n++
		}
	}
	return n
}
