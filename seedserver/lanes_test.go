package seedserver

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/access"
)

// buffer is a log that several goroutines write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// club is a server with a private directory for alice, one for anybody who signs in, an unlisted one, and a public file.
type club struct {
	t     *testing.T
	srv   *Server
	url   string
	users string
	logs  buffer
}

func newClub(t *testing.T) *club {
	c := &club{t: t, users: filepath.Join(t.TempDir(), "users")}
	c.setUsers("alice", "bob", "mallory")
	var dir string
	c.srv, dir, _ = running(t, func(cfg *Config) {
		cfg.UsersFile, cfg.AccessLog = c.users, &c.logs
		cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	})
	c.url = strings.TrimSuffix(c.srv.URLs()[0], "/")
	staged := t.TempDir()
	for path, content := range map[string]string{
		"open/readme.txt":              "for everybody",
		"zebra/.seedserver.toml":       "title = \"zebra club\"\n[access]\nusers = [\"alice\"]\n",
		"zebra/zebra.iso":              strings.Repeat("zebra stripes ", 10_000),
		"zebra/README.md":              "# zebra",
		"zebra/unit/.seedserver.toml":  "unit = true",
		"zebra/unit/a":                 "zebra a",
		"zebra/unit/b":                 "zebra b",
		"hidden-link/.seedserver.toml": "access.listed = false",
		"hidden-link/found.txt":        "who knows the address finds it",
	} {
		path = filepath.Join(staged, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	for _, name := range []string{"open", "zebra", "hidden-link"} {
		require.NoError(t, os.Rename(filepath.Join(staged, name), filepath.Join(dir, name)))
	}
	for _, path := range []string{"open/readme.txt", "zebra/zebra.iso", "zebra/unit", "hidden-link/found.txt"} {
		require.Eventually(t, func() bool {
			e, ok := c.srv.catalog.Lookup(path)
			return ok && e.State.String() == "published"
		}, 20*time.Second, 10*time.Millisecond, path)
	}
	return c
}

// setUsers writes the file of users; the password is the name.
func (c *club) setUsers(names ...string) {
	var text strings.Builder
	for _, name := range names {
		hash, err := bcrypt.GenerateFromPassword([]byte(name), bcrypt.MinCost)
		require.NoError(c.t, err)
		fmt.Fprintf(&text, "%s:%s\n", name, hash)
	}
	require.NoError(c.t, os.WriteFile(c.users, []byte(text.String()), 0o600))
	if c.srv != nil {
		require.NoError(c.t, c.srv.gate.guard.Reload())
	}
}

type answer struct {
	status int
	header http.Header
	body   string
}

// get asks for a path as a user, "" for nobody.
func (c *club) get(user, path string, change ...func(*http.Request)) answer {
	r, err := http.NewRequest(http.MethodGet, c.url+path, nil)
	require.NoError(c.t, err)
	if user != "" {
		r.SetBasicAuth(user, user)
	}
	for _, f := range change {
		f(r)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(c.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	resp.Header.Del("Date")
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func accept(mediaType string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Accept", mediaType) }
}

// lanes are the ways to the private file over HTTP: the address, with NAME for it, and the headers.
var lanes = []struct {
	name, path string
	change     []func(*http.Request)
}{
	{name: "index", path: "/NAME/", change: []func(*http.Request){accept("text/html")}},
	{name: "index without slash", path: "/NAME"},
	{name: "JSON", path: "/NAME/", change: []func(*http.Request){accept("application/json")}},
	{name: "text", path: "/NAME/", change: []func(*http.Request){accept("text/plain")}},
	{name: "feed", path: "/-/feed.atom?dir=NAME"},
	{name: "RSS", path: "/-/feed.rss?dir=NAME"},
	{name: "search in it", path: "/-/search?q=a&dir=NAME"},
	{name: "torrent", path: "/NAME/NAME.iso.torrent"},
	{name: "torrent by query", path: "/NAME/NAME.iso?torrent"},
	{name: "torrent negotiated", path: "/NAME/NAME.iso", change: []func(*http.Request){accept("application/x-bittorrent")}},
	{name: "details", path: "/NAME/NAME.iso?page"},
	{name: "file", path: "/NAME/NAME.iso"},
	{name: "range", path: "/NAME/NAME.iso", change: []func(*http.Request){func(r *http.Request) { r.Header.Set("Range", "bytes=0-9") }}},
	{name: "unit", path: "/NAME/unit.torrent"},
	{name: "file of a unit", path: "/NAME/unit/a"},
	{name: "HEAD", path: "/NAME/NAME.iso", change: []func(*http.Request){func(r *http.Request) { r.Method = http.MethodHead }}},
}

// TestLanes: on every lane, who has no right gets, to the byte, what is answered for what does not exist.
func TestLanes(t *testing.T) {
	c := newClub(t)
	for _, lane := range lanes {
		t.Run(lane.name, func(t *testing.T) {
			right := c.get("alice", strings.ReplaceAll(lane.path, "NAME", "zebra"), lane.change...)
			require.Less(t, right.status, 400, "%s: %s", lane.path, right.body)
			require.Contains(t, right.header.Get("Vary"), "Cookie")
			require.Contains(t, right.header.Get("Cache-Control"), "private")
			for _, user := range []string{"", "bob", "nobody-known"} {
				got := c.get(user, strings.ReplaceAll(lane.path, "NAME", "zebra"), lane.change...)
				nothing := c.get(user, strings.ReplaceAll(lane.path, "NAME", "xebra"), lane.change...)
				require.Equal(t, http.StatusNotFound, got.status, user)
				require.Equal(t, nothing.header, got.header)
				require.Equal(t, nothing.body, strings.ReplaceAll(got.body, "zebra", "xebra"))
			}
		})
	}
	t.Run("lists around it", func(t *testing.T) {
		for _, path := range []string{"/", "/-/search?q=zebra", "/-/feed.atom", "/-/feed.rss"} {
			for _, form := range []string{"text/html", "application/json", "text/plain"} {
				require.NotContains(t, strings.ReplaceAll(c.get("bob", path, accept(form)).body, "q=zebra", ""), `zebra/`, path)
				if strings.HasPrefix(path, "/-/feed") || form != "text/html" {
					require.NotContains(t, c.get("", path, accept(form)).body, "club", path)
				}
				require.Contains(t, c.get("alice", path, accept(form)).body, "zebra", path)
			}
		}
		var sum int64
		e, ok := source{s: c.srv}.Lookup("")
		require.True(t, ok)
		entries, _ := source{s: c.srv}.List("")
		for _, one := range entries {
			sum += one.Size
		}
		require.Len(t, entries, 1, "neither what is private nor what is not listed")
		require.Equal(t, sum, e.Size, "the sums do not tell either")
		require.Equal(t, 1, e.Files)
	})
	t.Run("unlisted", func(t *testing.T) {
		require.Equal(t, http.StatusOK, c.get("", "/hidden-link/found.txt").status)
		require.Contains(t, c.get("", "/hidden-link/", accept("application/json")).body, "found.txt")
	})
	t.Run("magnet", func(t *testing.T) {
		require.Equal(t, http.StatusNotFound, c.get("alice", "/zebra/zebra.iso.magnet").status)
		require.NotContains(t, c.get("alice", "/zebra/", accept("application/json")).body, "magnet")
	})
	t.Run("login asks", func(t *testing.T) {
		require.Equal(t, http.StatusUnauthorized, c.get("", "/-/login").status)
		require.Contains(t, c.get("", "/-/login", accept("text/html")).body, "password")
		require.Contains(t, c.get("bob", "/-/login").body, "bob")
	})
}

// TestLanesTakeAsLong: what one may not see takes as long to answer for as what is not there.
func TestLanesTakeAsLong(t *testing.T) {
	c := newClub(t)
	paths := []string{"/zebra/zebra.iso", "/xebra/xebra.iso"}
	times := map[string][]time.Duration{}
	for range 150 {
		for _, path := range paths {
			began := time.Now()
			c.get("", path)
			times[path] = append(times[path], time.Since(began))
		}
	}
	undisturbed := func(path string) time.Duration { // what a loaded machine does to one request in two does not count
		slices.Sort(times[path])
		return times[path][len(times[path])/10]
	}
	require.InDelta(t, undisturbed(paths[1]).Seconds(), undisturbed(paths[0]).Seconds(), 0.002)
}

// torrentOf returns the user's torrent of the private file.
func (c *club) torrentOf(user string) *metainfo.Torrent {
	got := c.get(user, "/zebra/zebra.iso.torrent")
	require.Equal(c.t, http.StatusOK, got.status)
	torrent, err := metainfo.Parse([]byte(got.body))
	require.NoError(c.t, err)
	require.True(c.t, torrent.Info.Private)
	return torrent
}

func announceQuery(h metainfo.InfoHash, port int) string {
	return fmt.Sprintf("?info_hash=%s&peer_id=-XX0000-abcdefghijkl&port=%d&uploaded=0&downloaded=0&left=1&compact=1", url.QueryEscape(string(h[:])), port)
}

// announce announces with the key of a URL, and returns the answer.
func (c *club) announce(announceURL string, h metainfo.InfoHash) string {
	path := strings.TrimPrefix(announceURL, c.url)
	return c.get("", path+announceQuery(h, 1234)).body
}

// shake connects to the peer port from an address and asks for a torrent with a peer id; it returns what came back.
func (c *club) shake(from string, h metainfo.InfoHash, id string) []byte {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 5 * time.Second}
	conn, err := d.DialContext(context.Background(), "tcp", c.srv.peer.Addr().String())
	require.NoError(c.t, err)
	defer conn.Close()
	hs := peerwire.Handshake{Reserved: peerwire.NewExtensions(peerwire.ExtensionProtocol), InfoHash: h, PeerID: peerwire.PeerID([]byte(id))}
	_, err = conn.Write(hs.AppendTo(nil))
	require.NoError(c.t, err)
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	got := make([]byte, peerwire.HandshakeSize)
	n, _ := io.ReadFull(conn, got)
	return got[:n]
}

// TestTrackerAndWire: by each key, from each address.
func TestTrackerAndWire(t *testing.T) {
	c := newClub(t)
	alices := c.torrentOf("alice")
	h := alices.InfoHash
	prefix, key, _ := strings.Cut(alices.Announce, "/announce/")
	require.Equal(t, c.url, prefix)
	require.Len(t, key, 32)
	open, err := metainfo.Parse([]byte(c.get("", "/open/readme.txt.torrent").body))
	require.NoError(t, err)
	absent := metainfo.InfoHash{1, 2, 3}
	const ours, theirs = "-XX0000-abcdefghijkl", "-YY0000-abcdefghijkl"

	notThere := c.announce(c.url+"/announce", absent)
	require.Contains(t, notThere, "failure reason")
	bobs := c.srv.gate.guard.AnnounceKey(time.Now(), access.User("bob"), h) // as good as can be, but bob has no right
	for _, bad := range []string{"", "/x", "/" + bobs, "/" + strings.Repeat("A", 32), "/" + key[:31] + string(key[31]^1)} {
		require.Equal(t, notThere, c.announce(c.url+"/announce"+bad, h), bad)
	}
	scrape := func(key string, h metainfo.InfoHash) string {
		return c.get("", "/scrape"+key+"?info_hash="+url.QueryEscape(string(h[:]))).body
	}
	require.Equal(t, scrape("", absent), scrape("", h))
	require.Equal(t, scrape("/"+bobs, absent), scrape("/"+bobs, h))
	require.Contains(t, scrape("/"+key, h), string(h[:]))

	// Nobody has announced yet: no address is let in, whatever it says.
	require.Empty(t, c.shake("127.0.0.1", h, ours))
	require.NotEmpty(t, c.shake("127.0.0.1", open.InfoHash, ours))

	require.Contains(t, c.announce(alices.Announce, h), "5:peers")
	require.NotEmpty(t, c.shake("127.0.0.1", h, theirs), "the address announced")
	require.NotEmpty(t, c.shake("127.0.0.2", h, ours), "the peer id announced")
	require.Empty(t, c.shake("127.0.0.2", h, theirs), "neither")
	require.Empty(t, c.shake("127.0.0.2", absent, ours))

	// A new password: the key is revoked, and who is connected is not for long.
	c.setUsers("alice2", "bob")
	require.Equal(t, notThere, c.announce(alices.Announce, h))
	require.Empty(t, c.shake("127.0.0.1", h, theirs))
	require.Empty(t, c.shake("127.0.0.2", h, ours))

	require.NotContains(t, c.logs.String(), key)
	require.NotContains(t, c.logs.String(), bobs)
	require.NotContains(t, c.get("", "/").body, hex.EncodeToString(h[:]))
}

// TestRulesChange: what becomes private is found nowhere at once, and its public torrent is retired.
func TestRulesChange(t *testing.T) {
	c := newClub(t)
	open, err := metainfo.Parse([]byte(c.get("", "/open/readme.txt.torrent").body))
	require.NoError(t, err)
	require.NotNil(t, c.srv.torrents.find(open.InfoHash))
	rules := filepath.Join(c.srv.cfg.Dir, "open", ".seedserver.toml")
	require.NoError(t, os.WriteFile(rules, []byte("access.users = [\"bob\"]"), 0o644))
	require.Eventually(t, func() bool { return c.get("", "/open/readme.txt").status == http.StatusNotFound }, 10*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { return c.srv.torrents.find(open.InfoHash) == nil }, 10*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool {
		torrent, err := metainfo.Parse([]byte(c.get("bob", "/open/readme.txt.torrent").body))
		return err == nil && torrent.Info.Private && torrent.InfoHash != open.InfoHash
	}, 10*time.Second, 10*time.Millisecond)

	// A file that is not trusted opens nothing.
	require.NoError(t, os.Chmod(rules, 0o666))
	require.NoError(t, os.WriteFile(rules, []byte("access.public = true"), 0o666))
	require.Eventually(t, func() bool { return c.get("bob", "/open/readme.txt").status == http.StatusNotFound }, 10*time.Second, 10*time.Millisecond)
	require.Equal(t, http.StatusNotFound, c.get("", "/open/readme.txt").status)
}

// TestSession: who signs in with the form sees what is theirs, until they sign out or the password changes.
func TestSession(t *testing.T) {
	c := newClub(t)
	post := func(form url.Values, change ...func(*http.Request)) answer {
		return c.get("", "/-/login", append(change, func(r *http.Request) {
			r.Method, r.Body = http.MethodPost, io.NopCloser(strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		})...)
	}
	right := url.Values{"name": {"alice"}, "password": {"alice"}}
	require.Equal(t, http.StatusForbidden, post(right, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }).status)
	require.Equal(t, http.StatusForbidden, post(right, func(r *http.Request) { r.Header.Set("Origin", "https://elsewhere.example") }).status)
	require.Equal(t, http.StatusForbidden, post(url.Values{"name": {"alice"}, "password": {"bob"}}).status)
	in := post(right)
	require.Equal(t, http.StatusSeeOther, in.status)
	cookie := in.header.Get("Set-Cookie")
	require.Contains(t, cookie, "SameSite=Lax")
	require.Contains(t, cookie, "HttpOnly")
	with := func(r *http.Request) { r.Header.Set("Cookie", strings.Split(cookie, ";")[0]) }
	require.Equal(t, http.StatusOK, c.get("", "/zebra/", with).status)
	require.Contains(t, c.get("", "/", with, accept("text/html")).body, "Signed in as <bdi>alice")
	require.Contains(t, post(url.Values{"sign-out": {"yes"}}, with).header.Get("Set-Cookie"), "Max-Age=0")
	for range 12 {
		post(url.Values{"name": {"alice"}, "password": {"guess"}})
	}
	last := post(right)
	require.Equal(t, http.StatusSeeOther, last.status, "what was right is remembered")
	last = post(url.Values{"name": {"alice"}, "password": {"guess"}})
	require.Equal(t, http.StatusTooManyRequests, last.status)
	require.NotEmpty(t, last.header.Get("Retry-After"))
	c.setUsers("alice")
	require.Equal(t, http.StatusNotFound, c.get("", "/zebra/", with).status)
}

// TestLanesOutside: neither the local network, nor the DHT, nor other peers, nor the tracker's page are told of what is private.
func TestLanesOutside(t *testing.T) {
	c := newClub(t)
	h := c.torrentOf("alice").InfoHash
	open, err := metainfo.Parse([]byte(c.get("", "/open/readme.txt.torrent").body))
	require.NoError(t, err)

	local := c.srv.torrents.public()
	require.Contains(t, local, [20]byte(open.InfoHash))
	require.NotContains(t, local, [20]byte(h))
	for _, one := range c.srv.torrents.all() {
		require.NotEqual(t, one.private(), slices.Contains(local, [20]byte(one.infohash())))
	}
	if status := c.srv.dhtStatus(); status != nil {
		require.EqualValues(t, len(local), status.Published)
	}
	private := c.srv.torrents.find(h)
	c.srv.torrents.heardLocally(h, netip.MustParseAddrPort("192.0.2.1:6881"))
	c.srv.torrents.foundByDHT(h, netip.MustParseAddrPort("192.0.2.2:6881"), nil)
	require.Nil(t, private.awake.Load(), "nobody wakes it from outside")
	require.Empty(t, c.shake("127.0.0.1", h, "-XX0000-abcdefghijkl"))
	require.Nil(t, private.awake.Load())

	require.Contains(t, c.announce(c.torrentOf("alice").Announce, h), "5:peers")
	for _, form := range []string{"text/html", "application/json", "text/plain"} {
		for _, user := range []string{"", "bob"} {
			body := c.get(user, "/-/tracker", accept(form)).body
			require.NotContains(t, body, "zebra")
			require.NotContains(t, body, hex.EncodeToString(h[:]))
		}
	}
	table := c.srv.survey.make(time.Now())
	require.Zero(t, table.Total.Connections)
	require.Zero(t, table.Total.Addresses)
	require.NotContains(t, c.get("", "/scrape").body, string(h[:]), "a full scrape")
}

// TestPrivateServer: with Config.Private nobody sees anything who is no user; a directory can only let in fewer.
func TestPrivateServer(t *testing.T) {
	require.ErrorContains(t, (&Config{Dir: t.TempDir(), Private: true}).Check(), "users")
	c := &club{t: t, users: filepath.Join(t.TempDir(), "users")}
	c.setUsers("alice", "bob")
	var dir string
	c.srv, dir, _ = running(t, func(cfg *Config) { cfg.UsersFile, cfg.Private = c.users, true })
	c.url = strings.TrimSuffix(c.srv.URLs()[0], "/")
	staged := filepath.Join(t.TempDir(), "open")
	require.NoError(t, os.Mkdir(staged, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(staged, ".seedserver.toml"), []byte("access.public = true"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(staged, "f"), []byte("content"), 0o644))
	require.NoError(t, os.Rename(staged, filepath.Join(dir, "open")))
	require.Eventually(t, func() bool { return c.get("bob", "/open/f").status == http.StatusOK }, 10*time.Second, 20*time.Millisecond)
	torrent, err := metainfo.Parse([]byte(c.get("bob", "/open/f.torrent").body))
	require.NoError(t, err)
	require.True(t, torrent.Info.Private)
	require.Contains(t, c.announce(torrent.Announce, torrent.InfoHash), "5:peers")
	require.Contains(t, c.announce(c.url+"/announce", torrent.InfoHash), "failure")
	for _, path := range []string{"/", "/open/", "/open/f", "/open/f.torrent", "/-/search?q=f", "/-/feed.atom"} {
		got := c.get("", path)
		require.NotContains(t, got.body, hex.EncodeToString(torrent.InfoHash[:]), path)
		require.Equal(t, http.StatusNotFound, got.status, path)
	}
}
