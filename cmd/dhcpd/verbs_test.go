package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dhcpd/cache"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// site is a place for the files of a dhcpd, and a moment.
type site struct {
	*testing.T
	conf, cache, pool string
	now               pool.Reading
}

func newSite(t *testing.T, config string) *site {
	t.Helper()
	s := &site{T: t}
	folder := t.TempDir()
	s.conf, s.cache, s.pool = filepath.Join(folder, "dhcp.conf"), filepath.Join(folder, "dhcp.cache"), filepath.Join(folder, "dhcp.pool")
	s.now = pool.Reading{Boot: "b", Wall: time.Unix(1_800_000_000, 0), Up: time.Hour}
	s.write(s.conf, config)
	return s
}

func (s *site) write(path, text string) {
	s.Helper()
	if err := os.WriteFile(path, []byte(text), 0600); err != nil {
		s.Fatal(err)
	}
}

func (s *site) read() pool.Reading { return s.now }

// dhcpd runs the program there and then.
func (s *site) dhcpd(args ...string) (stdout, stderr string, status int) {
	var out, err strings.Builder
	c := command{stdout: &out, stderr: &err, read: s.read}
	status = c.run(append([]string{"-f", s.conf, "-c", s.cache, "-p", s.pool}, args...))
	return out.String(), err.String(), status
}

// expect runs it and sees that it says and returns just this.
func (s *site) expect(args, stdout, stderr string, status int) {
	s.Helper()
	out, err, got := s.dhcpd(strings.Fields(args)...)
	if out != stdout || err != stderr || got != status {
		s.Errorf("dhcpd %s: status %d, want %d\n%s%swant:\n%s%s", args, got, status, out, err, stdout, stderr)
	}
}

// lease writes records into the pool as a daemon does, a block for each, and
// lets it live on.
func (s *site) lease(records ...pool.Record) *pool.File {
	s.Helper()
	f, loaded, err := pool.Open(s.pool, pool.NewClock(s.read))
	if err != nil {
		s.Fatal(err)
	}
	for i := range records {
		b := f.NewBlock(loaded.Table)
		b.Add(&records[i], false)
		if _, err := f.Commit(b); err != nil {
			s.Fatal(err)
		}
	}
	return f
}

func (s *site) record(a string, state pool.State, told pool.Time) pool.Record {
	now := pool.Time(s.now.Wall.Unix())
	r := pool.Record{Addr: addr(a), State: state, Since: now - 30, Told: now + told, Kept: now + told}
	if told == pool.Infinite {
		r.Told, r.Kept = told, told
	}
	r.ID = []byte{1, 0, 0, 0x5e, 0, 0x53, 7}
	r.HW = pool.HW{Type: 1, Len: 6, Addr: [16]byte{0, 0, 0x5e, 0, 0x53, 7}}
	return r
}

func TestL1_OneUsageLine(t *testing.T) {
	newSite(t, "").expect("-x", "", usage+"\n", 1)
	newSite(t, "").expect("-q host", "", usage+"\n", 1)
}

func TestL9_Version(t *testing.T) {
	newSite(t, "").expect("-V", "dhcpd devel\n", "", 0)
}

func TestL3_Add(t *testing.T) {
	s := newSite(t, "")
	s.expect("-a 10.0.0.9-10.0.0.10 10.0.1.0/30 10.0.0.1", "", "", 0)
	const all = `10.0.0.1         unused
10.0.0.9         unused
10.0.0.10        unused
10.0.1.1         unused
10.0.1.2         unused
`
	s.expect("-q", all, "", 0)
	s.expect("-a 10.0.0.9 10.0.0.3/24 nobody.invalid 10.0.2.1", "",
		"dhcpd: 10.0.0.3/24: Not a netblock (did you mean 10.0.0.0/24?)\n"+
			"dhcpd: nobody.invalid: Unknown host\n"+
			"dhcpd: 10.0.0.9 is in the pool already\n", 1)
	s.expect("-q", all+"10.0.2.1         unused\n", "", 0)
}

func TestL3_AddFreesTheAbandoned(t *testing.T) {
	s := newSite(t, "")
	s.expect("-a 10.0.0.1 10.0.0.2", "", "", 0)
	s.lease(s.record("10.0.0.1", pool.Abandoned, 0), s.record("10.0.0.2", pool.Bound, 60)).Close()
	s.expect("-q", "10.0.0.1         -30          abandoned  0100005e005307  probe +570\n"+
		"10.0.0.2         +60          -          0100005e005307\n", "", 0)
	s.expect("-a 10.0.0.1 10.0.0.2", "", "dhcpd: 10.0.0.2 is in the pool already\n", 1)
	s.expect("-q", "10.0.0.1         unused\n"+
		"10.0.0.2         +60          -          0100005e005307\n", "", 0)
}

func TestL4_Remove(t *testing.T) {
	s := newSite(t, "")
	s.expect("-a 10.0.0.1-10.0.0.5", "", "", 0)
	s.lease(s.record("10.0.0.4", pool.Bound, 60)).Close()
	s.expect("-r 10.0.0.2-10.0.0.4 10.0.0.7 10.0.0.5/32", "", "dhcpd: 10.0.0.7 is not in the pool\n", 1)
	s.expect("-q", "10.0.0.1         unused\n"+
		"10.0.0.4         +60          removed    0100005e005307\n", "", 0)
}

func TestL2_R6_WhileADaemonLives(t *testing.T) {
	s := newSite(t, "tag 224 floor number 1 1;")
	s.expect("-a 10.0.0.1-10.0.0.3", "", "", 0)
	r := s.record("10.0.0.2", pool.Bound, 3600)
	r.Host, r.Agent = "printer", []byte("\x01\x06port 7")
	gleaned := s.record("10.8.8.8", pool.Relayed, 60)
	gleaned.Via, gleaned.Server, gleaned.Agent = "eth1", addr("192.0.2.1"), []byte("\x01\x04eth1")
	daemon := s.lease(r, s.record("10.0.0.3", pool.Released, 0), s.record("10.9.9.9", pool.Fixed, pool.Infinite),
		gleaned)
	defer daemon.Close()
	lock, err := cache.Lock(s.cache)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	e := cache.Entry{Name: "eth0", End: s.now.Wall.Add(time.Hour)}
	e.Addr = netip.MustParsePrefix("192.0.2.7/24")
	e.Options.Put(224, []byte{3})
	at := cache.Clock{Now: s.now.Wall, Boot: s.now.Boot, Wall: s.now.Wall, Up: s.now.Up}
	dict := dhcp4.Builtin().Clone()
	dict.Define(dhcp4.Tag{Code: 224, Name: "floor", Kind: dhcp4.Number, Gran: 1, Max: 1})
	if err := cache.Write(s.cache, cache.File{Entries: []cache.Entry{e}}, dict, at); err != nil {
		t.Fatal(err)
	}
	s.now.Wall, s.now.Up = s.now.Wall.Add(100*time.Second), s.now.Up+100*time.Second
	s.expect("-q", `eth0  address  192.0.2.7/24
eth0  left     +3500
eth0  floor    3

10.0.0.1         unused
10.0.0.2         +3500        -          0100005e005307  host "printer"  circuit "port 7"
10.0.0.3         -130         released   0100005e005307
10.9.9.9         infinite     fixed      0100005e005307

10.8.8.8         -40          relayed    0100005e005307  circuit "eth1"  ether 00:00:5e:00:53:07  via eth1  server 192.0.2.1
`, "", 0)
}

func TestL2_NothingThere(t *testing.T) {
	s := newSite(t, "")
	s.expect("-q", "", "", 0)
	if left, _ := filepath.Glob(s.pool[:len(s.pool)-len("pool")] + "[cp]*"); len(left) > 1 {
		t.Errorf("-q made files: %v", left)
	}
}

func TestL2_BrokenFiles(t *testing.T) {
	s := newSite(t, "nonsense;")
	s.expect("-a 10.0.0.1", "", "", 0)
	s.write(s.cache, "rubbish\neth0 address '10.0.0.7/8'\neth0 end 'infinite'\n")
	s.expect("-q", "eth0  address  10.0.0.7/8\neth0  left     infinite\n\n10.0.0.1         unused\n",
		"dhcpd: \""+s.conf+"\", line 1: Unknown tag 'nonsense'\n"+
			"dhcpd: \""+s.cache+"\", line 1: Not of the form network tag 'value'; left out\n", 1)
}

func TestP6_LinksAreRefused(t *testing.T) {
	s := newSite(t, "")
	for _, path := range []string{s.cache, s.pool} {
		if err := os.Symlink("/etc/hostname", path); err != nil {
			t.Fatal(err)
		}
	}
	s.expect("-q", "", "dhcpd: open "+s.cache+": is a symbolic link\ndhcpd: open "+s.pool+": is a symbolic link\n", 1)
	s.expect("-a 10.0.0.1", "", "dhcpd: open "+s.pool+": is a symbolic link\n", 1)
}

func TestL9_Check(t *testing.T) {
	s := newSite(t, "host 10.0.0.0/24 { host 10.0.0.0/28 { DHCPlease 60; } };\nclient 0:0:5e:0:53:7 10.0.0.7; option server;")
	s.expect("-n", "", "", 0)
	s.expect("-a 10.0.0.1-10.0.0.6", "", "", 0)
	s.expect("-n", "", "", 0)
	s.expect("-a 10.0.0.7 10.0.0.20 10.1.0.1", "", "", 0)
	s.expect("-n", "", "dhcpd: \""+s.conf+"\", line 2: 10.0.0.7 belongs to a client\n"+
		"dhcpd: No lease set for address 10.0.0.20\ndhcpd: No netmask set for address 10.1.0.1\n", 1)
	s.write(s.conf, "macro x;\ninclude \"none\";\noption \"eth9999\" bootp;")
	s.expect("-r 10.0.0.1-10.0.0.7 10.0.0.20 10.1.0.1", "", "", 0)
	s.expect("-n", "", "dhcpd: "+filepath.Dir(s.conf)+"/none is not there, and counts as empty\n"+
		"dhcpd: \""+s.conf+"\", line 1: Macro 'x' is not defined\n"+
		"dhcpd: \""+s.conf+"\", line 3: Interface 'eth9999' is not there\n", 1)
	s.write(s.conf, "option script "+s.conf+"; option notify "+s.conf+".no;")
	s.expect("-n", "", "dhcpd: "+s.conf+".no is not there\n", 1)
	s.write(s.conf, "host {")
	s.expect("-n", "", "dhcpd: \""+s.conf+"\", line 1: '{' is not closed\n", 1)
}

// TestL9_CheckAdvises: what can be done, but will bite, is told too, by the pool
// that there is; not by one that can't be read. So is a clock that stands
// before the day of the program.
func TestL9_CheckAdvises(t *testing.T) {
	s := newSite(t, "host 10.0.0.0/24 {\n\tDHCPlease 20;\n};\noption server;")
	path := "dhcpd: \"" + s.conf + "\", "
	s.expect("-n", "", path+"line 4: There is neither a client line nor an address in the pool (see dhcpd -a)\n", 1)
	s.expect("-a 10.0.0.1-10.0.0.10", "", "", 0)
	s.expect("-n", "", "", 0)
	s.expect("-a 10.0.0.11", "", "", 0)
	s.expect("-n", "", path+"line 2: Leases too short for flash: those of the pool come to 3960 records an hour\n", 1)
	s.write(s.pool, "rubbish\n")
	s.expect("-n", "", "dhcpd: read "+s.pool+": is not a pool file\n", 1)
	s = newSite(t, "include \"dhcptags.conf\";\nhost 10.0.0.0/24 { DHCPlease 3600; DNSserver 10.0.0.7; }; client 00 10.0.0.8; option server;")
	s.expect("-n", "", "", 0)
	s.expect("-a 10.0.0.7", "", "", 0)
	path = "dhcpd: \"" + s.conf + "\", "
	s.expect("-n", "", path+"line 2: 10.0.0.7 belongs to a server\n", 1)
	s.write(s.conf, "host 10.0.0.0/24 { DHCPlease 3600; DNSserver 10.0.0.7; };\nclient 00 10.0.0.7; option server;")
	s.expect("-n", "", path+"line 2: 10.0.0.7 belongs to a client\n", 1)
	s = newSite(t, "")
	s.conf += "x"
	s.expect("-n", "", "dhcpd: "+s.conf+" is not there, and counts as empty\n", 1)
	s = newSite(t, "")
	s.now.Wall = time.Unix(1000, 0)
	s.expect("-n", "", "dhcpd: The clock was never set, so leases may end late\n", 1)
}

func TestS10_ManyAddressesWithoutLease(t *testing.T) {
	s := newSite(t, "host 10.0.0.0/8 {};")
	s.expect("-a 10.0.0.0/24", "", "", 0)
	_, err, status := s.dhcpd("-n")
	if n := strings.Count(err, "No lease set for address"); n != several || status != 1 ||
		!strings.HasSuffix(err, "dhcpd: Addresses of the pool besides that are not given out: 244\n") {
		t.Errorf("status %d, %d complaints:\n%s", status, n, err)
	}
}

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestL2_OutputLost(t *testing.T) {
	var said strings.Builder
	if status := run([]string{"-V"}, full{}, &said); status != 1 || said.String() != "dhcpd: no space left\n" {
		t.Errorf("status %d, %q", status, said.String())
	}
}
