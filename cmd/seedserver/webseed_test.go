package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/ledger"
)

// TestWebSeedClients: clients that know nothing but the web seed, and some that know peers too; every byte is in the ledger.
func TestWebSeedClients(t *testing.T) {
	t.Parallel()
	requireTool(t, "aria2c", "aria2")
	requireLibtorrent(t)
	if !inNamespace(t) {
		return
	}
	const size = 3<<20 + 12345
	data := content(1, size)
	for i, tt := range []struct {
		client string
		mixed  bool
	}{{"libtorrent", false}, {"aria2", false}, {"libtorrent", true}, {"aria2", true}} {
		name := tt.client
		args := []string{"--web-seed", "--mode", "plain", "--tracker", "off"}
		if tt.mixed {
			name += " with peers"
			args = args[:3]
		}
		t.Run(name, func(t *testing.T) {
			s := newServer(t, args...)
			s.put("w.bin", data)
			s.start()
			s.published("w.bin", 20*time.Second)
			out, got := t.TempDir(), int64(size)
			if tt.client == "aria2" {
				aria2(t, s.torrent("w.bin"), out, clientIP(i))
			} else { // it says how much it took, blocks that came twice included
				printed, err := exec.Command("/usr/bin/python3", "testdata/leech.py", s.torrent("w.bin"), out, clientIP(i), "16881").Output()
				require.NoError(t, err)
				got, err = strconv.ParseInt(strings.TrimSpace(string(printed)), 10, 64)
				require.NoError(t, err)
			}
			requireSame(t, tree(t, s.dir)["w.bin"], filepath.Join(out, "w.bin"))
			s.stop() // and everything is written
			sent := s.sums()["w.bin"].Sent
			if !tt.mixed {
				require.EqualValues(t, size, sent[ledger.ClassWebSeed])
			}
			// What it had asked both for can be on its way when it has all and hangs up: we count it, it does not.
			counted, lost := sent[ledger.ClassWebSeed]+sent[ledger.ClassPlain], int64(0)
			if tt.mixed {
				lost = 16 << 14
			}
			require.GreaterOrEqual(t, counted, got)
			require.LessOrEqual(t, counted, got+lost)
		})
	}
}

// TestWebSeedSpent: when its share of the budget is spent a web seed answers 503 and when to come back; clients obey.
func TestWebSeedSpent(t *testing.T) {
	t.Parallel()
	requireTool(t, "aria2c", "aria2")
	requireLibtorrent(t)
	if !inNamespace(t) {
		return
	}
	logs := t.TempDir()
	s := newServer(t, "--web-seed", "--mode", "plain", "--tracker", "off", "--log-dir", logs)
	s.put("w.bin", content(1, 3<<20))
	s.start()
	s.published("w.bin", 20*time.Second)
	torrent := s.torrent("w.bin")
	libtorrent(t, torrent, t.TempDir(), clientIP(0))
	s.stop()
	before := s.sums()["w.bin"].Sent
	s.args = append(s.args, "--budget", "3.2MB/month") // of which this month has cost 3,145,728 bytes before it was set
	s.start()
	s.published("w.bin", 20*time.Second)
	b, err := os.ReadFile(torrent)
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(b), "/-/seed/")
	body, resp := s.get("-/seed/"+rest[:41]+"w.bin", "Range", "bytes=0-9")
	require.Equal(t, 503, resp.StatusCode, "%s", body)
	require.NotEmpty(t, resp.Header.Get("Retry-After"))
	body, _ = s.get("", "Accept", "text/html")
	require.Contains(t, string(body), "nearly spent")
	status, err := http.Get("http://127.0.0.1:8081/")
	require.NoError(t, err)
	page, err := io.ReadAll(status.Body)
	status.Body.Close()
	require.NoError(t, err)
	require.Contains(t, string(page), "spent but for its reserve")

	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
	defer cancel()
	leech := exec.CommandContext(ctx, "/usr/bin/python3", "testdata/leech.py", torrent, t.TempDir(), clientIP(1), "16881")
	require.NoError(t, leech.Start())
	aria := exec.CommandContext(ctx, "aria2c", "--no-conf", "--dir="+t.TempDir(), "--interface="+clientIP(2), "--enable-dht=false", "--bt-enable-lpd=false",
		"--async-dns=false", "--disable-ipv6=true", torrent)
	require.NoError(t, aria.Start())
	leech.Wait()
	aria.Wait()
	s.stop()
	log, err := os.ReadFile(filepath.Join(logs, "access.log"))
	require.NoError(t, err)
	refused := strings.Count(string(log), `" 503 `)
	t.Logf("%d requests were answered 503", refused)
	require.Greater(t, refused, 1, "the clients asked")
	require.Less(t, refused, 15, "and came not again before the time")
	require.Equal(t, before, s.sums()["w.bin"].Sent, "and not a byte was sent")
}
