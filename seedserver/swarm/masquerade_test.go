package swarm

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
)

// TestMasqueradeOpening: a peer sees a leech that has nothing and wants something, and then one piece.
func TestMasqueradeOpening(t *testing.T) {
	for _, fast := range []bool{true, false} {
		bubble(t, func(t *testing.T) {
			cfg, _ := hidden(20)
			s := start(t, cfg)
			connect(t, s, remoteConfig{fast: true, extended: true, addr: "203.0.113.1:1"}) // or the next one were alone
			r := connect(t, s, remoteConfig{fast: fast, extended: true, addr: "203.0.114.1:1"})
			time.Sleep(time.Second)
			got := r.take()
			h, err := extension.ParseHandshake(got[0].(peerwire.Extended).Payload)
			require.NoError(t, err)
			require.False(t, h.UploadOnly)
			require.NotContains(t, string(got[0].(peerwire.Extended).Payload), "11:upload_onlyi1e")
			got = got[1:]
			if fast {
				require.Equal(t, peerwire.HaveNone{}, got[0])
				got = got[1:]
			}
			require.Equal(t, peerwire.Interested{}, got[0])
			require.Equal(t, peerwire.Unchoke{}, got[1])
			got = got[1:]
			for _, m := range got[1:] {
				require.IsType(t, peerwire.Have{}, m)
			}
			require.Less(t, len(got), 6)
		})
	}
}

// One piece cannot be revealed little by little.
func TestOnePieceIsSeededPlainly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := hidden(1)
		require.Contains(t, connect(t, start(t, cfg), modern).take(), peerwire.Message(peerwire.HaveAll{}))
	})
}

func TestLoneLeechGetsEverythingAtFullRate(t *testing.T) {
	for _, fast := range []bool{true, false} {
		bubble(t, func(t *testing.T) {
			const n = 80
			cfg, _ := hidden(n)
			sent := [Classes]int{}
			cfg.Sent = func(c Class, n int) { sent[c] += n }
			s := start(t, cfg)
			only := friends{join(t, s, "203.0.113.1:1", fast)}
			took := only.awaitComplete(t, time.Minute)
			require.Less(t, took, 11*time.Second, "80 pieces at 8 a second")
			only[0].requireRight()
			later(2 * time.Second)
			require.Equal(t, [Classes]int{Need: int(cfg.Info.Length())}, sent)
		})
	}
}

// Who never says what it got, as some clients do, gets everything all the same.
func TestLoneLeechThatClaimsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := hidden(40)
		p := join(t, start(t, cfg), "203.0.113.1:1", true)
		p.mute = true
		friends{p}.awaitComplete(t, 2*time.Minute)
		p.requireRight()
		require.LessOrEqual(t, p.sent(), cfg.Info.Length())
	})
}

func TestFriendsCostOneCopy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := hidden(160)
		var sent [Classes]int64
		cfg.Sent = func(c Class, n int) { sent[c] += int64(n) }
		s := start(t, cfg)
		all := befriend(t, s, 6)
		took := all.awaitComplete(t, time.Minute)
		require.Less(t, took, 26*time.Second, "160 pieces at 8 a second")
		later(10 * time.Second)
		// A few of the last pieces are offered to somebody else before their first taker has shown them.
		require.LessOrEqual(t, sent[Need], cfg.Info.Length()*104/100)
		require.Zero(t, sent[Plain]+sent[Rescue])
		require.LessOrEqual(t, all.sent(), cfg.Info.Length()*115/100)
		for _, f := range all {
			f.requireRight()
		}
		st, ok := s.Status()
		require.True(t, ok)
		require.Equal(t, 6, st.Picker.Complete)
		require.NotEmpty(t, st.Why())
	})
}

// A fuzzer plays a peer that says anything at any time; whatever it does, we look like a leech, and answer each request once.
type fuzzer struct {
	*leech
	rng *rand.Rand
}

// do plays one thing a peer can do. What it asks for is noted, so that the answers can be counted.
func (f *fuzzer) do() {
	piece := uint32(f.rng.IntN(int(f.numPieces())))
	switch f.rng.IntN(10) {
	case 0:
		f.say(peerwire.Interested{})
	case 1:
		f.say(peerwire.NotInterested{})
	case 2:
		f.gets(piece)
	case 3:
		time.Sleep(time.Duration(f.rng.IntN(3000)) * time.Millisecond)
	case 4:
		f.askFor(piece)
	case 5: // takes back what it asked, or what it did not
		f.mu.Lock()
		var r peerwire.Request
		for r = range f.asked {
			break
		}
		f.mu.Unlock()
		f.say(peerwire.Cancel(r))
	default:
		f.mu.Lock()
		for piece = range f.numPieces() {
			if f.shown.Has(piece) && f.rng.IntN(3) == 0 {
				break
			}
		}
		f.mu.Unlock()
		f.askFor(piece)
	}
}

// askFor asks for a block that it has not asked for: one asked for twice while it is queued is one.
func (f *fuzzer) askFor(piece uint32) {
	all := blocksOf(f.cfg, piece)
	r := all[f.rng.IntN(len(all))]
	f.mu.Lock()
	known := f.asked[r] > 0
	if !known {
		f.asked[r]++
	}
	f.mu.Unlock()
	if !known {
		f.say(r)
	}
}

// TestMasqueradeHolds: "No full bitfield, HAVE_ALL, upload_only or PEX seed flag while masquerading", and each request has one
// answer, whatever peers do in whatever order, pauses included.
func TestMasqueradeHolds(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 10
	}
	for seed := range uint64(rounds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 1))
				cfg, _ := hidden(12)
				s := start(t, cfg)
				all := []*fuzzer{}
				for i := range 3 {
					all = append(all, &fuzzer{join(t, s, fmt.Sprintf("203.0.%d.1:1", i), true), rng})
				}
				for range 300 {
					all[rng.IntN(len(all))].do()
					switch rng.IntN(100) {
					case 0:
						s.Pause()
					case 1, 2:
						s.Resume()
					case 3:
						i := rng.IntN(len(all))
						all[i].requireOnlyRight()
						all[i].conn.Close()
						all[i] = &fuzzer{join(t, s, fmt.Sprintf("203.0.%d.1:1", rng.IntN(5)), true), rng}
					}
				}
				s.Resume()
				time.Sleep(time.Minute) // all that was granted has left
				for _, f := range all {
					f.requireRight()
				}
			})
		})
	}
}

// requireOnlyRight is requireRight without the answers that are still to come.
func (s *leech) requireOnlyRight() {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Empty(s.t, s.wrong)
}

// TestWhatArrivesBeforeItsWriterIsBackIsOurs: a chunk holds several pieces, and a peer says that it has the first while the last is still being
// written.
func TestWhatArrivesBeforeItsWriterIsBackIsOurs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const addr = "203.0.115.1:1"
		cfg, _ := hidden(64)
		s := start(t, cfg)
		first := join(t, s, "203.0.113.1:1", true)
		time.Sleep(time.Minute)
		first.conn.Close() // has all of it: it could be had of others
		r := connect(t, s, remoteConfig{fast: true, addr: addr, deaf: true})
		d := peerwire.NewDecoder(r.conn, peerwire.DecoderConfig{MaxBlock: block})
		var shown []uint32
		read := func(blocks int) {
			for blocks > 0 || len(shown) < 2 {
				m, err := d.Next()
				require.NoError(t, err)
				switch m := m.(type) {
				case peerwire.Have:
					shown = append(shown, m.Index)
				case peerwire.Piece:
					blocks--
				}
			}
		}
		_, err := r.conn.Write(peerwire.Append(nil, peerwire.Interested{}))
		require.NoError(t, err)
		read(0)
		for range 10 { // until it is no stranger
			r.send(requests(shown[0], 0, 2)...)
			read(2)
			r.send(peerwire.Have{Index: shown[0]})
			shown = shown[1:]
			read(0)
		}
		require.Equal(t, 10, statusOf(t, s, addr).Served)
		r.send(append(requests(shown[0], 0, 2), requests(shown[1], 0, 2)...)...)
		for range 2 {
			_, err := d.Next()
			require.NoError(t, err)
		}
		r.send(peerwire.Have{Index: shown[0]})
		require.Equal(t, 11, statusOf(t, s, addr).Served)
	})
}
