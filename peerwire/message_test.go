package peerwire_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/stretchr/testify/require"
)

// message returns what a vector's fields describe.
func (v messageVector) message(t testing.TB) peerwire.Message {
	t.Helper()
	f := v.Fields
	switch v.Name {
	case "keep-alive":
		return peerwire.KeepAlive{}
	case "choke":
		return peerwire.Choke{}
	case "unchoke":
		return peerwire.Unchoke{}
	case "interested":
		return peerwire.Interested{}
	case "not interested":
		return peerwire.NotInterested{}
	case "have":
		return peerwire.Have{Index: f.Index}
	case "bitfield", "bitfield full, 13 pieces", "bitfield bad spare bit":
		return peerwire.BitfieldMessage{Bits: fromHex(t, v.Hex)[5:]}
	case "request", "request 128 KiB":
		return peerwire.Request{Index: f.Index, Begin: f.Begin, Length: f.Length}
	case "piece":
		return peerwire.Piece{Index: f.Index, Begin: f.Begin, Data: fromHex(t, f.Block)}
	case "cancel":
		return peerwire.Cancel{Index: f.Index, Begin: f.Begin, Length: f.Length}
	case "port":
		return peerwire.Port{Port: f.Port}
	case "suggest piece":
		return peerwire.Suggest{Index: f.Index}
	case "have all":
		return peerwire.HaveAll{}
	case "have none":
		return peerwire.HaveNone{}
	case "reject request":
		return peerwire.Reject{Index: f.Index, Begin: f.Begin, Length: f.Length}
	case "allowed fast":
		return peerwire.AllowedFast{Index: f.Index}
	}
	require.Fail(t, "no such message", v.Name)
	return nil
}

func TestMessageVectors(t *testing.T) {
	var v messageVectors
	load(t, "messages.json", &v)
	require.Len(t, v.Messages, 19)
	for _, row := range v.Messages {
		t.Run(row.Name, func(t *testing.T) {
			wire, want := fromHex(t, row.Hex), row.message(t)
			d := peerwire.NewDecoder(bytes.NewReader(wire), peerwire.DecoderConfig{})
			got, err := d.Next()
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.Equal(t, wire, peerwire.Append(nil, want))
			require.Equal(t, append([]byte("before"), wire...), peerwire.Append([]byte("before"), want), "appends")
		})
	}
}

func TestMessageVectorsMalformed(t *testing.T) {
	var v messageVectors
	load(t, "messages.json", &v)
	for _, row := range v.Bad {
		t.Run(row.Why, func(t *testing.T) {
			d := peerwire.NewDecoder(bytes.NewReader(fromHex(t, row.Hex)), peerwire.DecoderConfig{})
			m, err := d.Next()
			if r, ok := m.(peerwire.Request); ok { // a sound frame, and a block that nobody can serve
				require.False(t, r.Valid(1<<31, 128<<10))
				return
			}
			require.ErrorIs(t, err, peerwire.ErrProtocol)
			var fe *peerwire.FrameError
			require.ErrorAs(t, err, &fe)
			require.NotEmpty(t, fe.Reason)
		})
	}
}

// The frames that no vector holds.
func TestAppendExtendedAndUnknown(t *testing.T) {
	tests := []struct {
		name string
		m    peerwire.Message
		want []byte
	}{
		{"extended", peerwire.Extended{ID: 3, Payload: []byte("de")}, []byte{0, 0, 0, 4, 20, 3, 'd', 'e'}},
		{"unknown", peerwire.Unknown{ID: 21, Payload: []byte{9}}, []byte{0, 0, 0, 2, 21, 9}},
		{"no message", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, peerwire.Append(nil, tt.m)) })
	}
}

func TestAppendFunctionsAgreeWithAppend(t *testing.T) {
	r := peerwire.Request{Index: 7, Begin: 32768, Length: 16384}
	require.Equal(t, peerwire.Append(nil, peerwire.Have{Index: 7}), peerwire.AppendHave(nil, 7))
	require.Equal(t, peerwire.Append(nil, r), peerwire.AppendRequest(nil, r))
	require.Equal(t, peerwire.Append(nil, peerwire.Reject(r)), peerwire.AppendReject(nil, r))
	header := peerwire.AppendPieceHeader(nil, 7, 32768, 5)
	require.Len(t, header, peerwire.PieceHeaderSize)
	require.Equal(t, peerwire.Append(nil, peerwire.Piece{Index: 7, Begin: 32768, Data: []byte("block")}), append(header, "block"...))
}

func TestAppendDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 1024)
	payload := make([]byte, 100)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		b := peerwire.Append(dst, peerwire.Request{Index: 1000, Begin: 2000, Length: 3000})
		b = peerwire.Append(b, peerwire.Extended{ID: 1, Payload: payload})
		b = peerwire.AppendReject(b, peerwire.Request{})
		peerwire.AppendHave(b, 7)
	}))
}

func TestRequestValid(t *testing.T) {
	const piece, block = 256 << 10, 128 << 10
	tests := []struct {
		name string
		r    peerwire.Request
		size int64
		want bool
	}{
		{"first block", peerwire.Request{Length: 16384}, piece, true},
		{"last block", peerwire.Request{Begin: piece - 16384, Length: 16384}, piece, true},
		{"one byte over the end", peerwire.Request{Begin: piece - 16384 + 1, Length: 16384}, piece, false},
		{"unaligned and short is legal", peerwire.Request{Begin: 5, Length: 100}, piece, true},
		{"last byte", peerwire.Request{Begin: piece - 1, Length: 1}, piece, true},
		{"begin at the end", peerwire.Request{Begin: piece, Length: 1}, piece, false},
		{"no length", peerwire.Request{}, piece, false},
		{"the longest block", peerwire.Request{Length: block}, piece, true},
		{"a longer block", peerwire.Request{Length: block + 1}, piece, false},
		{"the sum wraps 32 bits", peerwire.Request{Begin: 0xffffff00, Length: 0x4000}, piece, false},
		{"all ones", peerwire.Request{Begin: math.MaxUint32, Length: math.MaxUint32}, piece, false},
		{"no such piece", peerwire.Request{Length: 1}, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, tt.r.Valid(tt.size, block)) })
	}
}

func TestIDString(t *testing.T) {
	require.Equal(t, "not interested", peerwire.IDNotInterested.String())
	require.Equal(t, "id 12", peerwire.ID(12).String())
	require.Equal(t, "id 255", peerwire.ID(255).String())
	err := &peerwire.FrameError{ID: peerwire.IDHave, Length: 4, Reason: "too short"}
	require.EqualError(t, err, "peerwire: have frame of 4 bytes: too short")
}
