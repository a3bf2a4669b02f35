package extension_test

import (
	"testing"

	"github.com/seedserver/bittorrent/peerwire/extension"
	"github.com/stretchr/testify/require"
)

func TestDontHave(t *testing.T) {
	wire := payload(t, "lt_donthave piece 5")
	d, err := extension.ParseDontHave(wire)
	require.NoError(t, err)
	require.Equal(t, extension.DontHave{Index: 5}, d)
	require.Equal(t, wire, d.AppendTo(nil))
	for _, bad := range []string{"", "abc", "abcde"} {
		_, err := extension.ParseDontHave([]byte(bad))
		require.ErrorIs(t, err, extension.ErrPayload)
		require.EqualError(t, err, "extension: lt_donthave payload: not 4 bytes")
	}
}
