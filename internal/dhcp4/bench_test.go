package dhcp4

import "testing"

// packetPath is what a server does with one message: parse it, read it, build
// an answer, send that.
func packetPath(request, reply *Message, wire, buf []byte) []byte {
	if request.Parse(wire) != nil {
		panic("not a message")
	}
	reply.Reset(BootReply)
	reply.Xid, reply.Chaddr, reply.Hlen, reply.Htype = request.Xid, request.Chaddr, request.Hlen, request.Htype
	reply.Yiaddr = request.Giaddr
	reply.SetType(ACK)
	reply.Options.PutAddr(ServerID, request.Ciaddr)
	reply.Options.PutUint32(LeaseTime, 3600)
	reply.Options.PutUint16(InterfaceMTU, 1500)
	reply.Options.PutText(DomainName, "example.com")
	for c, v := range request.Options.All() {
		if request.Type() == ACK && c != MessageType {
			reply.Options.Put(c, v)
		}
	}
	if _, err := SubOption(request.Options.Get(RelayAgent), CircuitID); err != nil {
		panic(err)
	}
	for _, c := range request.Options.Get(ParameterList) {
		reply.Options.Del(Code(c))
	}
	buf, _ = reply.Append(buf[:0], request.Limit(1500))
	return buf
}

func TestNoAllocation(t *testing.T) {
	request, answer := new(Message), new(Message)
	buf := make([]byte, 0, 1500)
	small, large := full(), full()
	large = append(large[:len(large)-8], 43, 255)
	large = append(large, make([]byte, 255)...)
	for name, wire := range map[string][]byte{"plain": small, "overload": large} {
		packetPath(request, answer, wire, buf) // memory for the options is taken once
		if n := testing.AllocsPerRun(100, func() { packetPath(request, answer, wire, buf) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	text := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { text = request.Line(text[:0]) }); n != 0 {
		t.Errorf("Line: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { text = request.Dump(text[:0], Builtin()) }); n != 0 {
		t.Errorf("Dump: %v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	var m Message
	wire := full()
	b.ReportAllocs()
	for b.Loop() {
		if m.Parse(wire) != nil {
			b.Fatal("not a message")
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	var m Message
	m.Parse(full())
	buf := make([]byte, 0, 1500)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = m.Append(buf[:0], 1472)
	}
}

func BenchmarkAppendOverload(b *testing.B) {
	var m Message
	m.Parse(full())
	m.Options.Put(43, make([]byte, 300))
	buf := make([]byte, 0, 1500)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = m.Append(buf[:0], 548)
	}
}

func BenchmarkRequestToReply(b *testing.B) {
	request, answer := new(Message), new(Message)
	wire, buf := full(), make([]byte, 0, 1500)
	b.ReportAllocs()
	for b.Loop() {
		buf = packetPath(request, answer, wire, buf)
	}
}

func BenchmarkLine(b *testing.B) {
	m, text := new(Message), make([]byte, 0, 4096)
	m.Parse(full())
	b.ReportAllocs()
	for b.Loop() {
		text = m.Line(text[:0])
	}
}
