# dhcpd: make demo and make test need nothing but Go and make.

all: build/dhcpd

# Where things go. The paths of the files can be set for firmware, say
#   make CONF=/etc/config/dhcp.conf STATE=/overlay/dhcpd RUN=/tmp/run/dhcpd
# RUN is for a tmpfs; net-IF.conf of dhcpd -o lies beside it. With an empty one
# dhcpd -q has no counts to show.
DESTDIR =
PREFIX  = /usr/local
CONF    = /etc/dhcp.conf
STATE   = /var/lib/dhcpd
RUN     = /run/dhcpd

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  = -s -w -X main.version=$(VERSION) -X main.confPath=$(CONF) \
	-X main.cachePath=$(STATE)/dhcp.cache -X main.poolPath=$(STATE)/dhcp.pool \
	-X main.runPath=$(RUN)

# raw: the client's frames by mdlayher/raw, not by a packet socket of our own.
TAGS =

# Flash is dear: no inlining (-3 %, -8 % under xz) but where packets pass by,
# functions close together (-3 %), the older and smaller garbage collector (-1 %)
# and no small buffer on the stack beside each slice of any size (-0.4 %), both
# of which Go 1.26 has; and three parts of its standard library that stand in
# .ci/overlay.json, by little ones (-6 %).
# What no packet waits for and many call says go:noinline where packages are
# inlined (-1 %).
HOT      = server pool internal/dhcp4 internal/link internal/netip
INLINE   = encoding/binary= $(HOT:%=dhcpd/%=)
GO1.26   = $(filter go1.26%,$(GO))
SMALL_GC = $(if $(GO1.26),GOEXPERIMENT=nogreenteagc)
HEAP     = $(if $(GO1.26),-d=variablemakethreshold=0)
OVERLAY  = $(if $(GO1.26),-overlay=build/overlay.json)
BUILD    = CGO_ENABLED=0 GOOS=linux $(SMALL_GC) go build -trimpath -tags='$(TAGS)' \
	-buildvcs=false $(OVERLAY) -gcflags='all=-l $(HEAP)' $(INLINE:%=-gcflags=%) \
	-ldflags='$(LDFLAGS) -funcalign=4'

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    = 10s
FUZZJOBS    = $(shell nproc)
FUZZ        =

# One clear line instead of a page of errors.
GO := $(shell cd / && GOTOOLCHAIN=local go env GOVERSION 2>/dev/null)
ifneq ($(firstword $(shell printf '%s\n' go1.26 '$(or $(GO),go0)' | sort -V)),go1.26)
$(error dhcpd needs Go 1.26 or later from https://go.dev/dl; found: $(or $(GO),none))
endif

FORCE:
.PHONY: all install demo test race race-rooms race-peers soak fuzz fuzz-long bench bench-go lint size cross features peers deb initramfs clean FORCE

build/dhcpd: build/overlay.json FORCE
	$(BUILD) -o $@ ./cmd/dhcpd

# Several makes may be at work in one tree: nobody must find half a file.
build/overlay.json: FORCE
	@mkdir -p build
	@sed "s,GOROOT,$$(go env GOROOT)," .ci/overlay.json >$@.$$$$ && mv $@.$$$$ $@

install: build/dhcpd
	install -D -m 755 build/dhcpd $(DESTDIR)$(PREFIX)/sbin/dhcpd
	for page in man/*.[58]; do \
		install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit; \
	done

# A Debian package, in build/.
deb: build/dhcpd
	@dist/debian/build $(shell dpkg --print-architecture) build

# Two images for an initramfs, in build/: u-root with dhcpd as one of its
# commands, and dhcpd alone.
initramfs: build/dhcpd
	dist/initramfs/build build

# A server, a relay and a client in namespaces: as root, or as anyone who may make
# user namespaces.
demo: build/dhcpd
	go run ./internal/demo build/dhcpd

# The programs that the tests run against, and the tools that look at them.
peers:
	.ci/peers

# Every test, also of the modules below this one, and their count; those that boot
# a machine BOOTS times.
BOOTS = 1

test: peers
	@mkdir -p build
	@BOOTS=$(BOOTS) .ci/test | tee build/test.json | go run ./internal/features $(STRICT)

# The same, and each feature with the tests that prove it.
features: test
	@go run ./internal/features -table $(STRICT) <build/test.json

# Where CI is set, a skipped test is a failure.
STRICT = $(CI:%=-strict)

# Under the race detector: what has goroutines of its own, and at the same time
# dhcpd against its peers. The tests of those need no detector themselves; some
# are of a program that they build otherwise.
race: peers
	@$(MAKE) -j2 -O race-rooms race-peers

race-rooms:
	CGO_ENABLED=1 go test -race -timeout 45m -count=1 $$(grep -rlE --include='*.go' '^\s+go [a-z]' */ | \
		sed 's,^\(.*\)/.*,./\1,' | grep -v -e /peertest -e /oracle -e ^./dist | sort -u)
	CGO_ENABLED=1 go test -race -timeout 45m -count=1 -tags raw ./internal/link

race-peers:
	go test -timeout 45m -count=1 -tags raced -skip '^TestN1_Foreign|^TestN1_ReadOnly|^TestN2_FirstProcess|^TestN3_[^E]' ./internal/peertest

# Every fuzz target for FUZZTIME, FUZZJOBS at a time; FUZZ=Name for some only.
fuzz-long: FUZZTIME = 10m
fuzz fuzz-long:
	@.ci/fuzz $(FUZZTIME) $(FUZZJOBS) $(FUZZ)

# Each part of dhcpd in turns with the least that could stand in its place,
# about three minutes, as root; build/bench -only PART for less. Built as the
# product is.
bench: build/dhcpd build/bench
	build/bench build/dhcpd
	@echo; echo "codec, against github.com/insomniacslk/dhcp"
	@cd internal/oracle && go test -run '^$$' -bench . -benchmem -benchtime 200ms | grep ^Benchmark

build/bench: HOT += internal/bench
build/bench: build/overlay.json FORCE
	$(BUILD) -o $@ ./internal/bench

# A server, a relay and a client at work for SOAK, as root, with clients of all
# kinds coming and going: it fails if they take more and more of anything.
SOAK = 30m
soak: peers build/dhcpd build/soak
	build/soak -for $(SOAK) build/dhcpd

build/soak: FORCE
	@go build -o $@ ./internal/soak

# The benchmarks that stand beside the code.
bench-go:
	go test -run '^$$' -bench . -benchmem ./...

lint:
	@! gofmt -l . | grep .
	go vet ./...
	go vet -tags raw ./internal/link
	go run $(STATICCHECK) ./...
	go run $(STATICCHECK) -tags raw ./internal/link
	@for page in man/*.[58]; do mandoc -T lint -W style $$page; done | (! grep -v 'referenced manual not found')

# A target is an architecture, with its variant: the flags of each, and the
# octets that it may have, stripped.
TARGETS = amd64 arm5 arm7 arm64 mips mipsle riscv64
env_amd64   = GOARCH=amd64
env_arm5    = GOARCH=arm GOARM=5
env_arm7    = GOARCH=arm GOARM=7
env_arm64   = GOARCH=arm64
env_mips    = GOARCH=mips GOMIPS=softfloat
env_mipsle  = GOARCH=mipsle GOMIPS=softfloat
env_riscv64 = GOARCH=riscv64
GATE        = 3000000
gate_mips   = 3400000
gate_mipsle = 3400000
GATE_XZ     = 1000000

cross: $(TARGETS:%=build/dhcpd-%)

# Of another architecture with GOARCH= and what goes with it, by any name.
build/dhcpd-%: build/overlay.json FORCE
	$(if $(env_$*)$(GOARCH),,$(error there is no target $*, but $(TARGETS); for another one say GOARCH=))
	@$(env_$*) $(BUILD) -o $@ ./cmd/dhcpd

size: cross
	@.ci/size $(GATE_XZ) $(foreach t,$(TARGETS),$t:$(or $(gate_$t),$(GATE)))

clean:
	rm -rf build
