package swarm

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedserver/bittorrent/peerwire"
)

// blocks spells runs out.
func blocks(runs []run) []grant {
	var list []grant
	for _, r := range runs {
		for i := range r.n {
			list = append(list, grant{r.block(i), r.class})
		}
	}
	return list
}

// TestPromisesModel holds the queue of runs to a plain list of requests.
func TestPromisesModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q promises
		var model []grant
		request := rapid.Custom(func(t *rapid.T) grant {
			length := rapid.SampledFrom([]uint32{1, 2, 4}).Draw(t, "length")
			return grant{peerwire.Request{
				Index:  rapid.Uint32Range(0, 1).Draw(t, "index"),
				Begin:  rapid.Uint32Range(0, 12).Draw(t, "begin"),
				Length: length,
			}, rapid.SampledFrom([]Class{Need, Assist}).Draw(t, "class")}
		})
		known := func(r peerwire.Request) int {
			return slices.IndexFunc(model, func(g grant) bool { return g.Request == r })
		}
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				r := request.Draw(t, "request")
				there := known(r.Request) >= 0
				require.Equal(t, there, q.contains(r.Request))
				if !there {
					q.push(r)
					model = append(model, r)
				}
			},
			"push run": func(t *rapid.T) {
				r := request.Draw(t, "first")
				for range rapid.IntRange(1, 6).Draw(t, "n") {
					if known(r.Request) < 0 {
						q.push(r)
						model = append(model, r)
					}
					r.Begin += r.Length
				}
			},
			"remove": func(t *rapid.T) {
				r := request.Draw(t, "request")
				i := known(r.Request)
				require.Equal(t, i >= 0, q.remove(r.Request))
				if i >= 0 {
					model = slices.Delete(model, i, i+1)
				}
			},
			"take": func(t *rapid.T) {
				limit := rapid.IntRange(1, 20).Draw(t, "limit")
				var want, left []grant
				size, full, urgent := 0, false, Assist
				for _, g := range model {
					urgent = min(urgent, g.class)
				}
				for _, g := range model {
					fits := !full && (size == 0 || size+int(g.Length) <= limit)
					switch {
					case g.class != urgent:
						left = append(left, g)
					case fits:
						size += int(g.Length)
						want = append(want, g)
					default:
						left, full = append(left, g), true
					}
				}
				model = left
				next, class := q.next(limit)
				require.Equal(t, size, next)
				if size > 0 {
					require.Equal(t, urgent, class)
				}
				peeked := blocks(q.peek(nil, limit))
				if size > limit {
					require.Empty(t, peeked)
				} else {
					require.True(t, slices.Equal(want, peeked), "peeked at %v, want %v", peeked, want)
				}
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
		q.push(grant{peerwire.Request{Index: 7, Begin: i * block, Length: block}, Need})
	}
	require.Len(t, q.runs, 1)
	require.Equal(t, 1000, q.n)
	require.Equal(t, []run{{index: 7, begin: 0, length: block, n: 16, class: Need}}, q.take(nil, 16*block+5))
	q.push(grant{peerwire.Request{Index: 7, Begin: 1000 * block, Length: 100}, Need})
	require.Len(t, q.runs, 2, "a block of another length is a run of its own")
}

// A piece that ends at 4 GiB must not be joined with one that begins at 0.
func TestRunsDoNotWrap(t *testing.T) {
	var q promises
	q.push(grant{peerwire.Request{Begin: 0xffffc000, Length: 0x4000}, Need})
	q.push(grant{peerwire.Request{Begin: 0, Length: 0x4000}, Need})
	require.Len(t, q.runs, 2)
}
