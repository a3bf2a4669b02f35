package admin

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
)

// authOf returns a Config.Auth with the cheapest hash there is.
func authOf(t testing.TB, user, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(t, err)
	return user + ":" + string(hash)
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestCheckAuth(t *testing.T) {
	require.NoError(t, CheckAuth(authOf(t, "anna", "secret")))
	require.NoError(t, CheckAuth("anna:$2y$05$eCM5fbAJ/QKrEt5ZxPSBVeNpyi0g.RBZ1w.OQQ8TdBFkm59eFaCKe"), "as htpasswd writes it")
	for _, auth := range []string{"anna", ":", "anna:", "anna:secret", ":" + authOf(t, "", "x")[1:], "anna:$2a$05$short", "anna:{SHA}abc="} {
		require.Error(t, CheckAuth(auth), auth)
	}
	_, err := New(Config{Source: newMemory(), Auth: "anna:secret"})
	require.Error(t, err)
}

func TestAuth(t *testing.T) {
	h := newHandler(t, newMemory(), func(c *Config) { c.Auth, c.Token = authOf(t, "anna", "secret"), "0123456789" })
	for _, tt := range []struct {
		name, header string
		want         int
	}{
		{"nothing", "", 401},
		{"the right pair", basic("anna", "secret"), 200},
		{"the right pair again", basic("anna", "secret"), 200},
		{"a token, whatever the user", basic("local", "0123456789"), 200},
		{"wrong password", basic("anna", "Secret"), 401},
		{"wrong user", basic("bert", "secret"), 401},
		{"the pair cut at another place", basic("ann", "asecret"), 401},
		{"a part of the token", basic("local", "012345678"), 401},
		{"no password, the sixth try", basic("anna", ""), 429},
		{"garbage", "Basic !!!", 401},
		{"another scheme", "Bearer 0123456789", 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := get(h, "/api/v1/status", "Authorization", tt.header)
			require.Equal(t, tt.want, w.Code)
			require.Equal(t, tt.want == 401, w.Header().Get("WWW-Authenticate") != "")
			if tt.want != 200 {
				require.NotContains(t, w.Body.String(), "iso")
			}
		})
	}
	require.Equal(t, http.StatusOK, get(h, "/healthz").Code, "a probe has no password")
	require.Equal(t, http.StatusOK, get(h, "/readyz").Code)
	require.Equal(t, http.StatusUnauthorized, get(h, "/static/"+static.Hash()+"/style.css").Code)
	require.Equal(t, http.StatusUnauthorized, ask(h, http.MethodPost, "/").Code)
}

// TestNoToken: without a password to be given, a token opens nothing and nothing is asked for; without a token, an empty password is
// no token.
func TestNoToken(t *testing.T) {
	open := newHandler(t, newMemory(), func(c *Config) { c.Token = "0123456789" })
	require.Equal(t, http.StatusOK, get(open, "/").Code)
	closed := newHandler(t, newMemory(), func(c *Config) { c.Auth = authOf(t, "anna", "secret") })
	require.Equal(t, http.StatusUnauthorized, get(closed, "/", "Authorization", basic("anna", "")).Code)
}

// TestGuessing: an address has five tries, then one in ten seconds; the right password helps it no more then, but those who are in
// stay in.
func TestGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, newMemory(), func(c *Config) { c.Auth = authOf(t, "anna", "secret") })
		try := func(from, password string) int {
			return get(h, "/", "Authorization", basic("anna", password), "From", from).Code
		}
		bucket := func(from string) any { return h.door.bucket(&http.Request{RemoteAddr: from}) }
		const stranger = "192.0.2.1:1000"
		network := 0 // another bucket than the stranger's: there are not many
		for ; bucket(fmt.Sprintf("[2001:db8:1:%x::1]:1", network)) == bucket(stranger); network++ {
		}
		neighbour := fmt.Sprintf("[2001:db8:1:%x::1]:1000", network)
		for range tries {
			require.Equal(t, http.StatusUnauthorized, try(stranger, "guess"))
		}
		require.Equal(t, http.StatusTooManyRequests, try(stranger, "guess"))
		require.Equal(t, http.StatusTooManyRequests, try(stranger, "secret"))
		time.Sleep(tryAgain)
		require.Equal(t, http.StatusOK, try(stranger, "secret"))
		for range tries {
			require.Equal(t, http.StatusOK, try(stranger, "secret"), "what is known to be right costs no try")
		}
		require.Equal(t, http.StatusTooManyRequests, try(stranger, "guess"))

		for range tries {
			require.Equal(t, http.StatusUnauthorized, try(neighbour, "guess"))
		}
		require.Equal(t, http.StatusTooManyRequests, try(fmt.Sprintf("[2001:db8:1:%x:3:4:5:6]:9", network), "guess"), "a /64 is one address")
	})
}

// TestGuessesAreLogged with an address that a handler of logs can shorten: a text it would take as it is.
func TestGuessesAreLogged(t *testing.T) {
	var log records
	h := newHandler(t, newMemory(), func(c *Config) { c.Auth, c.Logger = authOf(t, "anna", "secret"), slog.New(&log) })
	require.Equal(t, http.StatusUnauthorized, get(h, "/", "Authorization", basic("anna", "guess"), "From", "192.0.2.1:1000").Code)
	require.Len(t, log, 1)
	log[0].Attrs(func(a slog.Attr) bool {
		require.Equal(t, "addr", a.Key)
		require.Equal(t, netip.MustParseAddrPort("192.0.2.1:1000"), a.Value.Any())
		return true
	})
}

// records keeps what is logged.
type records []slog.Record

func (*records) Enabled(context.Context, slog.Level) bool { return true }
func (rs *records) Handle(_ context.Context, r slog.Record) error {
	*rs = append(*rs, r)
	return nil
}
func (rs *records) WithAttrs([]slog.Attr) slog.Handler { return rs }
func (rs *records) WithGroup(string) slog.Handler      { return rs }

// TestLongPasswords are not even looked at.
func TestLongPasswords(t *testing.T) {
	h := newHandler(t, newMemory(), func(c *Config) { c.Auth = authOf(t, "anna", "secret") })
	for range 2 * tries {
		require.Equal(t, http.StatusUnauthorized, get(h, "/", "Authorization", basic("anna", string(make([]byte, passwordSize)))).Code)
	}
}
