package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/web"
)

const (
	torrentType = "application/x-bittorrent"
	browser     = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	textType    = "text/plain; charset=utf-8"
	htmlType    = "text/html; charset=utf-8"
)

var bigContent = bytes.Repeat([]byte("0123456789abcdef"), 1<<16+1) // 1 MiB and 16 bytes

// secret is the content of all that must not be served.
const secret = "SECRET-CONTENT"

// newSite returns a Source with a file of each kind.
func newSite() *memory {
	m := newMemory()
	m.add("big.iso", bigContent)
	m.add("small.txt", []byte("hello, swarm\n"))
	m.add("empty.log", nil)
	m.add("dir/song.flac", []byte("fLaC"))
	m.add("named.torrent", []byte("d4:infoe"))
	m.add("big2.iso", bigContent)
	m.add("big2.iso.torrent", []byte("a real file"))
	m.add("page.html", []byte("<script>alert(1)</script>"))
	m.add("README", []byte("<html>plain all the same\n"))
	m.addUnit("unit", map[string][]byte{"a.bin": bigContent, "sub/b.txt": []byte("inside")})
	m.put(web.Entry{Path: "writing.iso", Size: 5, State: web.Settling})
	m.put(web.Entry{Path: "hashing.iso", Size: 5, State: web.Hashing, Progress: .429, Reason: "second in the queue", Wait: 90 * time.Second})
	m.put(web.Entry{Path: "link", State: web.LeftOut, Reason: "symbolic link"})
	m.put(web.Entry{Path: "raw", Dir: true, Unit: true, State: web.Hashing, Progress: .5})
	m.put(web.Entry{Path: "raw/c.txt", In: "raw", Size: 6, State: web.Hashing})
	m.put(web.Entry{Path: "void", Dir: true})
	m.put(web.Entry{Path: ".hidden", Size: 3, State: web.Published})
	for _, name := range []string{"writing.iso", "hashing.iso", "link", "raw/c.txt", ".hidden", ".git/config", `a\b`} {
		m.content[name] = []byte(secret)
	}
	return m
}

// get asks h for target. headers are names and values in turn.
func get(h http.Handler, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Host = "files.example:8080"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, answer *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(b)
}

// requireTorrent checks that answer is the torrent of what m has at path, for
// the host of get.
func requireTorrent(t *testing.T, m *memory, path string, answer *http.Response) {
	t.Helper()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, torrentType, answer.Header.Get("Content-Type"))
	require.Equal(t, "Accept, Host", answer.Header.Get("Vary"))
	torrent, err := metainfo.Parse([]byte(body(t, answer)))
	require.NoError(t, err)
	require.Equal(t, m.entries[path].InfoHash, torrent.InfoHash)
	require.Equal(t, "http://files.example:8080/announce", torrent.Announce)
}

func TestTorrents(t *testing.T) {
	m := newSite()
	for _, tt := range []struct {
		name, target, accept, path string
	}{
		{"large file by Accept", "/big.iso", torrentType, "big.iso"},
		{"small file by Accept", "/small.txt", torrentType, "small.txt"},
		{"Accept among others", "/small.txt", "text/html;q=0.9, application/x-bittorrent, */*;q=0.1", "small.txt"},
		{"same quality", "/small.txt", "*/*, application/x-bittorrent", "small.txt"},
		{"large file, though the torrent is loved less", "/big.iso", "*/*, application/x-bittorrent;q=0.1", "big.iso"},
		{"by suffix", "/big.iso.torrent", "*/*", "big.iso"},
		{"by suffix of a small file", "/dir/song.flac.torrent", browser, "dir/song.flac"},
		{"by query", "/big.iso?torrent", "", "big.iso"},
		{"by query with a value", "/small.txt?x=1&torrent=1", "", "small.txt"},
		{"by query when the suffix is a file's name", "/big2.iso?torrent", "", "big2.iso"},
		{"by suffix of a torrent file", "/named.torrent.torrent", "", "named.torrent"},
		{"by query of a torrent file", "/named.torrent?torrent", "", "named.torrent"},
		{"unit by suffix", "/unit.torrent", "", "unit"},
		{"unit by query", "/unit/?torrent", "", "unit"},
		{"unit by Accept", "/unit", torrentType, "unit"},
		{"unit by Accept with slash", "/unit/", torrentType, "unit"},
		{"file in a unit by Accept", "/unit/sub/b.txt", torrentType, "unit"},
		{"file in a unit by suffix", "/unit/a.bin.torrent", "", "unit"},
		{"file in a unit by query", "/unit/sub/b.txt?torrent", "", "unit"},
		{"directory in a unit by query", "/unit/sub/?torrent", "", "unit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			headers := []string{"Accept", tt.accept}
			if tt.accept == "" {
				headers = nil
			}
			answer := get(web.New(web.Config{Source: m}), tt.target, headers...)
			require.Equal(t, "attachment", strings.Split(answer.Header.Get("Content-Disposition"), ";")[0])
			requireTorrent(t, m, tt.path, answer)
		})
	}
}

func TestTorrentOfConfiguredURL(t *testing.T) {
	h := web.New(web.Config{Source: newSite(), URL: "https://cdn.example/pub/"})
	answer := get(h, "/big.iso.torrent")
	require.Equal(t, "Accept", answer.Header.Get("Vary"), "the same for all hosts")
	torrent, err := metainfo.Parse([]byte(body(t, answer)))
	require.NoError(t, err)
	require.Equal(t, "https://cdn.example/pub/announce", torrent.Announce)
}

func TestTorrentValidator(t *testing.T) {
	h := web.New(web.Config{Source: newSite()})
	answer := get(h, "/big.iso.torrent")
	tag := answer.Header.Get("ETag")
	require.Regexp(t, `^"[0-9a-f]{32}"$`, tag)
	require.Equal(t, http.StatusNotModified, get(h, "/big.iso.torrent", "If-None-Match", tag).StatusCode)
}

func TestMagnets(t *testing.T) {
	m := newSite()
	h := web.New(web.Config{Source: m})
	for target, path := range map[string]string{
		"/big.iso.magnet": "big.iso", "/small.txt?magnet": "small.txt", "/unit.magnet": "unit",
		"/unit/a.bin.magnet": "unit", "/unit/sub/b.txt?magnet": "unit",
	} {
		for _, accept := range []string{"*/*", "text/plain", "text/plain, text/html;q=0.9"} {
			answer := get(h, target, "Accept", accept)
			require.Equal(t, http.StatusOK, answer.StatusCode, target)
			require.Equal(t, textType, answer.Header.Get("Content-Type"))
			magnet, err := metainfo.ParseMagnet(strings.TrimSuffix(body(t, answer), "\n"))
			require.NoError(t, err)
			require.Equal(t, m.entries[path].InfoHash, magnet.InfoHash)
			require.Equal(t, []string{"http://files.example:8080/announce"}, magnet.Trackers)
		}
		answer := get(h, target, "Accept", browser)
		require.Equal(t, http.StatusFound, answer.StatusCode)
		require.Equal(t, "Accept, Host", answer.Header.Get("Vary"))
		magnet, err := metainfo.ParseMagnet(answer.Header.Get("Location"))
		require.NoError(t, err)
		require.Equal(t, m.entries[path].InfoHash, magnet.InfoHash)
		require.Equal(t, m.entries[path].Name, magnet.Name)
	}
}

func TestPlain(t *testing.T) {
	m := newSite()
	hash := m.entries["small.txt"].InfoHash.String()
	h := web.New(web.Config{Source: m})
	for _, accept := range []string{"*/*", browser, "text/plain", "image/png", "*/*, application/x-bittorrent;q=0.5"} {
		answer := get(h, "/small.txt", "Accept", accept)
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Equal(t, "hello, swarm\n", body(t, answer))
		require.Equal(t, textType, answer.Header.Get("Content-Type"))
		require.Equal(t, `"`+hash+`"`, answer.Header.Get("ETag"))
		require.Equal(t, "Sat, 14 Mar 2026 15:09:26 GMT", answer.Header.Get("Last-Modified"))
		require.Equal(t, `<small.txt.torrent>; rel="describedby"; type="application/x-bittorrent"`, answer.Header.Get("Link"))
		require.Equal(t, "Accept", answer.Header.Get("Vary"))
		require.Equal(t, "bytes", answer.Header.Get("Accept-Ranges"))
		require.Equal(t, "13", answer.Header.Get("Content-Length"))
	}
	answer := get(h, "/small.txt", "Range", "bytes=7-11")
	require.Equal(t, http.StatusPartialContent, answer.StatusCode)
	require.Equal(t, "bytes 7-11/13", answer.Header.Get("Content-Range"))
	require.Equal(t, "swarm", body(t, answer))

	require.Equal(t, http.StatusRequestedRangeNotSatisfiable, get(h, "/small.txt", "Range", "bytes=99-").StatusCode)
	require.Equal(t, http.StatusNotModified, get(h, "/small.txt", "If-None-Match", `"`+hash+`"`).StatusCode)
	require.Equal(t, http.StatusNotModified, get(h, "/small.txt", "If-Modified-Since", "Sat, 14 Mar 2026 15:09:26 GMT").StatusCode)
}

func TestPlainTypesAndLinks(t *testing.T) {
	h := web.New(web.Config{Source: newSite()})
	for target, want := range map[string]struct{ mediaType, policy, link string }{
		"/README":           {textType, "", "<README.torrent>"},
		"/page.html":        {"text/html; charset=utf-8", "sandbox", "<page.html.torrent>"},
		"/named.torrent":    {torrentType, "", "<named.torrent.torrent>"},
		"/unit/sub/b.txt":   {textType, "", "<../../unit.torrent>"},
		"/dir/song.flac":    {"audio/flac", "", "<song.flac.torrent>"},
		"/empty.log":        {"text/plain; charset=utf-8", "", ""},
		"/big2.iso?torrent": {torrentType, "default-src", ""},
	} {
		answer := get(h, target)
		require.Equal(t, http.StatusOK, answer.StatusCode, target)
		if target != "/dir/song.flac" && target != "/empty.log" { // the system's table decides
			require.Equal(t, want.mediaType, answer.Header.Get("Content-Type"), target)
		}
		require.True(t, strings.HasPrefix(answer.Header.Get("Content-Security-Policy"), want.policy), target)
		require.Equal(t, want.policy == "", answer.Header.Get("Content-Security-Policy") == "", target)
		link, _, _ := strings.Cut(answer.Header.Get("Link"), ";")
		require.Equal(t, want.link, link, target)
	}
	// A file that is a torrent is what Accept asks for.
	require.Equal(t, "d4:infoe", body(t, get(h, "/named.torrent", "Accept", torrentType)))
	// Its name goes before the form of another file.
	require.Equal(t, "a real file", body(t, get(h, "/big2.iso.torrent")))
}

func TestLarge(t *testing.T) {
	m := newSite()
	for _, headers := range [][]string{nil, {"Accept", browser}, {"Range", "bytes=0-99"}} {
		answer := get(web.New(web.Config{Source: m}), "/big.iso", headers...)
		require.Equal(t, http.StatusFound, answer.StatusCode)
		require.Equal(t, "big.iso.torrent", answer.Header.Get("Location"))
		require.Equal(t, textType, answer.Header.Get("Content-Type"))
		text := body(t, answer)
		require.Contains(t, text, "aria2c http://files.example:8080/big.iso.torrent\n")
		require.Contains(t, text, m.entries["big.iso"].InfoHash.String())
	}
	answer := get(web.New(web.Config{Source: m}), "/big2.iso")
	require.Equal(t, "big2.iso?torrent", answer.Header.Get("Location"), "big2.iso.torrent is another file")
	require.Contains(t, body(t, answer), "aria2c 'http://files.example:8080/big2.iso?torrent'\n")

	answer = get(web.New(web.Config{Source: m}), "/unit/a.bin")
	require.Equal(t, http.StatusFound, answer.StatusCode)
	require.Equal(t, "../unit.torrent", answer.Header.Get("Location"))
	require.Contains(t, answer.Header.Get("Link"), "<../unit.torrent>")

	page := web.New(web.Config{Source: m, Large: web.LargePage})
	answer = get(page, "/big.iso")
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, htmlType, answer.Header.Get("Content-Type"))
	require.Contains(t, body(t, answer), `href="big.iso.torrent"`)
	require.Contains(t, body(t, get(page, "/big.iso", "Accept", "text/plain")), "aria2c http://")
	requireTorrent(t, m, "big.iso", get(page, "/big.iso", "Accept", torrentType))

	plain := web.New(web.Config{Source: m, Large: web.LargePlain})
	answer = get(plain, "/big.iso", "Range", "bytes=16-31")
	require.Equal(t, http.StatusPartialContent, answer.StatusCode)
	require.Equal(t, "0123456789abcdef", body(t, answer))
	requireTorrent(t, m, "big.iso", get(plain, "/big.iso", "Accept", torrentType))
}

func TestLargeOfOneEntryAndSizeLimit(t *testing.T) {
	m := newSite()
	e := m.entries["big.iso"]
	e.Large = web.LargePlain
	m.put(e)
	require.Equal(t, http.StatusOK, get(web.New(web.Config{Source: m, Large: web.LargePage}), "/big.iso").StatusCode)

	h := web.New(web.Config{Source: m, PlainBelow: 13})
	require.Equal(t, http.StatusFound, get(h, "/small.txt").StatusCode, "13 bytes are not below 13")
	h = web.New(web.Config{Source: m, PlainBelow: -1})
	require.Equal(t, http.StatusFound, get(h, "/dir/song.flac").StatusCode)
	require.Equal(t, http.StatusOK, get(h, "/empty.log").StatusCode)
}

func TestEmptyFile(t *testing.T) {
	h := web.New(web.Config{Source: newSite()})
	for _, accept := range []string{"*/*", torrentType} {
		answer := get(h, "/empty.log", "Accept", accept)
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Empty(t, body(t, answer))
		require.Regexp(t, `^"0-[0-9a-f]+"$`, answer.Header.Get("ETag"))
	}
	for _, target := range []string{"/empty.log.torrent", "/empty.log?torrent", "/empty.log.magnet"} {
		answer := get(h, target)
		require.Equal(t, http.StatusNotFound, answer.StatusCode)
		require.Contains(t, body(t, answer), "An empty file has no torrent")
	}
}

func TestPending(t *testing.T) {
	for _, tt := range []struct{ target, demanded, retry, text string }{
		{"/writing.iso", "writing.iso", "5", "writing.iso is still being written"},
		{"/hashing.iso", "hashing.iso", "90", "The torrent of hashing.iso is being made: 42 %"},
		{"/hashing.iso.torrent", "hashing.iso", "90", "42 %"},
		{"/hashing.iso?torrent", "hashing.iso", "90", "42 %"},
		{"/hashing.iso.magnet", "hashing.iso", "90", "42 %"},
		{"/hashing.iso?page", "hashing.iso", "90", "42 %"},
		{"/raw.torrent", "raw", "5", "50 %"},
		{"/raw/c.txt", "raw", "5", "50 %"},
	} {
		t.Run(tt.target, func(t *testing.T) {
			for _, accept := range []string{"*/*", torrentType + ", */*;q=0.1", browser, "application/json"} {
				m := newSite()
				answer := get(web.New(web.Config{Source: m}), tt.target, "Accept", accept)
				require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
				require.Equal(t, tt.retry, answer.Header.Get("Retry-After"))
				require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
				require.Contains(t, body(t, answer), tt.text)
				require.Equal(t, []string{tt.demanded}, m.demanded, "H4: to the head of the queue")
			}
		})
	}
	h := web.New(web.Config{Source: newSite()})
	require.Contains(t, body(t, get(h, "/hashing.iso", "Accept", browser)),
		`<meta http-equiv="refresh" content="5; url=hashing.iso?page">`)
	var report struct {
		State    string
		Progress float64
		Retry    int `json:"retry_after"`
	}
	require.NoError(t, json.NewDecoder(get(h, "/hashing.iso", "Accept", "application/json").Body).Decode(&report))
	require.Equal(t, "hashing", report.State)
	require.InDelta(t, .429, report.Progress, 1e-9)
	require.Equal(t, 90, report.Retry)
}

func TestRedirects(t *testing.T) {
	h := web.New(web.Config{Source: newSite()})
	for target, want := range map[string]string{
		"/dir": "dir/", "/unit/sub": "sub/", "/dir?sort=size": "dir/?sort=size", "/small.txt/": "../small.txt", "/unit": "unit/",
	} {
		answer := get(h, target)
		require.Equal(t, http.StatusFound, answer.StatusCode, target)
		require.Equal(t, want, answer.Header.Get("Location"), target)
	}
}

func TestNotFound(t *testing.T) {
	h := web.New(web.Config{Source: newSite()})
	for _, target := range []string{
		"/nothing", "/dir/nothing", "/small.txt/x", "/link", "/link.torrent", "/link?torrent", "/link.magnet", "/.hidden", "/.hidden.torrent",
		"/nothing.torrent", "/.torrent", "/dir/.torrent", "/dir.torrent", "/dir/?torrent", "/?torrent", "/dir.magnet", "/void.torrent",
		"/big.iso.torrent/", "/-/", "/-/static/", "/-/static/x/style.css", "/-/login", "/announce",
	} {
		for _, accept := range []string{"*/*", browser, "application/json", torrentType} {
			answer := get(h, target, "Accept", accept)
			require.Equal(t, http.StatusNotFound, answer.StatusCode, target)
			require.NotEmpty(t, body(t, answer))
		}
	}
	require.Contains(t, body(t, get(h, "/link")), "symbolic link")
	require.Contains(t, body(t, get(h, "/dir.torrent")), "no torrent of its own")
	require.Contains(t, body(t, get(h, "/dir/nothing", "Accept", browser)), `href="./"`)
}

func TestMethods(t *testing.T) {
	h := web.New(web.Config{Source: newSite()})
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/small.txt", nil))
		require.Equal(t, http.StatusMethodNotAllowed, w.Code, method)
		require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
	}
}

// RFC 9110, section 9.3.2: "The server SHOULD send the same header fields in
// response to a HEAD request as it would have sent if the request method had
// been GET."
func TestHead(t *testing.T) {
	server := httptest.NewServer(web.New(web.Config{Source: newSite()}))
	defer server.Close()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, target := range []string{
		"/", "/dir/", "/small.txt", "/big.iso", "/big.iso.torrent", "/big.iso.magnet", "/empty.log", "/hashing.iso", "/nothing", "/big.iso?page",
	} {
		for _, accept := range []string{"*/*", browser} {
			var answers [2]*http.Response
			for i, method := range []string{"GET", "HEAD"} {
				r, err := http.NewRequest(method, server.URL+target, nil)
				require.NoError(t, err)
				r.Header.Set("Accept", accept)
				answers[i], err = client.Do(r)
				require.NoError(t, err)
				text := body(t, answers[i])
				require.True(t, method == "GET" || text == "")
				for _, name := range []string{"Date", "Content-Length"} {
					answers[i].Header.Del(name)
				}
			}
			require.Equal(t, answers[0].StatusCode, answers[1].StatusCode, target)
			require.Equal(t, answers[0].Header, answers[1].Header, target)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	h := web.New(web.Config{Source: newSite()})
	for _, target := range []string{"/", "/big.iso", "/big.iso?page", "/big.iso.torrent", "/nothing", "/hashing.iso", "/dir"} {
		header := get(h, target, "Accept", browser).Header
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"), target)
		require.Equal(t, "no-referrer", header.Get("Referrer-Policy"), target)
		require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'", target)
		require.NotContains(t, header.Get("Content-Security-Policy"), "unsafe", target)
	}
}

// failing is a Source whose files cannot be read.
type failing struct {
	*memory
	err error
}

func (f failing) Torrent(context.Context, web.Entry, web.Via) ([]byte, error) { return nil, f.err }
func (f failing) Open(context.Context, web.Entry) (io.ReadSeekCloser, error)  { return nil, f.err }

func TestSourceFails(t *testing.T) {
	for want, err := range map[int]error{
		http.StatusNotFound:            &fs.PathError{Op: "open", Path: "/srv/private", Err: fs.ErrNotExist},
		http.StatusServiceUnavailable:  errors.Join(errors.New("size changed"), web.ErrUnavailable),
		http.StatusInternalServerError: errors.New("input/output error on /srv/private"),
	} {
		h := web.New(web.Config{Source: failing{newSite(), err}})
		for _, target := range []string{"/small.txt", "/big.iso.torrent"} {
			answer := get(h, target)
			require.Equal(t, want, answer.StatusCode)
			require.NotContains(t, body(t, answer), "private", "errors stay inside")
		}
	}
}

// broken reads well up to a point.
type broken struct{ *bytes.Reader }

func (b broken) Close() error { return nil }

func (b broken) Read(p []byte) (int, error) {
	if b.Len() < 100<<10 {
		return 0, web.ErrUnavailable
	}
	return b.Reader.Read(p[:min(len(p), 4096)])
}

type breaking struct{ *memory }

func (breaking) Open(context.Context, web.Entry) (io.ReadSeekCloser, error) {
	return broken{bytes.NewReader(make([]byte, len(bigContent)))}, nil
}

// A file that changes while it is sent is cut off: the client sees that it is
// not complete.
func TestContentFailsHalfway(t *testing.T) {
	server := httptest.NewServer(web.New(web.Config{Source: breaking{newSite()}, Large: web.LargePlain}))
	defer server.Close()
	answer, err := http.Get(server.URL + "/big.iso")
	require.NoError(t, err)
	defer answer.Body.Close()
	_, err = io.ReadAll(answer.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// FuzzRequest sends any request and checks that nothing comes out that is not
// published.
func FuzzRequest(f *testing.F) {
	for _, target := range []string{
		"/", "/../etc/passwd", "/%2e%2e/", "/.hidden", "/a%5cb", `/a\b`, "//", "/link", "/dir/..%2f.hidden", "/raw/c.txt", "/small.txt?torrent",
		"/-/static/../templates/index.html", "/-/../.git/config", "http://x/.hidden", "/hashing.iso", "/unit/sub/?sort=size&order=desc",
	} {
		f.Add(target, "*/*", "h")
		f.Add(target, "application/x-bittorrent", "a\tb")
	}
	h := web.New(web.Config{Source: newSite()})
	f.Fuzz(func(t *testing.T, target, accept, host string) {
		wire := "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nAccept: " + accept + "\r\n\r\n"
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Contains(t, []int{200, 206, 302, 304, 404, 405, 406, 416, 503}, w.Code)
		require.NotContains(t, w.Body.String(), secret)
		for name, values := range w.Header() {
			for _, value := range values {
				require.NotContains(t, value, "\n", name)
				require.NotContains(t, value, "\r", name)
			}
		}
	})
}
