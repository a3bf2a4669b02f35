package metainfo_test

import (
	"crypto/sha1"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// mktorrentRow is a tree of files and the infohash that mktorrent gives it. A
// tree of one file with an empty path is a single file.
type mktorrentRow struct {
	Name     string
	Log2     int // of the piece length
	Private  bool
	Source   string
	Files    map[string]int64 // path to size; the content's label is the path
	InfoHash string           `json:"infohash"`
}

func mktorrentRows(t *testing.T) []mktorrentRow {
	t.Helper()
	var vectors struct{ Rows []mktorrentRow }
	readJSON(t, "mktorrent.json", &vectors)
	require.Len(t, vectors.Rows, 9)
	return vectors.Rows
}

// TestBuildGolden: the infohash equals mktorrent's.
func TestBuildGolden(t *testing.T) {
	for _, row := range mktorrentRows(t) {
		t.Run(row.Name, func(t *testing.T) {
			d := &disk{}
			cfg := metainfo.BuildConfig{Name: row.Name, PieceLength: 1 << row.Log2, Private: row.Private, Source: row.Source}
			for path, size := range row.Files {
				cfg.Files = append(cfg.Files, d.file(path, contentBytes(path, size)))
				cfg.Multi = cfg.Multi || path != ""
			}
			raw, err := metainfo.Build(t.Context(), cfg)
			require.NoError(t, err)
			require.Equal(t, row.InfoHash, metainfo.InfoHash(sha1.Sum(raw)).String())
		})
	}
}

// TestMktorrent runs mktorrent on the same trees: the golden hashes are its.
func TestMktorrent(t *testing.T) {
	program := installed(t, "mktorrent")
	for _, row := range mktorrentRows(t) {
		t.Run(row.Name, func(t *testing.T) {
			dir := t.TempDir()
			target := filepath.Join(dir, "content")
			for path, size := range row.Files {
				writeFile(t, filepath.Join(target, filepath.FromSlash(path)), path, size)
			}
			out := filepath.Join(dir, "out.torrent")
			args := []string{"-l", strconv.Itoa(row.Log2), "-n", row.Name, "-o", out, "-a", "http://tracker.example/announce"}
			if row.Private {
				args = append(args, "-p")
			}
			if row.Source != "" {
				args = append(args, "-s", row.Source)
			}
			output, err := exec.CommandContext(t.Context(), program, append(args, target)...).CombinedOutput()
			require.NoError(t, err, "%s", output)
			raw, err := os.ReadFile(out)
			require.NoError(t, err)
			torrent, err := metainfo.Parse(raw)
			require.NoError(t, err)
			require.Equal(t, row.InfoHash, torrent.InfoHash.String())
			require.Equal(t, "http://tracker.example/announce", torrent.Announce)
			require.True(t, strings.HasPrefix(torrent.CreatedBy, "mktorrent"), torrent.CreatedBy)
		})
	}
}

// writeFile writes content(label, size) to a new file and the directories above.
func writeFile(t *testing.T, name, label string, size int64) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	f, err := os.Create(name)
	require.NoError(t, err)
	_, err = io.Copy(f, newContent(label, size))
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// installed returns the path of a program, or skips the test. With
// SEEDSERVER_INTEROP=require a program that is missing is a failure.
func installed(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("SEEDSERVER_INTEROP") == "require" {
		t.Fatalf("%s is not installed", program)
	}
	t.Skipf("install %s to run this test (apt install %[1]s)", program)
	return ""
}
