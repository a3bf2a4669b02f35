package extension_test

import (
	"testing"

	"github.com/seedserver/bittorrent/peerwire/extension"
	"github.com/stretchr/testify/require"
)

func TestUploadOnly(t *testing.T) {
	tests := []struct {
		vector string
		want   extension.UploadOnly
	}{
		{"upload_only = 1 as a message", true},
		{"upload_only = 0 as a message", false},
	}
	for _, tt := range tests {
		t.Run(tt.vector, func(t *testing.T) {
			wire := payload(t, tt.vector)
			got, err := extension.ParseUploadOnly(wire)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.Equal(t, wire, got.AppendTo(nil))
		})
	}
	for _, bad := range []string{"", "ab"} {
		_, err := extension.ParseUploadOnly([]byte(bad))
		require.ErrorIs(t, err, extension.ErrPayload)
	}
}
