//go:build linux

package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// logLine is a line of the log of a server that runs with --json.
type logLine struct {
	Level    string `json:"level"`
	Msg      string `json:"msg"`
	Path     string `json:"path"`
	InfoHash string `json:"infohash"`
	Reason   string `json:"reason"`
	Err      string `json:"err"`
}

// logged reads the lines with the message msg that were logged since the log was from bytes long.
func (s *server) logged(msg string, from int) []logLine {
	s.t.Helper()
	var lines []logLine
	for text := range strings.Lines(s.log.String()[from:]) {
		if text[0] != '{' || !strings.HasSuffix(text, "\n") || !strings.Contains(text, `"msg":"`+msg+`"`) {
			continue // what is printed for people, still being written, or another message
		}
		var line logLine
		require.NoError(s.t, json.Unmarshal([]byte(text), &line), "%s", text)
		if line.Msg == msg {
			lines = append(lines, line)
		}
	}
	return lines
}

// publishedAs lists the infohashes under which path was ever published, in order.
func (s *server) publishedAs(path string) []string {
	s.t.Helper()
	hashes := []string{}
	for _, line := range s.logged("published", 0) {
		if line.Path == path {
			hashes = append(hashes, line.InfoHash)
		}
	}
	return hashes
}

// memory is the resident memory of the server, in bytes.
func (s *server) memory() int64 {
	s.t.Helper()
	return s.statusBytes("VmRSS:")
}

// statusBytes is a size that the system tells of the server, proc_pid_status(5).
func (s *server) statusBytes(field string) int64 {
	s.t.Helper()
	b, err := os.ReadFile(s.proc("status"))
	require.NoError(s.t, err)
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, field); ok {
			kB, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			require.NoError(s.t, err)
			return kB << 10
		}
	}
	s.t.Fatal("no ", field)
	return 0
}

// descriptors counts the open files and connections of the server.
func (s *server) descriptors() int {
	s.t.Helper()
	fds, err := os.ReadDir(s.proc("fd"))
	require.NoError(s.t, err)
	return len(fds)
}

// cpu is the processor time that the server has used.
func (s *server) cpu() time.Duration {
	s.t.Helper()
	b, err := os.ReadFile(s.proc("stat"))
	require.NoError(s.t, err)
	_, behindName, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(behindName)
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime, proc(5)
		n, err := strconv.ParseInt(f, 10, 64)
		require.NoError(s.t, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func (s *server) proc(name string) string {
	return filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), name)
}

// nobody is a user without rights.
const nobody = 65534

// asNobody makes the server run, when it is started, as a user that permissions bind, and gives it its directories. Where the test
// cannot do so it reports false.
func (s *server) asNobody() bool {
	s.t.Helper()
	for _, dir := range []string{s.dir, s.state} {
		if err := os.Chown(dir, nobody, nobody); err != nil {
			return false
		}
	}
	// The way to them and to the program is private by default.
	for _, dir := range []string{filepath.Dir(s.dir), filepath.Dir(serverBinary(s.t))} {
		require.NoError(s.t, os.Chmod(dir, 0o755))
	}
	s.attr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return true
}

// requireNobody skips the test where it cannot run the server as another user.
func requireNobody(t *testing.T, s *server) {
	t.Helper()
	if !s.asNobody() {
		missing(t, "another user: run it as root")
	}
}

// sortedKeys lists the keys of m.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
