package swarm

import (
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

// Snapshot returns what [Superseed].State of the next Swarm of this torrent needs to go on where this one is: which pieces ever
// left, and what is known of addresses. It returns the last state once Run has ended, and nil before Run or without
// Config.Superseed. Who may call it is as for Peers.
func (s *Swarm) Snapshot() []byte {
	state, ok := ask(s, func(l *loop, now time.Time) []byte { return l.policy.snapshot(now) })
	if ok {
		return state
	}
	select {
	case <-s.done:
		return s.last
	default:
		return nil
	}
}

// Status is what the picker of a torrent goes by at a moment. All of it is a copy.
type Status struct {
	Revealing bool // pieces are revealed one by one; what follows is zero otherwise
	Mode      piecepicker.Mode
	Picker    piecepicker.Status
	Needed    []NeededPiece // what is to be sent now and is not on loan yet, at most 100 pieces
	Peers     []PeerStatus  // oldest first
}

// A NeededPiece is a piece that is to be sent, and why.
type NeededPiece struct {
	Index uint32
	piecepicker.PieceStatus
}

// A PeerStatus is what the picker knows of a connection.
type PeerStatus struct {
	Addr   netip.AddrPort
	Client string
	piecepicker.PeerStatus
}

// maxNeeded is how many needed pieces a Status lists.
const maxNeeded = 100

// Status returns what decides at this moment what is sent to whom; false when the Swarm does not run. It looks at every piece
// and peer: for people to look at. Who may call it is as for Peers.
func (s *Swarm) Status() (Status, bool) {
	return ask(s, func(l *loop, now time.Time) Status {
		if m, ok := l.policy.(*masquerade); ok {
			return m.status(now, l.oldestFirst())
		}
		return Status{}
	})
}

func (m *masquerade) status(now time.Time, peers []*peer) Status {
	st := Status{Revealing: true, Mode: m.cfg.Superseed.Mode, Picker: piecepicker.Status{Stage: piecepicker.Waiting}}
	if m.picker == nil {
		return st
	}
	st.Picker = m.picker.Status(now)
	for i := range uint32(m.picker.NumPieces()) {
		if len(st.Needed) == maxNeeded || st.Picker.Needed == 0 {
			break
		}
		if piece, _ := m.picker.PieceStatus(now, i); piece.Needed != 0 {
			st.Needed = append(st.Needed, NeededPiece{Index: i, PieceStatus: piece})
		}
	}
	for _, p := range peers {
		status, _ := m.picker.PeerStatus(now, p.number)
		st.Peers = append(st.Peers, PeerStatus{Addr: p.addr, Client: p.name(), PeerStatus: status})
	}
	return st
}
