package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// getCommand is one run of get, on ports of its own.
func getCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return exec.Command(serverBinary(t), append([]string{"get", "--peer", ":0", "--dht-router", "off"}, args...)...)
}

// get downloads, and returns the last line of --json.
func get(t *testing.T, args ...string) (last getReport) {
	t.Helper()
	cmd := getCommand(t, append([]string{"--json"}, args...)...)
	log := &logBuffer{}
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	timer := time.AfterFunc(clientPatience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		require.NoError(t, json.Unmarshal(lines.Bytes(), &last), lines.Text())
	}
	require.NoError(t, cmd.Wait(), "%s\n%+v", log, last)
	require.Equal(t, "end", last.Event)
	require.Equal(t, last.Size, last.Have)
	return last
}

// TestGetFromOurselves: what a server publishes arrives identically, however it reveals its pieces, from the URL of the file, from a
// torrent and from a magnet link.
func TestGetFromOurselves(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	for i, mode := range []string{"conservative", "balanced", "generous", "plain"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, "--mode", mode, "--settle", "100ms").at(fmt.Sprintf("198.18.3.%d", i+1))
			s.put(unitDir+"/.seedserver.toml", []byte("unit = true\n"))
			s.put(unitDir+"/01 intro.flac", content(1, 700_000))
			s.put(unitDir+"/disc 2/02.flac", content(2, 300_001))
			s.put(unitDir+"/empty", nil)
			s.put(slowFile, content(4, 20<<20))
			s.put(tinyFile, []byte{'x'})
			s.start()
			want := tree(t, s.dir)
			for _, name := range []string{slowFile, unitDir, tinyFile} {
				s.published(name, 60*time.Second)
				for how, source := range map[string]string{"url": s.url(name), "torrent": s.torrent(name), "magnet": s.magnet(name)} {
					t.Run(name+" by "+how, func(t *testing.T) {
						t.Parallel()
						out := t.TempDir()
						get(t, source, "--local", "--saveas", filepath.Join(out, name))
						requireCopy(t, want, name, out)
					})
				}
			}
		})
	}
}

// A seedOf seeds the file name in dir with some client at an address, and returns when it is ready to.
type seedOf struct {
	name    string
	require func(t *testing.T)
	start   func(t *testing.T, torrent, dir, ip string) (addr string)
}

var seeds = []seedOf{
	{"libtorrent", requireLibtorrent, func(t *testing.T, torrent, dir, ip string) string {
		cmd := exec.Command("/usr/bin/python3", "testdata/seed.py", torrent, dir, ip, "17001")
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		startSeed(t, cmd)
		require.True(t, bufio.NewScanner(out).Scan(), "libtorrent is not ready")
		return ip + ":17001"
	}},
	{"aria2", func(t *testing.T) { requireTool(t, "aria2c", "aria2") }, func(t *testing.T, torrent, dir, ip string) string {
		startSeed(t, exec.Command("aria2c", "--no-conf", "--dir="+dir, "--interface="+ip, "--listen-port=17002", "--enable-dht=false",
			"--enable-dht6=false", "--bt-enable-lpd=false", "--seed-ratio=0", "--check-integrity=true", "--async-dns=false",
			"--disable-ipv6=true", "--summary-interval=0", "--console-log-level=warn", torrent))
		return ip + ":17002"
	}},
	{"transmission", func(t *testing.T) { requireTool(t, "transmission-daemon", "transmission-daemon") },
		func(t *testing.T, torrent, dir, ip string) string {
			conf, watched := t.TempDir(), t.TempDir()
			b, err := os.ReadFile(torrent)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(watched, "x.torrent"), b, 0o644))
			settings := fmt.Sprintf(`{"dht-enabled":false,"lpd-enabled":false,"utp-enabled":false,"port-forwarding-enabled":false,
				"bind-address-ipv4":%q,"peer-port":17003,"rpc-enabled":false,"download-dir":%q,"watch-dir":%q,"watch-dir-enabled":true}`,
				ip, dir, watched)
			require.NoError(t, os.WriteFile(filepath.Join(conf, "settings.json"), []byte(settings), 0o644))
			startSeed(t, exec.Command("transmission-daemon", "-f", "-g", conf))
			return ip + ":17003"
		}},
}

func startSeed(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
}

// makeTorrent publishes content as a file of a directory of its own, and returns its torrent, without a tracker.
func makeTorrent(t *testing.T, name string, data []byte) (torrent, dir string) {
	t.Helper()
	dir = t.TempDir()
	torrent = filepath.Join(t.TempDir(), name+".torrent")
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
	code, _, errs := cli(t, "create", filepath.Join(dir, name), "--out", torrent)
	require.Equal(t, exitDone, code, errs)
	return torrent, dir
}

func TestGetFromOtherClients(t *testing.T) {
	t.Parallel()
	for _, c := range seeds {
		c.require(t)
	}
	if !inNamespace(t) {
		return
	}
	data := content(7, 30<<20+123)
	for i, c := range seeds {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			torrent, dir := makeTorrent(t, "data.bin", data)
			addr := c.start(t, torrent, dir, clientIP(10+i))
			out := filepath.Join(t.TempDir(), "copy")
			// A client that is not ready yet refuses the first connection, and an address is tried again after a minute only.
			var code int
			var errs string
			require.Eventually(t, func() bool {
				var log strings.Builder
				cmd := getCommand(t, torrent, "--add-peer", addr, "--saveas", out, "--give-up", "15s") // transmission unchokes after 10 s
				cmd.Stderr = &log
				err := cmd.Run()
				code, errs = cmd.ProcessState.ExitCode(), log.String()
				return err == nil
			}, clientPatience, 100*time.Millisecond)
			require.Equal(t, exitDone, code, errs)
			got, err := os.ReadFile(out)
			require.NoError(t, err)
			require.True(t, string(got) == string(data))
		})
	}
}

// onDisk returns how many bytes of a sparse file take room; 0 if it is not there.
func onDisk(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Sys().(*syscall.Stat_t).Blocks * 512
}

// TestGetGoesOnAfterAKill ends a download as a power cut would, several times: what was there is not fetched again, but for the pieces
// in flight. Data that are complete are seeded at once.
func TestGetGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := newPlainServer(t, "--settle", "100ms").at("198.18.4.1")
	data := content(5, 24<<20)
	s.put("big.bin", data)
	s.start()
	s.published("big.bin", 30*time.Second)
	out := filepath.Join(t.TempDir(), "big.bin")
	gains := func(n int64) { // waits until so many bytes more are on disk, however slow the machine is
		had := onDisk(out)
		require.Eventually(t, func() bool { return onDisk(out) >= had+n }, clientPatience, 10*time.Millisecond)
	}
	for range 3 {
		cmd := getCommand(t, s.url("big.bin"), "--saveas", out, "--max-down", "6MB/s")
		require.NoError(t, cmd.Start())
		gains(3 << 20) // the kill comes whenever it comes
		require.NoError(t, cmd.Process.Kill())
		cmd.Wait()
	}
	cmd, log := getCommand(t, s.url("big.bin"), "--saveas", out, "--max-down", "1MB/s"), &logBuffer{}
	cmd.Stderr = log
	require.NoError(t, cmd.Start())
	gains(256 << 10)
	require.NoError(t, cmd.Process.Signal(os.Interrupt)) // the same of a person who interrupts it
	require.Error(t, cmd.Wait())
	require.Contains(t, log.String(), "seedserver: interrupted; run the same command to go on\n")
	last := get(t, s.url("big.bin"), "--saveas", out)
	require.Less(t, last.Downloaded, int64(20<<20), "what was there is not fetched again")
	got, err := os.ReadFile(out)
	require.NoError(t, err)
	require.True(t, string(got) == string(data))
	require.Zero(t, get(t, s.url("big.bin"), "--saveas", out).Downloaded)
	left, err := os.ReadDir(filepath.Dir(out))
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing else stays behind")
}

// TestGetSaysWhatIsWrong: each failure has its exit code and a sentence that says what to do.
func TestGetSaysWhatIsWrong(t *testing.T) {
	inTemp(t)
	write(t, "a.bin", content(1, 100_000))
	code, _, errs := cli(t, "create", "a.bin")
	require.Equal(t, exitDone, code, errs)
	write(t, "mine.doc", []byte("what I wrote"))
	for _, tc := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"another file is there", []string{"a.bin.torrent", "--saveas", "mine.doc"}, exitFailed, "holds something else than this torrent: choose another place with --saveas"},
		{"no peers for a magnet", []string{"magnet:?xt=urn:btih:0123456789012345678901234567890123456789", "--give-up", "1s"}, exitFailed, "gave up: no peer"},
		{"no peers", []string{"a.bin.torrent", "--saveas", "b.bin", "--give-up", "1s"}, exitFailed, "gave up: nobody answered"},
		{"no torrent", []string{"mine.doc"}, exitFailed, "mine.doc"},
		{"no magnet", []string{"magnet:?dn=x"}, exitUsage, "no infohash"},
		{"no address", []string{"a.bin.torrent", "--add-peer", "here"}, exitUsage, "is not an address like"},
		{"a port that is not dialled", []string{"a.bin.torrent", "--add-peer", "127.0.0.1:443"}, exitUsage, "ports below 1024"},
		{"not there", []string{"none.torrent"}, exitFailed, "none.torrent"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, _, errs := cli(t, append([]string{"get", "--peer", "127.0.0.1:0", "--dht-router", "off"}, tc.args...)...)
			require.Equal(t, tc.code, code, errs)
			require.Contains(t, errs, tc.says)
		})
	}
	kept, err := os.ReadFile("mine.doc")
	require.NoError(t, err)
	require.Equal(t, "what I wrote", string(kept))
	code, out, errs := cli(t, "get", "--peer", "127.0.0.1:0", "--dht-router", "off", "a.bin.torrent", "--saveas", "a.bin")
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "was complete already")
}
