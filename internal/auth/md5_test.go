package auth

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// The test suite of RFC 1321 appendix A.5, and lengths about a block's from
// openssl.
func TestF3_MD5(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "d41d8cd98f00b204e9800998ecf8427e"},
		{"a", "0cc175b9c0f1b6a831c399e269772661"},
		{"abc", "900150983cd24fb0d6963f7d28e17f72"},
		{"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
		{"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"},
		{strings.Repeat("1234567890", 8), "57edf4a22be3c955ac49da2e2107b67a"},
		{strings.Repeat("x", 55), "04364420e25c512fd958a70738aa8f72"},
		{strings.Repeat("x", 56), "668a72d5ba17f08e62dabcafad6db14b"},
		{strings.Repeat("x", 64), "c1bb4f81d892b2d57947682aeb252456"},
	}
	for _, x := range tests {
		var d digest
		d.reset()
		for i := range x.text { // in pieces, whatever their size
			d.write([]byte(x.text[i : i+1]))
		}
		if got := d.sum(); hex.EncodeToString(got[:]) != x.want {
			t.Errorf("%q: %x, want %s", x.text, got, x.want)
		}
	}
}

// RFC 2202 section 2.
func TestF3_HMAC(t *testing.T) {
	rep := func(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }
	var counting []byte
	for i := range 25 {
		counting = append(counting, byte(i+1))
	}
	tests := []struct {
		key, data []byte
		want      string
	}{
		{rep(0x0b, 16), []byte("Hi There"), "9294727a3638bb1c13f48ef8158bfc9d"},
		{[]byte("Jefe"), []byte("what do ya want for nothing?"), "750c783e6ab0b503eaa86e310a5db738"},
		{rep(0xaa, 16), rep(0xdd, 50), "56be34521d144c88dbb8c733f0e8b3f6"},
		{counting, rep(0xcd, 50), "697eaf0aca3a3aea3a75164746ffaa79"},
		{rep(0x0c, 16), []byte("Test With Truncation"), "56461ef2342edc00f9bab995690efd4c"},
		{rep(0xaa, 80), []byte("Test Using Larger Than Block-Size Key - Hash Key First"), "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"},
		{rep(0xaa, 80), []byte("Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data"), "6f630fad67cda0ee1fb1f562db3aa53e"},
	}
	for i, x := range tests {
		var h hmac
		h.begin(x.key)
		h.write(x.data)
		if got := h.sum(); hex.EncodeToString(got[:]) != x.want {
			t.Errorf("test case %d: %x, want %s", i+1, got, x.want)
		}
	}
}
