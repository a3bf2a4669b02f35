package catalog

import (
	"context"
	"os"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// Catalog watches one directory. Its methods may be called by many goroutines
// at once; those that answer do not wait for a disk.
type Catalog struct {
	cfg  Config
	root *os.Root
}

// New opens cfg.Dir. It starts nothing; [Catalog.Run] does. The error is that
// of opening the directory, or says which pattern of cfg is malformed.
func New(cfg Config) (*Catalog, error) {
	root, err := os.OpenRoot(cfg.Dir)
	if err != nil {
		return nil, err
	}
	return &Catalog{cfg: cfg, root: root}, nil
}

// Root returns the opened directory. It stays open until Close; paths of a
// [Version] are below it.
func (c *Catalog) Root() *os.Root { return c.root }

// Close releases the directory. Run must have returned.
func (c *Catalog) Close() error { return c.root.Close() }

// Run watches, hashes and tells the Publisher until ctx ends, and returns after
// everything it started has ended. It is called once. The error is
// [context.Cause] of ctx, that of Store.Load, or matches [ErrReplaced].
func (c *Catalog) Run(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }

// Lookup returns what is known about path, "" being the root. Paths have no
// slash at either end and no "." or ".." elements.
func (c *Catalog) Lookup(path string) (Entry, bool) { return Entry{}, false }

// List returns what is directly in dir, sorted by the bytes of the names, and
// reports whether there is such a directory. The slice is the caller's.
func (c *Catalog) List(dir string) ([]Entry, bool) { return nil, false }

// Totals counts the catalog.
func (c *Catalog) Totals() Totals { return Totals{} }

// Demand says that somebody asked for path: the file, or the unit it is in, is
// hashed before all that nobody asked for. A path that is not on its way is
// ignored.
func (c *Catalog) Demand(path string) {}

// Recheck says that somebody saw that the bytes of h may not be what was
// published: sending pauses and they are checked. An infohash that is not
// published is ignored.
func (c *Catalog) Recheck(h metainfo.InfoHash) {}
