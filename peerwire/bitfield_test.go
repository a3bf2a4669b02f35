package peerwire_test

import (
	"testing"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/stretchr/testify/require"
)

func TestBitfieldVectors(t *testing.T) {
	var v messageVectors
	load(t, "messages.json", &v)
	rows := 0
	for _, row := range v.Messages {
		if row.Fields.Pieces == 0 || row.Fields.Have == nil {
			continue
		}
		rows++
		t.Run(row.Name, func(t *testing.T) {
			wire := fromHex(t, row.Hex)[5:]
			parsed, err := peerwire.ParseBitfield(wire, row.Fields.Pieces)
			require.NoError(t, err)
			built := peerwire.NewBitfield(row.Fields.Pieces)
			for _, index := range row.Fields.Have {
				require.True(t, built.Set(index))
				require.True(t, parsed.Has(index))
			}
			require.Equal(t, built, parsed)
			require.Equal(t, wire, built.Bytes())
			require.EqualValues(t, len(row.Fields.Have), parsed.Count())
		})
	}
	require.Equal(t, 2, rows)
}

// "Spare bits at the end are set to zero" (BEP 3).
func TestBitfieldSpareBits(t *testing.T) {
	for n := range uint32(17) {
		wire := make([]byte, (n+7)/8)
		for i := range wire {
			wire[i] = 0xff
		}
		b, err := peerwire.ParseBitfield(wire, n)
		require.NoError(t, err)
		require.Equal(t, n, b.Count(), "spare bits are no pieces")
		require.True(t, b.All())
		require.False(t, b.Has(n))
		all := peerwire.NewBitfield(n)
		all.SetAll()
		require.Equal(t, all, b)
		if n%8 != 0 {
			require.Zero(t, b.Bytes()[len(wire)-1]&(0xff>>(n%8)))
			require.Equal(t, byte(0xff), wire[len(wire)-1], "the input is not changed")
		}
	}
}

func TestBitfieldWrongSize(t *testing.T) {
	for _, size := range []int{0, 1, 3, 100} {
		_, err := peerwire.ParseBitfield(make([]byte, size), 10)
		require.ErrorIs(t, err, peerwire.ErrProtocol)
	}
}

func TestBitfieldSet(t *testing.T) {
	b := peerwire.NewBitfield(10)
	require.True(t, b.None())
	require.False(t, b.All())
	require.EqualValues(t, 10, b.Len())

	require.True(t, b.Set(9))
	require.False(t, b.Set(9), "there already")
	require.False(t, b.Set(10), "not of this torrent")
	require.False(t, b.Has(1<<32-1))
	require.Equal(t, []byte{0, 0x40}, b.Bytes())
	require.EqualValues(t, 1, b.Count())

	require.True(t, b.Clear(9))
	require.False(t, b.Clear(9))
	require.False(t, b.Clear(10))
	require.True(t, b.None())

	b.SetAll()
	require.True(t, b.All())
	b.ClearAll()
	require.Equal(t, peerwire.NewBitfield(10), b)
}
