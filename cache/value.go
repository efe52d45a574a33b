package cache

import (
	"errors"
	"strconv"
	"strings"

	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// errValue says that words are no value of their tag.
var errValue = errors.New("not a value of that tag")

// numberTag is an option by its number: T51, with hexadecimal digits.
func numberTag(c dhcp4.Code) dhcp4.Tag {
	return dhcp4.Tag{Code: c, Name: "T" + strconv.Itoa(int(c)), Kind: dhcp4.Octet, Gran: 1}
}

// byNumber is the way back, for any name from T1 to T254.
func byNumber(name string) (dhcp4.Code, bool) {
	n, ok := strings.CutPrefix(name, "T")
	c, isNumber := ascii.Uint(n, 10, 8)
	code := dhcp4.Code(c)
	return code, ok && isNumber && n[0] != '0' && code != dhcp4.End
}

// words spells a value as the words of a line, one for each item.
func words(t dhcp4.Tag, v []byte) []string {
	if t.Kind == dhcp4.ASCII || t.Kind == dhcp4.URI {
		return []string{string(v)}
	}
	if len(v) == 0 {
		return []string{""}
	}
	return ascii.Fields(string(t.AppendValue(nil, v)))
}

// value is the inverse of words. The error is errValue.
func value(t dhcp4.Tag, w []string) (v []byte, err error) {
	switch t.Kind {
	case dhcp4.ASCII, dhcp4.URI, dhcp4.Octet:
		if len(w) != 1 {
			return nil, errValue
		}
		if t.Kind == dhcp4.Octet {
			return hexValue(w[0])
		}
		return []byte(w[0]), nil
	case dhcp4.Domain:
		if v, err = dhcp4.AppendDomains(nil, w...); err != nil {
			return nil, errValue
		}
		return v, nil
	case dhcp4.Route:
		return routes(w)
	}
	for _, s := range w {
		if v, err = appendItem(v, t, s); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func hexValue(s string) ([]byte, error) {
	v, ok := dhcp4.ParseHex(s)
	if !ok {
		return nil, errValue
	}
	return v, nil
}

// appendItem appends one item of the kinds that are made of items.
func appendItem(v []byte, t dhcp4.Tag, s string) ([]byte, error) {
	switch t.Kind {
	case dhcp4.IP:
		if a, ok := netip.ParseAddr(s); ok {
			return append(v, a.AsSlice()...), nil
		}
	case dhcp4.Boolean:
		switch s {
		case "false":
			return append(v, 0), nil
		case "true":
			return append(v, 1), nil
		}
	case dhcp4.Number:
		if n, ok := ascii.Uint(s, 10, min(32, 8*t.Gran)); ok {
			return appendBig(v, n, t.Gran), nil
		}
	}
	return nil, errValue
}

// appendBig appends the low octets of n, in network order.
func appendBig(v []byte, n uint64, octets int) []byte {
	for i := octets - 1; i >= 0; i-- {
		v = append(v, byte(n>>(8*i)))
	}
	return v
}

// routes reads pairs of destination and gateway.
func routes(w []string) (v []byte, err error) {
	if len(w)%2 != 0 {
		return nil, errValue
	}
	for i := 0; i < len(w); i += 2 {
		to, ok1 := netip.ParsePrefix(w[i])
		via, ok2 := netip.ParseAddr(w[i+1])
		if !ok1 || !ok2 {
			return nil, errValue
		}
		v = dhcp4.NetRoute{Dst: to.Masked(), Gateway: via}.Append(v)
	}
	return v, nil
}
