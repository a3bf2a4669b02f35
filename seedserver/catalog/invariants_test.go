package catalog

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkInvariants fails the test if the parts of c contradict each other.
func (c *core) checkInvariants(t *testing.T) {
	t.Helper()
	items, nodes := map[*item]bool{}, 0
	files, bytes := c.root.check(t, c, items, &nodes)
	require.Equal(t, c.size, nodes, "nodes")
	require.EqualValues(t, c.root.files, files, "files")
	require.Equal(t, c.root.bytes, bytes, "bytes")

	timed := map[*item]bool{}
	for i, it := range c.timers {
		require.Equal(t, i, it.timer)
		require.False(t, it.due.IsZero())
		require.True(t, items[it] || it.phase == vanished, "timer of an item that is nowhere")
		timed[it] = true
	}
	require.Equal(t, &interior{}, noInterior)
	for it := range items {
		if it.way == nil {
			require.Equal(t, held, it.phase, it.node.path)
			require.False(t, timed[it], it.node.path)
			continue
		}
		require.True(t, timed[it] || it.due.IsZero())
		waits := it.phase == settling || it.phase == failed
		require.True(t, !waits || timed[it], "%s waits for nothing", it.node.path)
		inQueue := slices.Contains(c.queue.small, it) || slices.Contains(c.queue.large, it)
		_, running := c.queue.running[it]
		require.Equal(t, it.phase == queued, inQueue, it.node.path)
		require.Equal(t, it.phase == hashing, running, it.node.path)
		require.False(t, it.phase == held && it.torrent == nil, it.node.path)
	}
	for path, it := range c.savedBy {
		require.Equal(t, path, it.saved)
		require.True(t, items[it] || c.limbo[it.last.id()] == it, path)
	}
	for hash, tor := range c.torrents {
		require.Equal(t, hash, tor.hash)
		require.NotEmpty(t, len(tor.holders)+len(tor.suspects))
		for _, it := range tor.holders {
			require.True(t, items[it] && it.torrent == tor && it.phase == held)
			require.Equal(t, hash, it.version.InfoHash)
		}
		for _, it := range tor.suspects {
			require.True(t, it.torrent == tor && it.phase != held)
			require.True(t, items[it] || c.limbo[it.last.id()] == it)
		}
		if tor.told == seeding {
			require.NotEmpty(t, tor.holders, "seeding without a file")
		}
	}
}

// check checks n and all below it, and returns what is let in there.
func (n *node) check(t *testing.T, c *core, items map[*item]bool, nodes *int) (files int, bytes int64) {
	t.Helper()
	*nodes++
	if n.item != nil {
		require.Same(t, n, n.item.node)
		items[n.item] = true
	}
	indexed := 0
	for other := c.byID[n.stamp.id()]; other != nil; other = other.sibling {
		if other == n {
			indexed++
		}
	}
	if n.parent != nil && (n.kind == regular || n.kind == directory) {
		require.Equal(t, 1, indexed, "%s by identity", n.path)
	}
	for name, child := range n.children {
		require.Equal(t, join(n.path, name), child.path)
		require.True(t, n.usable(), "%s is left out but has children", n.path)
		f, b := child.check(t, c, items, nodes)
		files, bytes = files+f, bytes+b
	}
	if n.kind == regular && n.verdict.in() {
		require.Equal(t, n.parent.unit == nil, n.item != nil, n.path)
		files, bytes = 1, n.stamp.Size
	}
	require.EqualValues(t, n.files, files, n.path)
	require.Equal(t, n.bytes, bytes, n.path)
	return files, bytes
}
