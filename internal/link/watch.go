package link

import (
	"golang.org/x/sys/unix"
)

// Watcher hears of changes to interfaces and their addresses. Not of routes:
// on a router with a full table these never hold still, and the kernel takes
// ours away only together with an address or a link.
type Watcher struct {
	socket
	buf []byte
}

// Watch starts to listen; list the Interfaces after it, so that no change
// falls between.
func Watch() (*Watcher, error) {
	fd, err := openNetlink(unix.SOCK_NONBLOCK, unix.RTMGRP_LINK|unix.RTMGRP_IPV4_IFADDR)
	w := &Watcher{buf: make([]byte, 1)}
	if err == nil {
		w.socket, err = newSocket(fd, "netlink")
	}
	if err != nil {
		return nil, wrap(err, "watch interfaces")
	}
	return w, nil
}

// Wait waits until something has changed, or may have (when the kernel had
// more to say than it could keep): look again. Many changes at once are one.
// After Close it returns os.ErrClosed.
func (w *Watcher) Wait() error { return w.wait(w.drain) }

// drain empties the socket and tells whether there was anything. What it was
// does not matter: the Interfaces as they are now do.
func (w *Watcher) drain(fd uintptr) bool {
	for n := range 1000 { // not for ever: there may be more to say all the time
		if _, err := unix.Read(int(fd), w.buf); err == unix.EAGAIN {
			return n > 0
		}
	}
	return true
}

// Close ends a waiting Wait.
func (w *Watcher) Close() error { return w.file.Close() }
