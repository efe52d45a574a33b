package link

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestD2_Syslog: log lines go to the system's log if standard error leads
// nowhere, whether or not anybody listens there yet.
func TestD2_Syslog(t *testing.T) {
	if Log(os.Stderr) != io.Writer(os.Stderr) {
		t.Error("standard error is there, and not used")
	}
	if w := new(strings.Builder); Log(w) != io.Writer(w) {
		t.Error("another writer is not used")
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if !nowhere(int(null.Fd())) || !nowhere(1000) || nowhere(1) && nowhere(0) && nowhere(2) {
		t.Error("/dev/null, and what is closed, are nowhere")
	}

	s, err := openSyslog(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("dhcpd: to nobody\n")); err == nil {
		t.Error("nobody listens, and no error")
	}
	for range 2 { // the log is started again
		ear, err := net.ListenPacket("unixgram", s.to.Name)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := s.Write([]byte("dhcpd: a line\n")); n != 14 || err != nil {
			t.Errorf("%d octets, %v", n, err)
		}
		b := make([]byte, 100)
		n, _, err := ear.ReadFrom(b)
		if got := string(b[:n]); got != "<29>dhcpd: a line" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		ear.Close()
		os.Remove(s.to.Name)
	}
}
