package daemon

import (
	"slices"
	"sync/atomic"
	"time"

	"dhcpd/internal/netip"
)

// names are those in the config file that the hosts file does not have. The
// name servers are asked for them beside the loop, which waits for nothing: if
// the answers change it reads the config file again (dhcp.conf(5), "Hosts").
type names struct {
	found atomic.Pointer[answers]
	asked []string      // what was handed over last
	todo  chan []string // nil while there never was any
	look  func(name string) ([]netip.Addr, error)
}

type answers map[string][]netip.Addr

// Names are asked for again after namesAgain, those without an answer after
// namesSoon and then at intervals that double.
const (
	namesAgain = 10 * time.Minute
	namesSoon  = 5 * time.Second
)

// addrs returns what is known of a name by now.
func (n *names) addrs(name string) []netip.Addr {
	if a := n.found.Load(); a != nil {
		return (*a)[name]
	}
	return nil
}

// want has the name servers asked for a list of names. It tells by a value in
// ping that their answers have changed.
func (n *names) want(list []string, ping chan<- struct{}, ended <-chan struct{}) {
	if slices.Equal(list, n.asked) {
		return // or answers that change all the time would be asked for all the time
	}
	n.asked = list
	if n.todo == nil {
		n.todo = make(chan []string, 1)
		n.found.Store(&answers{})
		go n.run(ping, ended)
	}
	select {
	case <-n.todo: // not taken up yet, and out of date
	default:
	}
	n.todo <- list
}

// run is what asks.
func (n *names) run(ping chan<- struct{}, ended <-chan struct{}) {
	var list []string
	// A timer's own channel would bring the printing of times into the binary.
	due := make(chan struct{}, 1)
	timer := time.AfterFunc(namesAgain, func() { due <- struct{}{} })
	soon := namesSoon
	for {
		select {
		case list = <-n.todo:
			soon = namesSoon
		case <-due:
		case <-ended:
			return
		}
		found := n.ask(list)
		if !found.same(*n.found.Load()) {
			n.found.Store(&found)
			select {
			case ping <- struct{}{}:
			default: // it is going to read the file anyway
			}
		}
		if len(found) == len(list) {
			soon = namesSoon
			timer.Reset(namesAgain)
			continue
		}
		timer.Reset(soon)
		soon = min(2*soon, namesAgain)
	}
}

// ask asks for each name. While no name server answers, what it said before is
// the best guess.
func (n *names) ask(list []string) answers {
	found := answers{}
	for _, name := range list {
		addrs, err := n.look(name)
		if err != nil {
			addrs = n.addrs(name)
		}
		if len(addrs) > 0 {
			found[name] = addrs
		}
	}
	return found
}

// same tells whether a and b are the same answers. Each has a name in it only
// if it has an address for it.
func (a answers) same(b answers) bool {
	if len(a) != len(b) {
		return false
	}
	for name, list := range a {
		if !slices.Equal(list, b[name]) {
			return false
		}
	}
	return true
}
