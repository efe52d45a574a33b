package pool

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// watch pings when someone may have changed a file. It watches the folder, by
// inotify, so that it also sees a file removed, replaced or made; where that
// does not work it looks once a second.
type watch struct {
	f    *os.File // the inotify
	stop chan struct{}
}

const (
	watchFile   = syscall.IN_CLOSE_WRITE | syscall.IN_MOVED_TO | syscall.IN_MOVED_FROM | syscall.IN_DELETE
	watchFolder = syscall.IN_DELETE_SELF | syscall.IN_MOVE_SELF | syscall.IN_ONLYDIR
	watchEnded  = syscall.IN_DELETE_SELF | syscall.IN_MOVE_SELF | syscall.IN_IGNORED | syscall.IN_UNMOUNT
)

// ping puts a value into c, if there is none already.
func ping(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func newWatch(path string, look chan<- struct{}) *watch {
	w := &watch{stop: make(chan struct{})}
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err == nil {
		w.f = os.NewFile(uintptr(fd), "inotify")
		_, err = syscall.InotifyAddWatch(fd, filepath.Dir(path), watchFile|watchFolder)
	}
	go func() {
		if err == nil {
			w.listen(filepath.Base(path), look)
		}
		w.poll(path, look)
	}()
	return w
}

func (w *watch) close() {
	close(w.stop)
	if w.f != nil {
		w.f.Close()
	}
}

// listen reads events until there are no more to be had.
func (w *watch) listen(name string, look chan<- struct{}) {
	buf := make([]byte, 4096)
	for {
		n, err := w.f.Read(buf)
		if err != nil {
			return
		}
		for b := buf[:n]; len(b) >= syscall.SizeofInotifyEvent; {
			mask := binary.NativeEndian.Uint32(b[4:])
			size := syscall.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
			of, _, _ := bytes.Cut(b[syscall.SizeofInotifyEvent:size], []byte{0})
			b = b[size:]
			if string(of) == name || mask&(watchEnded|syscall.IN_Q_OVERFLOW) != 0 {
				ping(look)
			}
			if mask&watchEnded != 0 {
				return
			}
		}
	}
}

// poll looks at the file once a second.
func (w *watch) poll(path string, look chan<- struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var old status
	for {
		select {
		case <-w.stop:
			return
		case <-tick.C:
		}
		st, _ := osDisk{}.stat(path)
		if st != old {
			ping(look)
		}
		old = st
	}
}
