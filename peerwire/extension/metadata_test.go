package extension_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/seedserver/bittorrent/peerwire/extension"
	"github.com/stretchr/testify/require"
)

func TestMetadataVectors(t *testing.T) {
	info := content("metadata", 16484)
	tests := []struct {
		vector string
		want   extension.Metadata
	}{
		{"ut_metadata request piece 0", extension.Metadata{Type: extension.MetadataRequest}},
		{"ut_metadata data piece 1 (last, 100 bytes)",
			extension.Metadata{Type: extension.MetadataData, Piece: 1, TotalSize: 16484, Data: info[16384:]}},
		{"ut_metadata reject piece 5", extension.Metadata{Type: extension.MetadataReject, Piece: 5}},
	}
	for _, tt := range tests {
		t.Run(tt.vector, func(t *testing.T) {
			wire := payload(t, tt.vector)
			got, err := extension.ParseMetadata(wire)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.Equal(t, wire, got.AppendTo(nil))
		})
	}
	t.Run("data piece 0", func(t *testing.T) {
		m := extension.Metadata{Type: extension.MetadataData, TotalSize: 16484, Data: info[:16384]}
		wire := m.AppendTo([]byte{0, 0, 0x40, 0x2f, 20, 2})
		sum := sha256.Sum256(wire)
		require.Equal(t, load(t)["ut_metadata data piece 0 of 16484 bytes"].SHA256, hex.EncodeToString(sum[:]))
		got, err := extension.ParseMetadata(wire[6:])
		require.NoError(t, err)
		require.Equal(t, m, got)
	})
	t.Run("reject with total_size", func(t *testing.T) {
		got, err := extension.ParseMetadata(payload(t, "ut_metadata reject with total_size (as libtorrent sends)"))
		require.NoError(t, err)
		require.Equal(t, extension.Metadata{Type: extension.MetadataReject, Piece: 5}, got)
	})
}

// "In order to support future extensability, an unrecognized message ID MUST be ignored" (BEP 9): it is no error.
func TestMetadataUnknownType(t *testing.T) {
	got, err := extension.ParseMetadata(payload(t, "ut_metadata unknown msg_type 3"))
	require.NoError(t, err)
	require.Equal(t, extension.Metadata{Type: 3}, got)
}

func TestParseMetadataErrors(t *testing.T) {
	last := func(n int) string { return "d8:msg_typei1e5:piecei1e10:total_sizei16484ee" + string(make([]byte, n)) }
	tests := []struct{ name, payload string }{
		{"nothing", ""},
		{"no dict", "le"},
		{"no type", "d5:piecei0ee"},
		{"a type that is no number", "d8:msg_type1:05:piecei0ee"},
		{"a type over a byte", "d8:msg_typei256e5:piecei0ee"},
		{"a negative type", "d8:msg_typei-1e5:piecei0ee"},
		{"no piece", "d8:msg_typei0ee"},
		{"a negative piece", "d8:msg_typei0e5:piecei-1ee"},
		{"a piece over 32 bits", "d8:msg_typei0e5:piecei4294967296ee"},
		{"data without a size", "d8:msg_typei1e5:piecei0eex"},
		{"data of a size too large", "d8:msg_typei1e5:piecei0e10:total_sizei31457281ee" + string(make([]byte, 16384))},
		{"data of no size", "d8:msg_typei1e5:piecei0e10:total_sizei0ee"},
		{"no data", last(0)},
		{"data too short", last(99)},
		{"data too long", last(101)},
		{"data of a piece that is not", "d8:msg_typei1e5:piecei2e10:total_sizei16484ee"},
		{"data of a piece far away", "d8:msg_typei1e5:piecei4294967295e10:total_sizei16484eex"},
		// "If it is not the last piece of the metadata, it MUST be 16kiB" (BEP 9).
		{"a first piece of less than 16 KiB", "d8:msg_typei1e5:piecei0e10:total_sizei16484ee" + string(make([]byte, 100))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := extension.ParseMetadata([]byte(tt.payload))
			require.ErrorIs(t, err, extension.ErrPayload)
			require.Zero(t, got)
		})
	}
}

// exchange asks server for all that a misses, in random order, over the wire, and returns the result of the last Add.
func exchange(t *testing.T, server *extension.MetadataServer, a *extension.MetadataAssembler) (info []byte, err error) {
	missing := a.Missing(nil)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(missing), func(i, j int) { missing[i], missing[j] = missing[j], missing[i] })
	for i, piece := range missing {
		require.Nil(t, info)
		require.Len(t, a.Missing(nil), len(missing)-i)
		answer, parseErr := extension.ParseMetadata(server.Answer(piece).AppendTo(nil))
		require.NoError(t, parseErr)
		require.Equal(t, extension.MetadataData, answer.Type)
		require.Equal(t, piece, answer.Piece, "the response MUST have the same piece as the request did (BEP 9)")
		info, err = a.Add(answer)
		clear(answer.Data) // not the assembler's any more
	}
	return info, err
}

func TestMetadataExchange(t *testing.T) {
	for _, size := range []int{1, 16383, 16384, 16385, 32768, 300_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			want := content("info", size)
			a, err := extension.NewMetadataAssembler(sha1.Sum(want), int64(size))
			require.NoError(t, err)
			got, err := exchange(t, extension.NewMetadataServer(want), a)
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, got))
		})
	}
}

// "Clients MAY implement flood protection by rejecting request messages after a certain number of them have been served" (BEP 9).
func TestMetadataServerGuardsAgainstFloods(t *testing.T) {
	s := extension.NewMetadataServer(content("info", 20_000))
	for range 3 {
		require.Equal(t, extension.MetadataData, s.Answer(1).Type)
	}
	require.Equal(t, extension.Metadata{Type: extension.MetadataReject, Piece: 1}, s.Answer(1))
	require.Equal(t, extension.MetadataData, s.Answer(0).Type, "other pieces are counted apart")
	for _, piece := range []uint32{2, 1 << 18, 1<<32 - 1} {
		require.Equal(t, extension.Metadata{Type: extension.MetadataReject, Piece: piece}, s.Answer(piece), "no such piece")
	}
	// "Peers that do not have the entire metadata MUST respond with a reject message to any metadata request" (BEP 9).
	require.Equal(t, extension.Metadata{Type: extension.MetadataReject}, extension.NewMetadataServer(nil).Answer(0))
}

func TestMetadataAssemblerStartsOver(t *testing.T) {
	info := content("info", 40_000)
	a, err := extension.NewMetadataAssembler(sha1.Sum(info), int64(len(info)))
	require.NoError(t, err)
	got, err := exchange(t, extension.NewMetadataServer(content("junk", len(info))), a)
	require.ErrorIs(t, err, extension.ErrMetadataHash)
	require.Nil(t, got)
	require.Equal(t, []uint32{0, 1, 2}, a.Missing(nil))
	got, err = exchange(t, extension.NewMetadataServer(info), a)
	require.NoError(t, err)
	require.True(t, bytes.Equal(info, got))
}

func TestMetadataAssemblerPassesOver(t *testing.T) {
	info := content("info", 20_000)
	a, err := extension.NewMetadataAssembler(sha1.Sum(info), 20_000)
	require.NoError(t, err)
	data := extension.Metadata{Type: extension.MetadataData, Piece: 1, TotalSize: 20_000, Data: info[16384:]}
	other := func(change func(m *extension.Metadata)) extension.Metadata {
		m := data
		change(&m)
		return m
	}
	tests := []struct {
		name string
		m    extension.Metadata
	}{
		{"a reject", extension.Metadata{Type: extension.MetadataReject, Piece: 1}},
		{"a request", extension.Metadata{Type: extension.MetadataRequest, Piece: 1}},
		{"another size", other(func(m *extension.Metadata) { m.TotalSize = 20_001 })},
		{"data too short", other(func(m *extension.Metadata) { m.Data = m.Data[1:] })},
		{"no such piece", other(func(m *extension.Metadata) { m.Piece, m.Data = 7, nil })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := a.Add(tt.m)
			require.NoError(t, err)
			require.Nil(t, got)
			require.Equal(t, []uint32{0, 1}, a.Missing(nil))
		})
	}
	_, err = a.Add(data)
	require.NoError(t, err)
	_, err = a.Add(data)
	require.NoError(t, err)
	require.Equal(t, []uint32{0}, a.Missing(nil), "a piece twice counts once")
}

func TestMetadataAssemblerBoundsTheSize(t *testing.T) {
	for _, size := range []int64{-1, 0, extension.MaxMetadataSize + 1, 1 << 62} {
		_, err := extension.NewMetadataAssembler([20]byte{}, size)
		require.Error(t, err, "%d bytes", size)
	}
	a, err := extension.NewMetadataAssembler([20]byte{}, extension.MaxMetadataSize)
	require.NoError(t, err)
	require.Len(t, a.Missing(nil), 1920)
}
