package daemon

import (
	"runtime"

	"dhcpd/internal/link"
)

// post takes replies to the kernel. Sending costs more than deciding, so while
// requests come in full batches a postman, on a thread of his own, sends one
// batch as the loop fills the next. Otherwise the loop sends: to hand over
// would cost more than it saves, and the reply would leave later.
type post struct {
	free []*link.Batch // blank
	out  chan letter   // to the postman; nil while there is none
	back chan letter   // what he has sent
}

// letter is a batch of replies, and what is to send it.
type letter struct {
	batch *link.Batch
	by    mailer
	lost  int // what became of it
	err   error
}

// letters is how many may lie with the postman.
const letters = 8

// open begins the service. One processor can't do two things at once.
func (p *post) open() {
	if runtime.NumCPU() > 1 {
		p.hire()
	}
}

// hire starts the postman.
func (p *post) hire() {
	p.out, p.back = make(chan letter, letters), make(chan letter, letters+1)
	go func() {
		for l := range p.out {
			l.lost, l.err = l.by.Send(l.batch)
			p.back <- l
		}
		close(p.back)
	}()
}

// sheet returns an empty batch.
func (p *post) sheet() *link.Batch {
	n := len(p.free)
	if n == 0 {
		return link.NewBatch(replyBatch, maxReply)
	}
	b := p.free[n-1]
	p.free = p.free[:n-1]
	b.Reset()
	return b
}

// dispatch sends a letter, by the postman if there is much to do and he is not
// behind.
func (s *service) dispatch(l letter) {
	if s.busy {
		select {
		case s.post.out <- l:
			return
		default:
		}
	}
	l.lost, l.err = l.by.Send(l.batch)
	s.sent(l)
}

// collect takes back what the postman has sent.
func (s *service) collect() {
	for {
		select {
		case l := <-s.post.back:
			s.sent(l)
		default:
			return
		}
	}
}

func (s *service) sent(l letter) {
	s.d.count.of[refused] += uint64(l.lost)
	if l.err != nil {
		s.d.say.often(s.d.now, unsent, l.err.Error())
	}
	s.post.free = append(s.post.free, l.batch)
}

// close waits until all is sent.
func (p *post) close(sent func(letter)) {
	if p.out == nil {
		return
	}
	close(p.out)
	for l := range p.back {
		sent(l)
	}
}
