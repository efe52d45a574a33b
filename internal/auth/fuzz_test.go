package auth

import (
	stdhmac "crypto/hmac"
	"crypto/md5"
	"testing"

	"dhcpd/internal/dhcp4"
)

// FuzzMAC: whatever way a text comes in pieces, its digest is that of the
// standard library.
func FuzzMAC(f *testing.F) {
	f.Add([]byte("key"), []byte("message"), uint8(3))
	f.Add(make([]byte, 65), make([]byte, 200), uint8(64))
	f.Fuzz(func(t *testing.T, key, text []byte, piece uint8) {
		std := stdhmac.New(md5.New, key)
		std.Write(text)
		var h hmac
		h.begin(key)
		for b := text; len(b) > 0; {
			n := min(len(b), 1+int(piece))
			h.write(b[:n])
			b = b[n:]
		}
		if got, want := h.sum(), [16]byte(std.Sum(nil)); got != want {
			t.Errorf("%x, want %x", got, want)
		}
	})
}

// FuzzOption: what is put into a message is read out of it again, and its digest
// holds for this very message.
func FuzzOption(f *testing.F) {
	f.Add([]byte{1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9}, uint64(7), uint32(1), uint16(300))
	f.Add([]byte{3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9, 1, 16: 0, 27: 1}, uint64(1)<<63, uint32(0), uint16(0))
	f.Fuzz(func(t *testing.T, v []byte, replay uint64, id uint32, bit uint16) {
		if o := Read(v); (o.Kind == Nonce) != (len(o.Nonce) == digestLen) || o.Kind != None && len(v) < fixedLen {
			t.Fatalf("%x is read as %+v", v, o)
		}
		for _, o := range []Option{{Kind: Asks, Replay: replay}, {Kind: Keyed, Replay: replay, ID: id}, {Kind: Nonce, Replay: replay, Nonce: make([]byte, 16)}, {Kind: Woken, Replay: replay}} {
			m := new(dhcp4.Message)
			m.Reset(dhcp4.BootRequest)
			m.SetType(dhcp4.Request)
			Put(m, o)
			if len(v) > 0 {
				m.Options.Put(dhcp4.ClientID, v[:min(len(v), 255)])
			}
			b, _ := m.Append(nil, 1500)
			got := Read(m.Options.Get(dhcp4.Authentication))
			if got.Kind != o.Kind || got.Replay != replay || got.ID != o.ID {
				t.Fatalf("%+v is read as %+v", o, got)
			}
			if Sign(b, []byte("k")); Check(b, []byte("k")) != (o.Kind == Keyed || o.Kind == Woken) || Check(b, []byte("l")) {
				t.Fatalf("%+v: %x", o, b)
			}
			if at := int(bit) % len(b); at != 3 && (at < 24 || at >= 28) { // hops and giaddr are the relay's
				if b[at] ^= 1; Check(b, []byte("k")) {
					t.Fatalf("octet %d of %x does not count", at, b)
				}
			}
		}
	})
}
