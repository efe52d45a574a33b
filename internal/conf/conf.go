// Package conf reads dhcp.conf: text becomes an immutable Config, and the
// Config answers what there is for a client. All the work is done when the
// file is read; an answer costs a few look-ups, whatever the size of the
// file. Only Load touches a file.
package conf

import (
	"slices"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// ownClass is the class ID under which the daemon asks for its own networks:
// `class` elements with a prefix of it act on them.
const ownClass = "dhcpd"

// HostsFile is where Load finds the names of hosts.
const HostsFile = "/etc/hosts"

// kernelArguments is where people find what is wrong with Env.More.
const kernelArguments = "/proc/cmdline"

// Env is all that a config file depends on but its text.
type Env struct {
	// Include returns the text of an included file. An error that is
	// fs.ErrNotExist makes it count as empty. Nil: no file exists.
	Include func(path string) (string, error)
	// More is read behind the file: what the kernel's command line says.
	More string
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
	// Pool has Problems also tell what the file says and will bite later, with
	// these addresses to give out. Nil: without that advice.
	Pool []netip.Addr
	// Trace has Asker.Trace know of macros, too.
	Trace bool
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
	names    []string
	awaited  []string // interfaces that are not there; "" for one that goes by number
	dict     *dhcp4.Dict

	rules      []rule
	conds      []cond
	ops        []op
	data       []byte     // values
	picks      []pick     // choices within values
	settings   []setting  // of opOption
	interfaces []*element // of opInterface
	index      *index

	ids        map[string]int32 // client IDs, by number
	entries    []entry
	firstEntry []int32 // by number of the client ID, -1 for none

	hostNames map[uint32]string // from the hosts file
	taken     map[uint32]taken
	wires     wires
	keys      map[uint32]*Key
	keyPlaces []place
}

// Problems returns what is wrong with the file but can be lived with, each as
// `"file", line N: text`, in the order of the file.
func (c *Config) Problems() []string { return c.problems }

// Files returns the paths of the file and of all that it includes, those too
// that don't exist.
func (c *Config) Files() []string { return c.files }

// Paths returns the programs that `option script` and `option notify` name, and
// the files of `option resolvconf`, for whatever network. There, "" is none, and
// some may be there twice.
func (c *Config) Paths() (scripts, resolvConfs []string) {
	for i := range c.settings {
		var s Settings
		c.settings[i].apply(&s, 0)
		for _, path := range []string{s.Script, s.Notify} {
			if path != "" && !slices.Contains(scripts, path) {
				scripts = append(scripts, path)
			}
		}
		resolvConfs = append(resolvConfs, s.ResolvConf)
	}
	return scripts, resolvConfs
}

// Dict returns the tag names: the built-in ones and those of `tag` elements.
func (c *Config) Dict() *dhcp4.Dict { return c.dict }

// Names returns the names that stand in the file and not in the hosts file:
// those that Env.Resolve was asked for. If the answers change the file is to
// be read again.
func (c *Config) Names() []string { return c.names }

// Awaits tells whether the file means something else when an interface of that
// name, which was not among Env.Interfaces, is there: then it is to be read
// again.
func (c *Config) Awaits(name string) bool {
	return slices.Contains(c.awaited, name) || slices.Contains(c.awaited, "")
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

// Info is what was gathered for a client. The zero Info is ready for Gather.
// What it holds must not be changed: if the next client matches the same, it
// is still good.
type Info struct {
	Options dhcp4.Options
	Siaddr  netip.Addr // 0.0.0.0 if not set
	Sname   []byte     // at most 64 octets
	File    []byte     // at most 128 octets

	masked bool // there is a netmask,
	bits   int  // of so many bits

	of    *Config  // what it was gathered from,
	rules []uint32 // by which rules,
	here  bool     // and whether only for one address
	next  []uint32 // scratch: what matches now
	value []byte   // scratch: a value with choices made
}

// Reset empties i and keeps its memory.
func (i *Info) Reset() {
	i.of, i.masked = nil, false
	i.Options.Reset()
	i.Siaddr, i.Sname, i.File = netip.IPv4Unspecified(), nil, nil
}
