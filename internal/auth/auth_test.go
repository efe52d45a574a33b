package auth

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

var (
	nonce  = []byte{0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f}
	secret = []byte("a shared secret")
)

// forceRenew is a FORCERENEW of 10.0.0.1 to 10.0.0.100, with replay counter 7.
func forceRenew(t testing.TB) []byte {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootReply)
	m.Htype, m.Hlen, m.Xid = 1, 6, 0x01020304
	copy(m.Chaddr[:], []byte{2, 0, 0, 0, 0, 1})
	m.Ciaddr = netip.MustParseAddr("10.0.0.100")
	m.SetType(dhcp4.ForceRenew)
	Put(m, Option{Kind: Woken, Replay: 7})
	m.Options.PutAddr(dhcp4.ServerID, netip.MustParseAddr("10.0.0.1"))
	b, left := m.Append(nil, 576)
	if !left.Empty() {
		t.Fatalf("no room for %v", left)
	}
	return b
}

// request is a REQUEST under secret 42, as it reaches the server through a
// relay that adds no option 82.
func request(t testing.TB) []byte {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootRequest)
	m.Htype, m.Hlen, m.Xid, m.Hops = 1, 6, 0x0a0b0c0d, 3
	copy(m.Chaddr[:], []byte{2, 0, 0, 0, 0, 1})
	m.Giaddr = netip.MustParseAddr("192.0.2.1")
	m.SetType(dhcp4.Request)
	Put(m, Option{Kind: Keyed, Replay: 0x0102030405060708, ID: 42})
	m.Options.PutAddr(dhcp4.ServerID, netip.MustParseAddr("10.0.0.1"))
	m.Options.PutAddr(dhcp4.RequestedAddress, netip.MustParseAddr("10.0.0.100"))
	b, _ := m.Append(nil, 576)
	return b
}

// digestOf returns the digest in a message.
func digestOf(t testing.TB, b []byte) string {
	at, ok := place(b)
	if !ok {
		t.Fatal("no digest")
	}
	return hex.EncodeToString(b[at : at+digestLen])
}

// The digests are Python's hmac over the octets laid out by hand.
func TestF3_Vectors(t *testing.T) {
	tests := []struct {
		name string
		msg  []byte
		key  []byte
		want string
	}{
		{"FORCERENEW by nonce, RFC 6704 section 3.1.2", forceRenew(t), nonce, "62a603aa5baf64e7257c7776097d4574"},
		{"REQUEST by key, RFC 3118 section 5.2", request(t), secret, "0cfac4ecdb4512b4c4fea2e8c5943db7"},
		{"a key longer than a block", request(t), counting(80), "3bcb99659136a8ba3d6f8428038895bb"},
	}
	for _, x := range tests {
		before := bytes.Clone(x.msg)
		Sign(x.msg, x.key)
		if got := digestOf(t, x.msg); got != x.want {
			t.Errorf("%s: digest %s, want %s", x.name, got, x.want)
		}
		if !Check(x.msg, x.key) {
			t.Errorf("%s: what was signed is refused", x.name)
		}
		if Check(before, x.key) {
			t.Errorf("%s: a digest of zeros is taken", x.name)
		}
	}
}

func counting(n int) (b []byte) {
	for i := range n {
		b = append(b, byte(i))
	}
	return b
}

// What RFC 3118 says of the option and of its digest, sentence by sentence.
func TestF5_RFC3118Wire(t *testing.T) {
	signed := request(t)
	Sign(signed, secret)
	agent := []byte{1, 4, 'p', 'o', 'r', 't'}
	relayed, ok := dhcp4.AppendAgent(nil, signed, agent, 1500)
	if !ok {
		t.Fatal("no option 82")
	}
	full := bytes.Clone(signed) // a relay that puts option 82 behind the padding's room
	full, _ = dhcp4.AppendAgent(nil, append(full, make([]byte, 40)...), agent, 1500)
	hops := bytes.Clone(signed)
	hops[3]++
	giaddr := bytes.Clone(signed)
	copy(giaddr[24:], []byte{10, 9, 9, 9})
	tests := []struct {
		name string
		msg  []byte
		key  []byte
		want bool
	}{
		{"5.3: the MAC matches", signed, secret, true},
		{"5.3: another secret", signed, []byte("a shared secreT"), false},
		{"3: hops set to zero for the hash", hops, secret, true},
		{"3: giaddr set to zero for the hash", giaddr, secret, true},
		{"3: as if option 82 were not included", relayed, secret, true},
		{"3: option 82, and more padding than there was", full, secret, false},
		{"4: a configuration token proves nothing", put(t, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'x'}), secret, false},
		{"6: an algorithm that is none of ours", put(t, append([]byte{1, 2, 0}, make([]byte, 28)...)), secret, false},
		{"2: an RDM that is none of ours", put(t, append([]byte{1, 1, 1}, make([]byte, 28)...)), secret, false},
		{"5.2: a MAC that is too short", put(t, append([]byte{1, 1, 0}, make([]byte, 27)...)), secret, false},
		{"5.2: a request for authentication is no proof", put(t, []byte{1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1}), secret, false},
	}
	for _, x := range tests {
		if got := Check(x.msg, x.key); got != x.want {
			t.Errorf("RFC 3118 %s: %v, want %v", x.name, got, x.want)
		}
	}
}

// put makes a REQUEST with that option 90.
func put(t testing.TB, v []byte) []byte {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootRequest)
	m.SetType(dhcp4.Request)
	m.Options.Put(dhcp4.Authentication, v)
	b, _ := m.Append(nil, 576)
	return b
}

// No octet may change but those that a relay may change, and none may be
// added that means something.
func TestF3_ChangedBit(t *testing.T) {
	for _, x := range []struct{ msg, key []byte }{{forceRenew(t), nonce}, {request(t), secret}} {
		Sign(x.msg, x.key)
		for i := range x.msg {
			if i == 3 || i >= 24 && i < 28 {
				continue
			}
			for bit := range 8 {
				x.msg[i] ^= 1 << bit
				if Check(x.msg, x.key) {
					t.Errorf("octet %d, bit %d changed, and still taken", i, bit)
				}
				x.msg[i] ^= 1 << bit
			}
		}
		if !Check(x.msg, x.key) {
			t.Fatal("refused with nothing changed")
		}
		twice := bytes.Clone(x.msg)
		at, _ := place(twice)
		end := bytes.IndexByte(twice[at+digestLen+6:], byte(dhcp4.End)) + at + digestLen + 6
		copy(twice[end:], append(bytes.Clone(twice[at-fixedLen-6:at+digestLen]), byte(dhcp4.End)))
		if Check(twice, x.key) {
			t.Error("a message with two options 90 is taken")
		}
	}
}

// A reply that a relay takes option 82 off has the digest of what is left.
func TestF5_ReplyThroughRelay(t *testing.T) {
	for _, size := range []int{4, 60, 250} {
		m := new(dhcp4.Message)
		m.Reset(dhcp4.BootReply)
		m.SetType(dhcp4.ACK)
		Put(m, Option{Kind: Keyed, Replay: 1, ID: 42})
		m.Options.PutUint32(dhcp4.LeaseTime, 3600)
		m.Options.Put(dhcp4.RelayAgent, append([]byte{1, byte(size - 2)}, make([]byte, size-2)...))
		b, _ := m.Append(nil, 1472)
		Sign(b, secret)
		if !Check(dhcp4.AppendWithoutAgent(nil, b), secret) {
			t.Errorf("option 82 of %d octets: refused without it", size)
		}
		if !Check(b, secret) {
			t.Errorf("option 82 of %d octets: refused with it", size)
		}
	}
}

func TestF3_ReadPut(t *testing.T) {
	for _, o := range []Option{
		{Kind: Asks, Replay: 1<<64 - 1},
		{Kind: Keyed, Replay: 5, ID: 0xfffefdfc},
		{Kind: Nonce, Replay: 6, Nonce: nonce},
		{Kind: Woken, Replay: 7},
	} {
		m := new(dhcp4.Message)
		m.Reset(dhcp4.BootReply)
		Put(m, o)
		got := Of(m)
		if got.Kind != o.Kind || got.Replay != o.Replay || got.ID != o.ID || !bytes.Equal(got.Nonce, o.Nonce) {
			t.Errorf("%+v became %+v", o, got)
		}
	}
}

func TestF3_NoAllocation(t *testing.T) {
	b := request(t)
	if n := testing.AllocsPerRun(100, func() {
		Sign(b, secret)
		if !Check(b, secret) {
			t.Fatal("refused")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzF3_Check(f *testing.F) {
	f.Add(forceRenew(f), nonce)
	f.Add(request(f), secret)
	f.Add(request(f)[:250], secret)
	f.Fuzz(func(t *testing.T, b, key []byte) {
		var m dhcp4.Message
		if m.Parse(b) != nil {
			return
		}
		before := bytes.Clone(b)
		Sign(b, key)
		_, ok := place(b)
		if ok && !Check(b, key) {
			t.Error("what was signed is refused")
		}
		if !ok && !bytes.Equal(b, before) {
			t.Error("changed, though there is no place for a digest")
		}
		if o := Of(&m); o.Kind != None && binary.BigEndian.Uint64(m.Options.Get(dhcp4.Authentication)[3:]) != o.Replay {
			t.Error("another replay counter")
		}
	})
}
