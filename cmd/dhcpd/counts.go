package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"syscall"

	"dhcpd/internal/ascii"
	"dhcpd/internal/safe"
)

// counts returns the path of the file where a daemon leaves its counts: that
// of its cache file, below runPath. No two daemons have the same cache, not
// even in two network namespaces, and the counts wear out no flash. It is ""
// for a firmware that wants none.
func (f *flags) counts() string {
	if runPath == "" {
		return ""
	}
	file := f.cache
	if !path.IsAbs(file) {
		var buf [syscall.PathMax]byte
		n, err := syscall.Getcwd(buf[:])
		if err != nil || n < 1 {
			return ""
		}
		file = path.Join(string(buf[:n-1]), file)
	}
	return path.Join(runPath, file) + ".counts"
}

// queryCounts prints what the daemon has counted, or the last one that ran,
// set apart from what stands before.
func (c *command) queryCounts() {
	path := c.counts()
	if path == "" {
		return
	}
	f, err := safe.Open(path, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		c.fail(err.Error())
		return
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		c.fail(err.Error())
		return
	}
	if c.abandoned > 0 {
		text = strconv.AppendInt(text, int64(c.abandoned), 10)
		text = append(text, " addresses out of use now\n"...)
	}
	r := c.read()
	alive, up := safe.Locked(f, 0), int64(r.Up.Seconds())
	if c.json {
		c.out.counts(text, alive, up, r.Wall.Unix())
		return
	}
	c.print(appendCounts(c.apart(), text, alive, up))
}

// cutCount takes the first line off the counts: a number, or for a time the
// seconds up to now, less than 0, and of what. It is not ok if it says nothing.
func cutCount(text []byte, now int64) (number []byte, ago int64, what, rest []byte, ok bool) {
	line, rest, _ := bytes.Cut(text, []byte("\n"))
	number, what, ok = bytes.Cut(line, []byte(" "))
	if ok = ok && len(number) > 0; ok && number[0] == '@' {
		then, _ := ascii.Uint(string(number[1:]), 10, 63)
		ago = min(int64(then)-now, -1)
	}
	return number, ago, what, rest, ok
}

// appendCounts appends the counts: on each line a number, or the seconds since
// the time that stands there behind an @, and of what.
func appendCounts(b, text []byte, alive bool, now int64) []byte {
	if alive {
		b = append(b, "dhcpd runs and has counted:\n"...)
	} else {
		b = append(b, "dhcpd has ended; it had counted:\n"...)
	}
	for len(text) > 0 {
		number, ago, what, rest, ok := cutCount(text, now)
		if text = rest; !ok {
			continue
		}
		start := len(b)
		if ago < 0 {
			b = appendSeconds(b, ago)
		} else {
			b = append(b, number...)
		}
		b = append(column(append(b, ' '), start+countColumn), what...)
		for i, c := range b[start:] {
			if c < ' ' || c > '~' { // the kernel allows nearly anything in an interface's name
				b[start+i] = '?'
			}
		}
		b = append(b, '\n')
	}
	return b
}

// countColumn is the width of the numbers.
const countColumn = len("4294967295") + 2
