package seedserver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// putTorrent writes a file, and a torrent of it beside.
func putTorrent(t *testing.T, dir, name, data string) {
	t.Helper()
	raw, err := metainfo.Build(t.Context(), metainfo.BuildConfig{Name: name, PieceLength: 1 << 14, Files: []metainfo.Input{{
		Length: int64(len(data)), Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(data)), nil }}}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".torrent"), (&metainfo.Torrent{InfoBytes: raw}).Encode(), 0o644))
}

// runMany runs a Many until stop is called.
func runMany(t *testing.T, dir, state string) (m *Many, stop func()) {
	t.Helper()
	m, err := NewMany(t.Context(), ManyConfig{
		Dir: dir, State: state, Rescan: 10 * time.Millisecond, Client: ClientConfig{Peer: "127.0.0.1:0", NoDHT: true, NoLocal: true},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	return m, func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	}
}

func TestManyFollowsItsDirectory(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	for i := range 20 {
		putTorrent(t, dir, fmt.Sprint("f", i), strings.Repeat(fmt.Sprint(i), 30_000))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bad.torrent"), []byte("d4:info"), 0o644))
	m, stop := runMany(t, dir, state)
	seeding := func(m *Many) (n int) {
		for _, st := range m.Status() {
			if st.Phase == Seeding {
				n++
			}
		}
		return n
	}
	become := func(m *Many, n int) {
		t.Helper()
		require.Eventually(t, func() bool { return seeding(m) == n }, 10*time.Second, time.Millisecond, "%d of %d seed", seeding(m), n)
	}
	become(m, 20)
	require.Error(t, m.Status()[0].Err, "what is no torrent says so")
	require.NoError(t, os.Remove(filepath.Join(dir, "f3.torrent")))
	become(m, 19)
	putTorrent(t, dir, "late", "something")
	become(m, 20)
	data, err := os.ReadFile(filepath.Join(dir, "late.torrent"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "twice.torrent"), data, 0o644))
	require.Eventually(t, func() bool {
		for _, st := range m.Status() {
			if st.File == "twice.torrent" && st.Err != nil {
				return true
			}
		}
		return false
	}, 10*time.Second, time.Millisecond)
	stop()

	// What did not change is not read again: other bytes under the same stamp would be noticed.
	m, stop = runMany(t, dir, state)
	defer stop()
	become(m, 20)
	for _, st := range m.Status() {
		if st.Err == nil {
			require.Equal(t, st.Size, st.Have)
		}
	}
}

// failure returns why the torrent of a file does not run.
func failure(m *Many, file string) error {
	for _, st := range m.Status() {
		if st.File == file {
			return st.Err
		}
	}
	return nil
}

// A torrent that stops by itself says why, whoever looks at it meanwhile.
func TestManyTellsWhyATorrentStopped(t *testing.T) {
	dir := t.TempDir()
	putTorrent(t, dir, "a", "some text")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte("other text"), 0o644))
	m, stop := runMany(t, dir, t.TempDir())
	defer stop()
	require.Eventually(t, func() bool { return failure(m, "a.torrent") != nil }, 10*time.Second, time.Millisecond)
	require.ErrorIs(t, failure(m, "a.torrent"), ErrOtherContent)
}

// However many torrents are removed at once, and however slow their trackers, those that are added start soon.
func TestManyRemovedAtOnce(t *testing.T) {
	const many = 60 // if one waited for the other, they would take 12 s
	dir := t.TempDir()
	tracker, leave := slowToLeave(t)
	for i := range many {
		name := fmt.Sprint("f", i)
		putTorrent(t, dir, name, name)
		raw, err := os.ReadFile(filepath.Join(dir, name+".torrent"))
		require.NoError(t, err)
		torrent, err := metainfo.Parse(raw)
		require.NoError(t, err)
		torrent.Announce = tracker
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".torrent"), torrent.Encode(), 0o644))
	}
	m, err := NewMany(t.Context(), ManyConfig{
		Dir: dir, State: t.TempDir(), Rescan: 10 * time.Millisecond, Private: true,
		Client: ClientConfig{Peer: "127.0.0.1:0", NoDHT: true, NoLocal: true},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() { leave(); cancel(); <-ended })
	announced := func() (n int) {
		for _, e := range m.entries() {
			if e.transfer == nil || e.transfer.session.Load() == nil {
				continue
			}
			for _, c := range e.transfer.session.Load().Contacts() {
				if c.Working {
					n++
				}
			}
		}
		return n
	}
	require.Eventually(t, func() bool { return announced() == many }, 20*time.Second, 10*time.Millisecond)
	for i := range many {
		require.NoError(t, os.Remove(filepath.Join(dir, fmt.Sprint("f", i, ".torrent"))))
	}
	putTorrent(t, dir, "late", "something")
	require.Eventually(t, func() bool { return len(m.Status()) == 1 && m.Status()[0].Phase == Seeding }, 10*time.Second, time.Millisecond)
}

// A directory that is gone is told of once, not once a second.
func TestManyTellsOnceThatItsDirectoryIsGone(t *testing.T) {
	var said bytes.Buffer
	m := &Many{cfg: ManyConfig{Dir: filepath.Join(t.TempDir(), "gone")}, log: slog.New(slog.NewTextHandler(&said, nil))}
	for range 3 {
		m.scan(t.Context(), nil)
	}
	require.Equal(t, 1, strings.Count(said.String(), "cannot be read"))
	require.NoError(t, os.Mkdir(m.cfg.Dir, 0o700))
	m.scan(t.Context(), nil)
	require.NoError(t, os.Remove(m.cfg.Dir))
	m.scan(t.Context(), nil)
	require.Equal(t, 2, strings.Count(said.String(), "cannot be read"))
}

// What a torrent brings is not taken for one of the torrents that somebody put into the directory.
func TestManyTakesNoOrdersFromContent(t *testing.T) {
	dir, data := t.TempDir(), t.TempDir()
	putTorrent(t, data, "b.torrent", "d4:infoe")
	require.NoError(t, os.Rename(filepath.Join(data, "b.torrent.torrent"), filepath.Join(dir, "a.torrent")))
	m, stop := runMany(t, dir, t.TempDir())
	defer stop()
	require.Eventually(t, func() bool { return failure(m, "a.torrent") != nil }, 10*time.Second, time.Millisecond)
	require.ErrorContains(t, failure(m, "a.torrent"), "--data")
}

// A transfer that is left half way goes on where it was, and what is in the way is refused.
func TestTransferRefusesWhatIsInTheWay(t *testing.T) {
	dir := t.TempDir()
	putTorrent(t, dir, "a", strings.Repeat("a", 50_000))
	raw, err := os.ReadFile(filepath.Join(dir, "a.torrent"))
	require.NoError(t, err)
	torrent, err := metainfo.Parse(raw)
	require.NoError(t, err)
	c, err := NewClient(t.Context(), ClientConfig{Peer: "127.0.0.1:0", NoDHT: true, NoLocal: true})
	require.NoError(t, err)
	defer c.ln.Close()
	for name, content := range map[string]string{"mine": "my letter", "longer": strings.Repeat("a", 60_000)} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
		tr, err := c.NewTransfer(TransferConfig{Torrent: torrent, Path: path})
		require.NoError(t, err)
		require.ErrorIs(t, tr.Run(t.Context()), ErrOtherContent)
		kept, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, content, string(kept))
	}
	huge := *torrent.Info
	huge.Files = []metainfo.File{{Path: []string{"a"}, Length: 1 << 47}}
	huge.PieceLength, huge.Pieces = 512<<20, make([]byte, 20<<18)
	tr, err := c.NewTransfer(TransferConfig{Torrent: &metainfo.Torrent{Info: &huge}, Path: filepath.Join(dir, "huge")})
	require.NoError(t, err)
	require.ErrorContains(t, tr.Run(t.Context()), "needs")
	many := *torrent.Info
	many.Multi, many.Files = true, make([]metainfo.File, 1_000_000)
	_, err = c.NewTransfer(TransferConfig{Torrent: &metainfo.Torrent{Info: &many}, Path: filepath.Join(dir, "many")})
	require.ErrorContains(t, err, "more than")
}
