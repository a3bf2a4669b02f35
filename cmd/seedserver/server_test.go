package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const serverBinaryEnv = "SEEDSERVER_TEST_BINARY"

var builtBinary struct {
	once sync.Once
	path string
	err  error
}

// serverBinary builds the program once for all tests, with the race detector when the tests have it, and returns its path.
func serverBinary(t *testing.T) string {
	t.Helper()
	if path := os.Getenv(serverBinaryEnv); path != "" {
		return path
	}
	builtBinary.once.Do(func() {
		dir, err := os.MkdirTemp("", "seedserver-test-")
		if err != nil {
			builtBinary.err = err
			return
		}
		builtBinary.path = filepath.Join(dir, "seedserver")
		args := []string{"build", "-o", builtBinary.path}
		if raceEnabled {
			args = append(args, "-race")
		}
		out, err := exec.Command("go", append(args, ".")...).CombinedOutput()
		if err != nil {
			builtBinary.err = fmt.Errorf("building: %w\n%s", err, out)
		}
	})
	require.NoError(t, builtBinary.err)
	return builtBinary.path
}

func TestMain(m *testing.M) {
	if os.Getenv("SEEDSERVER_DHT_ROUTER") == "" {
		os.Setenv("SEEDSERVER_DHT_ROUTER", "none") // no test has business in the public DHT
	}
	code := m.Run()
	if builtBinary.path != "" {
		os.RemoveAll(filepath.Dir(builtBinary.path))
	}
	os.Exit(code)
}

// A server is a running seedserver over a directory of its own.
type server struct {
	t          *testing.T
	dir, state string
	base       string // of its public URL
	peer       string // address for peers
	args       []string
	attr       *syscall.SysProcAttr // how it is run; nil for the usual
	under      []string             // a command that runs it in its place, such as prlimit; nil for none
	cmd        *exec.Cmd
	log        *logBuffer
}

// logBuffer collects what a process writes.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// startServer runs the program over a fresh directory in this test's namespace, with a short settle time.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	s := newServer(t, args...)
	s.start()
	return s
}

// newServer is startServer but for the start. The server is stopped at the end of the test if it runs then.
func newServer(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir(), state: t.TempDir(), base: "http://" + serverIP + ":8080", peer: serverIP + ":6881", log: &logBuffer{}}
	s.args = append([]string{"serve", s.dir, "--state", s.state, "--http", ":8080", "--settle", "1s", "--rescan", "2s"}, args...)
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("the server said:\n%s", s.log)
		}
	})
	return s
}

// newPlainServer is newServer for tests with peers of their own, which look at something else than how pieces are shown.
func newPlainServer(t *testing.T, args ...string) *server {
	t.Helper()
	return newServer(t, append([]string{"--mode", "plain"}, args...)...)
}

// at moves a server that does not run yet to an address of the namespace where it is alone. It has no status pages there, whose port
// many servers would share.
func (s *server) at(ip string) *server {
	s.base, s.peer = "http://"+ip+":8080", ip+":6881"
	s.args = append(s.args, "--http", ip+":8080", "--peer", ip+":6881", "--admin", "off")
	return s
}

// in is the same server for the subtest t.
func (s *server) in(t *testing.T) *server {
	sub := *s
	sub.t = t
	return &sub
}

// start runs the server and waits until it answers.
func (s *server) start() {
	s.t.Helper()
	s.launch()
	s.ready()
}

// ready waits until the server answers.
func (s *server) ready() {
	s.t.Helper()
	s.eventually(20*time.Second, "the server answers", func() bool {
		resp, err := http.Get(s.base + "/")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// launch runs the server and waits for nothing.
func (s *server) launch() {
	s.t.Helper()
	command := slices.Concat(s.under, []string{serverBinary(s.t)}, s.args)
	s.cmd = exec.Command(command[0], command[1:]...)
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.SysProcAttr = s.log, s.log, s.attr
	require.NoError(s.t, s.cmd.Start())
}

// stop asks the server to end and checks that it does so in time and cleanly.
func (s *server) stop() {
	s.t.Helper()
	if s.cmd == nil {
		return
	}
	done := make(chan error, 1)
	go func() { done <- s.cmd.Wait() }()
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-done:
		require.NoError(s.t, err, "exit after SIGTERM\n%s", s.log)
	case <-time.After(10 * time.Second * busy):
		s.cmd.Process.Kill()
		<-done
		s.t.Fatal("the server does not stop at SIGTERM")
	}
	s.cmd = nil
}

// kill ends the server as a power cut would.
func (s *server) kill() {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Kill())
	s.cmd.Wait()
	s.cmd = nil
}

// url is the address of a path of the index.
func (s *server) url(path string) string { return s.base + "/" + escapePath(path) }

func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// put writes a file below the directory in one step.
func (s *server) put(path string, content []byte) {
	s.t.Helper()
	full := filepath.Join(s.dir, filepath.FromSlash(path))
	require.NoError(s.t, os.MkdirAll(filepath.Dir(full), 0o755))
	tmp, err := os.CreateTemp(filepath.Dir(full), ".incoming-*")
	require.NoError(s.t, err)
	_, err = tmp.Write(content)
	require.NoError(s.t, errors.Join(err, tmp.Chmod(0o644), tmp.Close()))
	require.NoError(s.t, os.Rename(tmp.Name(), full))
}

// indexEntry is a row of the index in its JSON form.
type indexEntry struct {
	Name     string  `json:"name"`
	State    string  `json:"state"`
	Reason   string  `json:"reason"`
	Size     int64   `json:"size"`
	InfoHash string  `json:"infohash"`
	Progress float64 `json:"progress"`
}

// entry finds a row of the index; ok is false when it is not listed.
func (s *server) entry(path string) (e indexEntry, ok bool) {
	s.t.Helper()
	dir, name := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		dir, name = path[:i+1], path[i+1:]
	}
	entries, _ := s.index(dir)
	e, ok = entries[name]
	return e, ok
}

// index reads the index of a directory, "" or with a slash at the end, by the names; ok is false when there is none.
func (s *server) index(dir string) (entries map[string]indexEntry, ok bool) {
	s.t.Helper()
	body, resp := s.get(escapePath(dir), "Accept", "application/json")
	if resp.StatusCode != http.StatusOK {
		return nil, false
	}
	var index struct {
		Entries []indexEntry `json:"entries"`
	}
	require.NoError(s.t, json.Unmarshal(body, &index), "%s", body)
	entries = map[string]indexEntry{}
	for _, e := range index.Entries {
		entries[e.Name] = e
	}
	return entries, true
}

// published waits until path has a torrent and returns its infohash.
func (s *server) published(path string, within time.Duration) string {
	s.t.Helper()
	var hash string
	s.eventually(within, path+" is published", func() bool {
		e, ok := s.entry(path)
		hash = e.InfoHash
		return ok && e.State == "published"
	})
	return hash
}

// publishedAnew waits until path has another torrent than that of the infohash old, and returns its infohash.
func (s *server) publishedAnew(path, old string, within time.Duration) string {
	s.t.Helper()
	var hash string
	s.eventually(within, path+" is published anew", func() bool {
		e, ok := s.entry(path)
		hash = e.InfoHash
		return ok && e.State == "published" && hash != old
	})
	return hash
}

// get fetches an escaped path without following redirects.
func (s *server) get(path string, header ...string) ([]byte, *http.Response) {
	s.t.Helper()
	return s.request(http.MethodGet, path, header...)
}

func (s *server) request(method, path string, header ...string) ([]byte, *http.Response) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.base+"/"+path, nil)
	require.NoError(s.t, err)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return body, resp
}

// torrent saves the torrent of path, as the index hands it out, and returns the file's name.
func (s *server) torrent(path string) string {
	s.t.Helper()
	body, resp := s.get(escapePath(path)+"?torrent", "Accept", "*/*")
	require.Equal(s.t, http.StatusOK, resp.StatusCode, "%s", body)
	require.Equal(s.t, "application/x-bittorrent", resp.Header.Get("Content-Type"))
	name := filepath.Join(s.t.TempDir(), "fetched.torrent")
	require.NoError(s.t, os.WriteFile(name, body, 0o644))
	return name
}

// magnet is the magnet link of path.
func (s *server) magnet(path string) string {
	s.t.Helper()
	body, resp := s.get(escapePath(path)+".magnet", "Accept", "text/plain")
	require.Equal(s.t, http.StatusOK, resp.StatusCode, "%s", body)
	return strings.TrimSpace(string(body))
}

// busy is how much longer than on a quiet machine things may take: the tests share theirs with each other's clients.
const busy = 3

// eventually waits for a condition of another process, looking ten times a second. It takes what a quiet machine should need.
func (s *server) eventually(within time.Duration, what string, is func() bool) {
	s.t.Helper()
	within *= busy
	require.Eventually(s.t, is, within, 100*time.Millisecond, "within %v: %s\n%s", within, what, s.log)
}
