package lock

import (
	"path"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"dhcpd/internal/safe"

	"golang.org/x/sys/unix"
)

// What the kernel is to watch over: all that it knows of, which was more with
// each version.
var handled = [...]uint64{
	1: 1<<13 - 1, // reading, writing, making, removing, running
	2: 1<<14 - 1, // moving from folder to folder
	3: 1<<15 - 1, // truncating
	4: 1<<15 - 1,
	5: 1<<16 - 1, // what is special to a device
}

// What is done with the files in a folder: those kept are replaced and synced.
const (
	reading = unix.LANDLOCK_ACCESS_FS_READ_FILE
	writing = reading | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE |
		unix.LANDLOCK_ACCESS_FS_READ_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE
)

// landlock takes all files away but those in the folders of r. A folder is one
// that is there now: another that takes its name later is none of them.
func landlock(r *Reach) (did string, err error) {
	version, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if e != 0 {
		return "", e
	}
	all := handled[min(int(version), len(handled)-1)]
	fd, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&all)), unsafe.Sizeof(all), 0)
	if e != 0 {
		return "", e
	}
	s := &rules{set: fd, handled: all}
	did = " " + strconv.Itoa(int(version)) + " reading" + s.allow(r.Read, reading) + ", writing" + s.allow(r.Write, writing)
	err = threads(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0)
	syscall.Close(int(fd))
	return did, err
}

// rules are those of one ruleset.
type rules struct {
	set     uintptr
	handled uint64
	folders string // that the last call of allow came to
}

// allow lets something be done in the folders of some files, and returns those.
func (s *rules) allow(files []string, rights uint64) string {
	s.folders = ""
	for _, file := range files {
		if file == "" {
			continue
		}
		if rights == writing {
			_ = safe.MakeFolder(path.Dir(file)) // what can't be made is not there to be written in
		}
		// A link leads to the folder of another file. A few of them, in case they
		// lead round in circles.
		for range 8 {
			s.folder(path.Dir(file), rights)
			if file = safe.ReadLink(file); file == "" {
				break
			}
		}
	}
	return s.folders
}

// folder lets something be done in a folder. To read in one that is to come, as
// the name servers' may be at boot, one must be let into what is above it.
func (s *rules) folder(name string, rights uint64) {
	fd, err := syscall.Open(name, unix.O_PATH|syscall.O_CLOEXEC, 0)
	for err == syscall.ENOENT && rights == reading && len(path.Dir(name)) > 1 { // the root would be too much
		name = path.Dir(name)
		fd, err = syscall.Open(name, unix.O_PATH|syscall.O_CLOEXEC, 0)
	}
	if err != nil {
		return // out of reach already
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: rights & s.handled, Parent_fd: int32(fd)}
	_, _, e := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, s.set, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	syscall.Close(fd)
	if e == 0 && !strings.Contains(s.folders+" ", " "+name+" ") {
		s.folders += " " + name
	}
}
