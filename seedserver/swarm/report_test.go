package swarm

import (
	"encoding/binary"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
)

// later lets time pass, and all that happens in it.
func later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestJoinedAndLeft(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		var joined, left []PeerStat
		cfg.Joined = func(p PeerStat) { joined = append(joined, p) }
		cfg.Left = func(p PeerStat) { left = append(left, p) }
		s, stop := startUntil(t, cfg)
		a := connect(t, s, remoteConfig{fast: true, extended: true, addr: "198.51.100.1:1"})
		a.shakeHands()
		a.send(requests(0, 0, 3)...)
		connect(t, s, remoteConfig{addr: "198.51.100.2:2"})
		require.Len(t, joined, 2)
		require.Equal(t, "198.51.100.1:1", joined[0].Addr.String())
		require.Zero(t, joined[0].Uploaded)
		require.Empty(t, left)

		later(3 * time.Second)
		a.conn.Close()
		later(1100 * time.Millisecond)
		require.Len(t, left, 1)
		require.Equal(t, joined[0].ID, left[0].ID)
		require.Equal(t, joined[0].Connected, left[0].Connected)
		require.EqualValues(t, 3*block, left[0].Uploaded)
		require.Equal(t, "Fake 1.0", left[0].Client)

		stop()
		require.Len(t, left, 2, "at the end, who is still there leaves")
		require.Equal(t, joined[1].ID, left[1].ID)
	})
}

// TestLeftCountsWhatIsOnItsWay: a peer takes some bytes of a write and closes. Those count, and no more.
func TestLeftCountsWhatIsOnItsWay(t *testing.T) {
	for _, taken := range []int{0, 1, 2000, block + 300, 5*block - 1} {
		bubble(t, func(t *testing.T) {
			cfg, _ := torrent(1<<20, 256<<10)
			var left []PeerStat
			sent := 0
			cfg.Left = func(p PeerStat) { left = append(left, p) }
			cfg.Sent = func(_ Class, n int) { sent += n }
			s, stop := startUntil(t, cfg)
			r := connect(t, s, remoteConfig{deaf: true})
			r.send(requests(0, 0, 16)...)
			got := make([]byte, taken)
			_, err := io.ReadFull(r.conn, got)
			require.NoError(t, err)
			r.conn.Close()
			later(1100 * time.Millisecond)
			require.Len(t, left, 1)
			require.EqualValues(t, payload(got), left[0].Uploaded)
			stop()
			require.Equal(t, payload(got), sent)
		})
	}
}

// payload counts the bytes of blocks in a stream of frames, of which the last may be cut.
func payload(stream []byte) (n int) {
	for len(stream) >= 5 {
		size := int(binary.BigEndian.Uint32(stream))
		frame := stream[4:min(4+size, len(stream))]
		const head = 9 // id, index, begin
		if frame[0] == 7 && len(frame) > head {
			n += len(frame) - head
		}
		stream = stream[4+len(frame):]
	}
	return n
}

// TestSentIsToldSoon: what leaves is told within a second, however slowly it goes.
func TestSentIsToldSoon(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		limiter := newGate()
		cfg.Limiter = limiter
		sent := 0
		cfg.Sent = func(_ Class, n int) { sent += n }
		s := start(t, cfg)
		r := connect(t, s, modern)
		r.send(requests(0, 0, 8)...)
		for left := 1; left <= 8; left += 4 {
			later(5500 * time.Millisecond)
			limiter.tokens <- 4 * block
			later(time.Second)
			require.EqualValues(t, s.Stats().Uploaded, sent)
			require.Positive(t, sent)
		}
	})
}

func TestMetadataIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		told, sent := 0, 0
		cfg.SentMetadata = func(n int) { told += n }
		cfg.Sent = func(_ Class, n int) { sent += n }
		s, stop := startUntil(t, cfg)
		r := connect(t, s, modern)
		id := metadataID(t, r)
		r.shakeHands(extension.MetadataName)
		r.send(metadataOf(id, 0), metadataOf(id, 99))
		later(1100 * time.Millisecond)
		require.Equal(t, block, told)
		r.send(append([]peerwire.Message{metadataOf(id, 1), metadataOf(id, 2)}, requests(0, 0, 2)...)...)
		stop()
		require.Equal(t, len(cfg.InfoBytes), told)
		require.Equal(t, 2*block, sent)
	})
}
