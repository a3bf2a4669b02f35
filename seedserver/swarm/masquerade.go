package swarm

import (
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/piecepicker"
	"github.com/seedserver/bittorrent/seedserver/choke"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

// masquerade looks like a leech that has nothing, and lets a picker decide which piece it reveals to whom. The picker is made
// when the first peer comes: a torrent that nobody asks for costs no more than its saved state.
type masquerade struct {
	cfg    *Config
	limits piecepicker.Limits
	state  []byte              // until there is a picker
	picker *piecepicker.Picker // nil before the first peer
	peers  []*peer             // by the picker's number

	paused  bool
	quiet   time.Time // nothing is decided before, while it is not zero
	ordered []piecepicker.Decision
	made    []decision
	assist  int64 // rate the limiter of that class has
}

// flipTime is the least time between a choke and an unchoke that follows it: some clients take no notice of two in one burst.
const flipTime = 10 * time.Second

// smoothTime is how long what was promised takes to leave, about, where only the limiter of its class holds it back: the picker offers no
// more than the throttle leaves, but a piece that trickles is taken for a stall by who waits for it, and the throttle may leave less by
// the time that many are asked for.
const smoothTime = 2 * time.Second

func newMasquerade(cfg *Config) *masquerade {
	s := cfg.Superseed
	return &masquerade{cfg: cfg, state: s.State, limits: piecepicker.Limits{MaxRate: s.MaxRate}, peers: make([]*peer, 1)}
}

// open makes the picker.
func (m *masquerade) open(now time.Time) {
	var seed [32]byte
	crand.Read(seed[:])
	m.picker = piecepicker.New(piecepicker.Config{
		Length: m.cfg.Info.Length(), PieceLength: m.cfg.Info.PieceLength, Mode: m.cfg.Superseed.Mode, MaxRate: m.limits.MaxRate,
	}, rand.New(rand.NewChaCha8(seed)))
	m.picker.SetLimits(now, m.limits)
	if len(m.state) > 0 {
		if err := m.picker.Restore(now, m.state); err != nil {
			m.cfg.logger().Warn("what was known of a torrent's swarm is lost", "infohash", m.cfg.InfoHash, "err", err)
		}
	}
	m.state = nil
}

func (m *masquerade) join(now time.Time, p *peer) showing {
	if m.picker == nil {
		m.open(now)
	}
	p.number = m.picker.PeerJoined(now, piecepicker.PeerInfo{Addr: p.addr.Addr(), Patience: patience(p.name())})
	for int(p.number) >= len(m.peers) {
		m.peers = append(m.peers, nil)
	}
	m.peers[p.number] = p
	m.judge(now, p)
	return showNothing
}

func (m *masquerade) leave(now time.Time, p *peer) {
	m.unjudge(now, p)
	m.picker.PeerLeft(now, p.number)
	m.peers[p.number] = nil
}

func (m *masquerade) interest(now time.Time, p *peer) {
	m.picker.PeerInterested(now, p.number, p.interested)
}
func (m *masquerade) has(now time.Time, p *peer, index uint32) {
	if p.spent[index] != nil { // some of it may have arrived before its writer is back
		m.picker.Leaving(now, p.number, index, p.out.leavingOf(index))
		delete(p.spent, index)
	}
	m.picker.PeerHas(now, p.number, index)
	m.judge(now, p)
}
func (m *masquerade) hasBits(now time.Time, p *peer, bits []byte) {
	m.picker.PeerBitfield(now, p.number, bits)
	m.judge(now, p)
}
func (m *masquerade) hasAll(now time.Time, p *peer) {
	m.picker.PeerHaveAll(now, p.number)
	m.judge(now, p)
}
func (m *masquerade) hasNone(now time.Time, p *peer) { m.picker.PeerHaveNone(now, p.number) }
func (m *masquerade) uploadOnly(now time.Time, p *peer) {
	m.picker.PeerUploadOnly(now, p.number, p.uploadOnly)
	m.picker.SetPatience(now, p.number, patience(p.name()))
}
func (m *masquerade) sent(*peer, int64)                      {}
func (m *masquerade) lags(now time.Time, p *peer, late bool) { m.picker.PeerLags(now, p.number, late) }
func (m *masquerade) advance(time.Time, choke.Load)          {}
func (m *masquerade) deadline() time.Time                    { return time.Time{} }

func (m *masquerade) grants(now time.Time, p *peer, r peerwire.Request) (Class, bool) {
	class, ok := m.picker.Requested(now, p.number, r.Index)
	p.passesOn.Store(m.picker.TrustOf(p.number) == piecepicker.Proven)
	return Class(class), ok && p.spends(r, m.cfg.Info.PieceSize(int(r.Index)))
}

func (m *masquerade) cancelled(now time.Time, p *peer) { m.picker.Cancelled(now, p.number) }

func (m *masquerade) blocksSent(now time.Time, p *peer, r run) {
	m.picker.BlockSent(now, p.number, r.index, r.begin, r.bytes())
	if e := p.spent[r.index]; e != nil {
		e.sent += int64(r.bytes())
	}
}

// pause chokes who was unchoked. The picker does not hear of it: its clock goes on, and its decisions wait.
func (m *masquerade) pause(now time.Time) {
	m.paused, m.quiet = true, now.Add(flipTime)
	for _, p := range m.peers {
		if p != nil && p.unchoked {
			p.unspend()
			m.made = append(m.made, decision{p: p, do: doChoke})
		}
	}
}

func (m *masquerade) resume(time.Time) { m.paused = false }

func (m *masquerade) setLimits(now time.Time, l piecepicker.Limits) {
	m.limits = l
	if m.picker != nil {
		m.picker.SetLimits(now, l)
	}
}

func (m *masquerade) snapshot(now time.Time) []byte {
	if m.picker == nil {
		return m.state
	}
	return m.picker.Snapshot(now)
}

// decisions lets the picker decide, and translates.
func (m *masquerade) decisions(now time.Time) []decision {
	if m.picker == nil || m.paused || now.Before(m.quiet) {
		return m.flush()
	}
	if !m.quiet.IsZero() {
		m.quiet = time.Time{}
		m.unchokeAgain(now)
	}
	m.ordered = m.picker.Tick(now, m.ordered[:0])
	for _, d := range m.ordered {
		p := m.peers[d.Peer]
		if p == nil {
			continue
		}
		switch d.Kind {
		case piecepicker.KindOffer:
			if Class(d.Class) == Assist {
				m.setRates(now)
			}
			m.made = append(m.made, decision{p: p, do: doShow, piece: d.Piece})
		case piecepicker.KindUnchoke, piecepicker.KindRemind:
			m.made = append(m.made, decision{p: p, do: doUnchoke})
		case piecepicker.KindChoke:
			p.unspend()
			m.made = append(m.made, decision{p: p, do: doChoke})
		case piecepicker.KindInterest:
			m.made = append(m.made, decision{p: p, do: doInterest})
		case piecepicker.KindDisinterest:
			m.made = append(m.made, decision{p: p, do: doDisinterest})
		case piecepicker.KindAsk:
			m.made = append(m.made, decision{p: p, do: doAsk, block: peerwire.Request(d.Block)})
		case piecepicker.KindDrop:
			m.made = append(m.made, decision{p: p, do: doDrop, reason: fmt.Errorf("given up: %v", d.Reason)})
		}
	}
	return m.flush()
}

func (m *masquerade) flush() []decision {
	made := m.made
	m.made = m.made[:0]
	return made
}

// unchokeAgain takes back the chokes of a pause.
func (m *masquerade) unchokeAgain(now time.Time) {
	for _, p := range m.peers {
		if p == nil || p.unchoked {
			continue
		}
		if st, ok := m.picker.PeerStatus(now, p.number); ok && st.Unchoked {
			m.made = append(m.made, decision{p: p, do: doUnchoke})
		}
	}
}

func (m *masquerade) next(now time.Time) time.Time {
	switch {
	case m.picker == nil || m.paused:
		return time.Time{}
	case now.Before(m.quiet):
		return m.quiet
	}
	return m.picker.Next(now)
}

// setRates sets the rate of the one class that is smoothed. Need has all there is, and so have peers in distress that pass
// pieces on; what the others may have is counted by the picker in whole pieces.
func (m *masquerade) setRates(now time.Time) {
	limiter := m.cfg.ClassLimiters[Assist]
	if limiter == nil {
		return
	}
	rate := m.picker.Rates(now).Assist
	if rate == piecepicker.Unlimited {
		rate = 0
	} else {
		rate = max(rate, max(m.picker.InFlight(), m.cfg.Info.PieceLength)/int64(smoothTime/time.Second), 1)
	}
	if rate != m.assist {
		m.assist = rate
		limiter.SetRate(rate)
	}
}

// keepsSeeds is true: a complete peer is a holder to count on, and does not know that we are complete too.
func (m *masquerade) keepsSeeds() bool { return true }

// usefulSeeds is how many complete peers are kept when others want their place.
const usefulSeeds = 5

// expendable returns, first of all, a peer that is not what it says, then one that keeps what it takes, then a complete one
// beyond a few. The newest among equals goes, so that nobody can push others out by coming back.
func (m *masquerade) expendable(now time.Time, peers map[*peer]struct{}) *peer {
	const useful = 100
	var worst *peer
	worstRank, complete := useful, 0
	for p := range peers {
		if p.wantsNothing() {
			complete++
		}
	}
	for p := range peers {
		if now.Sub(p.connected) < staleTimeout {
			continue
		}
		rank := useful
		st, _ := m.picker.PeerStatus(now, p.number)
		switch {
		case st.Trust == piecepicker.Liar || p.number == 0:
			rank = 1
		case st.Trust == piecepicker.Claimant:
			rank = 2
		case st.Trust == piecepicker.Hoarder:
			rank = 3
		case p.wantsNothing() && complete > usefulSeeds:
			rank = 4
		}
		if rank < worstRank || rank == worstRank && worst != nil && p.seq > worst.seq {
			worst, worstRank = p, rank
		}
	}
	return worst
}

// claimsMost is how many peers that say they are complete there are before no more are dialled.
const claimsMost = 200

// dials looks for leeches, and for seeds until as many as are of use have shown that they are: they are holders to count on.
func (m *masquerade) dials(time.Time) func(candidates.Candidate) bool {
	holders, claims := 0, 0
	for _, p := range m.peers {
		if p == nil || !p.wantsNothing() {
			continue
		}
		claims++
		if m.picker.TrustOf(p.number) == piecepicker.Proven {
			holders++
		}
	}
	if holders >= usefulSeeds || claims >= claimsMost {
		return leechesOnly
	}
	return func(candidates.Candidate) bool { return true }
}

// A blocksSent is what a writer tells the loop of blocks that left.
type blocksSent struct {
	p    *peer
	runs []run
}

func (e *blocksSent) apply(l *loop, now time.Time) {
	if e.p.gone {
		return
	}
	for _, r := range e.runs {
		l.policy.blocksSent(now, e.p, r)
	}
}
