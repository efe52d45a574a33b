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
	c.print(appendCounts(c.apart(), text, safe.Locked(f, 0), int64(c.read().Up.Seconds())))
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
		var line []byte
		line, text, _ = bytes.Cut(text, []byte("\n"))
		number, what, ok := bytes.Cut(line, []byte(" "))
		if !ok || len(number) == 0 {
			continue
		}
		start := len(b)
		if number[0] == '@' {
			then, _ := ascii.Uint(string(number[1:]), 10, 63)
			b = appendSeconds(b, min(int64(then)-now, -1))
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
