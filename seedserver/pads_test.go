package seedserver

import (
	"bytes"
	"context"
	"crypto/sha1"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/storage"
)

// TestPadsThatAreNotZeros: BEP 47, "For the calculation of piece hashes the content of padding file is all zeros". A torrent whose pads
// hold something else cannot be served again, as they are not kept: its download ends and says so, rather than to be complete with
// pieces that are not what their hashes say. One whose pads are zeros is complete.
func TestPadsThatAreNotZeros(t *testing.T) {
	for name, pad := range map[string]byte{"zeros": 0, "others": 'x'} {
		t.Run(name, func(t *testing.T) {
			content := append([]byte(letters(40_000)), bytes.Repeat([]byte{pad}, 32<<10-40_000%(32<<10))...)
			first := len(content)
			content = append(content, letters(50_000)...)
			info := &metainfo.Info{Name: "n", PieceLength: 32 << 10, Multi: true, Files: []metainfo.File{
				{Path: []string{"a"}, Length: 40_000}, {Path: []string{".pad", "p"}, Length: int64(first - 40_000), Offset: 40_000, Pad: true},
				{Path: []string{"b"}, Length: 50_000, Offset: int64(first)},
			}}
			for at := 0; at < len(content); at += 32 << 10 {
				sum := sha1.Sum(content[at:min(at+32<<10, len(content))])
				info.Pieces = append(info.Pieces, sum[:]...)
			}
			torrent := &metainfo.Torrent{Info: info, InfoHash: sha1.Sum(content)}

			// The seed takes the pad for a file like others, as clients do that know no pads.
			plain := *info
			plain.Files = append([]metainfo.File(nil), info.Files...)
			plain.Files[1].Pad = false
			dir := t.TempDir()
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "n", ".pad"), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "n", "a"), content[:40_000], 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "n", ".pad", "p"), content[40_000:first], 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "n", "b"), content[first:], 0o600))
			c := runClient(t, ClientConfig{})
			seed, _ := runTransfer(t, c, TransferConfig{Torrent: &metainfo.Torrent{Info: &plain, InfoHash: torrent.InfoHash}, Path: filepath.Join(dir, "n")})
			ends(t, seed.Done())

			leech, err := runClient(t, ClientConfig{}).NewTransfer(TransferConfig{
				Torrent: torrent, Path: filepath.Join(t.TempDir(), "n"), Peers: []netip.AddrPort{c.Addr()},
			})
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- leech.Run(ctx) }()
			if pad == 0 {
				ends(t, leech.Done())
				cancel()
				require.ErrorIs(t, <-ended, context.Canceled)
				return
			}
			defer cancel()
			select {
			case err = <-ended:
			case <-time.After(10 * time.Second):
				t.Fatal("the download goes on")
			}
			require.ErrorIs(t, err, storage.ErrPad)
			require.False(t, passing(err))
		})
	}
}
