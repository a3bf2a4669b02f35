package catalog

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// server is a catalog that runs on a real directory.
type server struct {
	t    *testing.T
	dir  string
	cfg  Config
	lib  *library
	cat  *Catalog
	stop func() error // ends Run and returns its error; once
}

// serve runs a catalog with short times on a new directory, until the test
// ends. Only events tell it of changes unless cfg says otherwise.
func serve(t *testing.T, cfg Config) *server {
	t.Parallel() // most of the time it waits
	s := &server{t: t, cfg: cfg, dir: t.TempDir()}
	return s.start()
}

func (s *server) start() *server {
	cfg := s.cfg
	cfg.Dir = s.dir
	cfg.Settle, cfg.SettleRenamed, cfg.SettleBlind = 400*time.Millisecond, 100*time.Millisecond, time.Second
	if cfg.Rescan == 0 {
		cfg.Rescan = -1
	}
	s.lib = newLibrary(s.t)
	cfg.Publisher = s.lib
	cat, err := New(cfg)
	require.NoError(s.t, err)
	s.cat = cat
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- cat.Run(ctx) }()
	done := false
	s.stop = func() error {
		if done {
			return nil
		}
		done = true
		cancel()
		err := <-ended
		return errors.Join(err, cat.Close())
	}
	s.t.Cleanup(func() { _ = s.stop() })
	s.await("the first scan", func() bool { return cat.Totals().Scanned })
	return s
}

// restart ends Run and begins another one.
func (s *server) restart() *server {
	require.ErrorIs(s.t, s.stop(), context.Canceled)
	return s.start()
}

// await waits until ok, which takes a moment.
func (s *server) await(what string, ok func() bool) {
	s.t.Helper()
	require.Eventually(s.t, ok, 20*time.Second, 5*time.Millisecond, what)
}

func (s *server) describe(path string) string {
	e, ok := s.cat.Lookup(path)
	if !ok {
		return "unknown"
	}
	return e.Describe()
}

func (s *server) awaitState(path, prefix string) {
	s.t.Helper()
	s.await(path+" "+prefix, func() bool { return strings.HasPrefix(s.describe(path), prefix) })
}

// requireTold waits until the Publisher was told as much as is wanted, which it is some time after the catalog says so.
func (s *server) requireTold(want ...string) {
	s.t.Helper()
	s.await(fmt.Sprint("told ", want), func() bool { s.lib.mu.Lock(); defer s.lib.mu.Unlock(); return len(s.lib.log) >= len(want) })
	require.Equal(s.t, want, s.lib.told())
}

func (s *server) path(path string) string { return filepath.Join(s.dir, filepath.FromSlash(path)) }

func (s *server) write(path, content string) {
	s.t.Helper()
	require.NoError(s.t, os.MkdirAll(filepath.Dir(s.path(path)), 0o755))
	require.NoError(s.t, os.WriteFile(s.path(path), []byte(content), 0o644))
}

func (s *server) rename(from, to string) {
	s.t.Helper()
	require.NoError(s.t, os.MkdirAll(filepath.Dir(s.path(to)), 0o755))
	require.NoError(s.t, os.Rename(s.path(from), s.path(to)))
}

// published writes path and waits until it is published.
func (s *server) published(paths ...string) *server {
	for _, path := range paths {
		s.write(path, "content of "+path)
	}
	for _, path := range paths {
		s.awaitSeeded(path)
	}
	s.lib.told()
	return s
}

func TestDroppedFileIsSeeded(t *testing.T) {
	s := serve(t, Config{})
	s.write("a.iso", strings.Repeat("hello", 100_000))
	s.awaitState("a.iso", "settling")
	v := s.awaitSeeded("a.iso")
	s.requireTold("publish a.iso")
	require.Equal(t, "a.iso", v.Name)
	require.False(t, v.Published.IsZero())
	require.Equal(t, 1, s.cat.Totals().Torrents)
}

func TestFilesThatAreThereAtStart(t *testing.T) {
	s := &server{t: t, dir: t.TempDir()}
	s.write("a/b/c/deep", "deep")
	s.write("top", "top")
	old := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(s.path("top"), old, old))
	s.start()
	s.awaitState("top", "published")
	s.awaitState("a/b/c/deep", "published")
	list, ok := s.cat.List("a/b/c")
	require.True(t, ok)
	require.Len(t, list, 1)
}

func TestDeepTreeMadeWhileRunning(t *testing.T) {
	s := serve(t, Config{})
	s.published("a/b/c/d/e/f")
	s.write("a/b/c/d/e/g", "g")
	s.awaitState("a/b/c/d/e/g", "published")
}

func TestGrowingFileWaits(t *testing.T) {
	s := serve(t, Config{})
	f, err := os.Create(s.path("log"))
	require.NoError(t, err)
	defer f.Close()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 12 {
		_, err := f.WriteString("more ")
		require.NoError(t, err)
		<-tick.C
		require.NotContains(t, s.describe("log"), "published")
	}
	require.NoError(t, f.Close())
	s.awaitSeeded("log")
	s.requireTold("publish log")
}

func TestTruncatedAndRewritten(t *testing.T) {
	s := serve(t, Config{}).published("f")
	was, _ := s.cat.Lookup("f")
	s.write("f", "")
	s.awaitState("f", "empty")
	s.requireTold("retire: changed")
	s.write("f", "new content")
	s.awaitSeeded("f")
	now, _ := s.cat.Lookup("f")
	require.NotEqual(t, was.InfoHash, now.InfoHash)
}

func TestRenameWithinTheTree(t *testing.T) {
	s := serve(t, Config{Store: &memory{}}).published("a/f")
	s.rename("a/f", "a/g")
	s.awaitSeeded("a/g")
	s.requireTold("pause", "retire: renamed", "publish a/g")

	s.rename("a/g", "b/g")
	s.awaitSeeded("b/g")
	s.requireTold("pause", "resume b/g")
	require.Equal(t, "unknown", s.describe("a/g"))
}

func TestChmodPausesUntilChecked(t *testing.T) {
	s := serve(t, Config{}).published("f")
	require.NoError(t, os.Chmod(s.path("f"), 0o600))
	s.requireTold("pause", "resume f")
	s.awaitState("f", "published")
}

func TestDirectoryMovedIn(t *testing.T) {
	s := serve(t, Config{})
	outside := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(outside, "album/disc 1"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(outside, "album/disc 1/track"), []byte("la"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(outside, "album/cover"), []byte("pic"), 0o644))
	require.NoError(t, os.Rename(filepath.Join(outside, "album"), s.path("album")))
	s.awaitState("album/disc 1/track", "published")
	s.awaitState("album/cover", "published")
}

func TestWatchesFollowAMovedDirectory(t *testing.T) {
	s := serve(t, Config{}).published("a/sub/dir/f")
	s.rename("a", "b")
	s.awaitState("b/sub/dir/f", "published")
	s.rename("b/sub", "c/d/sub")
	s.awaitState("c/d/sub/dir/f", "published")
	s.write("c/d/sub/dir/g", "g")
	s.awaitState("c/d/sub/dir/g", "published")
	require.NoError(t, os.Remove(s.path("c/d/sub/dir/f")))
	s.awaitState("c/d/sub/dir/f", "unknown")
	require.Equal(t, "unknown", s.describe("b/sub"))
}

func TestDirectoryReplacedByAnotherOne(t *testing.T) {
	s := serve(t, Config{}).published("a/f", "b/f", "b/g")
	s.rename("a", "old")
	s.rename("b", "a")
	s.awaitState("old/f", "published")
	s.awaitState("a/g", "published")
	s.write("a/h", "h")
	s.awaitState("a/h", "published")
	s.write("old/h", "h")
	s.awaitState("old/h", "published")
}

func TestRemovalWhileItIsHashed(t *testing.T) {
	hashing := make(chan struct{}, 1000)
	s := serve(t, Config{Wait: func(ctx context.Context, n int) error {
		hashing <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}})
	s.write("f", "content")
	<-hashing
	s.awaitState("f", "hashing 0 %")
	require.NoError(t, os.Remove(s.path("f")))
	s.awaitState("f", "unknown")
	s.await("empty queue", func() bool { return s.cat.Totals().Queue == 0 })
	require.ErrorIs(t, s.stop(), context.Canceled)
	require.Empty(t, s.lib.told())
}

func TestChangeWhileItIsHashed(t *testing.T) {
	var s *server
	var once atomic.Bool
	s = serve(t, Config{Wait: func(context.Context, int) error {
		if once.CompareAndSwap(false, true) {
			return os.WriteFile(s.path("f"), []byte("changed"), 0o644)
		}
		return nil
	}})
	s.write("f", "content")
	s.awaitSeeded("f")
	s.requireTold("publish f")
}

func TestUnitOnDisk(t *testing.T) {
	s := serve(t, Config{Units: []string{"albums/*"}})
	s.write("albums/one/1", "1")
	s.write("albums/one/cover/front", "front")
	s.write("albums/one/empty", "")
	v := s.awaitSeeded("albums/one")
	require.Len(t, v.Members, 3)
	s.write("albums/one/2", "2")
	s.await("two torrents in turn", func() bool {
		e, _ := s.cat.Lookup("albums/one/2")
		return e.State == Published && e.InfoHash != v.InfoHash
	})
	s.awaitSeeded("albums/one")
	s.requireTold("publish albums/one", "retire: changed", "publish albums/one")
}

func TestRulesFileOnDisk(t *testing.T) {
	s := serve(t, Config{}).published("d/a.txt", "d/b.jpg")
	s.write("d/"+rulesName, `exclude = ["*.jpg"]`)
	s.awaitState("d/b.jpg", "left out: excluded")
	s.requireTold("retire: left out")
	require.NoError(t, os.Remove(s.path("d/"+rulesName)))
	s.awaitState("d/b.jpg", "published")
	require.Equal(t, "published", s.describe("d/a.txt"))
	e, _ := s.cat.Lookup("d/" + rulesName)
	require.False(t, e.State == Published)
}

func TestPoll(t *testing.T) {
	s := serve(t, Config{Poll: true, Rescan: 100 * time.Millisecond}).published("a/f")
	s.write("a/f", "changed")
	// A scan between the truncation and the write sees an empty file: any reason will do.
	s.await("retired", func() bool {
		return slices.ContainsFunc(s.lib.told(), func(call string) bool { return strings.HasPrefix(call, "retire: ") })
	})
	s.awaitSeeded("a/f")
	require.NoError(t, os.RemoveAll(s.path("a")))
	s.awaitState("a", "unknown")
}

func TestRestartHashesNothingTwice(t *testing.T) {
	var read atomic.Int64
	cfg := Config{Store: &memory{}, Units: []string{"u"}, Wait: func(_ context.Context, n int) error {
		read.Add(int64(n))
		return nil
	}}
	s := serve(t, cfg).published("a", "d/b")
	s.write("u/x", "xxx")
	s.awaitState("u", "published")
	require.NotZero(t, read.Swap(0))

	s.restart()
	for _, path := range []string{"a", "d/b", "u"} {
		s.awaitSeeded(path)
	}
	require.Zero(t, read.Load())
	require.Len(t, s.lib.told(), 3)
}

func TestLongHashingGoesOnAfterARestart(t *testing.T) {
	const (
		pieceLength = 1 << 20
		size        = 96 * pieceLength // large, and sparse: nothing of it is on the disk
	)
	var read, limit atomic.Int64
	limit.Store(size / 2)
	half := make(chan struct{}, 1)
	store := &memory{}
	s := serve(t, Config{Store: store, PieceLength: pieceLength, Wait: func(ctx context.Context, n int) error {
		if read.Add(int64(n)) <= limit.Load() {
			return nil
		}
		read.Add(int64(-n))
		select {
		case half <- struct{}{}:
		default:
		}
		<-ctx.Done()
		return ctx.Err()
	}})
	f, err := os.Create(s.path("big"))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(size))
	require.NoError(t, f.Close())
	<-half
	require.ErrorIs(t, s.stop(), context.Canceled)
	before := read.Load()
	// Only leading pieces are kept. How many there are is up to the worker that was slowest: none, if it never got to work.
	kept := len(store.checkpoints["big"].Hashes) / sha1.Size

	limit.Store(2 * size)
	s.start()
	s.awaitSeeded("big")
	require.EqualValues(t, size-kept*pieceLength, read.Load()-before, "what is left is read, and only that")
	if kept > 0 {
		require.Equal(t, 1, store.resumed)
	}
}

func TestDirectoryThatIsReplacedEndsRun(t *testing.T) {
	for name, replace := range map[string]func(dir string) error{
		"removed": os.RemoveAll,
		"replaced": func(dir string) error {
			return errors.Join(os.Rename(dir, dir+".old"), os.Mkdir(dir, 0o755))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "served")
			require.NoError(t, os.Mkdir(dir, 0o755))
			cat, err := New(Config{Dir: dir, Publisher: newLibrary(t), Rescan: 20 * time.Millisecond})
			require.NoError(t, err)
			defer cat.Close()
			ended := make(chan error, 1)
			go func() { ended <- cat.Run(t.Context()) }()
			require.Eventually(t, func() bool { return cat.Totals().Scanned }, 10*time.Second, time.Millisecond)
			require.NoError(t, replace(dir))
			require.ErrorIs(t, <-ended, ErrReplaced)
		})
	}
}

func TestRecheckFromOutside(t *testing.T) {
	s := serve(t, Config{}).published("f")
	e, _ := s.cat.Lookup("f")
	s.cat.Recheck(e.InfoHash)
	s.requireTold("pause", "resume f")
}

func TestDemandFromOutside(t *testing.T) {
	gate := make(chan struct{})
	s := serve(t, Config{Hashers: 1, Wait: func(ctx context.Context, n int) error {
		select {
		case <-gate:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	s.write("first", "1")
	s.awaitState("first", "hashing")
	for _, name := range []string{"a", "b", "c", "wanted"} {
		s.write(name, name)
	}
	for _, name := range []string{"a", "b", "c", "wanted"} {
		s.awaitState(name, "hashing: waits")
	}
	s.cat.Demand("wanted")
	s.cat.Demand("unheard of")
	s.await("demand taken", func() bool {
		s.cat.requests.mu.Lock()
		defer s.cat.requests.mu.Unlock()
		return len(s.cat.requests.demanded) == 0
	})
	s.write("after", "x") // an event behind the demand in the loop
	s.awaitState("after", "settling")
	close(gate)
	s.awaitState("a", "published")
	require.Equal(t, []string{"publish first", "publish wanted"}, s.lib.told()[:2])
}

func TestManySmallFilesAtOnce(t *testing.T) {
	const n = 5000
	s := serve(t, Config{})
	start := time.Now()
	for i := range n {
		s.write(fmt.Sprintf("d%d/f%d", i%7, i), fmt.Sprint("content ", i))
	}
	written := time.Now()
	s.await("all published", func() bool { return s.cat.Totals().Count(Published) == n })
	t.Logf("%d files: written in %v, published %v after the last", n, written.Sub(start), time.Since(written))
	require.Len(t, s.lib.told(), n)
	require.Equal(t, n, s.cat.Totals().Torrents)
}

func TestNewRefuses(t *testing.T) {
	dir := t.TempDir()
	lib := newLibrary(t)
	for name, cfg := range map[string]Config{
		"no publisher":     {Dir: dir},
		"no directory":     {Dir: filepath.Join(dir, "missing"), Publisher: lib},
		"a bad unit":       {Dir: dir, Publisher: lib, Units: []string{"["}},
		"a bad pattern":    {Dir: dir, Publisher: lib, Rules: Rules{Exclude: []string{"a//b"}}},
		"a file as folder": {Dir: os.Args[0], Publisher: lib},
	} {
		_, err := New(cfg)
		require.Error(t, err, name)
	}
	_, err := New(Config{Dir: filepath.Join(dir, "missing"), Publisher: lib})
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// brokenStore fails at everything.
type brokenStore struct{ load error }

var errDisk = errors.New("disk on fire")

func (b brokenStore) Load(context.Context) ([]Record, error) { return nil, b.load }
func (brokenStore) Write(context.Context, []Change) error    { return errDisk }
func (brokenStore) Checkpoint(context.Context, string) (Checkpoint, error) {
	return Checkpoint{}, errDisk
}
func (brokenStore) SaveCheckpoint(context.Context, Checkpoint) error { return errDisk }

func TestStoreThatFails(t *testing.T) {
	cat, err := New(Config{Dir: t.TempDir(), Publisher: newLibrary(t), Store: brokenStore{load: errDisk}})
	require.NoError(t, err)
	require.ErrorIs(t, cat.Run(t.Context()), errDisk)
	require.NoError(t, cat.Close())

	var log strings.Builder
	s := serve(t, Config{Store: brokenStore{}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	s.published("f")
	require.ErrorIs(t, s.stop(), context.Canceled)
	require.Contains(t, log.String(), "disk on fire")
}
