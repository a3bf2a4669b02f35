package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver named "sqlite"
)

const (
	databaseName = "state.db"
	walName      = databaseName + "-wal"
	shmName      = databaseName + "-shm"
	lockName     = "lock"
	torrentsName = "torrents"

	dirMode  = 0o700
	fileMode = 0o600
)

// Config is how a ledger is kept. The zero value works.
type Config struct {
	// Logger hears of counters that could not be written and will be tried
	// again. If nil, nobody does.
	Logger *slog.Logger

	// Flushed, if set, is told how each write of what was counted ended that
	// [Ledger.Run] began: nil, or why it failed.
	Flushed func(err error)

	// FlushEvery is the time between two writes of what is counted. If zero or
	// negative, 2 seconds.
	FlushEvery time.Duration
}

func (c Config) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}

func (c Config) flushEvery() time.Duration {
	if c.FlushEvery <= 0 {
		return 2 * time.Second
	}
	return c.FlushEvery
}

// Ledger is an open state directory. Any number of goroutines may use it until
// it is closed. It answers the questions of a [Reader], too.
type Ledger struct {
	*Reader  // its connections change nothing, and do not wait for changes
	config   Config
	db       *sql.DB // one connection
	torrents *os.Root
	temps    atomic.Uint64 // temporary names given out
	lock     *os.File
	closing  sync.Once

	flushing sync.Mutex // held while counts move from memory to the database
	mu       sync.Mutex
	pending  map[account]*Counts // guarded by mu
	crowds   crowds              // guarded by mu
}

// Open opens the ledger in dir with the zero [Config]. See [Config.Open].
func Open(ctx context.Context, dir string) (*Ledger, error) {
	return Config{}.Open(ctx, dir)
}

// Open opens the ledger in dir, which is made if missing. The directory gets
// mode 0700, the files 0600. An older database is brought up to date.
//
// A directory that others may enter and that holds foreign files is refused. It
// also fails with a [LockedError] if another process has it open, with a
// [DamagedError] if the database cannot be read, and with a [NewerError] if a
// newer program wrote it. In each case nothing is changed.
func (c Config) Open(ctx context.Context, dir string) (_ *Ledger, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	reader, err := newReader(filepath.Join(dir, databaseName))
	if err != nil {
		return nil, err
	}
	l := &Ledger{Reader: reader, config: c, pending: make(map[account]*Counts)}
	defer func() {
		if err != nil {
			l.release()
		}
	}()
	if l.lock, err = lockDir(dir); err != nil {
		return nil, err
	}
	if err := l.openTorrents(dir); err != nil {
		return nil, err
	}
	if err := l.openDatabase(ctx, dir); err != nil {
		return nil, l.explain("opening the state", err)
	}
	return l, nil
}

// Close writes what was counted, closes the database and gives the directory
// free. Other methods fail afterwards, and what is counted then is lost; closing
// again is harmless.
func (l *Ledger) Close() (err error) {
	l.closing.Do(func() {
		err = errors.Join(l.Flush(context.Background()), l.release())
	})
	return err
}

// release gives up whatever is open.
func (l *Ledger) release() error {
	var errs []error
	errs = append(errs, l.Reader.Close())
	if l.db != nil {
		errs = append(errs, l.db.Close()) // last of the database's connections: it tidies up
	}
	if l.torrents != nil {
		errs = append(errs, l.torrents.Close())
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close()) // last: with the descriptor goes the lock
	}
	return errors.Join(errs...)
}

// openDatabase opens state.db, checks it and brings its schema up to date.
func (l *Ledger) openDatabase(ctx context.Context, dir string) error {
	// SQLite gives the files beside the database the database's mode.
	f, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return err
	}
	f.Close()
	wal, err := os.Stat(filepath.Join(dir, walName))
	killed := err == nil && wal.Size() > 0 // a clean close removes it
	for _, name := range []string{databaseName, walName, shmName} {
		if err := narrow(filepath.Join(dir, name), fileMode); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}

	l.db, err = sql.Open("sqlite", dataSource(l.path, forChanges()))
	if err != nil {
		return err
	}
	l.db.SetMaxOpenConns(1)
	if killed {
		if err := quickCheck(ctx, l.db); err != nil {
			return err
		}
	}
	if err := migrate(ctx, l.db, schema); err != nil {
		return err
	}
	return l.loadCrowds(ctx)
}

// forChanges returns the options of the connection that makes changes.
func forChanges() url.Values {
	return url.Values{"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_txlock": {"immediate"}}
}

// dataSource returns the driver's name for the database at an absolute path. It
// adds to options.
func dataSource(path string, options url.Values) string {
	path = filepath.ToSlash(path)
	if path[0] != '/' {
		path = "/" + path // C:/...
	}
	options.Set("_busy_timeout", "5000") // milliseconds; somebody looks with the sqlite3 tool
	options.Set("_dqs", "0")
	u := url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}
	return u.String()
}

// quickCheck looks through the whole database for damage.
func quickCheck(ctx context.Context, db *sql.DB) error {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", errCheck, verdict)
	}
	return nil
}

// update runs change in one transaction that is on disk when update returns nil.
// doing says what for in the error.
func (l *Ledger) update(ctx context.Context, doing string, change func(*sql.Tx) error) error {
	return l.transact(ctx, l.db, doing, change)
}
