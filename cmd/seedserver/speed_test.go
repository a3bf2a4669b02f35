package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSpeed(t *testing.T) {
	var s speed
	now := time.Unix(1e9, 0)
	_, ok := s.over(now, 0)
	require.False(t, ok)
	var count int64
	step := func(bytes int64) int64 {
		now, count = now.Add(time.Second), count+bytes
		rate, ok := s.over(now, count)
		require.True(t, ok)
		return rate
	}
	require.EqualValues(t, 100, step(100), "at once, not after it has risen from nothing")
	for range 10 {
		require.EqualValues(t, 100, step(100))
	}
	for range 6 {
		step(10)
	}
	require.EqualValues(t, 10, step(10), "what was long ago does not count")
	for range 7 {
		step(0)
	}
	require.Zero(t, step(0))
	require.LessOrEqual(t, len(s.seen), 8)
}
