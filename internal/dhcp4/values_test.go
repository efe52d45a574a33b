package dhcp4

import "testing"

func TestL2_Values(t *testing.T) {
	num := func(size, most int) Tag { return Tag{Kind: Number, Gran: size, Max: most} }
	tests := []struct {
		tag         Tag
		value, want string
		ok          bool
	}{
		{Tag{}, "\x00\xab", "00ab", true},
		{Tag{}, "", "", true},
		{Tag{Kind: Octet, Gran: 4, Max: 4}, "abcd", "61626364", true},
		{Tag{Kind: Octet, Gran: 4, Max: 4}, "abc", "616263", false},
		{Tag{Kind: ASCII, Gran: 1}, "x y", `"x y"`, true},
		{Tag{Kind: ASCII, Gran: 1}, "", `""`, true},
		{Tag{Kind: ASCII, Gran: 1, Max: 3}, "abcd", "61626364", false},
		{Tag{Kind: URI, Gran: 1}, "http://x/", `"http://x/"`, true},
		{Tag{Kind: Boolean, Gran: 1, Max: 1}, "\x00", "false", true},
		{Tag{Kind: Boolean, Gran: 1, Max: 1}, "\x01", "true", true},
		{Tag{Kind: Boolean, Gran: 1}, "\x01\x00", "true false", true},
		{Tag{Kind: Boolean, Gran: 1, Max: 1}, "\x02", "02", false},
		{Tag{Kind: Boolean, Gran: 1, Max: 1}, "\x01\x01", "0101", false},
		{Tag{Kind: Boolean, Gran: 1, Max: 1}, "", "", false},
		{Tag{Kind: IP, Gran: 1}, "\x0a\x00\x00\x01\xff\xff\xff\x00", "10.0.0.1 255.255.255.0", true},
		{Tag{Kind: IP, Gran: 1, Max: 1}, "\x0a\x00\x00\x01\xff\xff\xff\x00", "0a000001ffffff00", false},
		{Tag{Kind: IP, Gran: 2}, "\x0a\x00\x00\x01", "0a000001", false},
		{Tag{Kind: IP, Gran: 1}, "\x0a\x00\x00", "0a0000", false},
		{Tag{Kind: IP, Gran: 1}, "\x0a\x00\x00\x01\x0a", "0a0000010a", false},
		{Tag{Kind: IP, Gran: 1}, "", "", false},
		{num(1, 0), "\x01\xff", "1 255", true},
		{num(2, 1), "\x05\xdc", "1500", true},
		{num(2, 1), "\x05\xdc\x00\x00", "05dc0000", false},
		{num(4, 1), "\xff\xff\xff\xff", "4294967295", true},
		{num(4, 1), "\xff\xff", "ffff", false},
		{num(0, 1), "\xff\xff", "ffff", false}, // no size: nothing to read it by
		{num(8, 1), "\x00\x00\x00\x00\x00\x00\x00\x01", "0000000000000001", false},
		{Tag{Kind: Domain, Gran: 1}, "\x01a\x03com\x00\x01b\xc0\x02", "a.com b.com", true},
		{Tag{Kind: Domain, Gran: 1}, "\x01a", "0161", false},
		{Tag{Kind: Domain, Gran: 1}, "\x01a\x00\xc0", "016100c0", false},
		{Tag{Kind: Domain, Gran: 1}, "", "", false},
		{Tag{Kind: Domain, Gran: 1, Max: 1}, "\x01a\x00\x01b\x00", "016100016200", false},
		{Tag{Kind: Route, Gran: 1}, "\x00\x0a\x00\x00\x01\x08\x0a\x0a\x00\x00\x02", "0.0.0.0/0 10.0.0.1 10.0.0.0/8 10.0.0.2", true},
		{Tag{Kind: Route, Gran: 1}, "\x00\x0a\x00\x00\x01\x08", "000a00000108", false},
		{Tag{Kind: Route, Gran: 1}, "", "", false},
	}
	for _, x := range tests {
		got, ok := x.tag.appendValue([]byte("before"), []byte(x.value))
		if string(got) != "before"+x.want || ok != x.ok {
			t.Errorf("%s %q: %q, %v, want %q, %v", x.tag.Kind, x.value, got, ok, x.want, x.ok)
		}
		if text := x.tag.AppendValue(nil, []byte(x.value)); string(text) != x.want {
			t.Errorf("%s %q: %q, want %q", x.tag.Kind, x.value, text, x.want)
		}
	}
}

func TestAppendQuoted(t *testing.T) {
	for s, want := range map[string]string{
		"":                   `""`,
		"plain text ~":       `"plain text ~"`,
		`say "\x"`:           `"say \"\\x\""`,
		"\x00\x1b[31m\n\x7f": `"\000\033[31m\012\177"`,
		"\xc3\xa4\xff":       `"\303\244\377"`,
		"\x011":              `"\0011"`, // three digits: the next can't be taken for one
	} {
		if got := string(AppendQuoted([]byte("x"), []byte(s))); got != "x"+want {
			t.Errorf("%q: %s, want x%s", s, got, want)
		}
	}
}

func TestAppendSaid(t *testing.T) {
	if got, want := string(AppendSaid([]byte("x"), []byte("don't \"x\"\n\\"))), `x'don\'t "x"\012\\'`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
