package link

// Watcher hears of changes to interfaces and their addresses.
type Watcher struct{}

// Watch starts to listen; list the Interfaces after it, so that no change
// falls between.
func Watch() (*Watcher, error) { return nil, errNotYet }

// Wait waits until something has changed, or may have (when the kernel had
// more to say than it could keep): look again. After Close it returns
// os.ErrClosed.
func (w *Watcher) Wait() error { return errNotYet }

// Close ends a waiting Wait.
func (w *Watcher) Close() error { return errNotYet }
