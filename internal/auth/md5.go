package auth

import "encoding/binary"

// MD5 (RFC 1321) and HMAC (RFC 2104) are our own: crypto/md5 and crypto/hmac
// would add 0.19 MB to the program, for a hash that serves no other purpose.

// digest is an MD5 under way.
type digest struct {
	state [4]uint32
	size  int
	buf   [64]byte
}

// shifts are RFC 1321's, for the four rounds.
var shifts = [4][4]uint8{{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}

// sines are the whole parts of 2^32 times the sines of 1 to 64 radians.
var sines = [64]uint32{
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
}

func (d *digest) reset() {
	d.state, d.size = [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}, 0
}

func (d *digest) write(p []byte) {
	for len(p) > 0 {
		n := copy(d.buf[d.size%64:], p)
		d.size += n
		p = p[n:]
		if d.size%64 == 0 {
			d.block()
		}
	}
}

func (d *digest) block() {
	a, b, c, e := d.state[0], d.state[1], d.state[2], d.state[3]
	for i := range 64 {
		var f uint32
		var k int
		switch i / 16 {
		case 0:
			f, k = b&c|^b&e, i
		case 1:
			f, k = b&e|c&^e, 5*i+1
		case 2:
			f, k = b^c^e, 3*i+5
		case 3:
			f, k = c^(b|^e), 7*i
		}
		f += a + sines[i] + binary.LittleEndian.Uint32(d.buf[k%16*4:])
		n := shifts[i/16][i%4]
		a, e, c, b = e, c, b, b+(f<<n|f>>(32-n))
	}
	d.state[0] += a
	d.state[1] += b
	d.state[2] += c
	d.state[3] += e
}

func (d *digest) sum() (out [16]byte) {
	end := [64 + 8]byte{0x80}
	fill := 1 + (64+55-d.size%64)%64 // up to eight octets short of a block
	binary.LittleEndian.PutUint64(end[fill:], uint64(d.size)*8)
	d.write(end[:fill+8])
	for i, v := range d.state {
		binary.LittleEndian.PutUint32(out[4*i:], v)
	}
	return out
}

// pad begins one of the two hashes of HMAC: with the key, made as long as a
// block, each octet changed in the one way or the other.
func (d *digest) pad(key *[64]byte, with byte) {
	d.reset()
	for i := range d.buf {
		d.buf[i] = key[i] ^ with
	}
	d.size = 64
	d.block()
}

// hmac is an HMAC-MD5 under way.
type hmac struct {
	digest
	key [64]byte
}

func (h *hmac) begin(key []byte) {
	h.key = [64]byte{}
	if len(key) > 64 {
		h.reset()
		h.write(key)
		hashed := h.digest.sum()
		key = hashed[:]
	}
	copy(h.key[:], key)
	h.pad(&h.key, 0x36)
}

func (h *hmac) sum() [16]byte {
	inner := h.digest.sum()
	h.pad(&h.key, 0x5c)
	h.write(inner[:])
	return h.digest.sum()
}
