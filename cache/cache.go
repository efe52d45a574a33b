// Package cache keeps dhcp.cache(5): what the client learned about each
// network and when, so that the next start asks for the same address again,
// and so that a shell script can have the rest. The file is small and
// replaced as a whole; the text of dhcp.cache(5) is the truth about its form.
package cache

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/internal/safe"
)

// File is all that it holds.
type File struct {
	Entries []Entry
	DUID    []byte // the machine's name for servers (RFC 4361), which stays what it was; nil for none
	Counter uint64 // the replay counter (RFC 3118) that no message of ours has reached yet
}

// Entry is what is known about one network. A lease from the config file is
// one without end.
type Entry struct {
	Name   string       // of the interface
	MAC    [6]byte      // its Ethernet address; zero for none
	Addr   netip.Prefix // our address and netmask
	Server netip.Addr   // option 54; invalid for none
	Start  time.Time    // when the REQUEST was sent, on the daemon's clock, as are the others
	T1, T2 time.Time    // zero if the lease has no end
	End    time.Time    // zero: the lease has no end

	Siaddr      netip.Addr // invalid or 0.0.0.0 for none
	Sname, File string
	Options     dhcp4.Options
}

// Infinite tells whether the lease never ends.
func (e *Entry) Infinite() bool { return e.End.IsZero() }

// maxSize is where reading a cache ends, in octets. Thousands of networks
// stay far below; what is larger is no cache.
const maxSize = 4 << 20

// Lock makes sure that no other client works with the cache at path: it holds
// path.lock, octet 0, until the returned file is closed. The error says
// safe.ErrBusy if another has it.
func Lock(path string) (io.Closer, error) {
	f, err := safe.Open(path+".lock", os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := safe.Lock(f, 0); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Read returns what the cache at path holds. What can't be understood is
// left out, and notice, if it isn't empty, is one line that says where and
// what. A file that isn't there is an empty one; the error is of those that
// can't be read, or must not be trusted (package safe).
func Read(path string, d *dhcp4.Dict, at Clock) (held File, notice string, err error) {
	f, err := safe.Open(path, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return held, "", nil
	}
	if err != nil {
		return held, "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSize))
	if err != nil {
		return held, "", err
	}
	held, notice = Parse(path, text, d, at)
	return held, notice, nil
}

// Write replaces the cache at path by one that holds this: whole or not at all,
// and on stable storage when it returns.
func Write(path string, held File, d *dhcp4.Dict, at Clock) error {
	text := Append(nil, held, d, at)
	return safe.Replace(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}
