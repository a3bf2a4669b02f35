package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestServerWithTwoAddresses: a client that is told of two addresses of ours, as of IPv4 and IPv6, calls both at once. Both ends keep
// the same connection, again and again, and the download is there in the time that it takes.
func TestServerWithTwoAddresses(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := newServer(t, "--settle", "100ms").at("198.18.3.9")
	s.args = append(s.args, "--peer", ":7881", "--advertise", "198.18.3.9:7881", "--advertise", "198.18.3.10:7881")
	s.put(tinyFile, content(1, 300_000))
	s.start()
	want := tree(t, s.dir)
	s.published(tinyFile, 60*time.Second)
	soon := 0
	for range 12 {
		out, began := t.TempDir(), time.Now()
		get(t, s.torrent(tinyFile), "--local", "--saveas", filepath.Join(out, tinyFile))
		requireCopy(t, want, tinyFile, out)
		if time.Since(began) < 14*time.Second { // after both were closed the next chance comes 15 seconds later
			soon++
		}
	}
	require.GreaterOrEqual(t, soon, 11)
}
