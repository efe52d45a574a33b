package pool

import "dhcpd/internal/netip"

// Regroup asks for each address which network it is on, and whether the
// config lets it be given out: after each reading of the config file. on may
// be any prefix that stands for the network; addresses that have the same one
// can stand for each other. Before the first Regroup nothing is given out.
func (t *Table) Regroup(network func(a netip.Addr) (on netip.Prefix, lendable bool)) {
	t.network = network
	t.forgetNets()
	for i := uint32(1); i < t.rows; i++ {
		if t.row(i).is(live) {
			t.assign(i)
		}
	}
	t.fillQueues()
}

// assign finds the network of row i anew, and the queue that it belongs in.
func (t *Table) assign(i uint32) {
	w := t.row(i)
	w.queue, w.circuit = none, 0
	t.group(i)
	k, _ := t.wanted(w)
	if k == none {
		t.letGo(i)
		return
	}
	w.queue = k
	t.nets[w.net].sizes[k]++
}

// fillQueues makes the queues, each at once and of the right size.
func (t *Table) fillQueues() {
	for n := range t.nets {
		for k, size := range t.nets[n].sizes {
			t.nets[n].queues[k] = make(queue, 0, size)
		}
	}
	for i := uint32(1); i < t.rows; i++ {
		w := t.row(i)
		if w.queue == none {
			continue
		}
		_, at := t.wanted(w)
		t.count(w, w.queue)
		q := &t.nets[w.net].queues[w.queue]
		w.pos = uint32(len(*q))
		*q = append(*q, pack(at, i))
	}
	for n := range t.nets {
		for _, q := range t.nets[n].queues {
			for i := (len(q)+2)/4 - 1; i >= 0; i-- {
				t.down(q, i, q[i])
			}
		}
	}
}

func (t *Table) forgetNets() {
	t.nets = make([]network, 1, 8) // network 0 is none
	t.netOf = map[netKey]uint32{}
	t.circuits = circuits{number: map[string]uint32{}, list: make([]circuit, 1)}
}

// group finds the network of row i, which is in no queue.
func (t *Table) group(i uint32) {
	if t.network == nil {
		return
	}
	w := t.row(i)
	on, ok := t.network(netip.AddrFrom(w.addr))
	w.set(lendable, ok)
	w.net = 0
	if !on.IsValid() {
		return
	}
	key := keyOf(on)
	n, known := t.netOf[key]
	if !known {
		n = uint32(len(t.nets))
		t.nets = append(t.nets, network{on: key})
		t.netOf[key] = n
	}
	w.net = n
}
