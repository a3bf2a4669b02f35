package seedserver

import (
	"bytes"
	"context"
	"crypto/sha1"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/tracker"
)

// webTorrent returns a torrent of files in pieces of 32 KiB, and their content by the path of a URL.
func webTorrent(t *testing.T, multi bool, sizes ...int) (*metainfo.Torrent, map[string][]byte) {
	info := &metainfo.Info{Name: "a b+c", PieceLength: 32 << 10, Multi: multi}
	files, all := map[string][]byte{}, []byte{}
	for i, size := range sizes {
		data := bytes.Repeat([]byte(fmt.Sprintf("file %d.", i)), size/7+1)[:size]
		for k := 0; k < size; k += 1000 {
			data[k] = byte(k / 1000)
		}
		path, at := []string{info.Name}, "/"+info.Name
		if multi {
			path = []string{"é?", fmt.Sprintf("%d#.bin", i)}
			at += "/" + path[0] + "/" + path[1]
		}
		info.Files = append(info.Files, metainfo.File{Path: path, Length: int64(size), Offset: int64(len(all))})
		files[at], all = data, append(all, data...)
	}
	for at := 0; at < len(all); at += 32 << 10 {
		sum := sha1.Sum(all[at:min(at+32<<10, len(all))])
		info.Pieces = append(info.Pieces, sum[:]...)
	}
	return &metainfo.Torrent{Info: info, InfoHash: sha1.Sum(all)}, files
}

func serveFiles(files map[string][]byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if data, ok := files[r.URL.Path]; ok {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
			return
		}
		http.NotFound(w, r)
	}
}

// transferFrom runs a transfer of the torrent from web servers and peers until it is complete, or for a time.
func transferFrom(t *testing.T, torrent *metainfo.Torrent, within time.Duration, path string, peers []netip.AddrPort, handlers ...http.Handler) bool {
	t.Helper()
	own := *torrent
	own.WebSeeds = nil
	for _, h := range handlers {
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		own.WebSeeds = append(own.WebSeeds, srv.URL+"/")
	}
	ctx, cancel := context.WithCancel(t.Context())
	c, err := NewClient(ctx, ClientConfig{Peer: "127.0.0.1:0", NoDHT: true, NoLocal: true})
	require.NoError(t, err)
	tr, err := c.NewTransfer(TransferConfig{Torrent: &own, Path: path, Private: true, Peers: peers})
	require.NoError(t, err)
	ended := make(chan struct{}, 2)
	go func() { c.Run(ctx); ended <- struct{}{} }()
	go func() { tr.Run(ctx); ended <- struct{}{} }()
	defer func() { cancel(); <-ended; <-ended }()
	select {
	case <-tr.Done():
		return true
	case <-time.After(within):
		return false
	}
}

// requireFiles compares a download with the content, by the path of a URL.
func requireFiles(t *testing.T, files map[string][]byte, path string, name string) {
	t.Helper()
	for at, want := range files {
		got, err := os.ReadFile(path + at[len(name)+1:])
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), at)
	}
}

func TestDownloadFromWebSeed(t *testing.T) {
	for name, multi := range map[string]bool{"one file": false, "files": true} {
		t.Run(name, func(t *testing.T) {
			sizes := []int{3_000_001}
			if multi {
				sizes = []int{100_000, 1, 0, 40_000, 2_000_000}
			}
			torrent, files := webTorrent(t, multi, sizes...)
			path := filepath.Join(t.TempDir(), "x")
			require.True(t, transferFrom(t, torrent, 20*time.Second, path, nil, serveFiles(files)))
			requireFiles(t, files, path, torrent.Info.Name)
		})
	}
}

// Servers that are of no use do no harm: each is left alone, and the good one gives everything.
func TestDownloadFromUnwellWebSeeds(t *testing.T) {
	torrent, files := webTorrent(t, false, 1_000_001)
	good := serveFiles(files)
	var asked, busy atomic.Int32
	wrong := map[string][]byte{"/a b+c": make([]byte, 1_000_001)}
	for name, bad := range map[string]http.HandlerFunc{
		"wrong bytes": func(w http.ResponseWriter, r *http.Request) { asked.Add(1); serveFiles(wrong)(w, r) },
		"no parts":    func(w http.ResponseWriter, _ *http.Request) { w.Write(files["/a b+c"]) },
		"endless": func(w http.ResponseWriter, r *http.Request) {
			var from, to int
			fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/1000001", from, to))
			w.WriteHeader(http.StatusPartialContent)
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		},
		"another part": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 7-9/1000001")
			w.WriteHeader(http.StatusPartialContent)
		},
		"not there": http.NotFound,
		"hangs up":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"not now": func(w http.ResponseWriter, _ *http.Request) {
			busy.Add(1)
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path, called := filepath.Join(t.TempDir(), "x"), make(chan struct{})
			call := sync.OnceFunc(func() { close(called) })
			first := func(w http.ResponseWriter, r *http.Request) { call(); bad(w, r) }
			second := func(w http.ResponseWriter, r *http.Request) { <-called; good(w, r) } // else all might come from it alone
			require.True(t, transferFrom(t, torrent, 30*time.Second, path, nil, http.HandlerFunc(first), http.HandlerFunc(second)))
			requireFiles(t, files, path, torrent.Info.Name)
		})
	}
	require.Less(t, asked.Load(), int32(40), "who sends junk is not asked for all of it")
	require.EqualValues(t, 1, busy.Load(), "and who asks for patience has it")
	require.Positive(t, asked.Load())
}

// What a torrent names is not asked for in private networks, nor are redirects from there followed to another server.
func TestWebSeedIsNotSentHome(t *testing.T) {
	torrent, files := webTorrent(t, false, 100_000)
	var asked atomic.Int32
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1); serveFiles(files)(w, r) }))
	defer home.Close()
	u, err := url.Parse(home.URL + "/")
	require.NoError(t, err)
	buf := make([]byte, 100)
	err = newWebSource(u, torrent.Info, false, netip.Addr{}).ReadAt(t.Context(), buf, 0)
	require.ErrorIs(t, err, tracker.ErrAddress)
	away := httptest.NewServer(http.RedirectHandler(home.URL+"/a%20b+c", http.StatusFound))
	defer away.Close()
	u, err = url.Parse(away.URL + "/")
	require.NoError(t, err)
	err = newWebSource(u, torrent.Info, true, netip.Addr{}).ReadAt(t.Context(), buf, 0)
	require.ErrorIs(t, err, tracker.ErrAddress)
	require.Zero(t, asked.Load())
}

// A web seed and a server of ours at once: the peer gives what the web seed does not.
func TestDownloadFromWebSeedAndPeer(t *testing.T) {
	srv, dir, _ := running(t, func(cfg *Config) { cfg.WebSeed = true })
	data := bytes.Repeat([]byte("0123456789abcde"), 300_000)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "w x.bin"), data, 0o644))
	var torrent *metainfo.Torrent
	require.Eventually(t, func() bool {
		resp, err := http.Get(srv.URLs()[0] + "w%20x.bin.torrent")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		raw, _ := io.ReadAll(resp.Body)
		torrent, err = metainfo.Parse(raw)
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
	require.Len(t, torrent.WebSeeds, 1)
	path := filepath.Join(t.TempDir(), "x")
	torrent.Announce, torrent.AnnounceList = "", nil
	c, err := NewClient(t.Context(), ClientConfig{Peer: "127.0.0.1:0", NoDHT: true, NoLocal: true})
	require.NoError(t, err)
	defer c.ln.Close()
	ctx, cancel := context.WithCancel(t.Context())
	tr, err := c.NewTransfer(TransferConfig{Torrent: torrent, Path: path, Private: true, Peers: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), srv.peerPort())}})
	require.NoError(t, err)
	ended := make(chan struct{}, 2)
	go func() { c.Run(ctx); ended <- struct{}{} }()
	go func() { tr.Run(ctx); ended <- struct{}{} }()
	defer func() { cancel(); <-ended; <-ended }()
	select {
	case <-tr.Done():
	case <-time.After(20 * time.Second):
		require.Fail(t, "not complete", "%+v", tr.Status())
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))
	require.Positive(t, tr.Status().Swarm.Downloaded)
}

// TestWebSourceFromOurAddress: web seeds are asked from the address at which peers reach us, as trackers and peers are: it may be the only
// one that leads anywhere, or the one that is paid for.
func TestWebSourceFromOurAddress(t *testing.T) {
	torrent, files := webTorrent(t, false, 50_000)
	from := make(chan string, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from <- r.RemoteAddr
		serveFiles(files)(w, r)
	}))
	defer srv.Close()
	u, err := url.Parse(srv.URL + "/")
	require.NoError(t, err)
	for bind, want := range map[string]string{"127.0.0.3": "127.0.0.3", "0.0.0.0": "127.0.0.1", "::": "127.0.0.1"} {
		w := newWebSource(u, torrent.Info, true, netip.MustParseAddr(bind))
		require.NoError(t, w.ReadAt(t.Context(), make([]byte, 1000), 0))
		require.Equal(t, want, netip.MustParseAddrPort(<-from).Addr().String())
		w.client.CloseIdleConnections()
	}
	// And a transfer hands its address on.
	c, err := NewClient(t.Context(), ClientConfig{Peer: "127.0.0.4:0", NoDHT: true, NoLocal: true})
	require.NoError(t, err)
	own := *torrent
	own.WebSeeds = []string{srv.URL + "/"}
	tr, err := c.NewTransfer(TransferConfig{Torrent: &own, Path: filepath.Join(t.TempDir(), "x"), Private: true})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{}, 2)
	go func() { c.Run(ctx); ended <- struct{}{} }()
	go func() { tr.Run(ctx); ended <- struct{}{} }()
	ends(t, tr.Done())
	cancel()
	<-ended
	<-ended
	require.Equal(t, "127.0.0.4", netip.MustParseAddrPort(<-from).Addr().String())
}
