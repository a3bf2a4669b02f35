package seedserver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/tracker"
)

// fetchFrom fetches /dir/file.bin of a server with one handler.
func fetchFrom(t *testing.T, h http.HandlerFunc, cfg FetchConfig) (*Fetched, error) {
	t.Helper()
	srv := httptest.NewServer(h)
	defer srv.Close()
	cfg.URL = srv.URL + "/dir/file.bin"
	return Fetch(t.Context(), cfg)
}

func TestFetchTorrent(t *testing.T) {
	raw, err := metainfo.Build(t.Context(), metainfo.BuildConfig{Name: "x", PieceLength: 1 << 14, Files: []metainfo.Input{{
		Length: 3, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("abc")), nil }}}})
	require.NoError(t, err)
	document := (&metainfo.Torrent{InfoBytes: raw}).Encode()
	got, err := fetchFrom(t, func(w http.ResponseWriter, r *http.Request) {
		require.True(t, strings.HasPrefix(r.Header.Get("Accept"), torrentType))
		w.Header().Set("Content-Type", torrentType)
		w.Write(document)
	}, FetchConfig{})
	require.NoError(t, err)
	require.True(t, got.Local, "it came from loopback")
	require.Equal(t, "x", got.Torrent.Info.Name)
}

// Many servers do not know the type of a .torrent file: its name tells.
func TestFetchTorrentByItsName(t *testing.T) {
	raw, err := metainfo.Build(t.Context(), metainfo.BuildConfig{Name: "x", PieceLength: 1 << 14, Files: []metainfo.Input{{
		Length: 3, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("abc")), nil }}}})
	require.NoError(t, err)
	document := (&metainfo.Torrent{InfoBytes: raw}).Encode()
	for _, tc := range []struct{ path, mediaType, disposition string }{
		{"/a.torrent", "application/octet-stream", ""},
		{"/a.torrent?key=1", "text/plain; charset=utf-8", ""},
		{"/download.php?id=1", "application/force-download", `attachment; filename="a b.torrent"`},
	} {
		t.Run(tc.path, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tc.mediaType)
				w.Header().Set("Content-Disposition", tc.disposition)
				w.Write(document)
			}))
			defer srv.Close()
			got, err := Fetch(t.Context(), FetchConfig{URL: srv.URL + tc.path, Path: filepath.Join(t.TempDir(), "x")})
			require.NoError(t, err)
			require.NotNil(t, got.Torrent)
		})
	}
}

// A server that breaks off is asked for the rest, and one that has another file by then is asked for all of it.
func TestFetchPlainGoesOn(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 40_000)
	for _, changes := range []bool{false, true} {
		t.Run(fmt.Sprint("changes=", changes), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out", "file.bin")
			requests, ranges := 0, 0
			ctx, cancel := context.WithCancel(t.Context())
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				tag := `"one"`
				if changes && requests > 1 {
					tag = `"two"`
				}
				if r.Header.Get("Range") != "" {
					ranges++
				}
				w.Header().Set("ETag", tag)
				if requests == 1 {
					w.Header().Set("Content-Length", fmt.Sprint(len(data)))
					w.Write(data[:len(data)/2])
					w.(http.Flusher).Flush()
					<-r.Context().Done()
					return
				}
				http.ServeContent(w, r, "file.bin", time.Time{}, bytes.NewReader(data))
			}))
			defer srv.Close()
			cfg := FetchConfig{URL: srv.URL + "/file.bin", Path: path, Progress: func(_ string, have, _ int64) {
				if have >= int64(len(data)/2) {
					cancel()
				}
			}}
			_, err := Fetch(ctx, cfg)
			require.ErrorIs(t, err, context.Canceled)
			cfg.Progress = nil
			got, err := Fetch(t.Context(), cfg)
			require.NoError(t, err)
			require.Nil(t, got.Torrent)
			require.EqualValues(t, len(data), got.Size)
			saved, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, saved))
			require.Equal(t, 1, ranges)
			left, err := os.ReadDir(filepath.Dir(path))
			require.NoError(t, err)
			require.Len(t, left, 1, "nothing else stays behind")
			_, err = Fetch(t.Context(), cfg)
			require.ErrorContains(t, err, "is there already")
		})
	}
}

// What another program began to download to NAME.part is not ours to throw away.
func TestFetchLeavesThePartOfAnother(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("all of it")) }))
	defer srv.Close()
	cfg := FetchConfig{URL: srv.URL + "/file.bin", Path: filepath.Join(t.TempDir(), "file.bin")}
	require.NoError(t, os.WriteFile(cfg.Path+".part", []byte("half of it"), 0o600))
	_, err := Fetch(t.Context(), cfg)
	require.ErrorContains(t, err, "file.bin.part is there already")
	kept, err := os.ReadFile(cfg.Path + ".part")
	require.NoError(t, err)
	require.Equal(t, "half of it", string(kept))
	cfg.Overwrite = true
	_, err = Fetch(t.Context(), cfg)
	require.NoError(t, err)
	saved, err := os.ReadFile(cfg.Path)
	require.NoError(t, err)
	require.Equal(t, "all of it", string(saved))
}

func TestFetchRefusesTheHostile(t *testing.T) {
	endless := func(kind string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}
	}
	for _, tc := range []struct {
		name    string
		h       http.HandlerFunc
		because string
	}{
		{"a torrent without end", endless(torrentType), "more than a .torrent file may hold"},
		{"a file without end", endless("video/mp4"), "sends more than"},
		{"a loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) }, "redirects without end"},
		{"to a file of ours", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		}, "not on the web"},
		{"no torrent", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", torrentType)
			w.Write([]byte("d4:infoi1ee"))
		}, "info"},
		{"not there", http.NotFound, "404"},
		{"another part", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes 5-9/10")
			w.WriteHeader(http.StatusPartialContent)
		}, "another part"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := fetchFrom(t, tc.h, FetchConfig{Path: filepath.Join(t.TempDir(), "x"), MaxSize: 10 << 20})
			require.ErrorContains(t, err, tc.because)
		})
	}
}

// Where a server sends us may be in a private network only if the URL is (design, "Safety in general").
func TestFetchIsNotSentHome(t *testing.T) {
	home := httptest.NewServer(http.NotFoundHandler())
	defer home.Close()
	addr := strings.TrimPrefix(home.URL, "http://")
	f := &webFetch{url: &url.URL{Scheme: "http", Host: "files.example.org"}}
	_, err := f.dial(t.Context(), "tcp", addr)
	require.ErrorIs(t, err, tracker.ErrAddress)
	f.local.Store(true)
	conn, err := f.dial(t.Context(), "tcp", addr)
	require.NoError(t, err)
	conn.Close()
	f = &webFetch{url: &url.URL{Scheme: "http", Host: addr}}
	conn, err = f.dial(t.Context(), "tcp", addr)
	require.NoError(t, err)
	conn.Close()
	require.True(t, f.local.Load())
}

func TestFetchNamesFiles(t *testing.T) {
	for in, want := range map[string]string{
		"http://h/a/b.iso": "b.iso", "http://h/a%20b": "a b", "http://h/": "", "http://h/..": "", "http://h/.hidden": "", "http://h/a%2F..%2Fb": "b",
	} {
		u, err := url.Parse(in)
		require.NoError(t, err)
		got, err := fileName(u)
		require.Equal(t, want, got, in)
		require.Equal(t, want == "", err != nil)
	}
}
