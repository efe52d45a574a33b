package lock

import "golang.org/x/sys/unix"

const (
	arch    = unix.AUDIT_ARCH_ARM
	sysMmap = unix.SYS_MMAP2
)

var here = [...]uint32{
	unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_CHMOD, unix.SYS_CHOWN, unix.SYS_LCHOWN,
	unix.SYS_CHOWN32, unix.SYS_LCHOWN32, unix.SYS_FCHOWN32, unix.SYS_TRUNCATE64,
	unix.SYS_KEXEC_FILE_LOAD, unix.SYS_USELIB, unix.SYS_CLOCK_SETTIME64, unix.SYS_CLOCK_ADJTIME64,
}
