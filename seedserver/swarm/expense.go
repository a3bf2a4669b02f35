package swarm

import "github.com/seedserver/bittorrent/peerwire"

// maxExpense is how many times the length of a piece one peer is sent of it: once is what it needs, more often if what it got from
// others was not right.
const maxExpense = 3

// An expense is what a revealed piece costs for one peer that does not say that it has it.
type expense struct {
	granted int64 // bytes
	sent    int64
}

// spends notes that the block r of a piece of so many bytes is granted, or reports false: the same blocks were asked for again
// and again.
func (p *peer) spends(r peerwire.Request, size int64) bool {
	e := p.spent[r.Index]
	if e == nil {
		if p.spent == nil {
			p.spent = map[uint32]*expense{}
		}
		e = &expense{}
		p.spent[r.Index] = e
	}
	if e.granted+int64(r.Length) > maxExpense*size {
		return false
	}
	e.granted += int64(r.Length)
	return true
}

// unspend takes back what was granted and not sent: p is choked.
func (p *peer) unspend() {
	for _, e := range p.spent {
		e.granted = e.sent
	}
}
