package extension_test

import (
	"bytes"
	"crypto/sha1"
	"testing"

	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/peerwire/extension"
	"github.com/stretchr/testify/require"
)

// seeds adds the payloads of all vectors, and what is hostile.
func seeds(f *testing.F) {
	for name, v := range load(f) {
		if v.Hex != "" {
			f.Add(payload(f, name))
		}
	}
	f.Add([]byte("d1:v1000000000:abc"))
	f.Add(bytes.Repeat([]byte("l"), 5000))
	f.Add([]byte("d8:msg_typei1e5:piecei1e10:total_sizei16385eex"))
}

type payloadType interface{ AppendTo(dst []byte) []byte }

// parses holds a parser to its promises: no error but its own, what it gives survives encoding, its input is left alone.
func parses[P payloadType](t *testing.T, b []byte, parse func([]byte) (P, error)) (p P, ok bool) {
	in := bytes.Clone(b)
	p, err := parse(b)
	require.Equal(t, in, b)
	if err != nil {
		require.ErrorIs(t, err, extension.ErrPayload)
		require.Zero(t, p)
		return p, false
	}
	wire := p.AppendTo(nil)
	require.LessOrEqual(t, len(wire), len(b)+400)
	again, err := parse(wire)
	require.NoError(t, err)
	require.Equal(t, wire, again.AppendTo(nil), "stable")
	return p, true
}

func FuzzHandshake(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok := parses(t, b, extension.ParseHandshake)
		if !ok {
			return
		}
		again, err := extension.ParseHandshake(h.AppendTo(nil))
		require.NoError(t, err)
		require.Equal(t, h, again)
		require.LessOrEqual(t, len(h.V), 64)
		_, err = bencode.Decode(h.AppendTo(nil))
		require.NoError(t, err, "canonical")
	})
}

func FuzzMetadata(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := parses(t, b, extension.ParseMetadata)
		if !ok {
			return
		}
		again, err := extension.ParseMetadata(m.AppendTo(nil))
		require.NoError(t, err)
		require.Equal(t, m, again)
		if m.Type != extension.MetadataData {
			return
		}
		a, err := extension.NewMetadataAssembler(sha1.Sum(m.Data), m.TotalSize)
		require.NoError(t, err)
		info, err := a.Add(m)
		require.NoError(t, err)
		if m.TotalSize <= extension.MetadataPieceSize {
			require.Equal(t, m.Data, info)
		}
	})
}

func FuzzPEX(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := parses(t, b, extension.ParsePEX)
		if !ok {
			return
		}
		require.LessOrEqual(t, len(p.Added), 200)
		require.LessOrEqual(t, len(p.Dropped), 200)
		seen := map[any]bool{}
		for _, peer := range p.Added {
			require.False(t, seen[peer.Addr])
			seen[peer.Addr] = true
			require.NotZero(t, peer.Addr.Port())
			require.False(t, peer.Addr.Addr().Is4In6())
		}
		for _, a := range p.Dropped {
			require.False(t, seen[a], "in one list only")
			seen[a] = true
		}
		_, err := bencode.Decode(p.AppendTo(nil))
		require.NoError(t, err, "canonical")
	})
}

func FuzzSmallPayloads(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, ok := parses(t, b, extension.ParseDontHave); ok {
			require.Equal(t, b, d.AppendTo(nil))
		}
		_, ok := parses(t, b, extension.ParseUploadOnly)
		require.Equal(t, len(b) == 1, ok)
	})
}
