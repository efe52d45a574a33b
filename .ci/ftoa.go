package strconv

// This file takes the place of the standard library's internal/strconv/ftoa.go
// in the product (see the Makefile). What dhcpd prints has no fractions, and the
// runtime prints them in its own traces and when it ends over one: here as
// mantissa and binary exponent, -4503599627370496p-52 for -1, which needs no
// table of powers of ten.

const (
	lowerhex = "0123456789abcdef"
	upperhex = "0123456789ABCDEF"
)

// What the files beside this one need to compile.
const (
	float32MantBits = 23
	float32Bias     = -127
	float64MantBits = 52
	float64Bias     = -1023
)

type floatInfo struct {
	mantbits uint
	expbits  uint
	bias     int
}

var (
	float32info = floatInfo{float32MantBits, 8, float32Bias}
	float64info = floatInfo{float64MantBits, 11, float64Bias}
)

type decimalSlice struct {
	d      []byte
	nd, dp int
}

// FormatFloat returns what AppendFloat appends.
func FormatFloat(f float64, fmt byte, prec, bitSize int) string {
	return string(AppendFloat(nil, f, fmt, prec, bitSize))
}

// AppendFloat appends a number exactly, in base two, whatever fmt says. It needs no
// more than the 24 octets, or 15 for 32 bits, that the runtime has for it.
func AppendFloat(dst []byte, f float64, _ byte, _, bitSize int) []byte {
	const infinite = 1<<11 - 1
	bits := float64bits(f)
	mant, exp := int64(bits&(1<<float64MantBits-1)), int(bits>>float64MantBits&infinite)
	if bits>>63 != 0 {
		dst = append(dst, '-')
	}
	switch {
	case exp == infinite && mant != 0:
		return append(dst, "NaN"...)
	case exp == infinite:
		return append(dst, "Inf"...)
	case exp == 0:
		exp++ // subnormal
	default:
		mant |= 1 << float64MantBits
	}
	exp += float64Bias - float64MantBits
	if bitSize == 32 {
		mant >>= float64MantBits - float32MantBits
		exp += float64MantBits - float32MantBits
	}
	dst = append(AppendInt(dst, mant, 10), 'p')
	return AppendInt(dst, int64(exp), 10)
}
