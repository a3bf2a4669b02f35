package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var errNoRoom = errors.New("no space left on device")

// shelf is a Store that takes changes as long as there is room, and never those of the path "poison".
type shelf struct {
	Store
	mu     sync.Mutex
	full   bool
	taken  []string
	writes int
}

func (s *shelf) Write(_ context.Context, changes []Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	var paths []string
	for _, c := range changes {
		if s.full || c.Record.Path == "poison" {
			return errNoRoom
		}
		paths = append(paths, c.Record.Path)
	}
	s.taken = append(s.taken, paths...)
	return nil
}

func (s *shelf) setFull(full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = full
}

// orders returns what tells to save changes of these paths.
func orders(paths ...string) []order {
	var out []order
	for _, p := range paths {
		out = append(out, order{kind: orderWrite, change: Change{Record: Record{Path: p}}})
	}
	return out
}

// TestOutletSavesWhenThereIsRoomAgain: what could not be saved waits, in order; the log says so once, and once that it is over.
func TestOutletSavesWhenThereIsRoomAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		store := &shelf{full: true}
		var saved error
		o := &outlet{store: store, saved: func(err error) { saved = err }, log: slog.New(slog.NewTextHandler(&log, nil))}
		ctx, cancel := context.WithCancel(t.Context())
		batches := make(chan []order)
		done := make(chan struct{})
		go func() { defer close(done); o.run(ctx, batches) }()
		for i := range 20 {
			batches <- orders(fmt.Sprintf("f%02d", i))
			time.Sleep(time.Second)
		}
		synctest.Wait()
		require.Empty(t, store.taken)
		require.ErrorIs(t, saved, errNoRoom)
		require.LessOrEqual(t, store.writes, 1+4*maxTries, "one at once, then some every five seconds")

		store.setFull(false)
		time.Sleep(saveAgain)
		synctest.Wait()
		require.Len(t, store.taken, 20)
		require.NoError(t, saved)
		require.IsIncreasing(t, store.taken)
		batches <- orders("late")
		synctest.Wait()
		require.Equal(t, "late", store.taken[20])
		cancel()
		<-done
		require.Equal(t, 1, strings.Count(log.String(), "cannot be saved"), log.String())
		require.Equal(t, 1, strings.Count(log.String(), "saved again"), log.String())
	})
}

// TestOutletTriesAtTheEnd: what waits is tried once more when Run ends.
func TestOutletTriesAtTheEnd(t *testing.T) {
	store := &shelf{full: true}
	o := &outlet{store: store, log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	o.write(ctx, orders("a"))
	cancel()
	store.full = false
	o.finish(ctx, orders("b"))
	require.Equal(t, []string{"a", "b"}, store.taken)
}

// TestOutletLeavesOneOut: a change that the store never takes does not keep the others.
func TestOutletLeavesOneOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := &shelf{}
		o := &outlet{store: store, log: slog.New(slog.DiscardHandler)}
		n := rapid.IntRange(1, 200).Draw(t, "changes")
		at := rapid.IntRange(0, n-1).Draw(t, "the bad one")
		var paths, good []string
		for i := range n {
			path := fmt.Sprint(i)
			if i == at {
				path = "poison"
			} else {
				good = append(good, path)
			}
			paths = append(paths, path)
		}
		o.write(t.Context(), orders(paths...))
		for range 8 {
			o.save(t.Context())
		}
		require.ElementsMatch(t, good, store.taken)
		require.Len(t, o.unsaved, 1)
	})
}

// TestOutletIsBounded: a store that takes nothing for ever does not cost memory for ever.
func TestOutletIsBounded(t *testing.T) {
	store := &shelf{full: true}
	o := &outlet{store: store, log: slog.New(slog.DiscardHandler)}
	const batch = 10_000
	for range maxUnsaved/batch + 2 {
		o.write(t.Context(), orders(make([]string, batch)...))
		o.save(t.Context())
	}
	require.Len(t, o.unsaved, maxUnsaved)
}
