package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestReservationAndSecret: both are what they were after the ledger was opened again.
func TestReservationAndSecret(t *testing.T) {
	dir := t.TempDir()
	l, err := Config{}.Open(t.Context(), dir)
	require.NoError(t, err)
	_, ok, err := l.Reservation(t.Context())
	require.NoError(t, err)
	require.False(t, ok)
	want := Reservation{Start: time.Date(2030, 6, 14, 0, 0, 0, 0, time.UTC), Bytes: 7}
	require.NoError(t, l.SaveReservation(t.Context(), Reservation{Bytes: 1}))
	require.NoError(t, l.SaveReservation(t.Context(), want))
	secret, err := l.Secret(t.Context(), "access")
	require.NoError(t, err)
	require.Len(t, secret, 32)
	other, err := l.Secret(t.Context(), "other")
	require.NoError(t, err)
	require.NotEqual(t, secret, other)
	require.NoError(t, l.Close())

	l, err = Config{}.Open(t.Context(), dir)
	require.NoError(t, err)
	defer l.Close()
	got, ok, err := l.Reservation(t.Context())
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, want, got)
	again, err := l.Secret(t.Context(), "access")
	require.NoError(t, err)
	require.Equal(t, secret, again)
}
