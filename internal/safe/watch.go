package safe

import (
	"bytes"
	"encoding/binary"
	"os"
	"path"
	"syscall"
	"time"
)

// Watch tells when one of some files may have been changed, made, replaced or
// removed. It watches their folders, by inotify; where that does not work, it
// looks at them once a second.
type Watch struct {
	ping   chan<- struct{}
	names  map[int32][][]byte // of the files, by the watch of their folder
	notify *os.File
	stop   chan struct{}
}

const (
	watchFile   = syscall.IN_CLOSE_WRITE | syscall.IN_MOVED_TO | syscall.IN_MOVED_FROM | syscall.IN_DELETE
	watchFolder = syscall.IN_DELETE_SELF | syscall.IN_MOVE_SELF | syscall.IN_ONLYDIR
	watchEnded  = syscall.IN_DELETE_SELF | syscall.IN_MOVE_SELF | syscall.IN_IGNORED | syscall.IN_UNMOUNT
)

// NewWatch begins to watch files, whether they exist or not. It tells by a
// value in ping, which has room for one: one stands for any number of changes.
func NewWatch(ping chan<- struct{}, paths ...string) *Watch {
	w := &Watch{ping: ping, names: map[int32][][]byte{}, stop: make(chan struct{})}
	err := w.open(paths)
	go func() {
		if err == nil {
			w.listen()
		}
		w.poll(paths)
	}()
	return w
}

// Close ends the watch. It does not wait for the kernel, which takes 10 to 20 ms
// to let go of the folders.
func (w *Watch) Close() {
	close(w.stop)
	if w.notify != nil {
		go w.notify.Close()
	}
}

func (w *Watch) open(paths []string) error {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return err
	}
	w.notify = os.NewFile(uintptr(fd), "inotify")
	for _, file := range paths {
		wd, err := syscall.InotifyAddWatch(fd, path.Dir(file), watchFile|watchFolder)
		if err != nil {
			return err
		}
		w.names[int32(wd)] = append(w.names[int32(wd)], []byte(path.Base(file)))
	}
	return nil
}

// listen reads events until a folder is gone or there are no more to be had.
func (w *Watch) listen() {
	buf := make([]byte, 4096)
	for {
		n, err := w.notify.Read(buf)
		if err != nil {
			return
		}
		for b := buf[:n]; len(b) >= syscall.SizeofInotifyEvent; {
			wd := int32(binary.NativeEndian.Uint32(b))
			mask := binary.NativeEndian.Uint32(b[4:])
			size := syscall.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
			name, _, _ := bytes.Cut(b[syscall.SizeofInotifyEvent:size], []byte{0})
			b = b[size:]
			if w.ours(wd, name) || mask&(watchEnded|syscall.IN_Q_OVERFLOW) != 0 {
				w.tell()
			}
			if mask&watchEnded != 0 {
				return
			}
		}
	}
}

// ours tells whether one of our files in a folder has the name.
func (w *Watch) ours(wd int32, name []byte) bool {
	for _, n := range w.names[wd] {
		if bytes.Equal(n, name) {
			return true
		}
	}
	return false
}

func (w *Watch) tell() {
	select {
	case w.ping <- struct{}{}:
	default: // what was told is not heard yet
	}
}

// poll looks at the files once a second.
func (w *Watch) poll(paths []string) {
	old := make([]state, len(paths))
	for {
		time.Sleep(time.Second)
		select {
		case <-w.stop:
			return
		default:
		}
		for i, path := range paths {
			if now := stateOf(path); now != old[i] {
				old[i] = now
				w.tell()
			}
		}
	}
}

// state is what changes when a file does.
type state struct {
	inode, size int64
	changed     int64 // nanoseconds since 1970
}

func stateOf(path string) (s state) {
	var st syscall.Stat_t
	if syscall.Stat(path, &st) == nil {
		s = state{int64(st.Ino), st.Size, syscall.TimespecToNsec(st.Ctim)}
	}
	return s
}
