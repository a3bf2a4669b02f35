package seedserver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A thousand torrents that did not change are seeded at once, the directory is followed as if there were few, and they are left
// quickly.
func TestManyOfAThousand(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	for i := range 1000 {
		putTorrent(t, dir, fmt.Sprint("f", i), fmt.Sprint("file ", i))
	}
	start := func() (m *Many, stop func()) {
		m, err := NewMany(t.Context(), ManyConfig{Dir: dir, State: state, Client: ClientConfig{Peer: "127.0.0.1:0", NoDHT: true, NoLocal: true}})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		return m, func() { cancel(); require.ErrorIs(t, <-ended, context.Canceled) }
	}
	seeding := func(m *Many, n int) func() bool {
		return func() bool {
			for _, st := range m.Status() {
				if st.Phase == Seeding {
					n--
				}
			}
			return n == 0
		}
	}
	within := func(what string, done func(m *Many) func() bool, m *Many) {
		began := time.Now()
		require.Eventually(t, func() bool { return done(m)() }, 60*time.Second, 10*time.Millisecond, what)
		t.Logf("%s after %v", what, time.Since(began).Round(time.Millisecond))
	}
	count := func(n int) func(*Many) func() bool { return func(m *Many) func() bool { return seeding(m, n) } }
	m, stop := start()
	within("checked", count(1000), m)
	stop()
	m, stop = start()
	within("started", count(1000), m)
	putTorrent(t, dir, "late", "something")
	within("added", count(1001), m)
	require.LessOrEqual(t, len(m.client.roots.byPath), 2, "descriptors are for peers")
	require.NoError(t, os.Remove(filepath.Join(dir, "late.torrent")))
	within("removed", count(1000), m)
	began := time.Now()
	stop()
	t.Logf("stopped after %v", time.Since(began).Round(time.Millisecond))
}
