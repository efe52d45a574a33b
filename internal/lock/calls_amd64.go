package lock

import "golang.org/x/sys/unix"

const (
	arch    = unix.AUDIT_ARCH_X86_64
	sysMmap = unix.SYS_MMAP
)

var here = [...]uint32{
	unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_CHMOD, unix.SYS_CHOWN, unix.SYS_LCHOWN,
	unix.SYS_CREATE_MODULE, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_USELIB,
	unix.SYS_IOPERM, unix.SYS_IOPL, unix.SYS_MODIFY_LDT,
}
