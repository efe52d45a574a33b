package ascii

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// FuzzText: for ASCII all is as in packages strings and strconv.
func FuzzText(f *testing.F) {
	f.Add(" a\tB c\n", uint8(16))
	f.Add("18446744073709551615", uint8(64))
	f.Add("ff_", uint8(8))
	f.Fuzz(func(t *testing.T, s string, bits uint8) {
		for i := range len(s) {
			if s[i] >= 0x80 {
				return
			}
		}
		if got, want := Fields(s), strings.Fields(s); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
		if Trim(s) != strings.TrimSpace(s) || Lower(s) != strings.ToLower(s) || !Same(s, strings.ToUpper(s)) {
			t.Errorf("%q: %q, %q", s, Trim(s), Lower(s))
		}
		if got := TrimRight([]byte(s), ' '); !bytes.Equal(got, bytes.TrimRight([]byte(s), " ")) {
			t.Errorf("%q: %q", s, got)
		}
		size := 4 + int(bits)%61
		for _, base := range []int{8, 10, 16} {
			n, ok := Uint(s, uint64(base), size)
			want, err := strconv.ParseUint(s, base, size)
			if ok != (err == nil) || ok && n != want {
				t.Errorf("%q to the base of %d in %d bits: %d %v, want %d %v", s, base, size, n, ok, want, err)
			}
		}
	})
}
