package piecepicker

import "slices"

// maxAskers is how many peers are asked for one block, in the endgame.
const maxAskers = 3

// A begun is a piece that was begun and is not verified.
type begun struct {
	index  uint32
	size   int64
	blocks []block
	free   int  // blocks nobody was asked for
	left   int  // blocks not received; at 0 it is hashed
	cursor int  // no block before is free
	lone   bool // one peer at a time is asked, so that it is known who sent what
	owner  Peer // that peer; 0 for whoever asks first
	over   bool // forgotten: verified, or to be begun anew
}

// A block's life: nobody asked, somebody asked, received.
type block struct {
	state  blockState
	askers [maxAskers]Peer // who was asked, 0 where nobody; when received, who sent it comes first
}

type blockState uint8

const (
	blockFree blockState = iota
	blockRequested
	blockReceived
)

// A place is a block by its number.
type place struct{ index, number uint32 }

func (a *Asker) block(at place) Block {
	begin := int64(at.number) * BlockSize
	return Block{
		Index:  at.index,
		Begin:  uint32(begin),
		Length: uint32(min(BlockSize, a.pieceSize(at.index)-begin)),
	}
}

// place returns where b is, if an Asker would ask for it.
func (a *Asker) place(b Block) (place, bool) {
	at := place{b.Index, b.Begin / BlockSize}
	if int64(b.Index) >= int64(a.numPieces) || int64(b.Begin) >= a.pieceSize(b.Index) || a.block(at) != b {
		return place{}, false
	}
	return at, true
}

// start begins a piece.
func (a *Asker) start(i uint32) *begun {
	a.scarce.remove(i)
	size := a.pieceSize(i)
	n := int((size + BlockSize - 1) / BlockSize)
	p := &begun{index: i, size: size, blocks: make([]block, n), free: n, left: n, lone: a.failed[i] != nil}
	a.parts = append(a.parts, p)
	a.byIndex[i] = p
	a.volume += size
	a.free += n
	return p
}

// mayStart reports whether there is room for another piece. Two may always be begun: one is fetched while one is hashed.
func (a *Asker) mayStart() bool {
	return len(a.parts) < 2 || a.volume+a.cfg.PieceLength <= a.cfg.maxStarted()
}

// end forgets a part: it is verified, or all its blocks are to be asked for anew.
func (a *Asker) end(p *begun) {
	i := slices.Index(a.parts, p)
	a.parts = slices.Delete(a.parts, i, i+1)
	delete(a.byIndex, p.index)
	a.volume -= p.size
	a.free -= p.free
	p.over = true
}

// ask notes that q is asked for a block, free or asked of others.
func (a *Asker) ask(q *supplier, p *begun, number uint32) {
	b := &p.blocks[number]
	if b.state == blockFree {
		b.state = blockRequested
		p.free--
		a.free--
	}
	slot := slices.Index(b.askers[:], 0)
	b.askers[slot] = q.id
	q.asked.push(place{p.index, number})
	q.current = p
}

// unask notes that q will not send a block it was asked for. It stays in q.asked, which is the caller's to change.
func (a *Asker) unask(q *supplier, at place) {
	p := a.byIndex[at.index]
	if p == nil {
		return
	}
	b := &p.blocks[at.number]
	slot := slices.Index(b.askers[:], q.id)
	if b.state != blockRequested || slot < 0 {
		return
	}
	copy(b.askers[slot:], b.askers[slot+1:])
	b.askers[maxAskers-1] = 0
	if b.askers[0] == 0 {
		b.state = blockFree
		p.free++
		a.free++
		p.cursor = min(p.cursor, int(at.number))
	}
}

// A backlog is what a peer was asked for, in order. Answers mostly come in the same.
type backlog struct {
	places []place
	head   int
}

func (q *backlog) len() int     { return len(q.places) - q.head }
func (q *backlog) all() []place { return q.places[q.head:] }
func (q *backlog) clear()       { *q = backlog{places: q.places[:0]} }

func (q *backlog) push(at place) {
	if q.head > 64 && q.head*2 > len(q.places) {
		q.places = q.places[:copy(q.places, q.places[q.head:])]
		q.head = 0
	}
	q.places = append(q.places, at)
}

func (q *backlog) remove(at place) bool {
	i := slices.Index(q.all(), at)
	switch {
	case i < 0:
		return false
	case i == 0:
		q.head++
	default:
		q.places = slices.Delete(q.places, q.head+i, q.head+i+1)
	}
	if q.head == len(q.places) {
		q.clear()
	}
	return true
}
