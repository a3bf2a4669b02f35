package seedserver

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/seedserver/bittorrent/seedserver/ledger"
	"github.com/seedserver/bittorrent/seedserver/web/admin"
)

// TestCheckAdmin: what strangers could reach needs a password, and what cannot work is refused before anything starts.
func TestCheckAdmin(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	require.NoError(t, err)
	auth := "anna:" + string(hash)
	for _, tt := range []struct {
		admin, auth, want string
	}{
		{"", "", ""}, {"off", "", ""}, {"127.0.0.1:8081", "", ""}, {"127.9.9.9:0", "", ""}, {"[::1]:8081", "", ""}, {"localhost:8081", "", ""},
		{"[::ffff:127.0.0.1]:8081", "", ""},
		{":8081", "", "admin-auth"}, {"0.0.0.0:8081", "", "admin-auth"}, {"[::]:8081", "", "admin-auth"}, {"192.0.2.1:8081", "", "admin-auth"},
		{"status.example.org:8081", "", "admin-auth"}, {"localhost.example.org:8081", "", "admin-auth"},
		{":8081", auth, ""}, {"192.0.2.1:8081", auth, ""}, {"127.0.0.1:8081", auth, ""},
		{"127.0.0.1", "", "HOST:PORT"}, {"8081", "", "HOST:PORT"}, {"127.0.0.1:http", "", "port"}, {"127.0.0.1:65536", "", "port"},
		{"127.0.0.1:8081", "anna:secret", "bcrypt"}, {"off", "anna", "bcrypt"},
	} {
		cfg := Config{Dir: "files", Admin: tt.admin, AdminAuth: tt.auth}
		if tt.want == "" {
			require.NoError(t, cfg.Check(), "%v", tt)
		} else {
			require.ErrorContains(t, cfg.Check(), tt.want, "%v", tt)
		}
	}
}

// adminFileOf reads the file that says where the status pages of srv are, "" if there is none.
func adminFileOf(t *testing.T, srv *Server) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(srv.StateDir(), adminFile))
	if err != nil {
		require.ErrorIs(t, err, os.ErrNotExist)
	}
	return string(b)
}

// TestAdminFile: commands find the status pages through a file that only our user may read and that goes with the server.
func TestAdminFile(t *testing.T) {
	srv, _, end := running(t, func(c *Config) { c.Admin = "127.0.0.1:0" })
	require.Equal(t, srv.AdminURL()+"\n", adminFileOf(t, srv))
	info, err := os.Stat(filepath.Join(srv.StateDir(), adminFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	found, err := FindAdmin(srv.StateDir())
	require.NoError(t, err)
	require.Equal(t, srv.AdminURL(), found)
	require.Equal(t, "ok\n", fetch(t, found+"healthz", http.StatusOK))
	require.NoError(t, end())
	require.Empty(t, adminFileOf(t, srv))
	_, err = FindAdmin(srv.StateDir())
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestAdminOff: without status pages nothing is opened, and what an ended process left behind is gone.
func TestAdminOff(t *testing.T) {
	srv, _, _ := running(t, func(c *Config) {
		c.Admin = AdminOff
		require.NoError(t, os.MkdirAll(c.State, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(c.State, adminFile), []byte("http://127.0.0.1:1/\n"), 0o644))
	})
	require.Empty(t, srv.AdminURL())
	require.Empty(t, adminFileOf(t, srv))
}

// TestAdminPassword: where a password is asked for, the file holds one of its own, so that commands of our user need none.
func TestAdminPassword(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	require.NoError(t, err)
	srv, _, _ := running(t, func(c *Config) { c.Admin, c.AdminAuth = "0.0.0.0:0", "anna:"+string(hash) })
	fetch(t, srv.AdminURL()+"api/v1/status", http.StatusUnauthorized)
	found, err := FindAdmin(srv.StateDir())
	require.NoError(t, err)
	require.Contains(t, fetch(t, found+"api/v1/status", http.StatusOK), `"torrents"`)
	u, err := url.Parse(found)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", u.Hostname())
	u.User = url.UserPassword("anna", "secret")
	fetch(t, u.String(), http.StatusOK)
}

// fetch gets a URL and checks the status.
func fetch(t *testing.T, url string, want int) string {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, want, resp.StatusCode, "%s", body)
	return string(body)
}

// TestAdminPortTaken: an address that was asked for must be there; the usual one may be another server's, and files are served
// without status pages rather than not at all.
func TestAdminPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	addr := taken.Addr().String()

	cfg := Config{Dir: t.TempDir(), State: t.TempDir(), HTTP: HTTPOff, Peer: "127.0.0.1:0", Admin: addr, AdminExact: true}
	srv, err := New(cfg)
	require.NoError(t, err)
	require.ErrorContains(t, srv.Listen(t.Context()), "--admin")
	require.NoError(t, srv.Close())

	// The port is above the last that is tried instead.
	srv, _, _ = running(t, func(c *Config) { c.Admin = addr })
	require.Empty(t, srv.AdminURL())
	require.Equal(t, http.StatusOK, status(t, srv, ""))
}

// TestAdminNextPort: the next free port is taken, and commands find it.
func TestAdminNextPort(t *testing.T) {
	var held []net.Listener
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere 127.0.0.1 is the only address of its network")
	}
	host := "127.77.0.1" // where nobody else is
	for port := 8081; port < 8083; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", host, port))
		require.NoError(t, err)
		held = append(held, l)
	}
	srv, _, _ := running(t, func(c *Config) { c.Admin = host + ":8081" })
	require.Equal(t, "http://"+host+":8083/", srv.AdminURL())
	require.Equal(t, srv.AdminURL()+"\n", adminFileOf(t, srv))
}

// TestStatusOfServer: what the pages say of a file that is published and was sent by HTTP.
func TestStatusOfServer(t *testing.T) {
	srv, dir, _ := running(t, func(c *Config) { c.Admin, c.Large = "127.0.0.1:0", LargePlain })
	content := strings.Repeat("content ", 1<<18)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.bin"), []byte(content), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.bin"), []byte("b"), 0o644))
	for _, name := range []string{"a.bin", "b.bin"} {
		require.Eventually(t, func() bool { return status(t, srv, name+".torrent") == http.StatusOK }, 10*time.Second, 20*time.Millisecond)
	}
	require.Equal(t, content, fetch(t, srv.URLs()[0]+"a.bin", http.StatusOK))
	// What is sent is counted when it has been written: the client may have it before.
	require.Eventually(t, func() bool { return srv.store.meters.all() == int64(len(content)) }, 10*time.Second, time.Millisecond)
	require.NoError(t, srv.ledger.Flush(t.Context()))

	source := newStatusSource(srv)
	now := source.Status()
	require.True(t, now.Ready)
	require.Equal(t, len(content), int(now.Sent))
	require.Positive(t, now.Rate)
	require.Len(t, now.Torrents, 2)
	a, b := now.Torrents[0], now.Torrents[1]
	require.Equal(t, []any{"a.bin", int64(len(content)), "waiting", int64(len(content))}, []any{a.Path, a.Size, a.Stage, a.Sent})
	require.Equal(t, []any{"b.bin", int64(1), int64(0)}, []any{b.Path, b.Size, b.Sent})

	sums, err := source.Sums(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, len(content), sums.All.Today)
	require.EqualValues(t, len(content), sums.Entries[a.Entry].Total)
	require.Zero(t, sums.Entries[b.Entry])

	detail, ok := source.Torrent(a.InfoHash)
	require.True(t, ok)
	require.NotEmpty(t, detail.Why)
	require.Len(t, detail.Availability, srv.torrents.find(a.InfoHash).version.Load().NumPieces())
	for path, want := range map[string]string{
		"": "a.bin", "torrent/" + a.InfoHash.String(): "Why at this rate?", "ledger": "a.bin", "ledger.csv": "a.bin",
		"api/v1/status": `"path":"b.bin"`, "metrics": "seedserver_sent_bytes_total 2.097152e+06", "readyz": "ok",
	} {
		require.Contains(t, fetch(t, srv.AdminURL()+path, http.StatusOK), want, path)
	}
}

// TestCopies: whole copies, and the part of the next that is there.
func TestCopies(t *testing.T) {
	require.Zero(t, copies(nil))
	require.Zero(t, copies([]uint32{0, 0}))
	require.InDelta(t, .5, copies([]uint32{0, 7}), 0)
	require.InDelta(t, 2.75, copies([]uint32{2, 3, 3, 9}), 0)
}

// TestMeters: what goes by HTTP is counted and its rate is forgotten within seconds.
func TestMeters(t *testing.T) {
	var m meters
	now := time.Now()
	for range 60 {
		now = now.Add(100 * time.Millisecond)
		m.add(now, 1, ledger.ClassHTTP, 1000)
	}
	m.add(now, 1, ledger.ClassPlain, 5)
	sent, rate := m.byHTTP(now, 1)
	require.EqualValues(t, 60_000, sent)
	require.InDelta(t, 7000, rate, 700, "two thirds after five seconds")
	require.EqualValues(t, 60_005, m.all())
	_, rate = m.byHTTP(now.Add(time.Minute), 1)
	require.Zero(t, rate)
	sent, _ = m.byHTTP(now, 2)
	require.Zero(t, sent)
}

// TestAccountsBeforeTheFirst: a span that ended before anything was counted has nothing in it, that of the day 0 neither.
func TestAccountsBeforeTheFirst(t *testing.T) {
	srv, _, _ := running(t, nil)
	srv.ledger.AddBytes(time.Now(), 0, ledger.ClassPlain, 1)
	require.NoError(t, srv.ledger.Flush(t.Context()))
	for _, span := range []admin.Span{admin.Day, admin.Month} {
		for _, day := range []time.Time{time.Unix(0, 0), time.Unix(0, 0).AddDate(0, -1, 0), time.Unix(0, 0).AddDate(0, 1, 0)} {
			accounts, err := newStatusSource(srv).Accounts(t.Context(), admin.Query{Span: span, First: day, Last: day})
			require.NoError(t, err)
			require.Empty(t, accounts, "%v %v", span, day)
		}
	}
}
