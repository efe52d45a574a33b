package daemon

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"syscall"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/simdisk"
	"dhcpd/pool"
)

// What may happen to a box.

// suffer is one thing of all that.
func (b *box) suffer() {
	w := b.w
	if b.d == nil || b.asleep || b.mourning {
		return
	}
	w.ills++
	switch w.rnd.IntN(9) {
	case 0, 1:
		b.crash()
	case 2: // in the middle of what it writes next
		b.disk.Die(1 + w.rnd.IntN(40))
	case 3:
		b.end(true)
		w.after(w.upTo(pick(w.world, time.Second, w.most)), b.start)
	case 4:
		b.asleep, b.fell = true, w.now
		w.after(w.upTo(w.most), b.awake)
	case 5:
		b.step(pick[time.Duration](w.world, -1, 1) * w.upTo(30*year))
		b.turn(b.d.service.clockStepped)
		b.pump()
	default:
		b.spoilDisk()
	}
}

func (b *box) awake() {
	if b.asleep {
		b.asleep, b.woke = false, b.w.now
		b.turn(func() {})
		b.pump()
		b.hearEdit()
	}
}

// spoilDisk lets the disk do what disks do, for a while.
func (b *box) spoilDisk() {
	w, d := b.w, b.d
	switch w.rnd.IntN(3) {
	case 0:
		b.disk.Limit(w.rnd.IntN(2000))
	case 1:
		b.disk.Fail(func(op string) error {
			if slices.Contains([]string{"write", "create", "rename", "truncate", "remove"}, op) {
				return syscall.EROFS
			}
			return nil
		})
	case 2:
		b.disk.Fail(func(op string) error {
			if op == "sync" && w.oneOf(3) {
				return simdisk.ErrFault
			}
			return nil
		})
	}
	w.after(w.upTo(w.most), func() {
		if b.d == d {
			b.disk.Limit(-1)
			b.disk.Fail(nil)
		}
	})
}

// What operators do.

// operate is one thing of that. A daemon need not run.
func (b *box) operate() {
	w := b.w
	if b.disk.Dead() || b.mourning || len(b.members) == 0 {
		return
	}
	if b.d != nil && b.slow.busy() { // it has the lock
		w.after(time.Second, b.operate)
		return
	}
	w.tally.edits++
	switch w.rnd.IntN(8) {
	case 0, 1:
		b.reload()
	case 2:
		b.takePool()
	case 3, 4:
		b.edit(pool.Wake)
	default:
		b.edit(pick(w.world, pool.Add, pool.Del))
	}
}

// edit is dhcpd -a, -r or -w.
func (b *box) edit(v pool.Verb) {
	w, list := b.w, b.some(1+b.w.rnd.IntN(5))
	results, err := pool.EditOn(b.disk, poolFile, v, list)
	for i, a := range list {
		switch {
		case v == pool.Wake:
		case err != nil:
			b.unsure[a] = true
		case results[i] != pool.Absent:
			b.members[a] = v == pool.Add
			delete(b.unsure, a)
		}
		w.note(b, [...]string{"", "-a", "-r", "-w"}[v]+fmt.Sprint(" ", err), ether.MAC{}, a)
	}
	b.edited = true
	w.after(w.upTo(time.Second), b.hearEdit)
}

// hearEdit has the daemon hear of the pool file.
func (b *box) hearEdit() {
	if b.edited && b.d != nil && !b.asleep && b.d.service.table != nil {
		b.edited = false
		b.turn(b.d.service.poolChanged)
		b.pump()
	}
}

// some is some addresses that are, or were, in the pool.
func (b *box) some(n int) (list []netip.Addr) {
	for a := range b.members {
		list = append(list, a)
	}
	slices.SortFunc(list, netip.Addr.Compare)
	first := b.w.rnd.IntN(len(list) - n + 1)
	return list[first : first+n]
}

var leaseLine = regexp.MustCompile(`DHCPlease (\d+)`)

// reload is another config file.
func (b *box) reload() {
	b.w.tally.reloads++
	term := b.w.unit * pick[time.Duration](b.w.world, 1, 2, 7) / time.Second
	b.conf = leaseLine.ReplaceAllString(b.conf, fmt.Sprint("DHCPlease ", int(term)))
	if d := b.d; d != nil {
		b.turn(func() {
			old := d.cfg
			d.cfg = b.parse()
			d.reloaded(old)
		})
		b.pump()
	}
}

// takePool removes the pool file, or puts another in its place, while the daemon
// runs. Before that has written down what it knows it must not die.
func (b *box) takePool() {
	d := b.d
	if d == nil || b.asleep || d.service.table == nil || d.service.failures > 0 || b.slow.busy() || !b.disk.Well() {
		return
	}
	if b.w.oneOf(2) {
		b.disk.Remove(poolFile)
	} else {
		list := b.some(len(b.members))
		for _, a := range b.some(min(20, len(list)/2)) {
			list = slices.DeleteFunc(list, func(x netip.Addr) bool { return x == a })
		}
		_, err := pool.EditOn(b.disk, "/var/other", pool.Add, list)
		if err := errors.Join(err, b.disk.Rename("/var/other", poolFile), b.disk.SyncFolder(poolFile)); err != nil {
			b.w.Fatalf("%v: %v", b, err)
		}
		clear(b.unsure)
		for a := range b.members {
			b.members[a] = slices.Contains(list, a)
		}
	}
	b.mourning, b.file = true, 0
	b.turn(d.service.poolChanged)
	b.pump()
}

// What strangers do.

// stranger is a host that obeys nobody. It has an address of its own on the wire,
// and says what it likes about those of others.
func (l *lan) stranger(w *internet) {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootRequest)
	mac := ether.MAC{4, 4: byte(w.rnd.IntN(8)), 5: byte(l.n)}
	m.Htype, m.Hlen, m.Xid = dhcp4.HtypeEther, 6, w.rnd.Uint32()
	copy(m.Chaddr[:], mac[:])
	a := l.addr(w.rnd.IntN(4), byte(20+w.rnd.IntN(l.room+l.room/10)))
	m.SetType(dhcp4.Type(w.rnd.IntN(10)))
	if w.oneOf(2) {
		m.Ciaddr = a
	}
	if w.oneOf(2) {
		m.Options.PutAddr(dhcp4.RequestedAddress, a)
	}
	if w.oneOf(2) {
		m.Options.PutAddr(dhcp4.ServerID, pick(w.world, l.addr(0, 1), l.addr(0, 2), w.central[0].plugs[0].addr()))
	}
	if w.oneOf(8) {
		m.Giaddr = a
	}
	payload, _ := m.Append(nil, 0)
	switch w.rnd.IntN(6) {
	case 0:
		payload[w.rnd.IntN(len(payload))] ^= 1 << w.rnd.IntN(8)
	case 1:
		payload = payload[:w.rnd.IntN(len(payload))]
	}
	if len(payload) > 34 {
		copy(payload[28:34], mac[:]) // what says it is somebody else can't be told from him
	}
	if t := dhcp4.PeekType(payload); t == dhcp4.Decline || t == dhcp4.Release {
		w.tally.lies++
	}
	from := netip.AddrPortFrom(netip.IPv4Unspecified(), dhcp4.ClientPort)
	l.carry(ether.AppendUDPFrame(nil, mac, ether.Broadcast, from.Addr(), dhcp4.Everyone, dhcp4.ClientPort, dhcp4.ServerPort, payload), mac)
}

func (p *plug) addr() netip.Addr {
	if len(p.addrs) == 0 {
		return netip.IPv4Unspecified()
	}
	return p.addrs[0].Addr()
}

// squat adds a host with an address out of a pool that it never asked for, if
// there is none with that yet.
func (w *internet) squat(l *lan, a netip.Addr) {
	if slices.ContainsFunc(w.machines, func(m *machine) bool { return m.uses(a) }) {
		return
	}
	m := w.addMachine("")
	m.wire, m.byHand, m.addrs[netip.PrefixFrom(a, 22)] = l.wire, true, nil
}
