package pool

import (
	"math/rand/v2"
	"testing"
)

// dice are a source of chance that was written down: an octet a draw. What is
// begun with the last of them needs some more, not for ever the same.
type dice struct {
	left []byte
	more uint64
}

func (d *dice) Uint64() uint64 {
	if len(d.left) == 0 {
		d.more += 0x9E3779B97F4A7C15
		return d.more
	}
	b := d.left[0]
	d.left = d.left[1:]
	return uint64(b) * 0x0101010101010101
}

func seedDice(f *testing.F) {
	for seed := range byte(10) {
		b := make([]byte, 700)
		rand.NewChaCha8([32]byte{seed}).Read(b)
		f.Add(b)
	}
}

// FuzzFile has everything happen to a daemon with a pool file, beside a plain
// map: writes that fail at any octet, power cuts, commands, clock steps, files
// that go.
func FuzzFile(f *testing.F) {
	seedDice(f)
	f.Fuzz(func(t *testing.T, chance []byte) {
		d := &dice{left: chance}
		w := newWorldOf(t, rand.New(d))
		for n := 0; n < 60 && len(d.left) > 0; n++ {
			w.step()
		}
		w.k.settle()
	})
}

// FuzzTable does anything to a table and to the model of one.
func FuzzTable(f *testing.F) {
	seedDice(f)
	f.Fuzz(func(t *testing.T, chance []byte) {
		d := &dice{left: chance}
		p := newPair(t, rand.New(d))
		for n := 0; n < 200 && len(d.left) > 0; n++ {
			p.step()
		}
		compare(t, p.rnd, p.tab, p.m, p.now)
	})
}
