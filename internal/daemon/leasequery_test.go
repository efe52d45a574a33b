package daemon

import (
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
)

// TestQ4_Quota: leasequeries have no more than half of a full batch, unless
// there is nothing else.
func TestQ4_Quota(t *testing.T) {
	octets := func(typ dhcp4.Type) []byte {
		var m dhcp4.Message
		m.Reset(dhcp4.BootRequest)
		m.SetType(typ)
		b, _ := m.Append(nil, dhcp4.MinLimit)
		return b
	}
	for _, c := range []struct{ queries, others, want int }{
		{0, batchSize, batchSize / 2}, {1, batchSize - 1, batchSize / 2}, {batchSize - 1, 1, batchSize / 2},
		{batchSize, 0, batchSize}, {batchSize - 2, 1, batchSize - 1}, {3, 0, 3},
	} {
		b := link.NewBatch(batchSize, maxDatagram)
		for n := range c.queries + c.others {
			typ := dhcp4.LeaseQuery
			if n < c.others {
				typ = dhcp4.Discover
			}
			m := b.Add()
			m.Data = append(m.Data, octets(typ)...)
		}
		if got := quota(b); got != c.want {
			t.Errorf("%d queries and %d others: %d answered, want %d", c.queries, c.others, got, c.want)
		}
	}
	if dhcp4.PeekType(nil) != dhcp4.BOOTP || dhcp4.PeekType(octets(dhcp4.LeaseQuery)[:242]) != dhcp4.BOOTP {
		t.Error("a short message is a query")
	}
}
