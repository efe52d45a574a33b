package dhcp4

import (
	"encoding/binary"
	"errors"

	"dhcpd/internal/netip"
)

// Errors of the typed readers of Options. Malformed means that the option is
// there but its length is wrong for the type: to be treated as the RFC at
// hand says, never as a value.
var (
	ErrAbsent    = errors.New("option is absent")
	ErrMalformed = errors.New("option is malformed")
)

// fixed returns the value of option c if it is exactly size octets long.
func (o *Options) fixed(c Code, size int) ([]byte, error) {
	v := o.Get(c)
	switch {
	case len(v) == size:
		return v, nil
	case !o.has.Has(c):
		return nil, ErrAbsent
	}
	return nil, ErrMalformed
}

// some returns the value of option c if it is one item of size octets, or
// several.
func (o *Options) some(c Code, size int) ([]byte, error) {
	v := o.Get(c)
	switch {
	case !o.has.Has(c):
		return nil, ErrAbsent
	case len(v) == 0 || len(v)%size != 0:
		return nil, ErrMalformed
	}
	return v, nil
}

// Uint8 reads an option of one octet.
func (o *Options) Uint8(c Code) (uint8, error) {
	v, err := o.fixed(c, 1)
	if err != nil {
		return 0, err
	}
	return v[0], nil
}

// Uint16 reads an option of two octets.
func (o *Options) Uint16(c Code) (uint16, error) {
	v, err := o.fixed(c, 2)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint16(v), nil
}

// Uint32 reads an option of four octets. Times are in seconds.
func (o *Options) Uint32(c Code) (uint32, error) {
	v, err := o.fixed(c, 4)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(v), nil
}

// Addr reads an option of one IPv4 address.
func (o *Options) Addr(c Code) (netip.Addr, error) {
	v, err := o.fixed(c, 4)
	if err != nil {
		return netip.Addr{}, err
	}
	return netip.AddrFrom4([4]byte(v)), nil
}

// Addrs appends the IPv4 addresses of option c, one or more, to dst.
func (o *Options) Addrs(dst []netip.Addr, c Code) ([]netip.Addr, error) {
	v, err := o.some(c, 4)
	for ; len(v) > 0; v = v[4:] {
		dst = append(dst, netip.AddrFrom4([4]byte(v)))
	}
	return dst, err
}

// Text reads an option of text. Trailing NULs are taken off, since some
// senders add them; an empty text is malformed (RFC 2132 section 2).
func (o *Options) Text(c Code) (string, error) {
	v := trimNUL(o.Get(c))
	switch {
	case !o.has.Has(c):
		return "", ErrAbsent
	case len(v) == 0:
		return "", ErrMalformed
	}
	return string(v), nil
}

func trimNUL(v []byte) []byte {
	for len(v) > 0 && v[len(v)-1] == 0 {
		v = v[:len(v)-1]
	}
	return v
}

// SubOption returns the value of a sub-option of v, which is the value of
// option 82 or another one of the same build: code, length, value, and no
// padding (RFC 3046 section 2.0). Of several with that code it is the first.
// The error is ErrAbsent, or ErrMalformed if any of v can't be read.
func SubOption(v []byte, code uint8) (value []byte, err error) {
	err = ErrAbsent
	for len(v) > 0 {
		sub, body, rest, ok := cutSub(v)
		if !ok {
			return nil, ErrMalformed
		}
		if sub == code && err != nil {
			value, err = body, nil
		}
		v = rest
	}
	return value, err
}

// Sub is SubOption where none, an empty one and one that can't be read are all
// the same: nil.
//
//go:noinline
func Sub(v []byte, code uint8) []byte {
	if value, _ := SubOption(v, code); len(value) > 0 {
		return value
	}
	return nil
}

// AppendSub appends a sub-option, whose value has at most 255 octets.
//
//go:noinline
func AppendSub(dst []byte, code uint8, value []byte) []byte {
	return append(append(dst, code, byte(len(value))), value...)
}

// cutSub takes the first sub-option off v.
func cutSub(v []byte) (code uint8, value, rest []byte, ok bool) {
	if len(v) < 2 || len(v) < 2+int(v[1]) {
		return 0, nil, nil, false
	}
	n := 2 + int(v[1])
	return v[0], v[2:n:n], v[n:], true
}
