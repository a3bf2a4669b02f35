package admin

import (
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// TestHistoryModel compares the history with a list of all samples, whatever the gaps between them and whoever comes and goes.
func TestHistoryModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory()
		h.points(then, metainfo.InfoHash{})
		at := h.slot(then)
		sent := map[metainfo.InfoHash]int64{}
		rates := map[metainfo.InfoHash]map[int64]int64{{}: {}}
		var total, before int64
		for n := range rapid.IntRange(1, 80).Draw(t, "samples") {
			step := rapid.SampledFrom([]int64{1, 1, 1, 1, 2, 7, 100, samples - 1, samples, 3 * samples}).Draw(t, "step")
			if n == 0 {
				step = 1
			}
			before, at = at, at+step
			s := Sent{Time: then.Add(time.Duration(at-h.slot(then)) * sampleEvery), Torrents: map[metainfo.InfoHash]int64{}}
			for i := range rapid.IntRange(0, 3).Draw(t, "torrents") {
				hash := metainfo.InfoHash{1, byte(i)}
				if rates[hash] == nil {
					rates[hash] = map[int64]int64{}
				}
				rate := rapid.SampledFrom([]int64{0, 0, 1, 1000, 1 << 30}).Draw(t, "rate")
				n := rate * step * int64(sampleEvery/time.Second)
				sent[hash] += n
				total += n
				for slot := before + 1; slot <= at; slot++ {
					rates[hash][slot] = rate
					rates[metainfo.InfoHash{}][slot] += rate
				}
				s.Torrents[hash] = sent[hash]
			}
			for hash := range sent { // who is gone is forgotten, and starts anew
				if int(hash[1]) >= len(s.Torrents) {
					delete(sent, hash)
					delete(rates, hash)
				}
			}
			s.All = total
			h.sample(s)
			h.sample(s) // once more in the same slot changes nothing
			for hash, want := range rates {
				for i, got := range h.points(s.Time, hash) {
					if w := want[at-samples+1+int64(i)]; w != got {
						t.Fatalf("%v: point %d of %d is %d, want %d", hash, i, samples, got, w)
					}
				}
			}
		}
	})
}

// TestHistoryForgets: a torrent that has been silent for an hour costs no more than its counter, one that is gone nothing.
func TestHistoryForgets(t *testing.T) {
	h := newHistory()
	for i := range int64(samples + 2) {
		h.sample(Sent{Time: then.Add(time.Duration(i) * sampleEvery), Torrents: map[metainfo.InfoHash]int64{hash(1): 1000}})
	}
	require.Nil(t, h.torrents[hash(1)].recent)
	h.sample(Sent{Time: then.Add((samples + 3) * sampleEvery)})
	require.Empty(t, h.torrents)
}

// TestHistoryGoesOn: when nobody samples, what is old goes out of sight all the same.
func TestHistoryGoesOn(t *testing.T) {
	h := newHistory()
	h.sample(Sent{Time: then, All: 1000})
	require.EqualValues(t, 100, h.points(then, metainfo.InfoHash{})[samples-1])
	require.EqualValues(t, 100, h.points(then.Add(sampleEvery), metainfo.InfoHash{})[samples-1], "the sample of this slot is on its way")
	require.EqualValues(t, 100, h.points(then.Add(5*sampleEvery), metainfo.InfoHash{})[samples-6])
	require.Equal(t, make([]int64, samples), h.points(then.Add(2*time.Hour), metainfo.InfoHash{}))
	require.Equal(t, make([]int64, samples), newHistory().points(then, metainfo.InfoHash{}))
}

// TestHistoryClockIsSet: whatever the wall clock is set to, the chart goes on, and shows nothing that was not.
func TestHistoryClockIsSet(t *testing.T) {
	for _, d := range []time.Duration{-24 * time.Hour, 0, 24 * time.Hour} {
		t.Run(d.String(), func(t *testing.T) {
			now := time.Now()
			h := newHistory()
			h.sample(Sent{Time: now, All: 1000})
			now = walled(now.Add(sampleEvery), d)
			require.True(t, h.due(now))
			h.sample(Sent{Time: now, All: 6000})
			points := h.points(now, metainfo.InfoHash{})
			require.Equal(t, []int64{0, 100, 500}, points[samples-3:])
		})
	}
}

// walled returns t as the system tells it after the wall clock was set by d: the monotonic reading is what it was.
func walled(t time.Time, d time.Duration) time.Time {
	*(*uint64)(unsafe.Pointer(&t)) += uint64(d/time.Second) << 30 // seconds above nanoseconds, where there is a monotonic reading
	return t
}

func BenchmarkSample(b *testing.B) {
	h, s := newHistory(), Sent{Time: then, Torrents: map[metainfo.InfoHash]int64{}}
	for i := range 10_000 {
		s.Torrents[metainfo.InfoHash{byte(i), byte(i >> 8)}] = 0
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Time = s.Time.Add(sampleEvery)
		for range 100 {
			i := rand.IntN(len(s.Torrents))
			s.Torrents[metainfo.InfoHash{byte(i), byte(i >> 8)}] += 1 << 20
		}
		h.sample(s)
	}
}
