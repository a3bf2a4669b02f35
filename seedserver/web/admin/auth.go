package admin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"hash/maphash"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/time/rate"
)

// CheckAuth reports what is wrong with a Config.Auth, in words that say what to write.
func CheckAuth(auth string) error {
	_, _, err := parseAuth(auth)
	return err
}

func parseAuth(auth string) (user string, hash []byte, err error) {
	user, text, ok := strings.Cut(auth, ":")
	if !ok || user == "" {
		return "", nil, errors.New("give USER:HASH, with the bcrypt hash that htpasswd -nB USER prints")
	}
	if _, err := bcrypt.Cost([]byte(text)); err != nil {
		return "", nil, errors.New("what follows the user is no bcrypt hash; htpasswd -nB USER prints one")
	}
	return user, []byte(text), nil
}

// Passwords that are wrong: an address may try so many in a row, then one more after each pause. Addresses share a few buckets,
// so that a stranger with many of them neither fills our memory nor buys our time: bcrypt is slow on purpose.
const (
	tries        = 5
	tryAgain     = 10 * time.Second
	tryBuckets   = 64
	realm        = `Basic realm="seedserver", charset="UTF-8"`
	passwordSize = 1 << 10 // bytes of a user and a password, at most
)

// door lets in who knows the password.
type door struct {
	user, token string
	hash        []byte
	key         [32]byte // of the digests: of this process only
	seed        maphash.Seed
	known       atomic.Pointer[[32]byte] // digest of the last pair that bcrypt found right
	buckets     [tryBuckets]*rate.Limiter
	slow        sync.Mutex // one bcrypt at a time
}

func newDoor(auth, token string) (*door, error) {
	user, hash, err := parseAuth(auth)
	if err != nil {
		return nil, err
	}
	d := &door{user: user, token: token, hash: hash, seed: maphash.MakeSeed()}
	rand.Read(d.key[:])
	for i := range d.buckets {
		d.buckets[i] = rate.NewLimiter(rate.Every(tryAgain), tries)
	}
	return d, nil
}

// enter reports whether x may come in, and answers if it may not.
func (d *door) enter(x *exchange) bool {
	if d == nil {
		return true
	}
	user, password, ok := x.r.BasicAuth()
	switch {
	case ok && len(user)+len(password) <= passwordSize && d.remembers(user, password):
		return true
	case ok && len(user)+len(password) <= passwordSize:
		if !d.bucket(x.r).AllowN(x.now, 1) {
			x.w.Header().Set("Retry-After", "10")
			x.text(http.StatusTooManyRequests, "Too many wrong passwords: wait ten seconds.\n")
			return false
		}
		if d.right(user, password) {
			return true
		}
		from, _ := netip.ParseAddrPort(x.r.RemoteAddr) // as an address, of which logs may hold a part only
		x.log.Warn("a wrong password for the status pages", "addr", from)
	}
	x.w.Header().Set("WWW-Authenticate", realm)
	x.text(http.StatusUnauthorized, "A user and a password are needed here.\n")
	return false
}

// remembers reports whether a pair is known to be right. It takes the same time for all pairs of a length.
func (d *door) remembers(user, password string) bool {
	digest := d.digest(user, password)
	yes := 0
	if known := d.known.Load(); known != nil {
		yes |= subtle.ConstantTimeCompare(known[:], digest[:])
	}
	if d.token != "" {
		want, got := d.digest("", d.token), d.digest("", password)
		yes |= subtle.ConstantTimeCompare(want[:], got[:])
	}
	return yes == 1
}

// right asks bcrypt, whatever the user, and remembers what is right.
func (d *door) right(user, password string) bool {
	d.slow.Lock()
	defer d.slow.Unlock()
	if d.remembers(user, password) { // somebody else has just asked
		return true
	}
	wantUser, gotUser := d.digest(d.user, ""), d.digest(user, "")
	ok := bcrypt.CompareHashAndPassword(d.hash, []byte(password)) == nil
	if subtle.ConstantTimeCompare(wantUser[:], gotUser[:]) != 1 || !ok {
		return false
	}
	digest := d.digest(user, password)
	d.known.Store(&digest)
	return true
}

func (d *door) digest(user, password string) (sum [32]byte) {
	m := hmac.New(sha256.New, d.key[:])
	m.Write([]byte(user))
	m.Write([]byte{0})
	m.Write([]byte(password))
	m.Sum(sum[:0])
	return sum
}

// bucket returns what limits the tries of r's client: of its address, or of its /64 network of IPv6.
func (d *door) bucket(r *http.Request) *rate.Limiter {
	var network netip.Prefix
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		bits := 32
		if ap.Addr().Unmap().Is6() {
			bits = 64
		}
		network, _ = ap.Addr().Unmap().WithZone("").Prefix(bits)
	}
	return d.buckets[maphash.Comparable(d.seed, network)%tryBuckets]
}
