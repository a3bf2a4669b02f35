package metainfo_test

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// addTorrents seeds a fuzz target with every torrent of testdata.
func addTorrents(f *testing.F, add func(raw []byte)) {
	f.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "torrents", "*.torrent"))
	require.NoError(f, err)
	require.Len(f, names, 55)
	for _, name := range names {
		raw, err := os.ReadFile(name)
		require.NoError(f, err)
		add(raw)
	}
}

// requireDocumented checks that the error is one that callers are told of.
func requireDocumented(t *testing.T, err error) {
	t.Helper()
	for _, target := range []error{metainfo.ErrInvalid, metainfo.ErrUnsupported, bencode.ErrSyntax, bencode.ErrLimit} {
		if errors.Is(err, target) {
			return
		}
	}
	t.Fatalf("error is none that is documented: %v", err)
}

// requireSound checks what an Info promises.
func requireSound(t *testing.T, info *metainfo.Info) {
	t.Helper()
	require.NotEmpty(t, info.Files)
	require.Positive(t, info.NumPieces())
	var offset, pieces int64
	for _, f := range info.Files {
		require.True(t, filepath.IsLocal(filepath.Join(f.Path...)), "%q", f.Path)
		require.Len(t, f.Path, len(bytes.Split([]byte(filepath.Join(f.Path...)), []byte("/"))), "%q", f.Path)
		require.Equal(t, offset, f.Offset)
		require.GreaterOrEqual(t, f.Length, int64(0))
		offset += f.Length
	}
	require.True(t, filepath.IsLocal(info.Name))
	require.Equal(t, info.Name, filepath.Base(info.Name))
	for i := range info.NumPieces() {
		require.Positive(t, info.PieceSize(i))
		pieces += info.PieceSize(i)
	}
	require.Equal(t, info.Length(), offset)
	require.Equal(t, offset, pieces)
}

func FuzzParse(f *testing.F) {
	addTorrents(f, func(raw []byte) { f.Add(raw) })
	f.Fuzz(func(t *testing.T, raw []byte) {
		given := bytes.Clone(raw)
		torrent, err := metainfo.Parse(raw)
		require.Equal(t, given, raw, "the input changed")
		if err != nil {
			requireDocumented(t, err)
			return
		}
		requireSound(t, torrent.Info)
		require.Equal(t, metainfo.InfoHash(sha1.Sum(torrent.InfoBytes)), torrent.InfoHash)
		require.True(t, bytes.Contains(raw, torrent.InfoBytes))
		again, err := metainfo.Parse(torrent.Encode())
		require.NoError(t, err)
		require.Equal(t, torrent, again)
		if link := torrent.Magnet().String(); len(link) <= 64<<10 {
			m, err := metainfo.ParseMagnet(link)
			require.NoError(t, err)
			require.Equal(t, torrent.InfoHash, m.InfoHash)
		}
	})
}

func FuzzParseInfo(f *testing.F) {
	addTorrents(f, func(raw []byte) {
		if v, err := bencode.DecodeLenient(raw); err == nil && v.Get("info") != nil {
			f.Add([]byte(v.Get("info")))
		}
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		given := bytes.Clone(raw)
		info, err := metainfo.ParseInfo(raw)
		require.Equal(t, given, raw, "the input changed")
		if err != nil {
			requireDocumented(t, err)
			return
		}
		requireSound(t, info)
	})
}

func FuzzParseMagnet(f *testing.F) {
	f.Add(btih)
	var vectors struct{ Valid, Invalid []struct{ URI string } }
	readJSON(f, "magnets.json", &vectors)
	for _, row := range append(vectors.Valid, vectors.Invalid...) {
		f.Add(row.URI)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := metainfo.ParseMagnet(s)
		if err != nil {
			require.ErrorIs(t, err, metainfo.ErrInvalid)
			return
		}
		require.True(t, m.HasInfoHash || len(m.InfoHashV2) == 32)
		if link := m.String(); len(link) <= 64<<10 { // escaping can make it longer than the limit
			again, err := metainfo.ParseMagnet(link)
			require.NoError(t, err)
			require.Equal(t, m, again)
		}
	})
}
