package link

// Sender sends whole Ethernet frames out of any interface. It hears nothing.
type Sender struct{}

// OpenSender opens it; once is enough.
func OpenSender() (*Sender, error) { return nil, errNotYet }

// Send sends the frames of b, each out of the interface Msg.Index (its Data is
// the frame, From and To are not looked at); see UDP.Send for what it returns.
func (s *Sender) Send(b *Batch) (lost int, err error) { return 0, errNotYet }

// Close closes it.
func (s *Sender) Close() error { return errNotYet }
