package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// nodeIP is the address of the n-th node of a test's DHT: each in a subnet of its own, as tables hold few of one.
func nodeIP(n int) string { return fmt.Sprintf("198.18.%d.1", 20+n) }

// trackerless is a DHT of a test: one router, which is all that anybody else is told of.
type trackerless struct {
	t      *testing.T
	router string
}

// background runs a program until the test ends, and returns what it says.
func background(t *testing.T, name string, args ...string) *logBuffer {
	t.Helper()
	log := &logBuffer{}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s %v said:\n%s", name, args, log)
		}
	})
	return log
}

// answers waits until a node answers a ping of ours, and returns what that says of it.
func (d trackerless) answers(t *testing.T, node string) string {
	t.Helper()
	var out []byte
	require.Eventually(t, func() bool {
		var err error
		out, err = exec.Command(serverBinary(t), "dht", "ping", node).CombinedOutput()
		return err == nil
	}, 20*time.Second, 50*time.Millisecond, "%s answers", node)
	return string(out)
}

// ours runs a node of ours that serves nothing.
func (d trackerless) ours(ip string) {
	d.t.Helper()
	node := ip + ":6881"
	router := d.router
	if node == router {
		router = "none"
	}
	background(d.t, serverBinary(d.t), "dht", "node", node, "--dht-router", router)
}

// libtorrent runs a node of libtorrent: testdata/dht.py.
func (d trackerless) libtorrent(ip, action string, more ...string) {
	d.t.Helper()
	background(d.t, "/usr/bin/python3", append([]string{"testdata/dht.py", ip, "6881", d.router, action}, more...)...)
}

// aria2 returns the arguments of an aria2 in the DHT.
func (d trackerless) aria2(ip, dir string, more ...string) []string {
	return append([]string{"--no-conf", "--dir=" + dir, "--interface=" + ip, "--listen-port=6882", "--enable-dht=true", "--enable-dht6=false",
		"--dht-listen-port=6881", "--dht-entry-point=" + d.router, "--dht-file-path=" + filepath.Join(d.t.TempDir(), "dht.dat"), "--bt-enable-lpd=false",
		"--seed-time=0", "--file-allocation=none", "--disable-ipv6=true", "--async-dns=false", "--summary-interval=0"}, more...)
}

// transmission runs a node of transmission. It is not asked to download: version 3.00 asks the DHT for no peers while it knows too few
// nodes ("not ready (broken, 2 nodes)" in its log for 70 s), and how fast others fill its table is left to chance. Of five downloads
// one had nothing after 70 s, the others took 33 to 69 s.
func (d trackerless) transmission(ip string) {
	d.t.Helper()
	conf := d.t.TempDir()
	settings := fmt.Sprintf(`{"dht-enabled":true,"lpd-enabled":false,"utp-enabled":false,"port-forwarding-enabled":false,"pex-enabled":false,
		"bind-address-ipv4":%q,"peer-port":6881,"rpc-enabled":false}`, ip)
	require.NoError(d.t, os.WriteFile(filepath.Join(conf, "settings.json"), []byte(settings), 0o644))
	host, port, _ := strings.Cut(d.router, ":")
	require.NoError(d.t, os.WriteFile(filepath.Join(conf, "dht.bootstrap"), []byte(host+" "+port+"\n"), 0o644))
	background(d.t, "transmission-daemon", "-f", "-g", conf)
	d.answers(d.t, ip+":6881")
}

// libtorrentFinds returns the first peers that a lookup of libtorrent finds.
func (d trackerless) libtorrentFinds(t *testing.T, ip, infohash string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/usr/bin/python3", "testdata/dht.py", ip, "6881", d.router, "peers", infohash).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// dhtStatus is what the status pages tell of the DHT.
func (s *server) dhtStatus() (d struct {
	Tables []struct{ Contacts, Peers int }
	Stores int64
}) {
	s.t.Helper()
	resp, err := http.Get("http://127.0.0.1:8081/api/v1/status")
	require.NoError(s.t, err)
	defer resp.Body.Close()
	require.NoError(s.t, json.NewDecoder(resp.Body).Decode(&struct{ DHT any }{&d}))
	return d
}

// TestWithoutTracker: a DHT of libtorrent, transmission and aria2 nodes and ours, and no tracker. aria2 and libtorrent, which know
// the one router and the infohash, download; our lookups find whom libtorrent announced, and libtorrent's find our server, which announced.
func TestWithoutTracker(t *testing.T) {
	for _, c := range clients {
		c.require(t)
	}
	if !inNamespace(t) {
		return
	}
	d := trackerless{t, nodeIP(0) + ":6881"}
	d.ours(nodeIP(0))
	d.answers(t, d.router)
	d.transmission(nodeIP(1))
	background(t, "aria2c", d.aria2(nodeIP(2), t.TempDir(), "magnet:?xt=urn:btih:"+strings.Repeat("ab", 20))...) // nobody has it: aria2 stays
	announced := strings.Repeat("17", 20)
	d.libtorrent(nodeIP(3), "node")
	d.libtorrent(nodeIP(4), "announce", announced)
	for n := 5; n < 10; n++ {
		d.ours(nodeIP(n))
	}

	s := startServer(t, "--tracker", "off", "--dht-router", d.router, "--peer", serverIP+":6881")
	s.put("file.bin", content(5, 3_000_000))
	s.put("other.bin", content(6, 100_000))
	infohash, other := s.published("file.bin", 30*time.Second), s.published("other.bin", 30*time.Second)
	want := tree(t, s.dir)["file.bin"]
	s.eventually(30*time.Second, "both torrents are announced", func() bool { return s.dhtStatus().Stores >= 6 })

	torrent, err := readTorrent(s.torrent("file.bin"))
	require.NoError(t, err)
	require.Empty(t, torrent.Announce)
	require.Equal(t, []metainfo.Node{{Host: serverIP, Port: 6881}, {Host: nodeIP(0), Port: 6881}}, torrent.Nodes, "our node and the router")
	magnet := s.magnet("file.bin")
	require.NotContains(t, magnet, "&tr=")
	require.Contains(t, magnet, "x.pe="+serverIP)

	link := "magnet:?xt=urn:btih:" + infohash // not even our address
	t.Run("ways", func(t *testing.T) {
		downloads := func(name, dir string, get func(t *testing.T)) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				begun := time.Now()
				get(t)
				t.Logf("%s had it after %.1f s", name, time.Since(begun).Seconds())
				require.Equal(t, want, tree(t, dir)["file.bin"])
			})
		}
		dir := t.TempDir()
		downloads("aria2", dir, func(t *testing.T) { runClient(t, "aria2c", d.aria2(nodeIP(10), dir, link)...) })
		dir2 := t.TempDir()
		downloads("libtorrent", dir2, func(t *testing.T) {
			runClient(t, "/usr/bin/python3", "testdata/leech.py", link, dir2, nodeIP(11), "6881", d.router)
		})
		t.Run("our lookup finds whom libtorrent announced", func(t *testing.T) {
			t.Parallel()
			require.Eventually(t, func() bool {
				out, err := exec.Command(serverBinary(t), "dht", "peers", announced, "--dht-router", d.router).CombinedOutput()
				return err == nil && strings.Contains(string(out), nodeIP(4)+":6881")
			}, 60*time.Second, 500*time.Millisecond)
		})
		t.Run("libtorrent's lookup finds our server", func(t *testing.T) {
			t.Parallel()
			require.Contains(t, d.libtorrentFinds(t, nodeIP(12), other), serverIP+":6881")
		})
		t.Run("libtorrent's lookup finds whom libtorrent announced", func(t *testing.T) {
			t.Parallel()
			require.Contains(t, d.libtorrentFinds(t, nodeIP(13), announced), nodeIP(4)+":6881")
		})
		t.Run("ping", func(t *testing.T) {
			t.Parallel()
			for _, ip := range []string{nodeIP(1), nodeIP(2), nodeIP(9), serverIP} {
				require.Contains(t, d.answers(t, ip+":6881"), "answered in")
			}
			require.Contains(t, d.answers(t, nodeIP(3)+":6881"), `software "LT"`)
		})
	})
}
