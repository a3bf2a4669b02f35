package swarm

import (
	"crypto/sha1"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/piecepicker"
	"github.com/seedserver/bittorrent/seedserver/storage"
)

// A claimant is a peer that says it has everything, and then does what its kind does.
type claimant struct {
	conn net.Conn

	mu       sync.Mutex
	heard    []string // our interest, in order
	requests []peerwire.Request
	err      error
}

// claim connects a claimant. answer returns what it answers a request with, nil for nothing.
func claim(t *testing.T, s *Swarm, addr string, unchokes bool, answer func(peerwire.Request) peerwire.Message) *claimant {
	t.Helper()
	ours, theirs := net.Pipe()
	c := &claimant{conn: theirs}
	require.True(t, s.admit(t.Context(), admission{
		conn: ours, addr: netip.MustParseAddrPort(addr), release: func() {}, id: peerwire.NewPeerID("-TE0001-", []byte(addr)),
		reserved: peerwire.NewExtensions(peerwire.Fast),
	}))
	t.Cleanup(func() { theirs.Close() })
	go func() {
		d := peerwire.NewDecoder(theirs, peerwire.DecoderConfig{})
		for {
			m, err := d.Next()
			c.mu.Lock()
			var say peerwire.Message
			switch m := m.(type) {
			case peerwire.Interested:
				c.heard = append(c.heard, "interested")
				if unchokes {
					say = peerwire.Unchoke{}
				}
			case peerwire.NotInterested:
				c.heard = append(c.heard, "not interested")
			case peerwire.Request:
				c.requests = append(c.requests, m)
				say = answer(m)
			}
			c.err = err
			c.mu.Unlock()
			if err != nil {
				return
			}
			if say != nil {
				_, _ = theirs.Write(peerwire.Append(nil, say))
			}
		}
	}()
	_, _ = theirs.Write(peerwire.Append(nil, peerwire.HaveAll{}))
	return c
}

func (c *claimant) gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err != nil
}

func (c *claimant) asked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.requests)
}

func (c *claimant) interests() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard
}

func truth(cfg Config, content *memory) func(peerwire.Request) peerwire.Message {
	return func(r peerwire.Request) peerwire.Message {
		at := int64(r.Index)*cfg.Info.PieceLength + int64(r.Begin)
		return peerwire.Piece{Index: r.Index, Begin: r.Begin, Data: content.data[at : at+int64(r.Length)]}
	}
}

func junk(r peerwire.Request) peerwire.Message {
	return peerwire.Piece{Index: r.Index, Begin: r.Begin, Data: make([]byte, r.Length)}
}

func silence(peerwire.Request) peerwire.Message { return nil }

// hashed gives cfg the hashes of its content.
func hashed(cfg Config, content *memory) Config {
	info := *cfg.Info
	info.Pieces = nil
	for i := range cfg.Info.NumPieces() {
		at := int64(i) * info.PieceLength
		sum := sha1.Sum(content.data[at : at+cfg.Info.PieceSize(i)])
		info.Pieces = append(info.Pieces, sum[:]...)
	}
	cfg.Info = &info
	return cfg
}

// audited runs a torrent of which a lone leech takes everything, 12.5 MiB in 50 s, so that there is something to spend on audits.
func audited(t *testing.T, change func(*Config)) (*Swarm, Config, *memory) {
	cfg, content := hidden(400)
	cfg = hashed(cfg, content)
	if change != nil {
		change(&cfg)
	}
	s := start(t, cfg)
	join(t, s, "203.0.113.1:1", true)
	return s, cfg, content
}

func statusOf(t *testing.T, s *Swarm, addr string) PeerStatus {
	st, ok := s.Status()
	require.True(t, ok)
	for _, p := range st.Peers {
		if p.Addr == netip.MustParseAddrPort(addr) {
			return p
		}
	}
	require.Fail(t, "no such peer")
	return PeerStatus{}
}

func TestHonestSeedIsAudited(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var judged []Verdict
		s, cfg, content := audited(t, func(cfg *Config) {
			cfg.Judged = func(addr netip.AddrPort, v Verdict) {
				if addr.Addr() == netip.MustParseAddr("203.0.114.1") {
					judged = append(judged, v)
				} else {
					require.Contains(t, []Verdict{Partner, Unknown}, v)
				}
			}
		})
		seed := claim(t, s, "203.0.114.1:1", true, truth(cfg, content))
		time.Sleep(time.Minute)
		st := statusOf(t, s, "203.0.114.1:1")
		require.Equal(t, piecepicker.AuditRight, st.Audit.State)
		require.Equal(t, piecepicker.Proven, st.Trust)
		require.Equal(t, 3, seed.asked())
		require.Equal(t, []string{"interested", "not interested"}, seed.interests())
		require.False(t, seed.gone())
		all, _ := s.Status()
		require.Equal(t, 1, all.Picker.Audits.Right)
		require.EqualValues(t, 3*block, all.Picker.Audits.Fetched)
		why := strings.Join(all.Why(), "\n")
		require.Contains(t, why, "1 peer claims to have what we did not give them: 1 sent the blocks we asked for. Their copies count,")
		require.Contains(t, why, "sent 3 right blocks we asked for, so its word counts for 4")
		seed.conn.Close()
		synctest.Wait()
		require.Equal(t, []Verdict{Holder, Unknown}, judged)
	})
}

func TestJunkSeedIsBannedOverRestarts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var judged []Verdict
		judge := func(cfg *Config) {
			cfg.Judged = func(addr netip.AddrPort, v Verdict) {
				if addr.Addr() == netip.MustParseAddr("203.0.114.1") {
					judged = append(judged, v)
				}
			}
		}
		s, cfg, _ := audited(t, judge)
		liar := claim(t, s, "203.0.114.1:1", true, junk)
		time.Sleep(time.Minute)
		require.True(t, liar.gone())
		require.Equal(t, 1, liar.asked())
		require.Equal(t, []Verdict{Liar}, judged)

		cfg.Superseed.State = s.Snapshot()
		again := start(t, cfg)
		join(t, again, "203.0.113.1:1", true)
		liar = claim(t, again, "203.0.114.1:2", true, junk)
		time.Sleep(time.Second)
		require.True(t, liar.gone())
		require.Equal(t, []Verdict{Liar, Liar}, judged, "the tracker of the next run has to know, too")
	})
}

// "No answer is no verdict, never liar."
func TestWhoDoesNotAnswerIsNotCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, _, _ := audited(t, nil)
		choked := claim(t, s, "203.0.114.1:1", false, silence)
		silent := claim(t, s, "203.0.115.1:1", true, silence)
		rejecting := claim(t, s, "203.0.116.1:1", true, func(r peerwire.Request) peerwire.Message { return peerwire.Reject(r) })
		time.Sleep(2 * time.Minute)
		require.Equal(t, piecepicker.AuditChoked, statusOf(t, s, "203.0.114.1:1").Audit.State)
		require.Equal(t, piecepicker.AuditSilent, statusOf(t, s, "203.0.115.1:1").Audit.State)
		require.Equal(t, piecepicker.AuditSilent, statusOf(t, s, "203.0.116.1:1").Audit.State)
		for _, c := range []*claimant{choked, silent, rejecting} {
			require.False(t, c.gone())
		}
		st, _ := s.Status()
		require.Equal(t, 3, st.Picker.Audits.Claims)
		require.Zero(t, st.Picker.Liars)
		require.Zero(t, choked.asked())
		why := strings.Join(st.Why(), "\n")
		require.Contains(t, why, "3 peers claim to have what we did not give them: 1 asked, waiting for a slot, 2 asked, without an answer. "+
			"None of that counts: the rate does not fall for it.\nAudits have fetched 0 B;")
		require.Contains(t, why, "chokes us, so that we cannot ask it to show what it has: no verdict.")
		require.Regexp(t, `203.0.115.1:1 .* did not answer 1 of [12] requests?: no verdict`, why)
		require.Regexp(t, `203.0.116.1:1 .* did not answer [345] of [345] requests: no verdict`, why, "who says no is asked again sooner")
	})
}

// Whom we call a liar must not depend on bytes of ours that are not the torrent's.
func TestBytesThatAreNotOursMakeNoLiar(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, _, content := audited(t, nil)
		time.Sleep(30 * time.Second)
		seed := claim(t, s, "203.0.114.1:1", true, truth(s.cfg, &memory{data: content.data}))
		content.flipped.Store(true)
		time.Sleep(2 * time.Minute)
		require.NotZero(t, seed.asked())
		require.False(t, seed.gone())
		require.Equal(t, piecepicker.AuditSilent, statusOf(t, s, "203.0.114.1:1").Audit.State)
	})
}

func TestUnreadableContentIsNoVerdict(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, err := range []error{errDisk, &storage.ChangedError{}} {
			changed := 0
			s, cfg, content := audited(t, func(cfg *Config) { cfg.Changed = func(error) { changed++ } })
			time.Sleep(40 * time.Second)
			content.fail(err)
			seed := claim(t, s, "203.0.114.1:1", true, truth(cfg, content))
			time.Sleep(time.Minute)
			require.False(t, seed.gone())
			require.NotEqual(t, piecepicker.Liar, statusOf(t, s, "203.0.114.1:1").Trust)
			if errors.Is(err, storage.ErrChanged) {
				require.Equal(t, 1, changed)
			}
		}
	})
}
