package daemon

import (
	"errors"
	"strings"
	"testing"

	"dhcpd/internal/link"
)

// mailbox is a way out that keeps what is sent, each time that it may.
type mailbox struct {
	may  chan struct{}
	sent []string
}

func (m *mailbox) Send(b *link.Batch) (int, error) {
	<-m.may
	for i := range b.Len() {
		m.sent = append(m.sent, string(b.At(i).Data))
	}
	return 1, errors.New("network is down")
}

// TestPost_Busy: under load the loop does not wait for the kernel until the
// postman has all that he can carry, and nothing is lost or sent twice. What
// the kernel says comes out in the end.
func TestPost_Busy(t *testing.T) {
	s, _, log := newServing(t)
	m := &mailbox{may: make(chan struct{}, 100)}
	s.post.hire()
	s.busy = true
	want := map[string]bool{}
	for i := range letters {
		b := s.post.sheet()
		text := strings.Repeat("x", i)
		b.Add().Data = []byte(text)
		want[text] = true
		s.dispatch(letter{batch: b, by: m})
	}
	for range letters {
		m.may <- struct{}{}
	}
	s.post.close(s.sent)
	for _, text := range m.sent {
		if !want[text] {
			t.Errorf("sent twice: %q", text)
		}
		delete(want, text)
	}
	if len(want) > 0 || len(s.post.free) != letters {
		t.Errorf("not sent: %v; %d sheets are back", want, len(s.post.free))
	}
	if !strings.Contains(log.String(), "network is down") {
		t.Errorf("log: %s", log)
	}
}

// TestPost_Idle: without load a reply leaves at once, and its sheet is used
// again.
func TestPost_Idle(t *testing.T) {
	s, _, _ := newServing(t)
	m := &mailbox{may: make(chan struct{}, 100)}
	s.post.hire()
	defer s.post.close(s.sent)
	for range 3 {
		m.may <- struct{}{}
		b := s.post.sheet()
		b.Add().Data = []byte("reply")
		s.dispatch(letter{batch: b, by: m})
	}
	if len(m.sent) != 3 || len(s.post.free) != 1 {
		t.Errorf("%d sent, %d sheets", len(m.sent), len(s.post.free))
	}
}
