package ascii

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Whatever is done here is held against what the standard library does.

func TestUint(t *testing.T) {
	for _, s := range []string{
		"", "0", "7", "8", "9", "a", "F", "g", "G", "00", "007", "08", "10", "+1", "-1", " 1", "1 ", "1_0", "0x1", ":", "/", "@", "`",
		"255", "256", "ff", "100", "377", "400", "65535", "65536", "4294967295", "4294967296",
		"18446744073709551615", "18446744073709551616", "18446744073709551620", "99999999999999999999",
		"ffffffffffffffff", "10000000000000000", "1777777777777777777777", "2000000000000000000000",
	} {
		for _, base := range []int{8, 10, 16} {
			for _, bits := range []int{4, 8, 10, 16, 31, 32, 34, 64} {
				want, err := strconv.ParseUint(s, base, bits)
				if err != nil {
					want = 0
				}
				if got, ok := Uint(s, uint64(base), bits); got != want || ok != (err == nil) {
					t.Errorf("Uint(%q, %d, %d) = %d, %v, want %d", s, base, bits, got, ok, want)
				}
			}
		}
	}
}

func TestWords(t *testing.T) {
	for range 10000 {
		b := make([]byte, rand.N(9))
		for i := range b {
			b[i] = " \t\n\r\v\f\x00\x1fAZaz@[`{09"[rand.N(18)]
		}
		s := string(b)
		if got, want := Fields(s), strings.Fields(s); !slices.Equal(got, want) {
			t.Fatalf("Fields(%q) = %q, want %q", s, got, want)
		}
		if got, want := Trim(s), strings.TrimSpace(s); got != want {
			t.Fatalf("Trim(%q) = %q, want %q", s, got, want)
		}
		if got, want := Lower(s), strings.ToLower(s); got != want {
			t.Fatalf("Lower(%q) = %q, want %q", s, got, want)
		}
		if got, want := TrimRight(b, 0), bytes.TrimRight(b, "\x00"); !bytes.Equal(got, want) {
			t.Fatalf("TrimRight(%q) = %q, want %q", b, got, want)
		}
		if !Same(s, strings.ToUpper(s)) || Same(s, s+"a") || Same("a"+s, "b"+s) {
			t.Fatalf("Same(%q)", s)
		}
	}
	if Lower("\xc3\x84") != "\xc3\x84" || Same("\xc3\x84", "\xc3\xa4") || Trim("\u00a0") != "\u00a0" {
		t.Error("what is not ASCII is left alone")
	}
}

func TestOctal(t *testing.T) {
	for c := range 256 {
		if got, want := string(AppendOctal([]byte("-"), byte(c))), fmt.Sprintf(`-\%03o`, c); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestOctets(t *testing.T) {
	b := []byte{0, 0x1b, 0xff, 0xa0, 9, 0x10, 0xcd, 0xe0}
	for n := range b {
		if got, want := string(AppendOctets([]byte("-"), b[:n])), "-"+net.HardwareAddr(b[:n]).String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
