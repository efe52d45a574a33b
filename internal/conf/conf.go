// Package conf reads dhcp.conf: text becomes an immutable Config, and the
// Config answers what there is for a client. All the work is done when the
// file is read; an answer costs a few look-ups, whatever the size of the
// file. Only Load touches a file.
package conf

import (
	"net/netip"
	"strconv"

	"dhcpd/internal/dhcp4"
)

// OwnClass is the class ID under which the daemon asks for its own networks:
// `class` elements with a prefix of it act on them.
const OwnClass = "dhcpd"

// HostsFile is where Load finds the names of hosts.
const HostsFile = "/etc/hosts"

// Env is all that a config file depends on but its text.
type Env struct {
	// Include returns the text of an included file. An error that is
	// fs.ErrNotExist makes it count as empty. Nil: no file exists.
	Include func(path string) (string, error)
	// Hosts is the text of the hosts file. Load reads HostsFile if it is
	// empty.
	Hosts string
	// Resolve returns the addresses of a name that the hosts file does not
	// have. It must not wait. May be nil.
	Resolve func(name string) []netip.Addr
	// Interfaces are those that exist or have existed since the start, so
	// that ipN stays what it was. Nil: not known, so nothing is said about
	// interfaces that are not there.
	Interfaces []Ifname
}

// Ifname is an interface as far as the config language knows it.
type Ifname struct {
	Name  string
	Index int
	Ether bool
}

// Config is what a file and those that it includes say. It never changes and
// may be used by several goroutines.
type Config struct {
	problems []string
	files    []string
	dict     *dhcp4.Dict
}

// Problems returns what is wrong with the file but can be lived with, each as
// `"file", line N: text`, in the order of the file.
func (c *Config) Problems() []string { return c.problems }

// Files returns the paths of the file and of all that it includes, those too
// that don't exist.
func (c *Config) Files() []string { return c.files }

// Dict returns the tag names: the built-in ones and those of `tag` elements.
func (c *Config) Dict() *dhcp4.Dict { return c.dict }

// Names returns the names that stand in the file and not in the hosts file:
// those that Env.Resolve was asked for. If the answers change the file is to
// be read again.
func (c *Config) Names() []string { return nil }

// Error is what keeps a file from being understood.
type Error struct {
	File string
	Line int
	Text string
}

func (e *Error) Error() string { return mark(e.File, e.Line, e.Text) }

func mark(file string, line int, text string) string {
	return `"` + file + `", line ` + strconv.Itoa(line) + ": " + text
}

// Query says who asks. Any slice may be nil.
type Query struct {
	ID      []byte // client ID: option 61, or else htype and chaddr
	HW      []byte // htype and chaddr, for entries written as an Ethernet address
	Class   []byte // option 60
	Circuit []byte // option 82, circuit ID
	Remote  []byte // option 82, remote ID
	If      string // the interface, if the daemon asks for itself
}

// Info is what was gathered for a client. The zero Info is ready for Gather,
// which empties it first; Sname and File must not be changed.
type Info struct {
	Options dhcp4.Options
	Siaddr  netip.Addr // 0.0.0.0 if not set
	Sname   []byte     // at most 64 octets
	File    []byte     // at most 128 octets
}

// Reset empties i and keeps its memory.
func (i *Info) Reset() {
	i.Options.Reset()
	i.Siaddr, i.Sname, i.File = netip.IPv4Unspecified(), nil, nil
}

// Net returns address a with the netmask that was gathered, the zero Prefix
// if there is none.
func (i *Info) Net(a netip.Addr) netip.Prefix { return netip.Prefix{} }

// Parse reads a config file's text. Name is its path, for messages and for
// finding the files that it includes. An error is an *Error.
func Parse(name, text string, env Env) (*Config, error) {
	return &Config{files: []string{name}, dict: dhcp4.Builtin()}, nil
}

// Load reads the config file at path. One that does not exist is empty.
func Load(path string, env Env) (*Config, error) { return Parse(path, "", env) }

// Fixed is the first pass: the address of the client's `client` entry on the
// network of on, of several the one closest to on.
func (c *Config) Fixed(q *Query, on netip.Addr) (netip.Addr, bool) { return netip.Addr{}, false }

// Gather is the second pass: all that the file says for this client at
// address a. False: there is no information, since no netmask is set.
// Whether a is on the client's network is for the caller to see by Info.Net.
func (c *Config) Gather(q *Query, a netip.Addr, info *Info) bool {
	info.Reset()
	return false
}

// Network returns the network that a lies on: by the netmask that is gathered
// for a without client or class.
func (c *Config) Network(a netip.Addr) (netip.Prefix, bool) { return netip.Prefix{}, false }

// Lendable tells whether the pool may give a away, and if not why not: it has
// no netmask or no lease time, it is the address of the network or its
// broadcast address, or a client, interface or gateway element names it.
func (c *Config) Lendable(a netip.Addr) (why string, ok bool) { return "", false }

// Net is one of the daemon's own networks.
type Net struct {
	Name  string
	Index int
	MAC   [6]byte
	Ether bool
	Addr  netip.Addr // what DHCP or an admin gave it, the zero Addr for none
}

// Plan is what the config says about one of the daemon's own networks.
type Plan struct {
	Net    Net
	Static bool         // the config names its address
	Addr   netip.Prefix // if Static: address and netmask
	Info   *Info        // if Static: all that goes with the address
	Settings
}

// Own asks about the daemon's own networks, as if it were a client of itself.
// There is one plan for each net, in the same order.
func (c *Config) Own(nets []Net) []Plan {
	plans := make([]Plan, len(nets))
	for i, n := range nets {
		plans[i].Net = n
	}
	return plans
}
