package pool

import "dhcpd/internal/netip"

// Take applies what others did to the file.
func (t *Table) Take(c *Changes) {
	t.shut = t.shut && !c.Mended
	if c.Reset {
		t.shut = c.Corrupt != nil
		t.keepMembers(c.Add)
	}
	for _, a := range c.Add {
		t.Add(a)
	}
	for _, a := range c.Del {
		t.Remove(a)
	}
	for _, a := range c.Free {
		t.SetFree(a)
	}
	for i := range c.Records {
		if r, ok := t.ByAddr(c.Records[i].Addr); !ok || r.State == Free {
			t.Apply(&c.Records[i])
		}
	}
	for _, a := range c.Wake {
		t.Wake(a)
	}
}

// keepMembers takes all addresses but these out of the pool.
func (t *Table) keepMembers(list []netip.Addr) {
	keep := make(map[uint32]bool, len(list))
	for _, a := range list {
		keep[a.Number()] = true
	}
	for i := uint32(1); i < t.rows; i++ {
		if w := t.row(i); w.is(member) && !keep[w.addr] {
			t.Remove(netip.AddrFrom(w.addr))
		}
	}
}
