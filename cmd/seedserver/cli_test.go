package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// cli runs one command line in this process.
func cli(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(args, streams{&o, &e})
	return code, o.String(), e.String()
}

// inTemp changes into a fresh directory for the test.
func inTemp(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, content, 0o644))
}

// TestCreateShowVerify goes the way of a publisher without a server: make a torrent, look at it, check the data against it.
func TestCreateShowVerify(t *testing.T) {
	inTemp(t)
	write(t, "movie.mkv", content(1, 100_000))
	code, out, errs := cli(t, "create", "movie.mkv", "--announce", "http://tracker.example.org/announce", "--comment", "a film")
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "movie.mkv.torrent")

	code, out, errs = cli(t, "show", "--json", "movie.mkv.torrent")
	require.Equal(t, exitDone, code, errs)
	var v shown
	require.NoError(t, json.Unmarshal([]byte(out), &v))
	require.Equal(t, "movie.mkv", v.Name)
	require.EqualValues(t, 100_000, v.Size)
	require.Equal(t, "a film", v.Comment)
	require.Equal(t, [][]string{{"http://tracker.example.org/announce"}}, v.Trackers)

	code, out, _ = cli(t, "magnet", "movie.mkv.torrent")
	require.Equal(t, exitDone, code)
	require.Contains(t, out, "xt=urn:btih:"+v.InfoHash)
	code, out, _ = cli(t, "show", strings.TrimSpace(out))
	require.Equal(t, exitDone, code)
	require.Contains(t, out, v.InfoHash)

	code, out, _ = cli(t, "verify", "movie.mkv.torrent")
	require.Equal(t, exitDone, code)
	require.Contains(t, out, "complete")

	b := content(1, 100_000)
	b[99_999] ^= 1
	write(t, "movie.mkv", b)
	code, out, errs = cli(t, "verify", "movie.mkv.torrent", "--json")
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "is not what")
	var bad verdict
	require.NoError(t, json.Unmarshal([]byte(out), &bad))
	require.Equal(t, verdict{Pieces: 7, BadPieces: []int{6}, BadFiles: []string{"movie.mkv"}}, bad)
}

// TestCreateDirectory: a directory is one unit, sub-directories included, junk left out; the infohash equals mktorrent's.
func TestCreateDirectory(t *testing.T) {
	requireTool(t, "mktorrent", "mktorrent")
	inTemp(t)
	write(t, "data/b.bin", content(1, 50_000))
	write(t, "data/a/c.bin", content(2, 20_000))
	code, _, errs := cli(t, "create", "data", "--piece-length", "32KiB")
	require.Equal(t, exitDone, code, errs)
	out, err := exec.Command("mktorrent", "-l", "15", "-o", "reference.torrent", "data").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, infohashOf(t, "reference.torrent"), infohashOf(t, "data.torrent"))

	write(t, "data/core", []byte("junk"))
	write(t, "data/.hidden", []byte("junk"))
	write(t, "data/CVS/Root", []byte("junk"))
	write(t, "data/half.part", []byte("junk"))
	require.NoError(t, os.Symlink("/etc/passwd", "data/link"))
	code, _, errs = cli(t, "create", "data", "--piece-length", "32KiB", "--out", "again.torrent")
	require.Equal(t, exitDone, code, errs)
	require.Equal(t, infohashOf(t, "reference.torrent"), infohashOf(t, "again.torrent"))
}

func infohashOf(t *testing.T, torrent string) string {
	t.Helper()
	m, err := readTorrent(torrent)
	require.NoError(t, err)
	return m.InfoHash.String()
}

func TestCreateEach(t *testing.T) {
	inTemp(t)
	write(t, "all/one.bin", content(1, 10))
	write(t, "all/two/x.bin", content(2, 10))
	write(t, "all/empty", nil)
	code, out, errs := cli(t, "create", "--each", "all", "--out", "torrents", "--json")
	require.Equal(t, exitDone, code, errs)
	require.Equal(t, 2, strings.Count(out, "\n"))
	require.FileExists(t, "torrents/one.bin.torrent")
	require.FileExists(t, "torrents/two.torrent")
}

// TestComplaints: bad input gets an error that says what to do, the right exit code, and nothing is lost.
func TestComplaints(t *testing.T) {
	inTemp(t)
	write(t, "a.bin", content(1, 10))
	write(t, "empty.bin", nil)
	write(t, "a.bin.torrent", []byte("precious"))
	write(t, "bad.toml", []byte("htpp = \":80\"\n"))
	write(t, "broken.toml", []byte("http = \n"))
	write(t, "good.toml", []byte("http = \":9999\"\nmax-up = \"2MB/s\"\nunit = [\"albums/*\", \"sets/*\"]\n"))
	require.NoError(t, os.Mkdir("nothing", 0o755))
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no such command's flag", []string{"create", "--nope"}, exitUsage, "--nope"},
		{"missing file", []string{"create", "missing"}, exitFailed, "missing"},
		{"empty file", []string{"create", "empty.bin"}, exitFailed, "at least one byte"},
		{"empty directory", []string{"create", "nothing"}, exitFailed, "no bytes"},
		{"existing torrent", []string{"create", "a.bin"}, exitFailed, "--force"},
		{"piece length", []string{"create", "a.bin", "--force", "--piece-length", "100000"}, exitUsage, "power of two"},
		{"tracker URL", []string{"create", "a.bin", "--force", "--announce", "tracker"}, exitUsage, "URL"},
		{"not a torrent", []string{"show", "a.bin.torrent"}, exitFailed, "a.bin.torrent"},
		{"not a magnet link", []string{"show", "magnet:?dn=x"}, exitFailed, "infohash"},
		{"unknown key", []string{"check-config", "--config", "bad.toml"}, exitUsage, `unknown key "htpp"`},
		{"broken file", []string{"check-config", "--config", "broken.toml"}, exitUsage, "line 1"},
		{"missing configuration", []string{"check-config", "--config", "none.toml"}, exitUsage, "none.toml"},
		{"rate", []string{"serve", "x", "--max-up", "fast"}, exitUsage, "2MB/s"},
		{"a command's name, misspelt", []string{"staus"}, exitUsage, `did you mean "status"`},
		{"the same with a directory", []string{"srve", "nothing"}, exitUsage, `did you mean "serve"`},
		{"a flag that is no flag of get", []string{"get", "--nope", "x"}, exitUsage, "seedserver get --help"},
		{"a file to publish", []string{"serve", "a.bin", "--state", "state"}, exitFailed, "a.bin is a file; give the directory"},
		{"a directory as a torrent", []string{"show", "nothing"}, exitFailed, "is a directory"},
		{"a URL of another kind", []string{"get", "ftp://files.example.org/x"}, exitUsage, "http://"},
		{"a setting to check", []string{"check-config", "--url", "files.example.org"}, exitUsage, "https://files.example.org"},
		{"a variable that is not set, as the directory", []string{"serve", "", "--state", "state"}, exitUsage, "no directory to publish"},
		{"the same, of many", []string{"many", ""}, exitUsage, "no directory"},
		{"the same, to make torrents of", []string{"create", "a.bin", ""}, exitUsage, "empty"},
		{"an address", []string{"check-config", "--http", "files"}, exitUsage, "HOST:PORT"},
		{"a port", []string{"check-config", "--http", ":99999"}, exitUsage, "65535"},
		{"an address of peers", []string{"check-config", "--peer", "files"}, exitUsage, "HOST:PORT"},
		{"an interval", []string{"check-config", "--announce-interval", "1s"}, exitUsage, "between a minute and a day"},
		{"a time", []string{"check-config", "--settle=-5s"}, exitUsage, "--settle"},
		{"connections", []string{"check-config", "--max-peers=0"}, exitUsage, "--max-peers"},
		{"URL", []string{"serve", "x", "--url", "files.example.org"}, exitUsage, "https://files.example.org"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, _, errs := cli(t, tt.args...)
			require.Equal(t, tt.code, code, errs)
			require.Contains(t, errs, tt.want)
		})
	}
	kept, err := os.ReadFile("a.bin.torrent")
	require.NoError(t, err)
	require.Equal(t, "precious", string(kept))
}

// TestSettingsPrecedence: flags override the environment, which overrides the file.
func TestSettingsPrecedence(t *testing.T) {
	inTemp(t)
	write(t, "seedserver.toml", []byte("http = \":9001\"\npeer = \":9002\"\nmax-peers = 7\nunit = [\"albums/*\", \"sets/*\"]\n"))
	t.Setenv("SEEDSERVER_PEER", ":9102")
	code, out, errs := cli(t, "check-config", "--config", "seedserver.toml")
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, `http = ":9001"`)
	require.Contains(t, out, `peer = ":9102"`)
	require.Contains(t, out, "max-peers = 7")
	require.Contains(t, out, `unit = ["albums/*", "sets/*"]`)
	require.Contains(t, out, `plain-below = "1MiB"`, "defaults are shown")
	code, flagged, errs := cli(t, "check-config", "nowhere", "--config", "seedserver.toml", "--peer", ":9202")
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, flagged, `peer = ":9202"`)
	require.NoDirExists(t, "nowhere")

	write(t, "commas.toml", []byte("unit = [\"Bach, J. S./*\", \"sets/*\"]\n"))
	code, commas, errs := cli(t, "check-config", "--config", "commas.toml")
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, commas, `unit = ["Bach, J. S./*", "sets/*"]`)

	t.Setenv("SEEDSERVER_LOG_DIR", "")
	t.Setenv("SEEDSERVER_STATE", "")
	code, unset, errs := cli(t, "check-config", "--users=", "--config", "seedserver.toml")
	require.Equal(t, exitDone, code, errs)
	require.Equal(t, out, unset, "what is empty is not the present directory")

	write(t, "again.toml", []byte(out))
	code, again, errs := cli(t, "check-config", "--config", "again.toml")
	require.Equal(t, exitDone, code, "what is printed can be read back: %s", errs)
	require.Equal(t, out, again)
}

// TestFirstWords: what people type before they know the commands does not make a directory.
func TestFirstWords(t *testing.T) {
	inTemp(t)
	for _, args := range [][]string{nil, {"help"}, {"help", "get"}, {"version"}, {"get", "--help"}} {
		code, out, errs := cli(t, args...)
		require.Equal(t, exitDone, code, errs)
		require.NotEmpty(t, out)
	}
	left, err := os.ReadDir(".")
	require.NoError(t, err)
	require.Empty(t, left)
	for word, near := range map[string]bool{"serv": true, "gett": true, "lst": false, "music": false, "many2": true, "data": false, "best": false, "./staus": false, "files": false, "show": false} {
		var cl commandLine
		parser, err := newParser(&cl, streams{os.Stdout, os.Stderr})
		require.NoError(t, err)
		require.Equal(t, near, checkCommand([]string{word}, parser.Model) != nil, word)
	}
}

// TestInfohashAlone: what people copy from a page is a source as good as a magnet link.
func TestInfohashAlone(t *testing.T) {
	inTemp(t)
	const hash = "2a9aca6534133746d9a9fabf16bfeda1a1f21c85"
	code, out, errs := cli(t, "show", hash)
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "magnet:?xt=urn:btih:"+hash)
	write(t, hash, []byte("a file of that name"))
	require.Equal(t, hash, asMagnet(hash))
}

func TestHelpShowsDefaults(t *testing.T) {
	code, out, errs := cli(t, "serve", "--help")
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, `--http=":8080"`)
	require.Contains(t, out, "--plain-below=1MiB")
	code, out, _ = cli(t, "--version")
	require.Equal(t, exitDone, code)
	require.NotEmpty(t, strings.TrimSpace(out))
}
