package swarm

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
	"github.com/seedserver/bittorrent/seedserver/storage"
)

func TestChangedContentStopsSending(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, content := torrent(1<<20, 256<<10)
		var changed []error
		cfg.Changed = func(err error) { changed = append(changed, err) }
		s := start(t, cfg)
		r, other := connect(t, s, modern), connect(t, s, modern)
		r.take()
		other.take()

		content.fail(fmt.Errorf("reading file: %w", storage.ErrChanged))
		ask := requests(0, 0, 3)
		r.send(ask...)
		require.ElementsMatch(t, append([]peerwire.Message{peerwire.Choke{}}, rejects(ask)...), r.take(), "not one byte of it")
		require.Equal(t, []peerwire.Message{peerwire.Choke{}}, other.take())
		require.Len(t, changed, 1)
		require.ErrorIs(t, changed[0], storage.ErrChanged)
		require.True(t, s.Stats().Paused)
		require.Zero(t, s.Stats().Uploaded)

		other.send(ask...)
		require.Equal(t, rejects(ask), other.take())
		require.Len(t, changed, 1, "told once")

		content.heal()
		time.Sleep(time.Minute)
		s.Resume()
		require.Equal(t, []peerwire.Message{peerwire.Unchoke{}}, r.take())
		r.send(ask...)
		require.Equal(t, pieces(cfg, content, ask), r.take())

		content.fail(storage.ErrChanged)
		r.send(ask...)
		synctest.Wait()
		require.Len(t, changed, 2, "and again after Resume")
	})
}

// Changed may call the Swarm that calls it.
func TestChangedMayCallBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, content := torrent(1<<20, 256<<10)
		var s *Swarm
		peers := -1
		cfg.Changed = func(error) {
			peers = len(s.Peers())
			s.Resume()
		}
		s = start(t, cfg)
		r := connect(t, s, modern)
		content.fail(storage.ErrChanged)
		r.send(requests(0, 0, 1)...)
		require.Equal(t, 1, peers)
		require.False(t, s.Stats().Paused)
	})
}

// A peer is told to look elsewhere, and not for ever (BEP 54).
func TestUnreadableContent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, content := torrent(1<<20, 256<<10)
		s := start(t, cfg)
		r, old := connect(t, s, modern), connect(t, s, remoteConfig{})
		r.shakeHands(extension.DontHaveName)
		r.take()
		content.fail(errDisk)
		ask := requests(2, 0, 3)
		r.send(ask...)
		dontHave := peerwire.Extended{ID: 1, Payload: []byte{0, 0, 0, 2}}
		require.ElementsMatch(t, append(rejects(ask), dontHave), r.take())
		require.False(t, s.Stats().Paused, "an error of the disk may pass")

		old.take()
		old.send(ask...)
		require.Empty(t, old.take(), "it has no way to be told")

		content.heal()
		r.send(ask...)
		require.Equal(t, pieces(cfg, content, ask), r.take())

		content.fail(errDisk)
		for range maxStrikes {
			r.send(ask...)
		}
		require.True(t, r.closed())
		require.False(t, old.closed())
	})
}

// metadataOf asks for one piece of the info dict.
func metadataOf(id uint8, piece uint32) peerwire.Message {
	payload := extension.Metadata{Type: extension.MetadataRequest, Piece: piece}.AppendTo(nil)
	return peerwire.Extended{ID: id, Payload: payload}
}

func metadataID(t *testing.T, r *remote) uint8 {
	h, err := extension.ParseHandshake(r.take()[0].(peerwire.Extended).Payload)
	require.NoError(t, err)
	return h.IDs.ID(extension.MetadataName)
}

// A peer that comes by a magnet link can tell neither pieces nor interest before it has the info dict (BEP 9).
func TestMetadataComesBeforeInterest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		cfg.UploadSlots = 1
		s := start(t, cfg)
		connect(t, s, modern)
		r := connect(t, s, modern)
		id := metadataID(t, r)
		r.shakeHands(extension.MetadataName)
		var metadata []byte
		for piece := range uint32(3) {
			r.send(metadataOf(id, piece))
			m, err := extension.ParseMetadata(r.take()[0].(peerwire.Extended).Payload)
			require.NoError(t, err)
			require.Equal(t, extension.MetadataData, m.Type)
			require.EqualValues(t, len(cfg.InfoBytes), m.TotalSize)
			metadata = append(metadata, m.Data...)
		}
		require.Equal(t, cfg.InfoBytes, metadata)
	})
}

func TestMetadataOfManyPiecesAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		cfg.InfoBytes = make([]byte, 3<<20) // 192 pieces: a directory of many files
		r := connect(t, start(t, cfg), modern)
		id := metadataID(t, r)
		r.shakeHands(extension.MetadataName)
		var ask []peerwire.Message
		for piece := range uint32(192) {
			ask = append(ask, metadataOf(id, piece))
		}
		r.send(ask...)
		require.Len(t, r.take(), 192)
	})
}

// "Clients MAY implement flood protection by rejecting request messages after a certain number of them have been served"
// (BEP 9).
func TestMetadataFlood(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		r := connect(t, start(t, cfg), modern)
		id := metadataID(t, r)
		r.shakeHands(extension.MetadataName)
		data := 0
		for range 10 {
			r.send(metadataOf(id, 0), metadataOf(id, 3), metadataOf(id, 1<<31))
			for _, m := range r.take() {
				answer, err := extension.ParseMetadata(m.(peerwire.Extended).Payload)
				require.NoError(t, err)
				if answer.Type == extension.MetadataData {
					data++
				}
			}
		}
		require.Equal(t, 3, data)
		for range 1000 {
			r.send(metadataOf(id, 0))
		}
		require.True(t, r.closed())
	})
}
