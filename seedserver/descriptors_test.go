package seedserver

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestShareDescriptors: whatever the limit, nobody is left without, and from some hundreds on nobody can take another's share.
func TestShareDescriptors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 1<<21).Draw(t, "limit")
		wanted := rapid.IntRange(-1, 100_000).Draw(t, "wanted")
		d := shareDescriptors(limit, wanted)
		require.Positive(t, d.files)
		require.Positive(t, d.http)
		if wanted != 0 {
			require.Positive(t, d.peers)
		}
		if wanted >= 0 {
			require.LessOrEqual(t, d.peers, wanted)
		}
		if limit >= 512 {
			require.LessOrEqual(t, d.peers+d.files+d.http+ownDescriptors, limit)
		}
		if limit >= needDescriptors(wanted) {
			require.Equal(t, max(wanted, d.peers), d.peers, "as many as are wanted")
		}
	})
	require.Equal(t, descriptors{peers: 5000, files: 8192, http: 52280}, shareDescriptors(65536, 5000))
	require.Equal(t, descriptors{peers: 640, files: 128, http: 192}, shareDescriptors(1024, 5000))
	require.Equal(t, 4000, shareDescriptors(65536, 5000).torrentPeers())
	require.Equal(t, 1, shareDescriptors(1, 5000).torrentPeers())
}

func TestShortDescriptorsAreSaid(t *testing.T) {
	var log bytes.Buffer
	troubles := newTroubles(slog.New(slog.NewTextHandler(&log, nil)))
	require.Equal(t, 10, newDescriptors(10, troubles).peers)
	require.Empty(t, log.String())
	require.Empty(t, troubles.list())
	if openFileLimit() == 0 {
		return // there is none to be short
	}
	require.Less(t, newDescriptors(1<<30, troubles).peers, 1<<30)
	require.Contains(t, log.String(), "ulimit -n")
	require.Len(t, troubles.list(), 1)
}
