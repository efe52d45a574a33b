package hook

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain: Start runs the program itself, which here is the test.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == LoopFlag {
		os.Exit(Loop(os.Args[2:], os.Stdin, os.Stderr))
	}
	os.Exit(m.Run())
}

func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0700); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestC12_Runner: scripts run one after the other, with the variables and the
// word; Close waits for them.
func TestC12_Runner(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	first := script(t, `sleep 0.1; echo "first $1 $interface $message" >>`+out+"\n")
	second := script(t, `echo "second $1 [$dns] ${PATH:+with a PATH}" >>`+out+"\n")
	r, err := Start([]string{first, second})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		r.Call(first, Bound, []string{"interface=eth0", "message=$(reboot) `x`"}),
		r.Call(second, Deconfig, nil),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if err := r.Call("/bin/reboot", Bound, nil); err == nil {
		t.Error("a script that was not named is run")
	}
	r.Close()
	got, _ := os.ReadFile(out)
	if want := "first bound eth0 $(reboot) `x`\nsecond deconfig [] with a PATH\n"; string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
	var none *Runner
	if none.Call(first, Bound, nil) == nil {
		t.Error("a script is run by nobody")
	}
	none.Close()
}

// TestC12_Loop: what is no call ends it, and no script is run by it.
func TestC12_Loop(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	path := script(t, "echo $1 >"+out+"\n[ $1 = nak ] && exit 3\n[ $1 = renew ] && kill -9 $$\n:")
	call := func(body string) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
	}
	for _, tt := range []struct {
		name   string
		in     []byte
		status int
		ran    bool
		said   string
	}{
		{"good", call("0\x00bound\x00ip=10.0.0.5"), 0, true, ""},
		{"fails", call("0\x00nak"), 0, true, "exit status 3"},
		{"dies", call("0\x00renew"), 0, true, "ended by signal 9"},
		{"nothing", nil, 0, false, ""},
		{"no such script", call("1\x00bound"), 1, false, ""},
		{"no number", call("x\x00bound"), 1, false, ""},
		{"no such word", call("0\x00--help"), 1, false, ""},
		{"no word", call("0"), 1, false, ""},
		{"no variable", call("0\x00bound\x00ip"), 1, false, ""},
		{"a variable of the system's", call("0\x00bound\x00LD_PRELOAD=x"), 1, false, ""},
		{"cut short", call("0\x00bound")[:9], 1, false, ""},
		{"too long", []byte{255, 255, 255, 255, 0}, 1, false, ""},
	} {
		os.Remove(out)
		var said bytes.Buffer
		if status := Loop([]string{path}, bytes.NewReader(tt.in), &said); status != tt.status {
			t.Errorf("%s: status %d", tt.name, status)
		}
		if _, err := os.Stat(out); err == nil != tt.ran {
			t.Errorf("%s: ran: %v", tt.name, err == nil)
		}
		if !strings.Contains(said.String(), tt.said) || tt.said == "" && said.Len() > 0 {
			t.Errorf("%s: said %q", tt.name, said.String())
		}
	}
	var said bytes.Buffer
	Loop([]string{"/nonexistent"}, bytes.NewReader(call("0\x00bound")), &said)
	if want := "dhcpd: /nonexistent bound: start /nonexistent: no such file or directory\n"; said.String() != want {
		t.Errorf("said %q", said.String())
	}
}
