package seedserver

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// running starts a server over a fresh directory and returns it, and what ends it and hands over the result of Run.
func running(t testing.TB, change func(*Config)) (srv *Server, dir string, end func() error) {
	t.Helper()
	cfg := Config{
		Dir: filepath.Join(t.TempDir(), "files"), State: filepath.Join(t.TempDir(), "state"), HTTP: "127.0.0.1:0", Peer: "127.0.0.1:0",
		PeerExact: true, SettleWrite: 20 * time.Millisecond, SettleRename: 20 * time.Millisecond,
	}
	if change != nil {
		change(&cfg)
	}
	srv, err := New(cfg)
	require.NoError(t, err)
	require.NoError(t, srv.Listen(t.Context()))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	ended := false
	end = func() error {
		ended = true
		cancel()
		return <-done
	}
	t.Cleanup(func() {
		if !ended {
			require.NoError(t, end())
		}
	})
	return srv, cfg.Dir, end
}

// status asks the server for a path of its index.
func status(t testing.TB, srv *Server, path string) int {
	t.Helper()
	resp, err := http.Get(srv.URLs()[0] + path)
	require.NoError(t, err)
	resp.Body.Close()
	return resp.StatusCode
}

// TestRunLeavesNothing: when Run has returned, every goroutine it started has, and the ports and the state are free again.
func TestRunLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 2 {
		srv, dir, end := running(t, nil)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte("content"), 0o644))
		require.Eventually(t, func() bool { return status(t, srv, "a.torrent") == http.StatusOK }, 10*time.Second, 20*time.Millisecond)
		require.NoError(t, end())
	}
	http.DefaultClient.CloseIdleConnections()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(deadline); {
		<-time.After(20 * time.Millisecond) // what the HTTP client and the runtime started winds down
	}
	buf := make([]byte, 1<<20)
	require.LessOrEqual(t, runtime.NumGoroutine(), before, "still running:\n%s", buf[:runtime.Stack(buf, true)])
}

// TestStateIsNotPublished: a state directory inside the published one would be published.
func TestStateIsNotPublished(t *testing.T) {
	dir := t.TempDir()
	_, err := New(Config{Dir: dir, State: filepath.Join(dir, "state")})
	require.ErrorContains(t, err, "--state")

	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	_, err = New(Config{Dir: dir, State: filepath.Join(link, "new", "state")})
	require.ErrorContains(t, err, "--state", "by whatever way, and though it is not there yet")
	require.NoDirExists(t, filepath.Join(dir, "new"))
}

// TestReload: limits change while running; what cannot change is named.
func TestReload(t *testing.T) {
	srv, _, _ := running(t, nil)
	cfg := srv.cfg
	cfg.MaxUp, cfg.MaxUpTorrent = 1000, 500
	require.NoError(t, srv.Reload(cfg))
	require.EqualValues(t, 1000, srv.limit.Rate())
	require.Empty(t, srv.cfg.needRestart(&cfg))
	cfg.URL = "http://files.example.org"
	require.Equal(t, []string{"url"}, srv.cfg.needRestart(&cfg))
	cfg.URL = "files.example.org"
	require.Error(t, srv.Reload(cfg), "settings that cannot work are refused")
}

// TestReloadNamesWhatItLeaves: every setting either changes or is named.
func TestReloadNamesWhatItLeaves(t *testing.T) {
	changes := map[string]bool{ // by Reload itself
		"MaxUp": true, "MaxUpTorrent": true, "TLSKey": true,
		"Logger": true, "Version": true, // not settings
		"PeerExact": true, "AdminExact": true, // follow from others
	}
	base := reflect.ValueOf(Config{TLSCert: "cert", TLSKey: "key"})
	for _, field := range reflect.VisibleFields(base.Type()) {
		next := reflect.New(base.Type()).Elem()
		next.Set(base)
		v := next.FieldByIndex(field.Index)
		switch {
		case changes[field.Name]:
			continue
		case field.Name == "TLSCert":
			v.SetString("")
		case v.Kind() == reflect.Bool:
			v.SetBool(true)
		case v.Kind() == reflect.String:
			v.SetString("other")
		case v.CanInt():
			v.SetInt(7)
		case v.Kind() == reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		default:
			v.Set(reflect.ValueOf(io.Discard))
		}
		before, after := base.Interface().(Config), next.Interface().(Config)
		require.NotEmpty(t, before.needRestart(&after), "%s changes in silence", field.Name)
	}
}

// TestAnnounceNeedsInfohash: a file called announce stays reachable; only an announce goes to the tracker.
func TestAnnounceNeedsInfohash(t *testing.T) {
	srv, dir, _ := running(t, nil)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "announce"), []byte("a file"), 0o644))
	require.Eventually(t, func() bool { return status(t, srv, "announce") == http.StatusOK }, 10*time.Second, 20*time.Millisecond)
	resp, err := http.Get(srv.URLs()[0] + "announce?info_hash=%00&port=1")
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, "text/plain", strings.Split(resp.Header.Get("Content-Type"), ";")[0])
}
