package seedserver

import (
	"io/fs"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/catalog"
	"github.com/seedserver/bittorrent/seedserver/ledger"
)

// TestRenamedKeepsItsEntry: "new name: a new torrent under the same ledger entry", in whatever order the old torrent is retired.
func TestRenamedKeepsItsEntry(t *testing.T) {
	now := time.Now()
	version := func(path string, hash byte, from string) catalog.Change {
		return catalog.Change{At: now, From: from, Record: catalog.Record{Path: path, InfoHash: [20]byte{hash}, Published: now}}
	}
	retired := func(path string, hash byte) catalog.Change {
		return catalog.Change{At: now, Retired: "renamed", Record: catalog.Record{Path: path, InfoHash: [20]byte{hash}}}
	}
	tests := []struct {
		name    string
		batches [][]catalog.Change
		want    map[string]string // where the entry of a path is afterwards
	}{
		{"renamed, same torrent", [][]catalog.Change{{version("sub/a", 1, "a")}}, map[string]string{"a": "sub/a", "b": "b"}},
		{"renamed, another torrent", [][]catalog.Change{{retired("a", 1), version("c", 3, "a")}}, map[string]string{"a": "c", "b": "b"}},
		{"changed, then renamed", [][]catalog.Change{{retired("a", 1)}, {version("c", 3, "a")}}, map[string]string{"a": "c", "b": "b"}},
		{"exchanged", [][]catalog.Change{{retired("a", 1), version("b", 3, "a"), retired("b", 2), version("a", 4, "b")}},
			map[string]string{"a": "b", "b": "a"}},
		{"changed", [][]catalog.Change{{retired("a", 1)}, {version("a", 3, "")}}, map[string]string{"a": "a", "b": "b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := ledger.Open(t.Context(), t.TempDir())
			require.NoError(t, err)
			defer l.Close()
			s := newStore(l, newPickers(l, nil), slog.New(slog.DiscardHandler))
			require.NoError(t, s.Write(t.Context(), []catalog.Change{version("a", 1, ""), version("b", 2, "")}))
			before := map[int64]string{s.entries["a"]: "a", s.entries["b"]: "b"}
			for _, batch := range tt.batches {
				require.NoError(t, s.Write(t.Context(), batch))
			}

			files, err := l.Files(t.Context())
			require.NoError(t, err)
			got := map[string]string{}
			for _, f := range files {
				got[before[f.ID]] = f.Path
				require.Equal(t, f.ID, s.entries[f.Path], "what bytes at %s are counted for", f.Path)
			}
			require.Equal(t, tt.want, got)
			for path, v := range s.live {
				require.Equal(t, path, v.Path)
			}
			live, err := l.Versions(t.Context())
			require.NoError(t, err)
			require.Len(t, live, len(s.live))
		})
	}
}

// TestTorrentsOfLiveVersions: each live version has its torrent in the state, and no other is there.
func TestTorrentsOfLiveVersions(t *testing.T) {
	l, err := ledger.Open(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer l.Close()
	s := newStore(l, newPickers(l, nil), slog.New(slog.DiscardHandler))
	now := time.Now()
	save := func(path string, hash byte) catalog.Change {
		return catalog.Change{At: now, Record: catalog.Record{Path: path, InfoHash: [20]byte{hash}, Published: now}}
	}
	retire := func(path string, hash byte) catalog.Change {
		return catalog.Change{At: now, Retired: "changed", Record: catalog.Record{Path: path, InfoHash: [20]byte{hash}}}
	}
	for _, batch := range [][]catalog.Change{
		{save("touched", 1), save("removed", 2), save("one of two", 3), save("two of two", 3)},
		{retire("touched", 1), save("touched", 1), retire("removed", 2), retire("one of two", 3)},
	} {
		require.NoError(t, s.Write(t.Context(), batch))
	}
	for hash, want := range map[byte]error{1: nil, 2: fs.ErrNotExist, 3: nil} {
		_, err := l.ReadTorrent([20]byte{hash})
		require.ErrorIs(t, err, want, "torrent %d", hash)
	}
}
