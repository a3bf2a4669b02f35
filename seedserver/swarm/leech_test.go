package swarm

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
)

// hidden returns the Config of a torrent of n pieces, each of two blocks, that are revealed one by one, at 8 pieces a second.
func hidden(n int64) (Config, *memory) {
	cfg, content := torrent(n*2*block, 2*block)
	cfg.Superseed = &Superseed{MaxRate: 8 * 2 * block}
	cfg.Limiter = &steady{perSecond: 8 * 2 * block}
	return cfg, content
}

// A leech is a peer that takes what it is shown, and checks what every leech may expect of us. It asks for the blocks of one
// piece after the other, and says that it has a piece when it has all of them.
type leech struct {
	t    *testing.T
	conn net.Conn
	cfg  Config
	fast bool
	// gained, if set, is called for each piece that it got from us, from another goroutine.
	gained func(piece uint32)
	// mute keeps it from saying what it has.
	mute bool

	mu       sync.Mutex
	have     *peerwire.Bitfield
	shown    *peerwire.Bitfield
	unchoked bool
	last     peerwire.Message         // that it heard
	asked    map[peerwire.Request]int // unanswered, how often
	bytes    int64                    // payload it was sent
	wrong    []string                 // what we did that we must not
	err      error                    // how the connection ended
}

func (s *leech) numPieces() uint32 { return uint32(s.cfg.Info.NumPieces()) }

// join connects a leech from addr to s.
func join(t *testing.T, s *Swarm, addr string, fast bool) *leech {
	t.Helper()
	return joinAnd(t, s, addr, fast, nil)
}

// joinAnd is join for a leech with gained.
func joinAnd(t *testing.T, s *Swarm, addr string, fast bool, gained func(piece uint32)) *leech {
	t.Helper()
	ours, theirs := net.Pipe()
	n := uint32(s.cfg.Info.NumPieces())
	p := &leech{
		t: t, conn: theirs, cfg: s.cfg, fast: fast, gained: gained,
		have: peerwire.NewBitfield(n), shown: peerwire.NewBitfield(n), asked: map[peerwire.Request]int{},
	}
	a := admission{
		conn: ours, addr: netip.MustParseAddrPort(addr), release: func() {},
		id: peerwire.NewPeerID("-TR4000-", fmt.Appendf(nil, "%012d", serial.Add(1))), reserved: peerwire.NewExtensions(peerwire.ExtensionProtocol),
	}
	if fast {
		a.reserved.Set(peerwire.Fast)
	}
	require.True(t, s.admit(t.Context(), a))
	t.Cleanup(func() { theirs.Close() })
	go p.listen()
	h := extension.Handshake{IDs: extension.NewIDs(extension.MetadataName), V: "Leech 1.0"}
	p.say(peerwire.Extended{Payload: h.AppendTo(nil)})
	if fast {
		p.say(peerwire.HaveNone{})
	}
	return p
}

// say sends messages; whoever does not read them has gone.
func (s *leech) say(messages ...peerwire.Message) {
	var b []byte
	for _, m := range messages {
		b = peerwire.Append(b, m)
	}
	s.sayBytes(b)
}

func (s *leech) sayBytes(b []byte) { _, _ = s.conn.Write(b) }

func (s *leech) listen() {
	d := peerwire.NewDecoder(s.conn, peerwire.DecoderConfig{MaxBlock: 1 << 20})
	for {
		m, err := d.Next()
		s.mu.Lock()
		if err != nil {
			s.err = err
			s.mu.Unlock()
			return
		}
		answer, piece, whole := s.heard(m)
		s.mu.Unlock()
		if len(answer) > 0 {
			s.say(answer...)
		}
		if whole && s.gained != nil {
			s.gained(piece)
		}
	}
}

// heard notes m, and returns what to say to it, and the piece that it made whole.
func (s *leech) heard(m peerwire.Message) (answer []peerwire.Message, piece uint32, whole bool) {
	_, offered := s.last.(peerwire.Have)
	s.last = m
	switch m := m.(type) {
	case peerwire.BitfieldMessage, peerwire.HaveAll, peerwire.AllowedFast, peerwire.Suggest:
		s.wrong = append(s.wrong, fmt.Sprintf("%T of a leech without pieces", m))
	case peerwire.Extended:
		if m.ID == 0 {
			h, err := extension.ParseHandshake(m.Payload)
			if err != nil || h.UploadOnly {
				s.wrong = append(s.wrong, fmt.Sprintf("extension handshake %q", m.Payload))
			}
		}
	case peerwire.Have:
		s.shown.Set(m.Index)
		answer = append([]peerwire.Message{peerwire.Interested{}}, s.ask()...)
	case peerwire.Unchoke:
		if s.unchoked && !offered { // after an offer it is a reminder
			s.wrong = append(s.wrong, "unchoked twice")
		}
		s.unchoked = true
		answer = s.ask()
	case peerwire.Choke:
		if !s.unchoked {
			s.wrong = append(s.wrong, "choked twice")
		}
		s.unchoked = false
		if !s.fast {
			clear(s.asked) // "when a peer is choked, its requests are dropped" is how it was before BEP 6
		}
	case peerwire.Reject:
		s.answered(peerwire.Request(m))
	case peerwire.Piece:
		s.bytes += int64(len(m.Data))
		s.answered(peerwire.Request{Index: m.Index, Begin: m.Begin, Length: uint32(len(m.Data))})
		if m.Begin+uint32(len(m.Data)) == uint32(s.cfg.Info.PieceSize(int(m.Index))) && s.have.Set(m.Index) {
			piece, whole = m.Index, true
			if !s.mute {
				answer = append(answer, peerwire.Have{Index: m.Index})
			}
			answer = append(answer, s.ask()...)
		}
	}
	return answer, piece, whole
}

// answered takes r off what is unanswered.
func (s *leech) answered(r peerwire.Request) {
	if s.asked[r] == 0 {
		s.wrong = append(s.wrong, fmt.Sprintf("answer to %+v, which was not asked or answered already", r))
		return
	}
	if s.asked[r]--; s.asked[r] == 0 {
		delete(s.asked, r)
	}
}

// ask returns requests for all that is shown, missing and not asked for.
func (s *leech) ask() (list []peerwire.Message) {
	if !s.unchoked {
		return nil
	}
	for i := range s.numPieces() {
		if !s.shown.Has(i) || s.have.Has(i) {
			continue
		}
		for _, r := range blocksOf(s.cfg, i) {
			if s.asked[r] == 0 {
				s.asked[r]++
				list = append(list, r)
			}
		}
	}
	return list
}

// blocksOf returns the requests for all blocks of a piece.
func blocksOf(cfg Config, index uint32) (list []peerwire.Request) {
	size := uint32(cfg.Info.PieceSize(int(index)))
	for begin := uint32(0); begin < size; begin += block {
		list = append(list, peerwire.Request{Index: index, Begin: begin, Length: min(block, size-begin)})
	}
	return list
}

// gets tells that it got a piece from the swarm.
func (s *leech) gets(index uint32) {
	s.mu.Lock()
	fresh := s.have.Set(index)
	s.mu.Unlock()
	if fresh {
		s.say(peerwire.Have{Index: index})
	}
}

// count returns how many pieces it has.
func (s *leech) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.have.Count())
}

// sent returns the payload it was sent.
func (s *leech) sent() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

func (s *leech) gone() bool {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err != nil
}

// owed returns how many of its requests are unanswered.
func (s *leech) owed() int {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// requireRight fails the test if we did anything that we must not, or owe an answer for longer than it takes to send it.
func (s *leech) requireRight() {
	s.t.Helper()
	for range 60 {
		if s.owed() == 0 || !s.fast || s.gone() {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Empty(s.t, s.wrong)
	if s.fast && s.err == nil {
		// "every request is guaranteed to result in EXACTLY ONE response which is either the corresponding reject or piece message" (BEP 6)
		require.Empty(s.t, s.asked, "unanswered")
	}
}

// friends are leeches that give each other whatever one of them gets, a second later.
type friends []*leech

// befriend connects n of them, each in a network of its own.
func befriend(t *testing.T, s *Swarm, n int) friends {
	all := make(friends, n)
	var there sync.WaitGroup // all of them
	there.Add(1)
	gained := func(piece uint32) {
		go func() {
			time.Sleep(time.Second)
			there.Wait()
			for _, other := range all {
				other.gets(piece)
			}
		}()
	}
	for i := range all {
		all[i] = joinAnd(t, s, fmt.Sprintf("203.0.%d.1:6881", i), true, gained)
	}
	there.Done()
	t.Cleanup(func() { time.Sleep(2 * time.Second) }) // what they still tell each other
	return all
}

// awaitComplete waits until all have everything, at most d, and returns how long that took.
func (all friends) awaitComplete(t *testing.T, d time.Duration) time.Duration {
	t.Helper()
	start := time.Now()
	for {
		least := int(all[0].numPieces())
		for _, f := range all {
			least = min(least, f.count())
		}
		took := time.Since(start)
		if least == int(all[0].numPieces()) {
			return took
		}
		require.Less(t, took, d, "the last one has %d pieces", least)
		time.Sleep(100 * time.Millisecond)
	}
}

func (all friends) sent() (bytes int64) {
	for _, f := range all {
		bytes += f.sent()
	}
	return bytes
}
