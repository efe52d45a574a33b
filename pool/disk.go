package pool

import "dhcpd/internal/safe"

// What the journal asks of a file system.
type (
	disk   = safe.Disk
	file   = safe.File
	status = safe.Status
)

// The octets of POOL.lock that are locked.
const (
	octetLives  = 0 // a daemon lives: for life
	octetWrites = 1 // somebody writes: for one append, or the last step of a compaction
)
