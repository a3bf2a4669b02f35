package swarm

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedserver/bittorrent/peerwire"
)

// blocks spells runs out.
func blocks(runs []run) []peerwire.Request {
	var list []peerwire.Request
	for _, r := range runs {
		for i := range r.n {
			list = append(list, r.block(i))
		}
	}
	return list
}

// TestPromisesModel holds the queue of runs to a plain list of requests.
func TestPromisesModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q promises
		var model []peerwire.Request
		request := rapid.Custom(func(t *rapid.T) peerwire.Request {
			length := rapid.SampledFrom([]uint32{1, 2, 4}).Draw(t, "length")
			return peerwire.Request{
				Index:  rapid.Uint32Range(0, 1).Draw(t, "index"),
				Begin:  rapid.Uint32Range(0, 12).Draw(t, "begin"),
				Length: length,
			}
		})
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				r := request.Draw(t, "request")
				known := slices.Contains(model, r)
				require.Equal(t, known, q.contains(r))
				if !known {
					q.push(r)
					model = append(model, r)
				}
			},
			"push run": func(t *rapid.T) {
				r := request.Draw(t, "first")
				for range rapid.IntRange(1, 6).Draw(t, "n") {
					if !slices.Contains(model, r) {
						q.push(r)
						model = append(model, r)
					}
					r.Begin += r.Length
				}
			},
			"remove": func(t *rapid.T) {
				r := request.Draw(t, "request")
				i := slices.Index(model, r)
				require.Equal(t, i >= 0, q.remove(r))
				if i >= 0 {
					model = slices.Delete(model, i, i+1)
				}
			},
			"take": func(t *rapid.T) {
				limit := rapid.IntRange(1, 20).Draw(t, "limit")
				var want []peerwire.Request
				size := 0
				for len(model) > 0 && (size == 0 || size+int(model[0].Length) <= limit) {
					size += int(model[0].Length)
					want = append(want, model[0])
					model = model[1:]
				}
				require.Equal(t, size, q.next(limit))
				taken := blocks(q.take(nil, limit))
				require.True(t, slices.Equal(want, taken), "took %v, want %v", taken, want)
			},
			"clear": func(*rapid.T) {
				q.clear()
				model = nil
			},
			"": func(t *rapid.T) {
				require.Equal(t, len(model), q.n)
				require.True(t, slices.Equal(model, blocks(q.runs)), "queue %v, want %v", q.runs, model)
			},
		})
	})
}

func TestRunsAreFewForRequestsInOrder(t *testing.T) {
	var q promises
	for i := range uint32(1000) {
		q.push(peerwire.Request{Index: 7, Begin: i * block, Length: block})
	}
	require.Len(t, q.runs, 1)
	require.Equal(t, 1000, q.n)
	require.Equal(t, []run{{index: 7, begin: 0, length: block, n: 16}}, q.take(nil, 16*block+5))
	q.push(peerwire.Request{Index: 7, Begin: 1000 * block, Length: 100})
	require.Len(t, q.runs, 2, "a block of another length is a run of its own")
}

// A piece that ends at 4 GiB must not be joined with one that begins at 0.
func TestRunsDoNotWrap(t *testing.T) {
	var q promises
	q.push(peerwire.Request{Begin: 0xffffc000, Length: 0x4000})
	q.push(peerwire.Request{Begin: 0, Length: 0x4000})
	require.Len(t, q.runs, 2)
}
