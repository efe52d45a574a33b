package dhcp4

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSet(t *testing.T) {
	var s Set
	want := []Code{0, 1, 63, 64, 82, 127, 128, 255}
	for _, c := range want {
		s.Add(c)
		s.Add(c)
	}
	if got := slices.Collect(s.All()); !slices.Equal(got, want) {
		t.Errorf("members %v, want %v", got, want)
	}
	for c := range s.All() {
		if c != 0 {
			t.Errorf("walk goes on to %d", c)
		}
		break
	}
	for c := range 256 {
		if s.Has(Code(c)) != slices.Contains(want, Code(c)) {
			t.Errorf("%d: %v", c, s.Has(Code(c)))
		}
		s.Remove(Code(c))
	}
	if !s.Empty() {
		t.Errorf("left over: %v", slices.Collect(s.All()))
	}
}

// model is what Options should be: values by code, in order.
type model struct {
	value map[Code][]byte
	order []Code
}

func (m *model) put(c Code, v []byte) {
	if c == Pad || c == End || c == Overload {
		return
	}
	if _, ok := m.value[c]; !ok {
		m.order = append(m.order, c)
	}
	m.value[c] = bytes.Clone(v)
}

func (m *model) del(c Code) {
	delete(m.value, c)
	m.order = slices.DeleteFunc(m.order, func(x Code) bool { return x == c })
}

func (m *model) check(t *testing.T, o *Options) {
	t.Helper()
	if o.Len() != len(m.order) || !slices.Equal(codes(o), m.order) || !slices.Equal(o.Codes(), m.order) {
		t.Fatalf("order %v, want %v", codes(o), m.order)
	}
	for c := range 256 {
		v, ok := m.value[Code(c)]
		if got := o.Get(Code(c)); o.Has(Code(c)) != ok || !bytes.Equal(got, v) {
			t.Fatalf("option %d is %x, want %x", c, got, v)
		}
	}
}

func TestOptionsModel(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var o Options
	m := model{value: map[Code][]byte{}}
	for range 20000 {
		c := Code(r.IntN(12)) * 51 / 2 // 0 and 255 and 51 among them
		v := bytes.Repeat([]byte{byte(r.Uint32())}, r.IntN(20))
		switch r.IntN(8) {
		case 0:
			o.Del(c)
			m.del(c)
		case 1, 2, 3:
			o.Put(c, v)
			m.put(c, v)
		case 4, 5:
			if o.Has(c) {
				o.join(c, v)
				m.put(c, append(bytes.Clone(m.value[c]), v...))
			}
		case 6: // a part of a value of its own
			from := Code(r.IntN(12)) * 51 / 2
			if v := o.Get(from); len(v) > 0 {
				m.put(c, m.value[from][len(v)/2:])
				o.Put(c, v[len(v)/2:])
			}
		case 7:
			if r.IntN(20) == 0 {
				o.Reset()
				m = model{value: map[Code][]byte{}}
			}
		}
		m.check(t, &o)
	}
}

// What was handed out can't be written beyond.
func TestGetIsBounded(t *testing.T) {
	var o Options
	o.PutText(1, "abc")
	o.PutText(2, "def")
	_ = append(o.Get(1), "XYZ"...)
	if got := string(o.Get(2)); got != "def" {
		t.Errorf("option 2 is %q", got)
	}
}

func TestEmptyIsNotAbsent(t *testing.T) {
	var o Options
	o.Put(RapidCommit, nil)
	if !o.Has(RapidCommit) || len(o.Get(RapidCommit)) != 0 || o.Len() != 1 {
		t.Errorf("empty option: %v, %x", o.Has(RapidCommit), o.Get(RapidCommit))
	}
	o.PutText(HostName, "x")
	for c, v := range o.All() {
		if c != RapidCommit || len(v) != 0 {
			t.Errorf("option %d is %x", c, v)
		}
		break // a walk may end early
	}
}
