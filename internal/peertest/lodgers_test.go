package peertest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"dhcpd/internal/auth"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"

	"golang.org/x/sys/unix"
)

// Lodgers are scripted clients on one host, on the link or behind a relay,
// that get leases, renew them, and answer ARP. Their socket hears nothing of
// what others send to servers.
type lodgers struct {
	n      *network
	sock   *netlab.Socket
	hw     ether.MAC // of the relay
	giaddr netip.Addr
	agent  []byte // option 82
	able   bool   // they take a nonce: RFC 6704
	server ether.MAC
	us     netip.Addr // the server's address

	mu     sync.Mutex
	byXid  map[uint32]*lodger
	byAddr map[netip.Addr]*lodger
	list   []*lodger
	strays map[netip.Addr]int // replies to others, by yiaddr
}

type lodger struct {
	*scripted
	joined bool // it has a lease
	tries  int  // messages sent for what is under way
}

// lodgers makes so many clients on a host's eth0. All clients of a test have
// different numbers, from first on.
func (n *network) lodgers(h *netlab.Host, first, count int) *lodgers {
	n.Helper()
	ts := &lodgers{n: n, sock: h.Frames("eth0"), hw: h.MAC("eth0"), server: n.server.MAC("eth0"),
		us: netip.MustParseAddr("10.0.0.1"), byXid: map[uint32]*lodger{}, byAddr: map[netip.Addr]*lodger{},
		strays: map[netip.Addr]int{}}
	ts.filter()
	for i := range count {
		t := &lodger{scripted: newScripted(uint16(first + i))}
		ts.list = append(ts.list, t)
		ts.byXid[t.xid] = t
	}
	go ts.listen()
	return ts
}

// filter lets in only ARP and what a server sends: not the flood, and not what
// this host sends itself.
func (ts *lodgers) filter() {
	load := func(size uint16, at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | size | unix.BPF_ABS, K: at}
	}
	jump := func(k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k, Jt: yes, Jf: no}
	}
	end := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	const packetType, sourcePort = 1<<32 - 0x1000 + 4, 34
	list := []unix.SockFilter{
		load(unix.BPF_B, packetType), jump(unix.PACKET_OUTGOING, 6, 0),
		load(unix.BPF_H, 12), jump(unix.ETH_P_ARP, 3, 0), jump(unix.ETH_P_IP, 0, 3),
		load(unix.BPF_H, sourcePort), jump(dhcp4.ServerPort, 0, 1), end(1 << 16), end(0),
	}
	conn, err := ts.sock.SyscallConn()
	if err == nil {
		conn.Control(func(fd uintptr) {
			prog := unix.SockFprog{Len: uint16(len(list)), Filter: &list[0]}
			err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog)
		})
	}
	if err != nil {
		ts.n.Fatal(err)
	}
}

// listen answers ARP and what the server says, until the socket is closed.
func (ts *lodgers) listen() {
	for b := make([]byte, 1<<16); ; {
		k, err := ts.sock.Read(b)
		if err != nil {
			return
		}
		if p, ok := decode(b[:k]); ok && p.Op == dhcp4.BootReply && p.SrcMAC == ts.server {
			ts.hear(p)
		}
		if a, err := ether.ParseARPFrame(b[:k]); err == nil && a.Op == ether.ARPRequest {
			ts.mu.Lock()
			t := ts.byAddr[a.TargetIP]
			ts.mu.Unlock()
			if t != nil {
				r := a.Reply(t.mac)
				ts.sock.Write(r.AppendFrame(nil))
			}
		}
	}
}

func (ts *lodgers) hear(p *packet) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.byXid[p.Xid]
	switch {
	case t == nil:
		ts.strays[p.Yiaddr]++
	case p.Type() == dhcp4.Offer && !t.joined:
		t.addr = p.Yiaddr
		m := t.message(dhcp4.Request)
		m.Options.PutAddr(dhcp4.RequestedAddress, t.addr)
		m.Options.PutAddr(dhcp4.ServerID, ts.us)
		if ts.able {
			m.Options.Put(dhcp4.ForceRenewNonce, auth.Able)
		}
		ts.sock.Write(ts.frame(t, m))
	case p.Type() == dhcp4.ACK && p.Yiaddr == t.addr:
		ts.byAddr[t.addr] = t
		t.joined, t.done = true, true
	}
}

// frame is what the server sees of a client's broadcast.
func (ts *lodgers) frame(t *lodger, m *dhcp4.Message) []byte {
	if !ts.giaddr.IsValid() {
		return t.frame(m)
	}
	m.Giaddr, m.Hops = ts.giaddr, 1
	m.Options.Put(dhcp4.RelayAgent, ts.agent)
	payload, _ := m.Append(nil, dhcp4.MinLimit)
	return ether.AppendUDPFrame(nil, ts.hw, ts.server, ts.giaddr, ts.us, dhcp4.ServerPort, dhcp4.ServerPort, payload)
}

// discovery begins the way to a lease, or to that which it has.
func (ts *lodgers) discovery(t *lodger) []byte {
	t.joined = false
	return ts.frame(t, t.message(dhcp4.Discover))
}

// renewal asks the server itself for more time.
func (ts *lodgers) renewal(t *lodger) []byte {
	m := t.message(dhcp4.Request)
	m.Ciaddr = t.addr
	payload, _ := m.Append(nil, dhcp4.MinLimit)
	return ether.AppendUDPFrame(nil, t.mac, ts.server, t.addr, ts.us, dhcp4.ClientPort, dhcp4.ServerPort, payload)
}

// rebinding asks every server for more time.
func (ts *lodgers) rebinding(t *lodger) []byte {
	m := t.message(dhcp4.Request)
	m.Ciaddr = t.addr
	return ts.frame(t, m)
}

// How often a client with a lease of an hour asks its server for more time,
// and then everybody, before the lease is over (RFC 2131 section 4.4.5). One
// without a lease asks for ever: here as long as the test is patient.
const (
	mostRenewing  = 6
	mostRebinding = 4
	mostJoining   = int(netlab.Patience / time.Second)
)

// play has every client send a message, again and again until it has its ACK,
// as often as clients do, and fails the test if one has none then. It returns
// what it took: how many clients had to send how often.
func (ts *lodgers) play(what string, most int, next func(*lodger) []byte) string {
	ts.n.Helper()
	ts.each(func(t *lodger) { t.done, t.tries = false, 0 })
	for try := 0; ; try++ {
		var frames [][]byte
		ts.each(func(t *lodger) {
			if !t.done {
				t.tries++
				frames = append(frames, next(t))
			}
		})
		if len(frames) == 0 {
			break
		}
		if try == most {
			ts.n.Errorf("%s: %d clients have had no answer to %d messages", what, len(frames), most)
			break
		}
		for f := range slices.Chunk(frames, 10) {
			for _, f := range f {
				ts.sock.Write(f)
			}
			time.Sleep(10 * time.Millisecond) // they do not all come at once
		}
		ts.settle()
	}
	return what + ":" + ts.tally()
}

// settle waits until everybody is answered, or nobody more for two seconds.
func (ts *lodgers) settle() {
	was := -1
	for news := time.Now(); time.Since(news) < 2*time.Second; time.Sleep(10 * time.Millisecond) {
		left := 0
		ts.each(func(t *lodger) {
			if !t.done {
				left++
			}
		})
		if left == 0 {
			return
		}
		if left != was {
			was, news = left, time.Now()
		}
	}
}

// do does something while nothing is heard.
func (ts *lodgers) do(f func()) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	f()
}

func (ts *lodgers) each(f func(*lodger)) {
	ts.do(func() {
		for _, t := range ts.list {
			f(t)
		}
	})
}

func (ts *lodgers) tally() (text string) {
	count := map[int]int{}
	ts.each(func(t *lodger) { count[t.tries]++ })
	for n := 1; len(count) > 0; n++ {
		if count[n] > 0 {
			text += fmt.Sprintf(" %d with %d", count[n], n)
		}
		delete(count, n)
	}
	return text
}
