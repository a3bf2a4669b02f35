package access

import (
	"crypto/hmac"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	cookieName  = "seedserver"
	sessionTime = 30 * 24 * time.Hour
	maxCookie   = 4096
)

var base64url = base64.RawURLEncoding

// Cookie returns the cookie that says that a browser is v, a user, for 30 days. secure says that it came by HTTPS. No script can
// read it, and other sites cannot make a browser send it along, but for a plain link (SameSite=Lax).
func (g *Guard) Cookie(now time.Time, v Viewer, secure bool) *http.Cookie {
	expires := strconv.FormatInt(now.Add(sessionTime).Unix(), 10)
	sum := g.sessionSum(now, v.user, expires)
	value := base64url.EncodeToString([]byte(v.user)) + "." + expires + "." + base64url.EncodeToString(sum)
	return &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: int(sessionTime / time.Second),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

// NoCookie returns the cookie that ends a session in the browser that gets it.
func NoCookie() *http.Cookie {
	return &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// session returns whose session a cookie's value is.
func (g *Guard) session(now time.Time, value string) Viewer {
	parts := strings.Split(value, ".")
	if len(value) > maxCookie || len(parts) != 3 {
		return Viewer{}
	}
	name, err := base64url.DecodeString(parts[0])
	if err != nil || len(name) == 0 {
		return Viewer{}
	}
	sum, err := base64url.DecodeString(parts[2])
	if err != nil || !hmac.Equal(sum, g.sessionSum(now, string(name), parts[1])) {
		return Viewer{}
	}
	expires, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || now.Unix() >= expires {
		return Viewer{}
	}
	if _, known := g.current(now).byName[string(name)]; !known {
		return Viewer{}
	}
	return User(string(name))
}

func (g *Guard) sessionSum(now time.Time, name, expires string) []byte {
	epoch := g.current(now).byName[name].epoch
	sum := keyed(g.cfg.Secret, []byte("session"), []byte(name), []byte(expires), epoch[:])
	return sum[:]
}
