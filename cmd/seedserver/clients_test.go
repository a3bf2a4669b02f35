package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A client downloads a torrent file or a magnet link into dir from the address bind; it fails the test if that does not succeed.
type client struct {
	name     string
	require  func(t *testing.T)
	download func(t *testing.T, source, dir, bind string)
	magnets  bool // it can start from a magnet link without DHT within the test's patience
}

// clientPatience bounds one download.
const clientPatience = 90 * time.Second

var clients = []client{
	{"aria2", func(t *testing.T) { requireTool(t, "aria2c", "aria2") }, aria2, true},
	{"libtorrent", requireLibtorrent, libtorrent, true},
	{"transmission", func(t *testing.T) {
		requireTool(t, "transmission-daemon", "transmission-daemon")
		requireTool(t, "transmission-remote", "transmission-cli")
	}, transmission, false},
}

func aria2(t *testing.T, source, dir, bind string) {
	t.Helper()
	runClient(t, "aria2c", "--no-conf", "--dir="+dir, "--interface="+bind, "--listen-port=16882",
		"--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false", "--seed-time=0", "--file-allocation=none",
		"--follow-torrent=mem", "--async-dns=false", "--disable-ipv6=true", "--summary-interval=0", "--console-log-level=warn", source)
}

func libtorrent(t *testing.T, source, dir, bind string) {
	t.Helper()
	runClient(t, "/usr/bin/python3", "testdata/leech.py", source, dir, bind, "16881")
}

// transmission runs the daemon for one download. It connects to no peer at 127.x, and takes some 10 s to begin.
func transmission(t *testing.T, source, dir, bind string) {
	t.Helper()
	conf := t.TempDir()
	address, port := `"bind-address-ipv4":`+strconv.Quote(bind), 16883
	if strings.Contains(bind, ":") { // it asks trackers from one address of IPv4, if it has one, so the port must be its own
		address, port = `"bind-address-ipv4":"0.0.0.0","bind-address-ipv6":`+strconv.Quote(bind), 40000+rand.IntN(20000)
	}
	rpc := fmt.Sprintf("%d", 20000+rand.IntN(20000))
	settings := fmt.Sprintf(`{"dht-enabled":false,"lpd-enabled":false,"utp-enabled":false,"port-forwarding-enabled":false,
		%s,"peer-port":%d,"rpc-port":%s,"rpc-bind-address":"127.0.0.1","rpc-whitelist-enabled":false,
		"rpc-authentication-required":false,"download-dir":%q,"preallocation":0,"umask":18}`, address, port, rpc, dir)
	require.NoError(t, os.WriteFile(filepath.Join(conf, "settings.json"), []byte(settings), 0o644))
	daemon := exec.Command("transmission-daemon", "-f", "-g", conf)
	log := &logBuffer{}
	daemon.Stdout, daemon.Stderr = log, log
	require.NoError(t, daemon.Start())
	defer func() {
		daemon.Process.Kill()
		daemon.Wait()
	}()
	remote := func(args ...string) (string, error) {
		out, err := exec.Command("transmission-remote", append([]string{"127.0.0.1:" + rpc}, args...)...).CombinedOutput()
		return string(out), err
	}
	require.Eventually(t, func() bool { _, err := remote("-si"); return err == nil }, 20*time.Second, 50*time.Millisecond, "%s", log)
	out, err := remote("-a", source)
	require.NoError(t, err, out)
	require.Eventually(t, func() bool {
		out, _ = remote("-t1", "-i")
		return strings.Contains(out, "Percent Done: 100%")
	}, clientPatience, 250*time.Millisecond, "transmission did not finish\n%s\n%s", log, out)
}

func runClient(t *testing.T, program string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clientPatience)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	require.NoError(t, err, "%s %s\n%s", program, args[len(args)-1], out)
}

// content is n reproducible bytes that do not compress or repeat.
func content(seed uint64, n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return b
}

// tree maps each regular file below root, by its path, to the SHA-256 of its content. Dot-files, which clients and the server keep
// for themselves, do not count.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		sum := sha256.Sum256(b)
		sums[filepath.ToSlash(rel)] = hex.EncodeToString(sum[:])
		return err
	})
	require.NoError(t, err)
	return sums
}
