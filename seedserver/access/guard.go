package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// Config sets a [Guard].
type Config struct {
	// Secret is what announce keys and sessions are made with: at least 32 random bytes, the same after a restart.
	Secret []byte
	// UsersFile is an htpasswd file. It is read again when it has changed. If empty, there are no users.
	UsersFile string
	// Logger is told when UsersFile cannot be read again. If nil, nobody is.
	Logger *slog.Logger
}

// Guard finds out who a request comes from. Its methods may be called by many goroutines at once.
type Guard struct {
	cfg      Config
	users    atomic.Pointer[users]
	failures failures
	checks   chan struct{} // holds a value for each bcrypt under way

	reading sync.Mutex  // held while the file is looked at and read: what was read last holds
	looked  time.Time   // when the file was looked at
	read    os.FileInfo // of the file that the users are from
	open    func(path string) (*users, os.FileInfo, error)

	mu       sync.Mutex // a leaf
	cacheKey [sha256.Size]byte
	verified map[[sha256.Size]byte]struct{} // keyed hashes of what was right
	holders  map[[idSize]byte]Viewer        // of announce keys
}

// New returns a Guard, or the error of its UsersFile.
func New(cfg Config) (*Guard, error) {
	g := &Guard{
		cfg: cfg, open: openUsers, checks: make(chan struct{}, max(1, runtime.NumCPU()/2)),
		verified: map[[sha256.Size]byte]struct{}{}, holders: map[[idSize]byte]Viewer{},
	}
	rand.Read(g.cacheKey[:])
	g.users.Store(&users{})
	return g, g.Reload()
}

// Reload reads the UsersFile. If that fails, what was read before holds.
func (g *Guard) Reload() error {
	if g.cfg.UsersFile == "" {
		return nil
	}
	g.reading.Lock()
	defer g.reading.Unlock()
	return g.reread()
}

// reread reads the file; reading is held.
func (g *Guard) reread() error {
	us, info, err := g.open(g.cfg.UsersFile)
	if err != nil {
		return fmt.Errorf("reading the users in %s: %w", g.cfg.UsersFile, err)
	}
	g.users.Store(us)
	g.read = info
	g.mu.Lock()
	defer g.mu.Unlock()
	for name := range us.byName {
		g.holders[g.idOf(User(name))] = User(name)
	}
	return nil
}

// lookEvery is how often the UsersFile is looked at while somebody asks.
const lookEvery = 2 * time.Second

// current returns the users as of a moment ago.
func (g *Guard) current(now time.Time) *users {
	if g.cfg.UsersFile != "" && g.reading.TryLock() {
		defer g.reading.Unlock()
		if now.Sub(g.looked) >= lookEvery || now.Before(g.looked) {
			g.looked = now
			g.look()
		}
	}
	return g.users.Load()
}

// look reads the file again if it is another than the one read; reading is held.
func (g *Guard) look() {
	info, err := os.Stat(g.cfg.UsersFile)
	read := g.read
	if err == nil && read != nil && os.SameFile(info, read) && info.ModTime().Equal(read.ModTime()) && info.Size() == read.Size() {
		return
	}
	if err == nil {
		err = g.reread()
	}
	if err != nil && g.cfg.Logger != nil {
		g.cfg.Logger.Warn("the users cannot be read again; those read before stay", "err", err)
	}
}

// HasUsers reports whether anybody could sign in.
func (g *Guard) HasUsers() bool { return g.cfg.UsersFile != "" }

// Identify returns who r comes from, anybody if it does not say or if what it says is not right. client is the address that a wrong
// password is counted for.
func (g *Guard) Identify(now time.Time, r *http.Request, client netip.Addr) Viewer {
	if authorization := r.Header.Get("Authorization"); authorization != "" {
		if name, password, ok := r.BasicAuth(); ok {
			v, _ := g.SignIn(r.Context(), now, client, name, password)
			return v
		}
		if scheme, key, ok := strings.Cut(authorization, " "); ok && strings.EqualFold(scheme, "Bearer") {
			return Bearer(strings.TrimSpace(key))
		}
	}
	for _, cookie := range r.CookiesNamed(cookieName) {
		if v := g.session(now, cookie.Value); !v.Anybody() {
			return v
		}
	}
	return Viewer{}
}

const (
	maxPassword = 1024 // bytes; bcrypt looks at 72 of them
	maxVerified = 10_000
)

// SignIn returns the user of that name if the password is right, else anybody. wait is not zero when too many wrong ones came from
// client: then nothing was looked at, and is not before that time.
func (g *Guard) SignIn(ctx context.Context, now time.Time, client netip.Addr, name, password string) (v Viewer, wait time.Duration) {
	us := g.current(now)
	if len(us.byName) == 0 || name == "" || len(name) > maxPassword || len(password) > maxPassword {
		return Viewer{}, 0
	}
	account, known := us.byName[name]
	sum := g.cacheSum(name, password, account)
	if known && g.isVerified(sum) {
		return User(name), 0
	}
	if wait := g.failures.begin(now, client); wait > 0 {
		return Viewer{}, wait
	}
	select {
	case g.checks <- struct{}{}:
	case <-ctx.Done():
		return Viewer{}, 0
	}
	defer func() { <-g.checks }()
	hash := account.hash
	if !known {
		hash = us.decoy
	}
	if bcrypt.CompareHashAndPassword(hash, []byte(password)) != nil || !known {
		return Viewer{}, 0
	}
	g.failures.forgive(client)
	g.verify(sum)
	return User(name), 0
}

func (g *Guard) isVerified(sum [sha256.Size]byte) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.verified[sum]
	return ok
}

func (g *Guard) verify(sum [sha256.Size]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.verified) >= maxVerified {
		clear(g.verified)
	}
	g.verified[sum] = struct{}{}
}

// cacheSum stands for a name and a password as long as the account is what it is. The key is new with each process and never
// leaves it.
func (g *Guard) cacheSum(name, password string, a account) [sha256.Size]byte {
	return keyed(g.cacheKey[:], []byte(name), []byte(password), a.epoch[:])
}

// keyed returns HMAC-SHA-256 of parts, each with its length before it.
func keyed(key []byte, parts ...[]byte) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
	h.Sum(sum[:0])
	return sum
}
