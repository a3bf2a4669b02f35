package swarm

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedserver/bittorrent/peerwire"
)

// held is a connection whose blocks wait for a token, so that requests stay queued.
func held(t *testing.T, change func(*Config)) (*remote, *gate, Config, *memory) {
	cfg, content := torrent(4<<20, 256<<10)
	limiter := newGate()
	cfg.Limiter = limiter
	if change != nil {
		change(&cfg)
	}
	r := connect(t, start(t, cfg), modern)
	r.take()
	return r, limiter, cfg, content
}

// "Even when a request is cancelled, the peer receiving the cancel should respond with either the corresponding reject or the
// corresponding piece" (BEP 6).
func TestCancelIsAnswered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, limiter, cfg, content := held(t, nil)
		ask := requests(0, 0, 4)
		r.send(ask...)
		r.send(peerwire.Cancel(ask[1].(peerwire.Request)), peerwire.Cancel(ask[1].(peerwire.Request)))
		require.Equal(t, rejects(ask[1:2]), r.take(), "once")
		limiter.tokens <- 4 * block
		require.Equal(t, pieces(cfg, content, []peerwire.Message{ask[0], ask[2], ask[3]}), r.take())
	})
}

func TestRepeatedRequestIsServedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, limiter, cfg, content := held(t, nil)
		ask := requests(0, 0, 4)
		r.send(append(ask, ask...)...)
		limiter.tokens <- 8 * block
		require.Equal(t, pieces(cfg, content, ask), r.take())
		r.send(ask...)
		require.Equal(t, pieces(cfg, content, ask), r.take(), "asked for again after the answer, it is another request")
	})
}

func TestRequestsAboveTheLimitAreRejected(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, limiter, cfg, content := held(t, func(c *Config) { c.MaxRequests = 5 })
		ask := requests(0, 0, 12)
		r.send(ask...)
		require.Equal(t, rejects(ask[5:]), r.take(), "none is dropped in silence: peers count what they asked for")
		limiter.tokens <- 5 * block
		require.Equal(t, pieces(cfg, content, ask[:5]), r.take())
	})
}

// A peer that cannot be told of a refusal waits for it, so its queue is longer.
func TestLongerQueueWithoutFast(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, content := torrent(4<<20, 256<<10)
		limiter := newGate()
		cfg.Limiter, cfg.MaxRequests = limiter, 3
		r := connect(t, start(t, cfg), remoteConfig{})
		r.take()
		ask := requests(0, 0, 16)
		r.send(ask...)
		limiter.tokens <- 16 * block
		require.Equal(t, pieces(cfg, content, ask[:12]), r.take())
	})
}

// "If a peer sends a choke, it MUST reject all requests from the peer to whom the choke was sent … A peer SHOULD choke first and
// then reject requests" (BEP 6).
func TestChokeRejectsWhatIsPending(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, _, _, _ := held(t, nil)
		ask := requests(0, 0, 4)
		r.send(ask...)
		r.s.Pause()
		require.Equal(t, append([]peerwire.Message{peerwire.Choke{}}, rejects(ask)...), r.take())
	})
}

func TestPauseAndResume(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, content := torrent(1<<20, 256<<10)
		s := start(t, cfg)
		r, old := connect(t, s, modern), connect(t, s, remoteConfig{})
		r.take()
		s.Pause()
		s.Pause()
		require.Equal(t, []peerwire.Message{peerwire.Choke{}}, r.take())
		require.True(t, s.Stats().Paused)
		require.Zero(t, s.Stats().Unchoked)
		ask := requests(0, 0, 3)
		r.send(ask...)
		require.Equal(t, rejects(ask), r.take())
		old.take()
		old.send(ask...)
		require.Empty(t, old.take())

		time.Sleep(2 * time.Second)
		s.Resume()
		require.Empty(t, r.take(), "no unchoke on the heels of a choke: rtorrent would stall for good")
		time.Sleep(9 * time.Second)
		require.Equal(t, []peerwire.Message{peerwire.Unchoke{}}, r.take())
		require.False(t, s.Stats().Paused)
		r.send(ask...)
		require.Equal(t, pieces(cfg, content, ask), r.take())
	})
}

// A pause that is over before the loop has looked leaves nothing behind.
func TestPauseForNoTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, limiter, cfg, content := held(t, nil)
		ask := requests(0, 0, 3)
		r.send(ask...)
		r.s.Pause()
		r.s.Resume()
		synctest.Wait()
		limiter.tokens <- 3 * block
		got := r.take()
		if len(got) == 1+len(ask) {
			require.Equal(t, append([]peerwire.Message{peerwire.Choke{}}, rejects(ask)...), got)
			return
		}
		require.Equal(t, pieces(cfg, content, ask), got)
	})
}

// A move is one line of a script against one connection.
type move struct {
	do   string
	n, i int
}

// "Every request is guaranteed to result in EXACTLY ONE response which is either the corresponding reject or corresponding
// piece message" (BEP 6): random scripts of everything that can happen to a request. Requests of a script all differ, so that
// answers can be counted.
func TestEveryRequestGetsOneAnswer(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		script := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) move {
			return move{
				do: rapid.SampledFrom([]string{"request", "request", "request", "cancel", "token", "token", "pause", "resume", "invalid",
					"fail", "heal", "second"}).Draw(t, "do"),
				n: rapid.IntRange(1, 30).Draw(t, "n"),
				i: rapid.IntRange(0, 100).Draw(t, "i"),
			}
		}), 1, 40).Draw(rt, "script")
		var fault string
		bubble(t, func(t *testing.T) { fault = play(t, script) })
		if fault != "" {
			rt.Fatal(fault)
		}
	})
}

// play returns what went wrong.
func play(t *testing.T, script []move) (fault string) {
	r, limiter, cfg, content := held(t, func(c *Config) { c.MaxRequests = 40 })
	// It lets everything through once nobody has tokens to give.
	flow := func(n int) {
		for ; n > 0; n -= block {
			select {
			case limiter.tokens <- block:
			case <-time.After(time.Millisecond):
				return
			}
			synctest.Wait()
		}
	}
	asked := map[peerwire.Request]int{} // and how often answered
	var order []peerwire.Request
	next, invalid := 0, 0
	for _, st := range script {
		switch st.do {
		case "request":
			var list []peerwire.Message
			for range st.n {
				q := peerwire.Request{Index: uint32(next / 16 % 16), Begin: uint32(next % 16 * block), Length: uint32(block - next/256)}
				next++
				asked[q] = 0
				order = append(order, q)
				list = append(list, q)
			}
			r.send(list...)
		case "cancel":
			if len(order) > 0 {
				r.send(peerwire.Cancel(order[st.i%len(order)]))
			}
		case "token":
			flow(st.n * block)
		case "pause":
			r.s.Pause()
		case "resume":
			r.s.Resume()
		case "invalid":
			if invalid++; invalid < maxStrikes {
				q := peerwire.Request{Index: 1000 + uint32(invalid), Length: block}
				asked[q] = 0
				r.send(q)
			}
		case "fail":
			content.fail(errDisk)
		case "heal":
			content.heal()
		case "second":
			time.Sleep(time.Duration(st.n) * time.Second)
		}
	}
	content.heal()
	r.s.Resume()
	for range 100 {
		flow(40 * block)
	}
	if r.closed() {
		return "" // too many failed reads
	}
	for _, m := range r.take() {
		var q peerwire.Request
		switch m := m.(type) {
		case peerwire.Piece:
			var length uint32
			_, err := fmt.Sscan(string(m.Data), &length)
			require.NoError(t, err)
			q = peerwire.Request{Index: m.Index, Begin: m.Begin, Length: length}
			require.Equal(t, pieces(cfg, content, []peerwire.Message{q})[0], m)
		case peerwire.Reject:
			q = peerwire.Request(m)
		default:
			continue
		}
		if _, known := asked[q]; !known {
			return "an answer nobody asked for"
		}
		asked[q]++
	}
	for _, n := range asked {
		if n != 1 {
			return "a request with another number of answers than one"
		}
	}
	return ""
}
