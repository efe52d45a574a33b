package main

import (
	"os"
	"syscall"
)

// asFirst makes ready for being the first process of a machine where nobody
// else has: the kernel's own file systems, and room for what is written. It tells
// whether it is that.
func asFirst() bool {
	var st syscall.Stat_t
	if os.Getpid() != 1 || syscall.Stat("/proc/self", &st) == nil {
		return false
	}
	for _, m := range []struct{ kind, on string }{{"proc", "/proc"}, {"sysfs", "/sys"}, {"tmpfs", "/run"}} {
		_ = syscall.Mkdir(m.on, 0755) // it may be there; what fails is noticed where it is missed
		_ = syscall.Mount(m.kind, m.on, m.kind, 0, "")
	}
	return true
}
