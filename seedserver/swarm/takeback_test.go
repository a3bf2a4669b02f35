package swarm

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
)

// TestWhatOthersBeganIsTakenBack: who has the beginning of what never left us has it of a liar, and would blame us. It hears that we do not have
// it before each of its requests is refused, those that were granted, too. One that does not understand that gets what it asks for.
func TestWhatOthersBeganIsTakenBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, content := torrent(30*4*block, 4*block)
		cfg.Superseed = &Superseed{}
		s := start(t, cfg)
		r := connect(t, s, remoteConfig{fast: true, extended: true, addr: "203.0.113.1:1"})
		r.shakeHands(extension.DontHaveName)
		r.send(peerwire.Interested{})
		time.Sleep(time.Second)
		shown := haves(r.take())
		require.Greater(t, len(shown), 8)
		i := shown[0]
		ask := append(requests(i, 0, 1), requests(i, 2, 2)...)
		r.send(ask...)
		answers := r.take()
		dontHave := peerwire.Extended{ID: 1, Payload: extension.DontHave{Index: i}.AppendTo(nil)}
		require.Equal(t, peerwire.Message(dontHave), answers[0])
		require.ElementsMatch(t, rejects(ask), answers[1:])
		r.send(requests(shown[1], 0, 4)...)
		require.Equal(t, pieces(cfg, content, requests(shown[1], 0, 4)), r.take())
		require.False(t, r.closed())

		old := connect(t, s, remoteConfig{fast: true, addr: "203.0.114.1:1"})
		old.send(peerwire.Interested{})
		time.Sleep(time.Second)
		rest := requests(haves(old.take())[0], 1, 3)
		old.send(rest...)
		require.Equal(t, pieces(cfg, content, rest), old.take())
	})
}

// TestWhatStopsShortIsTakenBack: the same for a piece of which the end is left out, which shows when the next one is asked for: where somebody sends
// junk, when the leech was sent so many pieces that it would blame us.
func TestWhatStopsShortIsTakenBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, content := hidden(400)
		s := start(t, hashed(cfg, content))
		first := join(t, s, "203.0.113.1:1", true)
		liar := claim(t, s, "203.0.114.1:1", true, junk)
		time.Sleep(time.Minute)
		require.True(t, liar.gone())
		first.conn.Close() // has all of it
		r := connect(t, s, remoteConfig{fast: true, extended: true, addr: "203.0.115.1:1"})
		r.shakeHands(extension.DontHaveName)
		r.send(peerwire.Interested{})
		var shown []uint32
		for range 8 {
			time.Sleep(time.Second)
			shown = append(shown, haves(r.take())...)
			r.send(requests(shown[0], 0, 2)...)
			r.send(peerwire.Have{Index: shown[0]})
			shown = shown[1:]
		}
		time.Sleep(10 * time.Second)
		shown = append(shown, haves(r.take())...)
		short, next := requests(shown[0], 0, 1), requests(shown[1], 0, 2)
		r.send(append(short, next...)...)
		answers := r.take()
		dontHave := peerwire.Extended{ID: 1, Payload: extension.DontHave{Index: shown[0]}.AppendTo(nil)}
		require.Equal(t, peerwire.Message(dontHave), answers[0])
		require.Equal(t, rejects(short), answers[1:2])
	})
}

// haves returns the pieces that are shown.
func haves(messages []peerwire.Message) (shown []uint32) {
	for _, m := range messages {
		if h, ok := m.(peerwire.Have); ok {
			shown = append(shown, h.Index)
		}
	}
	return shown
}
