package seedserver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRootsAreShared(t *testing.T) {
	var r roots
	dir := filepath.Join(t.TempDir(), "d")
	require.NoError(t, os.Mkdir(dir, 0o700))
	a, err := r.open(dir)
	require.NoError(t, err)
	b, err := r.open(dir + "/")
	require.NoError(t, err)
	require.Same(t, a, b)

	require.NoError(t, os.Remove(dir))
	require.NoError(t, os.Mkdir(dir, 0o700))
	c, err := r.open(dir)
	require.NoError(t, err)
	require.NotSame(t, a, c, "another directory lies there")
	require.NoError(t, c.WriteFile("x", nil, 0o600))

	require.NoError(t, a.Close())
	_, err = b.Stat(".")
	require.NoError(t, err, "still used")
	require.NoError(t, b.Close())
	_, err = b.Stat(".")
	require.Error(t, err)
	require.Len(t, r.byPath, 1)
	require.NoError(t, c.Close())
	require.Empty(t, r.byPath)
	_, err = r.open(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
