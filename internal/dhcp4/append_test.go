package dhcp4

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"dhcpd/internal/netip"
)

// reply returns an ACK with the kept options.
func reply() *Message {
	m := new(Message)
	m.Reset(BootReply)
	m.Htype, m.Hlen, m.Xid = HtypeEther, 6, 0x1a2b3c4d
	m.SetType(ACK)
	m.Options.PutAddr(ServerID, addr("10.0.0.1"))
	m.Options.PutUint32(LeaseTime, 3600)
	m.Options.PutAddr(Netmask, addr("255.255.255.0"))
	return m
}

// appended appends m behind other octets, checks what must always be so, and
// returns what went over the wire, what came in, and what was left out.
func appended(t *testing.T, m *Message, limit int) (b []byte, got *Message, out Set) {
	t.Helper()
	b, out = m.Append([]byte("before"), limit)
	if !bytes.HasPrefix(b, []byte("before")) {
		t.Fatalf("what was in the buffer is %q", b[:6])
	}
	b = b[6:]
	if len(b) > max(limit, m.minLimit()) || len(b) < MinSize {
		t.Errorf("limit %d: %d octets", limit, len(b))
	}
	got = parse(t, b)
	for c, v := range m.Options.All() {
		switch {
		case out.Has(c) && got.Options.Has(c):
			t.Errorf("limit %d: option %d is called left out but is there", limit, c)
		case !out.Has(c) && !bytes.Equal(v, got.Options.Get(c)):
			t.Errorf("limit %d: option %d has %d octets, want %d", limit, c, len(got.Options.Get(c)), len(v))
		}
	}
	if got.Options.Len() > m.Options.Len() {
		t.Errorf("limit %d: options %v, want %v", limit, codes(&got.Options), codes(&m.Options))
	}
	return b, got, out
}

func TestS11_AppendOrder(t *testing.T) {
	m := reply()
	m.Options.PutText(RelayAgent, "\x01\x01p")
	m.Options.PutText(DomainName, "example.com")
	b, got, out := appended(t, m, 548)
	if !out.Empty() {
		t.Errorf("left out %v", slices.Collect(out.All()))
	}
	want := []Code{MessageType, ServerID, LeaseTime, Netmask, DomainName, RelayAgent}
	if !slices.Equal(codes(&got.Options), want) {
		t.Errorf("order %v, want %v", codes(&got.Options), want)
	}
	if tail := "\x52\x03\x01\x01p\xff"; !bytes.HasSuffix(bytes.TrimRight(b, "\x00"), []byte(tail)) {
		t.Errorf("no %x at the end of %x", tail, b[optionsAt:])
	}
}

// Options of every size meet every limit, with file and sname free or in use.
func TestS11_OverloadThenLeftOut(t *testing.T) {
	for _, used := range []string{"", "file", "sname", "file sname"} {
		for _, size := range []int{0, 1, 40, 255, 256, 300, 510, 511, 600, 1200} {
			m := reply()
			if used != "" && used != "sname" {
				copy(m.File[:], "pxelinux.0")
			}
			if used != "" && used != "file" {
				copy(m.Sname[:], "boot")
			}
			m.Options.Put(RelayAgent, []byte("\x01\x03abc"))
			m.Options.Put(43, bytes.Repeat([]byte{7}, size))
			m.Options.PutText(DomainName, "example.com")
			for limit := 500; limit < 1700; limit += 7 {
				b, got, out := appended(t, m, limit)
				if got.File != m.File || got.Sname != m.Sname {
					t.Fatalf("%q in use, limit %d: file %q, sname %q", used, limit, got.FileText(), got.SnameText())
				}
				if out.Has(43) && !out.Has(DomainName) || out.Has(RelayAgent) {
					t.Errorf("%q in use, limit %d: left out %v", used, limit, slices.Collect(out.All()))
				}
				if need := optionsAt + m.Options.wireSize() + endSize; need <= max(limit, MinLimit) {
					if !out.Empty() || len(b) != max(need, MinSize) {
						t.Errorf("limit %d: %d octets, want %d, left out %v", limit, len(b), need, slices.Collect(out.All()))
					}
				}
			}
		}
	}
}

// What fits to the octet is not left out.
func TestS11_ExactFit(t *testing.T) {
	const agent = "\x01\x03abc"
	options := MinLimit - optionsAt - (3 + 6 + 6 + 6) - (2 + len(agent)) - endSize
	tests := []struct {
		name  string
		sizes []int // of options 200, 201, …
		left  int   // how many of them are left out
	}{
		{"the options field", []int{200, options - 200 - 4}, 0},
		{"one more, for want of room for 52", []int{200, options - 200 - 3}, 0},
		{"file", []int{255, 125}, 0},
		{"file, one more", []int{255, 126}, 1},
		{"sname", []int{255, 125, 61}, 0},
		{"sname, one more", []int{255, 125, 62}, 1},
		{"the last two", []int{255, 125, 62, 62}, 2},
		{"cut over all fields", []int{options - 3 - 2*2 + 125 + 61}, 0},
		{"cut over all fields, one more", []int{options - 3 - 2*2 + 125 + 61 + 1}, 1},
	}
	for _, x := range tests {
		m := reply()
		m.Options.PutText(RelayAgent, agent)
		for i, size := range x.sizes {
			m.Options.Put(Code(200+i), bytes.Repeat([]byte{byte(i)}, size))
		}
		_, _, out := appended(t, m, MinLimit)
		if got := len(slices.Collect(out.All())); got != x.left {
			t.Errorf("%s: left out %v", x.name, slices.Collect(out.All()))
		}
	}
}

// RFC 3046 section 2.2: an option 82 that has no room goes first, whole, and
// takes nothing else along.
func TestS13_AgentTooBig(t *testing.T) {
	room := MinLimit - optionsAt - (3 + 6 + 6 + 6) - overloadSize - endSize
	for _, x := range []struct {
		size int
		out  bool
	}{{0, false}, {255, false}, {256, false}, {room - 4, false}, {room - 3, true}, {600, true}, {60000, true}} {
		m := reply()
		m.Options.PutText(HostName, "host")
		m.Options.Put(RelayAgent, bytes.Repeat([]byte{1}, x.size))
		m.Options.PutText(DomainName, "example.com")
		b, got, out := appended(t, m, MinLimit)
		if out.Has(RelayAgent) != x.out {
			t.Errorf("%d octets: left out %v, want %v", x.size, out.Has(RelayAgent), x.out)
		}
		if x.out && got.Options.Len() != 6 {
			t.Errorf("%d octets: options %v", x.size, codes(&got.Options))
		}
		if list := codes(&got.Options); !x.out && !slices.Contains(list, RelayAgent) {
			t.Errorf("%d octets: options %v", x.size, list)
		}
		// Last in the options field too, behind option 52.
		if pieces := appendSplit(nil, RelayAgent, m.Options.Get(RelayAgent)); !x.out &&
			!bytes.HasSuffix(bytes.TrimRight(b, "\x00"), append(pieces, byte(End))) {
			t.Errorf("%d octets: not at the end", x.size)
		}
	}
}

// The kept options stand to the end; when even they don't fit they are named.
func TestS11_KeptOptions(t *testing.T) {
	m := new(Message)
	m.Reset(BootReply)
	for c := Code(200); c < 254; c++ {
		m.Options.Put(c, make([]byte, 100))
	}
	for c, v := range reply().Options.All() {
		m.Options.Put(c, v)
	}
	_, got, _ := appended(t, m, MinLimit)
	for _, c := range kept {
		if !got.Options.Has(c) {
			t.Errorf("option %d is left out", c)
		}
	}
	m.Options.Put(LeaseTime, make([]byte, 9000))
	m.Options.Put(RelayAgent, make([]byte, 10))
	_, got, out := appended(t, m, MinLimit)
	if !out.Has(LeaseTime) || !out.Has(RelayAgent) || got.Type() != ACK {
		t.Errorf("type %v, left out %v", got.Type(), slices.Collect(out.All()))
	}
}

func TestAppendAllCodes(t *testing.T) {
	for _, size := range []int{0, 1, 255, 256, 510, 511} {
		m := new(Message)
		m.Reset(BootReply)
		for c := range 256 {
			if Code(c) != MessageType {
				m.Options.Put(Code(c), bytes.Repeat([]byte{byte(c)}, size))
			}
		}
		if m.Options.Len() != 256-4 { // 0, 255, 52 and 53
			t.Fatalf("%d options", m.Options.Len())
		}
		_, got, out := appended(t, m, 1<<20)
		same(t, got, m)
		if !out.Empty() {
			t.Errorf("left out %v", slices.Collect(out.All()))
		}
		if list := codes(&got.Options); list[len(list)-1] != RelayAgent {
			t.Errorf("option 82 is not the last of %v", list)
		}
		appended(t, m, MinLimit)
		appended(t, m, 9000)
	}
}

// A BOOTP reply without options has no cookie: RFC 951.
func TestS14_AppendBOOTP(t *testing.T) {
	m := new(Message)
	m.Reset(BootReply)
	copy(m.File[:], bytes.Repeat([]byte("f"), 128))
	b, _ := m.Append(bytes.Repeat([]byte{0xee}, 400)[:0], 0)
	if len(b) != MinSize || !allZero(b[headerSize:]) {
		t.Errorf("%d octets, vendor area %x", len(b), b[headerSize:])
	}
	same(t, parse(t, b), m)
	m.Options.PutAddr(Netmask, addr("255.0.0.0"))
	_, got, _ := appended(t, m, 0)
	same(t, got, m)
	m.File = [128]byte{}
	m.Options.Put(43, make([]byte, 50))
	m.Options.PutText(DomainName, "example.com")
	b, got, out := appended(t, m, 0) // no option 52, which only a DHCP client knows
	if !out.Has(DomainName) || got.Options.Len() != 2 || !allZero(b[snameAt:headerSize]) {
		t.Errorf("options %v, file %x", codes(&got.Options), b[fileAt:headerSize])
	}
	if _, _, out := appended(t, m, 400); !out.Empty() {
		t.Errorf("left out %v", slices.Collect(out.All()))
	}
}

// RFC 3046 section 2.1: a relay forwards without option 82 what has no room
// for it; what the client said stays as it was.
func TestR4_AgentOnTheWayUp(t *testing.T) {
	for size, left := range map[int]bool{100: false, 282: false, 283: true, 600: true} {
		m := new(Message)
		m.Reset(BootRequest)
		m.SetType(Discover)
		m.Options.Put(RelayAgent, bytes.Repeat([]byte{1}, 18))
		m.Options.Put(43, make([]byte, min(size, 250)))
		m.Options.Put(125, make([]byte, max(size-250-2, 0)))
		_, got, out := appended(t, m, MinLimit)
		if out.Has(RelayAgent) != left || got.Options.Len() != m.Options.Len()-len(slices.Collect(out.All())) {
			t.Errorf("%d octets: left out %v", size, slices.Collect(out.All()))
		}
	}
}

// A zero Message is a valid one to Append: no address is 0.0.0.0.
func TestAppendNoAddress(t *testing.T) {
	m := Message{Op: BootRequest}
	b, _ := m.Append(nil, MinLimit)
	if got := parse(t, b); got.Ciaddr != netip.IPv4Unspecified() {
		t.Errorf("ciaddr %v", got.Ciaddr)
	}
}

// Random messages come back as they left, whatever has to be joined, split,
// overloaded or left out.
func TestAppendParseRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		m := reply()
		m.Options.Reset()
		for range r.IntN(20) {
			v := make([]byte, r.IntN(40)*r.IntN(12))
			for i := range v {
				v[i] = byte(r.Uint32())
			}
			if c := Code(r.IntN(256)); c != MessageType {
				m.Options.Put(c, v)
			}
		}
		if r.IntN(2) == 0 {
			m.Sname[63] = 1
		}
		if r.IntN(2) == 0 {
			m.File[0] = 1
		}
		_, got, out := appended(t, m, 500+r.IntN(2000))
		for c := range out.All() {
			m.Options.Del(c)
		}
		same(t, got, m)
		if t.Failed() {
			return
		}
	}
}
