//go:build linux

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	combinedLine = regexp.MustCompile(`^(\S+) - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "([A-Z]+) ([^" ]+) HTTP/1\.[01]" (\d{3}) (\d+) "([^"]*)" "([^"]*)"$`)
	transferLine = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (\S+) ([0-9a-f]{40}) (\d+) (\d+\.\d{3}) ("(?:[^"\\]|\\.)*") ("(?:[^"\\]|\\.)*")$`)
)

// A logDir is the directory of the logs of a server.
type logDir struct {
	t    *testing.T
	path string
}

// lines returns the lines of a log; each matches the pattern.
func (d logDir) lines(name string, pattern *regexp.Regexp) (lines [][]string) {
	d.t.Helper()
	b, err := os.ReadFile(filepath.Join(d.path, name))
	require.NoError(d.t, err)
	for line := range strings.Lines(string(b)) {
		m := pattern.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		require.NotNil(d.t, m, "%q", line)
		lines = append(lines, m)
	}
	return lines
}

// column returns one submatch of every line.
func column(lines [][]string, n int) []string {
	var cells []string
	for _, m := range lines {
		cells = append(cells, m[n])
	}
	return cells
}

// TestLogs: a line for every request and every peer session, whatever they say of themselves; nothing of anybody's address or key but
// what may be there; and a new file after SIGHUP.
func TestLogs(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	t.Run("truncated", func(t *testing.T) {
		t.Parallel()
		testLogs(t, "198.18.3.5", "truncated", "198.18.1.0")
	})
	t.Run("full", func(t *testing.T) {
		t.Parallel()
		testLogs(t, "198.18.3.6", "full", clientIP(0))
	})
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		testLogs(t, "198.18.3.7", "off", "0.0.0.0")
	})
	t.Run("standard output", func(t *testing.T) {
		t.Parallel()
		testLogToStandardOutput(t, "198.18.3.8")
	})
}

func testLogs(t *testing.T, ip, addresses, wantAddr string) {
	logs := logDir{t, filepath.Join(t.TempDir(), "logs")}
	s := newPlainServer(t, "--log-dir", logs.path, "--log-addresses", addresses, "--verbose").at(ip)
	const name = "a\" \u202e 1.2.3.4 - - [x].bin"
	a := content(6, 300_000)
	s.put(name, a)
	s.put("small.txt", []byte("hello"))
	s.start()
	infohash := s.published(name, 20*time.Second)
	s.published("small.txt", 20*time.Second)
	from := clientIP(0)
	torrent := s.fetch(name)

	l, counted := s.tapped(from, torrent, a)
	require.NoError(t, l.run(nil))
	s.fetchMetadata(from, torrent)
	s.announce(from, torrent, "started", 5)
	ask := func(target, agent, referer string) {
		conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).Dial("tcp", strings.TrimPrefix(s.base, "http://"))
		require.NoError(t, err)
		defer conn.Close()
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: files.example\r\nUser-Agent: %s\r\nReferer: %s\r\nConnection: close\r\n\r\n",
			target, agent, referer)
		_, err = io.Copy(io.Discard, conn)
		require.NoError(t, err)
	}
	ask("/small.txt", "evil\" \\ \xff\t1.2.3.4 - - [", "")
	ask("/announce/SECRETKEY?info_hash="+url.QueryEscape(string(torrent.InfoHash[:]))+"&peer_id=-TT0001-SECRETPEERID&k%65y=SECRET&ip=10.9.8.7&port=1",
		"evil", "http://x/\"")
	ask("/announce/SECRETKEY", "evil", "")
	ask("/no\"such%22%0a\xff", "evil", "")

	// What logrotate does.
	s.eventually(5*time.Second, "the log has a line", func() bool {
		return slices.Contains(column(logs.lines("access.log", combinedLine), 3), "/no%22such%22%0A%FF")
	})
	require.NoError(t, os.Rename(filepath.Join(logs.path, "access.log"), filepath.Join(logs.path, "access.log.1")))
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.eventually(5*time.Second, "the log is opened anew", func() bool {
		_, err := os.Stat(filepath.Join(logs.path, "access.log"))
		return err == nil
	})
	ask("/?after", "evil", "")
	s.stop()

	require.Equal(t, []string{"/?after"}, column(logs.lines("access.log", combinedLine), 3))
	lines := logs.lines("access.log.1", combinedLine)
	var mine [][]string
	for _, m := range lines {
		if strings.HasPrefix(m[7], "evil") {
			mine = append(mine, m)
		}
	}
	require.Equal(t, []string{wantAddr, wantAddr, wantAddr, wantAddr}, column(mine, 1))
	require.Equal(t, []string{"200", "200", "404", "404"}, column(mine, 4))
	require.Equal(t, "/no%22such%22%0A%FF", mine[3][3])
	require.Equal(t, "5", mine[0][5])
	require.Equal(t, `evil\x22 \x5C \xFF\x091.2.3.4 - - [`, mine[0][7])
	require.Equal(t, `http://x/\x22`, mine[1][6])

	transfers := logs.lines("transfer.log", transferLine)
	require.Len(t, transfers, 2)
	require.Equal(t, []string{wantAddr, wantAddr}, column(transfers, 1))
	require.Equal(t, []string{infohash, infohash}, column(transfers, 2))
	slices.SortFunc(transfers, func(a, b []string) int { return cmp.Compare(len(a[3]), len(b[3])) })
	require.Equal(t, []string{"0", fmt.Sprint(counted.blocks)}, column(transfers, 3))
	require.Equal(t, fmt.Sprintf("%q", name), transfers[1][6])
	require.Contains(t, transfers[0][5], `Fake \"1\"`)

	events := strings.Split(strings.TrimSpace(readLog(t, filepath.Join(logs.path, "events.log"))), "\n")
	var messages []string
	for _, line := range events {
		var event logLine
		require.NoError(t, json.Unmarshal([]byte(line), &event), "%q", line)
		messages = append(messages, event.Msg)
	}
	require.True(t, slices.Contains(messages, "published"))

	all := s.log.String()
	for _, file := range []string{"access.log", "access.log.1", "transfer.log", "events.log"} {
		all += readLog(t, filepath.Join(logs.path, file))
	}
	require.Contains(t, all, "peer connected")
	require.NotContains(t, all, "SECRETKEY")
	if addresses != "full" {
		require.NotContains(t, all, "SECRET")
		require.NotContains(t, all, from)
		require.NotContains(t, all, "10.9.8.7")
	}
	testGoaccess(t, filepath.Join(logs.path, "access.log.1"), len(lines))
}

func readLog(t *testing.T, path string) string {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

// testGoaccess has goaccess read a log of so many lines.
func testGoaccess(t *testing.T, log string, lines int) {
	requireTool(t, "goaccess", "goaccess")
	report := filepath.Join(t.TempDir(), "report.json")
	out, err := exec.Command("goaccess", log, "--log-format=COMBINED", "--no-global-config", "--no-progress", "-o", report).CombinedOutput()
	require.NoError(t, err, "%s", out)
	var said struct {
		General struct {
			Total  int `json:"total_requests"`
			Valid  int `json:"valid_requests"`
			Failed int `json:"failed_requests"`
		} `json:"general"`
	}
	require.NoError(t, json.Unmarshal([]byte(readLog(t, report)), &said))
	require.Zero(t, said.General.Failed)
	require.Equal(t, lines, said.General.Valid)
}

// testLogToStandardOutput: requests are printed, and nothing else is.
func testLogToStandardOutput(t *testing.T, ip string) {
	s := newPlainServer(t, "--log-dir", "-").at(ip)
	out := &logBuffer{}
	s.cmd = exec.Command(serverBinary(t), s.args...)
	s.cmd.Stdout, s.cmd.Stderr = out, s.log
	require.NoError(t, s.cmd.Start())
	s.ready()
	s.get("?hello")
	s.stop()
	for line := range strings.Lines(out.String()) {
		require.Regexp(t, combinedLine, strings.TrimSuffix(line, "\n"))
	}
	require.Contains(t, out.String(), `"GET /?hello HTTP/1.1" 200 `)
	require.Contains(t, s.log.String(), "Publishing")
}
