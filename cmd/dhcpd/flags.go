package main

import (
	"errors"
	"path"

	"dhcpd/internal/ascii"
)

const usage = "Usage: dhcpd [-qarwelnjV] [-t[level]] [-d[level]] [-o[seconds]] [-f configfile] [-c cachefile] [-p poolfile] [-i interface] [host ...]\n" +
	"       dhcpd -e ... ID [address] [bootp] [class C] [circuit T] [remote T]\n" +
	"       dhcpd -l ... server key ..."

// flags is the command line.
type flags struct {
	verb              byte // q a r w e l n V, 0 for the daemon
	json              bool // -j
	test, debug       int
	once              int // seconds of -o, 0 without it
	conf, cache, pool string
	interfaces        []string // patterns
	hosts             []string
}

// errUsage says that a command line is not of the form that usage has.
var errUsage = errors.New("not as in the usage line")

// parseFlags reads a command line as the man page has it: flags combine, as
// in -qd2, and end at -- or at the first host. Its only error is errUsage.
func parseFlags(args []string) (*flags, error) {
	f := &flags{conf: confPath, cache: cachePath, pool: poolPath}
	for len(args) > 0 && len(args[0]) > 0 && args[0][0] == '-' {
		word := args[0]
		args = args[1:]
		if word == "--" {
			f.hosts = args
			return f, f.check()
		}
		var err error
		if args, err = f.word(word[1:], args); err != nil {
			return nil, err
		}
	}
	for _, s := range args {
		if s == "" || s[0] == '-' { // a flag that comes too late to count
			return nil, errUsage
		}
	}
	f.hosts = args
	return f, f.check()
}

// word reads the flags of one argument and takes those of the next ones that
// are theirs.
func (f *flags) word(s string, args []string) ([]string, error) {
	if s == "" {
		return nil, errUsage
	}
	for s != "" {
		c := s[0]
		s = s[1:]
		switch c {
		case 'j':
			f.json = true
		case 'q', 'a', 'r', 'w', 'e', 'l', 'n', 'V':
			if f.verb != 0 && f.verb != c {
				return nil, errUsage
			}
			f.verb = c
		case 't', 'd', 'o':
			var ok bool
			if s, ok = f.level(c, s); !ok {
				return nil, errUsage
			}
		case 'f', 'c', 'p', 'i':
			if s == "" && len(args) > 0 {
				s, args = args[0], args[1:]
			}
			if s == "" {
				return nil, errUsage
			}
			f.name(c, s)
			s = ""
		default:
			return nil, errUsage
		}
	}
	return args, nil
}

// level takes the number of a flag off what follows it.
func (f *flags) level(flag byte, s string) (rest string, ok bool) {
	switch flag {
	case 't':
		f.test, rest, ok = number(s, 1)
	case 'd':
		f.debug, rest, ok = number(s, 1)
	case 'o':
		f.once, rest, ok = number(s, 30)
		f.once = max(f.once, 1)
	}
	return rest, ok
}

// number takes the digits off s; without any the number is none.
func number(s string, none int) (n int, rest string, ok bool) {
	digits := 0
	for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
		digits++
	}
	if digits == 0 {
		return none, s, true
	}
	level, ok := ascii.Uint(s[:digits], 10, 31)
	return int(level), s[digits:], ok
}

// name takes the argument of a flag that has one.
func (f *flags) name(flag byte, s string) {
	switch flag {
	case 'f':
		f.conf = s
	case 'c':
		f.cache = s
	case 'p':
		f.pool = s
	case 'i':
		f.interfaces = append(f.interfaces, s)
	}
}

// check sees that the flags and hosts make sense together.
func (f *flags) check() error {
	least := 0
	switch f.verb {
	case 'a', 'r', 'w', 'e':
		least = 1
	case 'l':
		least = 2 // a server and a key
	}
	if len(f.hosts) < least || len(f.hosts) > 0 && least == 0 || f.json && f.verb != 'l' && f.verb != 'q' && f.verb != 'e' || f.once > 0 && f.verb != 0 {
		return errUsage
	}
	for _, p := range f.interfaces {
		if _, err := path.Match(p, ""); err != nil {
			return errUsage
		}
	}
	return nil
}
