package link

import (
	"errors"
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// streams returns the two ends of a connection.
func streams(t *testing.T) (a, b *Stream) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, b = new(Stream), new(Stream)
	for i, s := range []*Stream{a, b} {
		if s.socket, err = newSocket(fds[i], "test"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
	}
	return a, b
}

// TestQ5_Patience: a connection on which nothing moves is given up, whether the
// other end says nothing or takes nothing (RFC 6926 sections 8.1, 8.2 and 8.5).
// One on which something moves is not.
func TestQ5_Patience(t *testing.T) {
	if dataPatience != 300*time.Second {
		t.Errorf("BULK_LQ_DATA_TIMEOUT is %v", dataPatience)
	}
	defer func(was time.Duration) { dataPatience = was }(dataPatience)
	dataPatience = 200 * time.Millisecond
	a, b := streams(t)
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, unix.ETIMEDOUT) {
		t.Errorf("nothing is said: %v", err)
	}
	if err := a.Write(make([]byte, 1<<24)); !errors.Is(err, unix.ETIMEDOUT) {
		t.Errorf("nothing is taken: %v", err)
	}
	a, b = streams(t)
	dataPatience = time.Minute
	go func() {
		b.Write([]byte("x"))
		b.Close()
	}()
	buf := make([]byte, 9)
	if n, err := a.Read(buf); n != 1 || err != nil {
		t.Errorf("%d octets, %v", n, err)
	}
	if _, err := a.Read(buf); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

// TestQ6_Next: a wait ends when its time is over, when something comes, or when
// somebody wakes it, also if that was before it began.
func TestQ6_Next(t *testing.T) {
	a, b := streams(t)
	buf := make([]byte, 9)
	next := func(what string, want int) {
		t.Helper()
		if n, err := a.Next(buf); n != want || err != nil {
			t.Errorf("%s: %d octets, %v", what, n, err)
		}
	}
	a.Patience(1e6)
	next("over", 0)
	a.Patience(int64(time.Hour))
	a.Wake()
	next("woken before", 0)
	a.Patience(int64(time.Hour))
	go a.Wake()
	next("woken", 0)
	a.Patience(int64(time.Hour))
	b.Write([]byte("x"))
	next("spoken to", 1)
	b.Close()
	if n, err := a.Next(buf); err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if a.Active(); a.patience() != 120*time.Second {
		t.Errorf("ACTIVE_LQ_SEND_TIMEOUT is %v", a.patience())
	}
}
