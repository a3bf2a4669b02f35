package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
	"slices"
)

// A crowd counts the addresses of one entry and day without remembering them.
// Each leaves one of 65,536 marks, by a hash under a secret key. How many there
// are follows from how many marks are left: exactly for a few, within some
// percent for a hundred thousand. One mark stands for one address in 65,536, so
// that the marks do not tell who was there.
//
// Marks are kept as a sorted list while that is the shorter form, and as a
// bitmap then: at most 8 KiB.
type crowd struct {
	list  []uint16
	set   []uint64 // nil, or the bitmap in place of list
	n     int      // marks
	dirty bool     // not written yet
}

const (
	marks    = 1 << 16
	maxList  = marks / 16 // as many as take the room of the bitmap
	setBytes = marks / 8
)

// add leaves a mark, and reports whether it is a new one.
func (c *crowd) add(mark uint16) bool {
	if c.set != nil {
		word, bit := &c.set[mark/64], uint64(1)<<(mark%64)
		if *word&bit != 0 {
			return false
		}
		*word |= bit
	} else {
		at, found := slices.BinarySearch(c.list, mark)
		if found {
			return false
		}
		c.list = slices.Insert(c.list, at, mark)
		c.spread()
	}
	c.n++
	c.dirty = true
	return true
}

// spread makes a bitmap of a list that has become as long.
func (c *crowd) spread() {
	if len(c.list) < maxList {
		return
	}
	c.set = make([]uint64, marks/64)
	for _, mark := range c.list {
		c.set[mark/64] |= 1 << (mark % 64)
	}
	c.list = nil
}

// size returns how many addresses have left n marks, most probably ("linear
// counting"). When none is left to make, it counts as if one were.
func size(n int) int64 {
	return int64(math.Round(-marks * math.Log1p(-float64(min(n, marks-1))/marks)))
}

// appendTo appends the marks as they are stored: numbers of 16 bits, or the
// bitmap, little-endian.
func (c *crowd) appendTo(dst []byte) []byte {
	for _, mark := range c.list {
		dst = binary.LittleEndian.AppendUint16(dst, mark)
	}
	for _, word := range c.set {
		dst = binary.LittleEndian.AppendUint64(dst, word)
	}
	return dst
}

// parseCrowd is the inverse of appendTo.
func parseCrowd(b []byte) *crowd {
	c := new(crowd)
	if len(b) == setBytes {
		c.set = make([]uint64, marks/64)
		for i := range c.set {
			c.set[i] = binary.LittleEndian.Uint64(b[8*i:])
			c.n += bits.OnesCount64(c.set[i])
		}
		return c
	}
	for ; len(b) >= 2; b = b[2:] {
		c.add(binary.LittleEndian.Uint16(b))
	}
	c.dirty = false
	return c
}

// crowds are the crowds of all entries on one day, the latest that was seen, unless the clock was set back by more than one.
type crowds struct {
	key  []byte // never changes
	day  Day
	file map[int64]*crowd
}

// saw notes the mark of an address, and returns by how many the entry's number
// of peers grows: 0 for one that was there before.
func (cs *crowds) saw(day Day, file int64, mark uint16) int64 {
	if day == cs.day-1 {
		return 0 // the clock was set back a little; who comes again tomorrow is counted then
	}
	if day != cs.day {
		cs.day, cs.file = day, make(map[int64]*crowd)
	}
	c := cs.file[file]
	if c == nil {
		c = new(crowd)
		cs.file[file] = c
	}
	if !c.add(mark) {
		return 0
	}
	return size(c.n) - size(c.n-1)
}

// mark returns the mark of an address: another one on each day and at each
// entry.
func (cs *crowds) mark(day Day, file int64, addr netip.Addr) uint16 {
	if addr.Is6() && !addr.Is4In6() {
		network, _ := addr.WithZone("").Prefix(64) // fails for no IPv6 address
		addr = network.Addr()
	}
	var b [32 + 4 + 8 + 16]byte
	copy(b[:32], cs.key)
	binary.LittleEndian.PutUint32(b[32:], uint32(day))
	binary.LittleEndian.PutUint64(b[36:], uint64(file))
	ip := addr.As16()
	copy(b[44:], ip[:])
	sum := sha256.Sum256(b[:])
	return binary.LittleEndian.Uint16(sum[:])
}

// storedCrowd is a crowd as it is written.
type storedCrowd struct {
	file  int64
	day   Day
	marks []byte
}

// take returns what is not written yet, and takes it for written.
func (cs *crowds) take() (taken []storedCrowd) {
	for file, c := range cs.file {
		if c.dirty {
			taken = append(taken, storedCrowd{file, cs.day, c.appendTo(nil)})
			c.dirty = false
		}
	}
	return taken
}

// putBack undoes take.
func (cs *crowds) putBack(taken []storedCrowd) {
	for _, t := range taken {
		if c := cs.file[t.file]; c != nil && t.day == cs.day {
			c.dirty = true
		}
	}
}

// writeCrowds records crowds and drops those of other days.
func writeCrowds(ctx context.Context, tx *sql.Tx, taken []storedCrowd) error {
	if len(taken) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM crowd WHERE day <> ?", taken[0].day); err != nil {
		return err
	}
	for _, t := range taken {
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO crowd VALUES (?, ?, ?)", t.file, t.day, t.marks); err != nil {
			return err
		}
	}
	return nil
}

// loadCrowds reads back the crowds of the last day there were any.
func (l *Ledger) loadCrowds(ctx context.Context) error {
	l.crowds.file = make(map[int64]*crowd)
	if err := l.db.QueryRowContext(ctx, "SELECT value FROM secret WHERE name = 'crowd'").Scan(&l.crowds.key); err != nil {
		return err
	}
	rows, err := l.db.QueryContext(ctx, "SELECT file_id, day, marks FROM crowd")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var s storedCrowd
		if err := rows.Scan(&s.file, &s.day, &s.marks); err != nil {
			return err
		}
		l.crowds.day, l.crowds.file[s.file] = s.day, parseCrowd(s.marks)
	}
	return rows.Err()
}
