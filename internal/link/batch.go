package link

import "net/netip"

// Batch is a number of datagrams (UDP) or frames (Sender) that one system
// call receives or sends. Its memory is allocated once.
type Batch struct {
	msgs []Msg
	n    int
}

// Msg is a datagram or a frame of a Batch.
type Msg struct {
	// Data is the payload, or the whole frame for a Sender. What was received
	// stays good until the batch's next Receive or Reset; to send, append to
	// Data[:0].
	Data []byte
	// From is who sent it. To send, its address is the source; the zero
	// AddrPort leaves the choice to the kernel's routes.
	From netip.AddrPort
	// To is where it was, or is to be, sent to.
	To netip.AddrPort
	// Index is the interface that it came in on or is to leave by; 0 leaves
	// the choice to the kernel's routes (UDP only).
	Index int
	// Cut tells that it was longer than the batch's buffers: drop it.
	Cut bool
}

// NewBatch makes room for n messages of up to size octets.
func NewBatch(n, size int) *Batch {
	b := &Batch{msgs: make([]Msg, n)}
	buf := make([]byte, n*size)
	for i := range b.msgs {
		b.msgs[i].Data = buf[i*size : i*size : (i+1)*size]
	}
	return b
}

// Len is the number of messages in the batch.
func (b *Batch) Len() int { return b.n }

// Full tells whether Add would refuse.
func (b *Batch) Full() bool { return b.n == len(b.msgs) }

// At returns message i, which must be less than Len.
func (b *Batch) At(i int) *Msg { return &b.msgs[:b.n][i] }

// Add puts one more message into the batch, with empty fields and an empty
// Data to append to. It must not be Full.
func (b *Batch) Add() *Msg {
	b.n++
	m := b.At(b.n - 1)
	*m = Msg{Data: m.Data[:0]}
	return m
}

// Reset empties the batch.
func (b *Batch) Reset() { b.n = 0 }
