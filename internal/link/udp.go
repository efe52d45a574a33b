package link

// UDP is an IPv4 UDP socket. One goroutine may receive while another sends.
type UDP struct{}

// ListenUDP opens a UDP socket on a port of all addresses: of one interface,
// or with the zero ID of all of them. The port is not shared: if another
// program has it, that is an error (unix.EADDRINUSE), since two DHCP servers on
// one machine would each hear half of the talk.
func ListenUDP(port uint16, on ID) (*UDP, error) { return nil, errNotYet }

// Only lets in only what came in on these interfaces, so that the others cost
// nothing; none shuts the door. Before the first call everything is let in.
func (c *UDP) Only(indexes ...int) error { return errNotYet }

// Receive waits for datagrams and fills b with what is there, at least one.
// After Close it returns os.ErrClosed.
func (c *UDP) Receive(b *Batch) error { return errNotYet }

// Send sends all of b and says how many messages the kernel refused, and why
// the first of them. None is tried twice and nothing is waited for: to DHCP
// it is as if the network had lost them.
func (c *UDP) Send(b *Batch) (lost int, err error) { return 0, errNotYet }

// Close ends a waiting Receive.
func (c *UDP) Close() error { return errNotYet }
