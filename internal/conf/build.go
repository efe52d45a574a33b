package conf

import (
	"io/fs"
	"strconv"

	"dhcpd/internal/dhcp4"
)

// Error is what keeps a file from being understood.
type Error struct {
	File string
	Line int
	Text string
}

func (e *Error) Error() string { return message(e.File, e.Line, e.Text) }

func message(file string, line int, text string) string {
	return `"` + file + `", line ` + strconv.Itoa(line) + ": " + text
}

// message returns a text with the file and line that it is about.
func (c *Config) message(at place, text string) string {
	return message(c.files[at.file], int(at.line), text)
}

// Parse reads a config file's text. Name is its path, for messages and for
// finding the files that it includes. An error is an *Error.
func Parse(name, text string, env Env) (c *Config, err error) {
	p := parser{include: env.Include, numbers: map[string]int32{}, times: map[string]int{}}
	if p.include == nil {
		p.include = func(string) (string, error) { return "", fs.ErrNotExist }
	}
	var lines []line
	defer func() {
		switch f := recover().(type) {
		case nil:
		case failure:
			c, err = nil, &Error{p.files[f.at.file], int(f.at.line), f.text + doubt(lines, f.at)}
		default:
			panic(f)
		}
	}()
	lines = p.file(name, text)
	if env.More != "" {
		lines = append(lines, p.file(kernelArguments, env.More)...)
	}
	c = &Config{
		files: p.files,
		dict:  dhcp4.Builtin().Clone(),
		ids:   map[string]int32{},
		taken: map[uint32]taken{},
		keys:  map[uint32]*Key{},
	}
	build(c, lines, env)
	return c, nil
}

// build fills c from the lines of the file.
func build(c *Config, lines []line, env Env) {
	k := compiler{
		c:       c,
		hosts:   &hosts{text: env.Hosts, resolve: env.Resolve},
		ifaces:  env.Interfaces,
		macros:  map[string]*macro{},
		ownTags: map[string]bool{},
		said:    map[string]bool{},
		relays:  map[string]bool{},
		advise:  env.Pool != nil,
	}
	top := k.compile(lines)
	for _, m := range k.inOrder {
		if m.mark == unseen {
			m.circles()
		}
	}
	c.firstEntry = make([]int32, len(c.ids))
	for i := range c.firstEntry {
		c.firstEntry[i] = -1
	}
	u := unfolder{c: c, trace: env.Trace}
	u.body(top, -1, place{}, false)
	c.index = newIndex(c)
	for i := range c.conds {
		c.conds[i].el.body, c.conds[i].el.buckets = nil, nil // not needed any more
	}
	c.hostNames = k.hosts.names()
	c.names = k.hosts.asked
	k.checkSizes()
	k.checkAgents()
	if k.advise {
		k.lint(env.Pool)
	}
	for _, p := range k.problems {
		c.problems = append(c.problems, c.message(p.at, p.text))
	}
}
