package krpc_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/dht/krpc"
)

// FuzzParse reads strangers' packets: no panic, the documented errors only, the input unchanged; and what was parsed and
// encoded parses and encodes to the same bytes again.
func FuzzParse(f *testing.F) {
	v := loadVectors(f)
	for _, m := range v.Messages {
		packet, err := hex.DecodeString(m.Hex)
		require.NoError(f, err)
		f.Add(packet)
	}
	for _, m := range v.Bad {
		f.Add([]byte(m.ASCII))
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		before := bytes.Clone(packet)
		var m krpc.Message
		err := m.Parse(packet)
		require.Equal(t, before, packet, "input changed")
		var refused *krpc.Error
		if err != nil {
			require.True(t, errors.Is(err, krpc.ErrMalformed) || errors.As(err, &refused))
			return
		}
		for addr := range m.Values.All() {
			require.NotZero(t, addr.Port())
		}
		if m.Kind == krpc.Query && m.Method == krpc.Unknown {
			return
		}
		once := m.AppendTo(nil)
		var again krpc.Message
		require.NoError(t, again.Parse(once))
		require.Equal(t, once, again.AppendTo(nil))
	})
}
