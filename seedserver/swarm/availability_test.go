package swarm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
)

// TestAvailability: what peers say they have is counted per piece; a complete peer counts for all, one that said nothing for none.
func TestAvailability(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(10*block, block)
		require.Nil(t, New(cfg).Availability(), "not running")
		s := start(t, cfg)
		require.Equal(t, make([]uint32, 10), s.Availability(), "nobody is there")

		connect(t, s, modern).send(peerwire.HaveAll{})
		connect(t, s, modern).send(peerwire.HaveNone{})
		connect(t, s, modern)
		some := connect(t, s, modern)
		some.send(peerwire.BitfieldMessage{Bits: []byte{0b10100000, 0b01000000}})
		require.Equal(t, []uint32{2, 1, 2, 1, 1, 1, 1, 1, 1, 2}, s.Availability())
		some.send(peerwire.Have{Index: 8})
		require.Equal(t, []uint32{2, 1, 2, 1, 1, 1, 1, 1, 2, 2}, s.Availability())
		some.conn.Close()
		require.True(t, some.closed())
		require.Equal(t, []uint32{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, s.Availability())
	})
}
