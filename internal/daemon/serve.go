package daemon

import "dhcpd/internal/link"

type service struct {
	received chan *link.Batch
	written  chan int
}

func newService(d *Daemon) *service        { return &service{} }
func (s *service) batch(b *link.Batch)     {}
func (s *service) blockDone(r int)         {}
func (s *service) poolNews() chan struct{} { return nil }
func (s *service) poolChanged()            {}
func (s *service) clockStepped()           {}
func (s *service) flush()                  {}
func (s *service) close()                  {}
func (s *service) regroup()                {}
func (s *service) want()                   {}
