package peerwire_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/stretchr/testify/require"
)

type handshakeVectors struct {
	InfoHash   string `json:"info_hash_hex"`
	PeerID     string `json:"peer_id_ascii"`
	Handshakes []struct {
		Name, Hex string
		Reserved  string `json:"reserved_hex"`
	}
	Bad []struct{ Name, Hex string }
}

func TestHandshakeVectors(t *testing.T) {
	var v handshakeVectors
	load(t, "handshake.json", &v)
	for _, row := range v.Handshakes {
		t.Run(row.Name, func(t *testing.T) {
			wire := fromHex(t, row.Hex)
			h, err := peerwire.ReadHandshake(iotest.OneByteReader(bytes.NewReader(wire)))
			require.NoError(t, err)
			require.Equal(t, fromHex(t, row.Reserved), h.Reserved[:])
			require.Equal(t, fromHex(t, v.InfoHash), h.InfoHash[:])
			require.Equal(t, v.PeerID, h.PeerID.String())
			require.Equal(t, wire, h.AppendTo(nil))
			require.Len(t, wire, peerwire.HandshakeSize)
		})
	}
}

func TestHandshakeOfAnotherProtocol(t *testing.T) {
	var v handshakeVectors
	load(t, "handshake.json", &v)
	for _, row := range v.Bad[:2] {
		t.Run(row.Name, func(t *testing.T) {
			wire := fromHex(t, row.Hex)
			_, err := peerwire.ReadHandshake(bytes.NewReader(wire))
			require.ErrorIs(t, err, peerwire.ErrProtocol)
			var he *peerwire.HandshakeError
			require.ErrorAs(t, err, &he)
			require.Equal(t, wire[:48], he.Read, "what was read must be there for another protocol")
		})
	}
	t.Run("judged by 20 bytes", func(t *testing.T) {
		// The reader fails after 20 bytes: a reader of the rest would see that instead.
		r := io.MultiReader(bytes.NewReader(bytes.Repeat([]byte{'x'}, 20)), iotest.ErrReader(errors.New("not read")))
		_, err := peerwire.ReadHandshake(r)
		require.ErrorIs(t, err, peerwire.ErrProtocol)
	})
}

// "They may wait for incoming connections to give a download hash first, and respond with the same one" (BEP 3): 48 bytes are
// enough, and the peer id that follows stays in the connection.
func TestHandshakeHeadIsAnswerable(t *testing.T) {
	var v handshakeVectors
	load(t, "handshake.json", &v)
	wire := fromHex(t, v.Handshakes[3].Hex)

	reserved, infohash, err := peerwire.ReadHandshakeHead(bytes.NewReader(fromHex(t, v.Bad[2].Hex)))
	require.NoError(t, err, "48 bytes without a peer id")
	require.Equal(t, fromHex(t, v.InfoHash), infohash[:])
	require.Zero(t, reserved)

	r := bytes.NewReader(wire)
	_, _, err = peerwire.ReadHandshakeHead(r)
	require.NoError(t, err)
	require.Equal(t, 20, r.Len(), "not one byte more than 48")
	id, err := peerwire.ReadPeerID(r)
	require.NoError(t, err)
	require.Equal(t, v.PeerID, id.String())
}

func TestHandshakeCutShort(t *testing.T) {
	h := peerwire.Handshake{InfoHash: [20]byte{1}, PeerID: peerwire.NewPeerID("-XX0100-", []byte{1, 2, 3})}
	wire := h.AppendTo(nil)
	for n := range wire {
		_, err := peerwire.ReadHandshake(bytes.NewReader(wire[:n]))
		want := io.ErrUnexpectedEOF
		if n == 0 {
			want = io.EOF
		}
		require.Equal(t, want, err, "after %d bytes", n)
	}
	_, err := peerwire.ReadHandshake(iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(wire))))
	require.ErrorIs(t, err, iotest.ErrTimeout, "the reader's errors come through")
}

func TestExtensionsBits(t *testing.T) {
	tests := []struct {
		name string
		bit  peerwire.Extension
		at   int
		mask byte
	}{
		{"reserved_byte[5] & 0x10 (BEP 10)", peerwire.ExtensionProtocol, 5, 0x10},
		{"reserved[7] |= 0x04 (BEP 6)", peerwire.Fast, 7, 0x04},
		{"the last bit of the 8-byte reserved flags (BEP 5)", peerwire.DHT, 7, 0x01},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want peerwire.Extensions
			want[tt.at] = tt.mask
			x := peerwire.NewExtensions(tt.bit)
			require.Equal(t, want, x)
			require.True(t, x.Has(tt.bit))
			x[tt.at] ^= tt.mask
			require.False(t, x.Has(tt.bit))
		})
	}
	all := peerwire.NewExtensions(peerwire.ExtensionProtocol, peerwire.Fast, peerwire.DHT)
	require.Equal(t, peerwire.Extensions{0, 0, 0, 0, 0, 0x10, 0, 0x05}, all)
	require.False(t, peerwire.Extensions{}.Has(255), "a bit that does not exist is no panic")
}
