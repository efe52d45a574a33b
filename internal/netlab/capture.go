package netlab

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A Capture keeps every frame that passes an interface, in memory and in a
// pcap file.
type Capture struct {
	File string // the pcap file
	host *Host
	sock *Socket
	out  *os.File

	mu     sync.Mutex
	frames [][]byte
	seen   int           // frames that Await has passed
	more   chan struct{} // closed when there are more frames
	ended  chan struct{}
}

// Capture begins to capture on an interface. When it returns, no frame can
// be missed any more.
func (l *Lab) Capture(h *Host, name string) *Capture {
	l.t.Helper()
	c := &Capture{
		File:  filepath.Join(h.Dir, name+".pcap"),
		host:  h,
		sock:  h.Frames(name),
		more:  make(chan struct{}),
		ended: make(chan struct{}),
	}
	var err error
	if c.out, err = os.Create(c.File); err != nil {
		l.t.Fatalf("netlab: %v", err)
	}
	// The file format's header: magic, version 2.4, zone, accuracy, length
	// limit, link type Ethernet.
	head := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	for _, v := range []uint32{2 | 4<<16, 0, 0, 1 << 16, 1} {
		head = binary.LittleEndian.AppendUint32(head, v)
	}
	c.out.Write(head)
	go c.run()
	l.t.Cleanup(c.Close)
	return c
}

func (c *Capture) run() {
	defer close(c.ended)
	b := make([]byte, 1<<16)
	for _, next := range []func([]byte) ([]byte, error){c.sock.read, c.sock.readNow} {
		for {
			frame, err := next(b)
			if err != nil {
				break // told to end; or, the second time, nothing left
			}
			c.keep(time.Now(), append([]byte(nil), frame...))
		}
	}
}

func (c *Capture) keep(at time.Time, frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frames = append(c.frames, frame)
	var rec []byte
	for _, v := range []int{int(at.Unix()), at.Nanosecond() / 1000, len(frame), len(frame)} {
		rec = binary.LittleEndian.AppendUint32(rec, uint32(v))
	}
	c.out.Write(append(rec, frame...))
	close(c.more)
	c.more = make(chan struct{})
}

// Close ends the capture. The file is whole then: all that had passed the
// interface is in it.
func (c *Capture) Close() {
	c.sock.SetReadDeadline(time.Unix(1, 0))
	<-c.ended
	c.sock.Close()
	c.out.Close()
}

// Frames returns all frames so far.
func (c *Capture) Frames() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frames[:len(c.frames):len(c.frames)]
}

// Await waits for a frame that match wants, beginning after the one that the
// last Await returned, or with the first.
func (c *Capture) Await(what string, match func(frame []byte) bool) []byte {
	c.host.lab.t.Helper()
	late := time.After(Patience)
	for {
		c.mu.Lock()
		for c.seen < len(c.frames) {
			f := c.frames[c.seen]
			c.seen++
			if match(f) {
				c.mu.Unlock()
				return f
			}
		}
		more := c.more
		c.mu.Unlock()
		select {
		case <-more:
		case <-late:
			c.host.lab.t.Fatalf("netlab: host %s: waited %v in vain for %s among %d frames", c.host.Name, Patience, what, len(c.Frames()))
		}
	}
}

// Skip has the next Await begin after all that has passed until now.
func (c *Capture) Skip() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = len(c.frames)
}

// Check closes the capture and has tshark read every frame that came from
// one of the given Ethernet addresses: the test fails when one is malformed,
// has a wrong checksum or an expert warning, or when there is none at all. A
// warning that belongs to the test is passed over by a part of its text.
func (c *Capture) Check(from [][6]byte, allow ...string) {
	t := c.host.lab.t
	t.Helper()
	c.Close()
	rows, err := tshark(c.File)
	if err != nil {
		t.Fatalf("netlab: %v", err)
	}
	count := 0
	for _, r := range rows {
		if !r.from(from) {
			continue
		}
		count++
		if bad := r.complaint(allow); bad != "" {
			t.Fatalf("netlab: tshark on frame %s of %s: %s\n%s", r.number, c.File, bad, c.decode(r.number))
		}
	}
	if count == 0 {
		t.Fatalf("netlab: %s: no frame from %x among %d", c.File, from, len(rows))
	}
}

// row is what tshark says of one frame.
type row struct{ number, mac, severity, message, malformed string }

// warning is the least severity of an expert warning (epan/expert: PI_WARN).
const warning = "6291456"

// tshark takes a second to start: one run reads the whole capture.
func tshark(file string) ([]row, error) {
	args := []string{"-n", "-r", file, "-T", "fields", "-E", "separator=/t", "-E", "aggregator=|",
		"-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"}
	for _, field := range []string{"frame.number", "eth.src", "_ws.expert.severity", "_ws.expert.message", "_ws.malformed"} {
		args = append(args, "-e", field)
	}
	cmd := exec.Command("tshark", args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("tshark %s: %w\n%s", file, err, &said)
	}
	var rows []row
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 5 {
			return nil, fmt.Errorf("tshark %s: odd line %q", file, line)
		}
		rows = append(rows, row{f[0], f[1], f[2], f[3], f[4]})
	}
	return rows, nil
}

func (r row) from(list [][6]byte) bool {
	for _, mac := range list {
		if strings.ReplaceAll(r.mac, ":", "") == hex.EncodeToString(mac[:]) {
			return true
		}
	}
	return false
}

// complaint returns what is wrong with the frame, "" for nothing.
func (r row) complaint(allow []string) string {
	if r.malformed != "" {
		return "malformed: " + r.malformed
	}
	messages := strings.Split(r.message, "|")
	for i, sev := range strings.Split(r.severity, "|") {
		// Severities are decimal numbers of equal length, or shorter if less.
		if len(sev) < len(warning) || sev < warning {
			continue
		}
		said := r.message
		if i < len(messages) {
			said = messages[i]
		}
		if !containsAny(said, allow) {
			return said
		}
	}
	return ""
}

func containsAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// decode returns tshark's whole decoding of one frame, for a failed test.
func (c *Capture) decode(number string) string {
	out, _ := exec.Command("tshark", "-n", "-r", c.File, "-V", "-Y", "frame.number=="+number).CombinedOutput()
	return string(out)
}
