package piecepicker

import "fmt"

// checkInvariants compares everything an Asker keeps twice.
func (a *Asker) checkInvariants() error {
	if err := a.checkScarcity(); err != nil {
		return err
	}
	free, volume := 0, int64(0)
	asked := map[Peer]int{}
	for _, p := range a.parts {
		volume += p.size
		free += p.free
		if err := a.checkBegun(p, asked); err != nil {
			return fmt.Errorf("piece %d: %w", p.index, err)
		}
	}
	switch {
	case free != a.free:
		return fmt.Errorf("%d blocks free, %d counted", free, a.free)
	case volume != a.volume:
		return fmt.Errorf("%d bytes begun, %d counted", volume, a.volume)
	case len(a.parts) != len(a.byIndex):
		return fmt.Errorf("%d pieces begun, %d by index", len(a.parts), len(a.byIndex))
	case a.numPieces-a.have.count() != a.missing:
		return fmt.Errorf("%d pieces missing, %d counted", a.numPieces-a.have.count(), a.missing)
	case len(a.scarce.order)+len(a.parts) != a.missing:
		return fmt.Errorf("%d pieces to begin and %d begun of %d missing", len(a.scarce.order), len(a.parts), a.missing)
	}
	seeds := 0
	for id, q := range a.peers {
		useful := 0
		each(q.have, func(i uint32) {
			if !a.have.has(i) {
				useful++
			}
		})
		if q.complete {
			seeds++
		}
		if useful != q.useful || q.have.count() != q.held {
			return fmt.Errorf("peer %d has %d useful pieces, %d counted", id, useful, q.useful)
		}
		if q.asked.len() != asked[id] {
			return fmt.Errorf("peer %d was asked for %d blocks, %d of them know", id, q.asked.len(), asked[id])
		}
	}
	if seeds != a.seeds {
		return fmt.Errorf("%d seeds, %d counted", seeds, a.seeds)
	}
	return nil
}

func (a *Asker) checkBegun(p *begun, asked map[Peer]int) error {
	free, left := 0, 0
	for i := range p.blocks {
		b := &p.blocks[i]
		switch b.state {
		case blockFree:
			free++
			left++
			if i < p.cursor {
				return fmt.Errorf("block %d is free, before the cursor", i)
			}
		case blockRequested:
			left++
			for _, id := range b.askers {
				if id != 0 {
					asked[id]++
				}
			}
		}
		if (b.state == blockFree) != (b.askers[0] == 0) {
			return fmt.Errorf("block %d of state %d has asker %d", i, b.state, b.askers[0])
		}
	}
	if free != p.free || left != p.left {
		return fmt.Errorf("%d free and %d left, %d and %d counted", free, left, p.free, p.left)
	}
	return nil
}

func (a *Asker) checkScarcity() error {
	s := &a.scarce
	counts := make([]uint16, a.numPieces)
	for _, q := range a.peers {
		each(q.have, func(i uint32) { counts[i]++ })
	}
	for i, c := range counts {
		if c != s.count[i] {
			return fmt.Errorf("piece %d is at %d peers, %d counted", i, c, s.count[i])
		}
		inside := !a.have.has(uint32(i)) && a.byIndex[uint32(i)] == nil
		if inside != s.contains(uint32(i)) {
			return fmt.Errorf("piece %d is in order: %v", i, !inside)
		}
		if !inside {
			continue
		}
		at := s.rank[i]
		if s.order[at] != uint32(i) || at < s.first[c] || at >= s.end(int(c)) {
			return fmt.Errorf("piece %d of %d peers is at %d of %v", i, c, at, s.first)
		}
	}
	return nil
}
