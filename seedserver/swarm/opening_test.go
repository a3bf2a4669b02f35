package swarm

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
)

// "Exactly one of Have All, Have None, or Have Bitfield MUST appear and only immediately after the handshake" (BEP 6).
func TestOpening(t *testing.T) {
	all := peerwire.BitfieldMessage{Bits: []byte{0xff, 0xc0}}
	for _, tc := range []struct {
		name string
		rc   remoteConfig
		want []peerwire.Message // behind the extension handshake
	}{
		{"modern", modern, []peerwire.Message{peerwire.HaveAll{}, peerwire.Unchoke{}}},
		{"fast only", remoteConfig{fast: true}, []peerwire.Message{peerwire.HaveAll{}, peerwire.Unchoke{}}},
		{"extended only", remoteConfig{extended: true}, []peerwire.Message{all, peerwire.Unchoke{}}},
		{"plain", remoteConfig{}, []peerwire.Message{all, peerwire.Unchoke{}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cfg, _ := torrent(10*32<<10, 32<<10)
				r := connect(t, start(t, cfg), tc.rc)
				got := r.take()
				if tc.rc.extended {
					require.IsType(t, peerwire.Extended{}, got[0])
					got = got[1:]
				}
				require.Equal(t, tc.want, got)
				require.Equal(t, 1, r.writes, "all of it leaves in one write")
			})
		})
	}
}

func TestExtensionHandshake(t *testing.T) {
	for _, private := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			cfg, _ := torrent(1<<20, 32<<10)
			cfg.Info.Private = private
			cfg.ListenPort = 6881
			cfg.Client = "seedserver 1.0"
			r := connect(t, start(t, cfg), modern)
			first := r.take()[0].(peerwire.Extended)
			require.Zero(t, first.ID)
			h, err := extension.ParseHandshake(first.Payload)
			require.NoError(t, err)
			require.Equal(t, "seedserver 1.0", h.V)
			require.Equal(t, uint16(6881), h.Port)
			require.GreaterOrEqual(t, h.Reqq, 500, "what others may queue here")
			require.Equal(t, netip.MustParseAddr("198.51.100.7"), h.YourIP)
			require.True(t, h.UploadOnly)
			require.NotZero(t, h.IDs.ID(extension.DontHaveName))
			if private {
				require.Zero(t, h.IDs.ID(extension.PEXName))
				// Who may have a private torrent is its trackers' to say (BEP 27), so its metadata is not given away.
				require.Zero(t, h.IDs.ID(extension.MetadataName))
				require.Zero(t, h.MetadataSize)
				return
			}
			require.NotZero(t, h.IDs.ID(extension.MetadataName))
			require.NotZero(t, h.IDs.ID(extension.PEXName))
			require.EqualValues(t, len(cfg.InfoBytes), h.MetadataSize)
		})
	}
}
