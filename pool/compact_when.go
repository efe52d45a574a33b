package pool

// When to compact: not a file so small that it is not worth the wear, and then
// one that is so many times as long as what counts; or only twice, if that is
// long or the disk has little room left.
const (
	compactFloor  = 256 << 10 // octets
	compactFactor = 4
	compactDead   = 100_000  // lines
	lookEvery     = 16 << 10 // octets of the file between looks at the room on the disk
)

// worthwhile tells whether to compact the file if so many of its lines count.
func (f *File) worthwhile(live int) bool {
	switch {
	case f.lines < max(f.patience, min(f.factor, 2)*live):
		return false
	case f.end >= f.floor && f.lines >= min(f.factor*live, max(2*live, live+compactDead)):
		return true
	case f.end < f.looked+lookEvery:
		return false
	}
	// What counts is half of the file at most: now it fits beside it still.
	f.looked = f.end
	return f.disk.Room(f.path) < f.end+lookEvery
}

// startCompaction has a helper begin when it is time for that.
func (f *File) startCompaction(live int) {
	if f.compacting || live == 0 || !f.worthwhile(live) || f.corrupt != nil || f.distrust != nil || !f.opened {
		return
	}
	f.compacting = true
	c := &compaction{disk: f.disk, name: f.path + compactName, src: f.f, upto: f.end, stamp: f.written}
	go func() {
		c.err = c.run()
		f.compacted <- c
		select {
		case f.look <- struct{}{}:
		default: // it will look anyway
		}
	}()
}

// finishCompaction does the last part, if the helper is done with the first.
// An error means that we no longer know which file we have; that there is no
// smaller one is only worth a notice.
func (f *File) finishCompaction(changes *Changes) error {
	if len(f.compacted) == 0 {
		return nil
	}
	c := <-f.compacted
	f.compacting = false
	if c.src != f.f || f.distrust != nil { // another file has taken its place, or is to do so
		c.drop()
		return nil
	}
	err := c.err
	if err == nil {
		err = c.rest(f.end)
	}
	if err != nil {
		c.drop()
	} else {
		c.dst.stamp = f.written
		err = f.replace(c.dst)
	}
	if err != nil && f.distrust == nil {
		changes.note("can't compact: " + err.Error())
		// Soon again: a small disk that was full for a moment must not be filled
		// for good by what is outdated.
		f.patience, f.looked = f.lines+f.lines/8, 0
	}
	return f.distrust
}

// drop throws away the new file.
func (c *compaction) drop() {
	if c.dst != nil {
		c.dst.drop()
	}
}
