package seedserver

import (
	"context"
	"crypto/sha1"
	"fmt"
	"io/fs"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
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
			live, err := l.Versions(t.Context())
			require.NoError(t, err)
			require.Len(t, live, 2)
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

// infoOf returns an info dict of one byte and its hash, another one for each name.
func infoOf(name string) ([]byte, metainfo.InfoHash) {
	raw := fmt.Appendf(nil, "d6:lengthi1e4:name%d:%s12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae", len(name), name)
	return raw, sha1.Sum(raw)
}

// TestUnwrittenTorrents: while the state cannot be written, torrents are read from memory; they are written when that works again.
func TestUnwrittenTorrents(t *testing.T) {
	l, err := ledger.Open(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer l.Close()
	s := newStore(l, newPickers(l, nil), slog.New(slog.DiscardHandler))
	save := func(name string) catalog.Change {
		info, h := infoOf(name)
		return catalog.Change{At: time.Now(), Info: info, Record: catalog.Record{Path: name, InfoHash: h}}
	}
	kept, gone, later := save("kept"), save("gone"), save("later")
	full, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, s.Write(full, []catalog.Change{kept, gone}))
	gone.Retired = "removed"
	require.Error(t, s.Write(full, []catalog.Change{gone}))

	doc, err := s.torrent(kept.Record.InfoHash)
	require.NoError(t, err)
	require.Equal(t, "kept", doc.Info.Name)
	_, err = s.torrent(gone.Record.InfoHash)
	require.ErrorIs(t, err, fs.ErrNotExist)

	require.NoError(t, s.Write(t.Context(), []catalog.Change{later}))
	require.Empty(t, s.unwritten)
	doc, err = s.torrent(kept.Record.InfoHash)
	require.NoError(t, err)
	require.Equal(t, "kept", doc.Info.Name)
	require.Equal(t, kept.Info, doc.InfoBytes)
}

// TestLoadOlderVersions: what an older program did not write beside a version is read from its torrent.
func TestLoadOlderVersions(t *testing.T) {
	l, err := ledger.Open(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer l.Close()
	info, h := infoOf("a")
	doc := metainfo.Torrent{InfoBytes: info, InfoHash: h}
	require.NoError(t, l.WriteTorrent(t.Context(), ledger.Torrent{InfoHash: h, Data: doc.Encode()}))
	require.NoError(t, l.AddVersions(t.Context(), []ledger.Version{{Path: "a", InfoHash: h}, {Path: "lost", InfoHash: [20]byte{1}}}))

	records, err := newStore(l, newPickers(l, nil), slog.New(slog.DiscardHandler)).Load(t.Context())
	require.NoError(t, err)
	require.Len(t, records, 1, "one is hashed again")
	require.Equal(t, "a", records[0].Name)
	require.EqualValues(t, 16384, records[0].PieceLength)
}
