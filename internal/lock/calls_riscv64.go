package lock

import "golang.org/x/sys/unix"

const (
	arch    = unix.AUDIT_ARCH_RISCV64
	sysMmap = unix.SYS_MMAP
)

var here = [...]uint32{unix.SYS_KEXEC_FILE_LOAD}
