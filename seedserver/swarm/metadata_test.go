package swarm

import (
	"context"
	"crypto/sha1"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

func TestMetadataFetch(t *testing.T) {
	cfg, data := trueTorrent(1<<20, 1<<16)
	cfg.InfoHash = metainfo.InfoHash(sha1.Sum(cfg.InfoBytes))
	seed := serveNode(t, 1, cfg, data, nil)
	f := NewMetadataFetch(MetadataConfig{InfoHash: cfg.InfoHash, PeerID: ourID})
	require.True(t, f.AddCandidates(candidates.User, netip.Addr{}, candidates.Peer{Addr: netip.MustParseAddrPort("127.0.0.9:2000")}))
	require.True(t, f.AddCandidates(candidates.User, netip.Addr{}, candidates.Peer{Addr: seed.addr}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	info, err := f.Run(ctx)
	require.NoError(t, err)
	require.Equal(t, cfg.InfoBytes, info)
	require.Equal(t, 2, f.Tried())
}

func TestMetadataFetchEndsWithItsContext(t *testing.T) {
	f := NewMetadataFetch(MetadataConfig{InfoHash: metainfo.InfoHash{1}, PeerID: ourID})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errSilent)
	_, err := f.Run(ctx)
	require.ErrorIs(t, err, errSilent)
}

// Whatever a peer answers, the conversation ends with an error or an info dict of the right hash.
func FuzzMetadataConversation(f *testing.F) {
	hello := extension.Handshake{IDs: extension.NewIDs(extension.MetadataName), MetadataSize: 5}.AppendTo(nil)
	sent := peerwire.Append(nil, peerwire.Extended{Payload: hello})
	piece := extension.Metadata{Type: extension.MetadataData, TotalSize: 5, Data: []byte("d1:ae")}
	for _, m := range []extension.Metadata{piece, {Type: extension.MetadataReject}, {Type: extension.MetadataRequest}, {Type: 7}} {
		f.Add(peerwire.Append(append([]byte(nil), sent...), peerwire.Extended{ID: extension.NewIDs(extension.MetadataName).ID(extension.MetadataName), Payload: m.AppendTo(nil)}))
	}
	hash := metainfo.InfoHash(sha1.Sum([]byte("d1:ae")))
	f.Fuzz(func(t *testing.T, answers []byte) {
		ours, theirs := net.Pipe()
		go func() {
			go func() { // takes all that it is sent
				buf := make([]byte, 4096)
				for {
					if _, err := theirs.Read(buf); err != nil {
						return
					}
				}
			}()
			theirs.Write(answers)
			theirs.Close()
		}()
		fetch := NewMetadataFetch(MetadataConfig{InfoHash: hash, PeerID: ourID})
		info, err := fetch.converse(ours, true)
		ours.Close()
		if err == nil {
			require.Equal(t, "d1:ae", string(info))
		}
	})
}
