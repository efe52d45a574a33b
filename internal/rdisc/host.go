package rdisc

import (
	"time"

	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// Router is one that was advertised.
type Router struct {
	Addr       netip.Addr
	MAC        ether.MAC // that the advertisement came from
	Preference int32
	Until      time.Time
}

// The gateway that DHCP gave lives for 2048 seconds, and is kept warm about twice
// an hour, as by MINIX's dhcpd.
const (
	gatewayLife  = 2048 * time.Second
	gatewayAgain = 1800 * time.Second
)

// mostRouters is how many routers a host keeps in mind: of more, those of
// highest preference (RFC 1256 section 5.3).
const mostRouters = 8

// Host is what a host knows of the routers of one network. The zero Host has no
// address there, and looks for none. It is a value: a copy stays good.
type Host struct {
	Due    time.Time // when to call Tick; zero for never
	Router Router    // the advertised one that is to be used; zero for none
	Former Router    // the one before it
	News   bool      // it has changed; for the caller to clear

	net     netip.Prefix // our address; invalid for none
	given   netip.Addr   // the gateway that DHCP gave; invalid for none
	end     time.Time    // of its life; zero if it has none
	refresh time.Time    // when it is kept warm again; zero for never
	solicit time.Time    // when the next solicitation is due, or given up; zero for never
	left    int          // solicitations still to be sent
	down    bool         // there is no carrier
	known   [mostRouters]Router
}

// On tells whether there is an address.
func (h *Host) On() bool { return h.net.IsValid() }

// Gateway returns the router to be used, invalid for none.
func (h *Host) Gateway() netip.Addr {
	if h.Router.Addr.IsValid() || h.end.IsZero() {
		return h.Router.Addr
	}
	return h.given
}

// Bound is called when DHCP has given an address, and maybe a gateway, or the
// same ones once more. If the address is new, or there was no carrier meanwhile,
// this may be another network: all begins anew, and routers are asked for.
func (h *Host) Bound(now time.Time, random uint64, net netip.Prefix, given netip.Addr) {
	fresh := h.net != net || h.down
	if fresh {
		*h = Host{net: net, Former: h.Router, News: h.Router.Addr.IsValid()}
		h.ask(now.Add(upTo(random, maxSolicitationDelay)), maxSolicitations)
	}
	if fresh || h.given != given {
		h.given = given
		h.warm(now)
	}
	h.settle(now, random)
}

// Down is called when the carrier is gone: nobody can be asked.
func (h *Host) Down(now time.Time) {
	h.down = h.On()
	h.left, h.solicit = 0, time.Time{}
	h.settle(now, 0)
}

// Tick does what is due. True: a solicitation is to be sent.
func (h *Host) Tick(now time.Time, random uint64) (solicit bool) {
	if due(h.refresh, now) {
		h.refresh = time.Time{}
		if !h.down {
			h.warm(now)
			h.ask(now, 1)
		}
	}
	if due(h.end, now) {
		h.end = time.Time{}
	}
	if due(h.solicit, now) {
		if h.left--; h.left >= 0 {
			h.solicit, solicit = now.Add(solicitationInterval), true
		} else {
			h.left, h.solicit = 0, time.Time{}
		}
	}
	h.settle(now, random)
	return solicit
}

// warm begins the life of the gateway that DHCP gave anew.
func (h *Host) warm(now time.Time) {
	h.end, h.refresh = time.Time{}, time.Time{}
	if h.given.IsValid() {
		h.end, h.refresh = now.Add(gatewayLife), now.Add(gatewayAgain)
	}
}

// ask has n solicitations sent, the first one at that time.
func (h *Host) ask(at time.Time, n int) {
	if !h.down {
		h.solicit, h.left = at, n
	}
}

// Hear takes an advertisement. The error is why it does not count.
func (h *Host) Hear(now time.Time, random uint64, m *ether.Report) error {
	if m.Dst != allSystems && m.Dst != everybody && m.Dst != h.net.Addr() {
		return ether.Error("router advertisement for somebody else")
	}
	a, err := ether.ParseAdvert(&m.ICMP)
	if err != nil {
		return err
	}
	if !isNeighbour(h.net, m.Src) || !lists(&a, m.Src) {
		return ether.Error("router advertisement from who is no router on this subnet")
	}
	for i := range a.Len() {
		addr, preference := a.Entry(i)
		if isNeighbour(h.net, addr) { // RFC 1256 section 5.3
			r := Router{addr, m.From, preference, now}
			if preference != Never {
				r.Until = now.Add(time.Duration(a.Lifetime) * time.Second)
			}
			h.learn(r, now)
		}
	}
	if h.settle(now, random); h.Router.Addr.IsValid() {
		h.left, h.solicit = 0, time.Time{}
	}
	return nil
}

// lists tells whether an address is among those advertised.
func lists(a *ether.Advert, addr netip.Addr) bool {
	for i := range a.Len() {
		if b, _ := a.Entry(i); b == addr {
			return true
		}
	}
	return false
}

// learn takes a router in the place of what was known of it, or if its life is
// not over already, of one that is preferred less.
func (h *Host) learn(r Router, now time.Time) {
	place := &h.known[0]
	for i := range h.known {
		k := &h.known[i]
		if k.Addr == r.Addr {
			*k = r
			return
		}
		if !k.Addr.IsValid() || place.Addr.IsValid() && k.Preference < place.Preference {
			place = k
		}
	}
	if now.Before(r.Until) && (!place.Addr.IsValid() || place.Preference < r.Preference) {
		*place = r
	}
}

// settle forgets those routers whose time is over, chooses one of the others,
// and goes back to the gateway that DHCP gave when the last one is gone.
func (h *Host) settle(now time.Time, random uint64) {
	var best Router
	for i := range h.known {
		k := &h.known[i]
		if !now.Before(k.Until) {
			*k = Router{}
		}
		// Of those that are preferred alike the one in use goes on.
		if k.Addr.IsValid() && (!best.Addr.IsValid() || k.Preference > best.Preference ||
			k.Preference == best.Preference && k.Addr == h.Router.Addr) {
			best = *k
		}
	}
	had := h.Router.Addr.IsValid()
	if best.Addr != h.Router.Addr || best.MAC != h.Router.MAC {
		h.Former, h.News = h.Router, true
	}
	h.Router = best
	switch {
	case best.Addr.IsValid():
		h.end, h.refresh = time.Time{}, time.Time{}
	case had:
		h.warm(now)
		h.ask(now.Add(upTo(random, maxSolicitationDelay)), maxSolicitations)
	}
	h.Due = earlier(earlier(h.solicit, h.refresh), earlier(h.end, best.Until))
}
