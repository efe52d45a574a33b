package conf

import (
	"errors"
	"io/fs"
	"syscall"

	"dhcpd/internal/safe"
)

// Load reads the config file at path, which counts as empty if it does not
// exist. Files are read where env does not say otherwise.
func Load(path string, env Env) (*Config, error) {
	if env.Include == nil {
		env.Include = readText
	}
	if env.Hosts == "" {
		env.Hosts, _ = readText(HostsFile) // without it names are not known, which is reported
	}
	text, err := env.Include(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("can't read the configuration: " + err.Error())
	}
	c, err := Parse(path, text, env)
	if err != nil {
		return nil, err
	}
	return c, c.checkSecrecy()
}

func readText(path string) (string, error) {
	b, err := safe.ReadFile(path)
	return string(b), err
}

// checkSecrecy refuses keys in files that others can read.
func (c *Config) checkSecrecy() error {
	for _, at := range c.keyPlaces {
		name := c.files[at.file]
		var st syscall.Stat_t
		if syscall.Stat(name, &st) == nil && st.Mode&0o004 != 0 {
			return &Error{name, int(at.line), "Others can read this file, and it holds a key"}
		}
	}
	return nil
}
