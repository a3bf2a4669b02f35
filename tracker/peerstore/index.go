package peerstore

// index finds positions in a table by hash: an open-addressing hash table with
// linear probing, of four bytes a slot. A peer has one slot for its address
// and, if it has an id, one for that.
type index struct {
	slots []slot
	used  int
}

// slot is empty when 0, else
//
//	7 bits of the hash | 1 bit kind | 24 bits position + 1
//
// so that hardly a peer is looked at that is not the one sought.
type slot uint32

type kind uint32

const (
	byAddr kind = 0
	byID   kind = 1

	posBits = 24
	posMask = 1<<posBits - 1
)

func newSlot(hash uint64, k kind, pos int) slot {
	return slot(hash&0x7f)<<(posBits+1) | slot(k)<<posBits | slot(pos+1)
}

func (s slot) pos() int   { return int(s&posMask) - 1 }
func (s slot) kind() kind { return kind(s >> posBits & 1) }

// newIndex returns an index with room for a sixth as many entries again as n.
func newIndex(n int) index { return index{slots: make([]slot, n*7/5+2)} }

// room reports whether a peer can be added with a sixth of the slots left
// empty.
func (x *index) room() bool { return 6*(x.used+2) <= 5*len(x.slots) }

// home is where the probing for a hash begins.
func (x *index) home(hash uint64) int { return int((hash >> 32) * uint64(len(x.slots)) >> 32) }

func (x *index) after(i int) int {
	if i++; i < len(x.slots) {
		return i
	}
	return 0
}

// lookup walks over the slots that may belong to hash.
func (x *index) lookup(hash uint64, k kind) candidates {
	return candidates{x, x.home(hash), newSlot(hash, k, -1)}
}

type candidates struct {
	index *index
	at    int
	label slot
}

// next returns the next position, or -1 after the last.
func (c *candidates) next() int {
	for {
		s := c.index.slots[c.at]
		if s == 0 {
			return -1
		}
		c.at = c.index.after(c.at)
		if s&^posMask == c.label {
			return s.pos()
		}
	}
}

// find returns where a slot is that is in the index.
func (x *index) find(hash uint64, k kind, pos int) int {
	want, i := newSlot(hash, k, pos), x.home(hash)
	for x.slots[i] != want {
		i = x.after(i)
	}
	return i
}

// add puts in a slot. There must be room.
func (x *index) add(hash uint64, k kind, pos int) {
	i := x.home(hash)
	for x.slots[i] != 0 {
		i = x.after(i)
	}
	x.slots[i] = newSlot(hash, k, pos)
	x.used++
}

// repoint changes the position in a slot.
func (x *index) repoint(hash uint64, k kind, from, to int) {
	x.slots[x.find(hash, k, from)] = newSlot(hash, k, to)
}

// drop takes a slot out and closes the gap: slots behind it move up unless that
// would bring them before their home. hashOf returns the hash of a slot.
func (x *index) drop(hash uint64, k kind, pos int, hashOf func(slot) uint64) {
	gap := x.find(hash, k, pos)
	for i := x.after(gap); x.slots[i] != 0; i = x.after(i) {
		if x.distance(x.home(hashOf(x.slots[i])), i) >= x.distance(gap, i) {
			x.slots[gap] = x.slots[i]
			gap = i
		}
	}
	x.slots[gap] = 0
	x.used--
}

// distance is how many steps of probing lead from i to j.
func (x *index) distance(i, j int) int {
	if i <= j {
		return j - i
	}
	return j - i + len(x.slots)
}
