package access

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
	"pgregory.net/rapid"
)

const longKey = "correct-horse-battery-staple"

var (
	start  = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	client = netip.MustParseAddr("192.0.2.7")
	hash1  = [20]byte{1}
	hash2  = [20]byte{2}
)

func hashOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return keyPrefix + hex.EncodeToString(sum[:])
}

func parseText(t testing.TB, text string) (Rule, error) {
	var doc map[string]any
	require.NoError(t, toml.Unmarshal([]byte(text), &doc))
	return Parse(doc["access"])
}

func TestRules(t *testing.T) {
	alice, bob, key := User("alice"), User("bob"), Bearer(longKey)
	for _, tt := range []struct {
		name, outer, inner   string
		want                 []Viewer // of anybody, alice, bob, key
		private, keptFromAll bool
	}{
		{"nothing said", "", "", []Viewer{{}, alice, bob, key}, false, false},
		{"public", "access.public = true", "", []Viewer{{}, alice, bob, key}, false, false},
		{"any user", "access.public = false", "", []Viewer{alice, bob}, true, false},
		{"one user", `access.users = ["alice"]`, "", []Viewer{alice}, true, false},
		{"a key", `access.keys = ["` + hashOf(longKey) + `"]`, "", []Viewer{key}, true, false},
		{"both", "[access]\nusers = [\"bob\"]\nkeys = [\"" + hashOf(longKey) + "\"]", "", []Viewer{bob, key}, true, false},
		{"nobody", `access.users = []`, "", nil, true, false},
		{"closed", `access = false`, "", nil, true, true},
		{"a child narrows", `access.public = false`, `access.users = ["bob"]`, []Viewer{bob}, true, false},
		{"a child does not widen", `access.users = ["bob"]`, `access.public = true`, []Viewer{bob}, true, false},
		{"a child names another", `access.users = ["bob"]`, `access.users = ["alice"]`, nil, true, false},
		{"unlisted", "access.listed = false", "", []Viewer{{}, alice, bob, key}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var rules Rules
			for _, text := range []string{tt.outer, tt.inner} {
				if text != "" {
					r, err := parseText(t, text)
					require.NoError(t, err)
					rules = append(rules, r)
				}
			}
			var got []Viewer
			for _, v := range []Viewer{{}, alice, bob, key} {
				if rules.Allow(v) {
					got = append(got, v)
				}
			}
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.private, rules.Private())
			require.Equal(t, tt.keptFromAll, rules.Unlisted())
		})
	}
}

// TestParseRefuses: what cannot be understood lets nobody in.
func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`access = true`:                                           "neither a table nor false",
		`access = "alice"`:                                        "neither a table nor false",
		`access.user = ["alice"]`:                                 "user is not known",
		`access.users = "alice"`:                                  "not a list",
		`access.users = [1]`:                                      "not a list of strings",
		`access.users = [""]`:                                     "cannot be a user's name",
		`access.users = ["a:b"]`:                                  "cannot be a user's name",
		`access.keys = ["secret"]`:                                "sha256:",
		`access.keys = ["sha256:00"]`:                             "sha256:",
		`access.public = 1`:                                       "neither true nor false",
		"[access]\npublic = true\nusers = [\"alice\"]":            "exclude each other",
		"[access]\nlisted = \"no\"\nusers = [\"alice\"]":          "neither true nor false",
		`access.users = [` + strings.Repeat(`"a",`, 10_001) + `]`: "more than",
	} {
		r, err := parseText(t, text)
		require.ErrorContains(t, err, want)
		require.Equal(t, Closed, r)
		require.False(t, Rules{r}.Allow(User("alice")))
	}
}

// TestNarrowOnly: whatever a child says, it lets in no one whom its parent does not.
func TestNarrowOnly(t *testing.T) {
	viewers := []Viewer{{}, User("a"), User("b"), Bearer(longKey), Bearer(longKey + "2")}
	rule := rapid.Custom(func(t *rapid.T) Rule {
		return Rule{
			Unlisted: rapid.Bool().Draw(t, "unlisted"), Private: rapid.Bool().Draw(t, "private"), Users: rapid.Bool().Draw(t, "users"),
			Viewers: rapid.SliceOf(rapid.SampledFrom(viewers)).Draw(t, "viewers"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		parents := Rules(rapid.SliceOf(rule).Draw(t, "parents"))
		all := append(append(Rules{}, parents...), rule.Draw(t, "child"))
		for _, v := range viewers {
			require.True(t, parents.Allow(v) || !all.Allow(v))
		}
		require.True(t, all.Private() || all.Allow(Viewer{}))
	})
}

// passwords writes an htpasswd file with a password for each name.
func passwords(t testing.TB, lines ...string) string {
	path := filepath.Join(t.TempDir(), "users")
	writePasswords(t, path, lines...)
	return path
}

func writePasswords(t testing.TB, path string, lines ...string) {
	var text strings.Builder
	for _, line := range lines {
		name, password, _ := strings.Cut(line, ":")
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		require.NoError(t, err)
		fmt.Fprintf(&text, "%s:%s\n", name, hash)
	}
	require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o600))
}

func newGuard(t testing.TB, lines ...string) *Guard {
	g, err := New(Config{Secret: make([]byte, 32), UsersFile: passwords(t, lines...)})
	require.NoError(t, err)
	return g
}

func TestSignIn(t *testing.T) {
	g := newGuard(t, "alice:wonder", "bob:builder")
	signIn := func(name, password string) Viewer {
		v, wait := g.SignIn(context.Background(), start, client, name, password)
		require.Zero(t, wait)
		return v
	}
	require.Equal(t, User("alice"), signIn("alice", "wonder"))
	require.Len(t, g.verified, 1)
	require.Equal(t, User("alice"), signIn("alice", "wonder"), "from the cache")
	require.True(t, signIn("alice", "builder").Anybody())
	require.True(t, signIn("carol", "wonder").Anybody())
	require.True(t, signIn("", "").Anybody())
	require.True(t, signIn("alice", strings.Repeat("w", 2000)).Anybody())

	// A new password ends the old one, in the cache too.
	writePasswords(t, g.cfg.UsersFile, "alice:other")
	require.NoError(t, g.Reload())
	require.True(t, signIn("alice", "wonder").Anybody())
	require.Equal(t, User("alice"), signIn("alice", "other"))
	require.True(t, signIn("bob", "builder").Anybody())
}

// TestGuessing: after ten wrong passwords an address waits; others do not, nor does who is known to be right.
func TestGuessing(t *testing.T) {
	g := newGuard(t, "alice:wonder")
	try := func(now time.Time, addr netip.Addr, password string) (bool, time.Duration) {
		v, wait := g.SignIn(context.Background(), now, addr, "alice", password)
		return !v.Anybody(), wait
	}
	in, _ := try(start, client, "wonder")
	require.True(t, in)
	for range maxFailures {
		_, wait := try(start, client, "wrong")
		require.Zero(t, wait)
	}
	_, wait := try(start, client, "wrong")
	require.Equal(t, failureFades, wait)
	in, _ = try(start, client, "wonder")
	require.True(t, in, "what was verified is let in without a look at the count")
	_, wait = try(start, netip.MustParseAddr("192.0.2.8"), "wrong")
	require.Zero(t, wait)
	_, wait = try(start.Add(failureFades), client, "wrong")
	require.Zero(t, wait)

	six := netip.MustParseAddr("2001:db8::1")
	for range maxFailures {
		try(start, six, "wrong")
	}
	_, wait = try(start, netip.MustParseAddr("2001:db8::2"), "wrong")
	require.NotZero(t, wait, "a /64 is one address")
}

func TestFailuresAreBounded(t *testing.T) {
	var f failures
	for i := range 3 * maxStrangers {
		addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		require.Zero(t, f.begin(start, addr))
	}
	require.LessOrEqual(t, len(f.since), maxStrangers)
}

func TestUsersFile(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("p"), bcrypt.MinCost)
	require.NoError(t, err)
	for text, want := range map[string]string{
		"alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n": "line 1 has no bcrypt hash",
		"# users\n\nalice\n":                        "line 3 has no bcrypt hash",
		":" + string(hash):                          "line 1 has no name",
		"a:" + string(hash) + "\na:" + string(hash): "line 2 has a name that another line has",
		"a:$2y$31$" + strings.Repeat("a", 53):       "cost of 31",
	} {
		_, err := readUsers(strings.NewReader(text))
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "W6ph5")
	}
	us, err := readUsers(strings.NewReader("a:" + string(hash) + ":2\n"))
	require.NoError(t, err)
	require.Equal(t, hash, us.byName["a"].hash)

	path := passwords(t, "alice:p")
	require.NoError(t, os.Chmod(path, 0o666))
	_, err = New(Config{UsersFile: path})
	require.ErrorContains(t, err, "chmod")
}

func request(t *testing.T, change func(r *http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/private/f", nil)
	change(r)
	return r
}

func TestIdentify(t *testing.T) {
	g := newGuard(t, "alice:wonder", "bob:builder")
	cookie := g.Cookie(start, User("alice"), true)
	require.True(t, cookie.HttpOnly && cookie.Secure && cookie.SameSite == http.SameSiteLaxMode)
	for _, tt := range []struct {
		name   string
		at     time.Time
		change func(r *http.Request)
		want   Viewer
	}{
		{"nothing", start, func(*http.Request) {}, Viewer{}},
		{"password", start, func(r *http.Request) { r.SetBasicAuth("alice", "wonder") }, User("alice")},
		{"wrong password", start, func(r *http.Request) { r.SetBasicAuth("alice", "builder") }, Viewer{}},
		{"bearer", start, func(r *http.Request) { r.Header.Set("Authorization", "bearer "+longKey) }, Bearer(longKey)},
		{"short bearer", start, func(r *http.Request) { r.Header.Set("Authorization", "Bearer short") }, Viewer{}},
		{"digest", start, func(r *http.Request) { r.Header.Set("Authorization", "Digest x") }, Viewer{}},
		{"cookie", start, func(r *http.Request) { r.AddCookie(cookie) }, User("alice")},
		{"old cookie", start.Add(sessionTime), func(r *http.Request) { r.AddCookie(cookie) }, Viewer{}},
		{"cookie of another name", start, func(r *http.Request) {
			_, rest, _ := strings.Cut(cookie.Value, ".")
			r.AddCookie(&http.Cookie{Name: cookieName, Value: base64url.EncodeToString([]byte("bob")) + "." + rest})
		}, Viewer{}},
		{"cookie that lasts longer", start, func(r *http.Request) {
			parts := strings.Split(cookie.Value, ".")
			r.AddCookie(&http.Cookie{Name: cookieName, Value: parts[0] + ".9999999999." + parts[2]})
		}, Viewer{}},
		{"junk cookie", start, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: cookieName, Value: "a.b"}) }, Viewer{}},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, g.Identify(tt.at, request(t, tt.change), client)) })
	}
	writePasswords(t, g.cfg.UsersFile, "alice:new", "bob:builder")
	require.NoError(t, g.Reload())
	require.True(t, g.Identify(start, request(t, func(r *http.Request) { r.AddCookie(cookie) }), client).Anybody())
}

func TestAnnounceKeys(t *testing.T) {
	g := newGuard(t, "alice:wonder", "bob:builder")
	g.Know(Rule{Viewers: []Viewer{Bearer(longKey)}})
	key := g.AnnounceKey(start, User("alice"), hash1)
	require.Len(t, key, 32)
	require.NotContains(t, key, "alice")
	opens := func(key string, h [20]byte) Viewer {
		v, ok := g.Announcer(start, key, h)
		require.Equal(t, ok, !v.Anybody())
		return v
	}
	require.Equal(t, User("alice"), opens(key, hash1))
	require.True(t, opens(key, hash2).Anybody(), "a key is for one torrent")
	require.True(t, opens("", hash1).Anybody())
	require.True(t, opens(key[:31], hash1).Anybody())
	require.True(t, opens(strings.Repeat("A", 32), hash1).Anybody())
	require.Equal(t, Bearer(longKey), opens(g.AnnounceKey(start, Bearer(longKey), hash2), hash2))
	swapped := g.AnnounceKey(start, User("bob"), hash1)[:11] + key[11:]
	require.True(t, opens(swapped, hash1).Anybody())

	// The same process after a restart, and one with another secret.
	again, err := New(g.cfg)
	require.NoError(t, err)
	v, _ := again.Announcer(start, key, hash1)
	require.Equal(t, User("alice"), v)
	other := g.cfg
	other.Secret = []byte("another secret of thirty-two byte")
	foreign, err := New(other)
	require.NoError(t, err)
	_, ok := foreign.Announcer(start, key, hash1)
	require.False(t, ok)

	// A new epoch, and no such user any more.
	b, err := os.ReadFile(g.cfg.UsersFile)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(g.cfg.UsersFile, []byte(strings.Replace(string(b), "\nbob", ":2\nbob", 1)), 0o600))
	require.NoError(t, g.Reload())
	require.True(t, opens(key, hash1).Anybody())
	renewed := g.AnnounceKey(start, User("alice"), hash1)
	require.Equal(t, User("alice"), opens(renewed, hash1))
	writePasswords(t, g.cfg.UsersFile, "bob:builder")
	require.NoError(t, g.Reload())
	require.True(t, opens(renewed, hash1).Anybody())
}

// TestUsersAreReadAgain: a change of the file counts within seconds, without a signal; one that cannot be read changes nothing.
func TestUsersAreReadAgain(t *testing.T) {
	g := newGuard(t, "alice:wonder")
	in := func(after time.Duration, password string) bool {
		v, _ := g.SignIn(context.Background(), start.Add(after), client, "alice", password)
		return !v.Anybody()
	}
	require.True(t, in(0, "wonder"))
	writePasswords(t, g.cfg.UsersFile, "alice:another password")
	require.NoError(t, os.Chtimes(g.cfg.UsersFile, start, start))
	require.True(t, in(lookEvery, "another password"))
	require.NoError(t, os.WriteFile(g.cfg.UsersFile, []byte("junk"), 0o600))
	require.True(t, in(2*lookEvery, "another password"))
}

func TestAdmissions(t *testing.T) {
	var a Admissions
	const last = time.Hour
	peer, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	id := [20]byte{'p'}
	a.Add(start, hash1, peer, id, "key", last)
	check := func(now time.Time, h [20]byte, addr netip.Addr, id [20]byte, byAddr, byID string) {
		t.Helper()
		gotAddr, gotID := a.Key(now, h, addr, id)
		require.Equal(t, [2]string{byAddr, byID}, [2]string{gotAddr, gotID})
	}
	check(start, hash1, peer, id, "key", "key")
	check(start, hash1, other, id, "", "key")
	check(start, hash1, peer, [20]byte{}, "key", "")
	check(start, hash1, other, [20]byte{}, "", "")
	check(start, hash2, peer, id, "", "")
	check(start.Add(last), hash1, peer, id, "", "")
	require.True(t, a.Any(hash1))
	require.False(t, a.Any(hash2))
	a.Expire(start.Add(last))
	require.Empty(t, a.all)

	for i := range 2 * maxAdmitted {
		a.Add(start, hash1, netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), [20]byte{}, fmt.Sprint("key ", i%10), last)
	}
	require.Less(t, len(a.all[hash1]), maxAdmitted)
}

// TestAdmissionsOfOneKey: whoever announces with one key under ever new names leaves room for others, and what it had is forgotten.
func TestAdmissionsOfOneKey(t *testing.T) {
	var a Admissions
	const last = time.Hour
	peer, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	a.Add(start, hash1, peer, [20]byte{1}, "one", last)
	for i := range 2 * maxAdmitted {
		a.Add(start, hash1, other, [20]byte{2, byte(i >> 16), byte(i >> 8), byte(i)}, "many", last)
	}
	a.Add(start.Add(last/2), hash1, peer, [20]byte{1}, "one", last)
	a.Add(start.Add(last/2), hash1, other, [20]byte{2}, "many", last)
	a.Expire(start.Add(last))
	byAddr, byID := a.Key(start.Add(last), hash1, peer, [20]byte{1})
	require.Equal(t, []string{"one", "one"}, []string{byAddr, byID})
	byAddr, byID = a.Key(start.Add(last), hash1, other, [20]byte{2})
	require.Equal(t, []string{"many", "many"}, []string{byAddr, byID}, "what is known already is known for longer")
	a.Add(start.Add(last), hash1, other, [20]byte{3}, "many", last)
	_, byID = a.Key(start.Add(last), hash1, other, [20]byte{3})
	require.Equal(t, "many", byID)
}

// FuzzKeys: nothing made up opens anything.
func FuzzKeys(f *testing.F) {
	g := newGuard(f, "alice:wonder")
	right := g.AnnounceKey(start, User("alice"), hash1)
	cookie := g.Cookie(start, User("alice"), false).Value
	f.Add(right)
	f.Add(cookie)
	f.Add("a.b.c")
	f.Add(strings.Repeat("A", 32))
	f.Add("AAAAAA" + strings.Repeat("\n", 26))
	f.Fuzz(func(t *testing.T, s string) {
		if _, ok := g.Announcer(start, s, hash1); ok {
			a, err := base64url.DecodeString(s)
			require.NoError(t, err)
			b, _ := base64url.DecodeString(right)
			require.Equal(t, b, a)
		}
		if v := g.session(start, s); !v.Anybody() {
			require.Equal(t, User("alice"), v)
			require.Equal(t, strings.Count(cookie, "."), strings.Count(s, "."))
		}
	})
}

// FuzzUsers: any file is read or refused.
func FuzzUsers(f *testing.F) {
	f.Add("alice:$2y$05$" + strings.Repeat("a", 53))
	f.Add("# x\n\n:")
	f.Fuzz(func(t *testing.T, text string) {
		us, err := readUsers(strings.NewReader(text))
		if err == nil && len(us.byName) > 0 {
			require.NotNil(t, us.decoy)
		}
	})
}

// BenchmarkAnnouncer is what a private torrent costs an announce.
func BenchmarkAnnouncer(b *testing.B) {
	g := newGuard(b, "alice:wonder")
	key := g.AnnounceKey(start, User("alice"), hash1)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := g.Announcer(start, key, hash1); !ok {
			b.Fatal("not let in")
		}
	}
}

// BenchmarkSignIn is what a password costs a request once it was right.
func BenchmarkSignIn(b *testing.B) {
	g := newGuard(b, "alice:wonder")
	b.ReportAllocs()
	for b.Loop() {
		if v, _ := g.SignIn(b.Context(), start, client, "alice", "wonder"); v.Anybody() {
			b.Fatal("not let in")
		}
	}
}
