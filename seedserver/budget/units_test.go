package budget_test

import (
	"math"
	"strings"
	"testing"

	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseBytes(t *testing.T) {
	for _, tt := range []struct {
		text string
		want budget.Bytes
	}{
		{"0", 0},
		{"1000", 1000},
		{"1000B", 1000},
		{"500GB", 500e9},
		{"256KiB", 256 << 10},
		{"256kiB", 256 << 10},
		{"1.5MiB", 3 << 19},
		{"1.5 MiB", 3 << 19},
		{"  2 TB ", 2e12},
		{"0.001kB", 1},
		{"0.0019kB", 1},
		{"0.1PB", 1e14},
		{"007KB", 7000},
		{"8191PiB", 8191 << 50},
		{"9223372036854775807", math.MaxInt64},
		{"9223372036854775807.9B", math.MaxInt64},
	} {
		t.Run(tt.text, func(t *testing.T) {
			got, err := budget.ParseBytes(tt.text)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestParseBytesRefuses(t *testing.T) {
	for _, text := range []string{
		"", " ", "B", "MB", "-1", "+1", "1e9", "0x10", "1/2", "1_000", "1,5MB", ".5MB", "5.MB", "1.2.3MB", ".", "1 0MB",
		"10mb", "10Mb", "10Mbit", "10M", "10 apples", "10MBB", "1MB/s", "unlimited", "NaN", "Inf",
		"9223372036854775808", "8192PiB", "99999999PB", strings.Repeat("1", 41), "1" + strings.Repeat("x", 5000),
	} {
		t.Run(text[:min(len(text), 20)], func(t *testing.T) {
			_, err := budget.ParseBytes(text)
			require.ErrorContains(t, err, "500GB", "the error shows what is allowed")
			require.ErrorContains(t, err, "KiB")
			require.Less(t, len(err.Error()), 400)
		})
	}
}

func TestParseRate(t *testing.T) {
	for _, tt := range []struct {
		text string
		want budget.Rate
	}{
		{"unlimited", 0},
		{"0", 0},
		{"2MB/s", 2e6},
		{"2 MB/s", 2e6},
		{"2MB", 2e6},
		{"256KiB/s", 256 << 10},
		{"1/s", 1},
		{" 1.5kB/s ", 1500},
	} {
		t.Run(tt.text, func(t *testing.T) {
			got, err := budget.ParseRate(tt.text)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

// TestParseRateRefuses: above all, nothing small may turn into 0, which would mean unlimited.
func TestParseRateRefuses(t *testing.T) {
	for _, text := range []string{
		"", "/s", "0/s", "0MB/s", "0.4B/s", "0.0001kB/s", "-1MB/s", "2MB/h", "2MB/s/s", "2 Mbit/s", "Unlimited?", "none",
	} {
		t.Run(text, func(t *testing.T) {
			_, err := budget.ParseRate(text)
			require.ErrorContains(t, err, "2MB/s", "the error shows what is allowed")
			require.ErrorContains(t, err, "unlimited")
		})
	}
}

func TestString(t *testing.T) {
	for _, tt := range []struct {
		n           int64
		bytes, rate string
	}{
		{0, "0B", "unlimited"},
		{1, "1B", "1B/s"},
		{999, "999B", "999B/s"},
		{1000, "1kB", "1kB/s"},
		{1024, "1KiB", "1KiB/s"},
		{1001, "1001B", "1001B/s"},
		{500e9, "500GB", "500GB/s"},
		{3 << 19, "1536KiB", "1536KiB/s"},
		{1 << 50, "1PiB", "1PiB/s"},
		{math.MaxInt64, "9223372036854775807B", "9223372036854775807B/s"},
	} {
		require.Equal(t, tt.bytes, budget.Bytes(tt.n).String())
		require.Equal(t, tt.rate, budget.Rate(tt.n).String())
	}
	require.Equal(t, "unlimited", budget.Rate(-1).String())
}

// TestTextReadsBack: what is written is read back exactly.
func TestTextReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, math.MaxInt64).Draw(t, "n")
		text, err := budget.Bytes(n).MarshalText()
		require.NoError(t, err)
		var bytes budget.Bytes
		require.NoError(t, bytes.UnmarshalText(text))
		require.EqualValues(t, n, bytes)

		text, err = budget.Rate(n).MarshalText()
		require.NoError(t, err)
		var rate budget.Rate
		require.NoError(t, rate.UnmarshalText(text))
		require.EqualValues(t, n, rate)
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"500GB", "1.5MiB", "2MB/s", "unlimited", "0", "9223372036854775808", "0.0000001PB", " 1 kB/s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if bytes, err := budget.ParseBytes(text); err == nil {
			require.GreaterOrEqual(t, bytes, budget.Bytes(0))
			again, err := budget.ParseBytes(bytes.String())
			require.NoError(t, err)
			require.Equal(t, bytes, again)
		}
		if rate, err := budget.ParseRate(text); err == nil {
			again, err := budget.ParseRate(rate.String())
			require.NoError(t, err)
			require.Equal(t, rate, again)
		}
	})
}
