package seedserver

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/accesslog"
)

// TestTarget: what an access log has of a request's path and query.
func TestTarget(t *testing.T) {
	const announce = "/announce?info_hash=%01&peer_id=PEER&port=1&ip=10.1.2.3&ipv6=%3A%3A1&k%65y=SECRET&left=0"
	for _, tt := range []struct{ target, truncated, full string }{
		{"/dir/a.iso?torrent", "/dir/a.iso?torrent", "/dir/a.iso?torrent"},
		{announce, "/announce?info_hash=%01&peer_id=masked&port=1&ip=masked&ipv6=masked&k%65y=masked&left=0", announce},
		{"/announce/KEY?info_hash=%01&ip=1.2.3.4", "/announce/masked?info_hash=%01&ip=masked", "/announce/masked?info_hash=%01&ip=1.2.3.4"},
		{"/%61nnounce/KEY?info_hash=%01", "/announce/masked?info_hash=%01", "/announce/masked?info_hash=%01"},
		{"/scrape/KEY?info_hash=%01&info_hash=%02", "/scrape/masked?info_hash=%01&info_hash=%02", "/scrape/masked?info_hash=%01&info_hash=%02"},
		{"/announce/KEY", "/announce/masked", "/announce/masked"},
		{"/announce/KEY/?info_hash=%01", "/announce/masked?info_hash=%01", "/announce/masked?info_hash=%01"},
		{"/scrape/a/KEY", "/scrape/masked", "/scrape/masked"},
		{"/a.iso?ip=1.2.3.4", "/a.iso?ip=1.2.3.4", "/a.iso?ip=1.2.3.4"},
	} {
		r := httptest.NewRequest(http.MethodGet, tt.target, nil)
		require.Equal(t, tt.truncated, (&logs{}).target(r))
		require.Equal(t, tt.truncated, (&logs{addresses: accesslog.Off}).target(r))
		require.Equal(t, tt.full, (&logs{addresses: accesslog.Full}).target(r))
	}
}

// TestLogsAreNotPublished: a directory for logs inside the published one would be published, and named in them.
func TestLogsAreNotPublished(t *testing.T) {
	dir := t.TempDir()
	_, err := New(Config{Dir: dir, State: t.TempDir(), LogDir: filepath.Join(dir, "logs")})
	require.ErrorContains(t, err, "--log-dir")
	_, err = New(Config{Dir: dir, State: t.TempDir(), LogAddresses: "some"})
	require.ErrorContains(t, err, `log-addresses "some": one of off, truncated, full`)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = New(Config{Dir: dir, State: t.TempDir(), LogDir: file})
	require.Error(t, err)
}

// never is a writer that takes nothing until it is let go.
type never struct{ free chan struct{} }

func (n never) Write(p []byte) (int, error) {
	<-n.free
	return len(p), nil
}

// TestNobodyReadsTheLog: requests are answered and the server ends, though nobody takes its access log.
func TestNobodyReadsTheLog(t *testing.T) {
	out := never{make(chan struct{})}
	srv, _, end := running(t, func(c *Config) { c.AccessLog = out })
	for range 10 {
		require.Equal(t, http.StatusOK, status(t, srv, ""))
	}
	ended := make(chan struct{})
	var err error
	go func() { defer close(ended); err = end() }()
	ends(t, ended)
	require.NoError(t, err)
	close(out.free)
}
