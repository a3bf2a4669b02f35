package accesslog

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSample(t *testing.T) {
	var s Sample
	now, taken := time.Unix(1e9, 0), 0
	for range 100_000 {
		if s.Take(now) {
			taken++
		}
	}
	require.Equal(t, 1990, taken)
	require.True(t, s.Take(now.Add(time.Second)))
}
