package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRun measures a little of the real programs: what is looked at is not how fast they are, but that there are figures of ours.
func TestRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "results.md")
	o := options{rounds: 1, window: 50 * time.Millisecond, size: 16 << 20, largest: 1, out: out, only: []string{"seeding", "hashing", "tracker"}}
	require.NoError(t, run(t.Context(), o))
	report, err := os.ReadFile(out)
	require.NoError(t, err)
	for _, row := range []string{`1 \| seedserver`, `256 \| seedserver`, `UDP, 16 x 8 \| seedserver`, `HTTP, new \| seedserver`} {
		require.Regexp(t, `\| `+row+` \|( [0-9.,]+ \|)+\n`, string(report))
	}
}
