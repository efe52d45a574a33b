package lock

import (
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// never are system calls that the program has no use for, on every
// architecture; here has those that some lack.
var never = [...]uint32{
	// Other programs: to run them, look into them, signal them, or meddle with
	// how they run. The scripts' runner is a process of its own, without locks.
	unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_CLONE3,
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KCMP,
	unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_GETFD, unix.SYS_PIDFD_SEND_SIGNAL, unix.SYS_PROCESS_MADVISE,
	unix.SYS_PROCESS_MRELEASE, unix.SYS_MOVE_PAGES, unix.SYS_MIGRATE_PAGES,
	unix.SYS_KILL, unix.SYS_TKILL, unix.SYS_RT_SIGQUEUEINFO, unix.SYS_RT_TGSIGQUEUEINFO,
	unix.SYS_PRLIMIT64, unix.SYS_SETPRIORITY, unix.SYS_IOPRIO_SET,
	unix.SYS_SCHED_SETATTR, unix.SYS_SCHED_SETPARAM, unix.SYS_SCHED_SETSCHEDULER, unix.SYS_SCHED_SETAFFINITY,
	// What the machine's files are: other mounts, roots, namespaces.
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_UNSHARE, unix.SYS_SETNS,
	unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK,
	unix.SYS_MOUNT_SETATTR, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_SWAPON, unix.SYS_SWAPOFF,
	// Whose they are and who may run them, which Landlock does not watch over; and
	// files by another way than their names.
	unix.SYS_FCHMODAT, unix.SYS_FCHMODAT2, unix.SYS_FCHOWN, unix.SYS_FCHOWNAT,
	unix.SYS_SETXATTR, unix.SYS_LSETXATTR, unix.SYS_FSETXATTR, unix.SYS_SETXATTRAT,
	unix.SYS_REMOVEXATTR, unix.SYS_LREMOVEXATTR, unix.SYS_FREMOVEXATTR, unix.SYS_REMOVEXATTRAT,
	unix.SYS_FILE_SETATTR, unix.SYS_TRUNCATE, unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT,
	unix.SYS_FANOTIFY_INIT,
	// The kernel: other code in it, another one, its log, its keys.
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_REBOOT,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_SYSLOG, unix.SYS_ACCT, unix.SYS_PERSONALITY,
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
	// Its clock, which is NTP's.
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME,
	// Large parts of it that attacks have come through, and ways past this list.
	unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_REMAP_FILE_PAGES, unix.SYS_VMSPLICE,
	// These depend on what is asked for: see verdicts.
	unix.SYS_CLONE, unix.SYS_TGKILL, unix.SYS_SOCKET, unix.SYS_FCHMOD,
	unix.SYS_MPROTECT, unix.SYS_PKEY_MPROTECT, sysMmap,
}

// Where the kernel shows a filter what it asks about (struct seccomp_data). Of
// an argument the lower half counts: the upper one is nothing but sign, or the
// kernel does not look at it.
const (
	atNumber = 0
	atArch   = 4
	atArg    = 16 + 4*(1-arch>>30&1) // big-endian machines lack that bit
)

const (
	load    = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	isEqual = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	isLeast = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	hasBits = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	end     = unix.BPF_RET | unix.BPF_K
	refused = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
)

type program = []unix.SockFilter

// door lets in no call in the way of another architecture, as those of 32 bits
// and, on amd64, of x32: their numbers are others.
var door = program{
	{Code: load, K: atArch},
	{Code: isEqual, Jt: 1, K: arch},
	{Code: end, K: refused},
	{Code: load, K: atNumber},
	{Code: isLeast, Jf: 1, K: 1 << 30},
	{Code: end, K: refused},
}

// verdicts say what is done about a call: it is refused, or let through behind the
// end. Most are like the last one.
var verdicts = [...]struct {
	call uint32
	body program
}{
	// Own threads only. The number of the process is put in later.
	{unix.SYS_TGKILL, program{{Code: load, K: atArg}, {Code: isEqual, Jt: 1}, {Code: end, K: refused}}},
	// Threads, no processes.
	{unix.SYS_CLONE, program{{Code: load, K: atArg}, {Code: hasBits, Jt: 1, K: unix.CLONE_THREAD}, {Code: end, K: refused}}},
	// No AF_UNIX: there those listen who do as root says.
	{unix.SYS_SOCKET, program{{Code: load, K: atArg}, {Code: isEqual, Jt: 3, K: unix.AF_INET},
		{Code: isEqual, Jt: 2, K: unix.AF_NETLINK}, {Code: isEqual, Jt: 1, K: unix.AF_PACKET}, {Code: end, K: refused}}},
	// Nothing that runs as somebody else.
	{unix.SYS_FCHMOD, program{{Code: load, K: atArg + 8}, {Code: hasBits, Jf: 1, K: unix.S_ISUID | unix.S_ISGID}, {Code: end, K: refused}}},
	// No code but that which we came with.
	{sysMmap, noCode}, {unix.SYS_MPROTECT, noCode}, {unix.SYS_PKEY_MPROTECT, noCode},
	{0, program{{Code: end, K: refused}}},
}

var noCode = program{{Code: load, K: atArg + 16}, {Code: hasBits, Jf: 1, K: unix.PROT_EXEC}, {Code: end, K: refused}}

// seccomp has the kernel refuse system calls.
func seccomp(*Reach) (did string, err error) {
	if arch == 0 {
		return "", unix.ENOSYS
	}
	verdicts[0].body[1].K = uint32(os.Getpid())
	list := calls()
	p := search(door, list)
	f := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	// Without the second flag some kernels slow down all that the processor
	// guesses, as if we ran programs of strangers. Old ones don't know it.
	for _, flags := range [...]uintptr{unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, unix.SECCOMP_FILTER_FLAG_TSYNC} {
		thread, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&f)))
		switch {
		case e != 0:
			err = e
		case thread != 0: // has a filter of its own
			err = unix.EBUSY
		default:
			return " of " + strconv.Itoa(len(list)) + " calls", nil
		}
	}
	return "", err
}

// calls returns all that never and here have, sorted.
func calls() []uint32 {
	list := append(append([]uint32(nil), never[:]...), here[:]...)
	for i := range list {
		for j := i; j > 0 && list[j] < list[j-1]; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
	return list
}

// search appends to p what looks a call up in a sorted list, by halves: each
// packet takes several calls, and those are not in it.
func search(p program, list []uint32) program {
	if len(list) > 1 {
		half, at := len(list)/2, len(p)
		p = search(append(p, unix.SockFilter{Code: isLeast, K: list[half]}), list[:half])
		p[at].Jt = uint8(len(p) - at - 1)
		return search(p, list[half:])
	}
	i := 0
	for verdicts[i].call != list[0] && verdicts[i].call != 0 {
		i++
	}
	body := verdicts[i].body
	p = append(append(p, unix.SockFilter{Code: isEqual, Jf: uint8(len(body)), K: list[0]}), body...)
	return append(p, unix.SockFilter{Code: end, K: unix.SECCOMP_RET_ALLOW})
}
