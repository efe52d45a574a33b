//go:build mips || mipsle

package lock

import "golang.org/x/sys/unix"

const sysMmap = unix.SYS_MMAP // what Go's runtime calls

var here = [...]uint32{
	unix.SYS_FORK, unix.SYS_CHMOD, unix.SYS_CHOWN, unix.SYS_LCHOWN, unix.SYS_TRUNCATE64,
	unix.SYS_CREATE_MODULE, unix.SYS_USELIB, unix.SYS_IOPERM, unix.SYS_IOPL, unix.SYS_MODIFY_LDT,
	unix.SYS_UMOUNT, unix.SYS_STIME, unix.SYS_CLOCK_SETTIME64, unix.SYS_CLOCK_ADJTIME64, unix.SYS_MMAP2,
}
