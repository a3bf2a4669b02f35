package main

import (
	"bytes"
	"context"
	"html"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pagesSite publishes a little of everything that pages show.
func pagesSite(t *testing.T, s *server) {
	t.Helper()
	s.put(".seedserver.toml", []byte("title = \"All the things\"\n[meta.\"big-file.iso\"]\ntitle = \"An installer\""))
	s.put("README.md", []byte("# Hello\n\nRead [the song](dir/song.flac).\n"))
	s.put("big-file.iso", content(1, 2<<20))
	s.put("small.txt", []byte("small\n"))
	s.put("small.txt.toml", []byte("description = \"A few letters\""))
	s.put("dir/song.flac", content(2, 300_000))
	require.NoError(t, os.Symlink("small.txt", filepath.Join(s.dir, "link")))
	for _, name := range []string{"README.md", "big-file.iso", "small.txt", "small.txt.toml", "dir/song.flac"} {
		if name == "small.txt.toml" { // what it says is listed in its stead
			s.eventually(20*time.Second, name+" is published", func() bool {
				_, resp := s.get(name + "?torrent")
				return resp.StatusCode == http.StatusOK
			})
			continue
		}
		s.published(name, 20*time.Second)
	}
}

// TestTextBrowsers: the pages can be used in browsers for text, with every link that leads on.
func TestTextBrowsers(t *testing.T) {
	for program, args := range map[string][]string{"lynx": {"-dump", "-width=200"}, "w3m": {"-dump", "-cols", "200", "-o", "display_link_number=1"}} {
		t.Run(program, func(t *testing.T) {
			requireTool(t, program, program)
			if !inNamespace(t) {
				return
			}
			s := startServer(t)
			pagesSite(t, s)
			show := func(path string) string {
				out, err := exec.CommandContext(t.Context(), program, append(args, s.base+"/"+path)...).CombinedOutput()
				require.NoError(t, err, "%s", out)
				return string(out)
			}
			// words leaves out how lines are broken and links numbered.
			words := func(text string) string {
				return strings.Join(strings.Fields(regexp.MustCompile(`\[\d+\]`).ReplaceAllString(text, "")), " ")
			}
			index := show("")
			for _, want := range []string{
				"All the things", "big-file.iso", "An installer", "2.0 MiB", "small.txt", "A few letters", "seeding", "torrent", "magnet", "plain", "details",
				"left out", "symbolic link", "dir/", "Hello", "the song", "Seeds", "Leechers", "Completed", "aria2c " + s.base + "/big-file.iso.torrent",
			} {
				require.Contains(t, words(index), want, "%s", index)
			}
			require.NotContains(t, index, "small.txt.toml")
			links := regexp.MustCompile(`(?:http|magnet):\S+`).FindAllString(index, -1)
			for _, want := range []string{"/big-file.iso.torrent", "/big-file.iso?page", "/small.txt", "/dir/", "/?sort=size&order=desc", "/-/feed.atom"} {
				require.Contains(t, links, s.base+want)
			}
			details := show("big-file.iso?page")
			for _, want := range []string{s.published("big-file.iso", time.Second), "An installer", "2.0 MiB", "/announce", "transmission-cli " + s.base} {
				require.Contains(t, words(details), want, "%s", details)
			}
			require.Contains(t, show("-/search?q=installer"), "big-file.iso")
		})
	}
}

// TestCommandsOfPages runs the lines that a page about a file offers to copy.
func TestCommandsOfPages(t *testing.T) {
	t.Parallel()
	for _, tool := range [][2]string{{"aria2c", "aria2"}, {"transmission-cli", "transmission-cli"}, {"curl", "curl"}} {
		requireTool(t, tool[0], tool[1])
	}
	if !inNamespace(t) {
		return
	}
	s := startServer(t)
	const name = "Grüße & 'more' $(x).bin"
	want := content(3, 600_000)
	s.put(name, want)
	s.published(name, 20*time.Second)
	page, resp := s.get(escapePath(name)+"?page", "Accept", "text/html")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	home := t.TempDir()
	run := func(start, more, files string, check func(content []byte) bool) {
		t.Helper()
		line := ""
		for _, code := range regexp.MustCompile(`<code class="copy">([^<]*)</code>`).FindAllSubmatch(page, -1) {
			if l := html.UnescapeString(string(code[1])); strings.HasPrefix(l, start+" ") {
				line = l
			}
		}
		require.NotEmpty(t, line, "no line %q in %s", start, page)
		dir := t.TempDir()
		ctx, cancel := context.WithTimeout(t.Context(), clientPatience)
		defer cancel()
		cmd := exec.CommandContext(ctx, "sh", "-c", "exec "+line+more)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+home)
		log := &logBuffer{}
		cmd.Stdout, cmd.Stderr = log, log
		require.NoError(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		require.Eventually(t, func() bool {
			found, _ := filepath.Glob(filepath.Join(dir, files))
			if len(found) != 1 {
				return false
			}
			b, err := os.ReadFile(found[0])
			return err == nil && check(b)
		}, clientPatience, 50*time.Millisecond, "%s\n%s", line, log)
		cancel()
		<-ended
	}
	// Without a name server its DHT stops transmission for minutes.
	settings := filepath.Join(home, ".config/transmission/settings.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(settings), 0o700))
	require.NoError(t, os.WriteFile(settings, []byte(`{"dht-enabled":false,"lpd-enabled":false,"utp-enabled":false,"port-forwarding-enabled":false}`), 0o600))
	complete := func(b []byte) bool { return bytes.Equal(b, want) }
	bind := " --interface=" + clientIP(1)
	run("curl -OJ", "", "*.torrent", func(b []byte) bool { return bytes.Contains(b, []byte("6:pieces")) })
	run("curl -O", "", "*", complete)
	run("aria2c", " --no-conf --enable-dht=false --enable-dht6=false --bt-enable-lpd=false --listen-port=16890"+bind, "*.bin", complete)
	run("transmission-cli", " -w . -p 16891", "*", complete)
}
