package main

import (
	"strconv"

	"dhcpd/internal/conf"
	"dhcpd/internal/daemon"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// explain is -e: what a client would be given on each served network, and why.
// The exit status is 1 if it is given nothing anywhere.
func (c *command) explain() {
	var ask daemon.Inquiry
	if why := c.inquiry(&ask); why != "" {
		c.fail(why)
		return
	}
	clock := pool.NewClock(c.read)
	o := daemon.Options{Conf: c.conf, Interfaces: c.interfaces}
	if err := daemon.Explain(&o, &conf.Env{Resolve: c.look}, c.table(clock), clock.Now(), &ask); err != nil {
		c.fail(err.Error())
		return
	}
	if ask.Networks == nil {
		c.fail("No network is served: 'option server' is not there, or not for a network that is")
	}
	for _, p := range ask.Conf.Problems() {
		c.fail(p)
	}
	c.out.plain = !c.json
	c.out.inquiry(&ask)
	c.flush()
	c.status = 1
	for _, e := range ask.Networks {
		if e.Reply != nil {
			c.status = 0
		}
	}
}

// inquiry reads who is asked about; why says what can't be understood.
func (c *command) inquiry(ask *daemon.Inquiry) (why string) {
	texts := map[string]*[]byte{"class": &ask.Class, "circuit": &ask.Circuit, "remote": &ask.Remote}
	words := c.hosts[1:]
	id, ether, ok := conf.ParseClientID(c.hosts[0])
	if !ok || len(id) < 2 || len(id) > 255 {
		return c.hosts[0] + ": Neither an Ethernet address nor a client ID"
	}
	ask.ID, ask.Ether = id, ether
	for ; len(words) > 0; words = words[1:] {
		word := words[0]
		if word == "bootp" {
			ask.BOOTP = true
			continue
		}
		if to := texts[word]; to != nil {
			if len(words) < 2 || words[1] == "" || *to != nil {
				return "Only one text can and must follow '" + word + "'"
			}
			if words = words[1:]; word == "remote" {
				*to = remoteID(words[0])
			} else {
				*to = octets(words[0])
			}
			continue
		}
		list, err := c.expand(word)
		if err != nil {
			return err.Error() + ", nor 'bootp', 'class', 'circuit' or 'remote'"
		}
		if len(list) > 1 || ask.Addr.IsValid() {
			return word + ": Only one address can be asked for"
		}
		ask.Addr = list[0]
	}
	return ""
}

// inquiry writes all that is answered.
func (j *jsonText) inquiry(ask *daemon.Inquiry) {
	if !j.plain {
		j.open("", '{')
	}
	j.hex("client", ask.ID)
	j.text("class", string(ask.Class))
	j.text("circuit", string(ask.Circuit))
	j.text("remote", string(ask.Remote))
	j.address("address", ask.Addr)
	if !j.plain || ask.Entries != nil {
		j.open(j.words("entries", "client lines"), '[')
		for i := range ask.Entries {
			j.step(&ask.Entries[i].Step)
		}
		j.close(']')
	}
	if !j.plain {
		j.open("networks", '[')
	}
	for _, e := range ask.Networks {
		if j.plain {
			j.b = append(j.b, '\n')
			j.network(ask, e)
		} else {
			j.open("", '{')
			j.network(ask, e)
			j.close('}')
		}
	}
	if !j.plain {
		j.close(']')
		j.close('}')
		j.b = append(j.b, '\n')
	}
}

// step writes a line of the config file as an element of a list.
func (j *jsonText) step(s *conf.Step) {
	j.open("", '{')
	if j.plain {
		j.text("", s.File+":"+strconv.Itoa(s.Line))
		j.indent("")
		j.b = column(j.b, len(j.b)+2*s.Depth)
		j.value(string(s.Text))
	} else {
		j.text("file", s.File)
		j.number("line", int64(s.Line))
		j.number("depth", int64(s.Depth))
		j.text("text", string(s.Text))
	}
	j.text("fate", s.Fate)
	j.close('}')
}

// address writes an address, if it is one, and not 0.0.0.0.
func (j *jsonText) address(name string, a netip.Addr) {
	if a.IsValid() && !a.IsUnspecified() {
		j.text(name, a.String())
	}
}

// network writes what happens on one network.
func (j *jsonText) network(ask *daemon.Inquiry, e *daemon.Explanation) {
	j.text("interface", e.If)
	j.address("relay", e.Relay)
	j.open("rules", '[')
	for i := range e.Tried {
		t := &e.Tried[i]
		j.open("", '{')
		j.text("rule", t.Rule)
		if t.Net.IsValid() {
			j.text("network", t.Net.String())
		}
		j.address("address", t.Addr)
		j.text("why", t.Why)
		j.close('}')
	}
	j.close(']')
	j.address("chosen", e.Chosen)
	if !j.plain || e.Lines != nil {
		j.open("lines", '[')
		for i := range e.Lines {
			j.step(&e.Lines[i])
		}
		j.close(']')
	}
	j.flag("secured", "the client proves who it is", e.Secured)
	j.flag("checked", "nobody answers for the address", e.Wire)
	j.reply("answer", &e.Answer, ask.Conf.Dict())
	if ask.Addr.IsValid() && !e.Secured {
		j.reply(j.words("keep", "answer if it has that address already"), &e.Keep, ask.Conf.Dict())
	}
}

// reply writes what the server would answer.
func (j *jsonText) reply(name string, a *daemon.Answer, d *dhcp4.Dict) {
	j.open(name, '{')
	if m := a.Reply; m != nil {
		j.text("type", m.Type().String())
		j.address("address", m.Yiaddr)
		j.fields(m.Siaddr, m.SnameText(), m.FileText(), &m.Options, d)
	}
	why := "why"
	if a.Reply == nil {
		why = j.words(why, "none")
	}
	j.text(why, a.Why)
	j.close('}')
}

// fields writes the fields of a message that the config language knows as tags,
// and the options by name, each as that language has it.
func (j *jsonText) fields(siaddr netip.Addr, sname, file string, o *dhcp4.Options, d *dhcp4.Dict) {
	j.address("siaddr", siaddr)
	j.text("sname", sname)
	j.text("file", file)
	j.open("options", '{')
	for code, v := range o.All() {
		if code == dhcp4.Authentication || j.plain && code == dhcp4.MessageType { // it may hold a nonce: P6
			continue
		}
		tag, _ := d.ByCode(code)
		j.name(tag.Name)
		j.value(string(tag.AppendValue(nil, v)))
	}
	j.close('}')
}
