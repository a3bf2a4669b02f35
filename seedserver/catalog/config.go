package catalog

import (
	"cmp"
	"context"
	"log/slog"
	"time"
)

// Config sets a [Catalog]. Dir and Publisher are needed. It is not modified
// after it was given to [New].
type Config struct {
	// Dir is the directory to watch. It must exist.
	Dir string
	// Publisher is told what to seed.
	Publisher Publisher
	// Store remembers. If nil, everything is hashed again after a restart.
	Store Store

	// Settle is how long a file must be quiet after a write. If zero, 10 s.
	Settle time.Duration
	// SettleRenamed is how long a file must be quiet after it was renamed into
	// place or only its attributes changed. If zero, 2 s. It is also how long a
	// file that vanished may take to appear under another name, and the time
	// between two looks at a file that is open for writing.
	SettleRenamed time.Duration
	// SettleBlind is how long a file must be quiet when the system does not
	// tell whether somebody has it open for writing. If zero, 60 s.
	SettleBlind time.Duration

	// Rescan is the time between two scans of the whole tree, for what events
	// missed. If zero, 1 minute, with Poll 10 s. If negative, off.
	Rescan time.Duration
	// Poll scans instead of asking for events, for file systems that have none.
	Poll bool

	// Units are patterns of directories that are one torrent each, as in
	// [Rules], relative to Dir.
	Units []string
	// Rules are the criteria for the whole tree; directories narrow them.
	Rules Rules

	// PieceLength is that of new torrents in bytes. If zero, it grows with the
	// content. Torrents of an earlier run with another length are made anew.
	PieceLength int64
	// Private sets the private flag of torrents (BEP 27).
	Private bool
	// Access, if not nil, reads what the .seedserver.toml of a directory says
	// under the key access, as the TOML decoder gives it. rule is what
	// [Catalog.Access] returns for paths below; private sets the private flag
	// of their torrents. The value false is for a directory of which nobody may
	// see anything, for example because its rules cannot be read. It is called
	// by one goroutine, and once more for each change of the file.
	Access func(dir string, value any) (rule any, private bool)

	// Hashers is how many files are hashed at once. If zero, 2. At most one of
	// them is large (64 MiB and more); that one alone uses all processors.
	Hashers int
	// Wait, if not nil, is called before n bytes are read for hashing, by
	// several goroutines at once. It paces the hashing. Its error fails the
	// hashing of this file, which is tried again later.
	Wait func(ctx context.Context, n int) error
	// Around, if not nil, runs the goroutines that hash, as in
	// [metainfo.BuildConfig].
	Around func(work func())

	// MaxFiles bounds the number of files and directories. If zero, 250,000.
	MaxFiles int
	// MaxDepth bounds how many directories are above a file, Dir not counted.
	// If zero, 32.
	MaxDepth int
	// MaxPath bounds the length of a path below Dir in bytes. If zero, 1024.
	MaxPath int

	// Saved, if not nil, is told how each attempt ended to hand the Store all that
	// it has not taken: nil, or why some of it waits. It is called by one
	// goroutine.
	Saved func(err error)

	// Logger gets what an operator can act on. If nil, nothing is logged.
	Logger *slog.Logger
}

func (c *Config) settle() time.Duration        { return cmp.Or(c.Settle, 10*time.Second) }
func (c *Config) settleRenamed() time.Duration { return cmp.Or(c.SettleRenamed, 2*time.Second) }
func (c *Config) settleBlind() time.Duration   { return cmp.Or(c.SettleBlind, time.Minute) }
func (c *Config) hashers() int                 { return max(1, cmp.Or(c.Hashers, 2)) }
func (c *Config) maxFiles() int                { return cmp.Or(c.MaxFiles, 250_000) }
func (c *Config) maxDepth() int                { return cmp.Or(c.MaxDepth, 32) }
func (c *Config) maxPath() int                 { return cmp.Or(c.MaxPath, 1024) }

// rescan returns the time between two scans, or 0 for none.
func (c *Config) rescan() time.Duration {
	if c.Poll {
		return max(0, cmp.Or(c.Rescan, pollInterval))
	}
	return max(0, cmp.Or(c.Rescan, time.Minute))
}

// pollInterval is the time between two scans where there are no events.
const pollInterval = 10 * time.Second

func (c *Config) store() Store {
	if c.Store == nil {
		return forgetful{}
	}
	return c.Store
}

func (c *Config) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}
