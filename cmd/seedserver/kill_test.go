//go:build linux

package main

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/ledger"
)

// seedEnv repeats a random test: the seed is printed when it fails.
const seedEnv = "SEEDSERVER_TEST_SEED"

func randomSeed(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv(seedEnv); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("%s=%d", seedEnv, seed)
	return seed
}

// TestKill ends the server a hundred times as a power cut would, whatever it is doing: starting, settling, hashing, publishing,
// writing its state, seeding. After each start nothing is lost, no infohash is another one, and nothing that was published is hashed
// again.
func TestKill(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	const worlds = 4
	kills := 100
	if testing.Short() {
		kills = 20
	}
	seed := randomSeed(t)
	for i := range worlds {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			s := newPlainServer(t, "--json", "--settle", "100ms", "--rescan", "1s").at(fmt.Sprintf("198.18.2.%d", i+1))
			w := &mortal{s: s, rng: rand.New(rand.NewPCG(seed, uint64(i))), content: map[string][]byte{}, built: map[string]string{}, published: map[string]string{}}
			for range kills / worlds {
				w.live()
			}
			w.judge()
			t.Logf("%d files, %d of them published before a kill", len(w.content), len(w.published))
		})
	}
}

// A mortal is a server that is killed again and again, and what it must not forget.
type mortal struct {
	s         *server
	rng       *rand.Rand
	made      int
	content   map[string][]byte // of the files in the directory
	built     map[string]string // infohashes that they have, once they were asked for
	published map[string]string // infohashes that the server said were published and whose files are as they were then
}

// live is the time from a start to a kill.
func (w *mortal) live() {
	mark := len(w.s.log.String())
	known := maps.Clone(w.published)
	w.s.launch()
	switch w.rng.IntN(3) {
	case 0: // in the start
		w.wait(200)
	case 1: // at any time
		w.busy()
		w.wait(400)
	case 2: // when there is something to be written to the state
		w.busy()
		for patience := time.Now().Add(time.Second); len(w.s.logged("hashed", mark)) == 0 && time.Now().Before(patience); {
			pause(time.Millisecond)
		}
		w.wait(10)
	}
	w.s.kill()
	w.hear(mark, known)
}

// busy gives the server something to do, once it has shown what it remembers.
func (w *mortal) busy() {
	w.s.ready()
	w.remembers()
	for range 1 + w.rng.IntN(3) {
		w.act()
	}
}

func (w *mortal) wait(most int) { pause(time.Duration(w.rng.IntN(most*1000)) * time.Microsecond) }

// remembers waits until everything that was published is so again.
func (w *mortal) remembers() {
	w.s.t.Helper()
	w.s.eventually(30*time.Second, "what was published is published again", func() bool {
		entries, ok := w.s.index("")
		if !ok {
			return false
		}
		for path, infohash := range w.published {
			e := entries[path]
			if e.State != "published" {
				return false
			}
			if e.InfoHash != infohash {
				w.s.t.Errorf("%s was %s and is %s", path, infohash, e.InfoHash)
			}
		}
		return true
	})
}

// act does one thing to the directory.
func (w *mortal) act() {
	t, path := w.s.t, fmt.Sprintf("file %d.bin", w.made)
	full := filepath.Join(w.s.dir, path)
	some := func() string { // a file of the directory, "" for none
		paths := sortedKeys(w.content)
		if len(paths) == 0 {
			return ""
		}
		return paths[w.rng.IntN(len(paths))]
	}
	switch what := w.rng.IntN(10); {
	case what < 5:
		w.make(path, content(w.rng.Uint64(), 1+w.rng.IntN(100_000)))
		require.NoError(t, os.WriteFile(full, w.content[path], 0o644))
	case what == 5: // long enough in the hashing to be killed there
		w.make(path, make([]byte, 50<<20+w.rng.IntN(50<<20)))
		require.NoError(t, os.WriteFile(full, nil, 0o644))
		require.NoError(t, os.Truncate(full, int64(len(w.content[path]))))
	case what == 6:
		w.make(path, content(w.rng.Uint64(), 1+w.rng.IntN(100_000)))
		w.s.put(path, w.content[path])
	case what == 7 && some() != "":
		changed := some()
		w.make(changed, content(w.rng.Uint64(), 1+w.rng.IntN(100_000)))
		require.NoError(t, os.WriteFile(filepath.Join(w.s.dir, changed), w.content[changed], 0o644))
	case what == 8 && some() != "":
		removed := some()
		w.forget(removed)
		require.NoError(t, os.Remove(filepath.Join(w.s.dir, removed)))
	case what == 9 && some() != "":
		renamed := some()
		w.make(path, w.content[renamed])
		w.forget(renamed)
		require.NoError(t, os.Rename(filepath.Join(w.s.dir, renamed), full))
	}
}

// make notes that path has content from now on.
func (w *mortal) make(path string, content []byte) {
	w.made++
	delete(w.published, path)
	delete(w.built, path)
	w.content[path] = content
}

func (w *mortal) forget(path string) {
	delete(w.published, path)
	delete(w.built, path)
	delete(w.content, path)
}

// infohash is what the file at path has as it is now.
func (w *mortal) infohash(path string) string {
	if w.built[path] == "" {
		w.built[path] = builtInfohash(w.s.t, path, w.content[path])
	}
	return w.built[path]
}

// hear reads what the server said since its log was from bytes long. known is what it had published before it was started.
func (w *mortal) hear(from int, known map[string]string) {
	t := w.s.t
	t.Helper()
	for _, line := range w.s.logged("hashed", from) {
		if _, still := w.published[line.Path]; still {
			require.NotContains(t, known, line.Path, "hashed again")
		}
	}
	for _, line := range w.s.logged("published", from) {
		if w.content[line.Path] != nil && line.InfoHash == w.infohash(line.Path) {
			w.published[line.Path] = line.InfoHash
		}
	}
}

// judge starts the server for the last time and compares all that there is.
func (w *mortal) judge() {
	t := w.s.t
	t.Helper()
	w.s.start()
	for _, path := range sortedKeys(w.content) {
		infohash := w.infohash(path)
		w.s.eventually(30*time.Second, path+" is published as it is", func() bool {
			e, ok := w.s.entry(path)
			return ok && e.State == "published" && e.InfoHash == infohash
		})
	}
	for _, path := range sortedKeys(w.content) {
		if len(w.content[path]) < 1<<20 {
			w.s.requireDownload(clientIP(0), path, w.content[path])
			break
		}
	}
	w.s.stop()

	l, err := ledger.Open(t.Context(), w.s.state)
	require.NoError(t, err)
	defer l.Close()
	versions, err := l.Versions(t.Context())
	require.NoError(t, err)
	live := map[string]bool{}
	for _, v := range versions {
		live[v.Path] = true
		_, err := l.ReadTorrent(v.InfoHash)
		require.NoError(t, err, "the torrent of %s", v.Path)
	}
	require.Equal(t, sortedKeys(w.content), sortedKeys(live))
}

// builtInfohash is the infohash that a file of this name and content has.
func builtInfohash(t *testing.T, path string, content []byte) string {
	t.Helper()
	info, err := metainfo.Build(t.Context(), metainfo.BuildConfig{Name: filepath.Base(path), Files: []metainfo.Input{{
		Length: int64(len(content)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
	}}})
	require.NoError(t, err)
	return metainfo.InfoHash(sha1.Sum(info)).String()
}
