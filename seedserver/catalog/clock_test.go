package catalog

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestEvenly: the time of a file's last change is compared with later times by their monotonic readings, so that a wall clock that is
// set keeps no file waiting.
func TestEvenly(t *testing.T) {
	now := time.Now()
	modified := now.Round(0).Add(-5 * time.Second)
	quiet := evenly(now, modified)
	require.True(t, quiet.Equal(modified))
	require.Contains(t, quiet.String(), "m=", "it has a monotonic reading")
	require.Equal(t, 5*time.Second, now.Sub(quiet))
}
